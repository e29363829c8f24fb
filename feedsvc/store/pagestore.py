"""The contract of a store in reading the pages of entries for their full text."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ..polls import PageTroubles
from .claims import PageClaim, PageResult


class PageStore(Protocol):
    """Where pages wait; one is asked for with its entry, in `PollResult.pages`."""

    def claim_pages(
        self,
        *,
        now: datetime,
        owner: str,
        lease: timedelta,
        limit: int,
        per_host: int | None = None,
        host_delay: timedelta = timedelta(0),
    ) -> tuple[PageClaim, ...]:
        """Claims pages that are due and free, the longest due first.

        Of a host, claims of pages and of sources count together; a source that is due goes first.
        """
        ...

    def finish_page(self, claim: PageClaim, result: PageResult, now: datetime) -> bool:
        """Ends a claim with what came of it; whether the entry has its text now.

        An entry that was edited or withdrawn meanwhile stays as it is; so does one whose claim was
        lost.
        """
        ...

    def release_pages(self, claims: Sequence[PageClaim]) -> None:
        """Gives claims back unread (shutdown); the pages stay due."""
        ...

    def page_troubles(self, ids: Iterable[str] | None = None) -> Mapping[str, PageTroubles]:
        """Of each source, or each of some, what could not be read of its entries' pages."""
        ...

    def robots(self, host: str, *, since: datetime) -> str | None:
        """What a host said in its robots.txt, unless that was before a moment."""
        ...

    def put_robots(self, host: str, body: str, now: datetime) -> None:
        """Keeps what a host said in its robots.txt; nothing where it has none."""
        ...
