"""Whether entries of other sources that lead to one page are one article again, by their texts,
and what groups they come in.

Nothing is put together because of its address alone: sources comment on each other's pages, and
pages change. What is not clearly the same text is another one, since a copy shown twice costs less
than an article that is not shown.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

from ..model import Text
from ..query.text import plain, tokens

# of the shorter text's runs of three words, the share that the longer one must have
_HELD = 0.7
_RUN, _PHRASE = 3, 5
# of the shorter text's numbers, the share that the longer one may lack
_NUMBERS = 0.25
# a text of so many words is the same whatever it is called
_TELLING = 20
_TITLE = 3
# bounds on what comparing may cost: characters and words of a text, copies of a page
_CHARACTERS = 40_000
_WORDS = 4_000
MOST = 20
_QUOTED = re.compile(r"<blockquote\b.*?</blockquote>", re.DOTALL | re.IGNORECASE)
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)


@dataclass(frozen=True)
class Copy:
    """What an entry says: its source, its title, its text, and the site it stands on."""

    source: Hashable
    title: str
    text: str
    site: str | None = None

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the text, folded, as far as they are compared."""
        return self.compared(tokens(self.text[:_CHARACTERS]))

    @staticmethod
    def compared(words: Sequence[str]) -> tuple[str, ...]:
        """As many words as are compared."""
        return tuple(words[:_WORDS])

    @cached_property
    def called(self) -> tuple[str, ...]:
        """The words of the title."""
        return tuple(tokens(self.title))

    @cached_property
    def runs(self) -> frozenset[tuple[str, ...]]:
        """All runs of three words of the text."""
        words = self.words
        return frozenset(words[at : at + _RUN] for at in range(len(words) - _RUN + 1))

    @cached_property
    def phrases(self) -> frozenset[tuple[str, ...]]:
        """All runs of five words of the text."""
        words = self.words
        return frozenset(words[at : at + _PHRASE] for at in range(len(words) - _PHRASE + 1))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The words of the text that have a digit."""
        # vowels of some scripts are no letters either
        return frozenset(w for w in self.words if not w.isalpha() and any(map(str.isnumeric, w)))


def own_words(
    summary: Text | None,
    content: Text | None,
    known: tuple[str, str] | None = None,
) -> Sequence[str]:
    """The words of an entry's summary or content, of the longer one, without what it quotes.

    `known`: the words of both if they have been looked for already, with spaces between them.
    """
    if known is None or _quotes(summary) or _quotes(content):
        known = _words(_unquoted(summary)), _words(_unquoted(content))
    return max(reversed(known), key=len).split()


def _words(text: Text | None) -> str:
    return " ".join(tokens(plain(text)))


def _quotes(text: Text | None) -> bool:
    return text is not None and _unquoted(text) is not text


def _unquoted(text: Text | None) -> Text | None:
    if text is None:
        return None
    if text.type == "text":
        value = _QUOTED_LINE.sub("", text.value) if ">" in text.value else text.value
    else:
        value = _QUOTED.sub(" ", text.value) if "<blockquote" in text.value else text.value
    return text if value == text.value else replace(text, value=value)


def same(one: Copy, other: Copy) -> bool:
    """Whether two entries at one page are one article: near-identical, or one an excerpt.

    70 % of the shorter text's runs of three words stand in the longer one, as do three quarters of
    its numbers; below 20 words the titles must agree as well, and without a text they alone
    decide. Titles agree where one stands in the other.
    """
    short, long = sorted((one, other), key=lambda copy: (len(copy.words), copy.words))
    if not short.words:
        return agree(one.called, other.called)
    if len(short.words) < _TELLING and not agree(one.called, other.called):
        return False
    if not short.runs:
        return _stands(short.words, long.words)
    if len(short.runs & long.runs) < _HELD * len(short.runs):
        return False
    return len(short.numbers - long.numbers) <= _NUMBERS * len(short.numbers)


def joined(copies: Sequence[Copy]) -> Iterator[tuple[int, int]]:
    """Which entries at one page are one article, two by two, by their places.

    They are of different sources. A link that several entries of a source share says nothing of any
    of them. Of very many the first ones count.
    """
    given = [copy.source for copy in copies]
    single = [at for at, source in enumerate(given) if given.count(source) == 1]
    return ((a, b) for a, b in combinations(single[:MOST], 2) if same(copies[a], copies[b]))


def groups(number: int, pairs: Iterable[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """What becomes of so many entries of which some are one article two by two: two or more each.

    The entries of a group are each the same as each, so that two excerpts without a word in common
    are not brought together by the whole; the first ones find together first.
    """
    one_article = {pair for a, b in pairs for pair in ((a, b), (b, a))}
    found: list[list[int]] = []
    for at in range(number):
        fitting = (group for group in found if all((at, other) in one_article for other in group))
        group = next(fitting, None)
        if group is None:
            found.append([at])
        else:
            group.append(at)
    return tuple(tuple(group) for group in found if len(group) > 1)


def agree(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two titles are the same, or one stands in the other."""
    if "".join(one) == "".join(other):
        return True
    short, long = sorted((one, other), key=len)
    return len(short) >= _TITLE and _stands(short, long)


def _stands(short: Sequence[str], long: Sequence[str]) -> bool:
    return f" {' '.join(short)} " in f" {' '.join(long)} "
