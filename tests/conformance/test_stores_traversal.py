"""Every store: who goes through a feed while it changes misses nothing and sees nothing twice."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from feedsvc.model import Entry
from feedsvc.months import month_of
from feedsvc.query import parse
from feedsvc.store import SqlStore
from tests.storekit import add, entry, poll

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
LIMIT = 3
DAYS = st.integers(0, 100)
numbers = itertools.count()


class Walk:
    """One reader's way; `steady` is what it has to see, whatever happens."""

    def __init__(self, steady: set[str]) -> None:
        self.steady = steady
        self.seen: list[str] = []

    def over(self) -> None:
        counted = {name: self.seen.count(name) for name in self.steady}
        assert set(counted.values()) <= {1}, counted


class Feed(RuleBasedStateMachine):
    """A source whose entries change while one reader goes by pages and another by archives."""

    store: SqlStore

    def __init__(self) -> None:
        super().__init__()
        self.source = f"s{next(numbers)}"
        self.query = parse(f"source:{self.source}")
        self.live: dict[str, Entry] = {}
        self.names: dict[str, str] = {}
        self.count = itertools.count()
        self.pages: tuple[Walk, str] | None = None
        self.upward: tuple[Walk, str] | None = None
        self.archives: tuple[Walk, int, str | None, str | None] | None = None
        add(self.store, self.source)

    def write(self, *entries: Entry, removed: tuple[str, ...] = ()) -> None:
        poll(self.store, *entries, source=self.source, now=NOW, removed=removed)

    def disturb(self, name: str, *, paging: bool) -> None:
        if self.archives is not None:
            self.archives[0].steady.discard(name)
        for walking in (self.pages, self.upward):
            if walking is not None and paging:
                walking[0].steady.discard(name)

    @rule(days=st.lists(DAYS, min_size=1, max_size=6))
    def publish(self, days: list[int]) -> None:
        new = []
        for day in days:
            name = f"e{next(self.count)}"
            # some share a date: then keys decide
            made = entry(name, source=self.source, published=NOW - timedelta(days=day))
            self.live[name], self.names[made.key] = made, name
            new.append(made)
        self.write(*new)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), day=st.none() | DAYS)
    def edit(self, data: st.DataObject, day: int | None) -> None:
        name = data.draw(st.sampled_from(sorted(self.live)))
        at = self.live[name].published if day is None else NOW - timedelta(days=day)
        made = entry(
            name, source=self.source, published=at, updated=NOW, digest=f"edit {next(self.count)}"
        )
        self.live[name] = made
        self.write(made)
        self.disturb(name, paging=day is not None)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.live)))
        del self.live[name]
        self.write(removed=(name,))
        self.disturb(name, paging=True)

    @rule()
    def close_months(self) -> None:
        self.store.seal(month_of(NOW) - 1)

    @rule()
    def turn_page(self) -> None:
        walk, cursor = self.pages or (Walk(set(self.live)), None)
        page = self.store.find(self.query, limit=LIMIT, now=NOW, before=cursor)
        walk.seen += [one.entry.uid for one in page.entries]
        self.pages = (walk, page.next) if page.next else None
        if page.next is None:
            walk.over()

    @rule()
    def turn_back(self) -> None:
        walk, cursor = self.upward or (Walk(set(self.live)), "last")
        head = self.store.head(self.query, limit=LIMIT, now=NOW, before=cursor)
        page = self.store.find(self.query, limit=LIMIT, now=NOW, before=cursor)
        assert [key for key, _ in head.marks] == [one.entry.key for one in page.entries]
        assert head.next == page.next
        walk.seen += [one.entry.uid for one in page.entries]
        self.upward = (walk, head.previous) if head.previous else None
        if head.previous is None:
            # whatever came meanwhile on top has been seen as well
            walk.over()

    @rule()
    def turn_to_the_archive(self) -> None:
        cursor, below = None, None
        if self.archives is None:
            walk = Walk(set(self.live))
            head = self.store.head(self.query, limit=LIMIT, now=NOW)
            below, month = head.shown, head.earlier
        else:
            walk, month, cursor, below = self.archives
            head, _ = self.store.archive(
                self.query, month, limit=LIMIT, now=NOW, before=cursor, below=below
            )
            cursor, month = head.next, month if head.next else head.earlier
        walk.seen += [self.names[key] for key, _ in head.marks]
        self.archives = None if month is None else (walk, month, cursor, below)
        if month is None:
            walk.over()

    def teardown(self) -> None:
        while self.pages is not None:
            self.turn_page()
        while self.upward is not None:
            self.turn_back()
        while self.archives is not None:
            self.turn_to_the_archive()


def test_a_reader_misses_nothing_and_sees_nothing_twice(any_store: SqlStore) -> None:
    class Here(Feed):
        store = any_store

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Here,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert any_store.check() == ()
