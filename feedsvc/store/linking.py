"""What linking writes: which entries are still to be linked, and the links themselves."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from ..keys import key_text, parse_key
from ..model import RelatedKind
from .base import Linked, RelatedLink, Task
from .codec import micros, names_of
from .engine import chunks, insert_all
from .indexing import Naming, Retargeted, Target
from .links import KINDS
from .named import LINKABLE, LIVE, Named, linkable_of
from .schema import entries, outbox, related, sources


class Linking(Named):
    """Links between entries."""

    # -- outbox ----------------------------------------------------------------------------

    def tasks(self, consumer: str, limit: int, *, newest: bool = False) -> tuple[Task, ...]:
        """The oldest waiting outbox rows of a consumer, or the newest."""
        columns = outbox.c
        wanted = select(columns.seq, columns.key, columns.change).where(
            columns.consumer == consumer
        )
        with self.reading() as connection:
            return tuple(
                Task(seq=seq, key=key_text(key), change=change)
                for seq, key, change in connection.execute(
                    wanted.order_by(columns.seq.desc() if newest else columns.seq).limit(limit)
                )
            )

    def done(self, consumer: str, seqs: Sequence[int]) -> None:
        """Takes finished rows out of the outbox."""
        with self.writing(durable=False, ordered=False) as connection:
            self._take_out(connection, consumer, seqs)

    def _take_out(self, connection: Connection, consumer: str, seqs: Sequence[int]) -> None:
        mine = delete(outbox).where(outbox.c.consumer == consumer)
        for some in chunks(seqs, self.tuning.batch):
            connection.execute(mine.where(outbox.c.seq.in_(some)))

    def requeue(self, consumer: str, after: str | None, limit: int) -> str | None:
        """Queues a batch of live entries again, by key; returns where to go on, None at the end."""
        wanted = select(entries.c.key).where(LIVE).order_by(entries.c.key).limit(limit)
        if after is not None:
            wanted = wanted.where(entries.c.key > (parse_key(after) or 0))
        with self.writing(durable=False, ordered=False) as connection:
            keys = connection.scalars(wanted).all()
            at = micros(datetime.now(UTC))
            insert_all(
                connection,
                outbox,
                [{"consumer": consumer, "key": key, "change": "updated", "at": at} for key in keys],
            )
        return key_text(keys[-1]) if len(keys) == limit else None

    # -- links -----------------------------------------------------------------------------

    def put_related(
        self, key: str, links: Sequence[RelatedLink], *, kind: RelatedKind, now: datetime
    ) -> bool:
        """Replaces an entry's links of one kind; True if changed. Never moves `updated`.

        A link to an entry that is gone, to itself, or from a headline it does not name is left out.
        """
        with self.reading() as connection:
            if self._new_links(connection, key, links, kind) is None:
                return False
        with self.writing(durable=False) as connection:
            new = self._new_links(connection, key, links, kind)
            if new is None:
                return False
            row, targets = new
            if kind == "explicit":
                names = names_of(row.names)
                self.put_names(
                    connection, [Naming(pk=row.pk, before=names, names=names, targets=targets)]
                )
            else:
                mine = (related.c.entry_pk == row.pk) & (related.c.kind == KINDS[kind])
                connection.execute(delete(related).where(mine))
                self.put_links(connection, KINDS[kind], {row.pk: targets})
            flagged = self.refresh(connection, [row.pk], now)
            self.bump(connection, membership=now if flagged else None)
        return True

    def finish_links(
        self, consumer: str, seqs: Sequence[int], linked: Sequence[Linked], now: datetime
    ) -> bool:
        """Writes what headlines resolve to and takes outbox rows out, in one transaction."""
        with self.writing(durable=False, ordered=bool(linked)) as connection:
            changes = self._retargeted(connection, linked)
            if changes is None:
                return False
            if changes:
                self.retarget(connection, changes)
                flagged = self.refresh(connection, [change.pk for change in changes], now)
                self.bump(connection, membership=now if flagged else None)
            self._take_out(connection, consumer, seqs)
        return True

    def _retargeted(
        self, connection: Connection, linked: Sequence[Linked]
    ) -> list[Retargeted] | None:
        """What is to be written; None if an entry is not as it was read."""
        numbers = [parse_key(each.entry.key) for each in linked]
        rows = {
            row.key: row
            for some in chunks(numbers, self.tuning.batch)
            for row in connection.execute(LINKABLE.where(LIVE, entries.c.key.in_(some)))
        }
        had = self.targets_by_key(connection, [row.pk for row in rows.values()])
        live = self._live(connection, [link.target for each in linked for link in each.links])
        changes: list[Retargeted] = []
        for number, each in zip(numbers, linked, strict=True):
            row = rows.get(number)
            if row is None:
                continue  # it is gone, and what it named with it
            targets = had.get(row.pk, {})
            names = names_of(row.names)
            if linkable_of(row, targets).references != each.entry.references:
                return None
            before = {at: target for at, (_, target) in targets.items()}
            after = {
                link.position: Target(pk=live[link.target], score=link.score, reason=link.reason)
                for link in each.links
                if link.target in live and link.target != each.entry.key
            }
            if after != before:
                changes.append(Retargeted(pk=row.pk, names=names, before=before, after=after))
        return changes

    def _live(self, connection: Connection, keys: Iterable[str]) -> dict[str, int]:
        """The pks of those of these entries that are live."""
        numbers = sorted({number for key in keys if (number := parse_key(key)) is not None})
        wanted = select(entries.c.key, entries.c.pk).where(LIVE)
        return {
            key_text(number): pk
            for some in chunks(numbers, self.tuning.batch)
            for number, pk in connection.execute(wanted.where(entries.c.key.in_(some)))
        }

    def _new_links(
        self,
        connection: Connection,
        key: str,
        links: Sequence[RelatedLink],
        kind: RelatedKind,
    ) -> tuple[Row[*tuple[Any, ...]], dict[int, Target]] | None:
        """The entry and the links it is to have, by position; None if it has them already."""
        row = self._entry(connection, key)
        if row is None:
            return None
        keys = {link.target: parse_key(link.target) for link in links}
        live = select(entries.c.key, entries.c.pk).where(
            LIVE, entries.c.key.in_(set(keys.values()) - {None, row.key})
        )
        pks: dict[int | None, int] = dict(connection.execute(live).all())
        named = len(names_of(row.names))
        targets = {
            link.position: Target(pk=pks[keys[link.target]], score=link.score, reason=link.reason)
            for link in links
            if keys[link.target] in pks and (kind == "content" or 0 <= link.position < named)
        }
        has = self.targets_of(connection, [row.pk], KINDS[kind]).get(row.pk, {})
        return None if targets == has else (row, targets)

    def _entry(self, connection: Connection, key: str) -> Row[*tuple[Any, ...]] | None:
        """The live entry with this key."""
        wanted = (
            select(
                entries.c.pk,
                entries.c.key,
                entries.c.names,
                entries.c.tags,
                entries.c.published,
                sources.c.id.label("source_id"),
            )
            .join_from(entries, sources, sources.c.pk == entries.c.source_pk)
            .where(LIVE, entries.c.key == parse_key(key))
        )
        return connection.execute(wanted).one_or_none()
