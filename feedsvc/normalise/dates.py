"""When an entry was published and updated, given what it says and what the clock says.

Only decides which moments can be believed. Reading dates out of text belongs to the sources.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

CLOCK_SKEW = timedelta(minutes=10)
# years with fewer digits are no years, and formats have no way to write them
_EARLIEST = datetime(1000, 1, 1, tzinfo=UTC)
# what programs count from, and write where they have no date, whatever their zone
_ZEROS = (
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1899, 12, 30, tzinfo=UTC),
    datetime(1900, 1, 1, tzinfo=UTC),
    datetime(1904, 1, 1, tzinfo=UTC),
)
_ZONES = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Dates:
    """An entry's dates in UTC; `dated` is False while `published` is merely the first sight.

    `held` is the date in the future that `published` was held back from, if it was.
    """

    published: datetime
    updated: datetime
    dated: bool
    held: datetime | None = None


def to_utc(moment: datetime) -> datetime:
    """Converts to UTC at whole seconds, as RFC 822 dates have them; without a zone it is UTC."""
    if moment.tzinfo is UTC and not moment.microsecond:
        return moment
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        # year 1 or 9999 with an offset that leads out of the calendar
        return moment.replace(tzinfo=UTC, microsecond=0)


def in_future(moment: datetime, now: datetime) -> bool:
    """Whether a moment lies further ahead than two clocks may differ."""
    return moment > now + CLOCK_SKEW


def plausible(moment: datetime | None) -> datetime | None:
    """The moment in UTC, or None where it stands for no date: year 1, or where a clock starts."""
    if moment is None:
        return None
    moment = to_utc(moment)
    if moment.year > _ZEROS[0].year:
        return moment
    # a day, and what the zones of the world make of it
    no_date = any(abs(moment - zero - _ZONES / 2) <= 1.5 * _ZONES for zero in _ZEROS)
    return None if no_date or moment < _EARLIEST else moment


def settle(published: datetime | None, updated: datetime | None, now: datetime) -> Dates:
    """Decides a new entry's dates (RFC 4287 §4.2.9, §4.2.15).

    Without `published` its `updated` stands in; without either, or when that lies in the future,
    it is `now`. `updated` is never before `published` nor in the future.
    """
    now = to_utc(now)
    first, last = plausible(published), plausible(updated)
    if last is not None and in_future(last, now):
        last = None if first is not None else last
    first = first or last
    if first is None:
        return Dates(now, now, dated=False)
    if in_future(first, now):
        return Dates(now, now, dated=False, held=first)
    return Dates(first, max(first, last or first), dated=True)


def told(updated: datetime | None, now: datetime) -> datetime | None:
    """When a source says that an entry was last updated; None where that cannot be believed."""
    moment = plausible(updated)
    return None if moment is None or in_future(moment, now) else moment


def moved(known: datetime, upstream: datetime, now: datetime) -> datetime:
    """When an entry whose content changed was updated: upstream's word if it moved on, else now."""
    now = to_utc(now)
    if known < upstream and not in_future(upstream, now):
        return upstream
    return max(now, known + timedelta(seconds=1))
