"""Queries on large stores: what each kind costs, and whether that grows with the store.

Printed are CPU milliseconds of the program and, where there is one, of the database server's
process for it, so that whatever else the machine does stands out of the way: the median and the
slowest hundredth of queries that are all different. `ENTRIES=100000,1000000` are the sizes,
`STORES=sqlite,postgresql` the databases. The stores are made on the first run and kept in
`BENCH_FOLDER`, which takes 5 GB; by default in the folder for temporary files.
"""

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from feedsvc.compose import Composer
from feedsvc.config import Config
from feedsvc.query import EntryQuery, parse
from feedsvc.store import SqlStore, open_store
from feedsvc.store.search import Search
from feedsvc.web.compress import CODINGS
from tests.postgres import running

from .query_store import NAME, NOW, postgresql, sqlite, tag, word

_SETTINGS = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"),
    *("shared_buffers=512MB", "max_wal_size=4GB", "max_connections=30"),
    *("listen_addresses=", "log_min_messages=fatal"),
)
_LIMIT, _EACH, _WARM = 50, 200, 100
_SECONDS = 10.0


def _kinds() -> Mapping[str, Sequence[str]]:
    """Queries by kind, the same on every run."""
    chance = random.Random(11)

    def some(make: Callable[[], str]) -> list[str]:
        return [make() for _ in range(_EACH)]

    def of(first: int, last: int) -> int:
        return chance.randrange(first, last)

    return {
        "tag:a": some(lambda: f"tag:{tag(of(0, 400))}"),
        "tag:a -tag:b": some(lambda: f"tag:{tag(of(0, 200))} -tag:{tag(of(0, 60))}"),
        "tag:a tag:rare": some(lambda: f"tag:{tag(of(0, 20))} tag:{tag(of(2000, 3000))}"),
        "tag:a OR tag:b OR tag:c": some(
            lambda: f"tag:{tag(of(0, 60))} OR tag:{tag(of(60, 400))} OR tag:{tag(of(400, 3000))}"
        ),
        "a rare word": some(lambda: word(of(20_000, 39_000))),
        "a middling word": some(lambda: word(of(500, 1500))),
        "a common word": some(lambda: word(of(3, 40))),
        "tag:a, a middling word": some(lambda: f"tag:{tag(of(0, 60))} {word(of(500, 1500))}"),
        "tag:a, a common word": some(lambda: f"tag:{tag(of(0, 400))} {word(of(3, 40))}"),
        "two words by relevance": some(
            lambda: f"{word(of(3, 40))} {word(of(40, 1500))} sort:relevance"
        ),
    }


class _Meter:
    """CPU seconds of this thread, and of the server's process that works for it."""

    def __init__(self, store: SqlStore) -> None:
        self._server: Path | None = None
        if store.backend == "postgresql":
            with store.reading() as connection:
                pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            self._server = Path(f"/proc/{pid}/schedstat")

    def __call__(self) -> float:
        there = 0 if self._server is None else int(self._server.read_text().split()[0])
        return time.thread_time() + there / 1e9


def _measured(
    ask: Callable[[int], object], clock: Callable[[], float], times: int = _EACH
) -> tuple[float, float]:
    """Milliseconds: the median, and what 99 % take no longer than."""
    for number in range(min(times, _WARM)):
        ask(number)
    taken = []
    for number in range(times):
        began = clock()
        ask(number)
        taken.append((clock() - began) * 1e3)
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


def _finding(store: SqlStore, queries: Sequence[EntryQuery]) -> Callable[[int], object]:
    def ask(number: int) -> object:
        query = queries[number % len(queries)]
        return store.head(query, limit=_LIMIT, now=NOW, collapse=True)

    return ask


def _keys(store: SqlStore, queries: Sequence[EntryQuery]) -> Callable[[int], object]:
    def ask(number: int) -> object:
        query = queries[number % len(queries)]
        with store.reading(often=True) as connection:
            search = Search(connection, store, query.where, NOW, collapse=True)
            return search.page("published", _LIMIT + 1)

    return ask


def _feeds(store: SqlStore) -> Callable[[int], object]:
    """Feeds of fifty entries, each made of parts that are there, and compressed."""
    composer = Composer(store=store, config=Config(), clock=lambda: NOW)
    (zstd,) = (coding for coding in CODINGS if coding.name == "zstd")
    requests = [composer.tags([tag(number)]) for number in range(_EACH)]
    for request in requests:
        composer.rendering(request, "atom")

    def ask(number: int) -> object:
        return zstd.encode(composer.rendering(requests[number], "atom").body)

    return ask


def _figures(store: SqlStore) -> Iterator[tuple[str, tuple[float, float]]]:
    meter = _Meter(store)
    for kind, texts in _kinds().items():
        queries = [parse(text) for text in texts]
        if "relevance" not in kind:
            yield f"{kind}: which entries", _measured(_keys(store, queries), meter)
        yield f"{kind}: a feed's marks", _measured(_finding(store, queries), meter)
    yield "a tag's feed, made and compressed", _measured(_feeds(store), meter)


def _while_writing(url: str) -> tuple[float, float]:
    """The slowest hundredth, in wall milliseconds, alone and beside a poller at full speed."""
    store = open_store(url)
    ask = _finding(store, [parse(f"tag:{tag(number)}") for number in range(_EACH)])
    _, alone = _measured(ask, time.perf_counter, 1_000)
    command = [sys.executable, "-m", "bench.query_writer", url, str(_SECONDS)]
    with subprocess.Popen(command, cwd=Path(__file__).parent.parent) as writer:
        _, beside = _measured(ask, time.perf_counter, 1_000)
        if writer.poll() is not None:
            raise SystemExit("the writer ended before it was told to")
        writer.terminate()
    store.close()
    return alone, beside


@contextmanager
def _opened(backend: str, folder: Path) -> Iterator[Callable[[int], SqlStore]]:
    """Gives stores of any size."""
    if backend == "sqlite":
        yield lambda size: sqlite(folder, size)
        return
    with running(folder / "postgresql", _SETTINGS) as server:
        yield lambda size: postgresql(server, size)


def main() -> None:
    """Prints what queries cost on both databases at every size."""
    sizes = [int(size) for size in os.environ.get("ENTRIES", "100000,1000000").split(",")]
    backends = os.environ.get("STORES", "sqlite,postgresql").split(",")
    default = Path(tempfile.gettempdir()) / "feedsvc-bench"
    folder = Path(os.environ.get("BENCH_FOLDER") or default)
    folder.mkdir(parents=True, exist_ok=True)
    print(f"query: stores {NAME} of {', '.join(f'{size:,}' for size in sizes)} entries")
    for backend in backends:
        with _opened(backend, folder) as opened:
            found: dict[str, list[tuple[float, float]]] = {}
            for size in sizes:
                store = opened(size)
                for what, figures in _figures(store):
                    found.setdefault(what, []).append(figures)
                    _line(what, found[what])
                store.close()
    if "sqlite" in backends:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            copy = shutil.copy(folder / f"{NAME}-{sizes[0]}.db", scratch)
            alone, beside = _while_writing(f"sqlite:///{copy}")
        print(f"  p99 beside a poller at full speed {beside / alone:.1f} times that alone")


def _line(what: str, figures: Sequence[tuple[float, float]]) -> None:
    each = "   ".join(f"{p50:6.2f} {p99:7.2f}" for p50, p99 in figures)
    flat = f"   x{figures[-1][1] / figures[0][1]:.1f}" if len(figures) > 1 else ""
    print(f"  {what:48}{each}{flat}", flush=True)
