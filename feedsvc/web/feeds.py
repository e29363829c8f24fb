"""Feeds over HTTP: an address becomes a request to the composer, its feed an answer.

Works on plain values from the request line to the last header, so that it can stand in front of
any framework. What is in a feed is the composer's business, and the web page of it that of `pages`.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from werkzeug.urls import iri_to_uri

from ..compose import Composer, FeedRequest, Options, Rendering
from ..errors import NotFound
from ..formats import FORMATS
from . import compress, conditional, negotiate
from .errors import BadRequest, Moved
from .message import Ask
from .respond import Part, Rendered, Representation
from .security import FEED_POLICY
from .site import Site
from .watch import lasts

HTML = "html"

#: How long the archive of a month that is over may be used without asking again, in seconds: what
#: was withdrawn from it stays that long in caches.
ARCHIVE_AGE = 86_400

#: Other media types that a format answers to.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "atom": ("application/xml", "text/xml"),
    "rss": ("application/rdf+xml",),
    "json": ("application/json",),
}

#: What a feed's address without suffix serves; Atom is for clients that do not care.
OFFERS = (
    *(
        negotiate.Offer(suffix, format.media_type, _ALIASES.get(suffix, ()))
        for suffix, format in FORMATS.items()
    ),
    negotiate.Offer(HTML, "text/html", ("application/xhtml+xml",)),
)

_KINDS = (
    "all, tags/TAG,TAG, sources/ID, query?q=QUERY, and those named in the configuration, each "
    "also with /archive/YYYY-MM behind it, and stories, and then "
    f"{', '.join(f'.{suffix}' for suffix in FORMATS)} or nothing"
)
# what people try behind a feed's name; behind a tag's it would pass for a part of the tag
_NO_SUFFIXES = frozenset({"htm", "html", "opml", "rdf", "txt", "xml"})


class Feeds:
    """Finds and describes the feed an address asks for."""

    def __init__(
        self,
        composer: Composer,
        site: Site,
        cache: str,
        page: Callable[[FeedRequest], Representation],
        no_deltas_for: Iterable[str] = (),
    ) -> None:
        self._composer = composer
        self._site = site
        self._cache = cache
        self._closed = f"max-age={ARCHIVE_AGE}"
        self._no_deltas = tuple(map(str.lower, no_deltas_for))
        self._page = page

    def represent(self, ask: Ask) -> Representation:
        """What `/feeds/…` serves; `ask.path` begins with that.

        Raises `NotFound`, `QueryError`, `OptionError`, `BadRequest`, and `Moved` for an address
        that is not the canonical one.
        """
        options = self._composer.options(ask.arguments)
        request, suffix = self._resolve(ask, options)
        canonical = f"/{request.path}" + (f".{suffix}" if suffix else "")
        # what a query asks for may be another feed, which is then given here as well
        queried = canonical.replace(request.feed, "feeds/query", 1)
        if ask.path != canonical and (ask.path != queried or request.feed == "feeds/all"):
            return self._elsewhere(ask, canonical)
        if suffix:
            return self._feed(ask, request, suffix, negotiated=False)
        chosen = negotiate.choose(ask.header("accept"), OFFERS)
        if chosen == HTML:
            return self._page(request)
        return self._feed(ask, request, chosen, negotiated=True)

    def _elsewhere(self, ask: Ask, canonical: str) -> Representation:
        """Sends the client on, unless it came with a token.

        That would be missing there, or be written down in `Location`: it gets the feed at once.
        """
        if ask.token is None:
            query = f"?{ask.query}" if ask.query else ""
            raise Moved(self._site.link(canonical) + query)
        return replace(self.represent(replace(ask, path=canonical)), lasts=None)

    def _resolve(self, ask: Ask, options: Options) -> tuple[FeedRequest, str | None]:
        """The feed and its suffix; a feed whose own name ends in a suffix is found as well."""
        name = ask.path.removeprefix("/feeds/").rstrip("/")
        stem, _, suffix = name.rpartition(".")
        if stem.startswith("tags/") and suffix.lower() in _NO_SUFFIXES:
            raise NotFound(f"There is no feed at /feeds/{name}; feeds are {_KINDS}.")
        if not stem or suffix not in FORMATS:
            return self._request(name, ask, options), None
        try:
            return self._request(stem, ask, options), suffix
        except NotFound:
            # tags and months have no dots, so that only a source or a named feed can be meant
            if not stem.startswith("tags/") and "/archive/" not in stem:
                with suppress(NotFound):
                    return self._request(name, ask, options), None
            raise

    def _request(self, name: str, ask: Ask, options: Options) -> FeedRequest:
        composer = self._composer
        feed, archive, month = name.rpartition("/archive/")
        if archive and "/" not in month:
            return composer.archived(self._request(feed, ask, options), month, ask.arguments)
        match name.split("/"):
            case ["all"]:
                return composer.all(options)
            case ["stories"]:
                return composer.stories(options)
            case ["query"]:
                if "q" not in ask.arguments:
                    raise BadRequest("This feed needs a query, as in /feeds/query?q=tag:diplomacy.")
                return composer.query(ask.arguments["q"], options)
            case ["tags", slugs]:
                return composer.tags(slugs.split(","), options)
            case ["sources", id]:
                return composer.source(id, options)
            case [only]:
                return composer.named(only, options)
        raise NotFound(f"There is no feed at /feeds/{name}; feeds are {_KINDS}.")

    def _feed(
        self, ask: Ask, request: FeedRequest, suffix: str, *, negotiated: bool
    ) -> Representation:
        composer = self._composer

        def render() -> Rendered:
            return _rendered(composer.rendering(request, suffix, head))

        head, deltas = composer.head(request), composer.has_deltas(request)
        own = iri_to_uri(composer.url(request, suffix))
        links = [f'<{own}>; rel="self"; type="{FORMATS[suffix].media_type}"']
        links.extend(
            f'<{iri_to_uri(composer.url(request, other))}>; rel="alternate"; '
            f'type="{FORMATS[other].media_type}"'
            for other in FORMATS
            if other != suffix
        )
        links.append(f'<{iri_to_uri(composer.url(request))}>; rel="alternate"; type="text/html"')
        links.extend(
            f'<{iri_to_uri(composer.url(turned, suffix))}>; rel="{rel}"'
            for rel, turned in composer.around(request, head)
        )
        return Representation(
            media_type=f"{FORMATS[suffix].media_type}; charset=utf-8",
            render=render,
            etag=composer.etag(request, suffix, head),
            last_modified=composer.last_modified(head),
            cache=self._closed if composer.closed(request) else self._cache,
            vary=(*(("Accept",) if negotiated else ()), *(("A-IM",) if deltas else ())),
            location=own if negotiated or ask.path != f"/{request.path}.{suffix}" else None,
            headers=(("Link", ", ".join(links)), ("Content-Security-Policy", FEED_POLICY)),
            part=self._part(ask, request, suffix) if deltas else None,
            lasts=lasts(request.query),
        )

    def _part(
        self, ask: Ask, request: FeedRequest, suffix: str
    ) -> Callable[[], Part | None] | None:
        """What is new since the client's instance, if it asks for that and can take it."""
        had, agent = ask.header("if-none-match"), (ask.header("user-agent") or "").lower()
        if not had or not negotiate.manipulation(ask.header("a-im"), "feed"):
            return None
        if any(name in agent for name in self._no_deltas):
            return None

        def part() -> Part | None:
            tags = conditional.entity_tags(had, [coding.suffix for coding in compress.CODINGS])
            made = self._composer.delta(request, suffix, tags)
            if made is None:
                return None
            # the instance as the client knows it: a coding is part of it (RFC 3229 §3)
            base = tags[made.base]
            return Part(rendered=_rendered(made.rendering), im="feed", base=base)

        return part


def _rendered(feed: Rendering) -> Rendered:
    return Rendered(body=feed.body, etag=feed.etag, last_modified=feed.last_modified)
