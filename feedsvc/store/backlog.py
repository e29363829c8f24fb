"""Entries of a store of an earlier version: their texts get marks, and they their copies; they are
indexed by their words as these are folded now.

What is to be done a migration has written down, in the outbox or as a number to count down from.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Connection, MetaData, Table, delete, insert, select, update

from ..duplicates import marks, own_words
from ..keys import parse_key
from .codec import entry_of, names_of, payload_of
from .engine import chunks
from .grouping import Grouping
from .indexing import RELATE
from .linking import Linking
from .marking import Marks
from .named import LIVE
from .reading import FULL
from .schema import RowId, contents, entries, meta, ref_terms, title_terms
from .words import search_text, terms

MARK = "mark"
_READ = 5_000
_PK = Column("pk", RowId, primary_key=True, autoincrement=False)
_ANEW = Table("anew", MetaData(), _PK, prefixes=["TEMPORARY"])
_FOLDED_ANEW = "0012"  # the schema from which on words are folded as they are now
_FOLDING = meta.c.key == "folding"
# every character that is folded otherwise than before, and for the sake of brevity more: entries
# without any of them stay as they are
_OTHERWISE = re.compile(
    "[\xad\xc6\xd0\xd8\xde\xe6\xf0\xf8\xfe\u0110\u0111\u0126\u0127\u0131\u0138\u013f-\u0142"
    "\u0149-\u014b\u0152\u0153\u0166\u0167\u0180-\u0370\u0374\u0483-\u0489\u0600-\u1dff"
    "\u1e9a-\u1e9f\u1efa-\u1eff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u2107\u210f"
    "\u2c60-\u2c7f\u3130-\u3164\ua66f-\uabff\ufb1e\ufcf2-\ufcf4\ufe00-\ufe0f\ufe70-\ufe7f\ufeff"
    "\uffa0-\uffff\U00010000-\U000effff]"
)


class Backlog(Linking, Grouping):
    """What is still to be found out of what was there before."""

    def find_copies(self, limit: int, now: datetime) -> int:
        """Finds the copies of so many entries that wait for it, the newest first; how many.

        What is stopped is done again: an entry leaves the outbox with what came of it.
        """
        tasks = self.tasks(MARK, limit, newest=True)
        if not tasks:
            return 0
        keys = [number for task in tasks if (number := parse_key(task.key)) is not None]
        with self.writing(durable=False) as connection:
            touched = self.touch(connection, self._read_marks(connection, keys))
            if self.regroup(connection, (), now, touched):
                self.bump(connection, membership=now)
            self._take_out(connection, MARK, [task.seq for task in tasks])
        return len(tasks)

    def _read_marks(self, connection: Connection, keys: list[int]) -> dict[int, Marks]:
        """The marks of the texts of those of these entries that are live."""
        wanted = select(entries.c.pk, contents.c.payload).join_from(
            entries, contents, contents.c.entry_pk == entries.c.pk
        )
        found: dict[int, Marks] = {}
        for some in chunks(keys, self.tuning.batch):
            for pk, payload in connection.execute(wanted.where(LIVE, entries.c.key.in_(some))):
                said = payload_of(payload)
                found[pk] = marks(own_words(said.summary, said.content))
        return found

    def fold_anew(self, limit: int, now: datetime) -> int:
        """Makes so many entries findable by their words as these are folded now; how many.

        What is stopped is done again: where it has come to is written with what came of it.
        """
        with self.reading() as connection:
            if self._folding(connection) is None:
                return 0
        wanted = select(entries.c.pk, entries.c.title, contents.c.payload).join_from(
            entries, contents, contents.c.entry_pk == entries.c.pk
        )
        with self.writing(durable=False) as connection:
            last = self._folding(connection)
            if last is None:
                return 0
            newest = wanted.where(entries.c.pk <= last).order_by(entries.c.pk.desc())
            rows = connection.execute(newest.limit(limit)).all()
            some = [row.pk for row in rows if _otherwise(row.title, row.payload)]
            self._index_anew(connection, some, now)
            if len(rows) < limit:
                connection.execute(delete(meta).where(_FOLDING))
            else:
                connection.execute(update(meta).where(_FOLDING).values(value=rows[-1].pk - 1))
        return len(rows)

    def _folding(self, connection: Connection) -> int | None:
        """The newest entry whose words may still be folded as they were; None if there is none."""
        return connection.scalar(select(meta.c.value).where(_FOLDING))

    def _index_anew(self, connection: Connection, pks: Sequence[int], now: datetime) -> None:
        """Writes the words of entries where they are others; the rest that goes by them waits."""
        rows = connection.execute(FULL.where(entries.c.pk.in_(pks))).mappings().all() if pks else []
        had = self._texts(connection, pks)
        texts = {row["pk"]: search_text(entry_of(row), row["published"]) for row in rows}
        texts = {pk: text for pk, text in texts.items() if text != had.get(pk)}
        if texts:
            self._drop_text(connection, list(texts))
            self._put_text(connection, texts)
            changed = [row for row in rows if row["pk"] in texts and row["withdrawn_at"] is None]
            keys = [row["key"] for row in changed]
            self.post(connection, "updated", keys, now, consumers=(MARK, RELATE))
            self.bump(connection, membership=now)

    def _catch_up(self, connection: Connection, before: str, now: datetime) -> None:
        super()._catch_up(connection, before, now)
        if before < _FOLDED_ANEW:
            self._title_anew(connection)

    def _title_anew(self, connection: Connection) -> None:
        """Makes titles, and headlines that wait, findable by their words as they are folded now.

        All at once: later nobody knows what an entry that goes was indexed by.
        """
        columns, last = entries.c, 0
        wanted = select(columns.pk, columns.title, columns.published, columns.names).where(LIVE)
        wanted = wanted.order_by(columns.pk).limit(_READ)
        _ANEW.create(connection)
        while rows := connection.execute(wanted.where(columns.pk > last)).all():
            last = rows[-1].pk
            if some := [row.pk for row in rows if _otherwise(row.title, row.names or "")]:
                connection.execute(insert(_ANEW), [{"pk": pk} for pk in some])
        anew, waits = select(_ANEW.c.pk), ref_terms.c
        heads = select(waits.entry_pk, waits.position).where(waits.entry_pk.in_(anew)).distinct()
        waiting: dict[int, list[int]] = {}
        for pk, position in connection.execute(heads):
            waiting.setdefault(pk, []).append(position)
        for table in (title_terms, ref_terms):
            connection.execute(delete(table).where(table.c.entry_pk.in_(anew)))
        last, these = 0, wanted.where(columns.pk.in_(anew))
        while rows := connection.execute(these.where(columns.pk > last)).all():
            last = rows[-1].pk
            self.put_title_terms(connection, [(r.pk, r.published, terms(r.title)) for r in rows])
            self._put_waiting(
                connection,
                [(r.pk, at, names_of(r.names)[at]) for r in rows for at in waiting.get(r.pk, ())],
            )
        _ANEW.drop(connection)


def _otherwise(*texts: str) -> bool:
    """Whether any of the words of some texts may be folded otherwise than before."""
    return any(not text.isascii() and _OTHERWISE.search(text) for text in texts)
