"""A feed's own rhythm: how often it posts, and at which time of day.

Told from the times of its newest entries. Entries that come together count as one occasion, since
one poll finds them all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

KEPT = 32
_TOGETHER = timedelta(minutes=5)
# a poll is worth its while when so many occasions are to be expected since the last one
_WORTH = 0.375
# each poll that finds nothing new lengthens the wait by a twentieth
_PATIENCE = 1.05
_MOST_PATIENT = 200
# the time of day is told from that many occasions on that many days, beside so many made-up ones
_OCCASIONS, _DAYS, _DOUBT = 10, 4, 6
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a feed posts (occasions a day), and the weight of each hour of the day (GMT).

    The weights' mean is 1; None while the time of day is not known.
    """

    per_day: float
    hours: tuple[float, ...] | None

    def wait(self, now: datetime, *, quiet: int, longest: timedelta) -> timedelta:
        """How long from `now` until a poll is worth its while, after so many in vain."""
        target = _WORTH * _PATIENCE ** min(quiet, _MOST_PATIENT)
        per_hour = self.per_day / 24
        if self.hours is None:
            return min(_HOUR * (target / per_hour), longest) if per_hour else longest
        at, end = now, now + longest
        while at < end:
            weight = self.hours[at.astimezone(UTC).hour] * per_hour
            following = at.replace(minute=0, second=0, microsecond=0) + _HOUR
            gain = weight * ((following - at) / _HOUR)
            if gain >= target:
                return min(at + _HOUR * (target / weight), end) - now
            target -= gain
            at = following
        return longest


def merge(
    known: Sequence[datetime], posted: Iterable[datetime], now: datetime
) -> tuple[datetime, ...]:
    """The newest occasions of those known and those a document tells of, newest first.

    Whole seconds; what lies in the future is no occasion yet.
    """
    times = {time.replace(microsecond=0) for time in (*known, *posted) if time <= now}
    kept: list[datetime] = []
    for time in sorted(times, reverse=True):
        if not kept or kept[-1] - time >= _TOGETHER:
            kept.append(time)
        if len(kept) == KEPT:
            break
    return tuple(kept)


def rhythm(posts: Sequence[datetime], now: datetime, guess: timedelta) -> Rhythm:
    """Tells the rhythm from occasions, newest first; without any, that of the first guess.

    `guess` is the interval for a feed of which nothing is known: it counts like one occasion, so
    that a single new entry does not make a feed a busy one.
    """
    prior = guess / _WORTH
    past = max(now - posts[-1], timedelta(0)) if posts else timedelta(0)
    per_day = max(len(posts), 1) * (timedelta(days=1) / (past + prior))
    return Rhythm(per_day, _hours(posts))


def _hours(posts: Sequence[datetime]) -> tuple[float, ...] | None:
    if len(posts) < _OCCASIONS:
        return None
    hours = [int(time.timestamp()) // 3600 for time in posts]
    if len({hour // 24 for hour in hours}) < _DAYS:
        return None
    counts = [0] * 24
    for hour in hours:
        counts[hour % 24] += 1
    doubt, total = _DOUBT / 24, len(hours) + _DOUBT
    # half of an occasion counts for the hours beside its own
    smooth = (
        counts[hour - 1] / 4 + counts[hour] / 2 + counts[(hour + 1) % 24] / 4 for hour in range(24)
    )
    return tuple(24 * (count + doubt) / total for count in smooth)


def busy_hours(hours: Sequence[float]) -> str | None:
    """Where the day's rhythm is marked, the stretch of hours that most posts fall into, in GMT."""
    size = 24
    for length in range(1, 9):
        sums = [sum(hours[(start + n) % size] for n in range(length)) for start in range(size)]
        best = max(range(size), key=sums.__getitem__)
        if sums[best] > 0.6 * size:
            return f"{best:02}:00 to {(best + length) % size:02}:00 GMT"
    return None
