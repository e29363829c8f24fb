"""URLs made absolute, well-formed and free of tracking; what is dangerous becomes None.

Works on strings alone and never asks the network. Bytes that need no change get none: a server
may sign or count parameters in their order and spelling.
"""

import re
from urllib.parse import urljoin, urlsplit

from w3lib.url import safe_url_string

from ..tracking import TRACKING_NAMES, TRACKING_PREFIXES, is_tracking, words

WEB_SCHEMES = frozenset({"http", "https"})
SCHEMES = WEB_SCHEMES | words(
    """acct bitcoin dat ftp ftps gemini geo gopher ipfs irc ircs magnet mailto matrix mumble news
    nntp sip sips sms tel webcal xmpp"""
)

_MAX_LENGTH = 8000
_IGNORED = re.compile(r"[\t\n\r]+")  # inside a URL, as browsers do (WHATWG URL §4.4)
_EDGES = "".join(map(chr, range(0x21))) + "\x7f\u00a0\u200b\u200e\u200f\u2028\u2029\ufeff"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PLAIN = re.compile(r"https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?:[/?#][!#-;=?-\[\]_a-z~]*)?\Z")
_UNSAFE = re.compile(r"""[^\x21-\x7e]|["<>\\^`{|}]""")
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?\Z")
_TRACKED = re.compile(
    r"[?&;#](?:amp;)?(?:"
    + "|".join(map(re.escape, (*TRACKING_PREFIXES, *sorted(TRACKING_NAMES))))
    + ")",
    re.IGNORECASE,
)


def clean_url(
    url: str | None, base: str | None = None, *, schemes: frozenset[str] = WEB_SCHEMES
) -> str | None:
    """Makes a URL absolute against `base`, encodes what must be, and takes tracking off.

    Returns None for anything empty, relative without a base, malformed or of another scheme
    (`javascript:`, `data:`, `file:` …).
    """
    found = absolute(url, base, schemes=schemes)
    return found if found is None else without_tracking(found)


def absolute(
    url: str | None, base: str | None = None, *, schemes: frozenset[str] = WEB_SCHEMES
) -> str | None:
    """Makes a URL absolute against `base` (RFC 3986 §5.2), percent-encoding blanks and non-ASCII.

    Host names become ASCII (IDNA). Returns None where `clean_url` does, and when over 8,000 long.
    """
    if not url or len(url) > _MAX_LENGTH:
        return None
    if schemes >= WEB_SCHEMES and _PLAIN.match(url):
        return url  # most are like this, and need no second look
    url = _IGNORED.sub("", url.strip(_EDGES))
    if not url:
        return None
    scheme = _SCHEME.match(url)
    try:
        if scheme is None:
            if url.startswith("//"):
                url = "https:" + url if base is None else urljoin(base, url)
            elif base is None:
                return None
            else:
                url = urljoin(base, url)
            if schemes >= WEB_SCHEMES and _PLAIN.match(url):
                return url
            scheme = _SCHEME.match(url)
            if scheme is None:
                return None
        name = scheme[1].lower()
        if name not in schemes:
            return None
        if name in WEB_SCHEMES:
            return _web_url(url)
        return _escape(url) if len(url) > scheme.end() else None
    except ValueError:
        # urlsplit's way to say that a host is malformed
        return None


def _web_url(url: str) -> str | None:
    _ = urlsplit(url).port  # raises when it is no port number
    if _UNSAFE.search(url):
        url = _escape(url)
    # a name that has no IDNA form stays as it was, and no reader could follow it
    return url if _HOST.match(urlsplit(url).netloc.rpartition("@")[2]) else None


def _escape(url: str) -> str:
    if not _UNSAFE.search(url):
        return url
    # safe_url_string decodes with "replace"; a lone surrogate must not reach it
    text = url.encode("utf-8", "replace").decode("utf-8")
    return str(safe_url_string(text)).translate(_LEFTOVERS)


_LEFTOVERS = {ord(c): f"%{ord(c):02X}" for c in ' "<>\\^`{|}'}


def without_tracking(url: str) -> str:
    """Takes known tracking parameters out of a URL; all other bytes stay as they are.

    A fragment stays unless it consists of such parameters only (`#xtor=RSS-1`).
    """
    if ("?" not in url and "#" not in url) or not _TRACKED.search(url):
        return url
    head, hash_, fragment = url.partition("#")
    path, mark, query = head.partition("?")
    if mark:
        # `&amp;` is what a doubly escaped feed leaves behind; it separates parameters all the same
        kept = [p for p in query.split("&") if not is_tracking(p)]
        query = "&".join(kept)
        head = f"{path}?{query}" if query else path
    if hash_ and fragment and all(map(is_tracking, fragment.split("&"))):
        return head
    return head + hash_ + fragment


def host(url: str | None) -> str:
    """The host name of a URL in lower case, without `www.`; empty if there is none."""
    try:
        return (urlsplit(url or "").hostname or "").removeprefix("www.")
    except ValueError:
        return ""
