"""What is minded of hosts: who may be asked now, and from when on again.

A host is a host name and port (`pacing.host_of`). Its row is locked while claims of its sources are
given out, so that all pollers on one store together keep to its limits.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Select, bindparam, func, select, text, union_all, update

from .engine import chunks
from .page_schema import pages
from .schema import hosts, poll_state

_BATCH = 500
_PUT = text("INSERT INTO hosts (host) VALUES (:host) ON CONFLICT (host) DO NOTHING")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """How many claims of one host there may be at a time, and how far apart their turns are."""

    per_host: int | None = None
    delay: timedelta = timedelta(0)

    @property
    def none(self) -> bool:
        """Whether there is nothing to keep to."""
        return self.per_host is None and not self.delay


def put_host(connection: Connection, host: str | None) -> None:
    """Makes sure that a host has a row."""
    if host is not None:
        connection.execute(_PUT, {"host": host})


def put_hosts(connection: Connection, names: Iterable[str | None]) -> None:
    """Makes sure that hosts have rows."""
    # rows are locked one by one: in the same order by everyone
    if rows := [{"host": name} for name in sorted(filter(None, names))]:
        connection.execute(_PUT, rows)


def rest(connection: Connection, host: str, *, until: int, now: int) -> None:
    """Notes that a host told us to wait, unless it told us to wait for longer before."""
    put_host(connection, host)
    shorter = hosts.c.retry_after.is_(None) | (hosts.c.retry_after < until)
    told = update(hosts).where(hosts.c.host == host, shorter)
    connection.execute(told.values(retry_after=until, told_at=now))


def resting(at: int) -> Select[tuple[str]]:
    """Selects the hosts that told us to wait."""
    return select(hosts.c.host).where(hosts.c.retry_after > at)


def running(at: int, among: Collection[str] | None = None) -> Select[tuple[str, int]]:
    """Selects the hosts that are being asked, for feeds or pages, with the number of claims."""
    claims = []
    for table, until in ((poll_state, poll_state.c.claim_until), (pages, pages.c.until)):
        claimed = select(table.c.host).where(until > at, table.c.host.is_not(None))
        claims.append(claimed if among is None else claimed.where(table.c.host.in_(among)))
    held = union_all(*claims).subquery()
    return select(held.c.host, func.count().label("claims")).group_by(held.c.host)


def longest_waiting(at: int, *, claimed: bool) -> Select[int]:
    """Selects since when the most overdue source waits that need not wait for its host.

    Those that are claimed, and others of a host that is asked just now, count with `claimed`.
    """
    state = poll_state.c
    overdue = select(func.min(state.next_at)).where(
        state.active == 1,
        state.next_at <= at,
        state.retry_after.is_(None) | (state.retry_after <= at),
        state.host.is_(None) | state.host.not_in(resting(at)),
    )
    if claimed:
        return overdue
    asked = select(running(at).subquery().c.host)
    return overdue.where(
        state.claim_until.is_(None) | (state.claim_until <= at),
        state.host.is_(None) | state.host.not_in(asked),
    )


def admit(
    connection: Connection,
    candidates: Sequence[tuple[int, str | None]],
    *,
    at: int,
    limits: HostLimits,
) -> Mapping[int, int | None]:
    """Which of these sources (pk, host) may be claimed, each with the turn booked for it if any.

    A host that another poller is giving out claims of at this moment is left to it.
    """
    names = sorted({host for _, host in candidates if host is not None})
    free: dict[str, int] = {}
    held: dict[str, int] = {}
    for some in chunks(names, _BATCH):
        locked = select(hosts).where(hosts.c.host.in_(some)).order_by(hosts.c.host)
        for row in connection.execute(locked.with_for_update(skip_locked=True)):
            if row.retry_after is None or row.retry_after <= at:
                free[row.host] = row.free_at or 0
        counted = connection.execute(running(at, some))
        held |= {row.host: row.claims for row in counted}
    delay = limits.delay // timedelta(microseconds=1)
    admitted: dict[int, int | None] = {}
    booked: set[str] = set()
    for pk, host in candidates:
        if host is None:
            admitted[pk] = None
            continue
        count = held.get(host, 0)
        if host not in free or (limits.per_host is not None and count >= limits.per_host):
            continue
        held[host] = count + 1
        admitted[pk] = None
        if delay:
            # no more turns can be waited for than there are claims, whatever the clock did
            turn = min(max(free[host], at), at + delay * (count + 1))
            admitted[pk], free[host] = turn, turn + delay
            booked.add(host)
    _book(connection, {host: free[host] for host in booked})
    return admitted


def _book(connection: Connection, turns: Mapping[str, int]) -> None:
    if turns:
        book = update(hosts).where(hosts.c.host == bindparam("of"))
        connection.execute(
            book.values(free_at=bindparam("at")),
            [{"of": host, "at": at} for host, at in sorted(turns.items())],
        )


def shift(connection: Connection, *, lead: int, at: int) -> None:
    """Moves what hosts told us back by as much as the clock was ahead when they did."""
    ahead = update(hosts).where(hosts.c.told_at > at)
    connection.execute(
        ahead.values(told_at=hosts.c.told_at - lead, retry_after=hosts.c.retry_after - lead)
    )
