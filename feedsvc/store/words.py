"""What of an entry can be searched for, as strings of tokens, and what it takes to be found.

Both backends index and compare nothing but these strings, so that a query finds the same entries in
each. Which text that is and how it becomes tokens is `query`'s to say; how it is looked up, the
backends'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log1p, sqrt

from ..model import Entry, key_number
from ..query import searchable
from ..query.ast import Words
from ..query.text import tokens


@dataclass(frozen=True, slots=True)
class SearchText:
    """An entry's tokens by field: strings with one space before and after every token."""

    title: str
    summary: str
    body: str
    author: str


def search_text(entry: Entry) -> SearchText:
    """What an entry can be found by."""
    text = searchable(entry)
    return SearchText(
        title=_spaced(text.title),
        summary=_spaced(text.summary),
        body=_spaced(text.body),
        author=_spaced(text.author),
    )


def phrase(words: Words) -> str:
    """The string that a field's text contains exactly when the words are there side by side."""
    return _spaced(words.tokens)


@lru_cache(maxsize=1 << 16)
def term(token: str) -> int:
    """The number that stands for a token in the indexes of titles and of waiting headlines."""
    return key_number(token)


def terms(text: str) -> frozenset[int]:
    """The numbers of all tokens of a text."""
    return frozenset(map(term, tokens(text)))


def relevance(text: SearchText, asked: Iterable[Words]) -> int:
    """How well a text answers the words asked for, in millionths: the same on every machine.

    A word in the title weighs most, then in the authors' names; in the rest more occurrences count
    more, but ever less, and less in a long text.
    """
    rest = text.summary + text.body
    long = sqrt(1 + rest.count(" ") / 300)
    score = 0.0
    for words in asked:
        wanted = phrase(words)
        if words.field != "author":
            score += 4.0 * (wanted in text.title)
        if words.field == "any":
            score += log1p(rest.count(wanted)) / long
        if words.field == "author":
            score += 2.0 * (wanted in text.author)
    return round(score * 1_000_000)


def _spaced(found: Sequence[str]) -> str:
    return f" {' '.join(found)} " if found else ""
