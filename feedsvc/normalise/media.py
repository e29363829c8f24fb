"""Pictures and sound in sanitised HTML: late-loaded ones put in place, trackers taken out.

Works on the serialisation nh3 writes, in which every attribute is quoted and holds neither `<`,
`>` nor a bare quote, so that patterns see exactly the elements a parser would. It only takes away
what the sanitiser let through, or writes elements of its own making.
"""

import re
from collections.abc import Callable
from html import unescape

from ..tracking import TRACKER_PATHS, is_tracker_host
from .players import embedded, write
from .urls import host

# Elements that the sanitiser knows in place of `iframe` and `noscript`
FRAME = "feedsvc-frame"
NOSCRIPT = "feedsvc-noscript"

# Where pages that load pictures late keep the address; the spare ones often stand beside a real one
LAZY_SOURCES = (
    *("data-src", "data-lazy-src", "data-original", "data-orig-src", "data-lazy", "data-lazyload"),
    *("data-echo", "data-actualsrc", "data-cfsrc", "data-ezsrc", "data-rocket-src"),
)
SPARE_SOURCES = ("data-orig-file", "data-large-file", "data-hi-res-src", "data-image")
LAZY_SETS = ("data-srcset", "data-lazy-srcset", "data-ezsrcset")
# What the sanitiser makes of a `style` that hides an element; no other value passes it
HIDDEN = "display:none"

_SERIALISED = r'(?: [a-z][a-z-]*="[^"]*")*'
_ATTRIBUTES = re.compile(r' ([a-z][a-z-]*)="([^"]*)"')
_MEDIUM = re.compile(rf"<(img|source|video|audio)({_SERIALISED})>")
_FRAMED = re.compile(rf"<{FRAME}({_SERIALISED})>((?:(?!</?{FRAME}).)*)</{FRAME}>", re.DOTALL)
_FALLBACK = re.compile(
    rf"(?:<img({_SERIALISED})>\s*)?<{NOSCRIPT}{_SERIALISED}>(.*?)</{NOSCRIPT}>", re.DOTALL
)
_SHOWN = re.compile(
    rf"<(img|{FRAME})({_SERIALISED})>(?:(?:(?!</?{FRAME}).)*</{FRAME}>)?", re.DOTALL
)
_LEFT_OVER = re.compile(rf"</?(?:{FRAME}|{NOSCRIPT})[^>]*>")
_EMPTY_LINK = re.compile(rf"<a{_SERIALISED}>\s*</a>")
_EMPTY_PICTURE = re.compile(rf"<picture{_SERIALISED}>\s*(?:<source{_SERIALISED}>\s*)*</picture>")
_EMPTY_PLAYER = re.compile(r'<(video|audio)(?: (?!src=)[a-z][a-z-]*="[^"]*")*>\s*</\1>')
_CANDIDATE = re.compile(r"[\s,]*([^\s,]\S*)(?:\s+([^,]*))?")
_DESCRIPTOR = re.compile(r"\d+(?:\.\d+)?[wxh](?: \d+h)?\Z")
_PLACEHOLDER = re.compile(
    r"^data:|\b(?:1x1|blank|grey|gr[ae]y|lazy|loading|pixel|placeholder|spacer|transparent|trans)"
    r"[\w.-]*\.(?:gif|png|svg|jpe?g|webp)\b",
    re.IGNORECASE,
)
_PICTURE_FILE = re.compile(r"[^?#]*\.(?:avif|gif|jpe?g|png|svg|webp)(?=[?#])", re.IGNORECASE)


def tidy(html: str) -> str:
    """Puts pictures and embedded players of sanitised HTML right.

    A picture loaded late gets its address, and its fallback goes; one without any address goes,
    as do tracking pixels and the links they leave empty; a player stays where it is a known one,
    else becomes a link to it.
    """
    if f"<{NOSCRIPT}" in html:
        html = _with_fallbacks(html)
    pictures = html.count("<img")
    players = int("<video" in html or "<audio" in html)
    if pictures or players or "<source" in html:
        html = _MEDIUM.sub(_medium, html)
        if html.count("<img") < pictures:
            html = _EMPTY_LINK.sub("", _EMPTY_PICTURE.sub("", html))
        while players:
            html, players = _EMPTY_PLAYER.subn("", html)
    if "<feedsvc-" in html:
        html = _LEFT_OVER.sub("", _FRAMED.sub(_frame, html))
    return html


