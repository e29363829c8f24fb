"""What polls brought, written in one transaction, however many polls there are.

All that can be worked out beforehand is (`codec.prepare`). Each poll is fenced by its own claim,
and the number of statements does not depend on the number of polls and entries, up to a batch.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from ..errors import ClaimLost, SchemaMismatch, StoreError, StoreUnavailable
from ..keys import key_text, parse_key
from ..pacing import host_of
from .base import Claim, Committed, PollResult
from .codec import Prepared, encode, micros, prepare, storable, uid_hash
from .engine import Collision, chunks, insert_all, run_all
from .entry_rows import BEFORE
from .hosts import put_host, rest
from .pages import Pages
from .schema import entries, long_cursors, poll_state, pruned, sources
from .source_codec import long_cursor, meta_of, shown, state_row

_ATTEMPTS = 5
_TELL = update(sources).where(sources.c.pk == bindparam("of"))
_RENAME = update(entries).where(
    entries.c.source_pk == bindparam("of"), entries.c.uid_hash == bindparam("was")
)
_STATE = update(poll_state).where(poll_state.c.source_pk == bindparam("of"))
_HELD = (
    select(
        sources.c.id,
        sources.c.title,
        sources.c.location,
        sources.c.enabled,
        sources.c.removed_at,
        sources.c.meta,
        sources.c.shown,
        poll_state.c.source_pk,
        poll_state.c.claim_owner,
        poll_state.c.claim_epoch,
    )
    .join_from(sources, poll_state)
    # everyone locks in this order, so that nobody waits for one who waits for him
    .order_by(sources.c.id)
    .with_for_update(of=poll_state)
)


@dataclass(slots=True)
class _Poll:
    """One poll on its way into the store, and the keys of what was written of it."""

    claim: Claim
    result: PollResult
    arrived: dict[bytes, Prepared]
    removed: list[bytes]
    pages: frozenset[bytes]
    source: Row[*tuple[Any, ...]] | None = None
    new: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    withdrawn: list[int] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Whether nothing but the schedule moves."""
        told = (self.result.meta, self.result.location, self.result.enabled)
        moved = self.arrived or self.removed or self.result.renamed
        return not moved and told == (None, None, None)

    @property
    def pk(self) -> int:
        assert self.source is not None
        return int(self.source.source_pk)

    @property
    def outcome(self) -> Committed | StoreError:
        if self.source is None:
            return ClaimLost(
                f"source “{self.claim.source.id}” was taken over while it was polled: "
                "nothing is written"
            )
        return Committed(
            new=tuple(map(key_text, self.new)),
            updated=tuple(map(key_text, self.updated)),
            withdrawn=tuple(map(key_text, self.withdrawn)),
        )


