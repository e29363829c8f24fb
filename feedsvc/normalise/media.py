"""Pictures and players in sanitised HTML: late-loaded ones put in place, trackers taken out.

Works on the serialisation nh3 writes, in which every attribute is quoted and holds neither `<`,
`>` nor a bare quote, so that patterns see exactly the elements a parser would. It only takes away
what the sanitiser let through, or writes elements of its own making.
"""

import re
from collections.abc import Callable
from html import escape, unescape
from urllib.parse import urlsplit

from .text import words
from .urls import host

# Elements that the sanitiser knows in place of `iframe` and `noscript`
FRAME = "feedsvc-frame"
NOSCRIPT = "feedsvc-noscript"

# Where pages that load pictures late keep the address; the spare ones often stand beside a real one
LAZY_SOURCES = ("data-src", "data-lazy-src", "data-original")
SPARE_SOURCES = ("data-orig-file", "data-hi-res-src")
LAZY_SETS = ("data-srcset", "data-lazy-srcset")
# What the sanitiser makes of a `style` that hides an element; no other value passes it
HIDDEN = "display:none"

FRAME_HOSTS = words(
    """archive.org bandcamp.com dailymotion.com geo.dailymotion.com embed.podcasts.apple.com
    media.ccc.de open.spotify.com player.bilibili.com player.twitch.tv player.vimeo.com
    vimeo.com w.soundcloud.com youtube-nocookie.com youtube.com"""
)
_SANDBOX = "allow-scripts allow-same-origin allow-popups allow-presentation"
_TRACKER_HOSTS = words(
    """2o7.net api.flattr.com api.follow.it bat.bing.com counter.yadro.ru doubleclick.net
    feeds.feedburner.com feedsportal.com google-analytics.com googletagmanager.com mc.yandex.ru
    pixel.mathtag.com pixel.quantserve.com pixel.wp.com px.ads.linkedin.com quantserve.com
    scorecardresearch.com smartadserver.com statcounter.com stats.wordpress.com top-fwz1.mail.ru
    webtrends.com xiti.com"""
)
_TRACKER_PATHS = re.compile(
    r"/(?:piwik|matomo)\.php\b|/__utm\.gif\b|//(?:feeds?|rss)\.[^/]+/~(?:a|at|f|ff|r)/"
    r"|blogger\.googleusercontent\.com/tracker/|facebook\.com/tr[/?]|medium\.com/_/stat\b"
    r"|list-manage\.com/track/open|/wf/open\?|/republication-tracker-tool"
    r"|theconversation\.com/content/\d+/count\.gif"
)
_ATTRIBUTES = re.compile(r' ([a-z][a-z-]*)="([^"]*)"')
_PICTURE = re.compile(r'<(img|source)((?: [a-z][a-z-]*="[^"]*")*)>')
_FRAMED = re.compile(
    rf'<{FRAME}((?: [a-z][a-z-]*="[^"]*")*)>((?:(?!</?{FRAME}).)*)</{FRAME}>', re.DOTALL
)
_LEFT_OVER = re.compile(rf"</?{FRAME}[^>]*>")
_EMPTY_LINK = re.compile(r'<a(?: [a-z][a-z-]*="[^"]*")*>\s*</a>')
_CANDIDATE = re.compile(r"[\s,]*([^\s,]\S*)(?:\s+([^,]*))?")
_DESCRIPTOR = re.compile(r"\d+(?:\.\d+)?[wxh](?: \d+h)?\Z")
_SIZE = re.compile(r"\d{1,5}%?\Z")
_PLACEHOLDER = re.compile(
    r"^data:|\b(?:1x1|blank|grey|gr[ae]y|lazy|loading|pixel|placeholder|spacer|transparent|trans)"
    r"[\w.-]*\.(?:gif|png|svg|jpe?g|webp)\b",
    re.IGNORECASE,
)


def tidy(html: str) -> str:
    """Puts pictures and embedded players of sanitised HTML right.

    A picture loaded late gets its address, one without any goes, as do tracking pixels and the
    links they leave empty; a player stays where its host is known, else becomes a link to it.
    """
    if "<img" in html or "<source" in html:
        pictures = html.count("<img")
        html = _PICTURE.sub(_picture, html)
        if html.count("<img") < pictures:
            html = _EMPTY_LINK.sub("", html)
    if f"<{FRAME}" in html:
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


def _write(attributes: dict[str, str]) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())


def _picture(match: re.Match[str]) -> str:
    tag, serialised = match[1], match[2]
    attributes = _attributes(serialised)
    lazy = "data-" in serialised
    if lazy:
        _load(attributes)
    src = attributes.get("src", "")
    if tag == "source":
        if not src and "srcset" not in attributes:
            return ""
    elif (not src and "srcset" not in attributes) or _is_tracker(attributes):
        return ""
    if not lazy and "style" not in attributes:
        return match[0]
    attributes.pop("style", None)
    return f"<{tag}{_write(attributes)}>"


def _load(attributes: dict[str, str]) -> None:
    late = [attributes.pop(name, "") for name in LAZY_SOURCES]
    spare = [attributes.pop(name, "") for name in SPARE_SOURCES]
    sets = [attributes.pop(name, "") for name in LAZY_SETS]
    src = attributes.get("src", "")
    if not src or _PLACEHOLDER.search(src):
        late += [*spare, src]
    else:
        late += [src]
    best = next(filter(None, late), "")
    if best:
        attributes["src"] = best
    srcset = next(filter(None, sets), "")
    if srcset:
        attributes["srcset"] = srcset


def _is_tracker(attributes: dict[str, str]) -> bool:
    if "style" in attributes:
        return True
    sizes = [attributes[side] for side in ("width", "height") if side in attributes]
    if sizes and all(size.removesuffix("px") in {"0", "1"} for size in sizes):
        return True
    src = attributes.get("src", "")
    return _tracker_host(src) or _TRACKER_PATHS.search(src) is not None


def _tracker_host(url: str) -> bool:
    name = host(url)
    while name:
        if name in _TRACKER_HOSTS:
            return True
        name = name.partition(".")[2]
    return False


def _frame(match: re.Match[str]) -> str:
    attributes = _attributes(match[1])
    src = attributes.get("src", "")
    if not src or _is_tracker(attributes):
        return ""
    name = host(src)
    if name not in FRAME_HOSTS:
        return f'<a href="{escape(src)}">{escape(name)}</a>'
    parts = urlsplit(src)
    netloc = "www.youtube-nocookie.com" if name == "youtube.com" else parts.netloc
    kept = {"src": parts._replace(scheme="https", netloc=netloc).geturl()}
    for side in ("width", "height"):
        if _SIZE.match(attributes.get(side, "")):
            kept[side] = attributes[side]
    # a player may run its own scripts, but neither leave its frame nor move the page
    return f'<iframe{_write(kept)} sandbox="{_SANDBOX}" allowfullscreen=""></iframe>'
