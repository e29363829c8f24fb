"""How telling a word is: its inverse document frequency in news at large.

The frequencies come from a background corpus and not from what happens to be stored, so that a
link found today is found tomorrow as well, on every replica. Stores index titles by their telling
words: a release with another table makes these indexes anew.
"""

import math
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

from ..keys import key_number

_DOCUMENTS = 10_771
_UNSEEN = 2  # a word missing from the table stands in fewer than three documents
# The commonest words of other languages, none of them a telling word of English
_FUNCTION_WORDS = """
    ai al alla als am an au auf aus aux avec bei beim ces che como con da dal dans das dei del
    della dem den der des di die dos du e een ein eine einem einen einer el em en es est et eu fur
    gegen het i ihre il im ist je la las le les lo los mas mit na nach nao nel nella ne nicht no non
    o och om os par para pas per plus por pour que qui se sein sich sie sind son su sul sur te the
    to um un una und une van vom von voor vor wie wird y zu zum zur à
"""
_FUNCTION_COUNT = 1_000


@lru_cache(maxsize=1)
def document_counts() -> dict[str, int]:
    """In how many of the background's documents each word of the table stands."""
    counts = dict.fromkeys(_FUNCTION_WORDS.split(), _FUNCTION_COUNT)
    table = files(__package__).joinpath("data", "frequencies.txt").read_text("utf-8")
    for line in table.splitlines():
        count, *words = line.split()
        if count != "#":
            counts.update(dict.fromkeys(words, int(count)))
    return counts


def weight(token: str) -> float:
    """The inverse document frequency of a folded token, from about 0.7 (`the`) to 8.6 (unseen).

    A single character tells half as much as its rarity says: it is part of something.
    """
    found = math.log(_DOCUMENTS / document_counts().get(token, _UNSEEN))
    return found / 2 if len(token) == 1 else found


def stem(token: str) -> str:
    """A token without the `s` of a plural or genitive."""
    return token[:-1] if len(token) > 3 and token.endswith("s") else token


@lru_cache(maxsize=1 << 14)
def stem_weight(stem: str) -> float:
    """How telling a stem is: as its commoner form."""
    return min(weight(stem), weight(stem + "s"))


def most_telling(found: Iterable[str], number: int) -> list[str]:
    """The most telling distinct stems of these tokens, at most `number`, the most telling first.

    Stems that are equally telling come in one order, wherever they stand in a text.
    """
    return sorted(set(map(stem, found)), key=_order)[:number]


@lru_cache(maxsize=1 << 14)
def _order(stem: str) -> tuple[float, int]:
    # no order of letters: it would prefer words that many texts share, such as short ones
    return -stem_weight(stem), key_number(stem)
