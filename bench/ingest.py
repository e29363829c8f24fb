"""Polling: feedsvc beside `reader` (PyPI), the library with the same task, on the same feeds.

Both run in a process that lives through all phases, start polling at a word, and store what they
find in SQLite; feedsvc also tags, links and indexes for search. `reader` runs with one and with ten
workers, and the better of the two counts; the last column is the CPU time of a `reader` that brings
its search index up to date as well. Entries that are there again cost next to nothing: how many of
them a CPU second is enough for is told of feeds that changed elsewhere, and of bodies that come
again whole because their server knows no validators. `FEEDS=2000 make bench` takes another number
of feeds than 400; with fewer than 334 the first poll makes links by content as well.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .corpus import Corpus
from .tree import Peak, cpu

_ROOT = Path(__file__).parent.parent
_OURS = """
import asyncio, sys
from feedsvc.config import load
from feedsvc.poll import Poller
from feedsvc.round import poll_due
from feedsvc.runtime import open_runtime

async def main():
    runtime = open_runtime(load())
    runtime.declare()
    async with Poller(runtime) as poller:
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            summary = await poll_due(poller, ignore_schedule=True)
            assert not summary.failed, summary.failed[0]
            print(summary.total("new"), flush=True)

asyncio.run(main())
"""
_READER = """
import sys
from reader import make_reader
workers, search, *urls = sys.argv[1:]
reader = make_reader("reader.sqlite")
if search == "search":
    reader.enable_search()
for url in urls:
    reader.add_feed(url)
print("ready", flush=True)
for line in sys.stdin:
    before = reader.get_entry_counts().total
    reader.update_feeds(workers=int(workers), scheduled=False)
    if search == "search":
        reader.update_search()
    print(reader.get_entry_counts().total - before, flush=True)
"""


@dataclass(frozen=True, slots=True)
class _Cost:
    """What one phase took: seconds of wall and CPU time, bytes of memory at most."""

    wall: float
    cpu: float
    memory: int

    def better(self, other: "_Cost") -> "_Cost":
        """The best of both in every respect."""
        pairs = ((self.wall, other.wall), (self.cpu, other.cpu))
        wall, cpu = map(min, pairs)
        return _Cost(wall, cpu, min(self.memory, other.memory))


class _Program:
    """A polling program that polls once for every line it is given and says how much was new."""

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,
            text=True,
        )
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args!r:.80} ended early")
        return line.strip()

    def poll(self, expected: int) -> _Cost:
        """Polls everything once."""
        assert self._process.stdin is not None
        before = cpu(self._process.pid)
        started = time.perf_counter()
        with Peak(self._process.pid) as peak:
            self._process.stdin.write("poll\n")
            self._process.stdin.flush()
            new = int(self._answer())
            wall = time.perf_counter() - started
        assert new == expected, f"{new} new entries instead of {expected}"
        return _Cost(wall, cpu(self._process.pid) - before, peak.bytes)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def _programs(corpus: Corpus, folder: Path) -> tuple[_Program, list[_Program]]:
    ours = folder / "ours"
    (ours / "config").mkdir(parents=True)
    sources = "".join(f'[[sources]]\nlocation = "{url}"\n' for url in corpus.urls)
    (ours / "config" / "feedsvc.toml").write_text(sources)
    plain = {name: text for name, text in os.environ.items() if not name.startswith("FEEDSVC_")}
    environment = {
        **plain,
        "PYTHONPATH": str(_ROOT),
        "FEEDSVC_POLL__ALLOW_PRIVATE": f'["{corpus.address}"]',
        # all feeds are on one host here, which elsewhere they are not
        "FEEDSVC_POLL__PER_HOST": str(corpus.feeds),
        "FEEDSVC_POLL__HOST_DELAY": "0s",
    }
    peers = []
    for workers, search in (("1", ""), ("10", ""), ("1", "search")):
        place = folder / f"reader-{workers}{search}"
        place.mkdir()
        python = str(_ROOT / ".venv-bench" / "bin" / "python")
        peers.append(_Program([python, "-c", _READER, workers, search, *corpus.urls], place, plain))
    return _Program([sys.executable, "-c", _OURS], ours, environment), peers


def main() -> None:
    """Prints wall, CPU and peak memory of feedsvc and of `reader`, and their ratios."""
    feeds = int(os.environ.get("FEEDS", "400"))
    with Corpus(feeds) as corpus, tempfile.TemporaryDirectory() as name:
        ours, peers = _programs(corpus, Path(name))
        print(
            f"ingest: {feeds} feeds of 30 entries; wall s, CPU s, peak MB; ratio reader / feedsvc"
        )
        print(f"{'':26}{'feedsvc':>22}{'reader':>24}{'ratio wall':>13}{'CPU':>7}{'searching':>11}")
        peak = 0
        for phase, share in (
            ("first ingest", 0.0),
            ("all 304", 0.0),
            ("1 % with one new entry", 0.01),
            ("all with one new entry", 1.0),
        ):
            new = corpus.change(share) if share else 0 if phase == "all 304" else feeds * 30
            a = ours.poll(new)
            peak = max(peak, a.memory)
            costs = [peer.poll(new) for peer in peers]
            b, searching = costs[0].better(costs[1]), costs[2]
            print(
                f"{phase:26}{a.wall:>8.2f}{a.cpu:>8.2f}{a.memory / 1e6:>6.0f}"
                f"{b.wall:>10.2f}{b.cpu:>8.2f}{b.memory / 1e6:>6.0f}"
                f"{b.wall / a.wall:>13.1f}{b.cpu / a.cpu:>7.1f}"
                f"{searching.cpu / a.cpu:>11.1f}",
                flush=True,
            )
        with corpus.forgetful():
            again = ours.poll(0)
        print(
            f"unchanged entries a CPU second: {feeds * 29 / a.cpu:,.0f} beside a new one in each "
            f"feed, {feeds * 30 / again.cpu:,.0f} in bodies that come again whole"
        )
        print(f"peak memory of all processes of feedsvc: {max(peak, again.memory) / 1e6:.0f} MB")
        for program in (ours, *peers):
            program.close()
