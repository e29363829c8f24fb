"""HTML of strangers made safe to show: one policy, tuned for what feeds and their readers carry.

nh3 (ammonia, html5ever) decides what may stay and is the only thing security rests on; `media.py`
then tidies pictures and players in its output. Relative URLs become absolute on the way. Nothing
here knows entries.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape, unescape

import nh3

from .media import (
    FRAME,
    HIDDEN,
    LAZY_SETS,
    LAZY_SOURCES,
    NOSCRIPT,
    SPARE_SOURCES,
    srcset,
    tidy,
)
from .text import clean_lines, legal, words
from .urls import SCHEMES, WEB_SCHEMES, absolute, clean_url

_MATHML = words(
    """math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot
    mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover
    semantics"""
)
_TAGS = (
    words(
        """a abbr acronym article aside audio b bdi bdo big blockquote br caption cite code col
    colgroup dd del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header
    hr i img ins kbd li mark ol p picture pre q rp rt ruby s samp section small source
    strike strong sub summary sup table tbody td tfoot th thead time tr track tt u ul var video
    wbr"""
    )
    | _MATHML
    | {FRAME}
)
# Their content is no text for people, or text only of a form or a picture
_CONTENT_DROPPED = words(
    """annotation annotation-xml applet button datalist frameset head noembed noframes script
    select style svg template textarea title"""
)
_ATTRIBUTES: dict[str, frozenset[str]] = {
    "*": frozenset({"dir", "lang", "title"}),
    "a": frozenset({"href", "hreflang", "type"}),
    "audio": frozenset({"src"}),
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "del": frozenset({"datetime"}),
    "details": frozenset({"open"}),
    "img": frozenset({"alt", "height", "sizes", "src", "srcset", "style", "width"}),
    "ins": frozenset({"datetime"}),
    "li": frozenset({"value"}),
    "ol": frozenset({"reversed", "start", "type"}),
    "source": frozenset({"media", "sizes", "src", "srcset", "type"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "time": frozenset({"datetime"}),
    "track": frozenset({"default", "kind", "label", "src", "srclang"}),
    "video": frozenset({"height", "poster", "src", "width"}),
    "math": frozenset({"alttext", "display"}),
    "mo": frozenset({"stretchy"}),
    "mtd": frozenset({"columnalign", "columnspan", "rowspan"}),
    "mi": frozenset({"mathvariant"}),
    FRAME: frozenset({"allowfullscreen", "height", "src", "style", "width"}),
}
_LAZY_ATTRIBUTES = frozenset(LAZY_SOURCES + SPARE_SOURCES + LAZY_SETS)
_LAZY = re.compile("|".join(sorted(_LAZY_ATTRIBUTES)), re.IGNORECASE)

_IMAGE_DATA = re.compile(r"data:image/(?:png|jpe?g|gif|webp|avif);base64,[A-Za-z0-9+/=\s]+\Z")
_URL_ATTRIBUTES = frozenset({"href", "src", "poster", *LAZY_SOURCES, *SPARE_SOURCES})
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden"
    r"|(?:^|[;\s])(?:width|height)\s*:\s*[01](?:px)?\s*(?:[;!]|$)",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(r"=\s*[\"']?\s*#")
_SET_ATTRIBUTES = frozenset({"srcset", *LAZY_SETS})

# `<iframe>` and `<noscript>` hold raw text to an HTML parser; under other names nh3 cleans inside
_RAW = re.compile(r"(</?)(iframe|noscript)(?=[\s/>])", re.IGNORECASE)
_RAW_NAMES = {"iframe": FRAME, "noscript": NOSCRIPT}
# where a text or title merely spoke of them
_RENAMED = re.compile(rf"(&lt;/?)({FRAME}|{NOSCRIPT})\b")
_REAL_NAMES = {name: raw for raw, name in _RAW_NAMES.items()}

# Beyond these html5ever, which is quadratic in depth and attributes, takes seconds and minutes
_MAX_STARTS = 20_000
_MAX_DEPTH = 250
_MAX_MARKUP = 20_000
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
    reason comes back as its text alone.
    """
    html = legal(html)
    if _hostile(html):
        return escape(unescape(_ANY_TAG.sub(" ", html)), quote=False)
    lazy = _LAZY.search(html) is not None
    html = _RAW.sub(lambda m: m[1] + _RAW_NAMES[m[2].lower()], html)
    # most entries of a feed can so share one cleaner: only the base is the same for them all
    page = page if _FRAGMENT.search(html) else None
    cleaned = tidy(legal(_cleaner(base, page, lazy).clean(html)))
    return _RENAMED.sub(lambda m: m[1] + _REAL_NAMES[m[2]], cleaned).strip()


@lru_cache(maxsize=256)
def _cleaner(base: str | None, page: str | None, lazy: bool) -> nh3.Cleaner:
    attributes = {tag: set(names) for tag, names in _ATTRIBUTES.items()}
    dropped = set(_CONTENT_DROPPED)
    if lazy:
        attributes["img"] |= _LAZY_ATTRIBUTES
        attributes["source"] |= _LAZY_ATTRIBUTES
        # what stands there is the same picture again
        dropped.add(NOSCRIPT)
    return nh3.Cleaner(
        tags=set(_TAGS),
        clean_content_tags=dropped,
        attributes=attributes,
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
        return absolute(url, base)

    def change(tag: str, attribute: str, value: str) -> str | None:
        if attribute in _URL_ATTRIBUTES:
            if attribute == "href":
                if value.startswith("#"):
                    value = (page or base or "") + value
                return clean_url(value, base, schemes=SCHEMES)
            return image(value) if tag == "img" else absolute(value, base, schemes=WEB_SCHEMES)
        if attribute in _SET_ATTRIBUTES:
            return srcset(value, image)
        if attribute == "style":
            return HIDDEN if _HIDING.search(value) else None
        return value

    return change


def _hostile(html: str) -> bool:
    starts = html.count("<")
    if starts <= _MAX_DEPTH and len(html) <= _MAX_MARKUP:
        return False
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


_BREAKS = re.compile(
    r"<(?:br|hr|/?(?:article|aside|blockquote|caption|dd|details|div|dl|dt|figcaption|figure|footer"
    r"|h[1-6]|header|li|ol|p|pre|section|summary|table|tr|ul))(?:\s[^>]*)?>"
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
        return to_text(clean(value))
    return clean_lines(unescape(legal(value)))
