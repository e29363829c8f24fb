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


class Ids(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a feed's ids turned out to be worth; without one of these they are sound.

    `changing` counts polls in a row in which known entries came under other ids; `by_link` is since
    when ids are not looked at, `calm` polls in a row since then in which they stayed the same, as
    told by `sample` (entries' names by link and ids, shortened). The others are when what was last
    seen: an id that changed, was used again, or was that of several entries.
    """

    changing: int = 0
    by_link: datetime | None = None
    calm: int = 0
    sample: tuple[tuple[bytes, bytes], ...] = ()
    changed_at: datetime | None = None
    reused_at: datetime | None = None
    shared_at: datetime | None = None


class Churn(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a feed that rewrites itself at every fetch is held back.

    `streak` counts polls in a row that rewrote it; `since` is when that became too many. From then
    on `taken` is when changes were last taken, `calm` counts polls in a row without, and `mark`
    stands for what was last not taken.
    """

    streak: int = 0
    since: datetime | None = None
    taken: datetime | None = None
    calm: int = 0
    mark: bytes = b""


class PollRecord(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """How one poll ended, in a line: `new` entries, whole milliseconds, bytes of the body."""

    at: datetime
    outcome: PollOutcome
    status: int | None = None
    new: int = 0
    milliseconds: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTroubles:
    """How many pages of a source's entries could not be read; where, when and why the last one."""

    failed: int
    link: str
    error: str
    at: datetime
