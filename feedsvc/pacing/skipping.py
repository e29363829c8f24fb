"""Hours and days in which a feed wants to be left alone: RSS `skipHours` and `skipDays`, in GMT."""

from datetime import UTC, datetime, timedelta

from ..polls import Hints

_HOUR = timedelta(hours=1)
_WEEK = 7 * 24


def skipped(at: datetime, hints: Hints) -> bool:
    """Whether a moment lies in an hour or on a day to be skipped."""
    at = at.astimezone(UTC)
    return at.hour in hints.skip_hours or at.weekday() in hints.skip_days


def never_open(hints: Hints) -> bool:
    """Whether a feed skips every hour of the week, which it cannot mean."""
    return len(set(hints.skip_hours)) == 24 or len(set(hints.skip_days)) == 7


def next_open(at: datetime, hints: Hints) -> datetime:
    """The first moment from `at` that is not skipped; `at` itself if all are, or none."""
    if never_open(hints):
        return at
    moment = at
    for _ in range(_WEEK + 1):
        if not skipped(moment, hints):
            return moment
        moment = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + _HOUR
    return at
