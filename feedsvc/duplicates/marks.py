"""The marks of a text: a few numbers of which a copy has some as well, however it was changed.

Winnowing (Schleimer, Wilkerson and Aiken 2003): of the runs of five words those are chosen whose
number is the least among their neighbours, so that two texts choose the same ones wherever they are
the same. That is done for the beginning, for excerpts are mostly that; of the rest only the least
numbers of all are kept, of which two texts that share much of it share some.
"""

from collections.abc import Sequence
from heapq import nsmallest
from zlib import crc32

from ..memo import Memo

_BEGINNING = 70  # words
_WINDOW = 12
_KEPT = 10
_FARTHEST = 4_000
_MASK = (1 << 31) - 1
_NUMBERS = Memo(lambda word: crc32(word.encode("utf-8", "surrogatepass")) >> 4, most=1 << 16)


def marks(words: Sequence[str]) -> tuple[int, ...]:
    """The marks of a text that is given as its words: mostly sixteen, of 31 bits, rising.

    Equal texts have equal marks on every machine.
    """
    found = [_NUMBERS[word] for word in words[:_FARTHEST]]
    runs = [
        ((a ^ b << 1 ^ c << 2 ^ d << 3 ^ e << 4) * 0x9E3779B1 >> 12) & _MASK
        for a, b, c, d, e in zip(found, found[1:], found[2:], found[3:], found[4:], strict=False)
    ]
    beginning = runs[:_BEGINNING]
    last = max(0, len(beginning) - _WINDOW)
    chosen = {min(beginning[at : at + _WINDOW]) for at in range(last + 1)} if runs else set()
    chosen.update(nsmallest(_KEPT, set(runs)))
    return tuple(sorted(chosen))
