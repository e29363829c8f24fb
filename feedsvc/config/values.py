"""How single values are written: durations, sizes, URLs, addresses, names, and back into text.

Each reader takes what TOML, a variable or a flag holds and raises `ValueError` saying what is
expected; one that reads a secret never repeats it. What belongs together across keys is checked in
`checks`.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from ipaddress import ip_address, ip_network
from string import Formatter
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from ..errors import ConfigError, QueryError
from ..log import mask
from ..model import SourceKind, slugify
from ..query import parse

RESERVED_FEEDS = ("all", "query", "sources", "stories", "tags")

# the schemes of `store.url`: those of the store's backends, and other names people write for them
STORE_SCHEMES = ("sqlite", "postgresql", "postgresql+psycopg", "postgres")

LEAST_SHARE = 5
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([0-9]{1,10})\s*([smhdw])", re.IGNORECASE)
_LONGEST = 36_525 * 86_400
_SIZE = re.compile(r"([0-9]{1,15})\s*(?:([kmg]?)(i?)b)?", re.IGNORECASE)
_STORE_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_AUTHORITY = re.compile(
    rf"(?:[a-z0-9._-]+@)?{_LABEL}(?:\.{_LABEL})*"
    r",([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?",
    re.IGNORECASE,
)
# Names inside private networks have underscores too.
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_-]+)*\.?", re.IGNORECASE)
# `[address]` and `[address]:port`, or `host:port`
_PORTED = re.compile(r"(?:\[([^\]]+)\]|([^:]+)(?=:))(?::([0-9]{1,5}))?")
_LANGUAGE = re.compile(r"[a-z]{1,8}(-[a-z0-9]{1,8})*", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CREDENTIALS = re.compile(r"(basic|bearer|digest|token|apikey)\s+\S.*|[^:]+:.*", re.IGNORECASE)


def duration(text: str) -> timedelta:
    """Reads a duration that somebody typed. Raises `ConfigError`."""
    try:
        return read_duration(text)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def read_duration(value: Any) -> timedelta:
    """Reads `"90s"`, `"30m"`, `"12h"`, `"1d"`, `"2w"`; a number without a unit is refused."""
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        number = re.fullmatch(r"[0-9]+", str(value).strip())
        example = f'"{number[0]}s" or "{number[0]}m"' if number else '"90s", "30m", "12h", "1d"'
        raise ValueError(
            f"{quoted(value)} is not a duration: write a number with its unit, as in {example}"
        )
    seconds = int(found[1]) * _SECONDS[found[2].lower()]
    if seconds > _LONGEST:
        raise ValueError(f"{quoted(value)} is more than a hundred years")
    return timedelta(seconds=seconds)


def read_some_duration(value: Any) -> timedelta:
    """Reads a duration longer than zero."""
    read = read_duration(value)
    if not read:
        raise ValueError(f"{quoted(value)} is no time at all: write a longer duration")
    return read


def write_duration(value: timedelta) -> str:
    """Writes a duration with the largest unit, up to days, that divides it."""
    seconds = int(value.total_seconds())
    for unit in "dhm":
        if seconds % _SECONDS[unit] == 0 and (seconds or unit == "d"):
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def read_size(value: Any) -> int:
    """Reads `"16MiB"`, `"500kB"` or a plain number of bytes; never zero."""
    found = None if isinstance(value, bool) else _SIZE.fullmatch(str(value).strip())
    if found is None or not int(found[1]):
        raise ValueError(
            f'{quoted(value)} is not a size: write a whole number with its unit, as in "16MiB"'
        )
    power = " kmg".index((found[2] or " ").lower())
    factor: int = (1024 if found[3] else 1000) ** power
    return int(found[1]) * factor


def write_size(value: int) -> str:
    """Writes a number of bytes with the largest binary unit that divides it."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value % factor == 0:
            return f"{value // factor}{unit}"
    return f"{value}B"


def share(value: Any) -> str:
    """A share of a page, `"25%"`: whole percent, of which so few that a page has many sources."""
    found = re.fullmatch(r"([0-9]{1,3})\s*%?", str(value).strip())
    if found is None or isinstance(value, bool) or not LEAST_SHARE <= int(found[1]) <= 100:
        example = f'from "{LEAST_SHARE}%" to "100%"'
        raise ValueError(f"{quoted(value)} is not a share of a page: write percents {example}")
    return f"{int(found[1])}%"


