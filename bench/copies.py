"""Copies at other addresses: how many are found, and how many are none.

Of every article of labelled news a copy of each kind is made (`copykinds`), by which all articles
are then looked for among: those of one event with it are what a copy is easily taken for. Two
articles that are copies of each other by themselves count neither way. Beside feedsvc stand plain
winnowing (five words, windows of eight) by the share of the smaller text's fingerprints, the same
with the cosine of TF-IDF, and that cosine alone.

`LINKING=folder` names a folder with `ecbplus.jsonl`, else the small sample in `tests/data/linking`
is taken; `SEED` makes other copies. Articles have forty words and more.
"""

import math
import os
import resource
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from feedsvc.duplicates import Copy, alike, marks
from feedsvc.query.text import tokens

from .copykinds import KINDS, copied
from .linking import Labelled, read

_SAMPLE = Path(__file__).parent.parent / "tests" / "data" / "linking"
_LEAST = 40
_RUN, _WINDOW = 5, 8
_NATURAL = 0.3  # containment of two articles that are copies by themselves
_SHARED = 2  # marks, as in `feedsvc.store.marking`

Pairs = set[tuple[int, int]]
Method = Callable[["Corpus", Sequence[Copy]], Pairs]


@dataclass(frozen=True, slots=True)
class Score:
    """How many copies were found, how many were not, and how many pairs are none."""

    found: int
    missed: int
    wrong: int

    @property
    def precision(self) -> float:
        return self.found / max(1, self.found + self.wrong)

    @property
    def recall(self) -> float:
        return self.found / max(1, self.found + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.found / max(1, 2 * self.found + self.missed + self.wrong)

    def __add__(self, other: "Score") -> "Score":
        return Score(self.found + other.found, self.missed + other.missed, self.wrong + other.wrong)


class Corpus:
    """Articles, each of a site of its own, and the words that are strange to any of them."""

    def __init__(self, articles: Iterable[Labelled]) -> None:
        self.articles = [each for each in articles if len(tokens(each.text)) >= _LEAST]
        self.copies = [_copy(each.id, each.title, each.text) for each in self.articles]
        self.strangers = [word for each in self.articles for word in each.text.split()[::7]]
        prints = [winnowed(each.words) for each in self.copies]
        self.natural = {
            (one, other)
            for one, shared in enumerate(_sharing(prints, prints))
            for other, count in shared.items()
            if one != other and count >= _NATURAL * min(len(prints[one]), len(prints[other]))
        }

    def made(self, kind: str, seed: int) -> list[Copy]:
        """A copy of each article, of one kind."""
        return [
            _copy(
                f"copy-{each.id}",
                *copied(kind, seed, each.id, (each.title, each.text), self.strangers),
            )
            for each in self.articles
        ]

    def score(self, pairs: Pairs) -> Score:
        """How right pairs of an article and the copy of an article are."""
        wrong = {(a, b) for a, b in pairs if a != b and (a, b) not in self.natural}
        found = sum(a == b for a, b in pairs)
        return Score(found, len(self.articles) - found, len(wrong))


def feedsvc(corpus: Corpus, copies: Sequence[Copy]) -> Pairs:
    """What feedsvc takes for copies: what shares marks and is alike."""
    ours = [marks(each.words) for each in corpus.copies]
    theirs = [marks(each.words) for each in copies]
    return {
        (one, other)
        for one, shared in enumerate(_sharing(ours, theirs))
        for other, count in shared.items()
        if count >= _SHARED and alike(corpus.copies[one], copies[other])
    }


def winnowing(least: float, cosine: float = 0.0) -> Method:
    """By the share of the smaller text's fingerprints, and the cosine of both."""

    def found(corpus: Corpus, copies: Sequence[Copy]) -> Pairs:
        ours = [winnowed(each.words) for each in corpus.copies]
        theirs = [winnowed(each.words) for each in copies]
        vectors, others = _vectors(corpus, corpus.copies), _vectors(corpus, copies)
        return {
            (one, other)
            for one, shared in enumerate(_sharing(ours, theirs))
            for other, count in shared.items()
            if count >= least * min(len(ours[one]), len(theirs[other]))
            and (not cosine or _cosine(vectors[one], others[other]) >= cosine)
        }

    return found


def tf_idf(corpus: Corpus, copies: Sequence[Copy]) -> Pairs:
    """By a cosine of 0.6."""
    vectors, others = _vectors(corpus, corpus.copies), _vectors(corpus, copies)
    return {
        (one, other)
        for one, a in enumerate(vectors)
        for other, b in enumerate(others)
        if _cosine(a, b) >= 0.6
    }


METHODS: Mapping[str, Method] = {
    "feedsvc": feedsvc,
    "winnowing 0.5": winnowing(0.5),
    "winnowing 0.3, cosine 0.25": winnowing(0.3, 0.25),
    "TF-IDF cosine 0.6": tf_idf,
}


def winnowed(words: Sequence[str]) -> set[int]:
    """The fingerprints of a text: of eight runs in a row the least, or of all there are."""
    runs = [
        crc32(" ".join(words[at : at + _RUN]).encode("utf-8", "surrogatepass"))
        for at in range(len(words) - _RUN + 1)
    ]
    windows = range(max(1, len(runs) - _WINDOW + 1))
    return {min(runs[at : at + _WINDOW]) for at in windows} if runs else set()


def _copy(source: str, title: str, text: str) -> Copy:
    return Copy(source, title, text, f"{source}.example")


def _sharing(ours: Sequence[Iterable[int]], theirs: Sequence[Iterable[int]]) -> list[Counter[int]]:
    """How many numbers each of ours shares with which of theirs."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    for at, numbers in enumerate(theirs):
        for number in numbers:
            places[number].append(at)
    return [
        Counter(at for number in numbers if number in places for at in places[number])
        for numbers in ours
    ]


def _vectors(corpus: Corpus, copies: Sequence[Copy]) -> list[dict[str, float]]:
    documents = Counter(word for each in corpus.copies for word in set(each.words))
    found = []
    for each in copies:
        vector = {
            word: (1 + math.log(count)) * math.log(len(corpus.copies) / documents.get(word, 1))
            for word, count in Counter(each.words).items()
        }
        length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1
        found.append({word: weight / length for word, weight in vector.items()})
    return found


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return sum(weight * other[word] for word, weight in one.items() if word in other)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Prints F1, precision and recall by kind and method, and what marks and comparing cost."""
    place = Path(os.environ.get("LINKING") or _SAMPLE)
    seed = int(os.environ.get("SEED", "0"))
    corpus = Corpus(read(place / "ecbplus.jsonl"))
    print(f"copies: {place}, {len(corpus.articles)} articles, seed {seed}")
    print(f"{'':28}{'':13}{'F1':>7}{'precision':>11}{'recall':>8}")
    for name, method in METHODS.items():
        total = Score(0, 0, 0)
        for kind in KINDS:
            score = corpus.score(method(corpus, corpus.made(kind, seed)))
            total += score
            print(f"{name:28}{kind:13}{score.f1:>7.3f}{score.precision:>11.3f}{score.recall:>8.3f}")
        print(
            f"{name:28}{'all':13}{total.f1:>7.4f}{total.precision:>11.4f}{total.recall:>8.4f}",
            flush=True,
        )
    before, words = _cpu(), [each.words for each in corpus.copies]
    found = [marks(each) for each in words]
    spent = (_cpu() - before) / len(words) * 1e3
    print(f"  marks: {spent:.2f} ms CPU, {sum(map(len, found)) / len(found):.1f} an article")
    pairs = [
        (Copy(0, a.title, a.text), Copy(1, b.title, b.text))
        for a, b in zip(corpus.copies, corpus.made("heavy", seed), strict=True)
    ]
    before = _cpu()
    for one, other in pairs:
        alike(one, other)
    spent = (_cpu() - before) / len(pairs) * 1e3
    print(f"  comparing two texts: {spent:.2f} ms CPU")
