"""What a text is about, by weighted phrases (`data/topics.tsv`, after the IPTC Media Topics).

A phrase counts three times in the title, twice in the summary and once in the body; a topic is
given when its phrases add up to enough for the length of the text and no other topic dwarfs it.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import compress

from .gazetteer import data_lines
from .lexicon import Lexicon
from .text import (
    GAP,
    IS_CAPITAL,
    KEY,
    LONGER,
    LOOSE,
    SECOND,
    TOPIC,
    Tokens,
    any_of,
    sorted_as,
    tokenise,
)

_SAYS = any_of(TOPIC)
_BEGINS = any_of(TOPIC | LONGER)
_LONGER = re.compile(f"{sorted_as(LONGER)}(?={sorted_as(SECOND)})")
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
class _Tally:
    """What has been found for each topic: its score, and its phrases by what they add up to."""

    scores: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    phrases: defaultdict[str, list[tuple[float, str, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    strong: set[str] = field(default_factory=set)
    early: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Taxonomy:
    """All topics and their phrases.

    `words` are those that speak for a topic by themselves, each with (topic, weight), whatever
    their capitals; `told` are those that speak for one only with a capital.
    """

    lexicon: Lexicon[_Sign] = field(default_factory=Lexicon)
    words: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def add(self, keys: Sequence[str], sign: _Sign) -> None:
        """Adds a phrase, given as its folded words."""
        self.lexicon.add(keys, sign)
        if len(keys) == 1:
            said = {**dict(self.words.get(keys[0], ())), sign.topic: sign.weight}
            self.words[keys[0]] = tuple(said.items())
            if sign.capitals:
                self.told.add(keys[0])

    def find(
        self,
        tokens: Tokens,
        covered: Mapping[int, tuple[int, int]],
        hints: Collection[tuple[str, str, int, int]],
    ) -> list[Found]:
        """The topics of a text, strongest first.

        `covered` says of words in a misleading name where that begins and ends; `hints` are
        (topic, phrase, weight, place) that names speak for.
        """
        tally = _Tally()
        says = list(map(_SAYS.__contains__, tokens.sorts))
        spots = list(compress(range(len(tokens)), says))
        spoken = [row[KEY] for row in compress(tokens.rows, says)]
        lead = tokens.ends[min(1, len(tokens.ends) - 1)] + _LEAD
        placed = self._placed(tokens, covered, spoken)
        placed.update(phrase for _, phrase, _, _ in hints)
        self._count(tokens, spots, spoken, placed, lead, tally)
        signs: dict[tuple[str, str], list[float]] = {}
        for topic, phrase, weight, place in [*self._signs(tokens, covered, placed), *hints]:
            value = weight * SECTION_WEIGHTS[min(tokens.section(place), 2)]
            signs.setdefault((topic, phrase), []).append(value)
            if weight > 1:
                tally.strong.add(topic)
                if place < lead:
                    tally.early.add(topic)
        for (topic, phrase), values in signs.items():
            tally.scores[topic] += _score(values)
            tally.phrases[topic].append((-sum(values), phrase, max(values) > 0))
        return self._found(tokens, tally)

    def _found(self, tokens: Tokens, tally: _Tally) -> list[Found]:
        if not tally.scores:
            return []
        scored = sorted(tally.scores.items(), key=lambda pair: (-pair[1], pair[0]))
        need = min(_MOST, _BASE + max(0, len(tokens) - 100) * _PER_WORD)
        need = max(need, scored[0][1] * _SHARE)
        return [
            Found(topic, self.labels[topic], score, _best(tally.phrases[topic]))
            for topic, score in scored[:_TOPICS]
            if topic in tally.strong and score >= need * (1.0 if topic in tally.early else _LATE)
        ]

    def _placed(self, tokens: Tokens, covered: Iterable[int], spoken: Collection[str]) -> set[str]:
        """The words of which each place must be looked at: what stands there or beside decides."""
        rows, longer = tokens.rows, self.lexicon.longer
        placed = self.told.intersection(spoken)
        placed.update(rows[at][KEY] for at in covered)
        for at in tokens.places(_LONGER):
            if rows[at][GAP] <= LOOSE and rows[at + 1][KEY] in longer[rows[at][KEY]]:
                placed.update(row[KEY] for row in rows[at : self.lexicon.reach(tokens, at)])
        return placed

    def _count(
        self,
        tokens: Tokens,
        spots: Sequence[int],
        spoken: Sequence[str],
        placed: Container[str],
        lead: int,
        tally: _Tally,
    ) -> None:
        """Tallies the words that say the same wherever they stand."""
        title, head = tokens.ends[0], tokens.ends[min(1, len(tokens.ends) - 1)]
        title, head, lead = (bisect_left(spots, end) for end in (title, head, lead))
        counts = Counter(spoken)
        above, below = Counter(spoken[:title]), Counter(spoken[title:head])
        early = set(spoken[:lead])
        for word, count in counts.items():
            if word in placed:
                continue
            first, second = above.get(word, 0), below.get(word, 0)
            worth, least, total = _worth_of(first, second, count - first - second)
            for topic, weight in self.words[word]:
                tally.scores[topic] += weight * (worth if weight > 0 else least)
                tally.phrases[topic].append((-weight * total, word, weight > 0))
                if weight > 1:
                    tally.strong.add(topic)
                    if word in early:
                        tally.early.add(topic)

    def _signs(
        self, tokens: Tokens, covered: Mapping[int, tuple[int, int]], placed: Container[str]
    ) -> Iterable[tuple[str, str, int, int]]:
        """Phrases that begin with a word in `placed`: for a topic the longest, no overlap."""
        first, rows = self.lexicon.first, tokens.rows
        size = len(rows)
        free: dict[str, int] = {}
        for start in (
            compress(range(size), map(_BEGINS.__contains__, tokens.sorts)) if placed else ()
        ):
            if rows[start][KEY] not in placed:
                continue
            node = first[rows[start][KEY]]
            end = start + 1
            mask = covered.get(start)
            best: dict[str, tuple[int, _Sign]] = {}
            while True:
                for sign in node.meanings if mask is None or mask == (start, end) else ():
                    if all(rows[start + at][IS_CAPITAL] for at in sign.capitals):
                        best[sign.topic] = (end, sign)
                if node.next is None or end == size or rows[end - 1][GAP] > LOOSE:
                    break
                following = node.next.get(rows[end][KEY])
                if following is None:
                    break
                node = following
                end += 1
            for topic, (stop, sign) in best.items():
                if free.get(topic, 0) <= start:
                    free[topic] = stop
                    yield (
                        topic,
                        " ".join([row[KEY] for row in rows[start:stop]]),
                        sign.weight,
                        start,
                    )


def _worth(values: list[float]) -> float:
    """What occurrences are worth together: a repeated one half, and ever more of them nothing."""
    return values[0] + _AGAIN * sum(values[1 : 1 + _REPEATS])


@lru_cache(maxsize=4096)
def _worth_of(*parts: int) -> tuple[float, float, float]:
    """What occurrences in each section are worth together, the last of them, and their sum."""
    values = [v for v, n in zip(SECTION_WEIGHTS, parts, strict=True) for _ in range(n)]
    return _worth(values), values[-1], sum(values)


def _score(values: list[float]) -> float:
    best = sorted(values, reverse=True)
    return _worth(best) if best[0] > 0 else best[0]


def _best(phrases: list[tuple[float, str, bool]]) -> tuple[str, ...]:
    return tuple(phrase for _, phrase, speaks_for in sorted(phrases)[:4] if speaks_for)


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
            made.add(tokens.folded, sign)
            plural = _plural(tokens.folded[-1])
            if plural and weight != 1:
                made.add([*tokens.folded[:-1], plural], sign)
    return made


def _plural(word: str) -> str:
    if not word.isalpha() or len(word) < 3 or word.endswith(("s", "ing", "ed")):
        return ""
    if word.endswith(("x", "ch", "sh", "z")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"
