"""The contract of a store backend, and the records that only a store hands out.

One conformance suite holds every backend to it. A store decides nothing about entries: what is new,
changed or unchanged has been decided before `finish_poll`. Every writing method is one transaction,
so that a process may be killed at any moment.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from ..errors import StoreError
from ..model import (
    PollState,
    RelatedKind,
    Source,
    StoredEntry,
    Tag,
)
from ..query.ast import EntryQuery
from .answers import ArchiveStore as ArchiveStore
from .answers import Head as Head
from .answers import Page as Page
from .answers import StoryPage as StoryPage
from .answers import StoryStore as StoryStore
from .claims import Claim as Claim
from .claims import Committed as Committed
from .claims import Known as Known
from .claims import Mark as Mark
from .claims import PageClaim as PageClaim
from .claims import PageResult as PageResult
from .claims import PollResult as PollResult
from .fairness import Shares as Shares
from .history import Revision as Revision
from .linkable import Around as Around
from .linkable import Gathered as Gathered
from .linkable import Likened as Likened
from .linkable import Likeness as Likeness
from .linkable import Linkable as Linkable
from .linkable import Linked as Linked
from .linkable import Reference as Reference
from .linkable import Regrouping as Regrouping
from .linkable import RelatedLink as RelatedLink
from .linkable import Relates as Relates
from .linkable import Relinked as Relinked
from .linkable import Signed as Signed
from .linkable import Sought as Sought
from .linkable import Task as Task
from .linkable import Titled as Titled
from .linkable import Unsigned as Unsigned
from .listed import SourceCounts as SourceCounts
from .listed import SourceStatus as SourceStatus
from .listed import Stats as Stats
from .listed import TagCompany as TagCompany
from .listed import TagCount as TagCount
from .pagestore import PageStore
from .tokens import FeedToken as FeedToken
from .tokens import TokenStore


class Store(ArchiveStore, PageStore, Relates, StoryStore, TokenStore, Protocol):
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
    def declare_sources(
        self, sources: Sequence[Source], now: datetime, *, spread: timedelta = timedelta(0)
    ) -> None:
        """Keeps the declared sources in step with the configuration.

        New ones are due at once (many: `pacing.first_poll`), changed ones keep their poll state
        (unless the location changed), vanished ones leave the listing and keep their entries.
        Sources of origin `store` stay.
        """
        ...

    def add_source(self, source: Source, now: datetime, *, state: PollState | None = None) -> None:
        """Adds or revives a source, due at once or as `state` says; `StoreError` if it is known."""
        ...

    def add_sources(
        self, sources: Iterable[Source], now: datetime, *, spread: timedelta = timedelta(0)
    ) -> int:
        """Adds many in one transaction, leaving those whose location is known; returns how many."""
        ...

    def change_source(self, before: Source, after: Source, now: datetime) -> bool:
        """Gives a source of origin `store` other settings if they still are `before`; whether so.

        Id, kind, location and origin stay. Raises `NotFound`.
        """
        ...

    def hasten(self, id: str, now: datetime) -> None:
        """Makes a source due now; what its server asked for (Retry-After) holds all the same."""
        ...

    def remove_source(self, id: str, *, purge: bool, now: datetime) -> None:
        """Stops polling a source; with `purge` its entries are withdrawn too. Raises `NotFound`."""
        ...

    def reenable(self, id: str) -> bool:
        """Enables a source that a 410 disabled and not its configuration; whether it did."""
        ...

    def source(self, id: str) -> SourceStatus:
        """One source. Raises `NotFound`."""
        ...

    def sources(self, *, held: datetime | None = None) -> tuple[SourceStatus, ...]:
        """All sources that are polled or disabled, by id; or those held back at a moment."""
        ...

    def source_page(
        self, *, limit: int, after: str | None = None, troubled: bool = False
    ) -> tuple[SourceStatus, ...]:
        """At most `limit` sources by id, beyond the id `after`; or only those that are troubled."""
        ...

    def source_counts(self) -> SourceCounts:
        """How many sources there are, and how many are troubled."""
        ...

    def source_ids(self) -> Mapping[str, str]:
        """The ids of all sources, disabled ones included, by location."""
        ...

    def located(self, location: str) -> str | None:
        """The id of the source, disabled or not, that has a location."""
        ...

    def mend_clock(self, now: datetime) -> timedelta:
        """Moves schedules back by as much as the clock was ahead (`pacing.clock_lead`), if any."""
        ...

    def lag(self, now: datetime, *, idle: bool = False) -> timedelta:
        """How overdue the most overdue source is that waits neither for its host nor is claimed.

        `idle`: with no poll ending meanwhile, claimed or not.
        """
        ...

    # -- polling ---------------------------------------------------------------------------
    def claim_due(
        self,
        *,
        now: datetime,
        owner: str,
        lease: timedelta,
        limit: int,
        due_at: datetime | None = None,
        only: Sequence[str] | None = None,
        ignore_schedule: bool = False,
        untried: bool = False,
        per_host: int | None = None,
        host_delay: timedelta = timedelta(0),
        rest: timedelta = timedelta(0),
    ) -> tuple[Claim, ...]:
        """Claims enabled sources that are due and free, most overdue first.

        With `due_at`, due is what was so then. `only` restricts to ids; `ignore_schedule` takes
        those not yet due as well (unless polled since `due_at`), `untried` those never polled, but
        none before its own or its host's `retry_after`. Of one host and port all pollers together
        hold at most `per_host` claims, with turns `host_delay` apart. A lease that ran out is free;
        by its schedule a host is asked again `rest` after the last sign of whoever held it.
        """
        ...

    def extend(self, claims: Sequence[Claim], until: datetime) -> None:
        """Moves the end of running claims."""
        ...

    def release(self, claims: Sequence[Claim]) -> None:
        """Gives claims back unpolled (shutdown); they stay due."""
        ...

    def release_dead(
        self,
        dead: Callable[[str], bool],
        *,
        now: datetime,
        lease: timedelta,
        rest: timedelta = timedelta(0),
    ) -> tuple[str, ...]:
        """Frees at once what owners hold of whom `dead` is true; returns who they were.

        What asks a host, and may have been asked for, is not due before `rest` has passed since
        the `lease` was taken or last renewed.
        """
        ...

    def known(self, source_id: str, uids: Iterable[str]) -> Mapping[str, Known]:
        """What is remembered of these uids; those never seen are missing from the answer."""
        ...

    def known_many(self, asked: Mapping[str, Iterable[str]]) -> Mapping[str, Mapping[str, Known]]:
        """`known` for several sources at once, by source id."""
        ...

    def resembling_many(self, asked: Mapping[str, Sequence[Mark]]) -> Mapping[str, Sequence[Known]]:
        """For each source its entries at any of the addresses, or live ones of any of the dates."""
        ...

    def newest(self, source_id: str, limit: int) -> Sequence[Known]:
        """The newest live entries of a source."""
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
        self,
        query: EntryQuery,
        *,
        limit: int,
        now: datetime,
        before: str | None = None,
        collapse: bool = False,
        shares: Shares | None = None,
    ) -> Head:
        """Marks of the first `limit` entries. Raises `OptionError` for a bad cursor.

        With `collapse` an entry is left out if the query also finds a copy of it that was
        published before (`Duplicate`; of equal dates the lower key is). Of one source a page in
        order of date has no more than its `shares` say, while others have entries to give.
        """
        ...

    def find(
        self,
        query: EntryQuery,
        *,
        limit: int,
        now: datetime,
        before: str | None = None,
        collapse: bool = False,
        shares: Shares | None = None,
    ) -> Page:
        """The first `limit` live entries, those after cursor `before`; keyset paging."""
        ...

    def count(self, query: EntryQuery, *, now: datetime, collapse: bool = False) -> int:
        """How many live entries match; with `collapse` each article once."""
        ...

    def entry(self, key: str) -> StoredEntry:
        """One entry, withdrawn or not. Raises `NotFound`."""
        ...

    def revisions(self, key: str) -> tuple[Revision, ...]:
        """What an entry was before its content changed, the latest first. Raises `NotFound`."""
        ...

    def changes(self, key: str) -> tuple[int, datetime | None]:
        """How many versions an entry had before today's, as far as kept; when it last changed."""
        ...

    def tags(self, *, prefix: str = "", limit: int | None = None) -> tuple[TagCount, ...]:
        """Tags by falling count, then slug."""
        ...

    def tag(self, slug: str, now: datetime) -> TagCompany:
        """One tag in time and beside others. Raises `NotFound`."""
        ...

    def beside(self, slug: str) -> tuple[TagCount, ...]:
        """The tags that stand beside one; none where no entry carries it."""
        ...

    # -- linking ---------------------------------------------------------------------------
    def tasks(self, consumer: str, limit: int, *, newest: bool = False) -> tuple[Task, ...]:
        """The oldest waiting outbox rows of a consumer (`link`, `relate`), or the newest."""
        ...

    def done(self, consumer: str, seqs: Sequence[int]) -> None:
        """Takes finished rows out of the outbox."""
        ...

    def requeue(self, consumer: str, after: str | None, limit: int) -> str | None:
        """Queues a batch of live entries again, by key; returns where to go on, None at the end."""
        ...

    def linkable(self, keys: Iterable[str]) -> Mapping[str, Linkable]:
        """Those of these entries that are live, with the headlines they name, by key."""
        ...

    def titled(self, sought: Sequence[Sought], limit: int) -> tuple[tuple[Titled, ...], ...]:
        """For each, at most `limit` live entries whose titles are or resemble what is sought.

        What is exactly a spelling comes first, then what shares most weight, then what is of the
        source asked for, then the newest.
        """
        ...

    def waits(self) -> bool:
        """Whether any headline waits for its entry."""
        ...

    def waiting(self, sought: Sequence[Sought], limit: int) -> tuple[tuple[Reference, ...], ...]:
        """For each, at most `limit` unresolved references that are or resemble what is sought.

        Ordered like `titled`.
        """
        ...

    def lookup(self, name: str) -> str | None:
        """The key of the live entry whose key, id or alternate link is exactly `name`."""
        ...

    def lookups(self, names: Iterable[str]) -> Mapping[str, str]:
        """`lookup` of many names at once; those that find nothing are missing from the answer."""
        ...

    def referring(self, key: str) -> tuple[Reference, ...]:
        """The references that are resolved to this entry."""
        ...

    def put_related(
        self, key: str, links: Sequence[RelatedLink], *, kind: RelatedKind, now: datetime
    ) -> bool:
        """Replaces an entry's links of one kind; True if changed. Never moves `updated`."""
        ...

    def finish_links(
        self, consumer: str, seqs: Sequence[int], linked: Sequence[Linked], now: datetime
    ) -> bool:
        """Writes what headlines resolve to and takes outbox rows out, in one transaction.

        False, and nothing is written, if an entry's headlines or their targets are no longer as
        they were read. A link to an entry that has gone since, or to itself, is left out.
        """
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
