"""The store alone: CPU time of committing new entries, of looking up known ones and of idle polls.

`FEEDS=500 make bench` takes another number of feeds. `STORE_URL=postgresql://…` measures an empty
database of yours instead of SQLite, without the CPU time of its server.
"""

import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

from feedsvc.keys import entry_key
from feedsvc.model import Entry, Link, Person, PollState, Source, Tag, Text
from feedsvc.query import parse
from feedsvc.store import Store, open_store
from feedsvc.store.base import Claim, Committed, PollResult
from feedsvc.store.codec import prepare

from .corpus import WORDS

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_ENTRIES = 30
_GROUP = 20
_IDLE = 50_000


class _Timed:
    """Wall and CPU seconds of blocks, added up."""

    wall = cpu = 0.0

    def __enter__(self) -> Self:
        self.wall -= time.perf_counter()
        self.cpu -= _cpu()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter()
        self.cpu += _cpu()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def article(feed: int, number: int) -> Entry:
    """An article of 350 words, some of them rare, with four tags, an author and an enclosure."""
    chance = random.Random(feed * 100_003 + number)
    words = chance.choices(WORDS, k=300) + [f"name{chance.randrange(20_000)}" for _ in range(50)]
    chance.shuffle(words)
    body = "".join(f"<p>{' '.join(words[at : at + 50])}.</p>" for at in range(0, 350, 50))
    url = f"https://{feed}.example/{number}"
    slugs = {f"tag-{int(chance.paretovariate(0.6)) % 3_000}" for _ in range(4)}
    at = _NOW - timedelta(minutes=number, seconds=feed)
    return Entry(
        id=url,
        fallback_id=f"tag:localhost,2026:{feed}/{number}",
        key=entry_key(url),
        source_id=f"feed-{feed}",
        uid=url,
        title=" ".join(words[:8]).title(),
        published=at,
        updated=at,
        dated=True,
        digest=f"{feed:032x}{number:032x}",
        link=url,
        links=(Link(href=f"{url}.mp3", rel="enclosure", type="audio/mpeg", length=1),),
        summary=Text(value=" ".join(words[:30])),
        content=Text(value=body, type="html"),
        authors=(Person(name=" ".join(words[:2]).title()),),
        tags=tuple(Tag(slug=slug, label=slug.title(), origin="auto") for slug in sorted(slugs)),
    )


def _due(store: Store, at: datetime) -> Iterator[tuple[Claim, ...]]:
    while claims := store.claim_due(now=at, owner="bench", lease=_HOUR, limit=500):
        yield claims


def _state(at: datetime) -> PollState:
    return PollState(next_at=at + _HOUR, last_at=at, last_ok_at=at, etag='"abc"', status=200)


def _fill(store: Store, feeds: int) -> None:
    preparing, writing = _Timed(), _Timed()
    for claims in _due(store, _NOW):
        polls = []
        for claim in claims:
            feed = int(claim.source.id.removeprefix("feed-"))
            entries = tuple(article(feed, number) for number in range(_ENTRIES))
            with preparing:
                for entry in entries:
                    prepare(entry)
            polls.append((claim, PollResult(state=_state(_NOW), entries=entries)))
        for at in range(0, len(polls), _GROUP):
            with writing:
                outcomes = store.finish_polls(polls[at : at + _GROUP], _NOW)
            assert all(isinstance(outcome, Committed) for outcome in outcomes)
    each = 1_000 / (feeds * _ENTRIES)
    _line("new entries", f"{writing.cpu * each:.3f} ms CPU, {writing.wall * each:.3f} ms wall each")
    _line("  preparing them", f"{preparing.cpu * each:.3f} ms CPU of that")


def _look_up(store: Store, feeds: int) -> None:
    asked = {
        f"feed-{feed}": [f"https://{feed}.example/{number}" for number in range(_ENTRIES)]
        for feed in range(feeds)
    }
    with _Timed() as alone:
        for id, uids in asked.items():
            assert len(store.known(id, uids)) == _ENTRIES
    together = _Timed()
    for at in range(0, feeds, _GROUP):
        some: Sequence[str] = list(asked)[at : at + _GROUP]
        with together:
            store.known_many({id: asked[id] for id in some})
    total = feeds * _ENTRIES
    _line("known entries", f"{total / alone.cpu:,.0f} a CPU second, feed by feed")
    _line("", f"{total / together.cpu:,.0f} a CPU second, {_GROUP} feeds at once")


def _read(store: Store) -> None:
    for slug in ("tag-1", "tag-20", "tag-150"):
        query = parse(f"tag:{slug}")
        store.find(query, limit=50, now=_NOW)
        with _Timed() as spent:
            for _ in range(50):
                found = store.find(query, limit=50, now=_NOW).entries
        matching = store.count(query, now=_NOW)
        _line(f"find {len(found)} of {matching:,} by tag", f"{spent.cpu * 20:.2f} ms CPU")


def _idle(store: Store, feeds: int) -> None:
    claiming, finishing, done, round = _Timed(), _Timed(), 0, 0
    while done < _IDLE:
        round += 1
        at = _NOW + 2 * round * _HOUR
        due = _due(store, at)
        while True:
            with claiming:
                claims = next(due, ())
            if not claims:
                break
            with finishing:
                store.finish_polls([(c, PollResult(state=_state(at))) for c in claims], at)
            done += len(claims)
    _line("idle polls", f"{finishing.cpu / done * 1e3:.4f} ms CPU each")
    _line("  claiming them", f"{claiming.cpu / done * 1e3:.4f} ms CPU each")


def _line(what: str, figures: str) -> None:
    print(f"  {what:28}{figures}", flush=True)


def main() -> None:
    """Prints what the store takes for each kind of work, in CPU milliseconds."""
    feeds = int(os.environ.get("FEEDS", "200"))
    print(f"store: {feeds} feeds of {_ENTRIES} entries, polls committed by {_GROUP}")
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(os.environ.get("STORE_URL") or f"sqlite:///{folder}/store.db")
        store.migrate()
        store.add_sources(
            (
                Source(id=f"feed-{n}", kind="feed", location=f"https://{n}.example/feed")
                for n in range(feeds)
            ),
            _NOW,
        )
        _fill(store, feeds)
        _look_up(store, feeds)
        _read(store)
        _idle(store, feeds)
        store.close()
