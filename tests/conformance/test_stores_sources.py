"""Every store: the list of sources, declared and added, removed and coming back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from feedsvc.errors import ClaimLost, NotFound, StoreError
from feedsvc.model import PollState, Problem, Source, SourceMeta
from feedsvc.store import SqlStore
from feedsvc.store.base import PollResult
from tests.storekit import HOUR, LEASE, NOW, add, claim, entry, found, poll, statements, uids

FULL = Source(
    id="full",
    kind="feed",
    location="https://full.example/feed?x=1&y=é",
    title="Ünïcode “title”",
    tags=("one", "two"),
    interval=timedelta(minutes=7, seconds=1),
    headers=(("X-Key", "secret"), ("Accept", "*/*")),
    auth="user:password",
    fulltext=True,
    max_entries=12,
    keep="tag:energy",
    drop="title:sponsored",
)


def ids(store: SqlStore) -> list[str]:
    return [status.source.id for status in store.sources()]


def due(store: SqlStore, now: object = NOW) -> set[str]:
    """The sources that could be claimed now; they are given back."""
    claims = store.claim_due(now=now, owner="due?", lease=LEASE, limit=100)  # type: ignore[arg-type]
    store.release(claims)
    return {taken.source.id for taken in claims}


def declared(*sources: Source) -> list[Source]:
    return [replace(source, origin="config") for source in sources]


def test_a_source_may_begin_with_a_poll_state(any_store: SqlStore) -> None:
    state = PollState(next_at=NOW + HOUR, retry_after=NOW + HOUR, status=503, error="busy")
    source = Source(id="a", kind="feed", location="https://a.example/feed")
    any_store.add_source(source, NOW, state=state)
    assert any_store.source("a").state == state
    any_store.remove_source("a", purge=False, now=NOW)
    any_store.add_source(source, NOW, state=PollState(next_at=NOW + 2 * HOUR))
    assert any_store.source("a").state == PollState(next_at=NOW + 2 * HOUR)


def test_a_source_is_kept_as_it_is(any_store: SqlStore) -> None:
    any_store.add_source(FULL, NOW)
    status = any_store.source("full")
    assert status.source == FULL
    assert (status.added, status.entries, status.meta) == (NOW, 0, None)
    assert status.state == PollState(next_at=NOW)


def test_sources_are_listed_by_id_whatever_the_locale(any_store: SqlStore) -> None:
    add(any_store, "b", "a-1", "a", "a1", "é", "z")
    assert ids(any_store) == ["a", "a-1", "a1", "b", "z", "é"]


def test_entries_are_counted_by_source(any_store: SqlStore) -> None:
    poll(any_store, entry("one"), entry("two"))
    poll(any_store, entry("three", source="b"), source="b")
    poll(any_store, removed=("one",))
    assert [status.entries for status in any_store.sources()] == [1, 1]
    assert any_store.source("a").entries == 1


def test_an_unknown_source_is_not_found(any_store: SqlStore) -> None:
    for name in ("nothing", "no\0thing", "no\ud800thing"):
        with pytest.raises(NotFound, match="there is no source"):
            any_store.source(name)
        with pytest.raises(NotFound, match="there is no source"):
            any_store.remove_source(name, purge=False, now=NOW)


def test_ids_and_locations_are_taken_once(any_store: SqlStore) -> None:
    any_store.add_source(FULL, NOW)
    with pytest.raises(StoreError, match="“full” already"):
        any_store.add_source(replace(FULL, location="https://other.example/"), NOW)
    with pytest.raises(StoreError, match="polled already, as source “full”"):
        any_store.add_source(replace(FULL, id="other"), NOW)
    assert ids(any_store) == ["full"]


def test_many_are_added_but_not_twice(any_store: SqlStore) -> None:
    any_store.add_source(FULL, NOW)
    news = Source(id="news", kind="feed", location="https://one.example/")
    many = [
        replace(FULL, id="again"),
        news,
        replace(news, location="https://two.example/"),
        replace(news, location="https://one.example/"),
        replace(news, location="https://three.example/"),
    ]
    assert any_store.add_sources(many, NOW) == 3
    assert ids(any_store) == ["full", "news", "news-2", "news-3"]
    change = any_store.change()
    assert any_store.add_sources(many, NOW) == 0
    assert any_store.change() == change


def test_many_cost_no_more_statements_than_few(any_store: SqlStore) -> None:
    def listed(start: int, end: int) -> list[Source]:
        numbers = range(start, end)
        return [Source(id=f"s{n}", kind="feed", location=f"https://h{n}.example/") for n in numbers]

    with statements(any_store) as few:
        any_store.add_sources(listed(0, 2), NOW)
    with statements(any_store) as many:
        any_store.add_sources(listed(2, 302), NOW)
    assert len(many) == len(few)
    known = [status.source for status in any_store.sources()]
    with statements(any_store) as taken_over:
        any_store.declare_sources(declared(*listed(302, 602)), NOW)
    assert len(taken_over) <= len(few) + 2
    assert len(ids(any_store)) == len(known) + 300


def test_a_removed_source_keeps_its_entries(any_store: SqlStore) -> None:
    poll(any_store, entry("one"))
    any_store.remove_source("a", purge=False, now=NOW)
    assert ids(any_store) == []
    assert due(any_store, NOW + 2 * HOUR) == set()
    assert uids(any_store) == uids(any_store, "source:a") == ["one"]
    with pytest.raises(NotFound):
        any_store.remove_source("a", purge=False, now=NOW)


def test_a_purged_source_withdraws_its_entries(any_store: SqlStore) -> None:
    poll(any_store, entry("one", tags=["x"]), entry("two"))
    poll(any_store, entry("other", source="b", tags=["x"]), source="b")
    any_store.remove_source("a", purge=True, now=NOW + HOUR)
    assert uids(any_store) == ["other"]
    assert [tag.count for tag in any_store.tags()] == [1]
    assert any_store.check() == ()


def test_a_source_that_comes_back_goes_on_where_it_was(any_store: SqlStore) -> None:
    poll(any_store, entry("one"), state=PollState(etag='"v1"', next_at=NOW + HOUR, failures=3))
    any_store.remove_source("a", purge=False, now=NOW)
    later = NOW + 2 * HOUR
    # under another id, because someone thought of a better one
    moved = Source(id="better", kind="feed", location="https://a.example/feed", title="Better")
    any_store.add_source(moved, later)
    status = any_store.source("better")
    assert (status.added, status.entries) == (later, 1)
    assert status.state == PollState(etag='"v1"', next_at=later)
    assert set(any_store.known("better", ["one"])) == {"one"}
    (stored,) = found(any_store)
    assert (stored.entry.source_id, stored.source_title) == ("better", "Better")
    assert poll(any_store, source="better", now=later + HOUR).new == ()


def test_a_removed_source_makes_way_for_another_of_its_name(any_store: SqlStore) -> None:
    poll(any_store, entry("one"))
    any_store.remove_source("a", purge=False, now=NOW)
    any_store.add_source(Source(id="a", kind="feed", location="https://new.example/"), NOW)
    status = any_store.source("a")
    assert (status.entries, status.state) == (0, PollState(next_at=NOW))
    assert uids(any_store) == ["one"]
    assert uids(any_store, "source:a") == []
    assert any_store.known("a", ["one"]) == {}


def test_declared_sources_follow_the_configuration(any_store: SqlStore) -> None:
    add(any_store, "kept")
    one = Source(id="one", kind="feed", location="https://one.example/")
    two = Source(id="two", kind="directory", location="seeds")
    any_store.declare_sources([one, two], NOW)
    assert ids(any_store) == ["kept", "one", "two"]
    assert any_store.source("one").source == replace(one, origin="config")
    any_store.declare_sources([two], NOW + HOUR)
    assert ids(any_store) == ["kept", "two"]
    any_store.declare_sources([one, two], NOW + 2 * HOUR)
    assert ids(any_store) == ["kept", "one", "two"]
    assert any_store.source("one").state.next_at == NOW + 2 * HOUR


def test_declaring_the_same_again_writes_nothing(any_store: SqlStore) -> None:
    any_store.declare_sources([FULL], NOW)
    change = any_store.change()
    any_store.declare_sources([FULL], NOW + HOUR)
    assert any_store.change() == change


def test_a_changed_declaration_keeps_the_poll_state(any_store: SqlStore) -> None:
    any_store.declare_sources([FULL], NOW)
    state = PollState(etag='"v1"', next_at=NOW + HOUR, problems=(Problem(name="n", message="m"),))
    poll(any_store, source="full", state=state)
    changed = replace(FULL, title="New", tags=())
    any_store.declare_sources([changed], NOW + HOUR)
    status = any_store.source("full")
    assert status.source == replace(changed, origin="config")
    assert status.state == state
    any_store.declare_sources([replace(changed, location="https://moved.example/")], NOW + HOUR)
    assert any_store.source("full").state == PollState(next_at=NOW + HOUR)


def test_a_disabled_source_is_listed_but_not_polled(any_store: SqlStore) -> None:
    any_store.declare_sources([replace(FULL, enabled=False)], NOW)
    assert ids(any_store) == ["full"]
    assert due(any_store) == set()
    any_store.declare_sources([FULL], NOW)
    assert due(any_store) == {"full"}


def test_a_permanent_redirect_outlives_a_restart(any_store: SqlStore) -> None:
    any_store.declare_sources([FULL], NOW)
    poll(any_store, source="full", location="https://moved.example/", enabled=True)
    for title in ("Ünïcode “title”", "New title", "New title"):
        any_store.declare_sources([replace(FULL, title=title)], NOW + HOUR)
        status = any_store.source("full")
        assert status.source.location == "https://moved.example/"
        assert status.source.title == title
        assert status.state.next_at == NOW + HOUR
    # the configuration says something new: that is where it is now
    any_store.declare_sources([replace(FULL, location="https://third.example/")], NOW)
    assert any_store.source("full").source.location == "https://third.example/"


def test_a_source_that_is_gone_stays_disabled_after_a_restart(any_store: SqlStore) -> None:
    any_store.declare_sources([FULL], NOW)
    poll(any_store, source="full", enabled=False)
    any_store.declare_sources([FULL], NOW + HOUR)
    assert not any_store.source("full").source.enabled
    assert due(any_store, NOW + 2 * HOUR) == set()


def test_only_a_source_that_its_server_disabled_is_enabled_by_hand(any_store: SqlStore) -> None:
    added, off = replace(FULL, id="added", location="https://a.example/"), replace(FULL, id="off")
    any_store.declare_sources(declared(FULL, replace(off, location="x:", enabled=False)), NOW)
    any_store.add_source(added, NOW)
    gone = PollState(status=410, next_at=NOW)
    for id in ("added", "full"):
        poll(any_store, source=id, state=gone, enabled=False)
    assert due(any_store) == set()
    assert {id for id in ("added", "full", "off", "none") if any_store.reenable(id)} == {
        "added",
        "full",
    }
    assert due(any_store) == {"added", "full"}
    assert any_store.source("full").source.enabled
    assert not any_store.reenable("full"), "it is enabled already"


def test_who_is_held_back_is_told_apart(any_store: SqlStore) -> None:
    add(any_store, "claimed", "free", "rests", "told")
    claim(any_store, "claimed")
    later = PollState(next_at=NOW, retry_after=NOW + HOUR)
    one, host = entry("1", source="told"), "rests.example:443"
    poll(any_store, one, source="told", state=later, resting=host)
    held = any_store.sources(held=NOW)
    assert [(s.source.id, s.entries) for s in held] == [("claimed", 0), ("rests", 0), ("told", 1)]
    assert held == tuple(s for s in any_store.sources() if s.source.id != "free")
    assert any_store.sources(held=NOW + 2 * HOUR) == ()


def test_the_configuration_takes_over_a_source_of_its_name(any_store: SqlStore) -> None:
    any_store.add_source(FULL, NOW)
    any_store.declare_sources([replace(FULL, title="Declared")], NOW)
    assert any_store.source("full").source.origin == "config"
    assert any_store.source("full").source.title == "Declared"
    any_store.declare_sources([], NOW)
    assert ids(any_store) == []


def test_a_poll_of_a_source_that_went_or_moved_is_not_wanted(any_store: SqlStore) -> None:
    any_store.declare_sources([FULL], NOW)
    before = claim(any_store, "full")
    any_store.declare_sources([replace(FULL, location="https://moved.example/")], NOW)
    with pytest.raises(ClaimLost, match="“full” was taken over"):
        any_store.finish_poll(before, PollResult(state=PollState(next_at=NOW)), NOW)
    held = claim(any_store, "full")
    any_store.remove_source("full", purge=False, now=NOW)
    result = PollResult(state=PollState(next_at=NOW), entries=(entry("x", source="full"),))
    with pytest.raises(ClaimLost):
        any_store.finish_poll(held, result, NOW)
    assert uids(any_store) == []


def test_what_a_feed_says_of_itself_is_kept(any_store: SqlStore) -> None:
    meta = SourceMeta(id="urn:f", title="Feed", link="https://a.example/", updated=NOW)
    poll(any_store, entry("one"), meta=meta)
    assert any_store.source("a").meta == meta
    assert claim(any_store, now=NOW + HOUR).meta == meta


def test_idle_is_who_lets_due_sources_wait_and_ends_no_poll(any_store: SqlStore) -> None:
    assert any_store.lag(NOW + HOUR, idle=True) == timedelta(0)
    add(any_store, "a", "b")
    assert any_store.lag(NOW + HOUR, idle=True) == HOUR
    held = claim(any_store, "a", now=NOW + HOUR)
    state = PollState(last_at=NOW + HOUR, next_at=NOW + 9 * HOUR)
    any_store.finish_poll(held, PollResult(state=state), NOW + HOUR)
    assert any_store.lag(NOW + 2 * HOUR) == 2 * HOUR
    assert any_store.lag(NOW + 2 * HOUR, idle=True) == HOUR
    assert any_store.lag(NOW, idle=True) == timedelta(0)
    held = claim(any_store, "b", now=NOW + 2 * HOUR)
    # its poller is at work, or was stopped with all that is due in its hands
    assert any_store.lag(NOW + 2 * HOUR) == timedelta(0)
    assert any_store.lag(NOW + 2 * HOUR, idle=True) == HOUR
    any_store.finish_poll(held, PollResult(state=PollState(next_at=NOW + 9 * HOUR)), NOW)
    assert any_store.lag(NOW + 8 * HOUR, idle=True) == timedelta(0)
    assert any_store.lag(NOW + 10 * HOUR, idle=True) == HOUR


def test_lag_is_that_of_the_most_overdue(any_store: SqlStore) -> None:
    assert any_store.lag(NOW) == timedelta(0)
    add(any_store, "a", "b", "c")
    assert any_store.lag(NOW + HOUR) == HOUR
    held = [claim(any_store, name) for name in ("a", "b", "c")]
    assert any_store.lag(NOW + LEASE / 2) == timedelta(0)
    any_store.finish_poll(held[0], PollResult(state=PollState(next_at=NOW + HOUR)), NOW)
    resting = PollState(next_at=NOW, retry_after=NOW + 3 * HOUR)
    any_store.finish_poll(held[1], PollResult(state=resting), NOW)
    off = PollResult(state=PollState(next_at=NOW), enabled=False)
    any_store.finish_poll(held[2], off, NOW)
    assert any_store.lag(NOW + HOUR / 2) == timedelta(0)
    assert any_store.lag(NOW + 2 * HOUR) == HOUR
    assert any_store.lag(NOW + 4 * HOUR) == 4 * HOUR
