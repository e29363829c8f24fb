"""How entries go: withdrawn, leaving a tombstone, or pruned, leaving only their name."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text, update

from ..keys import key_text
from .codec import micros, names_of, place_of, uid_hash
from .engine import chunks, insert_all
from .grouping import Grouping
from .indexing import LINK, Naming
from .membership import leave_stories
from .schema import entries, entry_tags, pruned, related

# of what stood at one place the last counts; it has no id of its own
_REMEMBER = text(
    "INSERT INTO pruned (source_pk, uid_hash, id, published)"
    " VALUES (:source_pk, :uid_hash, '', :published)"
    " ON CONFLICT (source_pk, uid_hash) DO UPDATE SET published = excluded.published"
)


class Withdrawing(Grouping):
    """Taking entries out of feeds."""

    def withdraw(self, connection: Connection, pks: Sequence[int], now: datetime) -> list[str]:
        """Withdraws those of these entries that are live; returns their keys.

        Links to them are taken back: a headline that named one waits for its entry again.
        """
        live = entries.c.withdrawn_at.is_(None)
        columns = (entries.c.pk, entries.c.key, entries.c.title, entries.c.published)
        wanted = select(*columns, entries.c.names, entries.c.page_hash).where(live)
        keys: list[int] = []
        for some in chunks(pks, self.tuning.batch):
            rows = connection.execute(wanted.where(entries.c.pk.in_(some))).all()
            going = [row.pk for row in rows]
            if not going:
                continue
            keys += [row.key for row in rows]
            at = micros(now)
            gone = update(entries).where(entries.c.pk.in_(going))
            connection.execute(gone.values(withdrawn_at=at, changed=at))
            self._hide_tags(connection, going)
            self.drop_title_terms(connection, [(r.pk, r.published, r.title) for r in rows])
            self._stop_waiting(connection, {row.pk: names_of(row.names) for row in rows})
            self.drop_signatures(connection, going)
            leave_stories(connection, going, now)
            self._unlink(connection, going, now)
            touched = self.touch(connection, dict.fromkeys(going, ()))
            self.regroup(connection, [row.page_hash for row in rows], now, touched)
        self.post(connection, "withdrawn", keys, now)
        return [key_text(key) for key in keys]

    def forget(self, connection: Connection, pks: Sequence[int], now: datetime) -> None:
        """Removes entries, live or not, all but their names."""
        columns = entries.c
        where = columns.pk.in_(pks)
        rows = connection.execute(
            select(
                columns.pk,
                columns.source_pk,
                columns.uid_hash,
                columns.id,
                columns.title,
                columns.link,
                columns.published,
                columns.names,
                columns.page_hash,
            ).where(where)
        ).all()
        self.drop_title_terms(connection, [(row.pk, row.published, row.title) for row in rows])
        self._stop_waiting(connection, {row.pk: names_of(row.names) for row in rows})
        self.drop_signatures(connection, pks)
        leave_stories(connection, pks, now, told=False)
        self._unlink(connection, pks, now)
        self.count_tags(connection, self.drop_entry_tags(connection, pks))
        self._drop_text(connection, pks)
        insert_all(
            connection,
            pruned,
            [
                {
                    "source_pk": row.source_pk,
                    "uid_hash": row.uid_hash,
                    "id": row.id,
                    "published": row.published,
                }
                for row in rows
            ],
        )
        places = [
            {"source_pk": row.source_pk, "uid_hash": uid_hash(place), "published": row.published}
            for row in rows
            if (place := place_of(row.link, row.title))
        ]
        if places:
            connection.execute(_REMEMBER, places)
        touched = self.touch(connection, dict.fromkeys(pks, ()))
        connection.execute(delete(entries).where(where))
        self.regroup(connection, [row.page_hash for row in rows], now, touched)

    def _hide_tags(self, connection: Connection, pks: Sequence[int]) -> None:
        mine = entry_tags.c.entry_pk.in_(pks) & (entry_tags.c.live == 1)
        counted = select(entry_tags.c.tag_pk, func.count()).where(mine)
        lost = {
            pk: -number for pk, number in connection.execute(counted.group_by(entry_tags.c.tag_pk))
        }
        connection.execute(update(entry_tags).where(mine).values(live=0))
        self.count_tags(connection, lost)

    def _stop_waiting(self, connection: Connection, names: dict[int, tuple[str, ...]]) -> None:
        named = [pk for pk, headlines in names.items() if headlines]
        targets = self.targets_of(connection, named)
        self.put_names(
            connection,
            [
                Naming(
                    pk=pk,
                    before=names[pk],
                    names=names[pk],
                    targets=targets.get(pk, {}),
                    waits=False,
                )
                for pk in named
            ],
        )

    def _unlink(self, connection: Connection, pks: Sequence[int], now: datetime) -> None:
        """Takes back all links to these entries, and has them looked for among the others."""
        owners = self.owners(connection, pks)
        if not owners:
            return
        gone = set(pks)
        # what they were like may be like something else
        self.look_again(connection, self.likening(connection, pks))
        connection.execute(delete(related).where(related.c.target_pk.in_(pks)))
        live = entries.c.withdrawn_at.is_(None)
        wanted = select(entries.c.pk, entries.c.key, entries.c.names).where(live)
        for some in chunks(sorted(owners - gone), self.tuning.batch):
            rows = connection.execute(wanted.where(entries.c.pk.in_(some))).all()
            names = {row.pk: names_of(row.names) for row in rows}
            # another entry may be meant by the same headline
            again = [row.key for row in rows if row.names]
            self.post(connection, "updated", again, now, consumers=(LINK,))
            targets = self.targets_of(connection, list(names))
            self.put_names(
                connection,
                [
                    Naming(pk=pk, before=headlines, names=headlines, targets=targets.get(pk, {}))
                    for pk, headlines in names.items()
                    if headlines
                ],
            )
        self.refresh(connection, owners, now)
