"""Which articles tell of one event: groups of articles that are alike on average.

Two articles are alike by their texts and by linking to the same others: reports of two matches, or
of two quakes, share their words, but each is most like the reports of its own. Groups grow by the
average over all pairs of members (average linkage), so that no chain of single likenesses joins
what is not of one event. What is given is looked at anew: stories part as well as join.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import heapify, heappop, heappush, nlargest
from math import sqrt
from operator import itemgetter

from .likeness import Article, ageing, is_copy
from .terms import WHOLE, Vector

IDLE = timedelta(hours=72)  # what comes so long after the last report is of another story
SAMPLE = 128  # members that a large story is compared by
_THIN = 32  # of them, where they have to be looked at one by one
_LINKS = 5  # of an article, the best
_SELF = 0.5  # how much an article counts among those it links to
_BRIEF, _FULL = 12, 30  # terms of a headline alone, and of a text
_LEAST_BRIEF, _LEAST_FULL = 0.055, 0.18  # how alike articles of one story are on average


@dataclass(frozen=True, slots=True)
class Told:
    """An article with its links by content: their scores by pk."""

    article: Article
    links: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Story:
    """Articles of one event by their place among those that were given, one of them in the middle.

    One alone is a story of its own, which nobody need be told of.
    """

    parts: tuple[int, ...]
    centre: int


class _Part:
    """One article, or several that stay together: their sums, over which averages are taken."""

    def __init__(self, told: Sequence[Told]) -> None:
        self.told = told
        self.size = len(told)
        self.words = _sum([each.article.vector for each in told])
        self.links = _sum([_neighbours(each) for each in told])
        self.terms = sum(len(each.article.vector) for each in told) / len(told)
        dates = [each.article.published for each in told]
        self.first, self.last = min(dates), max(dates)


def gather(parts: Sequence[Sequence[Told]]) -> list[Story]:
    """Puts articles, or groups of them that stay together, into stories.

    Equal parts in equal order give equal stories. Every part is in one story.
    """
    made = [_Part(told) for told in parts]
    sizes = [len(told) for told in parts]
    likeness = [[0.0] * len(made) for _ in made]
    close: list[tuple[float, int, int]] = []
    for at, part in enumerate(made):
        for before in range(at):
            found = _margin(part, made[before])
            likeness[at][before] = likeness[before][at] = found
            if found >= 0:
                close.append((-found, before, at))
    between = [list(row) for row in likeness]
    groups = {at: [at] for at in range(len(made))}
    heapify(close)
    while close:
        far, one, other = heappop(close)
        # a pair of groups that have grown since is in the heap again
        if one not in groups or other not in groups or between[one][other] != -far:
            continue
        a, b = sizes[one], sizes[other]
        groups[one] += groups.pop(other)
        sizes[one] = a + b
        for third in groups:
            if third != one:
                found = (a * between[one][third] + b * between[other][third]) / (a + b)
                between[one][third] = between[third][one] = found
                if found >= 0:
                    heappush(close, (-found, min(one, third), max(one, third)))
    return [Story(tuple(sorted(group)), _centre(group, likeness)) for group in groups.values()]


def succession(
    groups: Sequence[Collection[int]], before: Mapping[int, Collection[int]]
) -> tuple[list[list[int]], list[int]]:
    """Which stories each group goes on from, the oldest first, and which end.

    `before` has the members of stories by key, the story that began first coming first. A story
    goes where most of its members go.
    """
    where = {pk: at for at, group in enumerate(groups) for pk in group}
    heirs: list[list[int]] = [[] for _ in groups]
    ended = []
    for key, members in before.items():
        went = Counter(where[pk] for pk in members if pk in where)
        if went:
            heirs[min(went, key=lambda at: (-went[at], at))].append(key)
        else:
            ended.append(key)
    return heirs, ended


def is_one_text(told: Sequence[Told]) -> bool:
    """Whether articles are one text again and again, of which nothing else tells."""
    first = told[0].article
    return all(is_copy(first, each.article) for each in told[1:])


def _margin(one: _Part, other: _Part) -> float:
    """By how much two parts are more alike than two of one story have to be on average."""
    brief = min(1.0, max(0.0, (min(one.terms, other.terms) - _BRIEF) / (_FULL - _BRIEF)))
    least = _LEAST_BRIEF + (_LEAST_FULL - _LEAST_BRIEF) * brief
    # sums of floats depend on their order
    return round(_average(one, other) - least, 9)


def _average(one: _Part, other: _Part) -> float:
    """How alike two parts are; of what is too far apart in time nothing counts."""
    gap = max(one.first - other.last, other.first - one.last, timedelta())
    if gap > IDLE:
        return 0.0
    if max(one.last, other.last) - min(one.first, other.first) <= IDLE:
        pairs = one.size * other.size
        words = _product(one.words, other.words) / (WHOLE * WHOLE * pairs)
        return (words * ageing(gap) + _product(one.links, other.links) / pairs) / 2
    some, others = ([_Part([each]) for each in _thinned(part)] for part in (one, other))
    return sum(_average(a, b) for a in some for b in others) / (len(some) * len(others))


def _thinned(part: _Part) -> Sequence[Told]:
    """A large part by fewer of its articles."""
    return part.told[:: -(-part.size // _THIN)]


def _centre(group: Sequence[int], likeness: Sequence[Sequence[float]]) -> int:
    """Which is most like the others; of equal ones the first."""
    return min(group, key=lambda at: (-sum(likeness[at][other] for other in group), at))


def _neighbours(told: Told) -> dict[int, float]:
    """What an article links to and itself, as a vector of length 1."""
    best = nlargest(_LINKS, told.links.items(), key=itemgetter(1))
    length = sqrt(_SELF * _SELF + sum(score * score for _, score in best))
    found = {pk: score / length for pk, score in best}
    found[told.article.pk] = _SELF / length
    return found


def _sum(vectors: Sequence[Vector] | Sequence[Mapping[int, float]]) -> Mapping[int, float]:
    if len(vectors) == 1:
        return vectors[0]
    found: dict[int, float] = {}
    for vector in vectors:
        for at, weight in vector.items():
            found[at] = found.get(at, 0.0) + weight
    return found


def _product(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    return sum([one[at] * other[at] for at in one.keys() & other.keys()])
