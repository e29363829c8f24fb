"""The PostgreSQL store: several processes on one server."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text

from feedsvc.errors import StoreError, StoreUnavailable
from feedsvc.model import PollState
from feedsvc.query import parse
from feedsvc.store import SqlStore, open_store
from feedsvc.store.base import Committed, PollResult
from feedsvc.store.engine import insert_all
from feedsvc.store.schema import contents
from feedsvc.store.statement import Sql, run
from tests.postgres import Postgres
from tests.storekit import NOW, add, claim, entry, fill_as_of, poll, run_forking, uids


@pytest.fixture
def store(open_fresh: Callable[[str], SqlStore]) -> SqlStore:
    return open_fresh("postgresql")


@pytest.mark.parametrize("query", ["", "sort:updated", "tag:x", "lang:en"])
def test_a_page_of_first_copies_is_read_off_an_index(store: SqlStore, query: str) -> None:
    """An entry that has copies is rare or not: a page looks at as many entries as it shows."""
    for source in "ab":
        made = [
            entry(
                f"{number}",
                source=source,
                title="Of the harbour",
                link=f"https://p.example/{number}" if number % 3 == 0 else None,
                published=NOW - timedelta(minutes=number),
                tags=["x"],
                lang="en",
            )
            for number in range(1_500)
        ]
        poll(store, *made, source=source)
    with store.writing() as connection:
        connection.execute(text("ANALYZE"))
    asked: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        asked.append((arguments[2], arguments[3]))

    event.listen(store.engine, "before_cursor_execute", note)
    head = store.head(parse(query), limit=50, now=NOW, collapse=True)
    event.remove(store.engine, "before_cursor_execute", note)
    assert len(head.marks) == 50
    page = next(each for each in asked if "duplicates" in each[0])
    with store.reading() as connection:
        plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {page[0]}", page[1])]
    outside = plan[: next(at for at, line in enumerate(plan) if "SubPlan" in line)]
    assert any("Index" in line for line in outside)
    assert not any("Sort" in line or "Seq Scan" in line for line in plan)


def test_sessions_are_set_up_for_this_work(store: SqlStore) -> None:
    with store.reading() as connection:
        settings = {
            name: connection.scalar(text(f"SHOW {name}"))
            for name in (
                "TimeZone",
                "idle_in_transaction_session_timeout",
                "statement_timeout",
                "lock_timeout",
                "transaction_isolation",
                "transaction_read_only",
                "application_name",
            )
        }
    assert settings == {
        "TimeZone": "UTC",
        "idle_in_transaction_session_timeout": "1min",
        "statement_timeout": "5min",
        "lock_timeout": "30s",
        "transaction_isolation": "repeatable read",
        "transaction_read_only": "on",
        "application_name": "feedsvc",
    }


def test_reading_cannot_write(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="read-only"), store.reading() as connection:
        connection.execute(text("DELETE FROM meta"))


def test_a_lock_that_is_held_too_long_makes_the_store_unavailable(store: SqlStore) -> None:
    add(store, "a")
    other = open_store(store.url.render_as_string(hide_password=False), wait=0.2)
    try:
        with (
            store.writing(),
            pytest.raises(StoreUnavailable, match=r"stayed locked for 0\.2 s"),
        ):
            add(other, "b")
        add(other, "b")
    finally:
        other.close()


def test_a_lost_connection_is_made_again(store: SqlStore, postgres: Postgres) -> None:
    poll(store, entry("one"))
    with postgres.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [store.url.database],
        )
    assert uids(store) == ["one"]


def test_a_connection_lost_halfway_writes_nothing(store: SqlStore) -> None:
    add(store, "a")

    def halfway() -> None:
        with store.writing() as connection:
            connection.execute(text("UPDATE sources SET title = 'half'"))
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StoreUnavailable):
        halfway()
    assert store.source("a").source.title is None


def test_a_connection_lost_halfway_through_a_query_is_told_and_replaced(store: SqlStore) -> None:
    poll(store, entry("one"))

    def halfway() -> None:
        with store.reading(often=True) as connection:
            run(connection, Sql("SELECT pg_terminate_backend(pg_backend_pid())"))
            run(connection, Sql("SELECT 1"))

    with pytest.raises(StoreUnavailable):
        halfway()
    assert uids(store) == ["one"]


def test_what_queries_ask_is_planned_once(store: SqlStore) -> None:
    poll(store, *(entry(f"{number}", tags=["x", "y"]) for number in range(9)))
    for number in range(20):
        for query in ("tag:x", "tag:x tag:y", "title", "source:a"):
            store.head(parse(query), limit=5 + number % 2, now=NOW, collapse=True)
            store.find(parse(query), limit=5, now=NOW + number * timedelta(minutes=1))
    kept = (
        "SELECT count(*), sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements"
        " WHERE starts_with(statement, 'SELECT')"
    )
    with store.reading() as connection:
        ((statements, once, anew),) = run(connection, Sql(kept))
    # few statements, whatever the numbers in them
    assert 8 <= statements <= 40
    assert once > 200
    assert anew == 0


def test_a_database_that_is_not_there_is_unavailable(postgres: Postgres) -> None:
    store = open_store(postgres.url("nothing"))
    try:
        with pytest.raises(StoreUnavailable, match="nothing"):
            store.migrate()
    finally:
        store.close()


def test_commits_of_many_writers_add_up(store: SqlStore) -> None:
    names = [f"s{number}" for number in range(4)]
    add(store, *names)
    url = store.url.render_as_string(hide_password=False)
    others = [open_store(url) for _ in names]
    errors: list[BaseException] = []
    before = store.change()

    def write(mine: SqlStore, name: str) -> None:
        try:
            for number in range(8):
                # each in another order, all with the same tags and ids
                tags = sorted({"x", "y", "z", name}, reverse=number % 2 == 0)
                shared = entry(f"{number}", source=name, id=f"urn:shared:{number}", tags=tags)
                poll(mine, shared, entry(f"own-{number}", source=name, tags=tags), source=name)
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
    assert store.change() == before + 32
    assert {found.slug: found.count for found in store.tags()}["x"] == 64
    assert store.check() == ()


def test_a_forked_child_has_connections_of_its_own(store: SqlStore) -> None:
    run_forking(store)
    assert sorted(uids(store)) == ["child", "parent"]


def test_a_schema_beside_ours_is_none_of_our_business(postgres_url: str) -> None:
    name = postgres_url.rpartition("/test_")[2].partition("?")[0]
    host = postgres_url.partition("host=")[2]
    with psycopg.connect(host=host, user="postgres", dbname=f"test_{name}") as connection:
        connection.execute("CREATE SCHEMA other")
        connection.execute("CREATE TABLE other.things (name text)")
    store = open_store(postgres_url)
    try:
        store.migrate()
        poll(store, entry("one"), now=NOW)
        assert store.check() == ()
    finally:
        store.close()


def test_writers_see_what_the_last_one_left_whatever_the_server_prefers(store: SqlStore) -> None:
    add(store, "a", "b")
    name = store.url.database
    with store.writing() as connection:
        level = f'ALTER DATABASE "{name}" SET default_transaction_isolation'
        connection.execute(text(f"{level} = 'repeatable read'"))
    other = open_store(store.url.render_as_string(hide_password=False))
    try:
        with store.writing() as held:
            late = threading.Thread(target=poll, args=(other, entry("late", tags=["x"])))
            late.start()
            while not held.scalar(text("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1")):
                pass
            store.bump(held)
        late.join()
        assert store.change() >= 2
        assert uids(store, "tag:x") == ["late"]
    finally:
        other.close()
        with store.writing() as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_isolation'))


def test_a_group_that_is_in_anothers_way_is_written_again(store: SqlStore) -> None:
    add(store, "a", "b")
    held = [claim(store, name) for name in ("a", "b")]
    waiting = text("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1")
    lock = text(
        "SELECT 1 FROM poll_state JOIN sources ON pk = source_pk WHERE id = :id FOR UPDATE"
        " OF poll_state"
    )
    group = [(each, PollResult(state=PollState(etag="x"))) for each in held]
    done: list[object] = []
    late = threading.Thread(target=lambda: done.extend(store.finish_polls(group, NOW)))
    with store.writing(ordered=False) as other:
        # so that it is the group that the server finds first, and makes give way
        other.execute(text("SET LOCAL deadlock_timeout = '1min'"))
        other.execute(lock, {"id": "b"})
        late.start()
        while not other.scalar(waiting):
            pass
        other.execute(lock, {"id": "a"})
    late.join()
    assert done == [Committed(), Committed()]
    assert [status.state.etag for status in store.sources()] == ["x", "x"]


def test_a_full_disk_of_the_server_is_named(store: SqlStore) -> None:
    full = text("DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$")

    def write() -> None:
        with store.writing() as connection:
            store.bump(connection)
            connection.execute(full)

    with pytest.raises(StoreUnavailable, match="server's disk is full; make room"):
        write()
    assert store.change() == 0


def test_what_the_server_refuses_of_a_copy_fails_alone(store: SqlStore, postgres: Postgres) -> None:
    held = [claim(store, name) for name in ("a", "b")]
    made = [entry("one", digest="n\0l"), entry("two", source="b", tags=["x"])]
    group = [
        (each, PollResult(state=PollState(), entries=(brought,)))
        for each, brought in zip(held, made, strict=True)
    ]
    refused, written = store.finish_polls(group, NOW)
    assert "NUL" in str(refused)
    assert isinstance(written, Committed)
    assert uids(store) == ["two"]

    def dangle() -> None:
        with store.writing() as connection:
            insert_all(connection, contents, [{"entry_pk": 10**9, "payload": "of nothing"}])

    def lose() -> None:
        with store.writing() as connection, postgres.connect() as other:
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
            other.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
            insert_all(connection, contents, [{"entry_pk": 1, "payload": "too late"}])

    with pytest.raises(StoreError, match="is not present in table"):
        dangle()
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        lose()
    assert uids(store) == ["two"]
    assert store.check() == ()


def test_an_upgrade_of_the_search_index_finds_what_was_found(
    store: SqlStore, postgres_url: str
) -> None:
    made = [
        entry(f"{number}", title="Two words", published=NOW - number * timedelta(days=30))
        for number in range(40)
    ]
    poll(store, *made, entry("old", title="Words two", published=NOW - timedelta(days=30_000)))
    poll(store, removed=("3",))
    older = open_store(postgres_url)
    try:
        fill_as_of("0010", older, store)
        older.migrate()
        assert older.check() == ()
        for query in ('"two words"', "title:words", "words since:90d", "absent", "words -two"):
            assert uids(older, query, limit=7) == uids(store, query, limit=7)
        everything = uids(older, "words", limit=50)
        assert (len(everything), everything[-1]) == (40, "old")
    finally:
        older.close()
