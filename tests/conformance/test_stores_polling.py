"""Every store: claims, and that no two pollers ever hold the same."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec.structs import replace as with_fields
from sqlalchemy import event

from feedsvc.errors import ClaimLost
from feedsvc.model import PollState, Problem, Source
from feedsvc.store import SqlStore
from feedsvc.store.base import Claim, PollResult
from tests.storekit import HOUR, LEASE, NOW, add, claim, entry, poll, tag, uids


def due(store: SqlStore, **options: object) -> list[str]:
    """Claims what is due; the ids in the order in which they were handed out."""
    asked: dict[str, object] = {"now": NOW, "owner": "me", "lease": LEASE, "limit": 100}
    return [taken.source.id for taken in store.claim_due(**asked | options)]  # type: ignore[arg-type]


def finish(store: SqlStore, held: Claim, **state: object) -> None:
    result = PollResult(state=PollState(**state))  # type: ignore[arg-type]
    store.finish_poll(held, result, NOW)


def test_what_is_due_is_claimed_most_overdue_first(any_store: SqlStore) -> None:
    for hours, name in enumerate(("c", "a", "b", "later")):
        add(any_store, name)
        finish(any_store, claim(any_store, name), next_at=NOW + (hours - 3) * HOUR + HOUR)
    assert due(any_store, limit=2) == ["c", "a"]
    assert due(any_store) == ["b"]
    assert due(any_store) == []
    assert due(any_store, now=NOW + LEASE) == ["c", "a", "b"]
    assert due(any_store, now=NOW + HOUR) == ["c", "a", "b", "later"]


def test_a_claim_carries_what_a_poll_needs(any_store: SqlStore) -> None:
    add(any_store, "a", title="A")
    state = PollState(
        etag='W/"é"',
        last_modified="Sun, 01 Mar 2026 12:00:00 GMT",
        digest="d",
        cursor='{"opaque": "\\u0000"}',
        next_at=NOW,
        last_at=NOW - HOUR,
        last_ok_at=NOW - 2 * HOUR,
        status=503,
        error="busy",
        problems=(Problem(name="x.txt", message="no title"),),
        failures=2,
        retry_after=NOW - HOUR,
    )
    any_store.finish_poll(claim(any_store), PollResult(state=state), NOW)
    (held,) = any_store.claim_due(now=NOW, owner="me", lease=LEASE, limit=9)
    assert held.source == any_store.source("a").source
    assert held.state == state
    assert (held.owner, held.until, held.meta) == ("me", NOW + LEASE, None)


def test_a_long_cursor_is_written_when_it_changes_and_never_besides(any_store: SqlStore) -> None:
    long = "ledger " * 1000
    for cursor in (long, long + "x", "short", None, long):
        state = PollState(next_at=NOW, cursor=cursor)
        any_store.finish_poll(claim(any_store), PollResult(state=state), NOW)
        held = claim(any_store)
        assert held.state == state
        any_store.release([held])
    written: list[str] = []

    def note(_: object, __: object, statement: str, parameters: object, *rest: object) -> None:
        written.append(f"{statement} {parameters}")

    event.listen(any_store.engine, "before_cursor_execute", note)
    try:
        held = claim(any_store)
        state = with_fields(held.state, next_at=NOW + HOUR)
        any_store.finish_poll(held, PollResult(state=state), NOW)
    finally:
        event.remove(any_store.engine, "before_cursor_execute", note)
    told = [said for said in written if not said.startswith("SELECT")]
    assert told
    assert all("long_cursors" not in said and len(said) < 2000 for said in told)
    assert claim(any_store, now=NOW + HOUR).state.cursor == long


def test_another_location_forgets_a_long_cursor(any_store: SqlStore) -> None:
    state = PollState(next_at=NOW, cursor="ledger " * 1000)
    held = claim(any_store)
    any_store.finish_poll(held, PollResult(state=state), NOW)
    any_store.remove_source("a", purge=False, now=NOW)
    any_store.add_source(replace(held.source, location="https://elsewhere.example/"), NOW)
    assert claim(any_store).state.cursor is None


def test_only_and_ignoring_the_schedule_never_break_retry_after(any_store: SqlStore) -> None:
    add(any_store, "asked", "resting", "other")
    finish(any_store, claim(any_store, "asked"), next_at=NOW + HOUR)
    finish(any_store, claim(any_store, "resting"), next_at=NOW, retry_after=NOW + HOUR)
    both = ["asked", "resting"]
    assert due(any_store, only=both) == []
    assert due(any_store, only=both, ignore_schedule=True) == ["asked"]
    assert due(any_store, only=[]) == []
    assert due(any_store, ignore_schedule=True) == ["other"]
    assert due(any_store, now=NOW + HOUR, only=["resting"]) == ["resting"]


def test_an_expired_lease_is_free_and_its_holder_fenced_off(any_store: SqlStore) -> None:
    late = claim(any_store, owner="slow")
    assert due(any_store, now=NOW + LEASE - timedelta(microseconds=1)) == []
    (next,) = any_store.claim_due(now=NOW + LEASE, owner="quick", lease=LEASE, limit=9)
    assert next.epoch > late.epoch
    result = PollResult(state=PollState(etag="late", next_at=NOW), entries=(entry("one"),))
    with pytest.raises(ClaimLost):
        any_store.finish_poll(late, result, NOW)
    with pytest.raises(ClaimLost):
        any_store.finish_poll(late, PollResult(state=PollState(etag="late")), NOW)
    assert uids(any_store) == []
    assert any_store.source("a").state.etag is None
    assert any_store.finish_poll(next, result, NOW).new


def test_an_expired_claim_that_nobody_took_may_still_commit(any_store: SqlStore) -> None:
    late = claim(any_store)
    result = PollResult(state=PollState(next_at=NOW), entries=(entry("one"),))
    assert any_store.finish_poll(late, result, NOW + 2 * LEASE).new
    with pytest.raises(ClaimLost):
        any_store.finish_poll(late, result, NOW + 2 * LEASE)


def test_the_same_owner_cannot_finish_twice(any_store: SqlStore) -> None:
    first = claim(any_store)
    any_store.release([first])
    second = claim(any_store)
    with pytest.raises(ClaimLost):
        finish(any_store, first, next_at=NOW)
    finish(any_store, second, next_at=NOW)


def test_claims_are_extended_and_released_by_their_holder_only(any_store: SqlStore) -> None:
    add(any_store, "a", "b")
    held = any_store.claim_due(now=NOW, owner="me", lease=LEASE, limit=9)
    any_store.extend(held, NOW + HOUR)
    assert due(any_store, now=NOW + LEASE) == []
    any_store.release(held[:1])
    (taken,) = any_store.claim_due(now=NOW, owner="you", lease=LEASE, limit=9)
    any_store.extend(held, NOW + 9 * HOUR)
    any_store.release(held)
    assert due(any_store, now=NOW + LEASE - timedelta(seconds=1)) == [held[1].source.id]
    assert due(any_store, now=taken.until) == [held[0].source.id]
    any_store.extend([], NOW)
    any_store.release([])


def test_an_idle_poll_moves_the_schedule_only(any_store: SqlStore) -> None:
    poll(any_store, entry("one"))
    held = claim(any_store)
    change = any_store.change()
    done = any_store.finish_poll(held, PollResult(state=PollState(etag="x")), NOW + HOUR)
    assert (done.new, done.updated, done.withdrawn) == ((), (), ())
    assert any_store.change() == change
    # without a time of its own a source is due at once
    assert any_store.source("a").state == PollState(etag="x", next_at=NOW + HOUR)


def test_competing_pollers_share_without_doubling(any_store: SqlStore) -> None:
    number, workers = 120, 6
    add(any_store, *(f"s{n}" for n in range(number)))
    barrier = threading.Barrier(workers)
    taken: list[tuple[str, int]] = []
    errors: list[BaseException] = []

    def work(owner: str) -> None:
        try:
            barrier.wait()
            misses = 0
            while misses < 3:
                claims = any_store.claim_due(now=NOW, owner=owner, lease=LEASE, limit=7)
                assert len(claims) <= 7
                misses = 0 if claims else misses + 1
                taken.extend((held.source.id, held.epoch) for held in claims)
                for held in claims[::2]:
                    finish(any_store, held, next_at=NOW + HOUR)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(taken) == len(set(taken)) == number


def test_known_tells_what_is_remembered(any_store: SqlStore) -> None:
    published = NOW - timedelta(days=3)
    one = entry(
        "one", published=published, dated=False, tags=["x", "y"], references=("A", "B"), digest="d1"
    )
    poll(any_store, one, entry("gone"), entry("old", published=NOW - timedelta(days=400)))
    poll(any_store, removed=("gone",))
    any_store.prune(before=NOW - timedelta(days=300), now=NOW)
    found = any_store.known("a", ["one", "gone", "old", "never"])
    assert found.keys() == {"one", "gone", "old"}
    known = found["one"]
    assert (known.id, known.key, known.digest) == (one.id, one.key, "d1")
    assert (known.published, known.updated, known.dated) == (published, one.updated, False)
    assert (known.withdrawn, known.pruned) == (False, False)
    assert (known.tags, known.references) == ((tag("x"), tag("y")), ("A", "B"))
    assert (found["gone"].withdrawn, found["gone"].pruned) == (True, False)
    assert (found["old"].id, found["old"].pruned) == ("urn:a:old", True)
    assert any_store.known("nobody", ["one"]) == {}
    assert any_store.known("a", []) == {}


def test_known_takes_any_number_of_uids_of_any_length(any_store: SqlStore) -> None:
    long = ["x" * 5000 + str(number) for number in range(1200)]
    poll(any_store, *(entry(str(at), uid=uid) for at, uid in enumerate(long)))
    assert set(any_store.known("a", long)) == set(long)
    assert set(uids(any_store, limit=2000)) == set(long)


def test_claims_of_dead_owners_are_free_at_once_and_fenced_off(any_store: SqlStore) -> None:
    add(any_store, "a", "b", "c", "idle")
    for id, owner in (("a", "dead"), ("b", "living"), ("c", "dead")):
        claim(any_store, id, owner=owner)
    held = {status.source.id: (status.owner, status.until) for status in any_store.sources()}
    until = NOW + LEASE
    assert held == {
        "a": ("dead", until),
        "b": ("living", until),
        "c": ("dead", until),
        "idle": (None, None),
    }
    asked: list[str] = []

    def dead(owner: str) -> bool:
        asked.append(owner)
        return owner == "dead"

    assert any_store.release_dead(dead, now=NOW, lease=LEASE) == ("dead",)
    assert sorted(asked) == ["dead", "living"]
    assert any_store.release_dead(dead, now=NOW, lease=LEASE) == ()
    assert sorted(due(any_store)) == ["a", "c", "idle"]


def test_what_the_dead_may_have_asked_for_rests(any_store: SqlStore) -> None:
    folder = Source(id="folder", kind="directory", location="seeds")
    any_store.add_source(folder, NOW)
    add(any_store, "a", "b", "c")
    rest = 5 * LEASE
    claim(any_store, "a", owner="dead")
    claim(any_store, "folder", owner="dead")
    # its clock was ahead, and nobody waits for the end of such a lease
    claim(any_store, "b", owner="dead", now=NOW + 1000 * HOUR)
    later = NOW + LEASE / 2
    assert any_store.release_dead(lambda owner: True, now=later, lease=LEASE, rest=rest)
    at = {status.source.id: status.state.next_at for status in any_store.sources()}
    assert at == {"a": NOW + rest, "b": later + rest, "c": NOW, "folder": NOW}
    assert sorted(due(any_store, now=later, rest=rest)) == ["c", "folder"]
    # one that asks for more than the schedule is not held up
    assert due(any_store, now=later, rest=rest, ignore_schedule=True, only=["a"]) == ["a"]
    # a lease that was left to run out is no different
    assert due(any_store, now=NOW + rest, rest=rest) == ["folder"]
    assert sorted(due(any_store, now=later + rest, rest=rest)) == ["a", "b", "c"]


def test_who_was_taken_for_dead_cannot_commit(any_store: SqlStore) -> None:
    add(any_store, "a")
    held = claim(any_store, "a", owner="sleeping")
    any_store.release_dead(lambda owner: True, now=NOW, lease=LEASE)
    with pytest.raises(ClaimLost):
        any_store.finish_poll(held, PollResult(state=PollState(next_at=NOW)), NOW)
