"""Who may poll what: claims that are taken, extended, given back, and what was seen before.

A claim is a compare-and-set on one row. Its epoch grows with every claim, so that a poller that
was overtaken cannot commit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    func,
    select,
    union,
    update,
)

from ..keys import entry_key, key_text
from ..pacing import clock_lead
from .base import Claim, Known
from .codec import maybe_moment, micros, moment, names_of, storable, tags_of, uid_hash
from .engine import Database, chunks
from .hosts import HostLimits, admit, resting, running, shift
from .page_schema import pages
from .schema import entries, long_cursors, poll_state, pruned, sources
from .source_codec import meta_of, source_of, state_of

# how many due rows are looked at for a claim before the next tick goes on
_ROUNDS, _PAGES = 8, 4
# no first poll is further away; `pacing.first_poll` gives each source a second
_FIRST_WITHIN = timedelta(days=2)
_LONGEST_LEASE = timedelta(hours=1)
_JOINED = (
    select(sources, poll_state, long_cursors.c.cursor.label("long_cursor"))
    .join_from(sources, poll_state)
    .outerjoin(long_cursors, long_cursors.c.source_pk == sources.c.pk)
)
MINE = and_(
    poll_state.c.source_pk
    == select(sources.c.pk).where(sources.c.id == bindparam("id")).scalar_subquery(),
    poll_state.c.claim_owner == bindparam("owner"),
    poll_state.c.claim_epoch == bindparam("epoch"),
)
_NAMED = select(sources.c.pk, sources.c.id).where(
    sources.c.id.in_(bindparam("ids", expanding=True))
)
_FORGOTTEN = ("source_pk", "uid_hash", "id", "published")
KEPT = (
    "source_pk",
    "uid_hash",
    "id",
    "key",
    "digest",
    "published",
    "updated",
    "dated",
    "withdrawn_at",
    "tags",
    "names",
    "uid",
    "title",
    "link",
    "modified",
)


class Polling(Database):
    """Claims."""

    def claim_due(
        self,
        *,
        now: datetime,
        owner: str,
        lease: timedelta,
        limit: int,
        due_at: datetime | None = None,
        only: Sequence[str] | None = None,
        ignore_schedule: bool = False,
        untried: bool = False,
        per_host: int | None = None,
        host_delay: timedelta = timedelta(0),
        rest: timedelta = timedelta(0),
    ) -> tuple[Claim, ...]:
        """Claims enabled sources that are due and free, most overdue first."""
        state, at = poll_state.c, micros(now)
        due = at if due_at is None else min(micros(due_at), at)
        free = state.claim_until.is_(None) | (state.claim_until <= at)
        allowed = state.retry_after.is_(None) | (state.retry_after <= at)
        wanted: list[ColumnElement[bool]] = [state.active == 1, allowed, free]
        if not ignore_schedule:
            turn = state.next_at <= due
            wanted.append(turn | state.last_at.is_(None) if untried else turn)
            if (longer := micros(now - rest + lease)) < at:
                # whoever held it may have asked, and died before that was written
                rested = state.claim_until.is_(None) | (state.claim_until <= longer)
                wanted.append(state.host.is_(None) | rested)
        elif due_at is not None:
            wanted.append(state.last_at.is_(None) | (state.last_at < due))
        if only is not None:
            named = select(sources.c.pk).where(sources.c.id.in_(list(map(storable, only))))
            wanted.append(state.source_pk.in_(named))
        limits = HostLimits(per_host=per_host, delay=host_delay)
        with self.reading() as connection:
            # most ticks end here, without asking for the right to write
            candidates = self._candidates(connection, wanted, at, limit, limits)
        if not candidates:
            return ()
        until = now + lease
        with self.writing(durable=False, ordered=False) as connection:
            turns = admit(connection, candidates, at=at, limits=limits)
            pks: list[int] = []
            for some in chunks(list(turns), self.tuning.batch):
                picked = select(state.source_pk).where(state.source_pk.in_(some), *wanted)
                # locked rows are being claimed by others; the CTE is worked out once, never by row
                locked = picked.with_for_update(skip_locked=True).cte("picked")
                claimed = (
                    update(poll_state)
                    .where(state.source_pk.in_(select(locked.c.source_pk)), free)
                    .values(
                        claim_owner=owner,
                        claim_until=micros(until),
                        claim_epoch=state.claim_epoch + 1,
                    )
                    .returning(state.source_pk)
                )
                pks += connection.scalars(claimed)
            rows = [
                row
                for some in chunks(pks, self.tuning.batch)
                for row in connection.execute(_JOINED.where(sources.c.pk.in_(some))).mappings()
            ]
        rows.sort(key=lambda row: (row["next_at"], row["id"]))
        return tuple(
            Claim(
                source=source_of(row),
                state=state_of(row),
                meta=meta_of(row["meta"]),
                owner=owner,
                epoch=row["claim_epoch"],
                until=until,
                not_before=maybe_moment(turns[row["pk"]]),
            )
            for row in rows
        )

    def _candidates(
        self,
        connection: Connection,
        wanted: Sequence[ColumnElement[bool]],
        at: int,
        limit: int,
        limits: HostLimits,
    ) -> list[tuple[int, str | None]]:
        """Sources to claim, most overdue first, none of a host that is not to be asked now.

        Rows of such hosts are passed over in the index, so that a host with many sources that wait
        costs little and keeps nobody else waiting.
        """
        state = poll_state.c
        held: dict[str, int] = {}
        if limits.per_host is not None:
            held = {row.host: row.claims for row in connection.execute(running(at))}
        closed = {host for host, count in held.items() if count >= (limits.per_host or 0)}
        open_now = list(wanted)
        if connection.scalar(resting(at).limit(1)) is not None:
            # looked up where they are: when a large network is out there are more than a statement
            # may name
            open_now.append(state.host.is_(None) | state.host.not_in(resting(at)))
        picked: list[tuple[int, str | None]] = []
        for _ in range(_ROUNDS):
            asked = select(state.source_pk, state.host).where(*open_now)
            if closed:
                asked = asked.where(state.host.is_(None) | state.host.not_in(sorted(closed)))
            if picked:
                asked = asked.where(state.source_pk.not_in([pk for pk, _ in picked]))
            page = connection.execute(asked.order_by(state.next_at).limit(_PAGES * limit)).all()
            for pk, host in page:
                if len(picked) == limit or host in closed:
                    continue
                picked.append((pk, host))
                if host is not None and limits.per_host is not None:
                    held[host] = held.get(host, 0) + 1
                    if held[host] >= limits.per_host:
                        closed.add(host)
            if len(page) < _PAGES * limit or len(picked) == limit:
                break
        return picked

    def mend_clock(self, now: datetime) -> timedelta:
        """Moves schedules back by as much as the clock was ahead, if it was."""
        state, at = poll_state.c, micros(now)
        newest = select(func.max(state.last_at)).where(state.active == 1)
        astray = (state.last_at.is_(None)) & (state.next_at > micros(now + _FIRST_WITHIN))
        with self.reading() as connection:
            lead = clock_lead(maybe_moment(connection.scalar(newest)), now)
            lost = connection.scalar(
                select(state.next_at).where(state.active == 1, astray).limit(1)
            )
        if not lead and lost is None:
            return lead
        back = micros(now + lead) - at
        with self.writing() as connection:
            moved = {"next_at": state.next_at - back, "retry_after": state.retry_after - back}
            for column in (state.last_at, state.last_ok_at):
                moved[column.name] = case((column > at, column - back), else_=column)
            if lead:
                connection.execute(update(poll_state).where(state.last_at > at).values(**moved))
                shift(connection, lead=back, at=at)
                # a lease has minutes at most; what was claimed then was scheduled before
                stale = state.claim_until > micros(now + _LONGEST_LEASE)
                connection.execute(update(poll_state).where(stale).values(claim_until=at))
                late = {"due_at": pages.c.due_at - back, "until": pages.c.until - back}
                connection.execute(update(pages).where(pages.c.due_at > at).values(**late))
            connection.execute(
                update(poll_state).where(astray).values(next_at=at, claim_until=None)
            )
        return lead

    def extend(self, claims: Sequence[Claim], until: datetime) -> None:
        """Moves the end of running claims."""
        self._change(claims, poll_state.c.claim_owner, micros(until))

    def release(self, claims: Sequence[Claim]) -> None:
        """Gives claims back unpolled (shutdown); they stay due."""
        self._change(claims, None, None)

    def release_dead(
        self,
        dead: Callable[[str], bool],
        *,
        now: datetime,
        lease: timedelta,
        rest: timedelta = timedelta(0),
    ) -> tuple[str, ...]:
        """Frees at once what owners hold of whom `dead` is true; returns who they were."""
        state, owner = poll_state.c, poll_state.c.claim_owner
        # whoever's clock was ahead gave a lease that ends who knows when
        latest = micros(now + rest)
        rested = state.claim_until + (micros(now + rest - lease) - micros(now))
        rested = case((rested > latest, latest), else_=rested)
        keeps = state.host.is_(None) | state.claim_until.is_(None) | (rested <= state.next_at)
        held = union(*(select(one).where(one.is_not(None)) for one in (owner, pages.c.owner)))
        with self.reading() as connection:
            owners = connection.scalars(held).all()
        gone = tuple(sorted(filter(dead, owners)))
        if gone:
            freed = update(poll_state).where(owner.in_(gone))
            unread = update(pages).where(pages.c.owner.in_(gone))
            with self.writing(durable=False, ordered=False) as connection:
                connection.execute(
                    freed.values(
                        claim_owner=None,
                        claim_until=None,
                        next_at=case((keeps, state.next_at), else_=rested),
                    )
                )
                connection.execute(unread.values(owner=None, until=None))
        return gone

    def _change(
        self, claims: Sequence[Claim], owner: ColumnElement[str | None] | None, until: int | None
    ) -> None:
        if claims:
            rows = [{"id": c.source.id, "owner": c.owner, "epoch": c.epoch} for c in claims]
            # rows are locked one by one: in the same order by everyone
            rows.sort(key=itemgetter("id"))
            changed = update(poll_state).where(MINE)
            with self.writing(durable=False, ordered=False) as connection:
                connection.execute(changed.values(claim_owner=owner, claim_until=until), rows)

    def known(self, source_id: str, uids: Iterable[str]) -> Mapping[str, Known]:
        """What is remembered of these uids; those never seen are missing from the answer."""
        return self.known_many({source_id: uids})[source_id]

    def known_many(self, asked: Mapping[str, Iterable[str]]) -> Mapping[str, Mapping[str, Known]]:
        """`known` for several sources at once, by source id."""
        found: dict[str, dict[str, Known]] = {id: {} for id in asked}
        ids = {storable(id): id for id in asked}
        with self.reading() as connection:
            wanted: dict[tuple[int, bytes], tuple[dict[str, Known], str]] = {}
            for some in chunks(list(ids), self.tuning.batch):
                for pk, id in connection.execute(_NAMED, {"ids": some}):
                    mine = found[ids[id]]
                    wanted |= {(pk, uid_hash(uid)): (mine, uid) for uid in asked[ids[id]]}
            for row in self._of_pairs(connection, entries, KEPT, list(wanted)):
                mine, uid = wanted.pop((row[0], row[1]))
                mine[uid] = known_of(row)
            # the rest is new, or was forgotten
            for row in self._of_pairs(connection, pruned, _FORGOTTEN, list(wanted)):
                mine, uid = wanted[row[0], row[1]]
                mine[uid] = _remembered(row)
        return found


def known_of(row: Sequence[Any]) -> Known:
    """What is remembered of an entry, from the columns `KEPT`."""
    _, _, id, key, digest, published, updated, dated, withdrawn_at, tags, names, *told = row
    uid, title, link, modified = told
    return Known(
        id=id,
        key=key_text(key),
        digest=digest,
        published=moment(published),
        updated=moment(updated),
        dated=bool(dated),
        withdrawn=withdrawn_at is not None,
        tags=tags_of(tags),
        references=names_of(names),
        uid=uid,
        title=title,
        link=link,
        modified=maybe_moment(modified),
    )


def _remembered(row: Sequence[Any]) -> Known:
    _, _, id, published = row
    return Known(
        id=id,
        key=entry_key(id),
        digest="",
        published=moment(published),
        updated=moment(published),
        dated=True,
        pruned=True,
    )
