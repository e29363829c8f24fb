"""What feedparser's dictionaries mean in our words: one feed head, and its entries one by one.

Every value is looked at before it is believed, because an unheard-of element may put anything in
any place. Nothing is cleaned or resolved here; that is the task of normalisation.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from ..model import Category, Link, ParsedEntry, Person, Problem, SourceMeta, Text
from ..polls import Hints
from ..vocabulary import Extension, flat, seconds
from .carrying import CARRIED
from .dialects import PARTIAL, SOUND, read_date
from .fields import join, media_type, plain, wait, whole
from .saxdriver import PERMALINK

Raw = Mapping[str, Any]

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_PICTURES = frozenset({"image/avif", "image/gif", "image/jpeg", "image/png", "image/webp"})
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_NOWHERE = re.compile(r"\s*(?:https?:/*\s*\Z|javascript:|data:)", re.IGNORECASE)
_IANA = ("http://www.iana.org/assignments/relation/", "https://www.iana.org/assignments/relation/")
_SUMMARIES = ("summary", "itunes_summary", "dc_description", "media_description", "itunes_subtitle")
_SUBTITLES = ("subtitle", "itunes_subtitle", "itunes_summary", "dc_description")
_AUTHORS = (
    re.compile(
        r"(?:mailto:)?(?P<email>[^\s@<>()]+@[^\s@<>()]+)(?:\s*\((?P<name>.*)\))?", re.DOTALL
    ),
    re.compile(
        r"(?P<name>.*?)\s*[<(](?:mailto:)?(?P<email>[^\s@<>()]+@[^\s@<>()]+)[>)]", re.DOTALL
    ),
)
_PERIODS = {"hourly": 1 / 24, "daily": 1.0, "weekly": 7.0, "monthly": 30.0, "yearly": 365.0}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What all entries of a feed share: where it is, what it is relative to, its language."""

    atom: bool
    base: str | None
    lang: str | None


def entries(raw: Sequence[Raw], feed: Feed) -> tuple[list[ParsedEntry], list[Problem]]:
    """Maps entries one by one; one that cannot be is a problem and leaves the others alone."""
    mapped: list[ParsedEntry] = []
    problems: list[Problem] = []
    for number, one in enumerate(raw, 1):
        try:
            parsed = entry(one, feed)
            if parsed.content is None and (kind := _unread(one)):
                said = f"its content of type {kind} cannot be shown; the rest of it is"
                problems.append(Problem(name=parsed.uid or f"entry {number}", message=said))
            if parsed == ParsedEntry(base=parsed.base, lang=parsed.lang):
                problems.append(Problem(name=f"entry {number}", message="it holds nothing to show"))
            else:
                mapped.append(parsed)
        except (TypeError, ValueError, AttributeError, LookupError) as error:
            name = string(one, "id") or string(one, "title") or f"entry {number}"
            problems.append(Problem(name=name, message=f"it cannot be read: {error}"))
    return mapped, problems


def entry(raw: Raw, feed: Feed) -> ParsedEntry:
    """Maps one entry (RFC 4287 §4.1.2; the RSS `item`)."""
    title = _title(raw)
    summary = next(filter(None, (text(raw, name) for name in _SUMMARIES)), None)
    body = _body(raw)
    details = [body, *(mapping(raw, f"{name}_detail") for name in (*_SUMMARIES, "title"))]
    # what it says of itself, before what a text in it says of that text
    langs = (string(raw, "language"), *(string(x, "language") for x in details), feed.lang)
    base = next(filter(None, (string(x, "base") for x in details)), None)
    published = moment(raw, "published") or moment(raw, "created")
    source = mapping(raw, "source")
    carried = _carried(raw)
    return ParsedEntry(
        uid=string(raw, "id"),
        title=title,
        links=tuple(_links(raw, feed, carried)),
        summary=summary,
        content=_text(body),
        authors=_persons(raw, "author"),
        contributors=_persons(raw, "contributor"),
        categories=_categories(raw),
        published=published,
        updated=moment(raw, "updated"),
        published_text=next(
            filter(None, (string(raw, name) for name in ("published", "created", "updated"))), None
        ),
        rights=_plain(raw, "rights"),
        lang=next(filter(None, langs), None),
        base=join(feed.base, base),
        source=meta(source, feed.base) if source else None,
        extensions=carried,
    )


