"""Elements of other vocabularies that an entry carries: podcasts, media, places, threads.

They come in with an entry, are kept beside what we understand of it, and go out again in every
format that can hold them. Here are the record, the vocabularies that are kept with the names they
go by, and the few readings that formats share. Reading and writing are for sources and formats.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec


class Extension(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, repr_omit_defaults=True
):
    """One extension element (RFC 4287 §6.4): `name` is `prefix:local`, the prefix one of ours."""

    name: str
    text: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple["Extension", ...] = ()

    def get(self, attribute: str) -> str | None:
        """The value of an attribute."""
        return next((value for name, value in self.attributes if name == attribute), None)


# by our prefix: the names that a vocabulary goes by, the first being the one we write
VOCABULARIES: dict[str, tuple[str, ...]] = {
    "itunes": (
        "http://www.itunes.com/dtds/podcast-1.0.dtd",
        "http://itunes.com/dtds/podcast-1.0.dtd",
        "http://example.com/dtds/podcast-1.0.dtd",
    ),
    "podcast": (
        "https://podcastindex.org/namespace/1.0",
        "https://github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
    ),
    "media": (
        "http://search.yahoo.com/mrss/",
        "http://video.search.yahoo.com/mrss",
        "http://tools.search.yahoo.com/mrss/",
        "http://www.rssboard.org/media-rss",
    ),
    "dc": ("http://purl.org/dc/elements/1.1/", "http://purl.org/dc/elements/1.0/"),
    "dcterms": ("http://purl.org/dc/terms/",),
    "slash": ("http://purl.org/rss/1.0/modules/slash/",),
    "thr": ("http://purl.org/syndication/thread/1.0",),
    "wfw": ("http://wellformedweb.org/CommentAPI/",),
    "georss": ("http://www.georss.org/georss", "http://www.georss.org/georss/10"),
    "gml": ("http://www.opengis.net/gml", "http://www.opengis.net/gml/3.2"),
    "geo": ("http://www.w3.org/2003/01/geo/wgs84_pos#",),
    "psc": ("http://podlove.org/simple-chapters",),
    "yt": ("http://www.youtube.com/xml/schemas/2015", "http://gdata.youtube.com/schemas/2007"),
    "googleplay": (
        "http://www.google.com/schemas/play-podcasts/1.0",
        "http://www.google.com/schemas/play-podcasts/1.0/play-podcasts.xsd",
    ),
    "rawvoice": ("http://www.rawvoice.com/rawvoiceRssModule/",),
    "prism": (
        "http://prismstandard.org/namespaces/basic/2.0/",
        "http://prismstandard.org/namespaces/basic/3.0/",
        "http://prismstandard.org/namespaces/1.2/basic/",
    ),
    "arxiv": ("http://arxiv.org/schemas/atom",),
}
NAMESPACES = {prefix: names[0] for prefix, names in VOCABULARIES.items()}


def _spelt(namespace: str) -> str:
    # many a program writes `https:` in them, or leaves a slash out
    return namespace.lower().replace("https:", "http:").rstrip("/")


_PREFIXES = {_spelt(name): prefix for prefix, names in VOCABULARIES.items() for name in names}

# how count those that change without the entry changing
VOLATILE = frozenset(
    {"media:community", "slash:comments", "slash:hit_parade", "thr:total", "yt:statistics"}
)
# texts that say again, or in other words, what an entry's own texts say
TEXTS = frozenset(
    {
        "dcterms:abstract",
        "googleplay:description",
        "itunes:subtitle",
        "itunes:summary",
        "itunes:title",
        "media:description",
        "media:text",
        "media:title",
    }
)


_PICTURES = (
    ("media:thumbnail", "url"),
    ("itunes:image", "href"),
    ("itunes:image", "url"),
    ("itunes:link", "href"),
    ("googleplay:image", "href"),
)
_PICTURE = re.compile(r"\.(?:avif|gif|jpe?g|png|svg|webp)(?:[?#]|\Z)", re.IGNORECASE)


def prefix_of(namespace: str | None) -> str | None:
    """Our prefix for a namespace that is kept, however it is spelt; None for any other."""
    return _PREFIXES.get(_spelt(namespace)) if namespace else None


def flat(extensions: Iterable[Extension]) -> Iterator[Extension]:
    """The elements and all within them, in document order."""
    for one in extensions:
        yield one
        yield from flat(one.children)


def is_picture(extension: Extension) -> bool:
    """Whether it is a `media:content` that is a picture, as it says itself or its name does."""
    if extension.name != "media:content":
        return False
    said = extension.get("medium") or (extension.get("type") or "").partition("/")[0]
    return said == "image" if said else bool(_PICTURE.search(extension.get("url") or ""))


def pictures(extensions: Iterable[Extension]) -> Iterator[str]:
    """The addresses of pictures that stand for an entry, those made to stand for it first."""
    found = list(flat(extensions))
    for name, attribute in _PICTURES:
        for one in found:
            if one.name == name and (href := one.get(attribute)):
                yield href
    yield from banners(found)


def banners(extensions: Iterable[Extension]) -> Iterator[str]:
    """The addresses of pictures that belong to an entry, in full size."""
    for one in flat(extensions):
        if is_picture(one) and (href := one.get("url")):
            yield href


def without_texts(extensions: Iterable[Extension]) -> tuple[Extension, ...]:
    """The elements but for those that are texts about the entry, at any depth."""
    return tuple(
        msgspec.structs.replace(one, children=without_texts(one.children)) if one.children else one
        for one in extensions
        if one.name not in TEXTS
    )


def seconds(duration: str | None) -> int | None:
    """A duration as podcasts write it (`3600`, `1:00:00`, `59:30`, `3600.5`) in whole seconds."""
    parts = (duration or "").strip().split(":")
    if not 1 <= len(parts) <= 3 or len(duration or "") > 30:
        return None
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    total = sum(number * 60**power for power, number in enumerate(reversed(numbers)))
    return round(total) if all(number >= 0 for number in numbers) and 0 < total < 1e8 else None
