"""Every store: what a query costs does not grow with the store, and has an end."""

import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import Connection, event

from feedsvc.errors import QueryTooCostly
from feedsvc.model import Text
from feedsvc.query import parse
from feedsvc.store import SqlStore
from feedsvc.store.paces import Paces
from tests.storekit import NOW, entry, poll, statements, uids

QUERIES = (
    "tag:many",
    "tag:many -tag:some",
    "tag:many tag:rare",
    "tag:many OR tag:some OR tag:rare",
    "common",
    "middling",
    "rare",
    "tag:many common",
    "tag:some middling",
    "common OR middling",
    "common -tag:some",
    "kind:feed",
    "lang:en",
    "lang:fi",
    "source:a lang:fi",
    "lang:en sort:updated",
    "since:30d sort:updated",
)


def fill(store: SqlStore, first: int, last: int) -> None:
    """Entries a quarter of an hour apart, of which the newest are the first."""
    made = [
        entry(
            f"{number}",
            title=f"Common words {'middling' if number % 40 == 0 else ''}",
            content=Text(value="rare" if number % 700 == 0 else "text"),
            tags=[
                "many",
                *(["some"] if number % 5 == 0 else []),
                *(["rare"] * (number % 700 == 0)),
            ],
            published=NOW - number * timedelta(minutes=15),
            updated=NOW - number * timedelta(minutes=15),
            lang="fi" if number % 700 == 0 else "en",
        )
        for number in range(first, last)
    ]
    poll(store, *made)


@contextmanager
def counting(store: SqlStore) -> Iterator[list[int]]:
    """Adds up the work of queries: SQLite's steps, or the rows that PostgreSQL meets."""
    done = [0]
    if store.backend == "sqlite":
        with store.reading() as connection:
            driver: Any = connection.connection.driver_connection

        def step() -> int:
            done[0] += 1
            return 0

        def begun(*_: object) -> None:
            driver.set_progress_handler(step, 100)

        event.listen(store.engine, "before_cursor_execute", begun)
        yield done
        event.remove(store.engine, "before_cursor_execute", begun)
        return
    asked: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        asked.append((arguments[2], arguments[3]))

    event.listen(store.engine, "before_cursor_execute", note)
    yield done
    event.remove(store.engine, "before_cursor_execute", note)
    with store.reading(often=True) as connection:
        for statement, values in asked:
            if statement.startswith("SELECT"):
                done[0] += _rows(_plan(connection, statement, values))


def _plan(connection: Connection, statement: str, values: Sequence[Any]) -> dict[str, Any]:
    """How a statement is answered that was planned without knowing its values."""
    kinds = {int: "bigint", str: "text", list: "text[]" if statement.count("@>") else "bigint[]"}
    types = [kinds[type(value)] for value in values]
    numbers = itertools.count(1)
    prepared = re.sub("%s", lambda _: f"${next(numbers)}", statement)
    driver: Any = connection.connection.driver_connection
    head = f"PREPARE asked ({', '.join(types)})" if types else "PREPARE asked"
    driver.execute(f"{head} AS {prepared}")
    given = ", ".join(
        f"{sql.Literal(value).as_string()}::{kind}"
        for value, kind in zip(values, types, strict=True)
    )
    call = f"EXECUTE asked ({given})" if types else "EXECUTE asked"
    ((explained,),) = driver.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {call}").fetchall()
    driver.execute("DEALLOCATE asked")
    return dict(explained[0]["Plan"])


