"""Links by content: how many are right, and what they cost, beside other ways to find them.

Each set of labelled news is polled into a store of its own and linked as the service does it. `P@5`
is the share of an entry's first five links that are of its story (fewer links: of as many as its
story has others, up to five), over all stories and over those kept back from tuning. `shown` is how
many links an entry has, `right` how many of them are of its story. Beside them stand what SQLite's
full text index finds by an entry's twenty most telling words (bm25), and the cosine of all words
with frequencies of the set itself, every pair compared.

Then come stories: B-cubed precision, recall and F1 (Bagga and Baldwin) of what the service gathers,
of all entries and of those kept back. They arrive all at once, or fifty at a time. Beside them
stands what is usual: each entry joins the story whose mean vector is most like it, by cosine, if
that is enough, at the thresholds that suit each set best.

`LINKING=folder` names a folder with `ecbplus.jsonl` and `uci_headlines.jsonl`, else the small
sample in `tests/data/linking` is taken. `ENTRIES=100000` also links that many generated articles
and tells what the last of them cost.
"""

import hashlib
import json
import math
import os
import random
import resource
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from feedsvc.keys import entry_key
from feedsvc.model import Entry, PollState, Source, Text
from feedsvc.query.telling import document_counts, most_telling, stem
from feedsvc.query.text import tokens
from feedsvc.relate.terms import WHOLE, signature
from feedsvc.relating import Relater
from feedsvc.store import SqlStore, open_store
from feedsvc.store.base import PollResult, StoryPage

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_SAMPLE = Path(__file__).parent.parent / "tests" / "data" / "linking"
_SETS = ("ecbplus", "uci_headlines")
_LINKS = 5
_GROUP = 500
_THRESHOLDS = (0.1, 0.14, 0.2, 0.24, 0.3)


@dataclass(frozen=True, slots=True)
class Labelled:
    """An article and the story that it is of."""

    id: str
    title: str
    text: str
    story: str

    @property
    def kept_back(self) -> bool:
        """Whether its story is one that nothing was tuned on."""
        return hashlib.md5(self.story.encode(), usedforsecurity=False).hexdigest()[0] in "89abcdef"


Links = Mapping[str, Sequence[str]]


def read(path: Path) -> list[Labelled]:
    """The articles of a set, each with its story."""
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    return [Labelled(row["id"], row["title"], row.get("text", ""), row["story"]) for row in rows]


def precision(articles: Sequence[Labelled], links: Links, *, all_stories: bool = True) -> float:
    """P@5 of links by id; of stories that were kept back, or of all."""
    story = {each.id: each.story for each in articles}
    sizes = Counter(story.values())
    shares = []
    for each in articles:
        wanted = min(_LINKS, sizes[each.story] - 1)
        if wanted and (all_stories or each.kept_back):
            first = links.get(each.id, ())[:_LINKS]
            right = sum(story[id] == each.story for id in first)
            shares.append(right / max(wanted, len(first)))
    return sum(shares) / len(shares)


def right(articles: Sequence[Labelled], links: Links) -> tuple[float, float]:
    """How many links an entry has, and the share of all links that are of its story."""
    story = {each.id: each.story for each in articles}
    told = [story[id] == story[of] for of, found in links.items() for id in found]
    return len(told) / len(articles), sum(told) / max(1, len(told))


def b3(
    articles: Sequence[Labelled], stories: Mapping[str, int], *, all_stories: bool = True
) -> tuple[float, float, float]:
    """B-cubed precision, recall and F1 of stories by id; who has none is a story alone."""
    found = {each.id: stories.get(each.id, each.id) for each in articles}
    true = {each.id: each.story for each in articles}
    sizes, whole = Counter(found.values()), Counter(true.values())
    both = Counter((found[id], true[id]) for id in found)
    asked = [each for each in articles if all_stories or each.kept_back]
    shares = [
        (both[pair] / sizes[pair[0]], both[pair] / whole[pair[1]])
        for pair in ((found[each.id], each.story) for each in asked)
    ]
    precise, recalled = (sum(each) / len(shares) for each in zip(*shares, strict=True))
    return precise, recalled, 2 * precise * recalled / (precise + recalled)


def entry(article: Labelled, at: datetime) -> Entry:
    """An article as an entry of the source `bench`."""
    return Entry(
        id=article.id,
        fallback_id=f"tag:localhost,2026:{article.id}",
        key=entry_key(article.id),
        source_id="bench",
        uid=article.id,
        title=article.title,
        published=at,
        updated=at,
        dated=True,
        digest=article.id,
        content=Text(value=article.text) if article.text else None,
    )


def fill(store: SqlStore, entries: Sequence[Entry]) -> None:
    """Polls entries into a store that has the source `bench`."""
    for start in range(0, len(entries), _GROUP):
        (claim,) = store.claim_due(
            now=_NOW,
            owner="bench",
            lease=timedelta(hours=1),
            limit=1,
            only=["bench"],
            ignore_schedule=True,
        )
        some = tuple(entries[start : start + _GROUP])
        store.finish_poll(claim, PollResult(state=PollState(next_at=_NOW), entries=some), _NOW)