def meta(raw: Raw, base: str | None) -> SourceMeta:
    """Maps a feed's head, or an `atom:source` or RSS `source` (RFC 4287 §4.2.11)."""
    links = list(_plain_links(raw))
    image = mapping(raw, "image")
    return SourceMeta(
        id=string(raw, "id"),
        title=_plain(raw, "title"),
        subtitle=next(filter(None, (_plain(raw, name) for name in _SUBTITLES)), None),
        link=join(base, _first(links, "alternate")) if _first(links, "alternate") else None,
        # an RSS `source` names its feed in an attribute; a head's is that of its author's page
        self_link=_first(links, "self") or (None if links else string(raw, "href")),
        authors=_persons(raw, "author"),
        categories=_categories(raw),
        rights=_plain(raw, "rights"),
        icon=string(raw, "icon"),
        logo=string(raw, "logo") or string(image, "href"),
        lang=string(raw, "language"),
        updated=moment(raw, "updated") or moment(raw, "published"),
        hub=_first(links, "hub"),
    )


def deleted(raw: Raw) -> dict[str, datetime | None]:
    """The ids of entries that a feed says it has removed, and when (RFC 6721 §3)."""
    gone = mappings(raw, "deleted_entries")
    return {ref: moment(one, "when") for one in gone if (ref := string(one, "ref"))}


def hints(raw: Raw) -> Hints:
    """What a feed says of its rhythm: RSS `ttl`, `skipHours`, `skipDays`, the syndication module.

    RSS counts hours from 0 to 23, but in 0.91 from 1 to 24: hour 24 is hour 0.
    """
    update = None
    if period := _PERIODS.get((string(raw, "sy_updateperiod") or "").lower()):
        update = wait(days=period / (whole(string(raw, "sy_updatefrequency")) or 1))
    told = map(whole, _texts(raw, "skipped_hours"))
    hours = {hour % 24 for hour in told if hour is not None and hour <= 24}
    days = {text.strip().lower()[:3] for text in _texts(raw, "skipped_days")}
    return Hints(
        ttl=wait(minutes=whole(string(raw, "ttl")) or 0),
        update=update,
        skip_hours=tuple(sorted(hours)),
        skip_days=tuple(day for day, name in enumerate(_DAYS) if name in days),
    )


def _texts(raw: Raw, name: str) -> list[str]:
    value = _get(raw, name)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


# -- values ------------------------------------------------------------------------------


def string(raw: Raw, name: str) -> str | None:
    """A text that is not blank, stripped."""
    value = _get(raw, name)
    return value.strip() or None if isinstance(value, str) else None


def mapping(raw: Raw, name: str) -> Raw:
    """A dictionary, empty if there is none."""
    value = _get(raw, name)
    return value if isinstance(value, dict) else {}


