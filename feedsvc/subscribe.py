"""Adding sources by hand: from a path, a feed's URL, a web page's URL, or a subscription list.

Finds out what a location is before it becomes a source, so that a typing error is told at once and
not at the first poll. What was fetched to find out is the first poll.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from .claims import LEASE
from .config import source_id, source_kind
from .errors import ConfigError, FetchError, ParseError, SourceError
from .model import PollState, Problem, Source, slugify
from .opml import BadOutline, read
from .pacing import Outcome, next_state
from .poll import Poller
from .polls import Demand
from .runtime import Runtime, subscribed
from .sources.discovery import discover
from .sources.webfeed import Body

_BUSY = (408, 425, 429)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A source that was added: what its first poll brought, or why there was none and when it is.

    `entries` is None where nothing has been read yet.
    """

    source: Source
    entries: int | None = None
    problems: tuple[Problem, ...] = ()
    error: str | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a subscription list."""

    added: int
    known: int
    bad: tuple[BadOutline, ...]


def is_url(location: str) -> bool:
    """Whether a location is a feed's URL rather than a path."""
    return location.lower().startswith(("http://", "https://"))


def add(
    runtime: Runtime,
    location: str,
    *,
    title: str | None = None,
    tags: Sequence[str] = (),
    interval: timedelta | None = None,
    force: bool = False,
) -> Added:
    """Adds a feed, a web page's only feed, or a directory.

    A feed is read before it is added, and what was read is its first poll: its server is asked
    once. One that is busy for the moment (429, 5xx, a timeout) is added and asked again later.
    Raises `FetchError` when it cannot be had for another reason, `ParseError` when it is no feed
    and leads to none or to several; `force` adds it all the same. Raises `ConfigError` when the
    path is no directory or the location is known.
    """
    known = runtime.store.sources()

    def make(location: str) -> Source:
        for status in known:
            if _same_place(status.source.location, location):
                raise ConfigError(f"{location} is known already, as source {status.source.id!r}")
        return Source(
            id=source_id(location, taken={status.source.id for status in known}),
            kind=source_kind(location),
            location=location,
            title=title,
            tags=tuple(filter(None, map(slugify, tags))),
            interval=interval,
        )

    if is_url(location):
        return asyncio.run(_add_feed(runtime, make, location, force))
    if source_kind(location) in ("directory", "feed") and not (
        location.strip() and Path(location).is_dir()
    ):
        raise ConfigError(f"{location}: not a directory, and not an http(s) URL")
    source = make(location)
    runtime.store.add_source(source, runtime.clock())
    return Added(source=source)


def import_opml(runtime: Runtime, body: bytes) -> Imported:
    """Adds every subscription of an OPML document; folders become tags.

    A bad outline is reported and the rest imported. Raises `ParseError` when the document is none.
    """
    outlines = read(body)
    taken = {status.source.id for status in runtime.store.sources()}
    sources = []
    for outline in outlines.subscriptions:
        source = subscribed(outline, taken=taken, origin="store")
        taken.add(source.id)
        sources.append(source)
    added = runtime.store.add_sources(sources, runtime.clock(), spread=runtime.bounds.interval)
    return Imported(added=added, known=len(sources) - added, bad=outlines.bad)


def _same_place(one: str, other: str) -> bool:
    """Whether two locations are one feed or one directory, however written."""
    if one == other or is_url(one) or is_url(other):
        return one == other
    return Path(one).resolve() == Path(other).resolve()


async def _add_feed(
    runtime: Runtime, make: Callable[[str], Source], url: str, force: bool
) -> Added:
    source = make(url)
    async with Poller(runtime) as poller:
        try:
            fetched, found = await poller.look(source)
            if isinstance(found, ParseError):
                page: Body = fetched.payload
                source = make(await _feed_of(poller, page, found, force) or url)
                if source.location != url:
                    fetched, found = await poller.look(source)
            if isinstance(found, ParseError):
                raise found
            if fetched.moved_to:
                make(fetched.moved_to)  # it may be known under the address it has now
        except FetchError as error:
            if not (force or _passes(error)):
                raise
            return _add_failed(runtime, source, error)
        except ParseError as error:
            if not force:
                raise
            return _add_failed(runtime, source, error)
        # until the claim is ours, nobody else must find it due: that would be a second request
        begin = PollState(next_at=runtime.clock() + LEASE)
        runtime.store.add_source(source, runtime.clock(), state=begin)
        claims = await poller.claims.take(limit=1, only=[source.id], ignore_schedule=True)
        for claim in claims:
            report = await poller.first(claim, fetched, found)
            await poller.write(runtime.linker.run)
            return Added(source=source, entries=report.new, problems=report.problems)
    return Added(source=source)


async def _feed_of(poller: Poller, page: Body, error: ParseError, force: bool) -> str | None:
    """The one feed a page names, None if it is to be added as it is. Raises `ParseError`."""
    feeds = await poller.read(discover, page.body, page.url, page.headers, size=len(page.body))
    feeds = tuple(feed for feed in feeds if feed.url != page.url)
    if len(feeds) == 1:
        return feeds[0].url
    if force:
        return None
    if feeds:
        listing = "".join(f"\n  {feed.url}  {feed.title or ''}" for feed in feeds)
        raise ParseError(
            f"{page.url} is a page with {len(feeds)} feeds; add the one you want:{listing}"
        )
    raise error


def _add_failed(runtime: Runtime, source: Source, error: SourceError) -> Added:
    """Adds a source that could not be read, with what its server said about coming again."""
    at_fetch = error if isinstance(error, FetchError) else FetchError("")
    now, wait = runtime.clock(), at_fetch.retry_after
    outcome = Outcome(
        kind="failed",
        demands=(Demand(wait=wait, by="Retry-After"),) if wait else (),
        status=at_fetch.status,
        error=str(error),
        fault=error.fault,
    )
    state = next_state(PollState(), outcome, source=source, bounds=runtime.bounds, now=now)
    runtime.store.add_source(source, now, state=state)
    return Added(source=source, error=str(error), next_at=state.next_at)


def _passes(error: FetchError) -> bool:
    """Whether a failure says nothing of the address, so that it is worth coming again."""
    if error.status is None:
        return isinstance(error.__cause__, TimeoutError)
    return error.status in _BUSY or error.status >= 500 or error.retry_after is not None
