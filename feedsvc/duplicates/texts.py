"""Whether entries of other sources that lead to one page are one article again, by their texts.

Nothing is put together because of its address alone: sources comment on each other's pages, and
pages change. What is not clearly the same text is another one, since a copy shown twice costs less
than an article that is not shown.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..query.text import tokens

# of the shorter text's runs of three words, the share that the longer one must have
_HELD = 0.7
_RUN = 3
# of the shorter text's numbers, the share that the longer one may lack
_NUMBERS = 0.25
# a text of so many words is the same whatever it is called
_TELLING = 20
_TITLE = 3
# bounds on what comparing may cost: characters and words of a text, copies of a page
_CHARACTERS = 40_000
_WORDS = 4_000
MOST = 20


@dataclass(frozen=True)
class Copy:
    """What an entry at a page says: its source, its title, its summary and content as text."""

    source: Hashable
    title: str
    text: str

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the text, folded, as far as they are compared."""
        return tuple(tokens(self.text[:_CHARACTERS])[:_WORDS])

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
    def numbers(self) -> frozenset[str]:
        """The words of the text that have a digit."""
        return frozenset(word for word in self.words if not word.isalpha())


def same(one: Copy, other: Copy) -> bool:
    """Whether two entries at one page are one article: near-identical, or one an excerpt.

    70 % of the shorter text's runs of three words stand in the longer one, as do three quarters of
    its numbers; below 20 words the titles must agree as well, and without a text they alone
    decide. Titles agree where one stands in the other.
    """
    short, long = sorted((one, other), key=lambda copy: (len(copy.words), copy.words))
    if not short.words:
        return _agree(one.called, other.called)
    if len(short.words) < _TELLING and not _agree(one.called, other.called):
        return False
    if not short.runs:
        return _stands(short.words, long.words)
    if len(short.runs & long.runs) < _HELD * len(short.runs):
        return False
    return len(short.numbers - long.numbers) <= _NUMBERS * len(short.numbers)


def groups(copies: Sequence[Copy]) -> tuple[tuple[int, ...], ...]:
    """Which of the entries at one page are one article, by their places: two or more each.

    The entries of a group are of different sources and each the same as each. A link that several
    entries of a source share says nothing of any of them. Of very many the first ones count.
    """
    given = [copy.source for copy in copies]
    single = [at for at, source in enumerate(given) if given.count(source) == 1]
    found: list[list[int]] = []
    for at in single[:MOST]:
        fitting = (group for group in found if all(same(copies[at], copies[i]) for i in group))
        group = next(fitting, None)
        if group is None:
            found.append([at])
        else:
            group.append(at)
    return tuple(tuple(group) for group in found if len(group) > 1)


def _agree(one: Sequence[str], other: Sequence[str]) -> bool:
    if "".join(one) == "".join(other):
        return True
    short, long = sorted((one, other), key=len)
    return len(short) >= _TITLE and _stands(short, long)


def _stands(short: Sequence[str], long: Sequence[str]) -> bool:
    return f" {' '.join(short)} " in f" {' '.join(long)} "
