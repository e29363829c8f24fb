"""Whether entries at different addresses are one article again, by their texts.

Without an address in common the text has to say it alone, and is held to more. What stands on many
pages (headers, footers, templates, quotations) is no article; where that may be all that two texts
have in common they are two articles.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt

from ..query.telling import stem, stem_weight
from .texts import Copy, agree

# a text of fewer words is nobody's copy; one of fewer than `_LONG` only if it and its title have
# `_TOGETHER`, and the title agrees
_LEAST, _LONG, _TOGETHER = 10, 40, 20
# of the runs of three words of so short a text, the share that a longer one has, or one that is at
# most so many times as long
_WHOLE, _EDITED, _AS_LONG = 0.9, 0.6, 1.5
# of the shorter text's runs of five words, the share that the longer one has where it is an
# excerpt; what is none is at least so long beside the other
_EXCERPT, _LENGTH = 0.8, 0.4
# the cosine of two titles that agree more or less, or that are enough for few words
_NEAR, _NEAR_ENOUGH = 0.5, 0.35
# a part with this share of all that a text shares, or does not share, is as good as the only one;
# of fewer words than that it may be an edit
_ONLY, _BLOCK = 0.8, 12
# of the telling words of what two texts do not share, the share that both have where it is one
# article rewritten; a text of so many words is seldom rewritten in one part alone; and how much of
# the shorter text is a small part
_KIN, _CLOSE_KIN, _SEVERAL = 0.35, 0.5, 150
_SMALL, _SMALL_KIN = 0.25, 0.2
# of its numbers, the share that either text may have in place of others; and the words before, or
# after, such numbers that both have: one may be chance
_OTHERWISE, _PLACES = 0.3, 2
# how telling a word is that tells something, and one that names what an article is about
_TELLING, _NAMING = 2.5, 4.0
_DATES = frozenset(
    (
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        *("january", "february", "march", "april", "may", "june", "july", "august"),
        *("september", "october", "november", "december"),
    )
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What two texts must have in common: the better their titles agree, the less.

    The share of runs of five words; the cosine, where neither is an excerpt; and how many words in
    a row each may have in place of the other's, as a share of the shorter.
    """

    held: float
    cosine: float
    share: float


_SAME_TITLE = _Asked(held=0.3, cosine=0.4, share=0.6)
_SAME_SERIES = _Asked(held=0.3, cosine=0.4, share=0.4)
_NEAR_TITLE = _Asked(held=0.5, cosine=0.5, share=0.4)
_OTHER_TITLE = _Asked(held=0.6, cosine=0.6, share=0.0)


def alike(one: Copy, other: Copy) -> bool:
    """Whether two entries at different addresses are one article: near-identical, or an excerpt."""
    titles = _Titles.of(one, other)
    if titles.one_site and not titles.near:
        return False
    short, long = sorted((one, other), key=lambda copy: (len(copy.words), copy.words, copy.called))
    if len(short.words) < _LEAST:
        return False
    if len(short.words) < _LONG:
        return _short_alike(short, long, titles)
    asked = titles.asked
    held = len(short.phrases & long.phrases) / len(short.phrases)
    if held < asked.held:
        return False
    if held < _EXCERPT:
        if len(short.words) < _LENGTH * len(long.words):
            return False
        if _cosine(short.words, long.words) < asked.cosine:
            return False
    if _counts_otherwise(short, long) or _named_otherwise(short, long):
        return False
    return _woven(short, long, asked)


@dataclass(frozen=True, slots=True)
class _Titles:
    """How two titles agree: one stands in the other, how near they are, and if on one site."""

    same: bool
    cosine: float
    one_site: bool

    @classmethod
    def of(cls, one: Copy, other: Copy) -> "_Titles":
        same = agree(one.called, other.called)
        cosine = 1.0 if same else _cosine(one.called, other.called)
        return cls(same, cosine, one.site is not None and one.site == other.site)

    @property
    def near(self) -> bool:
        return self.cosine >= _NEAR

    @property
    def asked(self) -> _Asked:
        if self.same:
            return _SAME_SERIES if self.one_site else _SAME_TITLE
        return _NEAR_TITLE if self.near else _OTHER_TITLE


def _short_alike(short: Copy, long: Copy, titles: _Titles) -> bool:
    """Whether few words are a copy: with their title, or nearly so and as long."""
    if len(short.words) + len(short.called) < _TOGETHER or _counts_otherwise(short, long):
        return False
    held = len(short.runs & long.runs) / len(short.runs)
    if len(long.words) > _AS_LONG * len(short.words):
        return titles.same and held >= _WHOLE
    if titles.same:
        return held >= _EDITED
    near = titles.cosine >= _NEAR_ENOUGH and not titles.one_site
    return near and held >= _WHOLE and len(short.words) >= _TOGETHER


