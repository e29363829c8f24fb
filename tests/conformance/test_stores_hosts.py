"""Every store: that politeness towards a host holds over all its sources, pollers and restarts."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import text

from feedsvc.model import PollState, Source
from feedsvc.pacing import host_of
from feedsvc.polls import Hints, Move, PollRecord
from feedsvc.store import SqlStore
from feedsvc.store.base import Claim, PollResult
from feedsvc.store.codec import micros
from tests.storekit import HOUR, LEASE, NOW, add

SECOND = timedelta(seconds=1)


def crowd(store: SqlStore, host: str, count: int, prefix: str = "s") -> None:
    """Adds sources that live on one host."""
    store.add_sources(
        [
            Source(id=f"{prefix}{n}", kind="feed", location=f"http://{host}/{n}")
            for n in range(count)
        ],
        NOW,
    )


def take(store: SqlStore, limit: int = 100, **options: object) -> list[Claim]:
    asked: dict[str, object] = {"now": NOW, "owner": "me", "lease": LEASE, "per_host": 2}
    return list(store.claim_due(limit=limit, **asked | options))  # type: ignore[arg-type]


def finish(store: SqlStore, claim: Claim, resting: str | None = None, **state: object) -> None:
    result = PollResult(state=PollState(**state), resting=resting)  # type: ignore[arg-type]
    store.finish_poll(claim, result, NOW)


def hosts_of(claims: list[Claim]) -> Counter[str | None]:
    return Counter(host_of(claim.source.location) for claim in claims)


def test_a_host_with_many_sources_keeps_nobody_waiting(any_store: SqlStore) -> None:
    crowd(any_store, "slow.example", 300, "slow")
    crowd(any_store, "quick.example:8080", 3, "quick")
    add(any_store, "other")
    any_store.add_source(Source(id="folder", kind="directory", location="seeds"), NOW)
    claims = take(any_store, limit=8)
    assert hosts_of(claims) == {
        "slow.example:80": 2,
        "quick.example:8080": 2,
        "other.example:443": 1,
        None: 1,
    }
    # its slots stay taken until one of its polls ends, or its lease
    assert take(any_store) == []
    slow = next(c for c in claims if c.source.id.startswith("slow"))
    finish(any_store, slow, next_at=NOW + HOUR)
    (following,) = take(any_store)
    assert host_of(following.source.location) == "slow.example:80"
    assert hosts_of(take(any_store, now=NOW + LEASE))["slow.example:80"] == 2


def test_the_most_overdue_of_a_host_comes_first(any_store: SqlStore) -> None:
    crowd(any_store, "a.example", 4)
    for claim in take(any_store, per_host=None):
        number = int(claim.source.id[1:])
        finish(any_store, claim, next_at=NOW - number * HOUR)
    assert [claim.source.id for claim in take(any_store)] == ["s3", "s2"]


def test_without_a_limit_all_are_claimed(any_store: SqlStore) -> None:
    crowd(any_store, "a.example", 40)
    assert len(take(any_store, per_host=None)) == 40


def test_two_hosts_of_one_name_are_two(any_store: SqlStore) -> None:
    crowd(any_store, "a.example:8001", 5, "x")
    crowd(any_store, "a.example:8002", 5, "y")
    assert set(hosts_of(take(any_store)).values()) == {2}


@pytest.mark.parametrize("ignore_schedule", [False, True])
def test_what_a_host_asked_for_holds_for_all_its_sources(
    any_store: SqlStore, ignore_schedule: bool
) -> None:
    crowd(any_store, "a.example:8001", 5, "x")
    crowd(any_store, "a.example:8002", 5, "y")
    first = take(any_store)[0]
    host = host_of(first.source.location)
    until = NOW + HOUR
    finish(any_store, first, resting=host, next_at=until, retry_after=until)
    # an earlier end does not cut the later one short
    for claim in take(any_store, now=NOW + LEASE, owner="you", ignore_schedule=ignore_schedule):
        assert host_of(claim.source.location) != host
    late = NOW + LEASE + LEASE
    other = take(any_store, now=late, ignore_schedule=ignore_schedule)[0]
    finish(any_store, other, resting=host, next_at=late, retry_after=NOW + SECOND)
    assert host not in hosts_of(take(any_store, now=NOW + HOUR - SECOND))
    assert host in hosts_of(take(any_store, now=NOW + HOUR))
    told = {status.source.id[0]: status.resting for status in any_store.sources()}
    assert told == {"x": None, "y": None} | {first.source.id[0]: until}


def test_pollers_together_keep_to_a_host_s_limit(any_store: SqlStore) -> None:
    crowd(any_store, "a.example", 60, "a")
    crowd(any_store, "b.example", 60, "b")
    running: Counter[str | None] = Counter()
    most: Counter[str | None] = Counter()
    done: list[str] = []
    lock, barrier = threading.Lock(), threading.Barrier(5)
    errors: list[BaseException] = []

    def work(owner: str) -> None:
        try:
            barrier.wait()
            misses = 0
            while misses < 40:
                claims = take(any_store, limit=7, owner=owner)
                misses = 0 if claims else misses + 1
                with lock:
                    for host, count in hosts_of(claims).items():
                        running[host] += count
                        most[host] = max(most[host], running[host])
                for claim in claims:
                    with lock:
                        running[host_of(claim.source.location)] -= 1
                        done.append(claim.source.id)
                    finish(any_store, claim, next_at=NOW + HOUR)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert max(most.values()) <= 2
    assert len(done) == len(set(done)) == 120


def test_turns_of_a_host_are_spaced_out(any_store: SqlStore) -> None:
    crowd(any_store, "a.example", 9)
    add(any_store, "other")
    delay = 10 * SECOND
    turns: list[timedelta] = []
    for owner, at in (("me", NOW), ("you", NOW + delay)):
        for claim in take(any_store, now=at, owner=owner, host_delay=delay):
            assert claim.not_before is not None
            if claim.source.id == "other":
                assert claim.not_before == NOW
            else:
                turns.append(claim.not_before - NOW)
                finish(any_store, claim, next_at=NOW + 9 * HOUR)
    assert turns == [0 * SECOND, delay, 2 * delay, 3 * delay]
    # a turn that was booked by a clock ahead keeps nobody waiting
    (claim, _) = take(any_store, now=NOW + 99 * HOUR, only=["s8", "s7"], host_delay=delay)
    assert claim.not_before == NOW + 99 * HOUR
    finish(any_store, claim, next_at=NOW)
    (claim,) = take(any_store, only=[claim.source.id], host_delay=delay)
    assert claim.not_before == NOW + 2 * delay


def test_without_a_delay_there_are_no_turns(any_store: SqlStore) -> None:
    crowd(any_store, "a.example", 3)
    assert [claim.not_before for claim in take(any_store)] == [None, None]


def test_a_source_that_moves_is_counted_at_its_new_host(any_store: SqlStore) -> None:
    crowd(any_store, "a.example", 2, "a")
    crowd(any_store, "b.example", 2, "b")
    claims = {claim.source.id: claim for claim in take(any_store)}
    moved = PollResult(state=PollState(next_at=NOW), location="http://b.example/new")
    any_store.finish_poll(claims["a0"], moved, NOW)
    assert any_store.source("a0").source.location == "http://b.example/new"
    assert any_store.located("http://b.example/new") == "a0"
    assert any_store.located("http://a.example/0") is None
    # b.example has its two claims
    assert take(any_store) == []
    finish(any_store, claims["b1"], next_at=NOW + HOUR)
    assert [claim.source.id for claim in take(any_store)] == ["a0"]


def test_a_declared_source_s_new_location_is_at_its_host(any_store: SqlStore) -> None:
    def declare(location: str) -> None:
        any_store.declare_sources([Source(id="x", kind="feed", location=location)], NOW)

    declare("http://a.example/x")
    (claim,) = take(any_store)
    finish(any_store, claim, "a.example:80", next_at=NOW, retry_after=NOW + HOUR)
    assert take(any_store) == []
    declare("http://b.example/x")
    assert [claim.source.id for claim in take(any_store)] == ["x"]


# -- beginnings and clocks ---------------------------------------------------------------


def test_many_new_sources_are_spread_and_the_untried_can_be_asked_for(
    any_store: SqlStore,
) -> None:
    feeds = [Source(id=f"s{n}", kind="feed", location=f"http://h{n}/") for n in range(200)]
    any_store.declare_sources(feeds[:100], NOW, spread=HOUR)
    any_store.add_sources(feeds[100:], NOW, spread=HOUR)
    any_store.add_source(Source(id="one", kind="feed", location="http://one/"), NOW)
    nexts = [status.state.next_at for status in any_store.sources()]
    assert all(at is not None and NOW <= at <= NOW + 100 * SECOND for at in nexts)
    assert len(set(nexts)) > 190
    assert len(take(any_store, limit=300)) < 10
    assert len(take(any_store, limit=300, now=NOW + 50 * SECOND)) in range(70, 130)
    rest = take(any_store, limit=300, untried=True)
    assert len(rest) in range(70, 130)
    for claim in rest:
        finish(any_store, claim, last_at=NOW, next_at=NOW + HOUR)
    assert take(any_store, untried=True) == []


def test_what_was_polled_since_is_not_claimed_again(any_store: SqlStore) -> None:
    crowd(any_store, "a.example", 3)
    seen = []
    while claims := take(any_store, ignore_schedule=True, due_at=NOW - SECOND):
        seen += [claim.source.id for claim in claims]
        for claim in claims:
            finish(any_store, claim, last_at=NOW, next_at=NOW)
    assert sorted(seen) == ["s0", "s1", "s2"]


def test_schedules_made_by_a_clock_ahead_move_back_as_they_are(any_store: SqlStore) -> None:
    years = timedelta(days=4000)
    crowd(any_store, "a.example", 6)
    future = NOW + years
    claims = take(any_store, per_host=None, now=future)
    for number, claim in enumerate(claims[:3]):
        state = PollState(
            last_at=future + number * SECOND,
            last_ok_at=future,
            next_at=future + number * HOUR,
            retry_after=future + HOUR if number == 2 else None,
        )
        result = PollResult(state=state, resting="a.example:80" if number == 2 else None)
        any_store.finish_poll(claim, result, future)
    finish(any_store, claims[3], last_at=NOW - HOUR, next_at=NOW + HOUR)
    # two are still claimed by a poller that died in the future
    assert take(any_store, now=NOW + HOUR / 2) == []
    lead = years + 2 * SECOND
    assert any_store.mend_clock(NOW) == lead
    assert any_store.mend_clock(NOW) == timedelta(0)
    states = [any_store.source(claim.source.id).state for claim in claims]
    assert [s.next_at for s in states[:3]] == [NOW - 2 * SECOND + n * HOUR for n in range(3)]
    assert [s.last_at for s in states[:3]] == [NOW + (n - 2) * SECOND for n in range(3)]
    assert states[2].retry_after == NOW - 2 * SECOND + HOUR
    assert states[3].next_at == NOW + HOUR
    # the host's own rest has moved as well, and ends
    assert take(any_store, per_host=None, now=NOW + HOUR / 2) == []
    found = take(any_store, per_host=None, now=NOW + HOUR)
    assert len(found) == 5


def test_new_sources_of_a_clock_ahead_are_due(any_store: SqlStore) -> None:
    any_store.add_source(
        Source(id="x", kind="feed", location="http://x/"), NOW + timedelta(days=900)
    )
    assert take(any_store) == []
    any_store.mend_clock(NOW)
    assert len(take(any_store)) == 1


def test_clocks_that_differ_by_minutes_are_borne(any_store: SqlStore) -> None:
    crowd(any_store, "a.example", 1)
    (claim,) = take(any_store)
    ahead = NOW + timedelta(minutes=9)
    finish(any_store, claim, last_at=ahead, next_at=ahead + HOUR)
    assert any_store.mend_clock(NOW) == timedelta(0)
    assert any_store.source("s0").state.next_at == ahead + HOUR


# -- what is remembered ------------------------------------------------------------------


def test_all_of_a_poll_state_is_kept(any_store: SqlStore) -> None:
    state = PollState(
        next_at=NOW,
        why="every 45 min: posts about 12 times a day",
        fault="timeout",
        posts=tuple(NOW.replace(microsecond=0) - n * HOUR for n in range(32)),
        quiet=3,
        hints=Hints(ttl=HOUR, update=2 * HOUR, skip_hours=(0, 23), skip_days=(5, 6)),
        move=Move(
            old="http://a/", new="http://ü/", first_at=NOW, polls=2, done_at=NOW, obstacle="o"
        ),
        history=(
            PollRecord(at=NOW, outcome="new", status=200, new=7, milliseconds=9, bytes=10),
            PollRecord(at=NOW, outcome="gone"),
        ),
    )
    crowd(any_store, "a.example", 1)
    (claim,) = take(any_store)
    any_store.finish_poll(claim, PollResult(state=state), NOW)
    (again,) = take(any_store)
    assert again.state == state
    assert any_store.source("s0").state == state


_MANY = text(
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70000)"
    " INSERT INTO hosts (host, retry_after, told_at) SELECT 'h' || i, :until, :at FROM n"
)


def test_any_number_of_hosts_may_rest(any_store: SqlStore) -> None:
    """As when all that is behind one large network answers 503 with Retry-After."""
    crowd(any_store, "a.example", 3)
    with any_store.writing() as connection:
        told = {"until": micros(NOW + HOUR), "at": micros(NOW)}
        connection.execute(_MANY, told)
        connection.execute(
            text("UPDATE hosts SET retry_after = :until WHERE host = 'a.example:80'"), told
        )
    crowd(any_store, "b.example", 3, prefix="other")
    assert {claim.source.id for claim in take(any_store)} == {"other0", "other1"}


def test_a_host_that_rests_is_not_lag(any_store: SqlStore) -> None:
    crowd(any_store, "a.example", 5)
    assert any_store.lag(NOW + HOUR) == HOUR
    first, _ = take(any_store)
    # the others wait for the two that run
    assert any_store.lag(NOW + SECOND) == timedelta(0)
    finish(any_store, first, "a.example:80", next_at=NOW, retry_after=NOW + 2 * HOUR)
    assert any_store.lag(NOW + HOUR) == timedelta(0)
    assert any_store.lag(NOW + 3 * HOUR) == 3 * HOUR
