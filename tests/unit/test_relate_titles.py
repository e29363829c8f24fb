"""Resolving quoted headlines: rules by example, and precision and recall on noisy real ones."""

import hashlib
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feedsvc.relate.titles import Candidate, Match, best, normal
from feedsvc.store.words import sought_terms, terms

HEADLINES = Path(__file__).parent.parent / "data" / "titles" / "headlines.jsonl"
NOW = datetime(2025, 4, 10, tzinfo=UTC)


# -- measuring -------------------------------------------------------------------------------
# A headline is made a noisy reference (case, punctuation, dropped or reordered words, a synonym,
# truncation, a label before or a site's name behind it), then looked up among all headlines.

SYNONYMS = {
    "says": "tells", "say": "tell", "said": "told", "kills": "slays", "dies": "passes away",
    "died": "passed away", "us": "american", "uk": "british", "china": "beijing",
    "president": "leader", "ceo": "chief executive", "deal": "agreement", "buys": "acquires",
    "buy": "acquire", "sell": "offload", "falls": "drops", "fall": "drop", "rises": "climbs",
    "rise": "climb", "police": "cops", "film": "movie", "movie": "film", "shows": "reveals",
    "show": "programme", "big": "large", "new": "latest", "first": "debut", "kids": "children",
    "stocks": "shares", "shares": "stocks", "wins": "takes", "win": "take", "hits": "reaches",
    "report": "study", "study": "report", "launches": "unveils", "launch": "unveil",
    "million": "m", "billion": "bn", "car": "vehicle", "cars": "vehicles", "ends": "finishes",
    "plans": "intends", "fears": "worries", "rejects": "refuses", "asks": "urges", "to": "will",
    "oil": "crude", "after": "following", "amid": "during", "over": "about", "may": "could",
    "could": "might", "and": "&", "death": "demise", "cuts": "slashes", "cut": "slash",
}  # fmt: skip

Noise = Callable[[str, random.Random], str]


def _words(title: str) -> list[str]:
    return re.sub(r"\s*\.\.\.\s*$", "", title).split()


def case(title: str, rng: random.Random) -> str:
    return rng.choice((str.upper, str.lower, str.title))(title)


def punctuation(title: str, rng: random.Random) -> str:
    if rng.random() < 0.5:
        return re.sub(r"[^\w\s]", "", title)
    return title.replace("'", "’").replace(" - ", " – ").replace(":", " –").rstrip(".") + "."


def dropped(title: str, rng: random.Random) -> str:
    words = _words(title)
    for _ in range(1 if len(words) < 9 else rng.choice((1, 2))):
        if len(words) > 4:
            del words[rng.randrange(len(words))]
    return " ".join(words)


def reordered(title: str, rng: random.Random) -> str:
    words = _words(title)
    cut = rng.randrange(1, max(2, len(words) - 1))
    return " ".join(words[cut:] + words[:cut])


def synonym(title: str, rng: random.Random) -> str:
    words = _words(title)
    known = [i for i, word in enumerate(words) if word.lower() in SYNONYMS]
    if known:
        at = rng.choice(known)
        words[at] = SYNONYMS[words[at].lower()]
    return " ".join(words)


def truncated(title: str, rng: random.Random) -> str:
    text = " ".join(_words(title))
    text = text[: max(28, int(len(text) * rng.uniform(0.6, 0.85)))]
    return (text if rng.random() < 0.5 else text.rpartition(" ")[0]) + rng.choice(("…", " ..."))


def label(title: str, rng: random.Random) -> str:
    if rng.random() < 0.3:
        return title + rng.choice((" - Example News", " | The Example Times", " – example.com"))
    return rng.choice(("LIVE: ", "BREAKING: ", "Watch: ", "UPDATE 1-", "VIDEO | ")) + title


NOISES: tuple[Noise, ...] = (case, punctuation, dropped, reordered, synonym, truncated, label)


def noisy(title: str, rng: random.Random) -> str:
    """One or two kinds of noise on a title."""
    for noise in rng.sample(NOISES, rng.choice((1, 1, 2))):
        title = noise(title, rng)
    return title