def mappings(raw: Raw, name: str) -> list[Raw]:
    """The dictionaries in a list."""
    value = _get(raw, name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def moment(raw: Raw, name: str) -> datetime | None:
    """A date as aware UTC: as feedparser reads it where it is sure to be right, else as we do."""
    wording = _get(raw, name)
    if not isinstance(wording, str):
        return None
    wording = wording.strip()
    if not SOUND.fullmatch(wording):
        found = read_date(wording)
        if found or not PARTIAL.fullmatch(wording):
            return found
    value = _get(raw, f"{name}_parsed")
    if not isinstance(value, tuple):
        # a month of three letters that is not English looks just as sound
        return read_date(wording)
    try:
        year, month, day, hour, minute, second = value[:6]
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (TypeError, ValueError):
        return None


def text(raw: Raw, name: str) -> Text | None:
    """A text construct with its type, from `name` and `name_detail`; None when blank."""
    return _text(mapping(raw, f"{name}_detail"))


def _title(raw: Raw) -> Text | None:
    """An entry's own title; `title_detail` may be that of a picture inside the entry."""
    found, own = text(raw, "title"), _get(raw, "title")
    if found is None or not isinstance(own, str) or not own.strip() or own == found.value:
        return found
    return replace(found, value=own)


def _get(raw: Raw, name: str) -> object:
    # feedparser's own lookup invents `updated` from `published` and maps names to others
    return dict.get(raw, name) if isinstance(raw, dict) else None


def _text(detail: Raw) -> Text | None:
    value, kind = _get(detail, "value"), _kind(detail)
    if not isinstance(value, str) or not value.strip():
        return None
    if kind in _PICTURES and _BASE64.fullmatch(value):
        # what is not text stands in Base64 (RFC 4287 §4.1.3.3)
        value, kind = f'<img src="data:{kind};base64,{"".join(value.split())}">', "text/html"
    shown: Literal["text", "html"] = "html" if kind in _HTML else "text"
    if shown == "text" and not kind.startswith("text/"):
        return None
    return Text(value=value, type=shown, lang=string(detail, "language"))


def _kind(detail: Raw) -> str:
    return string(detail, "type") or "text/plain"


def _unread(raw: Raw) -> str | None:
    """The media type of an entry's content where it is none that can be shown."""
    inside = [one for one in mappings(raw, "content") if string(one, "src") is None]
    kinds = (_kind(one) for one in inside if _text(one) is None)
    return next(
        (kind for kind in kinds if kind not in _HTML and not kind.startswith("text/")), None
    )


def _plain(raw: Raw, name: str) -> str | None:
    value = text(raw, name)
    if value is None:
        return string(raw, name)
    return plain(value.value) or None if value.type == "html" else value.value.strip()


def _body(raw: Raw) -> Raw:
    """The `content` to show: the first in HTML, else the first in text."""
    texts = [one for one in mappings(raw, "content") if _text(one)]
    html = [one for one in texts if not _kind(one).startswith("text/") or _kind(one) in _HTML]
    return next(iter(html or texts), {})


def _persons(raw: Raw, role: str) -> tuple[Person, ...]:
    found: dict[str, Person] = {}
    for one in mappings(raw, f"{role}s"):
        name, email = _name_and_email(string(one, "name"))
        email, uri = string(one, "email") or email, string(one, "href")
        name = name or email or uri
        if name is None:
            continue
        known = found.get(name.casefold())
        found[name.casefold()] = Person(
            name=known.name if known else name,
            email=(known.email if known else None) or email,
            uri=(known.uri if known else None) or uri,
        )
    return tuple(found.values())


def _name_and_email(text: str | None) -> tuple[str | None, str | None]:
    """Takes `ann@example.org (Ann)` and `Ann <ann@example.org>` apart, as RSS writes authors."""
    if text is None or "@" not in text or len(text) > 500:
        return text, None
    for pattern in _AUTHORS:
        if match := pattern.fullmatch(text):
            found = match.groupdict()
            return (found.get("name") or "").strip(' "') or None, found["email"]
    return text, None


def _categories(raw: Raw) -> tuple[Category, ...]:
    return tuple(
        dict.fromkeys(
            Category(term=term, scheme=string(one, "scheme"), label=string(one, "label"))
            for one in mappings(raw, "tags")
            if (term := string(one, "term") or string(one, "label"))
        )
    )


# -- links -------------------------------------------------------------------------------


def _plain_links(raw: Raw) -> Iterator[Link]:
    for one in mappings(raw, "links"):
        href = string(one, "href")
        if href is None:
            continue
        rel = string(one, "rel") or "alternate"
        for registry in _IANA:
            rel = rel.removeprefix(registry)
        yield Link(
            href=href,
            rel=rel,
            type=string(one, "type"),
            hreflang=string(one, "hreflang"),
            title=string(one, "title"),
            length=whole(string(one, "length")),
        )


def _first(links: Sequence[Link], rel: str) -> str | None:
    return next((link.href for link in links if link.rel == rel), None)


def _carried(raw: Raw) -> tuple[Extension, ...]:
    """The elements of other vocabularies; how many replies there are may stand in a link."""
    carried: list[Extension] = raw.get(CARRIED, [])
    if not any(one.name == "thr:total" for one in carried):
        counts = (string(one, "thr:count") for one in mappings(raw, "links"))
        if count := next(filter(None, counts), None):
            return (*carried, Extension(name="thr:total", text=count))
    return tuple(carried)


def _links(raw: Raw, feed: Feed, carried: Sequence[Extension]) -> Iterator[Link]:
    seen: set[tuple[str, str]] = set()
    found = [*_pages(raw, feed), *_about(raw), *_media(raw)]
    durations = _durations(carried, found) if carried else {}
    for link in found:
        if (link.rel, link.href) not in seen:
            seen.add((link.rel, link.href))
            duration = durations.get(link.href) if link.rel == "enclosure" else None
            yield replace(link, duration=duration) if duration else link


def _durations(carried: Sequence[Extension], links: Sequence[Link]) -> dict[str, int]:
    """How long enclosures play: as each one's `media:content` says, or the episode for the first.

    An episode has one enclosure that plays; others are it again, or something else.
    """
    found: dict[str, int] = {}
    for one in flat(carried):
        href, length = one.get("url"), seconds(one.get("duration"))
        if one.name == "media:content" and href and length:
            found[href.strip()] = length
    said = (one.text for one in carried if one.name == "itunes:duration")
    if length := seconds(next(said, None)):
        files = [link for link in links if link.rel == "enclosure"]
        main = next((link for link in files if _plays(link)), next(iter(files), None))
        if main:
            found.setdefault(main.href, length)
    return found


def _plays(link: Link) -> bool:
    return (link.type or media_type(link.href) or "").startswith(("audio/", "video/"))


def _pages(raw: Raw, feed: Feed) -> Iterator[Link]:
    links = list(_plain_links(raw))
    original = string(raw, "feedburner_origlink")
    if original:  # the address before a counting service replaced it
        yield Link(href=original)
        links = [link for link in links if link.rel != "alternate"]
    yield from links
    guid = string(raw, "id") or ""
    led = any(link.rel == "alternate" and not _NOWHERE.match(link.href) for link in links)
    if not (led or feed.atom or original) and _get(raw, PERMALINK) and guid.startswith("http"):
        # where there is no link, or none that leads anywhere
        yield Link(href=guid)
    for one in mappings(raw, "content"):
        if (src := string(one, "src")) is not None:
            # a recording is not the page of an entry, even if there is no other
            played = _kind(one).startswith(("audio/", "image/", "video/"))
            beside = played or original or _first(links, "alternate")
            rel = "enclosure" if beside else "alternate"
            yield Link(href=src, rel=rel, type=string(one, "type"))


def _about(raw: Raw) -> Iterator[Link]:
    if comments := string(raw, "comments"):
        yield Link(href=comments, rel="replies", type="text/html")
    if comments := string(raw, "wfw_commentrss"):
        yield Link(href=comments, rel="replies", type="application/rss+xml")


def _media(raw: Raw) -> Iterator[Link]:
    """Media RSS files as enclosures; a picture is none, but stands for the entry."""
    for one in mappings(raw, "media_content"):
        href = string(one, "url")
        kind = string(one, "type") or (media_type(href) if href else None)
        if href is None or kind == "text/html":  # a player's page is no file
            continue
        if "image" not in (string(one, "medium"), (kind or "").partition("/")[0]):
            yield Link(href=href, rel="enclosure", type=kind, length=whole(string(one, "filesize")))
