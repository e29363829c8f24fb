"""Feeds over HTTP: an address becomes a request to the composer, its feed an answer.

Works on plain values from the request line to the last header, so that it can stand in front of
any framework. What is in a feed is the composer's business, and the web page of it that of `pages`.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress

from werkzeug.urls import iri_to_uri

from ..compose import Composer, FeedRequest, Options
from ..errors import NotFound
from ..formats import FORMATS
from . import negotiate
from .errors import BadRequest, Moved
from .message import Ask
from .respond import Rendered, Representation
from .security import FEED_POLICY
from .site import Site

HTML = "html"

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
    "all, tags/TAG,TAG, sources/ID, query?q=QUERY, and those named in the configuration, "
    f"each with {', '.join(f'.{suffix}' for suffix in FORMATS)} or nothing behind it"
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
    ) -> None:
        self._composer = composer
        self._site = site
        self._cache = cache
        self._page = page

    def represent(self, ask: Ask) -> Representation:
        """What `/feeds/…` serves; `ask.path` begins with that.

        Raises `NotFound`, `QueryError`, `BadRequest`, and `Moved` for an address that is not the
        canonical one.
        """
        options = self._composer.options(ask.arguments)
        request, suffix = self._resolve(ask, options)
        canonical = f"/{request.path}" + (f".{suffix}" if suffix else "")
        if ask.path != canonical:
            query = f"?{ask.query}" if ask.query else ""
            raise Moved(self._site.link(canonical) + query)
        if suffix:
            return self._feed(request, suffix, negotiated=False)
        chosen = negotiate.choose(ask.header("accept"), OFFERS)
        if chosen == HTML:
            return self._page(request)
        return self._feed(request, chosen, negotiated=True)

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
            # tags have no dots, so that only a source or a named feed can be meant
            if not stem.startswith("tags/"):
                with suppress(NotFound):
                    return self._request(name, ask, options), None
            raise

    def _request(self, name: str, ask: Ask, options: Options) -> FeedRequest:
        composer = self._composer
        match name.split("/"):
            case ["all"]:
                return composer.all(options)
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

    def _feed(self, request: FeedRequest, suffix: str, *, negotiated: bool) -> Representation:
        composer = self._composer

        def render() -> Rendered:
            feed = composer.rendering(request, suffix)
            return Rendered(body=feed.body, etag=feed.etag, last_modified=feed.last_modified)

        head = composer.head(request)
        own = iri_to_uri(composer.url(request, suffix))
        links = [f'<{own}>; rel="self"; type="{FORMATS[suffix].media_type}"']
        links.extend(
            f'<{iri_to_uri(composer.url(request, other))}>; rel="alternate"; '
            f'type="{FORMATS[other].media_type}"'
            for other in FORMATS
            if other != suffix
        )
        links.append(f'<{iri_to_uri(composer.url(request))}>; rel="alternate"; type="text/html"')
        headers = [("Link", ", ".join(links)), ("Content-Security-Policy", FEED_POLICY)]
        if negotiated:
            headers.append(("Content-Location", own))
        return Representation(
            media_type=f"{FORMATS[suffix].media_type}; charset=utf-8",
            render=render,
            etag=composer.etag(request, suffix, head),
            last_modified=composer.last_modified(head),
            cache=self._cache,
            vary=("Accept",) if negotiated else (),
            headers=tuple(headers),
        )
