"""The sources that the configuration declares, and how a source gets its id."""

import hashlib
import os
import re
from collections.abc import Container
from pathlib import PurePath
from urllib.parse import parse_qsl, unquote, urlsplit

from ..model import Source, SourceKind, slugify
from .schema import Config, SourceConfig
from .values import SOURCE_SCHEMES

# What gives access must not show in an id: names of such parameters, and long unspoken strings.
_SECRET_NAME = re.compile(
    r"auth|token|secret|pass|key|sig|hash|user|session|\bu?id$", re.IGNORECASE
)
_SECRET_LOOK = re.compile(r"(?=[^-_]*\d)[0-9A-Za-z+=]{10,}")
_SUFFIX = re.compile(r"\.(xml|rss|atom|rdf|json|php|aspx?|jsp|cgi|html?)$", re.IGNORECASE)
# Parts of a path that only say that a feed is a feed.
_DULL = frozenset(
    [
        *("feed", "feeds", "rss", "rss1", "rss2", "rdf", "atom", "atom1", "xml", "json", "index"),
        *("default", "www", "syndication", "format", "alt", "type"),
    ]
)


def source_kind(location: str) -> SourceKind:
    """What a location is: a URL is a feed, a path a directory."""
    scheme, colon, _ = location.partition(":")
    return SOURCE_SCHEMES.get(scheme.lower(), "directory") if colon else "directory"


def source_id(location: str, taken: Container[str] = ()) -> str:
    """Derives a source's id from its location, always the same one.

    A directory gives the slug of its name; a URL that of its host and the telling parts of its path
    and query (`https://example.org/feed.xml` → `example-org`). If that is among `taken`, or if a
    part was left out because it may be a secret, a short hash of the location follows it.
    """
    hidden = False
    if source_kind(location) == "feed":
        slug, hidden = _from_url(location)
    else:
        slug = _from_path(location)
    slug = slug or "source"
    if slug not in taken and not hidden:
        return slug
    digest = hashlib.sha256(location.encode("utf-8", "surrogatepass")).hexdigest()
    length = 6
    while (named := f"{slug[:70]}-{digest[:length]}") in taken:
        length += 1
    return named


def declared_sources(config: Config) -> tuple[Source, ...]:
    """The sources of `[[sources]]`, in their order.

    Ids that are written down come first; where two derived ones meet, the later one gets a hash.
    Subscriptions of `opml` files are not among them.
    """
    taken = {source.id for source in config.sources if source.id}
    found: list[Source] = []
    for declared in config.sources:
        id = declared.id or source_id(declared.location, taken)
        taken.add(id)
        found.append(_source(declared, id))
    return tuple(found)


def _source(declared: SourceConfig, id: str) -> Source:
    return Source(
        id=id,
        kind=source_kind(declared.location),
        location=declared.location,
        title=declared.title,
        tags=declared.tags,
        interval=declared.interval,
        enabled=declared.enabled,
        origin="config",
        headers=tuple(declared.headers.items()),
        auth=declared.auth,
        fulltext=declared.fulltext,
        max_entries=declared.max_entries,
        keep=declared.keep,
        drop=declared.drop,
    )


def _from_path(location: str) -> str:
    name = PurePath(location).name
    if name in ("", ".", ".."):
        name = PurePath(os.path.abspath(location)).name  # noqa: PTH100  (resolve() follows links)
    return slugify(name.replace(".", "-"))


def _from_url(location: str) -> tuple[str, bool]:
    """The slug of a URL, and whether something was left out of it that may be a secret."""
    parts = urlsplit(location)
    host = (parts.hostname or "").removeprefix("www.")
    port = parts.port if parts.port not in (None, 80, 443) else None
    words = [unquote(part) for part in parts.path.split("/")]
    public = [word for word in words if not _SECRET_LOOK.search(word)]
    arguments = parse_qsl(parts.query)
    public += (
        value
        for name, value in arguments
        if not _SECRET_NAME.search(name) and not _SECRET_LOOK.search(value)
    )
    slugs = (
        slugify(re.sub(r"[.~+]", "-", _SUFFIX.sub("", word))) for word in (str(port or ""), *public)
    )
    telling = [slug for slug in slugs if slug and slug not in _DULL]
    slug = slugify("-".join([slugify(host.replace(".", "-").replace(":", "-")), *telling]))
    return slug, len(public) < len(words) + len(arguments)
