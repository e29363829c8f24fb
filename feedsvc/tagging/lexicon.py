"""A dictionary of phrases that finds all of them in one walk over a text.

Phrases are kept as a tree of folded words, so that the cost of a walk does not grow with their
number. What a phrase means is the business of who put it in.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .text import GAP, KEY, LOOSE, Tokens

Meaning = TypeVar("Meaning")


@dataclass(slots=True)
class Node(Generic[Meaning]):
    """What may follow the words so far, and what they mean if nothing does."""

    next: "dict[str, Node[Meaning]] | None" = None
    meanings: tuple[Meaning, ...] = ()


class Lexicon(Generic[Meaning]):
    """Phrases, each with one or more meanings.

    Of the words that phrases begin with (`first`) some are phrases themselves (`alone`), some are
    followed by others (`longer`), of which those that come right behind are `second`.
    """

    __slots__ = ("alone", "first", "longer", "second")

    def __init__(self) -> None:
        self.first: dict[str, Node[Meaning]] = {}
        self.alone: set[str] = set()
        self.longer: dict[str, dict[str, Node[Meaning]]] = {}
        self.second: set[str] = set()

    def add(self, keys: Sequence[str], meaning: Meaning) -> None:
        """Adds a phrase, given as its folded words; several may share them."""
        node = self.first.setdefault(keys[0], Node())
        for key in keys[1:]:
            if node.next is None:
                node.next = {}
            node = node.next.setdefault(key, Node())
        node.meanings = (*node.meanings, meaning)
        following = self.first[keys[0]].next
        if len(keys) == 1:
            self.alone.add(keys[0])
        if following is not None:
            self.longer[keys[0]] = following
            self.second.update(keys[1:2])

    def at(
        self, tokens: Tokens, start: int, accept: Callable[[Meaning, int, int], bool]
    ) -> tuple[int, tuple[Meaning, ...]] | None:
        """The longest phrase at a word that `accept(meaning, start, end)` lets through.

        Returns where it ends and its accepted meanings.
        """
        rows = tokens.rows
        node = self.first.get(rows[start][KEY])
        end, last = start, len(rows)
        found: list[tuple[int, tuple[Meaning, ...]]] = []
        while node is not None:
            end += 1
            if node.meanings:
                found.append((end, node.meanings))
            if node.next is None or end == last or rows[end - 1][GAP] > LOOSE:
                break
            node = node.next.get(rows[end][KEY])
        for stop, meanings in reversed(found):
            accepted = tuple(m for m in meanings if accept(m, start, stop))
            if accepted:
                return stop, accepted
        return None

    def reach(self, tokens: Tokens, start: int) -> int:
        """Where the longest phrase of several words at a word ends; `start` if there is none."""
        rows = tokens.rows
        node, found = self.first[rows[start][KEY]], start
        end, last = start + 1, len(rows)
        while node.next is not None and end < last and rows[end - 1][GAP] <= LOOSE:
            following = node.next.get(rows[end][KEY])
            if following is None:
                break
            node = following
            end += 1
            if node.meanings:
                found = end
        return found

    def scan(
        self, tokens: Tokens, places: Iterable[int], accept: Callable[[Meaning, int, int], bool]
    ) -> Iterator[tuple[int, int, tuple[Meaning, ...]]]:
        """Phrases that begin at `places`, from left to right, longest first, without overlap."""
        free = 0
        for start in places:
            if start >= free:
                hit = self.at(tokens, start, accept)
                if hit is not None:
                    yield start, hit[0], hit[1]
                    free = hit[0]
