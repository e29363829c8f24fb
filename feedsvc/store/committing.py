"""What one poll brought, written in one transaction.

All that can be worked out beforehand is (`codec.prepare`); within the transaction the number of
statements does not depend on the number of entries, up to a batch.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from ..errors import ClaimLost
from ..model import key_number, key_text
from ..pacing import host_of
from .base import Claim, Committed, PollResult
from .codec import Prepared, encode, fingerprint, micros, names_of, prepare, storable, uid_hash
from .engine import chunks, insert_all
from .hosts import put_host, rest
from .indexing import Naming
from .polling import MINE
from .schema import contents, entries, poll_state, pruned, sources
from .source_codec import meta_of, shown, state_row
from .withdrawing import Withdrawing


@dataclass(frozen=True, slots=True)
class _Written:
    """An entry with its row's pk and key, and its row as it was if there was one."""

    pk: int
    key: int
    entry: Prepared
    before: Row[*tuple[Any, ...]] | None = None

    @property
    def revived(self) -> bool:
        return self.before is not None and self.before.withdrawn_at is not None

    def moved(self, *columns: str) -> bool:
        """Whether any of these columns is new or other than before."""
        before = self.before
        return before is None or any(
            getattr(before, column) != self.entry.row[column] for column in columns
        )


class Committing(Withdrawing):
    """The end of a poll."""

    def finish_poll(self, claim: Claim, result: PollResult, now: datetime) -> Committed:
        """Writes everything one poll brought and gives the claim back, in one transaction."""
        arrived = {entry.uid_hash: entry for entry in map(prepare, result.entries)}
        removed = [name for uid in result.removed if (name := uid_hash(uid)) not in arrived]
        told = (result.meta, result.location, result.enabled)
        idle = not arrived and not removed and told == (None, None, None)
        with self.writing(durable=not idle, ordered=not idle) as connection:
            source_pk = self._end(connection, claim, result, now)
            if result.resting is not None and result.state.retry_after is not None:
                until = micros(result.state.retry_after)
                rest(connection, storable(result.resting), until=until, now=micros(now))
            if idle:
                return Committed()
            shows_anew, noted = self._note(connection, source_pk, result)
            known = self._known_rows(connection, source_pk, list(arrived))
            gone = self._pruned(connection, source_pk, arrived.keys() - known.keys())
            new = self._insert_entries(
                connection,
                source_pk,
                [arrived[name] for name in arrived if name not in known and name not in gone],
                now,
            )
            changed = self._update_entries(
                connection, [(arrived[name], known[name]) for name in arrived if name in known], now
            )
            withdrawn = self._withdraw_uids(connection, source_pk, removed, now)
            self.post(connection, "new", [entry.key for entry in new], now)
            self.post(connection, "updated", [entry.key for entry in changed], now)
            earlier = bool(changed or withdrawn or shows_anew)
            if earlier or new or noted:
                self.bump(connection, membership=now if earlier else None)
        return Committed(
            new=tuple(key_text(entry.key) for entry in new),
            updated=tuple(key_text(entry.key) for entry in changed),
            withdrawn=tuple(withdrawn),
        )

    # -- the source ------------------------------------------------------------------------

    def _end(self, connection: Connection, claim: Claim, result: PollResult, now: datetime) -> int:
        ended = (
            update(poll_state)
            .where(MINE)
            .values(claim_owner=None, claim_until=None, **state_row(result.state, now))
            .returning(poll_state.c.source_pk)
        )
        mine = {"id": claim.source.id, "owner": claim.owner, "epoch": claim.epoch}
        pk: int | None = connection.scalar(ended, mine)
        if pk is None:
            raise ClaimLost(
                f"source “{claim.source.id}” was taken over while it was polled: nothing is written"
            )
        return pk

    def _note(self, connection: Connection, pk: int, result: PollResult) -> tuple[bool, bool]:
        """Writes what changed of the source: whether its entries show it, whether there was any."""
        row = connection.execute(select(sources).where(sources.c.pk == pk)).one()
        values: dict[str, Any] = {}
        if result.meta is not None and (meta := encode(result.meta)) != row.meta:
            values = {"meta": meta, "shown": shown(row.id, row.title, meta_of(meta))}
        if result.location is not None:
            values["location"] = storable(result.location)
            host = host_of(result.location)
            put_host(connection, host)
            placed = update(poll_state).where(poll_state.c.source_pk == pk)
            connection.execute(placed.values(host=host))
        if result.enabled is not None:
            values["enabled"] = result.enabled
            active = int(result.enabled and row.removed_at is None)
            state = update(poll_state).where(poll_state.c.source_pk == pk)
            connection.execute(state.values(active=active))
        if values:
            connection.execute(update(sources).where(sources.c.pk == pk).values(**values))
        shows_anew = values.get("shown", row.shown) != row.shown
        return shows_anew, shows_anew or "location" in values or "enabled" in values

    # -- entries ---------------------------------------------------------------------------

    def _known_rows(
        self, connection: Connection, source_pk: int, names: Sequence[bytes]
    ) -> dict[bytes, Row[*tuple[Any, ...]]]:
        columns = entries.c
        wanted = select(
            columns.pk,
            columns.key,
            columns.uid_hash,
            columns.published,
            columns.withdrawn_at,
            columns.title,
            columns.link,
            columns.tags,
            columns.names,
        )
        return {
            row.uid_hash: row
            for some in chunks(names, self.tuning.batch)
            for row in connection.execute(
                wanted.where(columns.source_pk == source_pk, columns.uid_hash.in_(some))
            )
        }

    def _pruned(
        self, connection: Connection, source_pk: int, names: Collection[bytes]
    ) -> set[bytes]:
        wanted = select(pruned.c.uid_hash).where(pruned.c.source_pk == source_pk)
        return {
            name
            for some in chunks(sorted(names), self.tuning.batch)
            for name in connection.scalars(wanted.where(pruned.c.uid_hash.in_(some)))
        }

    def _insert_entries(
        self, connection: Connection, source_pk: int, new: Sequence[Prepared], now: datetime
    ) -> list[_Written]:
        if not new:
            return []
        rows: dict[int, tuple[Prepared, dict[str, Any]]] = {}
        for entry, id in zip(new, self._free_ids(connection, new), strict=True):
            row = entry.row
            rows[key_number(id)] = (
                entry,
                {
                    **row,
                    "source_pk": source_pk,
                    "uid_hash": entry.uid_hash,
                    "id": id,
                    "key": key_number(id),
                    "first_seen": micros(now),
                    "changed": micros(now),
                    "fingerprint": fingerprint(row["own_print"], id, row["tags"], (), entry.names),
                },
            )
        made = insert(entries).returning(entries.c.pk, entries.c.key)
        inserted = connection.execute(made, [row for _, row in rows.values()])
        written = [_Written(pk, key, rows[key][0]) for pk, key in inserted]
        insert_all(
            connection, contents, [{"entry_pk": w.pk, "payload": w.entry.payload} for w in written]
        )
        self._hang(connection, written)
        self._put_text(connection, {w.pk: w.entry.text for w in written})
        self.put_names(
            connection, [Naming(pk=w.pk, names=w.entry.names) for w in written if w.entry.names]
        )
        return written

    def _free_ids(self, connection: Connection, new: Sequence[Prepared]) -> list[str]:
        """The id of each new entry: its own, or where that is held already its fallback."""
        taken = self._taken(connection, [entry.id for entry in new])
        clash = len(taken) > 0 or len({entry.id for entry in new}) < len(new)
        if clash:
            taken |= self._taken(connection, [entry.fallback_id for entry in new])
        ids = []
        for entry in new:
            # the last, named after its uid as well, is for fallbacks that clash too
            last = f"{entry.fallback_id}#{entry.uid_hash.hex()}"
            candidates = (entry.id, entry.fallback_id, last)
            ids.append(next(id for id in candidates if key_number(id) not in taken))
            taken.add(key_number(ids[-1]))
        return ids

    def _taken(self, connection: Connection, ids: Sequence[str]) -> set[int]:
        keys = [key_number(id) for id in ids]
        return {
            key
            for some in chunks(keys, self.tuning.batch)
            for key in connection.scalars(select(entries.c.key).where(entries.c.key.in_(some)))
        }

    def _update_entries(
        self,
        connection: Connection,
        pairs: Sequence[tuple[Prepared, Row[*tuple[Any, ...]]]],
        now: datetime,
    ) -> list[_Written]:
        if not pairs:
            return []
        written = [_Written(row.pk, row.key, entry, row) for entry, row in pairs]
        connection.execute(
            update(entries)
            .where(entries.c.pk == bindparam("of"))
            .values(withdrawn_at=None, changed=micros(now)),
            [{"of": w.pk, **w.entry.row} for w in written],
        )
        connection.execute(
            update(contents).where(contents.c.entry_pk == bindparam("of")),
            [{"of": w.pk, "payload": w.entry.payload} for w in written],
        )
        self._hang(connection, written)
        pks = [w.pk for w in written]
        self._drop_text(connection, pks)
        self._put_text(connection, {w.pk: w.entry.text for w in written})
        self._rename(connection, written)
        retold = [w.pk for w in written if w.moved("title", "link", "published")]
        self.refresh(connection, {*pks, *self.owners(connection, retold)}, now)
        return written

    def _hang(self, connection: Connection, written: Sequence[_Written]) -> None:
        """Puts entries under their tags and their titles' terms."""
        tagged = [w for w in written if w.revived or w.moved("tags", "published")]
        deltas = self.drop_entry_tags(connection, [w.pk for w in tagged if w.before is not None])
        labels: dict[str, str] = {}
        for w in tagged:
            labels |= w.entry.slugs
        pks = self.tag_pks(connection, labels) if labels else {}
        rows: list[Mapping[str, Any]] = []
        for w in tagged:
            for slug in w.entry.slugs:
                deltas[pks[slug]] = deltas.get(pks[slug], 0) + 1
                rows.append(
                    {
                        "tag_pk": pks[slug],
                        "live": 1,
                        "published": w.entry.row["published"],
                        "key": w.key,
                        "entry_pk": w.pk,
                    }
                )
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

    def _rename(self, connection: Connection, written: Sequence[_Written]) -> None:
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

    def _withdraw_uids(
        self, connection: Connection, source_pk: int, names: Sequence[bytes], now: datetime
    ) -> list[str]:
        pks = [
            pk
            for some in chunks(names, self.tuning.batch)
            for pk in connection.scalars(
                select(entries.c.pk).where(
                    entries.c.source_pk == source_pk, entries.c.uid_hash.in_(some)
                )
            )
        ]
        return self.withdraw(connection, pks, now)