class Committing(Pages):
    """The end of polls."""

    def finish_poll(self, claim: Claim, result: PollResult, now: datetime) -> Committed:
        """Writes everything one poll brought and gives the claim back, in one transaction."""
        (outcome,) = self.finish_polls([(claim, result)], now)
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome

    def finish_polls(
        self, polls: Sequence[tuple[Claim, PollResult]], now: datetime
    ) -> Sequence[Committed | StoreError]:
        """`finish_poll` of many polls in one transaction; what became of each, in their order."""
        try:
            return self._finish(polls, now)
        except (StoreUnavailable, SchemaMismatch):
            raise
        except StoreError as error:
            if len(polls) == 1:
                return [error]
        # somebody's data are refused: whose shows when each is written alone
        return [outcome for poll in polls for outcome in self._alone(poll, now)]

    def _alone(
        self, poll: tuple[Claim, PollResult], now: datetime
    ) -> Sequence[Committed | StoreError]:
        try:
            return self.finish_polls([poll], now)
        except StoreError as error:
            return [error]

    def _finish(
        self, polls: Sequence[tuple[Claim, PollResult]], now: datetime
    ) -> Sequence[Committed | StoreError]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._wrapped():
                    ready = [_ready(claim, result) for claim, result in polls]
                self._write(ready, now)
                break
            except Collision:
                if attempt == _ATTEMPTS:
                    raise
        return [poll.outcome for poll in ready]

    def _write(self, polls: Sequence[_Poll], now: datetime) -> None:
        idle = all(poll.idle for poll in polls)
        with self.writing(durable=not idle, ordered=not idle) as connection:
            held = self._end(connection, polls, now)
            if not idle and held:
                self._write_held(connection, [poll for poll in held if not poll.idle], now)

    def _write_held(self, connection: Connection, polls: Sequence[_Poll], now: datetime) -> None:
        noted, shows_anew = self._note(connection, polls, now)
        self._rename_uids(connection, polls)
        copied = self._write_entries(connection, polls, now)
        self._withdraw_removed(connection, polls, now)
        new = [key for poll in polls for key in poll.new]
        updated = [key for poll in polls for key in poll.updated]
        self.post(connection, "new", new, now)
        self.post(connection, "updated", updated, now)
        gone = any(poll.withdrawn for poll in polls)
        earlier = bool(updated or shows_anew or copied or gone)
        if earlier or new or noted:
            self.bump(connection, membership=now if earlier else None)

    # -- the sources -----------------------------------------------------------------------

    def _end(self, connection: Connection, polls: Sequence[_Poll], now: datetime) -> list[_Poll]:
        """Gives back those claims that are still held; returns their polls."""
        free: dict[str, Row[*tuple[Any, ...]]] = {}
        ids = sorted({storable(poll.claim.source.id) for poll in polls})
        for some in chunks(ids, self.tuning.batch):
            free |= {row.id: row for row in connection.execute(_HELD.where(sources.c.id.in_(some)))}
        held, rows = [], []
        for poll in polls:
            claim = poll.claim
            row = free.get(storable(claim.source.id))
            if row is not None and (row.claim_owner, row.claim_epoch) == (claim.owner, claim.epoch):
                # a claim ends once
                poll.source = free.pop(row.id)
                held.append(poll)
                ended = state_row(poll.result.state, now)
                rows.append({"of": poll.pk, "claim_owner": None, "claim_until": None, **ended})
        run_all(connection, _STATE, rows)
        self._keep_long_cursors(connection, held)
        self._rest(connection, held, now)
        return held

    def _rest(self, connection: Connection, polls: Iterable[_Poll], now: datetime) -> None:
        """Notes which hosts told us to wait, and until when."""
        told: dict[str, int] = {}
        for poll in polls:
            host, until = poll.result.resting, poll.result.state.retry_after
            if host is not None and until is not None:
                told[storable(host)] = max(told.get(storable(host), 0), micros(until))
        for host, at in sorted(told.items()):
            rest(connection, host, until=at, now=micros(now))

    def _keep_long_cursors(self, connection: Connection, polls: Sequence[_Poll]) -> None:
        """Writes the cursors that have a row of their own, where they changed."""
        moved = [
            (poll.pk, before, now)
            for poll in polls
            if (before := long_cursor(poll.claim.state)) != (now := long_cursor(poll.result.state))
        ]
        if moved:
            pks = [pk for pk, _, _ in moved]
            connection.execute(delete(long_cursors).where(long_cursors.c.source_pk.in_(pks)))
            rows = [{"source_pk": pk, "cursor": storable(now)} for pk, _, now in moved if now]
            insert_all(connection, long_cursors, rows)

    def _note(
        self, connection: Connection, polls: Sequence[_Poll], now: datetime
    ) -> tuple[bool, bool]:
        """Writes what changed of sources: whether anything did, and whether entries show it."""
        told, active, placed = [], [], []
        anew: list[int] = []
        for poll in polls:
            row, result = poll.source, poll.result
            assert row is not None
            meta = None if result.meta is None else encode(result.meta)
            values = {name: getattr(row, name) for name in ("location", "enabled", "meta", "shown")}
            if meta is not None and meta != row.meta:
                values |= {"meta": meta, "shown": shown(row.id, row.title, meta_of(meta))}
                anew += [poll.pk] if values["shown"] != row.shown else []
            if result.location is not None:
                values["location"] = storable(result.location)
                host = host_of(result.location)
                put_host(connection, host)
                placed.append({"of": poll.pk, "host": host})
            if result.enabled is not None:
                values["enabled"] = result.enabled
                live = int(result.enabled and row.removed_at is None)
                active.append({"of": poll.pk, "active": live})
            if any(value != getattr(row, name) for name, value in values.items()):
                told.append({"of": poll.pk, **values})
        self.keep_looks(connection, anew)
        run_all(connection, _TELL, told)
        run_all(connection, _STATE, active)
        run_all(connection, _STATE, placed)
        self.retell(connection, anew, now)
        moved = any(p.result.location is not None or p.result.enabled is not None for p in polls)
        return bool(anew or moved), bool(anew)

    # -- entries ---------------------------------------------------------------------------

    def _rename_uids(self, connection: Connection, polls: Iterable[_Poll]) -> None:
        rows = [
            {"of": poll.pk, "was": uid_hash(old), "uid": storable(new), "uid_hash": uid_hash(new)}
            for poll in polls
            for old, new in poll.result.renamed
        ]
        run_all(connection, _RENAME, rows)

    def _write_entries(self, connection: Connection, polls: Iterable[_Poll], now: datetime) -> bool:
        """Writes what arrived; whether that makes copies of anything, or no longer."""
        arrived = {
            (poll.pk, name): (poll, entry) for poll in polls for name, entry in poll.arrived.items()
        }
        known = {
            (row[0], row[1]): row
            for row in self._of_pairs(connection, entries, BEFORE, list(arrived))
        }
        gone = self._pruned(connection, arrived.keys() - known.keys())
        new = [pair for pair in arrived if pair not in known and pair not in gone]
        inserted = self.insert_entries(
            connection, [(pair[0], arrived[pair][1]) for pair in new], now
        )
        for pair, written in zip(new, inserted, strict=True):
            arrived[pair][0].new.append(written.key)
        changed = [pair for pair in arrived if pair in known]
        rewritten = self.update_entries(
            connection, [(arrived[pair][1], known[pair]) for pair in changed], now
        )
        for pair, written in zip(changed, rewritten, strict=True):
            arrived[pair][0].updated.append(written.key)
        written_pairs = (*zip(new, inserted, strict=True), *zip(changed, rewritten, strict=True))
        self.ask_for_pages(
            connection,
            [(pair[0], w) for pair, w in written_pairs if pair[1] in arrived[pair][0].pages],
            now,
        )
        came = (*inserted, *rewritten)
        marks = {each.pk: each.entry.marks for each in came}
        touched = self.touch(connection, marks, {each.pk for each in inserted})
        pages = [each.entry.row["page_hash"] for each in came]
        pages += [known[pair].page_hash for pair in changed]
        return self.regroup(connection, pages, now, touched)

    def _pruned(
        self, connection: Connection, pairs: Collection[tuple[int, bytes]]
    ) -> set[tuple[int, bytes]]:
        names = ("source_pk", "uid_hash")
        return {
            (row[0], row[1]) for row in self._of_pairs(connection, pruned, names, sorted(pairs))
        }

    def _withdraw_removed(
        self, connection: Connection, polls: Iterable[_Poll], now: datetime
    ) -> None:
        removed = {(poll.pk, name): poll for poll in polls for name in poll.removed}
        columns = ("source_pk", "uid_hash", "pk", "key")
        rows = list(self._of_pairs(connection, entries, columns, list(removed)))
        owners = {row[3]: removed[row[0], row[1]] for row in rows}
        for key in self.withdraw(connection, [row[2] for row in rows], now):
            number = parse_key(key)
            assert number is not None
            owners[number].withdrawn.append(number)


def _ready(claim: Claim, result: PollResult) -> _Poll:
    arrived = {entry.uid_hash: entry for entry in map(prepare, result.entries)}
    removed = [name for uid in result.removed if (name := uid_hash(uid)) not in arrived]
    pages = frozenset(map(uid_hash, result.pages))
    return _Poll(claim, result, arrived, removed, pages)
