"""The SQLite store: one file that many threads and processes share, and that survives a kill."""

import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from feedsvc.errors import StoreError, StoreUnavailable
from feedsvc.model import Source
from feedsvc.query import parse
from feedsvc.store import SqlStore, open_store
from feedsvc.store.base import Shares
from tests.storekit import LEASE, NOW, add, entry, key_of, poll, run_forking, tag, uids


@pytest.fixture
def store(open_fresh: Callable[[str], SqlStore]) -> SqlStore:
    return open_fresh("sqlite")


def path_of(store: SqlStore) -> Path:
    return Path(store.url.database or "")


def again(store: SqlStore, *, wait: float = 30.0) -> SqlStore:
    """Another process's view of the same file."""
    return open_store(store.url.render_as_string(hide_password=False), wait=wait)


def test_the_file_is_set_up_for_this_work(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/feedsvc.db")
    try:
        store.migrate()
        with store.reading() as connection:
            settings = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "page_size", "foreign_keys", "busy_timeout")
            }
        assert settings == {
            "journal_mode": "wal",
            "page_size": 16384,
            "foreign_keys": 1,
            "busy_timeout": 30000,
        }
    finally:
        store.close()


def test_only_what_could_be_lost_waits_for_the_disk(store: SqlStore) -> None:
    seen: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    def level() -> str:
        levels = [each for each in seen if each.startswith("PRAGMA synchronous")]
        seen.clear()
        return levels[-1].rpartition("=")[2]

    add(store, "a")
    assert level() == "FULL"
    poll(store, entry("one"))
    assert level() == "FULL"
    poll(store)
    assert level() == "NORMAL"
    store.put_tags(key_of("one"), [tag("x")], NOW)
    assert level() == "FULL"
    store.done("link", [1])
    assert level() == "NORMAL"


def test_a_lock_that_is_held_too_long_makes_the_store_unavailable(store: SqlStore) -> None:
    add(store, "a")
    other = again(store, wait=0.05)
    try:
        with store.writing():
            with pytest.raises(StoreUnavailable, match=r"store-1\.db stayed locked.*0\.05 s"):
                add(other, "b")
            # readers are not in the way of the writer, nor it in theirs
            assert [status.source.id for status in other.sources()] == ["a"]
        add(other, "b")
    finally:
        other.close()


def test_writers_wait_for_one_another(store: SqlStore) -> None:
    names = [f"s{number}" for number in range(4)]
    add(store, *names)
    others = [again(store) for _ in names]
    errors: list[BaseException] = []

    def write(mine: SqlStore, name: str) -> None:
        try:
            for number in range(10):
                poll(mine, entry(str(number), source=name, tags=["x"]), source=name)
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=write, args=pair) for pair in zip(others, names, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    assert errors == []
    assert store.tags()[0].count == 40
    assert store.check() == ()


def test_all_connections_in_use_is_unavailable(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/feedsvc.db", pool=1, wait=0.05)
    store.migrate()
    held = [store.engine.connect() for _ in range(5)]
    try:
        with pytest.raises(StoreUnavailable, match=r"feedsvc\.db"):
            store.sources()
    finally:
        for connection in held:
            connection.close()
        store.close()


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"This is a text file, whatever it is called." * 50, StoreError, "not an SQLite database"),
        (b"SQLite format 3\0" + b"\xff" * 5000, StoreError, "not an SQLite database|damaged"),
    ],
)
def test_a_file_that_is_no_database_is_named_and_left_alone(
    tmp_path: Path, content: bytes, error: type[Exception], message: str
) -> None:
    path = tmp_path / "feedsvc.db"
    path.write_bytes(content)
    store = open_store(f"sqlite:///{path}")
    try:
        for use in (store.migrate, store.schema_current, store.sources, store.check):
            with pytest.raises(error, match=message):
                use()
    finally:
        store.close()
    assert path.read_bytes() == content


def test_a_damaged_index_is_reported(store: SqlStore) -> None:
    poll(store, entry("one", tags=["x"]))
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE entry_search_content SET c0 = ' other words '")
    assert any("damaged" in line for line in store.check())


def test_rows_without_those_they_belong_to_are_reported(store: SqlStore) -> None:
    poll(store, entry("one", tags=["x"]))
    with closing(sqlite3.connect(path_of(store))) as connection:
        connection.execute("DELETE FROM tags")
        connection.commit()
    assert "entry_tags None belongs to tags that are gone" in store.check()


def test_a_path_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}")
    try:
        with pytest.raises(StoreUnavailable, match="cannot be opened"):
            store.migrate()
    finally:
        store.close()


def test_a_damaged_file_is_reported(store: SqlStore) -> None:
    poll(store, *(entry(str(number), title="word " * 200) for number in range(100)))
    store.close()
    path = path_of(store)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'entries'"
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * 16384)
        file.write(b"\x5a" * 1000)
    assert any("damaged" in line for line in store.check())
    with pytest.raises(StoreError, match=r"damaged.*restore a backup"):
        uids(store)


