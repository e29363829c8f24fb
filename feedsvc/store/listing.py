"""Reading the list of sources: one, all, a page of them, how many there are and how late."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, or_, select, true

from ..errors import NotFound
from .base import SourceCounts, SourceStatus
from .codec import maybe_moment, micros, moment, storable
from .hosts import longest_waiting
from .schema import entries, hosts, poll_state, sources
from .source_codec import meta_of, source_of, state_of
from .withdrawing import Withdrawing

_FEW = 1000  # sources whose entries are counted one by one

_LISTED = (
    select(sources, poll_state, hosts.c.retry_after.label("resting"))
    .join_from(sources, poll_state)
    .outerjoin(hosts, hosts.c.host == poll_state.c.host)
)
_TROUBLED = poll_state.c.error.is_not(None) | poll_state.c.problems.is_not(None)


class Listing(Withdrawing):
    """Telling what sources there are."""

    def source(self, id: str) -> SourceStatus:
        """One source. Raises `NotFound`."""
        with self.reading() as connection:
            found = self._statuses(connection, sources.c.id == storable(id))
        if not found:
            raise NotFound(f"there is no source “{id}”")
        return found[0]

    def sources(self, *, held: datetime | None = None) -> tuple[SourceStatus, ...]:
        """All sources that are polled or disabled, by id; or those held back at a moment."""
        wanted: ColumnElement[bool] = true()
        if held is not None:
            state, at = poll_state.c, micros(held)
            wanted = or_(state.claim_until > at, state.retry_after > at, hosts.c.retry_after > at)
        with self.reading() as connection:
            return self._statuses(connection, wanted)

    def source_page(
        self, *, limit: int, after: str | None = None, troubled: bool = False
    ) -> tuple[SourceStatus, ...]:
        """At most `limit` sources by id, beyond the id `after`; `troubled` ones alone, if asked."""
        wanted: ColumnElement[bool] = _TROUBLED if troubled else true()
        if after is not None:
            wanted &= sources.c.id > storable(after)
        with self.reading() as connection:
            return self._statuses(connection, wanted, limit)

    def source_counts(self) -> SourceCounts:
        """How many sources there are, and how many of them are troubled."""
        listed = select(sources.c.pk).where(sources.c.removed_at.is_(None)).subquery()
        join = listed.join(poll_state, poll_state.c.source_pk == listed.c.pk)
        with self.reading() as connection:
            return SourceCounts(
                all=connection.scalar(select(func.count()).select_from(listed)) or 0,
                troubled=connection.scalar(select(func.count()).select_from(join).where(_TROUBLED))
                or 0,
            )

    def source_ids(self) -> dict[str, str]:
        """The ids of all sources, disabled ones included, by location."""
        listed = select(sources.c.location, sources.c.id).where(sources.c.removed_at.is_(None))
        with self.reading() as connection:
            return dict(connection.execute(listed).all())

    def located(self, location: str) -> str | None:
        """The id of the source that has a location, disabled ones included; None if none has."""
        here = (sources.c.location == storable(location)) & sources.c.removed_at.is_(None)
        with self.reading() as connection:
            return connection.scalar(select(sources.c.id).where(here).limit(1))

    def lag(self, now: datetime, *, idle: bool = False) -> timedelta:
        """How overdue the most overdue enabled, unclaimed source is; zero when none is.

        `idle` counts from the last end of any poll, if that was later: a poller that has much to do
        is late, one that does nothing about it is idle. Claimed sources count there as well, since
        a poller that is stopped may hold all that is due.
        """
        with self.reading() as connection:
            oldest = connection.execute(longest_waiting(micros(now), claimed=idle)).scalar()
            if oldest is None:
                return timedelta(0)
            ended = select(func.max(poll_state.c.last_at))
            last = connection.scalar(ended) if idle else None
        return max(now - moment(max(oldest, last or oldest)), timedelta(0))

    def _statuses(
        self, connection: Connection, wanted: ColumnElement[bool], limit: int | None = None
    ) -> tuple[SourceStatus, ...]:
        listed = _LISTED.where(sources.c.removed_at.is_(None), wanted).order_by(sources.c.id)
        rows = connection.execute(listed.limit(limit)).mappings().all()
        counted = select(entries.c.source_pk, func.count()).where(entries.c.withdrawn_at.is_(None))
        if len(rows) <= _FEW:
            counted = counted.where(entries.c.source_pk.in_([row["pk"] for row in rows]))
        counts: dict[int, int] = {}
        if rows:
            counts |= dict(connection.execute(counted.group_by(entries.c.source_pk)).all())
        return tuple(
            SourceStatus(
                source=source_of(row),
                state=state_of(row),
                meta=meta_of(row["meta"]),
                entries=counts.get(row["pk"], 0),
                added=moment(row["added_at"]),
                owner=row["claim_owner"],
                until=maybe_moment(row["claim_until"]),
                resting=maybe_moment(row["resting"]),
            )
            for row in rows
        )
