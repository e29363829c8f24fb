"""JSON-LD of a page: the article among what search engines are told (schema.org `NewsArticle`)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ...model import Person
from .base import one_line

_DEEPEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedArticle:
    """What a page says of its article; empty where it says nothing."""

    headline: str = ""
    description: str = ""
    body: str = ""
    published: str = ""
    updated: str = ""
    url: str = ""
    lang: str = ""
    image: str = ""
    authors: tuple[Person, ...] = ()
    tags: tuple[str, ...] = ()


def find_article(blocks: list[str]) -> LinkedArticle:
    """Finds the first article in a page's JSON-LD blocks; those that are not JSON say nothing."""
    for block in blocks:
        try:
            # pages write line breaks into strings, which JSON forbids
            data = json.loads(block.strip().rstrip(";"), strict=False)
        except (ValueError, RecursionError):
            continue
        for node in _nodes(data, _DEEPEST):
            if _is_article(node):
                return _article(node)
    return LinkedArticle()


def _nodes(data: object, depth: int) -> Iterator[dict[str, object]]:
    if isinstance(data, list) and depth:
        for element in data:
            yield from _nodes(element, depth - 1)
    elif isinstance(data, dict):
        yield data
        for key in ("@graph", "mainEntity", "hasPart"):
            if depth and key in data:
                yield from _nodes(data[key], depth - 1)


def _is_article(node: dict[str, object]) -> bool:
    kinds = node.get("@type")
    return any(
        isinstance(kind, str) and kind.endswith(("Article", "Posting", "Report"))
        for kind in (kinds if isinstance(kinds, list) else [kinds])
    )


def _article(node: dict[str, object]) -> LinkedArticle:
    return LinkedArticle(
        headline=one_line(_text(node.get("headline")) or _text(node.get("name"))),
        description=one_line(_text(node.get("description"))),
        body=_text(node.get("articleBody")).strip(),
        published=_text(node.get("datePublished")),
        updated=_text(node.get("dateModified")),
        url=_text(node.get("url")) or _text(node.get("mainEntityOfPage")),
        lang=_text(node.get("inLanguage")),
        image=_text(node.get("image")),
        authors=tuple(filter(None, map(_person, _each(node.get("author"))))),
        tags=(*_words(node.get("keywords")), *_words(node.get("articleSection"))),
    )


def _each(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str:
    """A text, or that of the first element, or what names a node."""
    if isinstance(value, list):
        return next(filter(None, map(_text, value)), "") if len(value) < 1000 else ""
    if isinstance(value, dict):
        names = (value.get(key) for key in ("url", "@id", "name", "alternateName", "@value"))
        return next((name for name in names if isinstance(name, str) and name), "")
    return value if isinstance(value, str) else ""


def _words(value: object) -> list[str]:
    """Keywords as a list, or as one text with commas."""
    if isinstance(value, str):
        return value.split(",")
    named = (v.get("name") if isinstance(v, dict) else v for v in _each(value))
    return [word for word in named if isinstance(word, str)]


def _person(value: object) -> Person | None:
    if isinstance(value, str):
        return Person(name=one_line(value)) if value.strip() else None
    if not isinstance(value, dict):
        return None
    name, url, email = (value.get(key) for key in ("name", "url", "email"))
    if not isinstance(name, str) or not name.strip():
        return None
    return Person(
        name=one_line(name),
        uri=url if isinstance(url, str) and url else None,
        email=email.removeprefix("mailto:") if isinstance(email, str) and email else None,
    )