WRITER = """
import os, sys
from feedsvc.model import Tag
from feedsvc.store import open_store
from tests.storekit import LEASE, NOW, HOUR, entry, poll, claim
from feedsvc.store.base import PollResult
from feedsvc.model import PollState
from sqlalchemy import event

store = open_store(sys.argv[1])
poll(store, *(entry(f"kept-{n}", tags=["x"], references=("Later 1",)) for n in range(20)))
print("kept", flush=True)
seen = 0

@event.listens_for(store.engine, "after_cursor_execute")
def stop(connection, cursor, statement, *rest):
    # the last statement of the poll: everything is written, nothing committed
    if statement.startswith("UPDATE meta"):
        print("inside", flush=True)
        sys.stdin.read()

poll(store, *(entry(f"lost-{n}", tags=["x", "y"]) for n in range(200)), now=NOW + HOUR)
"""


@pytest.mark.parametrize(
    "query",
    [
        "",
        "tag:x",
        "tag:x tag:y -tag:z lang:en has:author kind:feed",
        "tag:x OR tag:y",
        "(tag:x OR source:a) since:7d",
        "word",
        '"two words" tag:x',
        "source:a until:2026-01-01",
        "lang:en",
        "lang:en-us source:a",
        "sort:updated",
        "tag:x sort:updated",
        "source:a sort:updated",
        "word sort:relevance",
    ],
)
def test_no_query_goes_through_a_table(store: SqlStore, query: str) -> None:
    crowd = (entry(f"c{number}", source="b", tags=["z"]) for number in range(80))
    poll(store, *crowd, source="b")
    here = [entry(name, title="Two words, one word", tags=["x", "y", "z"]) for name in "abc"]
    poll(store, *here)
    asked: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        asked.append((arguments[2], arguments[3]))

    event.listen(store.engine, "before_cursor_execute", note)
    for ask in (store.head, store.find):
        ask(parse(query), limit=50, now=NOW)
        ask(parse(query), limit=50, now=NOW, collapse=True)
        ask(parse(query), limit=2, now=NOW, collapse=True, shares=Shares(default=50))
    event.remove(store.engine, "before_cursor_execute", note)
    with store.reading() as connection:
        plans = [
            step[3]
            for statement, values in asked
            if statement.startswith("SELECT")
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    # what a statement puts together itself, and what the index of words finds
    own = r"anon_|CONSTANT|counted|nearest|h$|arm_|s VIRTUAL|entry_search VIRTUAL"
    small = rf"SCAN (?!k\b|sources|{own})"
    scans = [step for step in plans if re.match(small, step)]
    # sources are few; without a condition the whole order is the answer
    allowed = {"": {"published"}, "sort:updated": {"updated"}, "tag:x sort:updated": {"updated"}}
    # where a page leaves off, archives go on by date
    ordered = {"published"} if "word" in query else allowed.get(query, set())
    ordered |= {"published"} if "sort:updated" in query else set()
    indexes = {f"SCAN e USING INDEX ix_entries_{name}" for name in ordered}
    assert set(scans) <= indexes
    if query.startswith("tag:x") and "OR" not in query and "sort" not in query:
        assert not any("TEMP B-TREE" in step for step in plans)


def test_a_kill_in_the_middle_of_a_poll_leaves_all_or_nothing(store: SqlStore) -> None:
    url = store.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "kept\n"
        assert writer.stdout.readline() == "inside\n"
        writer.send_signal(signal.SIGKILL)
        assert writer.wait() == -signal.SIGKILL
    assert store.check() == ()
    assert len(uids(store)) == 20
    assert [(found.slug, found.count) for found in store.tags()] == [("x", 20)]
    assert store.source("a").state.next_at == NOW.replace(hour=13)
    # the dead one's claim is free when its lease ends, and nothing is missing then
    done = poll(store, entry("lost-1"), now=NOW.replace(hour=14))
    assert done.new == (key_of("lost-1"),)


def test_a_forked_child_has_connections_of_its_own(store: SqlStore) -> None:
    run_forking(store)
    assert sorted(uids(store)) == ["child", "parent"]


def test_threads_share_a_store(store: SqlStore) -> None:
    poll(store, *(entry(str(number)) for number in range(20)))
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(store.count(parse(""), now=NOW)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [20] * 16


def test_a_tick_looks_at_due_sources_alone(store: SqlStore) -> None:
    feeds = [
        Source(id=f"s{n}", kind="feed", location=f"http://slow.example/{n}") for n in range(500)
    ]
    store.add_sources(feeds, NOW)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        asked.append((statement, values))

    def claim() -> int:
        taken = store.claim_due(now=NOW, owner="me", lease=LEASE, limit=128, per_host=2)
        return len(taken)

    assert claim() == 2
    asked.clear()
    # 498 are due, but their host is being asked: they are passed over in the index
    assert claim() == 0
    with closing(sqlite3.connect(path_of(store))) as connection:
        plans = {
            statement: [
                step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            ]
            for statement, values in asked
            if statement.startswith("SELECT")
        }
    steps = [step for plan in plans.values() for step in plan]
    assert all("INDEX" in step for step in steps if "poll_state" in step or "hosts" in step), plans
    (due,) = (plan for statement, plan in plans.items() if "ORDER BY" in statement)
    assert due == [
        "SEARCH poll_state USING INDEX ix_poll_state_active_next_at_host (active=? AND next_at<?)"
    ]
