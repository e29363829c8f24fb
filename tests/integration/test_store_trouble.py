"""The SQLite store where it cannot write: a full disk, a lock, no right to."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from feedsvc.errors import StoreError, StoreUnavailable
from feedsvc.model import PollState, Text
from feedsvc.store import SqlStore, open_store
from feedsvc.store.base import Committed, PollResult
from tests.storekit import HOUR, NOW, add, claim, entry, poll, uids

NOBODY = 65534
BIG = Text(value="word " * 40_000)
LATER = PollState(next_at=NOW + HOUR)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    store = open_store(f"sqlite:///{path}", wait=0.2)
    store.migrate()
    yield store
    store.close()


@contextmanager
def full(store: SqlStore) -> Iterator[None]:
    """The file may not grow by more than one page: what SQLite does when the disk is full."""
    with store.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + 1}")

    store.close()
    event.listen(store.engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(store.engine, "connect", limit)
        store.close()


def test_a_full_disk_stops_nothing_but_writing(store: SqlStore) -> None:
    poll(store, entry("first"))
    held = [claim(store, name) for name in ("a", "b")]
    results = [
        PollResult(state=LATER, entries=(entry("big", content=BIG),)),
        PollResult(state=LATER, entries=(entry("small", source="b", tags=["x"]),)),
    ]
    polls = list(zip(held, results, strict=True))
    change = store.change()
    with full(store):
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=r"store\.db .*disk is full; make room"):
                store.finish_polls(polls, NOW)
        with pytest.raises(StoreUnavailable, match="disk is full"):
            store.finish_poll(*polls[0], NOW)
        # reading goes on, and polls that bring nothing are still finished
        assert uids(store) == ["first"]
        assert store.change() == change
        assert store.finish_poll(claim(store, "c"), PollResult(state=LATER), NOW) == Committed()
    assert store.check() == ()
    assert all(isinstance(done, Committed) for done in store.finish_polls(polls, NOW))
    assert sorted(uids(store)) == ["big", "first", "small"]
    assert store.check() == ()


_FILLING = """
import resource, signal, sys
from feedsvc.errors import StoreUnavailable
from feedsvc.model import Text
from feedsvc.store import open_store
from tests.storekit import NOW, HOUR, entry, poll, uids

store = open_store(sys.argv[1])
poll(store, entry("before"))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
try:
    for number in range(100):
        big = entry(str(number), content=Text(value="word " * 40_000))
        poll(store, big, now=NOW + number * HOUR)
except StoreUnavailable as error:
    print(error, flush=True)
count = len(uids(store, limit=500))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
poll(store, entry("after"), now=NOW + 1000 * HOUR)
assert len(uids(store, limit=500)) == count + 1 > 2
assert store.check() == ()
"""


def test_a_write_that_the_system_refuses_is_told_and_survived(store: SqlStore) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _FILLING, store.url.render_as_string(hide_password=False)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "store.db cannot be read or written (disk I/O error): is its disk full" in ran.stdout
    assert "after" in uids(store)
    assert store.check() == ()


def test_a_locked_store_says_for_how_long_and_goes_on(store: SqlStore, path: Path) -> None:
    held = claim(store)
    result = PollResult(state=LATER, entries=(entry("one"),))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for polls in ([(held, result)], [(held, PollResult(state=LATER))]):
            with pytest.raises(StoreUnavailable, match=r"locked .* 0\.2 s: end what else has it"):
                store.finish_polls(polls, NOW)
        assert uids(store) == []
        other.execute("ROLLBACK")
    assert store.finish_poll(held, result, NOW).new
    assert store.check() == ()


@contextmanager
def unprivileged(folder: Path, mode: int) -> Iterator[None]:
    """A folder with other rights, as a user who owns nothing here: root may write everything."""
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and len(parent.parts) > 2:
            parent.chmod(parent.stat().st_mode | 0o055)
    folder.chmod(mode)
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if before == 0:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.mark.parametrize(("file", "folder"), [(0o444, 0o555), (0o444, 0o777), (0o666, 0o555)])
def test_what_may_not_be_written_is_one_clear_error(
    store: SqlStore, path: Path, file: int, folder: int
) -> None:
    poll(store, entry("one"))
    store.close()
    path.chmod(file)
    with unprivileged(path.parent, folder):
        refused = r"store\.db cannot be written: allow the user with uid \d+ to write the file"
        with pytest.raises(StoreUnavailable, match=refused):
            add(store, "b")
        store.close()
    path.chmod(0o644)
    add(store, "b")
    assert uids(store) == ["one"]
    assert store.check() == ()


def test_a_store_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    store = open_store(f"sqlite:///{folder}/new.db")
    with unprivileged(folder, 0o555):
        refused = r"new\.db cannot be opened: .* uid \d+ must be allowed to write both"
        with pytest.raises(StoreUnavailable, match=refused):
            store.migrate()
        with pytest.raises(StoreError, match="below cannot be made: Permission denied"):
            open_store(f"sqlite:///{folder}/below/new.db")
        store.close()
    assert list(folder.iterdir()) == []