def opened(folder: str) -> SqlStore:
    """A new store with the source `bench`."""
    store = open_store(f"sqlite:///{folder}/linking.db")
    store.migrate()
    store.add_source(Source(id="bench", kind="feed", location="https://bench.example/"), _NOW)
    return store


def ours(articles: Sequence[Labelled], folder: str) -> tuple[Links, float]:
    """What feedsvc links, as the service does it, and how many seconds of CPU that took."""
    store = opened(folder)
    # nothing is known of their dates: they all were published at once
    fill(store, [entry(article, _NOW) for article in articles])
    relater = Relater(store, lambda: _NOW, most=_LINKS)
    before = _cpu()
    relater.drain()
    spent = _cpu() - before
    found = {
        article.id: [link.id for link in store.entry(entry_key(article.id)).related]
        for article in articles
    }
    store.close()
    return found, spent


def gathered(
    articles: Sequence[Labelled], folder: str, step: int
) -> tuple[Mapping[str, int], float]:
    """The stories that feedsvc gathers of so many at a time, and the CPU seconds of all links."""
    store = opened(folder)
    relater = Relater(store, lambda: _NOW, most=_LINKS)
    spent = 0.0
    for start in range(0, len(articles), step):
        fill(store, [entry(each, _NOW) for each in articles[start : start + step]])
        before = _cpu()
        relater.drain()
        spent += _cpu() - before
    found: dict[str, int] = {}
    page = store.stories(limit=_GROUP, now=_NOW)
    while page.stories:
        for story in page.stories:
            found |= dict.fromkeys((one.id for one in story.members), len(found))
        page = store.stories(limit=_GROUP, now=_NOW, before=page.next) if page.next else StoryPage()
    store.close()
    return found, spent


def online_centroids(articles: Sequence[Labelled], least: float) -> tuple[Mapping[str, int], float]:
    """What comes of joining the nearest mean vector, if it is so near."""
    before = _cpu()
    sums: list[dict[int, float]] = []
    found: dict[str, int] = {}
    for each in articles:
        signed = signature(each.title, "", each.text)
        vector = {term: weight / WHOLE for term, weight in signed.vector().items()}
        near = [
            sum(weight * mean.get(term, 0.0) for term, weight in vector.items())
            / math.sqrt(sum(weight * weight for weight in mean.values()))
            for mean in sums
        ]
        at = max(range(len(near)), key=near.__getitem__, default=-1)
        if at < 0 or near[at] < least:
            at = len(sums)
            sums.append({})
        for term, weight in vector.items():
            sums[at][term] = sums[at].get(term, 0.0) + weight
        found[each.id] = at
    return found, _cpu() - before


def more_like_this(articles: Sequence[Labelled], folder: str) -> tuple[Links, float]:
    """What bm25 finds by the twenty most telling words of each article."""
    before = _cpu()
    index = sqlite3.connect(f"{folder}/fts.db")
    index.execute("CREATE VIRTUAL TABLE texts USING fts5 (words, tokenize='ascii')")
    words = [tokens(f"{each.title} {each.text}") for each in articles]
    rows = [(number, " ".join(found)) for number, found in enumerate(words)]
    index.executemany("INSERT INTO texts (rowid, words) VALUES (?, ?)", rows)
    query = "SELECT rowid FROM texts WHERE texts MATCH ? AND rowid <> ? ORDER BY rank LIMIT 5"
    links = {}
    for number, (article, found) in enumerate(zip(articles, words, strict=True)):
        asked = set(most_telling(found, 20))
        match = " OR ".join(f'"{word}"' for word in sorted(set(found)) if stem(word) in asked)
        rows_found = index.execute(query, (match, number)) if match else ()
        links[article.id] = [articles[other].id for (other,) in rows_found]
    index.close()
    return links, _cpu() - before


def cosine(articles: Sequence[Labelled], folder: str) -> tuple[Links, float]:
    """The nearest by the cosine of all words, weighed by how rare they are in the set."""
    before = _cpu()
    counts = [Counter(tokens(f"{each.title} {each.text}")) for each in articles]
    documents = Counter(word for found in counts for word in found)
    weighed: list[dict[str, float]] = []
    for found in counts:
        vector = {
            word: (1 + math.log(count)) * math.log(len(articles) / documents[word])
            for word, count in found.items()
        }
        length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1
        weighed.append({word: weight / length for word, weight in vector.items() if weight})
    postings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, weights in enumerate(weighed):
        for word, weight in weights.items():
            postings[word].append((number, weight))
    links = {}
    for number, (article, weights) in enumerate(zip(articles, weighed, strict=True)):
        scores: defaultdict[int, float] = defaultdict(float)
        for word, weight in weights.items():
            for other, share in postings[word]:
                scores[other] += weight * share
        del scores[number]
        best = sorted(scores, key=lambda other: -scores[other])[:_LINKS]
        links[article.id] = [articles[other].id for other in best]
    return links, _cpu() - before