def srcset(value: str, resolve: Callable[[str], str | None]) -> str | None:
    """Makes the URLs of a `srcset` absolute; None when none is left (HTML §4.8.4.2.2)."""
    found: list[str] = []
    position = 0
    while match := _CANDIDATE.match(value, position):
        url, descriptor = match[1], " ".join((match[2] or "").split())
        position = match.end()
        if url.endswith(","):
            # the comma belongs to the list; what followed it is the next candidate
            url, descriptor = url.rstrip(","), ""
            position = match.end(1)
        target = resolve(url)
        if target is None or target[:5] == "data:":
            continue
        if descriptor and not _DESCRIPTOR.match(descriptor):
            continue
        found.append(f"{target} {descriptor}".rstrip())
    return ", ".join(found) or None


def _attributes(serialised: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in _ATTRIBUTES.findall(serialised)}


def _medium(match: re.Match[str]) -> str:
    tag, serialised = match[1], match[2]
    attributes = _attributes(serialised)
    changed = "data-" in serialised
    if changed:
        _load(attributes)
    src = attributes.get("src", "")
    if tag == "img":
        if not src and "srcset" in attributes:
            # for readers that do not choose
            attributes["src"] = src = _first(attributes["srcset"])[0]
            changed = True
        if not src or _is_tracker(attributes):
            return ""
        changed = changed or "style" in attributes
        attributes.pop("style", None)
    elif tag == "source" and not src and "srcset" not in attributes:
        return ""
    return f"<{tag}{write(attributes)}>" if changed else match[0]


def _load(attributes: dict[str, str]) -> None:
    late = [attributes.pop(name, "") for name in LAZY_SOURCES]
    spare = [attributes.pop(name, "") for name in SPARE_SOURCES]
    sets = [attributes.pop(name, "") for name in LAZY_SETS]
    poster = attributes.pop("data-poster", "")
    src = attributes.get("src", "")
    srcset = next(filter(None, sets), "")
    if srcset:
        attributes["srcset"] = srcset
    if not src or _PLACEHOLDER.search(src):
        late += [*spare, *(_first(srcset) if src else ()), src]
    else:
        late += [src]
    best = next(filter(None, late), "")
    if best:
        attributes["src"] = best
    if poster:
        attributes["poster"] = poster


def _first(srcset: str) -> list[str]:
    """The first address of a set that this module wrote."""
    return [srcset.partition(" ")[0].rstrip(",")] if srcset else []


def _is_tracker(attributes: dict[str, str]) -> bool:
    if "style" in attributes or "hidden" in attributes:
        return True
    sizes = [attributes[side] for side in ("width", "height") if side in attributes]
    if sizes and all(size.removesuffix("px") in {"0", "1"} for size in sizes):
        return True
    src = attributes.get("src", "")
    return is_tracker_host(host(src)) or TRACKER_PATHS.search(src) is not None


def _with_fallbacks(html: str) -> str:
    """Puts what stands in `noscript` in its place, but nothing that is there anyway."""
    elsewhere = _FALLBACK.sub(lambda m: f"<img{m[1]}>" if m[1] else "", html)
    there = {_file(value) for name, value in _ATTRIBUTES.findall(elsewhere) if "src" in name}

    def once(shown: re.Match[str]) -> str:
        url = next((value for name, value in _ATTRIBUTES.findall(shown[2]) if name == "src"), "")
        return "" if url and _file(url) in there else shown[0]

    def fallback(match: re.Match[str]) -> str:
        left = _SHOWN.sub(once, match[2])
        if left != match[2]:
            left = _EMPTY_LINK.sub("", _EMPTY_PICTURE.sub("", left))
        if match[1] is None:
            return left
        src = _attributes(match[1]).get("src", "")
        if "<img" in left and "data-" not in match[1] and _PLACEHOLDER.search(src):
            return left
        return f"<img{match[1]}>{left}"

    return _FALLBACK.sub(fallback, html)


def _file(url: str) -> str:
    # services that make pictures smaller name the size in the query
    file = _PICTURE_FILE.match(url)
    return file[0] if file else url


def _frame(match: re.Match[str]) -> str:
    attributes = _attributes(match[1])
    if "data-" in match[1]:
        _load(attributes)
    if not attributes.get("src") or _is_tracker(attributes):
        return ""
    return embedded(attributes)
