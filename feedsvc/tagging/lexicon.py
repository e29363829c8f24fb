"""A dictionary of phrases that finds all of them in one walk over a text.

Phrases are kept as a tree of folded words, so that the cost of a walk does not grow with their
number. What a phrase means is the business of who put it in.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .text import LOOSE, Tokens

Meaning = TypeVar("Meaning")


@dataclass(slots=True)
class _Node(Generic[Meaning]):
    next: "dict[str, _Node[Meaning]] | None" = None
    meanings: tuple[Meaning, ...] = ()


class Lexicon(Generic[Meaning]):
    """Phrases, each with one or more meanings."""

    __slots__ = ("first",)

    def __init__(self) -> None:
        self.first: dict[str, _Node[Meaning]] = {}

    def add(self, keys: Sequence[str], meaning: Meaning) -> None:
        """Adds a phrase, given as its folded words; several may share them."""
        node = self.first.setdefault(keys[0], _Node())
        for key in keys[1:]:
            if node.next is None:
                node.next = {}
            node = node.next.setdefault(key, _Node())
        node.meanings = (*node.meanings, meaning)

    def at(
        self, tokens: Tokens, start: int, accept: Callable[[Meaning, int, int], bool]
    ) -> tuple[int, tuple[Meaning, ...]] | None:
        """The longest phrase at a word that `accept(meaning, start, end)` lets through.

        Returns where it ends and its accepted meanings.
        """
        folded, gaps = tokens.folded, tokens.gaps
        node = self.first.get(folded[start])
        end, last = start, len(folded)
        found: list[tuple[int, tuple[Meaning, ...]]] = []
        while node is not None:
            end += 1
            if node.meanings:
                found.append((end, node.meanings))
            if node.next is None or end == last or gaps[end - 1] > LOOSE:
                break
            node = node.next.get(folded[end])
        for stop, meanings in reversed(found):
            accepted = tuple(m for m in meanings if accept(m, start, stop))
            if accepted:
                return stop, accepted
        return None

    def scan(
        self, tokens: Tokens, accept: Callable[[Meaning, int, int], bool]
    ) -> Iterator[tuple[int, int, tuple[Meaning, ...]]]:
        """All phrases of a text from left to right, longest first and without overlap."""
        first = self.first
        free = 0
        for start, key in enumerate(tokens.folded):
            if start >= free and key in first:
                hit = self.at(tokens, start, accept)
                if hit is not None:
                    yield start, hit[0], hit[1]
                    free = hit[0]
