"""What an article is about: a few dozen weighted terms that fit into one row of an index.

TF-IDF over title, summary and body, with document frequencies of news at large (`query.telling`),
so that a text has the same terms in every store and for good. Names and numbers tell events of one
kind apart, and weigh more. Terms are numbers, because an index of numbers is small.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import log, sqrt
from zlib import crc32

from ..memo import Memo
from ..query.telling import stem, stem_weight
from ..query.text import tokens

KEPT = 56  # terms an article is compared by
ASKED = 12  # of them, those others are looked for by
WHOLE = 255  # the weight of a term that is all there is
_TITLE = 1.5  # as how many a word counts that stands in the title
_NAME, _NUMBER = 1.5, 1.3
_MASK = (1 << 31) - 1
# a capital within a sentence; headlines and first words have them for other reasons
_CAPITAL = re.compile(r"(?<=[a-zß-öø-ÿα-ωа-я,;] )[A-ZÀ-ÖØ-ÞΑ-ΩЀ-Я][\w'’-]+")
# a word with its hyphens and full stops, but no apostrophe: `star's` is `star`
_WORD = re.compile(r"[^\W_]+(?:[.-][^\W_]+)*")

Vector = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Signature:
    """The terms of an article by falling weight, 56 at most, and the weight of each, 1 to 255."""

    terms: tuple[int, ...]
    weights: bytes

    def vector(self) -> Vector:
        """The weights by term."""
        return dict(zip(self.terms, self.weights, strict=True))


def signature(title: str, summary: str, body: str) -> Signature:
    """What an article is about, told from plain texts.

    Equal texts have equal signatures on every machine; a text without letters and digits has an
    empty one.
    """
    text = f"{summary}\n{body}" if summary else body
    found: dict[str, float] = {
        token: count for token, count in Counter(tokens(text)).items() if _tells(token)
    }
    heading = list(filter(_tells, tokens(title)))
    # in a headline alone they count things more often than they name one
    listed = {token for token in heading if token[0].isdigit() and token not in found}
    for token in heading:
        found[token] = found.get(token, 0.0) + _TITLE
    counts: dict[int, float] = {}
    weights: dict[int, float] = {}
    for token, count in found.items():
        number, weight = _TERMS[token]
        if number in counts:
            counts[number] += count
        else:
            counts[number] = count
            weights[number] = weight
    for token in listed:
        weights[_TERMS[token][0]] /= _NUMBER
    for number in _names(text) & weights.keys():
        weights[number] *= _NAME
    rated = [(weights[number] * (1 + log(count)), number) for number, count in counts.items()]
    # equally telling ones in an order that all texts share
    rated.sort(reverse=True)
    del rated[KEPT:]
    length = sqrt(sum(weight * weight for weight, _ in rated))
    return Signature(
        terms=tuple(number for _, number in rated),
        weights=bytes(max(1, round(WHOLE * weight / length)) for weight, _ in rated),
    )


def words_of(text: str) -> dict[int, str]:
    """The terms of a text, each with the first word that stands for it, folded."""
    found: dict[int, str] = {}
    for token in dict.fromkeys(tokens(text)):
        found.setdefault(_TERMS[token][0], token)
    return found


@lru_cache(maxsize=1 << 10)
def written(title: str) -> Mapping[int, str]:
    """The terms of a title, each with its word as it is written there."""
    found: dict[int, str] = {}
    for word in _WORD.findall(title):
        for token in tokens(word):
            found.setdefault(_TERMS[token][0], word)
    return found


def _names(text: str) -> set[int]:
    return {_TERMS[token][0] for word in set(_CAPITAL.findall(text)) for token in tokens(word)}


def _tells(token: str) -> bool:
    """Whether a token is more than a letter of Latin script, which is part of a word."""
    return len(token) > 1 or not "a" <= token <= "z"


def _term(token: str) -> tuple[int, float]:
    root = stem(token)
    weight = stem_weight(root)
    number = crc32(root.encode("utf-8", "surrogatepass")) & _MASK
    return number, weight * _NUMBER if token[0].isdigit() else weight


# the words of a newspaper: fewer would be forgotten again and again
_TERMS = Memo(_term, most=1 << 16)
