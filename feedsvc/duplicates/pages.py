"""Which page a link leads to: one name for all the ways feeds write the address of one page.

Works on strings alone and never asks the network. What is left out of an address serves counting,
a device or a transport; what could be another page elsewhere stays. A name says that two entries
may be copies, never that they are: their texts decide that (`texts`).
"""

import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from ..tracking import is_tracking, words

_MAX_LENGTH = 8000
_PORTS = {"http": 80, "https": 443}
_DEVICES = ("www.", "m.", "mobile.", "amp.")
# second-level names that are no site's own, so that `m.co.uk` is one
_SHARED = words("ac co com edu go gov ne net or org")
_MOBILE_WIKI = re.compile(r"\.m\.(?=wik\w+\.org\Z)")
_AMP_CACHE = re.compile(r"/(?:[acivw]/)?(s/)?([^/]+\.[^/]+(?:/.*)?)\Z")
_ENDINGS = re.compile(r"(?:/|/index\.(?:html?|php)|(?<=[^/])/amp)\Z")
_SESSION_PATH = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
_SESSIONS = words("jsessionid phpsessid aspsessionid")
# `?amp`, `?amp=1`, `?outputType=amp`: the same article for phones
_AMP = frozenset({"amp", "amp=", "amp=1", "amp=true", "outputtype=amp", "output=amp"})
# `?source=rss`: that a reader comes by a feed
_BY_FEED = re.compile(
    r"(?:campaign|cmp|cmpid|from|medium|partner|ref|source|src|via)=(?:atom|feed|rss|rss2)\Z",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})?")
_PLAIN = re.compile(r"[A-Za-z0-9._~/:;=?@!$&'()*+,-]*")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def page_of(link: str | None) -> str | None:
    """The canonical address of the page that a link leads to; None where it names no one page.

    `http:` and `https:`, `www.`, `m.` and AMP, default ports, tracking and session parameters,
    their order, fragments but `#!…`, a slash or `index.html` at the end, case of the host and
    needless percent-encoding make no difference (RFC 3986 §6.2). A site's front page is the page
    of no entry. The answer is its own canonical address.
    """
    if not link or len(link) > _MAX_LENGTH:
        return None
    try:
        return _page(link.strip())
    except ValueError:
        # urlsplit's way to say that a host or port is malformed
        return None


def site_of(link: str | None) -> str | None:
    """The host of the site that a link leads to, whichever device it is for; None for none."""
    if not link or len(link) > _MAX_LENGTH:
        return None
    try:
        host = urlsplit(link.strip()).hostname
        return _bare(_ascii(host)) or None if host else None
    except ValueError:
        return None


def _page(link: str) -> str | None:
    parts = urlsplit(link)
    scheme = parts.scheme
    if scheme not in _PORTS or not parts.hostname:
        return None
    full, port = _ascii(parts.hostname), parts.port
    if not full:
        return None
    path = _path(parts.path)
    if cached := _cached(full, path):
        query = f"?{parts.query}" if parts.query else ""
        return _page(f"https://{cached}{query}#{parts.fragment}")
    host = _bare(full)
    if port in (None, _PORTS[scheme]):
        # where the port is another, the two schemes are two servers
        scheme, where = "https", host
    else:
        where = f"{host}:{port}"
    query = "&".join(sorted(_parameters(parts.query), key=_name))
    bang = _encoded(parts.fragment) if parts.fragment.startswith("!") else ""
    bang = "" if bang.strip("!/") == "" else f"#{bang}"
    if not path and not query and not bang:
        return None
    return f"{scheme}://{where}{path or '/'}" + (f"?{query}" if query else "") + bang


def _ascii(host: str) -> str:
    host = host.lower().rstrip(".")
    if host.isascii():
        return f"[{host}]" if ":" in host else host
    return host.encode("idna").decode("ascii")


def _bare(host: str) -> str:
    """A host without what only says which device it is for."""
    host = _MOBILE_WIKI.sub(".", host)
    while prefix := next((one for one in _DEVICES if host.startswith(one)), None):
        rest = host.removeprefix(prefix)
        labels = rest.split(".")
        country = len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SHARED
        if len(labels) < 2 or country or rest.replace(".", "").isdigit():
            break
        host = rest
    return host


def _cached(host: str, path: str) -> str | None:
    """Host and path of the page that an AMP cache shows a copy of."""
    if host.endswith(".cdn.ampproject.org"):
        found = _AMP_CACHE.match(path)
    elif re.match(r"www\.google\.[a-z.]+\Z", host) and path.startswith("/amp/"):
        found = _AMP_CACHE.match(path.removeprefix("/amp"))
    else:
        return None
    return found[2] if found else None


def _path(path: str) -> str:
    kept: list[str] = []
    for segment in _encoded(_SESSION_PATH.sub("", path)).split("/")[1:]:
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(segment)
    path = "".join(f"/{segment}" for segment in kept)
    while (shorter := _ENDINGS.sub("", path)) != path:
        path = shorter
    return path


def _parameters(query: str) -> Iterator[str]:
    for parameter in _encoded(query).replace("%20", "+").split("&"):
        while parameter.startswith("amp;"):
            # what a doubly escaped feed leaves behind
            parameter = parameter.removeprefix("amp;")
        plain = parameter.lower()
        if not parameter or is_tracking(parameter) or plain in _AMP:
            continue
        if _name(plain) in _SESSIONS or _BY_FEED.match(plain):
            continue
        yield parameter


def _name(parameter: str) -> str:
    return parameter.partition("=")[0]


def _encoded(text: str) -> str:
    """A text with one percent-encoding (RFC 3986 §6.2.2): what needs none has none."""
    if _PLAIN.fullmatch(text):
        return text

    def one(match: re.Match[str]) -> str:
        if match[1] is None:
            return "%25"
        char = chr(int(match[1], 16))
        return char if char in _UNRESERVED else f"%{match[1].upper()}"

    return quote(_PERCENT.sub(one, text), safe="%/:;=?@!$&'()*+,~", errors="surrogatepass")