class _Generated:
    """Articles of 250 words, eight a story: words of news as often as news has them, and names."""

    def __init__(self) -> None:
        counts = document_counts()
        self._words, self._often = list(counts), list(accumulate(counts.values()))

    def __call__(self, number: int) -> Labelled:
        story = number // 80 * 10 + number % 10  # ten stories at a time
        theirs, chance = random.Random(story), random.Random(-number)
        names = [f"Name{theirs.randrange(1 << 16)}" for _ in range(6)]
        matter = theirs.choices(self._words, k=20)
        words = chance.choices(self._words, cum_weights=self._often, k=190)
        words += chance.choices(names, k=20) + chance.choices(matter, k=25)
        words += [f"Other{int(chance.paretovariate(0.3)) % 200_000}" for _ in range(15)]
        chance.shuffle(words)
        title = [*chance.sample(names, 2), *chance.sample(matter, 4), *words[:3]]
        return Labelled(str(number), " ".join(title), " ".join(words), str(story))


def cost(number: int, folder: str) -> None:
    """Prints what links cost among so many entries: many at once, and the last thousand by 20."""
    generated, step = _Generated(), timedelta(seconds=50)
    store = opened(folder)
    relater = Relater(store, lambda: _NOW, most=_LINKS)
    done = 0
    for size, until in ((10_000, number - 1_000), (20, number)):
        spent, start = 0.0, done
        while done < until:
            some = range(done, min(until, done + size))
            fill(store, [entry(generated(at), _NOW - (number - at) * step) for at in some])
            before = _cpu()
            assert relater.drain() == len(some)
            spent += _cpu() - before
            done = some.stop
        each = spent / (done - start) * 1e3
        print(
            f"  {done - start:>9,} entries, {size:,} at a time: {each:.2f} ms CPU each", flush=True
        )
    with closing(sqlite3.connect(f"{folder}/linking.db")) as database:
        sizes = dict(database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    for what, names in (
        ("terms", ("signatures", "postings")),
        ("links", ("related",)),
        ("stories", ("stories", "storied")),
    ):
        size = sum(bytes for name, bytes in sizes.items() if any(each in name for each in names))
        print(f"  {what}: {size / done:.0f} bytes an entry")
    store.close()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def told(
    name: str, what: str, articles: Sequence[Labelled], stories: Mapping[str, int], spent: float
) -> None:
    """Prints how good some stories are."""
    precise, recalled, f1 = b3(articles, stories)
    print(
        f"{name:16}{what:24}{precise:>7.3f}{recalled:>7.3f}{f1:>8.3f}"
        f"{b3(articles, stories, all_stories=False)[2]:>11.3f}"
        f"{spent / len(articles) * 1e3:>9.2f}",
        flush=True,
    )


def main() -> None:
    """Prints quality and cost of links by content, beside the baselines, set by set."""
    place = Path(os.environ.get("LINKING") or _SAMPLE)
    print(f"linking: {place}")
    print(f"{'':16}{'':18}{'P@5':>8}{'kept back':>11}{'shown':>8}{'right':>8}{'ms CPU':>9}")
    for name in _SETS:
        articles = read(place / f"{name}.jsonl")
        for what, method in (
            ("feedsvc", ours),
            ("FTS5 bm25", more_like_this),
            ("TF-IDF, all pairs", cosine),
        ):
            with tempfile.TemporaryDirectory() as folder:
                links, spent = method(articles, folder)
            shown, share = right(articles, links)
            print(
                f"{name:16}{what:18}{precision(articles, links):>8.3f}"
                f"{precision(articles, links, all_stories=False):>11.3f}"
                f"{shown:>8.2f}{share:>8.3f}{spent / len(articles) * 1e3:>9.2f}",
                flush=True,
            )
    print(f"\nstories: {place}")
    print(f"{'':16}{'':24}{'P':>7}{'R':>7}{'B3 F1':>8}{'kept back':>11}{'ms CPU':>9}")
    for name in _SETS:
        articles = read(place / f"{name}.jsonl")
        for step in (len(articles), 50):
            with tempfile.TemporaryDirectory() as folder:
                told(
                    name, f"feedsvc, {step} at a time", articles, *gathered(articles, folder, step)
                )
        tried = (online_centroids(articles, least) for least in _THRESHOLDS)
        best = max(tried, key=lambda found: b3(articles, found[0])[2])
        told(name, "online centroids", articles, *best)
    if number := int(os.environ.get("ENTRIES", "0")):
        with tempfile.TemporaryDirectory() as folder:
            cost(number, folder)
