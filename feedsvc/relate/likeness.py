"""Which articles are about the same thing as another: how alike two are, and which to link.

Decided from signatures, titles and dates alone. None is better than a wrong one: what is less
alike than the floor is not linked, however few links an article has.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import nlargest
from math import sqrt
from operator import itemgetter

from ..query.text import tokens
from .terms import WHOLE, Vector

FLOOR = 0.16  # the least score of a link
FRESH = timedelta(hours=48)  # how long after an article others may still be linked from it
REASONS = 3  # words that say why
_TITLES = 0.15  # how much titles count beside the texts
_GRAM = 4  # letters
_HALF = timedelta(days=3)  # what is this far apart loses half of what time can take
_AGELESS = 0.6  # what time cannot take
_SAME = 0.97  # texts as alike as this are one text
_PART = 0.08  # a term that makes less of what two share says nothing
_COMPARED = 24  # of those whose texts are most alike, titles are compared as well
_LONG = 4  # terms; shorter texts may be alike by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article as others are compared with it; `lead` names the group of copies it is in."""

    pk: int
    title: str
    published: datetime
    vector: Vector
    lead: int | None = None


Scored = tuple[float, Article]


@dataclass(frozen=True, slots=True)
class Choice:
    """An article to link to: how alike the two are (0 to 1), and the terms that say so."""

    pk: int
    score: float
    terms: tuple[int, ...]


def score(one: Article, other: Article) -> float:
    """How alike two articles are, from 0 to 1, the same both ways.

    Cosine of their terms, and a little for what their titles share, less what the time between
    them takes: reports of one kind (markets, matches) differ in nothing else.
    """
    found = cosine(one.vector, other.vector)
    found = (found + _TITLES * title_likeness(one.title, other.title)) / (1 + _TITLES)
    return round(min(1.0, found * ageing(abs(one.published - other.published))), 4)


def ageing(apart: timedelta) -> float:
    """What is left of a likeness when so much time is between."""
    left: float = 0.5 ** (apart / _HALF)
    return _AGELESS + (1 - _AGELESS) * left


def cosine(one: Vector, other: Vector) -> float:
    """The cosine of two vectors of terms."""
    common = one.keys() & other.keys()
    return sum([one[number] * other[number] for number in common]) / (WHOLE * WHOLE)


def title_likeness(one: str, other: str) -> float:
    """The cosine of two titles' runs of four letters, so that `embassy` is like `embassies`."""
    a, b = _grams(one), _grams(other)
    return len(a & b) / sqrt(len(a) * len(b)) if a and b else 0.0


def compare(article: Article, others: Iterable[Article]) -> list[Scored]:
    """Those of some articles that are most like one, each with its score; at most 24."""
    near = nlargest(
        _COMPARED,
        ((cosine(article.vector, other.vector), -other.pk, other) for other in others),
        key=itemgetter(0, 1),
    )
    return [(score(article, other), other) for _, _, other in near]


def choose(article: Article, scored: Iterable[Scored], most: int) -> list[Choice]:
    """The articles to link one to, the most alike first, at most so many.

    Never a copy of it, nor two copies of another: neither tells a reader anything new.
    """
    taken = [article]
    chosen: list[Choice] = []
    for found, other in sorted(scored, key=lambda each: (-each[0], each[1].pk)):
        if found < FLOOR or len(chosen) == most:
            break
        if not any(is_copy(other, one) for one in taken):
            taken.append(other)
            chosen.append(Choice(other.pk, found, _shared(article.vector, other.vector)))
    return chosen


def is_copy(one: Article, other: Article) -> bool:
    """Whether two articles are one text again."""
    if one.lead is not None and one.lead == other.lead:
        return True
    if min(len(one.vector), len(other.vector)) < _LONG:
        return False
    return cosine(one.vector, other.vector) >= _SAME


def _shared(one: Vector, other: Vector) -> tuple[int, ...]:
    """The terms that make two articles alike, the most telling first; there is one, or up to 3."""
    parts = sorted(
        ((one[number] * other[number], number) for number in one.keys() & other.keys()),
        reverse=True,
    )
    least = _PART * sum(part for part, _ in parts)
    return tuple(number for part, number in parts[:REASONS] if part >= least)


@lru_cache(maxsize=1 << 13)
def _grams(title: str) -> frozenset[str]:
    text = f" {' '.join(tokens(title))} "
    return frozenset(text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1))