def _rows(plan: dict[str, Any]) -> int:
    lost = sum(plan.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    met = (plan["Actual Rows"] + lost) * plan["Actual Loops"]
    return int(met) + sum(map(_rows, plan.get("Plans", ())))


def analyze(store: SqlStore) -> None:
    """Does what servers do by themselves, now and then."""
    if store.backend == "postgresql":
        with store.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("VACUUM ANALYZE")


def test_a_page_costs_as_much_in_a_larger_store(any_store: SqlStore) -> None:
    store = any_store
    store.tuning = replace(store.tuning, hits=20, few=20, set=20)
    costs: list[list[int]] = []
    for first, last in ((0, 1_000), (1_000, 6_000)):
        fill(store, first, last)
        analyze(store)
        costs.append([])
        for query in QUERIES:
            store.head(parse(query), limit=10, now=NOW, collapse=True)
            with counting(store) as done:
                store.head(parse(query), limit=10, now=NOW, collapse=True)
            costs[-1].append(done[0])
    for query, small, large in zip(QUERIES, *costs, strict=True):
        # in the small store a rare thing is all there is of it
        allowed = 9 if "rare" in query or "fi" in query else 3
        assert large <= allowed * small + 60, (query, small, large)


def test_a_word_costs_as_much_when_more_of_the_past_has_it(
    any_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedsvc.store.sqlite_search._BLOCK", 20)
    costs = []
    for first, last in ((6_000, 4_500), (4_500, 0)):
        for start in range(first, last, -500):
            fill(any_store, start - 499, start + 1)
        analyze(any_store)
        any_store.paces = Paces()
        for _ in range(2):
            with counting(any_store) as done:
                assert len(uids(any_store, "middling", limit=20)) == 20
        costs.append(done[0])
    small, large = costs
    assert large <= 1.2 * small + 20


def test_what_is_published_anew_is_found_among_the_newest(
    any_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedsvc.store.sqlite_search._BLOCK", 20)
    fill(any_store, 100, 600)
    fill(any_store, 0, 100)
    assert uids(any_store, "middling", limit=3) == ["0", "40", "80"]
    poll(any_store, entry("560", title="Middling", published=NOW - timedelta(minutes=1)))
    poll(any_store, removed=("0",))
    for _ in range(2):
        assert uids(any_store, "middling", limit=3) == ["560", "40", "80"]
    assert any_store.check() == ()


def test_a_page_costs_as_much_beside_more_tombstones(any_store: SqlStore) -> None:
    store = any_store
    store.tuning = replace(store.tuning, withdrawn=50)
    fill(store, 0, 3_000)
    costs: list[list[int]] = []
    for first, last in ((1_000, 1_200), (1_200, 3_000)):
        poll(store, removed=tuple(f"{number}" for number in range(first, last)))
        analyze(store)
        costs.append([])
        for query in ("tag:some -tag:many", "tag:many -source:a"):
            # all are to be looked at, living or not, for none of them is one
            with counting(store) as done:
                assert store.head(parse(query), limit=10, now=NOW).deleted == ()
            costs[-1].append(done[0])
    if store.backend == "postgresql":
        return  # its planner reads small tables whole
    for small, large in zip(*costs, strict=True):
        assert large <= small + 60


def test_the_newest_with_a_word_are_found_window_by_window(any_store: SqlStore) -> None:
    fill(any_store, 0, 1_200)
    any_store.tuning = replace(any_store.tuning, few=0)
    with statements(any_store) as ran:
        assert uids(any_store, "common", limit=10) == [f"{number}" for number in range(10)]
    looked = [each for each in ran if "AS h WHERE" in each]
    assert len(looked) == 1
    assert uids(any_store, "middling") == [f"{number}" for number in range(0, 1_200, 40)]
    assert uids(any_store, "rare") == ["0", "700"]
    pages: list[str] = []
    before = None
    while before is not None or not pages:
        page = any_store.find(parse("middling"), limit=7, now=NOW, before=before)
        pages += [one.entry.uid for one in page.entries]
        before = page.next
    assert pages == [f"{number}" for number in range(0, 1_200, 40)]


@pytest.mark.parametrize("query", ["common -tag:many", "text -common sort:updated"])
def test_a_query_that_takes_too_long_is_given_up(any_store: SqlStore, query: str) -> None:
    fill(any_store, 0, 3_000)
    any_store.tuning = replace(any_store.tuning, seconds=0.001)
    with pytest.raises(QueryTooCostly, match="since:30d"):
        any_store.find(parse(query), limit=10, now=NOW)
    any_store.tuning = replace(any_store.tuning, seconds=60.0)
    # the connection is none the worse for it
    assert uids(any_store, query) == []
    poll(any_store, entry("new", title="Text", source="b"), source="b")
    assert len(uids(any_store, "tag:rare")) == 5
