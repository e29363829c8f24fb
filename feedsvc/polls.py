"""What polls leave behind that decides the next one: demands, hints, moves, and a short history.

Small frozen records, like those of `model`; what follows from them is decided in `pacing`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import msgspec

PollOutcome = Literal["new", "updated", "unchanged", "failed", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """How long a response told us to stay away, and by which header field."""

    wait: timedelta
    by: Literal["Cache-Control", "Expires", "Retry-After"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a feed says of its own rhythm (RSS 2.0; the RSS syndication module).

    `ttl` and `update` (`sy:updatePeriod` by `sy:updateFrequency`) are how long it stays the same;
    hours (0 to 23) and days (Monday is 0) are those of GMT in which nobody need ask.
    """

    ttl: timedelta | None = None
    update: timedelta | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A permanent redirect (301, 308) that polls were led by, from one location to another.

    `polls` counts sightings in a row. `done_at` is when the new location was stored; `obstacle`
    says why it was not although it was seen often enough.
    """

    old: str
    new: str
    first_at: datetime
    polls: int = 1
    done_at: datetime | None = None
    obstacle: str | None = None


class PollRecord(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """How one poll ended, in a line: `new` entries, whole milliseconds, bytes of the body."""

    at: datetime
    outcome: PollOutcome
    status: int | None = None
    new: int = 0
    milliseconds: int = 0
    bytes: int = 0
