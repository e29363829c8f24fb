"""Entries as rows: new ones inserted, changed ones rewritten, with all that hangs on them.

Entries of any number of polls are written together: the number of statements does not depend on
the number of entries, up to a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from ..keys import content_digest, key_number
from .codec import Prepared, fingerprint, micros, names_of
from .engine import chunks, insert_all, run_all
from .filing import filed_in
from .indexing import Naming
from .membership import retell_stories
from .revisions import Revisions
from .schema import contents, entries
from .withdrawing import Withdrawing

# what of an entry's row as it was decides what is to be done when it changes
BEFORE = (
    "source_pk",
    "uid_hash",
    "pk",
    "key",
    "published",
    "withdrawn_at",
    "title",
    "link",
    "tags",
    "names",
    "digest",
    "page_hash",
)
_REWRITE = update(entries).where(entries.c.pk == bindparam("of"))
_REFILL = update(contents).where(contents.c.entry_pk == bindparam("of"))


@dataclass(frozen=True, slots=True)
class Written:
    """An entry with its row's pk and key, and its row as it was if there was one."""

    pk: int
    key: int
    entry: Prepared
    before: Row[*tuple[Any, ...]] | None = None

    @property
    def revived(self) -> bool:
        return self.before is not None and self.before.withdrawn_at is not None

    @property
    def rewritten(self) -> bool:
        """Whether the content is other than before, and not only what else is kept."""
        before = self.before
        return before is not None and (
            content_digest(before.digest) != content_digest(self.entry.row["digest"])
        )

    def moved(self, *columns: str) -> bool:
        """Whether any of these columns is new or other than before."""
        before = self.before
        return before is None or any(
            getattr(before, column) != self.entry.row[column] for column in columns
        )


class EntryRows(Withdrawing, Revisions):
    """Writing entries."""

    def insert_entries(
        self, connection: Connection, new: Sequence[tuple[int, Prepared]], now: datetime
    ) -> list[Written]:
        """Inserts entries, each given with the pk of its source; all in the order given."""
        if not new:
            return []
        ids = self._free_ids(connection, [entry for _, entry in new])
        sealed = self.sealed(connection)
        pks = self._new_pks(connection, len(new))
        at = micros(now)
        written, rows = [], []
        for (source_pk, entry), (id, key), pk in zip(new, ids, pks, strict=True):
            row = entry.row
            rows.append(
                {
                    **row,
                    "pk": pk,
                    "source_pk": source_pk,
                    "uid_hash": entry.uid_hash,
                    "id": id,
                    "key": key,
                    "first_seen": at,
                    "changed": at,
                    "filed": filed_in(row["published"], sealed, now),
                    "fingerprint": fingerprint(row["own_print"], id, row["tags"], (), entry.names),
                }
            )
            written.append(Written(pk, key, entry))
        insert_all(connection, entries, rows)
        insert_all(
            connection, contents, [{"entry_pk": w.pk, "payload": w.entry.payload} for w in written]
        )
        self._hang(connection, written)
        self._put_text(connection, {w.pk: w.entry.text for w in written})
        self.put_names(
            connection, [Naming(pk=w.pk, names=w.entry.names) for w in written if w.entry.names]
        )
        return written

    def _free_ids(self, connection: Connection, new: Sequence[Prepared]) -> list[tuple[str, int]]:
        """The id and key of each new entry: its own, or where that is held its fallback."""
        keys = [entry.key for entry in new]
        taken = self._taken(connection, keys)
        if not taken and len(set(keys)) == len(keys):
            return [(entry.id, entry.key) for entry in new]
        taken |= self._taken(connection, [key_number(entry.fallback_id) for entry in new])
        ids = []
        for entry in new:
            # the last, named after its uid as well, is for fallbacks that clash too
            last = f"{entry.fallback_id}#{entry.uid_hash.hex()}"
            for id in (entry.id, entry.fallback_id, last):
                key = key_number(id)
                if key not in taken:
                    break
            taken.add(key)
            ids.append((id, key))
        return ids

    def _taken(self, connection: Connection, keys: Sequence[int]) -> set[int]:
        return {
            key
            for some in chunks(keys, self.tuning.batch)
            for key in connection.scalars(select(entries.c.key).where(entries.c.key.in_(some)))
        }

    def update_entries(
        self,
        connection: Connection,
        pairs: Sequence[tuple[Prepared, Row[*tuple[Any, ...]]]],
        now: datetime,
    ) -> list[Written]:
        """Rewrites entries over their rows as they were, withdrawn ones included."""
        if not pairs:
            return []
        written = [Written(row.pk, row.key, entry, row) for entry, row in pairs]
        at = micros(now)
        self.keep_versions(connection, [w.pk for w in written if w.rewritten], now)
        rows = [{"of": w.pk, "withdrawn_at": None, "changed": at, **w.entry.row} for w in written]
        run_all(connection, _REWRITE, rows)
        run_all(connection, _REFILL, [{"of": w.pk, "payload": w.entry.payload} for w in written])
        self._hang(connection, written)
        pks = [w.pk for w in written]
        self._drop_text(connection, pks)
        self._put_text(connection, {w.pk: w.entry.text for w in written})
        self._rename(connection, written)
        self.refile(connection, pks, now, copies=True)
        retell_stories(connection, [w.pk for w in written if w.rewritten], now)
        retold = [w.pk for w in written if w.moved("title", "link", "published")]
        self.refresh(connection, {*pks, *self.owners(connection, retold)}, now)
        return written

    def _hang(self, connection: Connection, written: Sequence[Written]) -> None:
        """Puts entries under their tags and their titles' terms."""
        tagged = [w for w in written if w.revived or w.moved("tags", "published")]
        deltas = self.drop_entry_tags(connection, [w.pk for w in tagged if w.before is not None])
        labels: dict[str, str] = {}
        for w in tagged:
            labels |= w.entry.slugs
        pks = self.tag_pks(connection, labels) if labels else {}
        rows: list[tuple[int, int, int, int, int]] = []
        for w in tagged:
            published = w.entry.row["published"]
            for tag in map(pks.__getitem__, w.entry.slugs):
                deltas[tag] = deltas.get(tag, 0) + 1
                rows.append((tag, 1, published, w.key, w.pk))
        self.put_entry_tags(connection, rows)
        self.count_tags(connection, deltas)
        titled = [w for w in written if w.revived or w.moved("title", "published")]
        self.drop_title_terms(
            connection,
            [(w.pk, w.before.published, w.before.title) for w in titled if w.before is not None],
        )
        self.put_title_terms(
            connection, [(w.pk, w.entry.row["published"], w.entry.title_terms) for w in titled]
        )

    def _rename(self, connection: Connection, written: Sequence[Written]) -> None:
        """Takes over the headlines that entries name now; the same headline keeps its target."""
        renamed = [w for w in written if w.revived or w.moved("names")]
        targets = self.targets_of(connection, [w.pk for w in renamed])
        namings = []
        for w in renamed:
            assert w.before is not None
            before, had = names_of(w.before.names), targets.get(w.pk, {})
            by_name = {before[position]: target for position, target in had.items()}
            kept = {at: by_name[name] for at, name in enumerate(w.entry.names) if name in by_name}
            namings.append(Naming(pk=w.pk, before=before, names=w.entry.names, targets=kept))
        self.put_names(connection, namings)
