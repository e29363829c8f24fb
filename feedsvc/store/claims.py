"""What a poll and the store hand each other: the claim, what is known, what was found."""

from dataclasses import dataclass
from datetime import datetime

from ..model import Entry, PollState, Source, SourceMeta, Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to poll a source until `until`; `epoch` fences the commit that ends it.

    `not_before` is its turn at its host.
    """

    source: Source
    state: PollState
    meta: SourceMeta | None
    owner: str
    epoch: int
    until: datetime
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What an entry may be found by beside its uid: spellings of its address, and its date.

    `place` is what it may have been forgotten under (`codec.place_of`).
    """

    links: tuple[str, ...] = ()
    published: datetime | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store remembers of one uid of a source.

    `pruned` entries are remembered by name and date only and must not come back. `tags` are all
    tags with origins in stored order; `references` the headlines it names.
    """

    id: str
    key: str
    digest: str
    published: datetime
    updated: datetime
    dated: bool
    withdrawn: bool = False
    pruned: bool = False
    tags: tuple[Tag, ...] = ()
    references: tuple[str, ...] = ()
    uid: str = ""
    title: str = ""
    link: str | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """What one poll changes, to be written at once.

    `entries` are final: new ones and changed ones only. `removed` are uids to withdraw.
    `renamed` are uids of known entries, as they were and as they are from now on.
    `state` replaces the poll state (its `next_at` is when the source is due again);
    `meta` replaces what the feed says of itself unless it is None. `location` is where the source
    is from now on. `pages` are uids of those entries whose pages are to be read.
    Of the host and port `resting` none is claimed until `state.retry_after`.
    """

    state: PollState
    entries: tuple[Entry, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    pages: tuple[str, ...] = ()
    meta: SourceMeta | None = None
    location: str | None = None
    enabled: bool | None = None
    resting: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What `finish_poll` really wrote: keys of entries that are new, changed, withdrawn."""

    new: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageClaim:
    """The right to read the page of an entry until `until`; `epoch` fences the end of it.

    `tries` counts this one. `not_before` is its turn at `host`.
    """

    pk: int
    entry: Entry
    source: Source
    host: str | None
    owner: str
    epoch: int
    tries: int
    until: datetime
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageResult:
    """How the reading of a page ended: the entry with its text, or why it stays as it is.

    `due` is when to try again, None for never. `host` is not asked for anything before `resting`.
    """

    entry: Entry | None = None
    error: str | None = None
    due: datetime | None = None
    host: str | None = None
    resting: datetime | None = None
