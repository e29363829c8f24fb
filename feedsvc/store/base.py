"""The contract of a store backend, and the records that only a store hands out.

One conformance suite holds every backend to it. A store decides nothing about entries: what is new,
changed or unchanged has been decided before `finish_poll`. Every writing method is one transaction,
so that a process may be killed at any moment.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from ..errors import StoreError
from ..model import (
    DeletedEntry,
    Entry,
    PollState,
    RelatedKind,
    Source,
    SourceMeta,
    StoredEntry,
    Tag,
)
from ..query.ast import EntryQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to poll one source until `until`; `epoch` fences the commit that ends it."""

    source: Source
    state: PollState
    meta: SourceMeta | None
    owner: str
    epoch: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """A source as listings show it; `owner` claimed it last, for as long as `until`, if it runs."""

    source: Source
    state: PollState
    meta: SourceMeta | None
    entries: int
    added: datetime
    owner: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store remembers of one uid of a source.

    `pruned` entries are remembered by name only and must not come back. `tags` are all tags with
    origins in stored order; `references` the headlines it names.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """What one poll changes, to be written at once.

    `entries` are final: new ones and changed ones only. `removed` are uids to withdraw.
    `state` replaces the poll state (its `next_at` is when the source is due again);
    `meta` replaces what the feed says of itself unless it is None.
    """

    state: PollState
    entries: tuple[Entry, ...] = ()
    removed: tuple[str, ...] = ()
    meta: SourceMeta | None = None
    location: str | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What `finish_poll` really wrote: keys of entries that are new, changed, withdrawn."""

    new: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """All that a feed's ETag, Last-Modified and `updated` need, without its content.

    `marks` are (key, fingerprint) of the page's entries in order; `changed` is when anything that
    may show in, or be missing from, this page last changed. `newest` is the newest `updated`.
    """

    marks: tuple[tuple[str, str], ...] = ()
    deleted: tuple[DeletedEntry, ...] = ()
    newest: datetime | None = None
    changed: datetime | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries of one page, newest first; `next` is the cursor of the following page, or None."""

    entries: tuple[StoredEntry, ...] = ()
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCount:
    """A tag and how many live entries carry it."""

    slug: str
    label: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """An entry as a candidate for a named headline."""

    key: str
    id: str
    source_id: str
    title: str
    link: str | None
    published: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A headline that entry `key` names as related; `target` is the entry it resolved to."""

    key: str
    source_id: str
    position: int
    title: str
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedLink:
    """A link to be stored: explicit ones carry the position of their reference."""

    target: str
    kind: RelatedKind
    score: float
    reason: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One entry waiting for a consumer of the outbox; `seq` is handed back when it is done."""

    seq: int
    key: str
    change: Literal["new", "updated", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts for `store stats` and metrics."""

    entries: int
    withdrawn: int
    pruned: int
    sources: int
    tags: int
    related: int
    unresolved: int
    waiting: int
    bytes: int
    schema: str
    backend: str
    oldest: datetime | None = None
    newest: datetime | None = None
    details: tuple[tuple[str, str], ...] = field(default=())


class Store(Protocol):
    """Where everything is kept. Thread-safe; one instance a process."""

    # -- life ------------------------------------------------------------------------------
    def migrate(self) -> str:
        """Brings the schema up to this program's and returns its revision; safe beside others.

        Raises `SchemaMismatch` when the database is newer or is not feedsvc's, `StoreUnavailable`
        when it cannot be reached.
        """
        ...

    def schema_current(self) -> bool:
        """Whether the schema is this program's, without changing it."""
        ...

    def close(self) -> None:
        """Returns every connection."""
        ...

    def check(self) -> tuple[str, ...]:
        """Looks for damage (integrity, counts, dangling rows); returns what it found."""
        ...

    def stats(self) -> Stats:
        """Counts everything."""
        ...

    def backup(self, path: Path) -> None:
        """Writes a consistent copy while others read and write."""
        ...

    def restore(self, path: Path) -> None:
        """Replaces all content by that of a backup, in one step."""
        ...

    def change(self) -> int:
        """A number that grows with every commit that may change any feed."""
        ...

    # -- sources ---------------------------------------------------------------------------
    def declare_sources(self, sources: Sequence[Source], now: datetime) -> None:
        """Keeps the declared sources in step with the configuration.

        New ones are due at once, changed ones keep their poll state (unless the location changed),
        vanished ones leave the listing and keep their entries. Sources of origin `store` stay.
        """
        ...

    def add_source(self, source: Source, now: datetime, *, state: PollState | None = None) -> None:
        """Adds or revives a source; due at once, or with the poll state it is to begin with.

        Raises `StoreError` if its id is taken or its location polled already.
        """
        ...

    def add_sources(self, sources: Iterable[Source], now: datetime) -> int:
        """Adds many in one transaction, leaving those whose location is known; returns how many."""
        ...

    def remove_source(self, id: str, *, purge: bool, now: datetime) -> None:
        """Stops polling a source; with `purge` its entries are withdrawn too. Raises `NotFound`."""
        ...

    def source(self, id: str) -> SourceStatus:
        """One source. Raises `NotFound`."""
        ...

    def sources(self) -> tuple[SourceStatus, ...]:
        """All sources that are polled or disabled, by id."""
        ...

    def lag(self, now: datetime) -> timedelta:
        """How overdue the most overdue enabled, unclaimed source is; zero when none is."""
        ...

    # -- polling ---------------------------------------------------------------------------
    def claim_due(
        self,
        *,
        now: datetime,
        owner: str,
        lease: timedelta,
        limit: int,
        only: Sequence[str] | None = None,
        ignore_schedule: bool = False,
    ) -> tuple[Claim, ...]:
        """Claims enabled sources that are due and free, most overdue first.

        `only` restricts to ids; `ignore_schedule` takes those not yet due as well, but never before
        their `retry_after`. A claim whose lease ran out is free again.
        """
        ...

    def extend(self, claims: Sequence[Claim], until: datetime) -> None:
        """Moves the end of running claims."""
        ...

    def release(self, claims: Sequence[Claim]) -> None:
        """Gives claims back unpolled (shutdown); they stay due."""
        ...

    def release_dead(self, dead: Callable[[str], bool]) -> tuple[str, ...]:
        """Frees at once what owners hold of whom `dead` is true; returns who they were."""
        ...

    def known(self, source_id: str, uids: Iterable[str]) -> Mapping[str, Known]:
        """What is remembered of these uids; those never seen are missing from the answer."""
        ...

    def known_many(self, asked: Mapping[str, Iterable[str]]) -> Mapping[str, Mapping[str, Known]]:
        """`known` for several sources at once, by source id."""
        ...

    def finish_poll(self, claim: Claim, result: PollResult, now: datetime) -> Committed:
        """Writes everything one poll brought and gives the claim back, in one transaction.

        An entry whose id another source already holds is stored under `Entry.fallback_id`. Raises
        `ClaimLost` and writes nothing when the claim was taken over.
        """
        ...

    def finish_polls(
        self, polls: Sequence[tuple[Claim, PollResult]], now: datetime
    ) -> Sequence[Committed | StoreError]:
        """`finish_poll` of many polls in one transaction; what became of each, in their order.

        A poll that cannot be written, because its claim was lost or its data are refused, gives
        its error in place of `Committed` and harms no other. Raises `StoreUnavailable` when none
        can be.
        """
        ...

    # -- reading ---------------------------------------------------------------------------
    def head(
        self, query: EntryQuery, *, limit: int, now: datetime, before: str | None = None
    ) -> Head:
        """Marks of the first `limit` entries. Raises `QueryError` for a bad cursor."""
        ...

    def find(
        self, query: EntryQuery, *, limit: int, now: datetime, before: str | None = None
    ) -> Page:
        """The first `limit` live entries, those after cursor `before`; keyset paging."""
        ...

    def count(self, query: EntryQuery, *, now: datetime) -> int:
        """How many live entries match."""
        ...

    def entry(self, key: str) -> StoredEntry:
        """One entry, withdrawn or not. Raises `NotFound`."""
        ...

    def tags(self, *, prefix: str = "", limit: int | None = None) -> tuple[TagCount, ...]:
        """Tags by falling count, then slug."""
        ...

    # -- linking ---------------------------------------------------------------------------
    def tasks(self, consumer: str, limit: int) -> tuple[Task, ...]:
        """The oldest waiting outbox rows of a consumer (`link`)."""
        ...

    def done(self, consumer: str, seqs: Sequence[int]) -> None:
        """Takes finished rows out of the outbox."""
        ...

    def requeue(self, consumer: str, after: str | None, limit: int) -> str | None:
        """Queues a batch of live entries again, by key; returns where to go on, None at the end."""
        ...

    def titled(self, tokens: Sequence[str], limit: int) -> tuple[Titled, ...]:
        """Live entries whose titles share tokens, those sharing most first, then newest."""
        ...

    def waiting(self, tokens: Sequence[str], limit: int) -> tuple[Reference, ...]:
        """Unresolved references that share tokens with a title, those sharing most first."""
        ...

    def lookup(self, name: str) -> str | None:
        """The key of the live entry whose key, id or alternate link is exactly `name`."""
        ...

    def references(self, key: str) -> tuple[Reference, ...]:
        """The headlines an entry names, in its order, resolved or not."""
        ...

    def referring(self, key: str) -> tuple[Reference, ...]:
        """The references that are resolved to this entry."""
        ...

    def put_related(
        self, key: str, links: Sequence[RelatedLink], *, kind: RelatedKind, now: datetime
    ) -> bool:
        """Replaces an entry's links of one kind; True if changed. Never moves `updated`."""
        ...

    # -- upkeep ----------------------------------------------------------------------------
    def keys(self, after: str | None, limit: int) -> tuple[tuple[str, ...], str | None]:
        """A batch of live entries' keys, newest first, and where to go on (None at the end)."""
        ...

    def put_tags(self, key: str, tags: Sequence[Tag], now: datetime) -> bool:
        """Replaces an entry's tags; True if that changed anything. Never moves `updated`."""
        ...

    def prune(self, *, before: datetime, now: datetime) -> int:
        """Forgets entries published before a time, all but their names; returns how many."""
        ...
