"""HTML of strangers made safe to show: one policy, tuned for what feeds and their readers carry.

nh3 (ammonia, html5ever) decides what may stay and is the only thing security rests on; `media.py`
then tidies pictures and players in its output. Relative URLs become absolute on the way. What may
stay is listed in `policy.py`. Nothing here knows entries.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape, unescape

import nh3

from ..tracking import words
from .media import FRAME, HIDDEN, LAZY_SETS, LAZY_SOURCES, NOSCRIPT, SPARE_SOURCES, srcset, tidy
from .policy import ATTRIBUTES, CONTENT_DROPPED, TAGS
from .strays import TAG_NAMES
from .strays import as_text as strays_as_text
from .text import clean_lines, legal
from .urls import SCHEMES, absolute, clean_url

_IMAGE_DATA = re.compile(r"data:image/(?:png|jpe?g|gif|webp|avif);base64,[A-Za-z0-9+/=\s]+\Z")
_LATE_URLS = frozenset(LAZY_SOURCES + SPARE_SOURCES)
_MEDIA_URLS = frozenset({"src", "poster", "data-poster"}) | _LATE_URLS
_SET_ATTRIBUTES = frozenset({"srcset", *LAZY_SETS})
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:left|top)\s*:\s*-\d{3,}"
    r"|(?:^|[;\s])(?:width|height)\s*:\s*[01](?:px)?\s*(?:[;!]|$)",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(r"=\s*[\"']?\s*#")
# how programs that colour code name its language
_LANGUAGE = re.compile(
    r"(?:^|\s)(?:lang(?:uage)?-|highlight-(?:source|text)-|brush:\s*)([A-Za-z0-9][\w+#.-]{0,30})"
)
_ALIGNMENTS = frozenset({"left", "right", "center", "justify"})

# One look at the tags tells nearly every text that needs nothing but cleaning
_TAG_NAMES = re.compile(r"<(/?[A-Za-z][^ \t\n\f\r/>]*)")
# tags that go without leaving anything nested otherwise
_DROPPED = frozenset(
    f"{slash}{name}" for name in ("script", "span", "style") for slash in ("", "/")
)
_DROPPED |= words("/col /hr /img /source /track /wbr")
_ORDINARY = _DROPPED | {
    f"{slash}{name}" for name in TAGS - {FRAME, NOSCRIPT} for slash in ("", "/")
}
_MOST_PASSES = 5

# `<iframe>` and `<noscript>` hold raw text to an HTML parser; under other names nh3 cleans inside.
# The others would go and leave their text glued to that of their neighbours, or are mere dialects.
_OTHER_NAMES = {
    "iframe": FRAME,
    "amp-iframe": FRAME,
    "noscript": NOSCRIPT,
    "amp-img": "img",
    "amp-video": "video",
    "amp-audio": "audio",
    "dir": "ul",
    **dict.fromkeys(words("dialog fieldset form hgroup legend main optgroup"), "div"),
}
_RENAMED = re.compile(
    rf"(</?)({'|'.join(sorted(_OTHER_NAMES, key=len, reverse=True))})(?=[\s/>])", re.IGNORECASE
)
# where a text or title merely spoke of them
_SPOKEN = re.compile(rf"(&lt;/?)({FRAME}|{NOSCRIPT})\b")
_REAL_NAMES = {FRAME: "iframe", NOSCRIPT: "noscript"}
_CLOSED_AT_ONCE = re.compile(r"<iframe\b([^<>]*)(?<=[\s\"'])/>", re.IGNORECASE)
_FRAME_TAGS = re.compile(r"<(?:iframe\b[^<>]*\ssrc\b[^<>]*|(/)iframe[^<>]*)>", re.IGNORECASE)
# as XML has it; a parser takes the end for another break
_BREAK_TWICE = re.compile(r"(<br\b[^<>]*>)\s*</br\s*/?>", re.IGNORECASE)
_ANY_PLAYER = re.compile(r"</?(?:embed|iframe|object|param)\b[^<>]*>", re.IGNORECASE)
# players of old; where there are several ways in, as in an object that holds an `embed`, the last
_EMBED = re.compile(r"<embed\b([^<>]*?)/?>(?:\s*</embed\s*>)?", re.IGNORECASE)
_OBJECT = re.compile(r"<object\b([^<>]*?\s)data(\s*=[^<>]*)>", re.IGNORECASE)
_MOVIE = re.compile(
    r"<param\b[^<>]*\bname\s*=\s*[\"']?(?:movie|src)\b[^<>]*?\svalue(\s*=[^<>]*?)/?>", re.IGNORECASE
)
_BASE = re.compile(
    r"<base\b[^<>]*?\shref\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)'|([^\s\"'<>]+))", re.IGNORECASE
)
# the parser takes the first line break in `pre` for layout (HTML §13.1.2.5)
_PRE = re.compile(r"(<pre(?: [a-z]+=\"[^\"]*\")*>)\n")

# Beyond these html5ever, which is quadratic in depth and attributes, takes seconds and minutes
_MAX_STARTS = 20_000
_MAX_DEPTH = 250
_MAX_MARKUP = 20_000
# and it adds each reference to a text by itself
_MAX_REFERENCES = 100_000
_TAG = re.compile(r"<(/?)([A-Za-z][^\s/<>]*)")
_ANY_TAG = re.compile(r"<[^<>]*>?")
_LONG_RUN = re.compile(rf"[^<>]{{{_MAX_MARKUP},}}")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_FLAT = words(
    """area base br col dd dt embed hr img input li link meta option p param rp rt source tbody td
    tfoot th thead tr track wbr"""
)


def clean(html: str, *, base: str | None = None, page: str | None = None) -> str:
    """Sanitises HTML and makes its URLs absolute against `base`; `#fragments` belong to `page`.

    No script, handler, style, form or `javascript:` survives, nor tracking pixels or parameters.
    A relative URL without a base goes, its text stays. HTML nested or attributed beyond all
    reason comes back as its text alone. What comes back is the same when cleaned again.
    """
    html = legal(html)
    if _hostile(html):
        return _text_alone(html)
    if "</br" in html:
        html = _BREAK_TWICE.sub(r"\1", html)
    tags = _TAG_NAMES.findall(html)
    names = set(tags)
    if not names <= TAG_NAMES or html.count("<") > html.count(">"):
        html = strays_as_text(html, names)
        tags = _TAG_NAMES.findall(html)
        names = set(tags)
    ordinary = names <= _ORDINARY
    if not ordinary:
        html, base = _unusual(html, names, base)
    elif not names.isdisjoint(_DROPPED):
        tags = [name for name in tags if name not in _DROPPED]
    # most entries of a feed can so share one cleaner: only the base is the same for them all
    page = page if _FRAGMENT.search(html) else None
    cleaner = _cleaner(base, page)
    cleaned = _once(cleaner, html)
    # nested as it was written, it would be so again
    if ordinary and _TAG_NAMES.findall(cleaned) == tags:
        return tidy(cleaned).strip()
    return _settled(cleaner, tidy(cleaned))


def _once(cleaner: nh3.Cleaner, html: str) -> str:
    cleaned = legal(cleaner.clean(html))
    return _PRE.sub(r"\1\n\n", cleaned) if "<pre" in cleaned else cleaned


def _unusual(html: str, names: set[str], base: str | None) -> tuple[str, str | None]:
    """HTML with elements that a sanitiser would lose under other names, and the base it names."""
    lower = {name.lower() for name in names}
    if "base" in lower and (match := _BASE.search(html)):
        base = absolute(unescape(match[1] or match[2] or match[3] or ""), base) or base
    if "embed" in lower:
        html, lower = _EMBED.sub(r"<iframe\1></iframe>", html), lower | {"iframe"}
    elif "object" in lower:
        found = _OBJECT.sub(r"<iframe\1src\2></iframe>", html)
        html = found if found != html else _MOVIE.sub(r"<iframe src\1></iframe>", html)
        lower |= {"iframe"}
    if "iframe" in lower:
        # written as in XML, or never closed, it would hold all that follows
        html = _CLOSED_AT_ONCE.sub(r"<iframe\1></iframe>", html)
        tags = _FRAME_TAGS.findall(html)
        if tags.count("/") < len(tags) - tags.count("/"):
            html = _FRAME_TAGS.sub(lambda m: "" if m[1] else f"{m[0]}</iframe>", html)
    return _renamed(html), base


def _renamed(html: str) -> str:
    return _RENAMED.sub(lambda m: m[1] + _OTHER_NAMES[m[2].lower()], html)


def _settled(cleaner: nh3.Cleaner, html: str) -> str:
    """Cleans until nothing changes: what stood in an element that went is nested anew."""
    for _ in range(_MOST_PASSES):
        if _hostile(html):
            return _text_alone(html)
        before = html
        cleaned = tidy(_once(cleaner, _renamed(html)))
        html = _SPOKEN.sub(lambda m: m[1] + _REAL_NAMES[m[2]], cleaned).strip()
        if html == before:
            break
    return html


@lru_cache(maxsize=256)
def _cleaner(base: str | None, page: str | None) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags=set(CONTENT_DROPPED),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=_attribute_filter(base, page),
        set_tag_attribute_values={"audio": {"controls": ""}, "video": {"controls": ""}},
        # the filter makes them absolute or takes them away; "deny" would come before it
        url_relative="pass_through",
        url_schemes=set(SCHEMES | {"data"}),
        link_rel=None,
    )


def _attribute_filter(base: str | None, page: str | None) -> Callable[[str, str, str], str | None]:
    def image(url: str) -> str | None:
        if url[:5].lower() == "data:":
            return url if _IMAGE_DATA.match(url) else None
        return clean_url(url, base)

    def change(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "href":
            if value.startswith("#"):
                value = (page or base or "") + value
            return clean_url(value, base, schemes=SCHEMES)
        if attribute in _MEDIA_URLS:
            if attribute in _LATE_URLS and "/" not in value and "." not in value:
                return None  # a switch, such as `data-lazy="true"`
            return image(value) if tag == "img" else clean_url(value, base)
        if attribute in _SET_ATTRIBUTES:
            return srcset(value, image)
        if attribute == "class":
            language = _LANGUAGE.search(value)
            return f"language-{language[1].lower()}" if language else None
        if attribute == "style":
            return HIDDEN if _HIDING.search(value) else None
        if attribute == "cite":
            return clean_url(value, base)
        if attribute == "align":
            return value.lower() if value.lower() in _ALIGNMENTS else None
        return value

    return change


def _hostile(html: str) -> bool:
    starts = html.count("<")
    if starts <= _MAX_DEPTH and len(html) <= _MAX_MARKUP:
        return False
    if html.count("&") > _MAX_REFERENCES:
        return True
    for run in _LONG_RUN.finditer(html):
        # ended by `>` it is a tag; a picture within it stands between quotes
        tag = html[run.end() : run.end() + 1] == ">"
        if tag and len(_QUOTED.sub("", run[0])) > _MAX_MARKUP:
            return True
    opened: dict[str, int] = {}
    depth = starts = 0
    for match in _TAG.finditer(html):
        name = match[2].lower()
        if name in _FLAT:
            continue
        if match[1]:
            if opened.get(name):
                opened[name] -= 1
                depth -= 1
            continue
        starts += 1
        depth += 1
        opened[name] = opened.get(name, 0) + 1
        if depth > _MAX_DEPTH or starts > _MAX_STARTS:
            return True
    return False


def _text_alone(html: str) -> str:
    text = legal(unescape(_ANY_TAG.sub(" ", html)).replace("\r", "\n"))
    return escape(text, quote=False).replace("\xa0", "&nbsp;").strip()


_BREAKS = re.compile(
    r"<(?:br|hr|/?(?:address|article|aside|blockquote|caption|center|dd|details|div|dl|dt|figcaption"
    r"|figure|footer|h[1-6]|header|li|menu|nav|ol|p|pre|section|summary|table|tr|ul))(?:\s[^>]*)?>"
)
_CELLS = re.compile(r"</t[dh]>")
_HIDDEN = re.compile(r"<(rt|rp)(?:\s[^>]*)?>.*?</\1>", re.DOTALL)


def to_text(html: str) -> str:
    """The text of sanitised HTML: blocks and line breaks become lines, entities characters."""
    if "<" in html:
        html = _BREAKS.sub("\n", html)
        html = _CELLS.sub(" ", html)
        if "<r" in html:
            html = _HIDDEN.sub("", html)
        html = _ANY_TAG.sub("", html)
    return clean_lines(unescape(html))


def plain(value: str) -> str:
    """The text of HTML that nobody has sanitised yet, such as a title's."""
    if "<" in value:
        return to_text(clean(_ANY_PLAYER.sub("", value)))
    return clean_lines(unescape(legal(value)))
