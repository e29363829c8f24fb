"""Serving beside a poller at full speed: how long answers take to come, and how long alone.

The real service, `feedsvc run`, is asked at an even pace, whether it is busy or not, for what is in
memory and for what has to be made: alone, and then while it ingests feeds that it has never seen as
fast as it can. Wall time, the slowest hundredth: on a machine with something else to do it tells of
that.
"""

import http.client
import itertools
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .corpus import Corpus
from .serve import ROOT, fill, free_port, running

_PACE = 0.01
_ALONE = 2_000
_COUNT = "SELECT count(*) FROM entries"
_FEED = "/feeds/all.atom?limit=29"


def _asked() -> Iterator[tuple[str, str, dict[str, str]]]:
    """What is asked for, by turns: name, address, headers."""
    packed = {"Accept-Encoding": "gzip"}
    for number in itertools.count():
        yield "304", _FEED, {"If-None-Match": "*"}
        yield "200 from memory", _FEED, packed
        # never asked for before: it counts from another day
        address = f"/feeds/query.atom?q=source:feed-{number % 40}%20since:{9000 + number}d"
        yield "200 made anew", address, packed


def _ask(port: int, going_on: Callable[[int], bool]) -> dict[str, list[float]]:
    """Milliseconds that answers took, by what was asked for."""
    took: dict[str, list[float]] = {}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    due = time.perf_counter()
    for number, (name, address, headers) in enumerate(_asked()):
        if not going_on(number):
            break
        time.sleep(max(0.0, due - time.perf_counter()))
        due = max(due + _PACE, time.perf_counter())
        began = time.perf_counter()
        connection.request("GET", address, headers=headers)
        reply = connection.getresponse()
        reply.read()
        took.setdefault(name, []).append((time.perf_counter() - began) * 1e3)
        assert reply.status == (304 if name == "304" else 200), (address, reply.status)
    connection.close()
    return took


def main() -> None:
    """Prints how long answers take alone and beside a poller, and the ratios."""
    feeds = int(os.environ.get("FEEDS", "1000"))
    with (
        Corpus(feeds) as corpus,
        tempfile.TemporaryDirectory() as name,
        open(os.devnull, "w") as log,
    ):
        folder, port = Path(name), free_port()
        fill(folder)
        (folder / "feeds.opml").write_text(
            "<opml version='2.0'><head/><body>"
            + "".join(f"<outline type='rss' xmlUrl='{url}'/>" for url in corpus.urls)
            + "</body></opml>"
        )
        (folder / "feedsvc.toml").write_text(
            f'[store]\nurl = "sqlite:///{folder}/store.db"\n[web]\nport = {port}\nworkers = 2\n'
            f'[site]\nbase_url = "http://127.0.0.1:{port}"\n[poll]\nhost_delay = "0s"\n'
            f'per_host = {feeds}\nallow_private = ["{corpus.address}"]\n'
        )
        clean = {key: text for key, text in os.environ.items() if not key.startswith("FEEDSVC_")}
        program = [sys.executable, "-m", "feedsvc", "--config", f"{folder}/feedsvc.toml"]
        given = {
            "cwd": folder,
            "env": {**clean, "PYTHONPATH": str(ROOT)},
            "stdout": log,
            "stderr": log,
        }
        with running([*program, "run"], port, **given):
            _ask(port, lambda number: number < 300)
            alone = _ask(port, lambda number: number < _ALONE)
            imported = subprocess.run(
                [*program, "opml", "import", "feeds.opml"],
                check=False,
                **given,
            )
            assert imported.returncode == 0
            store = sqlite3.connect(folder / "store.db", isolation_level=None)
            expected = store.execute(_COUNT).fetchone()[0] + feeds * 30
            # so many are spread over minutes, for politeness
            store.execute("UPDATE poll_state SET next_at = 0 WHERE last_at IS NULL")
            began = time.perf_counter()
            beside = _ask(
                port, lambda n: n % 50 > 0 or store.execute(_COUNT).fetchone()[0] < expected
            )
            seconds = time.perf_counter() - began
            store.close()
    print(f"busy: every {_PACE * 1e3:.0f} ms a request; wall ms, median and slowest hundredth")
    print(f"{'':20}{'alone':>16}{'ingesting':>18}{'ratio':>14}")
    for what in alone:
        pairs = [(statistics.median(one), _slowest(one)) for one in (alone[what], beside[what])]
        each = "".join(f"{median:>9.2f}{slow:>8.2f}" for median, slow in pairs)
        ratios = [b / a for a, b in zip(*pairs, strict=True)]
        print(f"{what:20}{each}{ratios[0]:>8.1f}{ratios[1]:>6.1f}")
    print(f"{feeds * 30:,} entries of {feeds:,} feeds came in within {seconds:.0f} s")


def _slowest(took: list[float]) -> float:
    return statistics.quantiles(took, n=100)[98]
