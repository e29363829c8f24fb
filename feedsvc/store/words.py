"""What of an entry can be searched for, as strings of tokens, and what it takes to be found.

Both backends index and compare nothing but these strings, so that a query finds the same entries in
each. Which text that is and how it becomes tokens is `query`'s to say; how it is looked up, the
backends'.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import log1p, sqrt

from ..keys import key_number
from ..model import Entry
from ..query import searchable
from ..query.ast import Words
from ..query.telling import most_telling
from ..query.text import tokens
from .dates import date_tokens

# Of 12,320 headlines with much noise 99.8 % share a pair or the beginning with the title they mean
# when it is indexed by four words, and all of them with a title that asks for six.
_INDEXED, _ASKED, _BEGINNING = 4, 6, 4
_LARGEST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class SearchText:
    """An entry's tokens by field: strings with one space before and after every token.

    `dates` are those of `dates.date_tokens`.
    """

    title: str
    summary: str
    body: str
    author: str
    dates: str


def search_text(entry: Entry, published: int) -> SearchText:
    """What an entry can be found by; it was published at so many microseconds since 1970."""
    text = searchable(entry)
    return SearchText(
        title=_spaced(text.title),
        summary=_spaced(text.summary),
        body=_spaced(text.body),
        author=_spaced(text.author),
        dates=date_tokens(published),
    )


def phrase(words: Words) -> str:
    """The string that a field's text contains exactly when the words are there side by side."""
    return _spaced(words.tokens)


def terms(text: str) -> frozenset[int]:
    """The numbers that a title or a headline is indexed under.

    One for the whole of it, one for its beginning, and one for every pair of its most telling
    words: two that share a pair may be the same, and those that share none are not.
    """
    found = tokens(text)
    return frozenset((*_wholes(found), *_pairs(found, _INDEXED)))


def sought_terms(text: str) -> tuple[frozenset[int], frozenset[int]]:
    """The numbers to look a title or a headline up by: of the whole of it, and of its parts.

    More pairs than are indexed, because an edit may have taken away the most telling words.
    """
    found = tokens(text)
    parts = (*_wholes(found)[1:], *_pairs(found, _ASKED))
    return frozenset(_wholes(found)[:1]), frozenset(parts)


def whole_terms(text: str) -> frozenset[int]:
    """The numbers to look up by what has the same letters and digits; none if it has none."""
    return frozenset(_wholes(tokens(text))[:1])


def _wholes(found: Sequence[str]) -> list[int]:
    """Of all tokens, and of the first of them: an ellipsis may have cut the rest off."""
    if not found:
        return []
    return [key_number("".join(found)), key_number(f"{' '.join(found[:_BEGINNING])} …")]


def _pairs(found: Sequence[str], words: int) -> Iterator[int]:
    numbers = map(_number, most_telling(found, words))
    return ((one + other) & _LARGEST for one, other in combinations(numbers, 2))


@lru_cache(maxsize=1 << 14)
def _number(token: str) -> int:
    return key_number(token)


def relevance(asked: Iterable[Words]) -> Callable[[SearchText], int]:
    """How well texts answer the words asked for, in millionths: the same on every machine.

    A word in the title weighs most, then in the authors' names; in the rest more occurrences count
    more, but ever less, and less in a long text.
    """
    wanted = [(phrase(words), words.field) for words in asked]

    def score(text: SearchText) -> int:
        rest = text.summary + text.body
        long = sqrt(1 + rest.count(" ") / 300)
        found = 0.0
        for words, field in wanted:
            if field == "author":
                found += 2.0 * (words in text.author)
                continue
            found += 4.0 * (words in text.title)
            if field == "any":
                found += log1p(rest.count(words)) / long
        return round(found * 1_000_000)

    return score


def _spaced(found: Sequence[str]) -> str:
    return f" {' '.join(found)} " if found else ""
