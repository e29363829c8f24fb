"""Reads JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), as a whole or one item of it.

Values of a wrong type are taken for absent, because one odd field must not cost an entry; an item
that says nothing at all is a problem of its own. "Item" is JSON Feed's word for an entry.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from ..errors import ParseError
from ..model import Category, Link, ParsedEntry, Person, Problem, SourceMeta, Text
from ..vocabulary import Extension
from .base import Reading
from .dialects import read_date
from .documents.decode import decode
from .fields import bounded, join, media_type, whole

Object = Mapping[str, Any]

_VERSIONS = ("https://jsonfeed.org/version/", "http://jsonfeed.org/version/")


def parse_jsonfeed(body: bytes, *, url: str | None = None) -> Reading:
    """Reads a JSON Feed; an item that cannot be read becomes a problem.

    `url` is where it came from. Raises `ParseError` when it is no JSON, with its line, or no feed.
    """
    feed = load(body)
    if not isinstance(feed, dict):
        raise ParseError(f"this is JSON, but not a JSON Feed: {_kind(feed)} and not an object")
    items, version = feed.get("items"), feed.get("version")
    known = isinstance(version, str) and version.startswith(_VERSIONS)
    if not isinstance(items, list) or not (known or "title" in feed):
        wanted = '"items"' if known else '"version": "https://jsonfeed.org/version/1.1"'
        raise ParseError(f"this is JSON, but not a JSON Feed: it has no {wanted}")
    language = _string(feed, "language")
    home = join(url, _string(feed, "home_page_url"))
    entries: list[ParsedEntry] = []
    problems: list[Problem] = []
    for number, item in enumerate(items, 1):
        try:
            entries.append(parse_item(item, base=home or url, feed_language=language))
        except ParseError as error:
            problems.append(Problem(name=f"item {number}", message=str(error)))
    return Reading(
        entries=tuple(entries),
        problems=bounded(problems),
        meta=SourceMeta(
            title=_string(feed, "title"),
            subtitle=_string(feed, "description"),
            link=_string(feed, "home_page_url"),
            self_link=_string(feed, "feed_url"),
            authors=_authors(feed),
            icon=_string(feed, "favicon"),
            logo=_string(feed, "icon"),
            lang=language,
            hub=_hub(feed),
        ),
    )


def parse_item(
    item: object, *, base: str | None = None, feed_language: str | None = None
) -> ParsedEntry:
    """Reads one item, wherever it stands.

    `base` is what its URLs are relative to, `feed_language` its language unless it names one.
    Raises `ParseError` when it is not an object or has neither id, URL, title nor text.
    """
    if not isinstance(item, dict):
        raise ParseError(f"it is {_kind(item)} and not an object")
    html, plain = _string(item, "content_html"), _string(item, "content_text")
    title, summary = _string(item, "title"), _string(item, "summary")
    content = Text(value=html, type="html") if html else Text(value=plain) if plain else None
    links = tuple(_links(item))
    uid = _id(item)
    if not (uid or links or title or summary or content):
        raise ParseError("it has neither id, url, title nor content")
    published, updated = _string(item, "date_published"), _string(item, "date_modified")
    return ParsedEntry(
        uid=uid,
        title=Text(value=title) if title else None,
        links=links,
        summary=Text(value=summary) if summary else None,
        content=content,
        authors=_authors(item),
        categories=tuple(Category(term=tag) for tag in dict.fromkeys(_strings(item, "tags"))),
        published=moment(published),
        updated=moment(updated),
        published_text=published or updated,
        lang=_string(item, "language") or feed_language,
        base=base,
        extensions=tuple(_pictures(item)),
    )


def load(body: bytes) -> object:
    """Parses JSON in any encoding of Unicode, or one that it should not be in.

    Raises `ParseError` with the line.
    """
    try:
        encoding = json.detect_encoding(body)
        stray = encoding.startswith("utf-8") and not _is_utf_8(body)
        text = decode(body) if stray else body.decode(encoding, "replace")
        value: object = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise ParseError(
            f"it is not valid JSON: {error.msg} in line {error.lineno}", line=error.lineno
        ) from error
    except (ValueError, RecursionError) as error:
        raise ParseError(f"its JSON cannot be read: {error}") from error
    return value


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def moment(text: str | None) -> datetime | None:
    """Reads an RFC 3339 date as aware UTC, and whatever else feeds have instead."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
        return when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return read_date(text)


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
    return "null" if value is None else kinds.get(type(value), "a number")


def _string(owner: Object, name: str) -> str | None:
    value = owner.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _strings(owner: Object, name: str) -> Iterator[str]:
    value = owner.get(name)
    for one in value if isinstance(value, list) else ():
        if isinstance(one, str) and one.strip():
            yield one.strip()


def _objects(owner: Object, name: str) -> list[Object]:
    value = owner.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _id(item: Object) -> str | None:
    value = item.get("id")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)  # a string by the specification, yet often a number
    return _string(item, "id")


def _authors(owner: Object) -> tuple[Person, ...]:
    single = owner.get("author")  # version 1.0
    found: dict[str, Person] = {}
    for one in (*_objects(owner, "authors"), *([single] if isinstance(single, dict) else [])):
        uri = _string(one, "url")
        mailto = uri is not None and uri[:7].lower() == "mailto:"
        email = unquote(uri[7:].partition("?")[0]) if uri and mailto else None
        name = _string(one, "name") or email or uri
        if name:
            found.setdefault(name, Person(name=name, email=email, uri=None if email else uri))
    return tuple(found.values())


def _links(item: Object) -> Iterator[Link]:
    seen: set[tuple[str, str]] = set()
    for link in (*_pages(item), *_attachments(item)):
        if (link.rel, link.href) not in seen:
            seen.add((link.rel, link.href))
            yield link


def _pages(item: Object) -> Iterator[Link]:
    if url := _string(item, "url"):
        yield Link(href=url)
    if url := _string(item, "external_url"):
        yield Link(href=url, rel="via")


def _attachments(item: Object) -> Iterator[Link]:
    for one in _objects(item, "attachments"):
        if url := _string(one, "url"):
            yield Link(
                href=url,
                rel="enclosure",
                type=_string(one, "mime_type") or media_type(url),
                title=_string(one, "title"),
                length=whole(one.get("size_in_bytes")),
                duration=whole(one.get("duration_in_seconds")),
            )


def _pictures(item: Object) -> Iterator[Extension]:
    """The pictures that stand for an item, in the words that other formats have for them."""
    if url := _string(item, "image"):
        yield Extension(name="media:thumbnail", attributes=(("url", url),))
    if url := _string(item, "banner_image"):
        yield Extension(name="media:content", attributes=(("url", url), ("medium", "image")))


def _hub(feed: Object) -> str | None:
    hubs: Sequence[Object] = _objects(feed, "hubs")
    websub = [hub for hub in hubs if (_string(hub, "type") or "").lower() == "websub"]
    return next((url for hub in websub if (url := _string(hub, "url"))), None)
