"""What a store lists beside entries: sources with how they are, tags with how many, all counts."""

from dataclasses import dataclass, field
from datetime import datetime

from ..model import PollState, Source, SourceMeta


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """A source as listings show it; `owner` claimed it last, for as long as `until`, if it runs.

    `resting` is until when its host told us to wait.
    """

    source: Source
    state: PollState
    meta: SourceMeta | None
    entries: int
    added: datetime
    owner: str | None = None
    until: datetime | None = None
    resting: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCounts:
    """How many sources there are; `troubled` ones failed last, or could not be read in full."""

    all: int
    troubled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCount:
    """A tag and how many live entries carry it."""

    slug: str
    label: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCompany:
    """A tag as it stands among others and in time.

    `months` are months (`months`) with how many of its live entries were published in each, the
    latest first and without empty ones before the first; `beside` are tags that stand beside it
    more often than chance would have it, each with how many of its newest entries have both.
    """

    tag: TagCount
    months: tuple[tuple[int, int], ...]
    beside: tuple[tuple[TagCount, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts for `store stats` and metrics.

    `unlinked` wait for links by content, `apart` for their story, and `unindexed` to be indexed as
    words are folded now.
    """

    entries: int
    withdrawn: int
    pruned: int
    sources: int
    tags: int
    related: int
    unresolved: int
    waiting: int
    unlinked: int
    apart: int
    unindexed: int
    revisions: int
    bytes: int
    schema: str
    backend: str
    oldest: datetime | None = None
    newest: datetime | None = None
    details: tuple[tuple[str, str], ...] = field(default=())
