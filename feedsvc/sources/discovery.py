"""Finds the feeds a web page names (autodiscovery), and reads `Link` header fields.

Nothing is fetched here. Of a page that names no feed `suspects` tells where one may be all the
same: whoever asks there has to see what it is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml import etree

from .fields import join

_MAX_PAGE = 4 << 20
_MAX_FEEDS = 50
_FEED_TYPES = frozenset(
    {
        "application/atom+xml",
        "application/feed+json",
        "application/rdf+xml",
        "application/rss+xml",
        "application/x.atom+xml",
        "application/x-atom+xml",
        "text/rdf+xml",
        "text/rss+xml",
    }
)
# may be feeds, or anything: only with a title or address that speaks of one
_VAGUE_TYPES = frozenset({"application/json", "application/xml", "text/xml"})
_FEEDLIKE = re.compile(r"feed|rss|atom", re.IGNORECASE)
_FEEDLIKE_PATH = re.compile(
    r"(?:\.(?:rss|atom|rdf)|/(?:feeds?|rss|atom)(?:\.(?:xml|json|php))?|/(?:feed|rss|atom|index)\.xml)"
    r"/?\Z",
    re.IGNORECASE,
)
_FEED_WORD = re.compile(r"\b(?:rss|atom|feed)\b", re.IGNORECASE)
# where most programs that publish have their feed, the most usual first
_COMMON_PATHS = ("feed", "feed.xml", "rss.xml", "atom.xml", "index.xml", "feed.json")
_MAX_SUSPECTS = 8
_MAX_LINKED = 3
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_FIELD = re.compile(
    r"""\s*<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+(?:\s*=\s*(?:"[^"]*"|[^\s;,"]*))?)*)"""
)
_PARAMETER = re.compile(r""";\s*([\w!#$&+.^`|~*-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s;,"]*)))?""")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed that a page names: its absolute URL, and the title and media type given there."""

    url: str
    title: str | None = None
    type: str | None = None


def discover(
    body: bytes, url: str | None = None, headers: Mapping[str, str] | None = None
) -> tuple[FoundFeed, ...]:
    """The feeds that an HTML page links to with `rel=alternate` or `rel=feed`, in its order.

    Relative to `<base>` and the page's `url`; feeds named by a `Link` header field (RFC 8288, names
    in lower case) come first. Never raises: what is no page names no feeds.
    """
    headers = headers or {}
    found: dict[str, FoundFeed] = {}
    links = [(url, link) for link in header_links(headers.get("link"))]
    links += _page_links(body[:_MAX_PAGE], url, headers)
    for base, link in links:
        href = join(base, link.get("href", "").strip())
        if not href or not _is_feed(link) or not href.startswith(("http://", "https://")):
            continue
        href = urldefrag(href).url
        kind = _media_type(link)
        title = " ".join(link.get("title", "").split()) or None
        found.setdefault(href, FoundFeed(url=href, title=title, type=kind or None))
    return tuple(found.values())[:_MAX_FEEDS]


def suspects(body: bytes, url: str, headers: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Where the feed of a page that names none may be, the likeliest first, and no more than eight.

    What the page links to in words or by an address that speaks of a feed; then the usual places at
    its site. None for what is no HTML page. Never raises.
    """
    headers = headers or {}
    if (
        "html" not in headers.get("content-type", "").lower()
        and b"<html" not in body[:2000].lower()
    ):
        return ()
    found: dict[str, None] = {}
    root, base = _rooted(body[:_MAX_PAGE], url, headers)
    for element in root.iter("a") if root is not None else ():
        href = join(base, (element.get("href") or "").strip())
        if not href or not href.startswith(("http://", "https://")):
            continue
        words = " ".join(filter(None, (*element.itertext(), element.get("title"))))
        if _FEEDLIKE_PATH.search(urlsplit(href).path) or (
            len(words) < 60 and _FEED_WORD.search(words)
        ):
            found.setdefault(urldefrag(href).url)
        if len(found) == _MAX_LINKED:
            break
    for path in _COMMON_PATHS:
        found.setdefault(urljoin(url, f"/{path}"))
    found.pop(url, None)
    return tuple(found)[:_MAX_SUSPECTS]


def header_links(value: str | None) -> Iterator[dict[str, str]]:
    """The links of a `Link` header field (RFC 8288 §3): parameters by name, target as `href`."""
    position = 0
    while value and (match := _FIELD.match(value, position)):
        link = {
            name.lower(): quoted or bare
            for name, quoted, bare in reversed(_PARAMETER.findall(match[2]))
        }
        yield link | {"href": match[1].strip()}
        comma = value.find(",", match.end())
        if comma < 0:
            return
        position = comma + 1


def _is_feed(link: Mapping[str, str]) -> bool:
    rels = link.get("rel", "").lower().split()
    kind = _media_type(link)
    if "alternate" in rels:
        vague = kind in _VAGUE_TYPES and _FEEDLIKE.search(link.get("title", "") + link["href"])
        return kind in _FEED_TYPES or bool(vague and "wp-json" not in link["href"])
    return "feed" in rels and (kind in _FEED_TYPES | _VAGUE_TYPES or not kind)


def _media_type(link: Mapping[str, str]) -> str:
    return link.get("type", "").partition(";")[0].strip().lower()


def _page_links(
    body: bytes, url: str | None, headers: Mapping[str, str]
) -> list[tuple[str | None, dict[str, str]]]:
    root, page = _rooted(body, url, headers)
    if root is None:
        return []
    return [
        (page, {str(name).lower(): str(value) for name, value in element.attrib.items()})
        for element in root.iter("link", "a")
        if element.get("href") and element.get("rel")
    ]


def _rooted(body: bytes, url: str | None, headers: Mapping[str, str]) -> tuple[Any, str | None]:
    """A page's tree, None if it has none, and what its relative URLs are relative to."""
    charset = _CHARSET.search(headers.get("content-type", ""))
    root = _parse(body, charset[1] if charset else None)
    if root is None:
        return None, url
    base = next((element.get("href") for element in root.iter("base") if element.get("href")), None)
    return root, join(url, base)


def _parse(body: bytes, charset: str | None) -> Any:
    try:
        parser = etree.HTMLParser(encoding=charset, no_network=True, recover=True)
    except LookupError:  # a charset nobody knows
        parser = etree.HTMLParser(no_network=True, recover=True)
    try:
        return etree.fromstring(body, parser)
    except (etree.LxmlError, ValueError):
        return None
