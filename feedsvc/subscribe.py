"""Adding sources by hand: from a path, a feed's URL, a web page's URL, or a subscription list.

Finds out what a location is before it becomes a source, so that a typing error is told at once and
not at the first poll. What was fetched to find out is the first poll.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from .claims import LEASE
from .config import source_id, source_kind
from .digest import Digest
from .errors import ConfigError, FetchError, ParseError, SourceError
from .log import mask
from .model import PollState, Problem, Source, slugify
from .opml import BadOutline, read, web_url
from .pacing import Outcome, next_state
from .poll import Poller, refusal
from .runtime import Runtime, subscribed
from .sources.base import Fetched
from .sources.discovery import discover, suspects
from .sources.webfeed import Body

_BUSY = (408, 425, 429)
_STRIDE = 500

Progress = Callable[[int, int], None]


class AlreadyKnown(ConfigError):
    """A location is that of a source we have; `id` is which."""

    def __init__(self, location: str, id: str) -> None:
        super().__init__(f"{location} is known already, as source {id!r}")
        self.id = id


class SeveralFeeds(ParseError):
    """A page leads to several feeds; `feeds` are their addresses with what they are called."""

    def __init__(self, page: str, feeds: Sequence[tuple[str, str | None]]) -> None:
        listing = "".join(f"\n  {url}  {title or ''}" for url, title in feeds)
        super().__init__(
            f"{page} is a page with {len(feeds)} feeds; add the one you want:{listing}"
        )
        self.feeds = tuple(feeds)


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
    """What came of a subscription list: sources added, those known before, and what was left.

    `repeated` outlines name a feed that the list has already.
    """

    added: int
    known: int
    bad: tuple[BadOutline, ...]
    repeated: int = 0


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
    fulltext: bool = False,
    force: bool = False,
) -> Added:
    """Adds a feed, a web page's only feed, or a directory.

    A feed is read before it is added, and what was read is its first poll: its server is asked
    once. Of a page that names no feed the usual places are tried, one after the other. A feed whose
    server is busy for the moment (429, 5xx, a timeout) is added and asked again later.
    Raises `FetchError` when it cannot be had for another reason, `ParseError` when it is no feed
    and leads to none, `SeveralFeeds` when it leads to more than one; `force` adds it all the same.
    Raises `ConfigError` when the path is no directory or the URL none, and `AlreadyKnown`.
    """
    known = runtime.store.source_ids()
    taken = set(known.values())

    def make(location: str) -> Source:
        for place, id in known.items():
            if _same_place(place, location):
                raise AlreadyKnown(location, id)
        return Source(
            id=source_id(location, taken),
            kind=source_kind(location),
            location=location,
            title=title,
            tags=tuple(filter(None, map(slugify, tags))),
            interval=interval,
            fulltext=fulltext,
        )

    if is_url(location):
        if web_url(location) is None:
            raise ConfigError(
                f'{mask(location)}: no URL that can be asked; write it as "https://example.org/feed"'
            )
        return asyncio.run(_add_feed(runtime, make, location, force))
    if source_kind(location) in ("directory", "feed") and not (
        location.strip() and Path(location).is_dir()
    ):
        raise ConfigError(f"{location}: not a directory, and not an http(s) URL")
    if fulltext:
        raise ConfigError(f"{location}: a directory has no pages to read; leave out --fulltext")
    source = make(location)
    runtime.store.add_source(source, runtime.clock())
    return Added(source=source)


def import_opml(
    runtime: Runtime, body: bytes, progress: Progress = lambda done, of: None
) -> Imported:
    """Adds every subscription of an OPML document, all at once; folders become tags.

    A bad outline is reported and the rest imported. `progress` is told how many of how many are
    ready. Raises `ParseError` when the document is none.
    """
    outlines = read(body)
    known = runtime.store.source_ids()
    taken = set(known.values())
    sources: list[Source] = []
    seen = 0
    for number, outline in enumerate(outlines.subscriptions):
        if number % _STRIDE == 0:
            progress(number, len(outlines.subscriptions))
        if outline.url in known:
            seen += 1
            continue
        source = subscribed(outline, taken=taken, origin="store")
        taken.add(source.id)
        sources.append(source)
    added = runtime.store.add_sources(sources, runtime.clock(), spread=runtime.bounds.interval)
    progress(len(outlines.subscriptions), len(outlines.subscriptions))
    known_before = seen + len(sources) - added
    return Imported(added=added, known=known_before, bad=outlines.bad, repeated=outlines.repeated)


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
                source = make(await _feed_of(poller, page, force) or url)
                if source.location != url:
                    fetched, found = await poller.look(source)
                elif not force and (guessed := await _guessed(poller, make, page)):
                    source, fetched, found = guessed
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
            await poller.write(partial(runtime.relater.drain, limit=report.new))
            return Added(source=source, entries=report.new, problems=report.problems)
    return Added(source=source)


async def _guessed(
    poller: Poller, make: Callable[[str], Source], page: Body
) -> tuple[Source, Fetched, Digest] | None:
    """The first feed in the places where that of a page may be, as it was read there."""
    places = await poller.read(suspects, page.body, page.url, page.headers, size=len(page.body))
    for place in places:
        try:
            source = make(place)
            fetched, found = await poller.look(source)
        except FetchError as error:
            if error.status is None or _passes(error):
                return None  # a server in trouble is not to be asked on and on
            continue
        if not isinstance(found, ParseError):
            return source, fetched, found
    return None


async def _feed_of(poller: Poller, page: Body, force: bool) -> str | None:
    """The one feed a page names; None if it names none, or is to be added as it is.

    Raises `SeveralFeeds` if there are several.
    """
    feeds = await poller.read(discover, page.body, page.url, page.headers, size=len(page.body))
    feeds = tuple(feed for feed in feeds if feed.url != page.url)
    if len(feeds) == 1:
        return feeds[0].url
    if force:
        return None
    if feeds:
        raise SeveralFeeds(page.url, [(feed.url, feed.title) for feed in feeds])
    return None


def _add_failed(runtime: Runtime, source: Source, error: SourceError) -> Added:
    """Adds a source that could not be read, with what its server said about coming again."""
    at_fetch = error if isinstance(error, FetchError) else FetchError("")
    now = runtime.clock()
    outcome = Outcome(
        kind="failed",
        demands=refusal(at_fetch),
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
