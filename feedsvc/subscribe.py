"""Adding sources by hand: from a path, a feed's URL, a web page's URL, or a subscription list.

Finds out what a location is before it becomes a source, so that a typing error is told at once and
not at the first poll.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from .config import source_id
from .errors import ConfigError, ParseError
from .model import PollState, Source, slugify
from .opml import BadOutline, read
from .runtime import Runtime, subscribed
from .sources import KINDS
from .sources.base import FetchTools
from .sources.discovery import discover
from .sources.webfeed import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A feed that a location leads to, with the title it gives itself."""

    url: str
    title: str | None = None


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
) -> Source:
    """Adds a feed, a web page's only feed, or a directory, and returns the source.

    Raises `FetchError` when the URL cannot be fetched, `ParseError` when it is no feed and leads to
    none or to several, `ConfigError` when the path is no directory or the location is known.
    """
    if is_url(location):
        found = asyncio.run(_resolve(runtime, location))
        location, title = found.url, title or found.title
        kind = KINDS["feed"].kind
    else:
        path = Path(location)
        if not location.strip() or not path.is_dir():
            raise ConfigError(f"{location}: not a directory, and not an http(s) URL")
        kind = KINDS["directory"].kind
    known = runtime.store.sources()
    for status in known:
        if _same_place(status.source.location, location):
            raise ConfigError(f"{location} is known already, as source {status.source.id!r}")
    source = Source(
        id=source_id(location, taken={status.source.id for status in known}),
        kind=kind,
        location=location,
        title=title,
        tags=tuple(filter(None, map(slugify, tags))),
        interval=interval,
    )
    runtime.store.add_source(source, runtime.clock())
    return source


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


async def _resolve(runtime: Runtime, url: str) -> Found:
    """Follows a URL to a feed: itself, or the one the page links to (autodiscovery)."""
    reader = KINDS["feed"]
    async with runtime.http() as http:
        tools = FetchTools(http=http, now=runtime.clock())
        source = Source(id="new", kind="feed", location=url)
        fetched = await reader.fetch(source, PollState(), tools)
        try:
            reading = reader.parse(source, fetched)
        except ParseError:
            page: Body = fetched.payload
            feeds = discover(page.body, page.url, page.headers)
            if len(feeds) == 1:
                return await _resolve(runtime, feeds[0].url)
            if feeds:
                listing = "".join(f"\n  {feed.url}  {feed.title or ''}" for feed in feeds)
                raise ParseError(
                    f"{url} is a page with {len(feeds)} feeds; add the one you want:{listing}"
                ) from None
            raise
    return Found(url=url, title=reading.meta.title if reading.meta else None)
