"""Every store: the list of sources page by page, and changing one only as it was read."""

from dataclasses import replace

import pytest

from feedsvc.errors import NotFound
from feedsvc.model import PollState, Problem, Source
from feedsvc.store import SqlStore
from feedsvc.store.base import SourceCounts
from tests.storekit import HOUR, LEASE, NOW, add, claim, entry, poll, statements


def pages(store: SqlStore, limit: int, *, troubled: bool = False) -> list[list[str]]:
    """The ids of all sources, page by page."""
    found: list[list[str]] = []
    after = None
    while page := store.source_page(limit=limit, after=after, troubled=troubled):
        found.append([status.source.id for status in page])
        after = found[-1][-1]
    return found


def test_pages_hold_every_source_once_in_order_of_ids(any_store: SqlStore) -> None:
    # by code point on every backend: a locale would put B beside b and é beside e
    add(any_store, "b", "a-1", "a", "a1", "é", "z", "gone")
    any_store.remove_source("gone", purge=False, now=NOW)
    assert pages(any_store, 2) == [["a", "a-1"], ["a1", "b"], ["z", "é"]]
    assert pages(any_store, 6) == [["a", "a-1", "a1", "b", "z", "é"]]
    assert any_store.source_page(limit=5, after="é") == ()
    # a cursor whose source has gone still says where to go on
    any_store.remove_source("a1", purge=False, now=NOW)
    assert [one.source.id for one in any_store.source_page(limit=1, after="a1")] == ["b"]


def test_a_page_tells_what_the_source_alone_tells(any_store: SqlStore) -> None:
    poll(any_store, entry("x"), entry("y"), source="a")
    add(any_store, "b")
    assert any_store.source_page(limit=9) == (any_store.source("a"), any_store.source("b"))
    assert [one.entries for one in any_store.source_page(limit=9)] == [2, 0]


def test_those_with_trouble_are_counted_and_listed_alone(any_store: SqlStore) -> None:
    assert any_store.source_counts() == SourceCounts(all=0, troubled=0)
    add(any_store, "fine", "new", "removed")
    problem = Problem(name="a.txt", message="not UTF-8")
    poll(any_store, source="fails", state=PollState(next_at=NOW + HOUR, error="404 Not Found"))
    poll(any_store, source="partly", state=PollState(next_at=NOW + HOUR, problems=(problem,)))
    poll(any_store, source="fine")
    poll(any_store, source="removed", state=PollState(next_at=NOW + HOUR, error="x"))
    any_store.remove_source("removed", purge=False, now=NOW)
    assert any_store.source_counts() == SourceCounts(all=4, troubled=2)
    assert pages(any_store, 1, troubled=True) == [["fails"], ["partly"]]


def test_a_page_of_many_sources_reads_no_more_than_the_page(any_store: SqlStore) -> None:
    def page() -> int:
        with statements(any_store) as ran:
            assert len(any_store.source_page(limit=20)) == 20
        return len(ran)

    add(any_store, *(f"s{n:03}" for n in range(20)))
    few = page()
    any_store.add_sources(
        [
            Source(id=f"t{n:04}", kind="feed", location=f"https://t.example/{n}")
            for n in range(2000)
        ],
        NOW,
    )
    assert page() == few


def test_ids_are_told_by_location(any_store: SqlStore) -> None:
    add(any_store, "a", "b")
    any_store.remove_source("b", purge=False, now=NOW)
    assert any_store.source_ids() == {"https://a.example/feed": "a"}


def test_a_source_is_changed_as_it_was_read_or_not_at_all(any_store: SqlStore) -> None:
    add(any_store, "a", title="Old")
    read = any_store.source("a").source
    mine = replace(read, title="Mine", tags=("x",), interval=HOUR, max_entries=3)
    assert any_store.change_source(read, mine, NOW)
    assert any_store.source("a").source == mine
    assert not any_store.change_source(read, replace(read, title="Theirs"), NOW)
    assert any_store.source("a").source == mine
    with pytest.raises(NotFound):
        any_store.change_source(replace(read, id="nobody"), read, NOW)


def test_what_a_source_is_stays_when_it_is_changed(any_store: SqlStore) -> None:
    add(any_store, "a")
    read = any_store.source("a").source
    other = replace(read, id="b", location="https://b.example/feed", origin="config", title="T")
    assert any_store.change_source(read, other, NOW)
    assert any_store.source("a").source == replace(read, title="T")


def test_a_declared_source_is_not_changed(any_store: SqlStore) -> None:
    source = Source(id="a", kind="feed", location="https://a.example/feed", origin="config")
    any_store.declare_sources([source], NOW)
    read = any_store.source("a").source
    assert not any_store.change_source(read, replace(read, title="T"), NOW)
    assert any_store.source("a").source == source


def test_another_title_shows_in_the_entries_that_are_there(any_store: SqlStore) -> None:
    poll(any_store, entry("x"))
    read = any_store.source("a").source
    assert any_store.change_source(read, replace(read, title="Renamed"), NOW)
    key = entry("x").key
    assert any_store.entry(key).source_title == "Renamed"
    assert any_store.entry(key).entry.updated == entry("x").updated
    assert any_store.check() == ()


def test_disabling_and_enabling_takes_effect_at_once(any_store: SqlStore) -> None:
    add(any_store, "a")
    read = any_store.source("a").source
    off = replace(read, enabled=False)
    assert any_store.change_source(read, off, NOW)
    assert any_store.claim_due(now=NOW, owner="me", lease=LEASE, limit=1) == ()
    assert any_store.change_source(off, read, NOW)
    assert len(any_store.claim_due(now=NOW, owner="me", lease=LEASE, limit=1)) == 1


def test_another_filter_reads_again_what_did_not_change(any_store: SqlStore) -> None:
    poll(any_store, state=PollState(next_at=NOW + HOUR, etag='"x"', digest="d"))
    read = any_store.source("a").source
    assert any_store.change_source(read, replace(read, title="T"), NOW)
    assert any_store.source("a").state.etag == '"x"'
    read = any_store.source("a").source
    assert any_store.change_source(read, replace(read, keep="tag:energy"), NOW)
    assert any_store.source("a").state.etag is None


def test_a_hastened_source_is_due_but_not_before_its_server_allows(any_store: SqlStore) -> None:
    poll(any_store, source="later", state=PollState(next_at=NOW + HOUR, why="its rhythm"))
    wait = PollState(next_at=NOW + HOUR, retry_after=NOW + HOUR)
    poll(any_store, source="told", state=wait)
    overdue = NOW - HOUR
    poll(any_store, source="overdue", state=PollState(next_at=overdue))
    for id in ("later", "told", "overdue"):
        any_store.hasten(id, NOW)
    state = any_store.source("later").state
    assert (state.next_at, state.why) == (NOW, None)
    assert any_store.source("overdue").state.next_at == overdue
    claims = any_store.claim_due(now=NOW, owner="me", lease=LEASE, limit=9)
    assert {taken.source.id for taken in claims} == {"later", "overdue"}


def test_a_source_that_is_changed_while_it_is_polled_keeps_what_the_poll_brings(
    any_store: SqlStore,
) -> None:
    taken = claim(any_store, "a")
    read = any_store.source("a").source
    assert any_store.change_source(read, replace(read, title="T"), NOW)
    any_store.extend([taken], NOW + LEASE)
    assert any_store.source("a").owner == "me"
    assert any_store.source("a").source.title == "T"
