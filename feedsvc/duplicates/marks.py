"""The marks of a text: a few numbers of which a copy has some as well, however it was changed.

Winnowing (Schleimer, Wilkerson and Aiken 2003): of the runs of five words those are chosen whose
number is the least among their neighbours, so that two texts choose the same ones wherever they are
the same. That is done for the beginning, for excerpts are mostly that; of the rest only the least
numbers of all are kept, of which two texts that share much of it share some.
"""

from collections.abc import Sequence
from struct import pack
from zlib import crc32

from ..memo import Memo

_RUN = 5
_BEGINNING = 70  # words
_WINDOW = 12
_KEPT = 10
_FARTHEST = 4_000
_BYTES = 4  # of the number of a word
_NUMBERS = Memo(lambda word: crc32(word.encode("utf-8", "surrogatepass")), most=1 << 16)


def marks(words: Sequence[str]) -> tuple[int, ...]:
    """The marks of a text that is given as its words: mostly sixteen, of 31 bits, rising.

    Equal texts have equal marks on every machine.
    """
    numbers = list(map(_NUMBERS.__getitem__, words[:_FARTHEST]))
    packed = pack(f"<{len(numbers)}I", *numbers)
    last = len(packed) - _RUN * _BYTES
    # what stands side by side is looked at as it lies there: a number made in Python takes longer
    runs = [crc32(packed[at : at + _RUN * _BYTES]) for at in range(0, last + 1, _BYTES)]
    if not runs:
        return ()
    beginning = runs[:_BEGINNING]
    windows = range(max(0, len(beginning) - _WINDOW) + 1)
    chosen = {min(beginning[at : at + _WINDOW]) for at in windows}
    chosen.update(sorted(set(runs))[:_KEPT])
    return tuple(sorted({mark >> 1 for mark in chosen}))
