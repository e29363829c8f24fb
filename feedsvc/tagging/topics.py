"""What a text is about, by weighted phrases (`data/topics.tsv`, after the IPTC Media Topics).

A phrase counts three times in the title, twice in the summary and once in the body; a topic is
given when its phrases add up to enough for the length of the text and no other topic dwarfs it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from .gazetteer import data_lines
from .lexicon import Lexicon
from .text import LOOSE, Tokens, tokenise

SECTION_WEIGHTS = (3.0, 2.0, 1.0)
_BASE = 6.0  # what a topic needs in a short text
_PER_WORD = 1 / 100  # and how much more in a long one
_MOST = 10.0
_SHARE = 0.3  # of the strongest topic's score
_TOPICS = 5
_AGAIN = 0.5  # what a repeated phrase counts for
_REPEATS = 3
_LEAD = 80  # words of the body in which what a text is about has been said
_LATE = 1.6  # how much more a topic needs that comes up later only


@dataclass(frozen=True, slots=True)
class _Sign:
    """What a phrase says: for (or against) which topic, how much, which words need a capital."""

    topic: str
    weight: int
    capitals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A topic of a text, how strongly, and the phrases that spoke for it (the best first)."""

    slug: str
    label: str
    score: float
    phrases: tuple[str, ...]


@dataclass(slots=True)
class Taxonomy:
    """All topics and their phrases."""

    lexicon: Lexicon[_Sign] = field(default_factory=Lexicon)
    labels: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def find(
        self,
        tokens: Tokens,
        covered: Mapping[int, tuple[int, int]],
        hints: Iterable[tuple[str, str, int, int]],
    ) -> list[Found]:
        """The topics of a text, strongest first.

        `covered` says of words in a misleading name where that begins and ends; `hints` are
        (topic, phrase, weight, place) that names speak for.
        """
        signs: dict[str, dict[str, list[float]]] = {}
        strong: set[str] = set()
        early: set[str] = set()
        lead = tokens.ends[min(1, len(tokens.ends) - 1)] + _LEAD
        for topic, phrase, weight, place in [*self._signs(tokens, covered), *hints]:
            value = weight * SECTION_WEIGHTS[min(tokens.section(place), 2)]
            signs.setdefault(topic, {}).setdefault(phrase, []).append(value)
            if weight > 1:
                strong.add(topic)
                if place < lead:
                    early.add(topic)
        scored = sorted(
            ((_score(phrases.values()), topic) for topic, phrases in signs.items()),
            key=lambda pair: (-pair[0], pair[1]),
        )
        if not scored:
            return []
        need = min(_MOST, _BASE + max(0, len(tokens.words) - 100) * _PER_WORD)
        need = max(need, scored[0][0] * _SHARE)
        return [
            Found(topic, self.labels[topic], score, _best(signs[topic]))
            for score, topic in scored[:_TOPICS]
            if topic in strong and score >= need * (1.0 if topic in early else _LATE)
        ]

    def _signs(
        self, tokens: Tokens, covered: Mapping[int, tuple[int, int]]
    ) -> Iterable[tuple[str, str, int, int]]:
        first = self.lexicon.first
        folded, gaps, words = tokens.folded, tokens.gaps, tokens.words
        size = len(folded)
        free: dict[str, int] = {}
        for start, key in enumerate(folded):
            if key not in first:
                continue
            node = first[key]
            end = start + 1
            mask = covered.get(start)
            best: dict[str, tuple[int, _Sign]] = {}
            while True:
                for sign in node.meanings if mask is None or mask == (start, end) else ():
                    if all(words[start + at][0].isupper() for at in sign.capitals):
                        best[sign.topic] = (end, sign)
                if node.next is None or end == size or gaps[end - 1] > LOOSE:
                    break
                following = node.next.get(folded[end])
                if following is None:
                    break
                node = following
                end += 1
            for topic, (stop, sign) in best.items():
                if free.get(topic, 0) <= start:
                    free[topic] = stop
                    yield topic, " ".join(folded[start:stop]), sign.weight, start


def _score(phrases: Iterable[list[float]]) -> float:
    total = 0.0
    for values in phrases:
        values.sort(reverse=True)
        total += values[0]
        if values[0] > 0:
            total += _AGAIN * sum(values[1 : 1 + _REPEATS])
    return total


def _best(phrases: dict[str, list[float]]) -> tuple[str, ...]:
    ranked = sorted(phrases.items(), key=lambda item: (-sum(item[1]), item[0]))
    return tuple(phrase for phrase, values in ranked[:4] if values[0] > 0)


@lru_cache(maxsize=1)
def taxonomy() -> Taxonomy:
    """The topics shipped with feedsvc; read once a process."""
    made = Taxonomy()
    topic = ""
    for line in data_lines("topics.tsv"):
        cells = line.split("\t")
        if cells[0]:
            topic = cells[0]
            made.labels[topic] = cells[1]
            made.codes[topic] = cells[2]
            continue
        weight = int(cells[1])
        for phrase in cells[2].split("|"):
            tokens = tokenise([phrase])
            capitals = tuple(at for at, word in enumerate(tokens.words) if word[0].isupper())
            sign = _Sign(topic, weight, capitals)
            made.lexicon.add(tokens.folded, sign)
            plural = _plural(tokens.folded[-1])
            if plural and weight != 1:
                made.lexicon.add([*tokens.folded[:-1], plural], sign)
    return made


def _plural(word: str) -> str:
    if not word.isalpha() or len(word) < 3 or word.endswith(("s", "ing", "ed")):
        return ""
    if word.endswith(("x", "ch", "sh", "z")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"