def whole_number(value: Any) -> Any:
    """Makes `true`, which would pass for 1, text that is no number; the rest is pydantic's."""
    return str(value).lower() if isinstance(value, bool) else value


def one_or_many(value: Any) -> Any:
    """Lets one text stand for a list of one."""
    return (value,) if isinstance(value, str) else value


def base_url(value: str) -> str:
    """An absolute http(s) URL without query or fragment; a trailing slash is dropped."""
    parts = _http(value)
    if parts is None or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(
            f'{quoted(value)} is not the URL of a site: write it as in "https://feeds.example.org"'
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def http_url(value: str) -> str:
    """An absolute http(s) URL."""
    if _http(value) is None:
        raise ValueError(f'{quoted(value)} is not an absolute URL: write "https://…"')
    return value.strip()


def _http(value: str) -> SplitResult | None:
    """The parts of an absolute http(s) URL, or None if it is none."""
    try:
        parts = urlsplit(value.strip())
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if sound and not re.search(r"\s", value.strip()) else None


def authority(value: str) -> str:
    """The authority of tag: URIs: a name you own and a date on which you did (RFC 4151 §2.1)."""
    found = _AUTHORITY.fullmatch(value.strip())
    try:
        if found is None:
            raise ValueError("no name and date")
        date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError as error:
        raise ValueError(
            f"{quoted(value)} is not the authority of a tag: URI (RFC 4151): write a host name or "
            'e-mail address of yours, a comma, and a date, as in "example.org,2026"'
        ) from error
    return found[0].lower()


def language(value: str) -> str:
    """A language tag (RFC 5646 §2.1)."""
    if not _LANGUAGE.fullmatch(value):
        raise ValueError(f'{quoted(value)} is not a language tag: write "en" or "pt-BR"')
    return value


def store_url(value: str) -> str:
    """The URL of a database: `sqlite:///path` or `postgresql://user:password@host/name`."""
    value = value.strip()
    scheme, colon, path = value.partition("://")
    if not colon or not _STORE_SCHEME.fullmatch(scheme):
        raise ValueError(
            'not the URL of a database: write "sqlite:///data/feedsvc.db" or '
            '"postgresql://USER:PASSWORD@HOST/NAME"'
        )
    if scheme not in STORE_SCHEMES:
        raise ValueError(
            f'there is no store for "{scheme}:": write "sqlite:///data/feedsvc.db" or '
            '"postgresql://USER:PASSWORD@HOST/NAME"'
        )
    if scheme == "sqlite" and not re.match(r"/[^/]|//.", path):
        example = path.strip("/") or "data/feedsvc.db"
        raise ValueError(
            f'{quoted(value)} has too few slashes: write "sqlite:///{example}" for a file below '
            f'the working directory, "sqlite:////{example}" for an absolute path'
        )
    return value


def host(value: str) -> str:
    """A host name or address to listen on."""
    value = value.strip()
    if not _is_host(value):
        raise ValueError(
            f'{quoted(value)} is not an address to listen on: write "0.0.0.0" or "::1"'
        )
    return value


def address(value: str) -> str:
    """One exact exception to the private-network refusal.

    A host name or address, with or without a port, or a network in CIDR notation.
    """
    value = value.strip().lower()
    ported = _PORTED.fullmatch(value)
    name = (ported[1] or ported[2]) if ported else value
    port = int(ported[3] or 1) if ported else 1
    try:
        if "/" in value:
            ip_network(value)
        elif not _is_host(name) or not 0 < port < 65_536:
            raise ValueError("neither a host nor an address")
    except ValueError as error:
        reason = f" ({error})" if "host bits" in str(error) else ""
        raise ValueError(
            f"{quoted(value)} is not an exact exception{reason}: write a host, an address or a "
            'network, as in "nas.lan", "127.0.0.1:8081", "[::1]:8081" or "10.1.0.0/16"'
        ) from error
    return value


def _is_host(text: str) -> bool:
    if ":" in text or re.fullmatch(r"[0-9.]+", text):
        try:
            ip_address(text)
        except ValueError:
            return False
        return True
    return _HOST.fullmatch(text) is not None


def user_agent(value: str) -> str:
    """A header value in which `{version}` and `{base_url}` are filled in."""
    try:
        names = {name for _, name, _, _ in Formatter().parse(value) if name is not None}
    except ValueError as error:
        raise ValueError(f"{quoted(value)} has a brace without its partner") from error
    unknown = sorted(names - {"version", "base_url"})
    if unknown:
        raise ValueError(
            f"{quoted(value)} names {{{unknown[0]}}}: {{version}} and {{base_url}} can be filled in"
        )
    return header_value(value)


def header_name(value: str) -> str:
    """A header field's name (RFC 9110 §5.1)."""
    if not _HEADER_NAME.fullmatch(value):
        raise ValueError(f'{quoted(value)} is not a header\'s name: write one as in "X-Api-Key"')
    return value


def header_value(value: str) -> str:
    """A header field's value (RFC 9110 §5.5)."""
    if not value.strip() or not all(" " <= char <= "~" for char in value):
        raise ValueError("a header's value is visible ASCII characters and blanks")
    return value.strip()


def credentials(value: str) -> str:
    """What proves who asks: `user:password`, or a scheme and its token (RFC 7617, RFC 6750)."""
    if not value.isprintable() or not _CREDENTIALS.fullmatch(value.strip()):
        raise ValueError('write "user:password" or "Bearer TOKEN"')
    return value.strip()


def token(value: str) -> str:
    """A token that fits into a URL's query and a header, or nothing."""
    if not all("!" <= char <= "~" for char in value):
        raise ValueError("a token is visible ASCII characters without blanks")
    return value


def some_token(value: str) -> str:
    """A token that is not empty."""
    if not value:
        raise ValueError("an empty token would let everyone in: write one or leave it out")
    return token(value)


def slug(value: str) -> str:
    """A name for URLs: lower-case letters, digits and single hyphens."""
    near = slugify(value)
    if not value or near != value:
        hint = f': write "{near}"' if near else ""
        raise ValueError(
            f"{quoted(value)} is not a name for URLs (lower-case letters, digits, hyphens){hint}"
        )
    return value


def feed_name(value: str) -> str:
    """The name of a named feed, which stands beside our own in URLs."""
    if value in RESERVED_FEEDS:
        raise ValueError(
            f"/feeds/{value} is always there, as are those of {', '.join(RESERVED_FEEDS)}: "
            "choose another name"
        )
    return slug(value)


def query(value: str) -> str:
    """A query that parses; the error points into it."""
    try:
        parse(value)
    except QueryError as error:
        raise ValueError(f"{error}\n{error.pointer()}") from error
    return value


def regex(value: str) -> str:
    """A regular expression."""
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{quoted(value)} is not a regular expression: {error}") from error
    return value


def tag(value: str) -> str:
    """A tag as people write it; it must leave a slug."""
    if not slugify(value):
        raise ValueError(f"{quoted(value)} is not a tag: it needs a letter or digit")
    return value.strip()


# what is polled at a location with such a scheme; without a scheme it is a directory's path
SOURCE_SCHEMES: Mapping[str, SourceKind] = {"http": "feed", "https": "feed"}


def location(value: str) -> str:
    """Where a source is: a directory's path or an http(s) URL."""
    value = value.strip()
    scheme = _SCHEME.match(value)
    if not value:
        raise ValueError("a source needs the path of a directory or the URL of a feed")
    if scheme is None:
        return value
    if scheme[1].lower() == "file":
        path = re.sub(r"^file:(//(localhost)?(?=/))?", "", value, flags=re.IGNORECASE)
        raise ValueError(f'{quoted(value)}: write the path itself, "{path or "seeds"}"')
    kind = SOURCE_SCHEMES.get(scheme[1].lower())
    if kind is None:
        raise ValueError(
            f"{quoted(value)}: a source is a directory or an http(s) URL, not {scheme[1]}:"
        )
    if kind != "feed":
        return value
    parts = _http(value)
    if parts is None:
        raise ValueError(f'{quoted(value)} is not a URL: write it as in "https://example.org/feed"')
    if parts.username is not None:
        raise ValueError(
            "a location is shown to everyone: take user and password out of it and write "
            'auth = "user:password" beside it'
        )
    return value


def quoted(value: object) -> str:
    """A value in an error, as TOML would write it: cut where it is long, secrets masked."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{shorten(value)}"' if isinstance(value, str) else shorten(str(value))


def shorten(text: str) -> str:
    """A text in an error: cut where it is long, secrets masked."""
    text = mask(text)
    return text if len(text) <= 80 else f"{text[:79]}…"
