"""The words of a text as automatic tags look at them: sorted by what they may be part of."""

from collections.abc import Iterable
from functools import lru_cache

from .gazetteer import gazetteer
from .people import PARTICLES
from .text import LONGER, NAME, PARTICLE, SECOND, TOPIC, Cut, Tokens, cut_with, tokenise
from .topics import taxonomy


def sorted_words(sections: Iterable[str]) -> Tokens:
    """Splits sections into words that are sorted."""
    return tokenise(sections, _cut())


@lru_cache(maxsize=1)
def _cut() -> Cut:
    names, topics = gazetteer(), taxonomy().lexicon

    def sort(word: str, key: str) -> int:
        found = NAME if names.may_begin(word, key) else 0
        if key in topics.alone:
            found |= TOPIC
        if key in topics.longer:
            found |= LONGER
        if key in topics.second:
            found |= SECOND
        if word in PARTICLES:
            found |= PARTICLE
        return found

    return cut_with(sort)
