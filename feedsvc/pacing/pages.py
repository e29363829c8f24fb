"""When the page of an entry is read for its full text, and when once more.

Once when the entry is new, and once after each edit by its feed, at growing distance; a page that
cannot be had for the moment is tried a few times, and then never again.
"""

from datetime import datetime, timedelta

MOST_TRIES = 3
_AGAIN = (timedelta(minutes=15), timedelta(hours=4))
_APART = timedelta(hours=1)
_MOST_APART = timedelta(days=7)


def next_reading(now: datetime, read_at: datetime | None, reads: int) -> datetime:
    """When to read a page that is asked for `now`, having been read `reads` times before.

    An hour after the last time at the earliest, then two, four, up to a week: a feed that edits an
    entry again and again does not have us at its page as often.
    """
    if read_at is None or reads < 1:
        return now
    # a clock that was ahead must not put it off for good
    last = min(read_at, now)
    return max(now, last + min(_APART * (1 << min(reads - 1, 10)), _MOST_APART))


def next_try(now: datetime, tries: int, wait: timedelta | None = None) -> datetime | None:
    """When to try a page again that could not be had for the `tries`-th time; None for never.

    `wait` is what its server asked for (`Retry-After`), and is kept in full.
    """
    if tries >= MOST_TRIES:
        return None
    return now + max(_AGAIN[tries - 1], wait or timedelta(0))
