"""Every store: pages of entries, asked for with them, claimed by turns, and what came of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from feedsvc.model import PollState, Text
from feedsvc.polls import PageTroubles
from feedsvc.store import SqlStore
from feedsvc.store.base import PageClaim, PageResult, PollResult
from tests.storekit import HOUR, LEASE, NOW, add, claim, entry, found, key_of, poll, statements, tag

LINK = "https://a.example/{}"
FULL = Text(value="<p>The whole story of it.</p>", type="html")


def put(
    store: SqlStore, *names: str, source: str = "a", now: datetime = NOW, **changes: Any
) -> None:
    """One poll that brings entries whose pages are to be read."""
    entries = [entry(n, source=source, link=LINK.format(n), **changes) for n in names]
    state = PollState(next_at=NOW + 9 * HOUR)
    poll(store, *entries, source=source, now=now, pages=names, state=state)


def take(store: SqlStore, *, now: Any = NOW, limit: int = 9, **options: Any) -> list[PageClaim]:
    claims = store.claim_pages(now=now, owner="me", lease=LEASE, limit=limit, **options)
    return sorted(claims, key=lambda one: one.entry.uid)


def read(claim: PageClaim, **changes: Any) -> PageResult:
    return PageResult(entry=replace(claim.entry, content=FULL, fulltext=True, **changes))


def test_a_page_is_claimed_once_and_its_text_moves_nothing_else(any_store: SqlStore) -> None:
    add(any_store, "a", fulltext=True, auth="me:secret")
    put(any_store, "x", tags=["old"])
    (one,) = take(any_store)
    assert (one.entry.uid, one.host, one.tries) == ("x", "a.example:443", 1)
    assert (one.source.fulltext, one.source.auth) == (True, "me:secret")
    assert take(any_store) == []
    (before,) = found(any_store)
    change = any_store.change()
    assert any_store.finish_page(one, read(one, tags=(tag("new"),)), NOW + HOUR)
    assert any_store.change() > change
    (after,) = found(any_store)
    assert after.entry == replace(before.entry, content=FULL, fulltext=True, tags=(tag("new"),))
    assert after.fingerprint != before.fingerprint
    assert found(any_store, "story tag:new") == (after,)
    assert any_store.revisions(after.entry.key) == ()
    assert any_store.check() == ()
    assert take(any_store, now=NOW + 99 * HOUR) == []
    assert any_store.page_troubles() == {}


def test_only_what_is_asked_for_and_has_a_link_is_read(any_store: SqlStore) -> None:
    poll(any_store, entry("x", link=LINK.format("x")), entry("y"), pages=("y",))
    assert take(any_store) == []


def test_a_lost_claim_writes_nothing_and_a_dead_owners_page_is_free_at_once(
    any_store: SqlStore,
) -> None:
    put(any_store, "x")
    (old,) = take(any_store)
    assert any_store.release_dead(lambda owner: owner == "me", now=NOW, lease=LEASE) == ("me",)
    (new,) = take(any_store)
    assert new.tries == 2
    assert not any_store.finish_page(old, read(old), NOW)
    assert not found(any_store)[0].entry.fulltext
    assert any_store.finish_page(new, read(new), NOW)
    assert not any_store.finish_page(new, read(new), NOW)


def test_a_lease_that_ran_out_is_free_and_one_given_back_too(any_store: SqlStore) -> None:
    put(any_store, "x")
    take(any_store)
    assert take(any_store, now=NOW + LEASE / 2) == []
    (again,) = take(any_store, now=NOW + LEASE)
    any_store.release_pages([again])
    (third,) = take(any_store, now=NOW + LEASE)
    assert third.tries == again.tries == 2


def test_an_edit_meanwhile_wins_and_is_read_anew(any_store: SqlStore) -> None:
    put(any_store, "x")
    (one,) = take(any_store)
    put(any_store, "x", digest="another")
    assert not any_store.finish_page(one, read(one), NOW)
    assert not found(any_store)[0].entry.fulltext
    (again,) = take(any_store)
    assert again.entry.digest == "another"
    assert any_store.finish_page(again, read(again), NOW)
    # asked for once more, it is read an hour after the last time, then two hours
    put(any_store, "x", digest="a third")
    assert take(any_store, now=NOW + HOUR - timedelta(seconds=1)) == []
    (third,) = take(any_store, now=NOW + HOUR)
    any_store.finish_page(third, read(third), NOW + HOUR)
    put(any_store, "x", digest="a fourth", now=NOW + HOUR)
    assert take(any_store, now=NOW + 2.5 * HOUR) == []
    assert len(take(any_store, now=NOW + 3 * HOUR)) == 1


def test_failures_are_told_by_source_and_tried_again_when_they_say(any_store: SqlStore) -> None:
    put(any_store, "x", "y")
    put(any_store, "z", source="b")
    x, y, z = take(any_store)
    any_store.finish_page(x, PageResult(error="busy", due=NOW + HOUR), NOW)
    any_store.finish_page(y, PageResult(error="a \0 404"), NOW + timedelta(seconds=5))
    any_store.finish_page(z, PageResult(), NOW)
    at = NOW + timedelta(seconds=5)
    told = PageTroubles(failed=2, link=LINK.format("y"), error="a  404", at=at)
    assert any_store.page_troubles() == any_store.page_troubles(["a", "b"]) == {"a": told}
    assert any_store.page_troubles(["b"]) == {}
    assert take(any_store, now=NOW + HOUR / 2) == []
    (again,) = take(any_store, now=NOW + HOUR)
    assert again.tries == 2
    any_store.finish_page(again, read(again), NOW + HOUR)
    assert any_store.page_troubles()["a"].failed == 1


def test_withdrawn_and_pruned_entries_are_not_read(any_store: SqlStore) -> None:
    put(any_store, "x", "y")
    x, y = take(any_store)
    poll(any_store, removed=("x",))
    assert not any_store.finish_page(x, read(x), NOW)
    any_store.prune(before=NOW + HOUR, now=NOW + HOUR)
    assert not any_store.finish_page(y, read(y), NOW)
    assert take(any_store, now=NOW + 99 * HOUR) == []
    assert any_store.check() == ()


def test_hosts_have_their_turns_and_feeds_go_first(any_store: SqlStore) -> None:
    put(any_store, "x", "y", "z")
    poll(
        any_store, entry("o", source="b", link="https://other.example/o"), source="b", pages=("o",)
    )
    claims = take(any_store, per_host=1, host_delay=timedelta(seconds=30))
    assert [one.entry.uid for one in claims] == ["o", "x"]
    assert take(any_store, per_host=1) == []
    # a feed of a host whose page is being read waits as well
    due = {"now": NOW + 10 * HOUR, "owner": "you", "lease": LEASE, "limit": 9}
    add(any_store, "c", location="https://a.example/other")
    assert any_store.claim_due(**{**due, "now": NOW}, per_host=1) == ()
    for one in claims:
        any_store.finish_page(one, PageResult(host=one.host, resting=NOW + HOUR), NOW)
    # the host rests
    assert take(any_store, now=NOW + HOUR / 2) == []
    # and then its feeds go first
    assert take(any_store, now=NOW + 10 * HOUR) == []
    taken = any_store.claim_due(**due)
    assert {one.source.id for one in taken} == {"a", "b", "c"}
    for one in taken:
        any_store.finish_poll(one, _idle(), NOW + 10 * HOUR)
    assert [one.entry.uid for one in take(any_store, now=NOW + 10 * HOUR, per_host=2)] == ["y", "z"]


def _idle() -> Any:
    return PollResult(state=PollState(next_at=NOW + 99 * HOUR))


def test_a_clock_that_was_ahead_puts_no_page_off(any_store: SqlStore) -> None:
    later = NOW + 5000 * HOUR
    poll(
        any_store,
        entry("x", link=LINK.format("x")),
        now=later,
        pages=("x",),
        state=PollState(next_at=later + 9 * HOUR, last_at=later),
    )
    any_store.put_robots("https://a.example:443", "rules", later)
    assert take(any_store) == []
    assert any_store.mend_clock(NOW) == later - NOW
    assert [one.entry.uid for one in take(any_store)] == ["x"]
    assert any_store.robots("https://a.example:443", since=NOW - 24 * HOUR) is None


def test_what_robots_txt_said_is_kept(any_store: SqlStore) -> None:
    host = "https://a.example:443"
    assert any_store.robots(host, since=NOW) is None
    any_store.put_robots(host, "", NOW)
    assert any_store.robots(host, since=NOW) == ""
    assert any_store.robots(host, since=NOW + HOUR) is None
    any_store.put_robots(host, "User-agent: *\0", NOW + HOUR)
    assert any_store.robots(host, since=NOW + HOUR) == "User-agent: *"


def test_claiming_costs_no_more_for_many_pages(any_store: SqlStore) -> None:
    put(any_store, "first")
    with statements(any_store) as few:
        take(any_store)
    put(any_store, *(f"n{number}" for number in range(300)))
    with statements(any_store) as many:
        assert len(take(any_store, limit=300)) == 300
    assert len(many) == len(few)


def test_backups_carry_pages_and_nobodys_claims(any_store: SqlStore, tmp_path: Any) -> None:
    put(any_store, "x")
    take(any_store)
    any_store.backup(tmp_path / "backup.db")
    any_store.restore(tmp_path / "backup.db")
    (again,) = take(any_store)
    assert again.entry.key == key_of("x")
    assert claim(any_store).source.id == "a"
