"""What may stand after each field's colon, and the leaf it makes.

One pure function a field in the table `FIELDS`; each raises `ValueError` saying what it takes.
Writing values back is the business of `canonical`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TypeVar, get_args, get_type_hints

from ..model import SourceKind, slugify
from .ast import (
    Field,
    FromSource,
    Has,
    InLanguage,
    InStory,
    Leaf,
    OfKind,
    Since,
    Sort,
    Tagged,
    Until,
    Words,
)
from .text import tokens

_LANG = re.compile(r"[a-z]{1,8}(-[a-z0-9]{1,8})*")
_STORY = re.compile(r"[a-z0-9_-]{1,80}")
_RELATIVE = re.compile(r"([0-9]{1,9})([mhdw])")
_ABSOLUTE = re.compile(
    r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}"
    r"(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?"
)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=36_525)

T = TypeVar("T", bound=str)


@dataclass(frozen=True, slots=True)
class SortBy:
    """`sort:updated`: not a condition, hence no leaf; it becomes the query's `sort`."""

    by: Sort


def words(text: str, field: Field = "any") -> Words:
    """A word or phrase to search for."""
    if text.endswith("*"):
        raise ValueError("there is no search by the beginning of a word: write the word out")
    found = tuple(tokens(text))
    if not found:
        raise ValueError("there is no letter or digit to search for here")
    return Words(found, field)


def _slug(text: str) -> str:
    slug = slugify(text)
    if not slug:
        raise ValueError("a name with a letter or digit is needed here")
    return slug


def _lang(text: str) -> InLanguage:
    lang = text.lower().replace("_", "-")
    if not _LANG.fullmatch(lang):
        raise ValueError("lang: takes a language code, as in lang:en or lang:pt-br")
    return InLanguage(lang)


def _story(text: str) -> InStory:
    id = text.lower()
    if not _STORY.fullmatch(id):
        raise ValueError("story: takes the id of a story, as its page shows it")
    return InStory(id)


def _choice(field: str, text: str, choices: tuple[T, ...]) -> T:
    for choice in choices:
        if text.lower() == choice:
            return choice
    near = get_close_matches(text.lower(), choices, n=1)
    hint = f": did you mean {field}:{near[0]}?" if near else ""
    raise ValueError(f"{field}: takes one of {', '.join(choices)}{hint}")


def _has(text: str) -> Has:
    return Has(_choice("has", text, get_args(get_type_hints(Has)["what"])))


def _time(text: str) -> datetime | timedelta:
    """A point in time (RFC 3339, or a part of it; UTC unless it says otherwise) or a span."""
    relative = _RELATIVE.fullmatch(text.lower())
    if relative:
        return _span(int(relative[1]), _UNITS[relative[2]])
    shape = _ABSOLUTE.fullmatch(text.upper())
    if not shape:
        raise ValueError(
            "this is neither a date (2025, 2025-04, 2025-04-01, 2025-04-01T12:00Z) "
            "nor a span before now (30m, 12h, 7d, 2w)"
        )
    missing = "-01-01" if shape[1] is None else "-01" if shape[2] is None else ""
    try:
        at = datetime.fromisoformat(shape[0] + missing)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text} is not in the calendar: {error}") from error


def _span(count: int, unit: str) -> timedelta:
    try:
        span = timedelta(**{unit: count})
    except OverflowError:
        span = timedelta.max
    if span > _LONGEST:
        raise ValueError("a span goes back a hundred years at most")
    return span


FIELDS: Mapping[str, Callable[[str], Leaf | SortBy]] = {
    "tag": lambda text: Tagged(_slug(text)),
    "title": lambda text: words(text, "title"),
    "author": lambda text: words(text, "author"),
    "source": lambda text: FromSource(_slug(text)),
    "lang": _lang,
    "since": lambda text: Since(_time(text)),
    "until": lambda text: Until(_time(text)),
    "has": _has,
    "kind": lambda text: OfKind(_choice("kind", text, get_args(SourceKind))),
    "story": _story,
    "sort": lambda text: SortBy(_choice("sort", text, get_args(Sort))),
}
