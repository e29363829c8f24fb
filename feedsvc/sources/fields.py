"""Small readings of values that a feed of any format may hold: numbers, media types, problems."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from html import unescape
from urllib.parse import urljoin, urlsplit

from ..model import Problem

_MAX_PROBLEMS = 20
_LONGEST_WAIT = timedelta(days=366)  # keeps dates within the calendar
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+", re.ASCII)
# what a browser would not show, and what makes a new line of what follows
_UNSHOWN = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_BREAK = re.compile(r"</?(?:br|div|h[1-6]|hr|li|p|td|tr)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<![^<>]*>?")
# a character beyond the first 65,536 in two references, as some programs count
_HALVES = re.compile(
    rb"&#(?:x(d[89ab][0-9a-f]{2})|(5[56]\d{3}));&#(?:x(d[c-f][0-9a-f]{2})|(5[67]\d{3}));",
    re.IGNORECASE,
)
_ADDRESSES = frozenset({"cite", "href", "poster", "src"})
# written out, since the tables of `mimetypes` differ from machine to machine
_MEDIA_TYPES = {
    "aac": "audio/aac",
    "avif": "image/avif",
    "flac": "audio/flac",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
}


def media_type(href: str) -> str | None:
    """The media type that a URL's suffix stands for, or None."""
    try:
        path = urlsplit(href).path
    except ValueError:
        return None
    return _MEDIA_TYPES.get(path.rpartition(".")[2].lower())


def whole(value: object) -> int | None:
    """A non-negative whole number written as such or as digits; None for anything else.

    Commas may set thousands apart.
    """
    if isinstance(value, str):
        value = value.strip()
        value = value.replace(",", "") if "," in value and _THOUSANDS.fullmatch(value) else value
        return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 63:
        return None
    return int(value)


def wait(**parts: float) -> timedelta | None:
    """A duration as `timedelta` takes it, at most a year; None for zero."""
    try:
        return min(timedelta(**parts), _LONGEST_WAIT) or None
    except OverflowError:
        return _LONGEST_WAIT


def plain(html: str) -> str:
    """The text of a short piece of HTML, such as a title."""
    if "<" in html:
        html = _TAG.sub("", _BREAK.sub(" ", _UNSHOWN.sub("", html)))
    return unescape(html).strip()


def join(base: str | None, href: str | None) -> str | None:
    """Resolves a URL reference (RFC 3986 §5.2); without a base, or if it cannot be, as it is."""
    try:
        return urljoin(base, href) if base and href else href or base
    except ValueError:
        return href


def paired(data: bytes) -> bytes:
    """A document in which halves of characters (UTF-16) that are referred to are whole again."""
    return _HALVES.sub(_joined, data)


def _joined(match: re.Match[bytes]) -> bytes:
    high = int(match[1], 16) if match[1] else int(match[2])
    low = int(match[3], 16) if match[3] else int(match[4])
    if not 0xD800 <= high < 0xDC00 <= low < 0xE000:
        return match[0]
    return b"&#%d;" % (0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)


def rebased(attributes: Iterable[tuple[str, str]], base: str | None) -> list[tuple[str, str]]:
    """The attributes of an HTML element, URLs resolved but for those of places on its own page."""
    return [
        (name, (join(base, value) or "") if name in _ADDRESSES and value[:1] != "#" else value)
        for name, value in attributes
    ]


def bounded(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The first problems, and how many more there were."""
    if len(problems) <= _MAX_PROBLEMS:
        return tuple(problems)
    more = Problem(name="more", message=f"{len(problems) - _MAX_PROBLEMS} more entries")
    return (*problems[:_MAX_PROBLEMS], more)