class Library:
    """Headlines and their publishers with an index of terms, like that of a store."""

    def __init__(self, headlines: Sequence[tuple[str, str]]) -> None:
        self.headlines = headlines
        self.normal = [normal(title) for title, _ in headlines]
        self.index: dict[int, list[int]] = defaultdict(list)
        for number, (title, _) in enumerate(headlines):
            for term in terms(title):
                self.index[term].append(number)

    def titled(
        self, reference: str, publisher: str, without: str | None, limit: int = 40
    ) -> list[Candidate]:
        whole, parts = sought_terms(normal(reference) or reference)
        shared = Counter(number for term in parts for number in self.index.get(term, ()))
        for term in whole:
            shared.update(dict.fromkeys(self.index.get(term, ()), len(parts) + 1))
        found = sorted(shared, key=lambda number: (-shared[number], number))
        return [
            Candidate(
                key=str(number),
                title=self.headlines[number][0],
                same_source=self.headlines[number][1] == publisher,
                published=NOW + timedelta(minutes=number),
                reference_published=NOW,
            )
            for number in found
            if self.normal[number] != without
        ][:limit]


@dataclass(frozen=True)
class Figures:
    """Counts of one measurement; `absent` are references without a target."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    absent: int = 0
    misled: int = 0

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong + self.misled)

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.wrong + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def measure(
    headlines: Sequence[tuple[str, str]],
    references: int,
    *,
    seed: int = 7,
    wrongs: list[tuple[str, str, str, Match]] | None = None,
) -> Figures:
    """Resolves noisy references, every third of them without its target in the library.

    A reference is its publisher's own, as in "also read" lists; the others' headlines about the
    same event stay in the library and are what it must not be taken for.
    """
    rng = random.Random(seed)
    library = Library(headlines)
    count: Counter[str] = Counter()
    for number in range(references):
        target = rng.randrange(len(headlines))
        title, publisher = headlines[target]
        reference = noisy(title, rng)
        present = number % 3 != 0
        without = None if present else library.normal[target]
        found = library.titled(reference, publisher, without)
        match = best(reference, found)
        if match is None:
            count["missed" if present else "absent"] += 1
        elif present and library.normal[int(match.key)] == library.normal[target]:
            count["right"] += 1
        else:
            count["wrong" if present else "misled"] += 1
            if wrongs is not None:
                wrongs.append((title, reference, headlines[int(match.key)][0], match))
    return Figures(**count)


@pytest.fixture(scope="module")
def headlines() -> list[tuple[str, str]]:
    rows = map(json.loads, HEADLINES.read_text("utf-8").splitlines())
    return [(row["title"], row["publisher"]) for row in rows]


def test_quoted_headlines_are_resolved_rightly_or_not_at_all(
    headlines: list[tuple[str, str]],
) -> None:
    figures = measure(headlines, 3000)
    assert figures.right + figures.wrong + figures.missed == 2000
    assert figures.precision >= 0.99, figures
    assert figures.recall >= 0.96, figures


def test_verbatim_headlines_are_always_found(headlines: list[tuple[str, str]]) -> None:
    library = Library(headlines)
    for number, (title, publisher) in enumerate(headlines):
        match = best(title, library.titled(title, publisher, None))
        assert match is not None
        assert match.exact
        assert library.normal[int(match.key)].replace(" ", "") == (
            library.normal[number].replace(" ", "")
        )


def test_the_table_of_frequencies_was_not_counted_on_these_headlines() -> None:
    for line in HEADLINES.read_text("utf-8").splitlines():
        assert hashlib.md5(json.loads(line)["story"].encode()).hexdigest()[0] in "89abcdef"


# -- by example ------------------------------------------------------------------------------
def candidate(key: str, title: str, *, same: bool = True, days: float = 0) -> Candidate:
    return Candidate(
        key=key,
        title=title,
        same_source=same,
        published=NOW - timedelta(days=days),
        reference_published=NOW,
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("U.S. and Russia Seek to Normalize", "us AND russia seek to normalize"),
        ("LIVE: Polls open", "Polls open"),
        ("Breaking News - Polls open", "Polls open"),
        ("UPDATE 3-Oil sinks on weak data", "Oil sinks on weak data"),
        ("[VIDEO] Oil sinks (Watch)", "Oil sinks"),
        ("Also read: Oil sinks", "Oil sinks"),
        ("Élysée’s plan", "Elysee's plan"),
        ("Oil sinks on weak data - Reuters", "Oil sinks on weak data"),
        ("Oil sinks on weak data | The Guardian", "Oil sinks on weak data"),
        ("Oil sinks on weak data – example.com", "Oil sinks on weak data"),
        ("150,000 attacks a second", "150000 attacks a second"),
        ("Straße", "strasse"),
    ],
)
def test_normal_forms_are_equal(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Primary election results - Ohio", "Primary election results - Texas"),
        ("The saga, part 1", "The saga, part 2"),
        ("Live-in nannies", "In nannies"),
        ("Read-only memory explained", "Only memory explained"),
        ("Watch sales fall", "Sales fall"),
        ("Alert drivers save lives", "Drivers save lives"),
        ("Budget - The Times", "Budget"),
    ],
)
def test_normal_forms_differ(one: str, other: str) -> None:
    assert normal(one) != normal(other)


def test_normal_is_never_empty_for_a_title_that_says_something() -> None:
    assert normal("LIVE:") == "live"
    assert normal("Video | ") == "video"
    assert normal("…") == ""
    assert normal("東京会談") == "東 京 会 談"


def test_equal_titles_are_found_in_the_same_source_first() -> None:
    found = best(
        "Trump's Insight on Russia's Intentions",
        [
            candidate("a", "Trump’s insight on Russia’s intentions", same=False),
            candidate("b", "TRUMP'S INSIGHT ON RUSSIA'S INTENTIONS", days=20),
            candidate("c", "Trump's Insight on Russia's Intentions", days=3),
            candidate("d", "Trump's Insight on Russia's Intentions", days=-9),
        ],
    )
    assert found == Match(key="c", score=1.0, exact=True, same_source=True, reason="same title")


def test_an_equal_title_of_another_source_will_do_unless_it_is_one_word() -> None:
    found = best("Oil sinks again", [candidate("a", "Oil Sinks Again", same=False)])
    assert found is not None
    assert (found.key, found.reason) == ("a", "same title in another source")
    assert best("Obituaries", [candidate("a", "Obituaries", same=False)]) is None
    assert best("Obituaries", [candidate("a", "Obituaries")]) is not None


@pytest.mark.parametrize(
    ("reference", "title"),
    [
        ("U.S. Brokers Collaborative Maritime Truce Between Ukraine and Russia",
         "US Brokers Maritime Truce Between Ukraine and Russia"),
        ("New Era: Alexander Darchiev as Russian Ambassador",
         "Alexander Darchiev as Russian ambassador: new era"),
        ("Historic Maritime Truce: U.S. Secures Ukraine-Rus…",
         "Historic Maritime Truce: U.S. Secures Ukraine-Russia Agreements"),
        ("Eyecatching stocks of the week", "Eye-catching stocks of the week"),
        ("Apple releases iOS 71 with CarPlay", "Apple releases iOS 7.1 with CarPlay"),
        ("European Commission fines banks over rates", "European commission fines bank over rate"),
    ],
)  # fmt: skip
def test_similar_titles_of_the_same_source_are_found(reference: str, title: str) -> None:
    others = [
        candidate("x", "Black Sea Ceasefire: Russia and Ukraine Talk"),
        candidate("y", "Something else entirely"),
    ]
    found = best(reference, [*others, candidate("a", title)])
    assert found is not None
    assert found.key == "a"
    assert found.score >= 0.81


def test_similar_titles_of_other_sources_are_their_own_reports() -> None:
    near = "US Brokers Maritime Truce Between Ukraine and Russia"
    reference = "U.S. Brokers Collaborative Maritime Truce Between Ukraine and Russia"
    assert best(reference, [candidate("a", near, same=False)]) is None


@pytest.mark.parametrize(
    ("reference", "titles"),
    [
        ("Council meets on Monday", ["Parliament meets on Tuesday"]),
        ("Budget talks, part 1", ["Budget talks, part 2"]),
        ("Winter games 2022: the medals", ["Winter games 2026: the medals"]),
        ("Trading loss in four years", ["Trading loss in five years"]),
        ("Carney will be quizzed by MPs over forex fi…",
         ["Carney will be quizzed by MPs over forex fixing",
          "Carney will be quizzed by MPs over forex fixing today"]),
        ("The …", ["The end of the affair"]),
        ("", [""]),
        ("!!!", ["???"]),
        ("anything", []),
    ],
)  # fmt: skip
def test_what_may_mean_two_titles_or_another_means_none(reference: str, titles: list[str]) -> None:
    found = [candidate(str(n), title) for n, title in enumerate(titles)]
    assert best(reference, found) is None


def test_a_similar_title_told_twice_is_one_title() -> None:
    reference = "US Brokers Maritime Truce Between Ukraine and Russia Today"
    title = "US Brokers Maritime Truce Between Ukraine and Russia"
    found = best(reference, [candidate("a", title, days=9), candidate("b", title.upper(), days=2)])
    assert found is not None
    assert found.key == "b"


def test_the_answer_does_not_depend_on_the_order_of_candidates() -> None:
    same = [candidate(key, "Oil sinks again", days=1) for key in "cab"]
    assert best("Oil sinks again", same) == best("Oil sinks again", same[::-1])