def _woven(short: Copy, long: Copy, asked: _Asked) -> bool:
    """Whether what the texts do not share lies among what they do, or says the same.

    One that quotes the other shares a single part with it; two that a header and footer are common
    to have each a single part to itself.
    """
    mine, theirs = _parts(short, long), _parts(long, short)
    longest = [max(map(len, parts.own), default=0) for parts in (mine, theirs)]
    if min(longest) <= _BLOCK:
        return True
    if min(longest) > asked.share * len(short.words):
        return False
    framed = all(max(map(len, p.own)) >= _ONLY * sum(map(len, p.own)) for p in (mine, theirs))
    quoted = all(max(p.shared) >= _ONLY * sum(p.shared) for p in (mine, theirs))
    if not framed and not quoted:
        return True
    one, other = mine.telling(), theirs.telling()
    kin = _KIN if len(short.words) < _SEVERAL else _CLOSE_KIN
    if max(longest) <= _SMALL * len(short.words):
        kin = _SMALL_KIN
    return len(one & other) >= kin * min(len(one), len(other))


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a text that another has not, and the lengths of those that it has too."""

    own: list[Sequence[str]]
    shared: list[int]

    def telling(self) -> set[str]:
        """The telling words of what the other has not."""
        words = {word for part in self.own for word in part}
        return {word for word in words if stem_weight(stem(word)) >= _TELLING}


def _parts(one: Copy, other: Copy) -> _Parts:
    """Takes a text apart into runs of five words that another has too, and what is left."""
    own: list[Sequence[str]] = []
    shared: list[int] = []
    words, last, begun = one.words, 0, 0
    for at in range(len(words) - 4):
        if words[at : at + 5] in other.phrases:
            if at > last or not shared:
                own.append(words[last:at])
                shared.append(0)
                begun = at
            last = at + 5
            shared[-1] = last - begun
    own.append(words[last:])
    return _Parts(own, shared or [0])


def _counts_otherwise(one: Copy, other: Copy) -> bool:
    """Whether the texts are one template: where one has a number or day, the other has another."""
    mine, theirs = _numbers(one), _numbers(other)
    in_title, in_other = mine.intersection(one.called), theirs.intersection(other.called)
    if not in_title <= theirs and not in_other <= mine:
        return True
    lacking = mine - theirs, theirs - mine
    if len(lacking[0]) <= _OTHERWISE * len(mine) or len(lacking[1]) <= _OTHERWISE * len(theirs):
        return False
    return len(_places(one, lacking[0]) & _places(other, lacking[1])) >= _PLACES


def _numbers(copy: Copy) -> set[str]:
    """The numbers, days and months in title and text."""
    words = {*copy.called, *copy.words}
    return {word for word in words if word in _DATES or not word.isalpha()}


def _places(copy: Copy, numbers: Collection[str]) -> set[tuple[str, ...]]:
    """Where some numbers stand: the two words before each, and the two after it."""
    words = ["#" if word in _DATES or not word.isalpha() else word for word in copy.words]
    found: set[tuple[str, ...]] = set()
    for at, word in enumerate(copy.words):
        if word in numbers:
            found.add(("<", *words[max(0, at - 2) : at]))
            found.add((">", *words[at + 1 : at + 3]))
    return found


def _named_otherwise(one: Copy, other: Copy) -> bool:
    """Whether each title has a telling word that its text goes on about and the other has not."""
    return _names(one, other) and _names(other, one)


def _names(one: Copy, other: Copy) -> bool:
    there = {*other.words, *other.called}
    mine = set(one.words)
    return any(
        word in mine
        and word not in there
        and (word in _DATES or stem_weight(stem(word)) >= _NAMING)
        for word in one.called
    )


def _cosine(one: Sequence[str], other: Sequence[str]) -> float:
    a, b = _weighed(one), _weighed(other)
    both = sum(weight * b[word] for word, weight in a.items() if word in b)
    return both / (_length(a) * _length(b) or 1)


def _weighed(words: Sequence[str]) -> dict[str, float]:
    return {
        word: (1 + log(count)) * stem_weight(word)
        for word, count in Counter(map(stem, words)).items()
        if len(word) > 1 or not "a" <= word <= "z"
    }


def _length(weights: Mapping[str, float]) -> float:
    return sqrt(sum(weight * weight for weight in weights.values()))
