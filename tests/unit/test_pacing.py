"""When a source is polled next, by table and by property."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.model import PollState, Problem, Source
from feedsvc.pacing import Bounds, Outcome, next_state, usual_interval

NOW = datetime(2025, 4, 10, 12, tzinfo=UTC)
BOUNDS = Bounds(
    interval=timedelta(minutes=30),
    min_interval=timedelta(minutes=5),
    max_interval=timedelta(hours=24),
    directory_interval=timedelta(seconds=2),
)
FEED = Source(id="example", kind="feed", location="https://example.org/feed")
FOLDER = Source(id="seeds", kind="directory", location="seeds")


def after(state: PollState, outcome: Outcome, source: Source = FEED) -> PollState:
    return next_state(state, outcome, source=source, bounds=BOUNDS, now=NOW)


def wait(state: PollState) -> timedelta:
    assert state.next_at is not None
    return state.next_at - NOW


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (FEED, timedelta(minutes=30)),
        (replace(FEED, interval=timedelta(hours=1)), timedelta(hours=1)),
        (replace(FEED, interval=timedelta(seconds=1)), timedelta(minutes=5)),
        (replace(FEED, interval=timedelta(days=9)), timedelta(hours=24)),
        (FOLDER, timedelta(seconds=2)),
        (replace(FOLDER, interval=timedelta(minutes=1)), timedelta(minutes=1)),
    ],
)
def test_usual_interval_stays_between_the_bounds(source: Source, expected: timedelta) -> None:
    assert usual_interval(source, BOUNDS) == expected


def test_success_clears_what_went_wrong_before() -> None:
    before = PollState(
        failures=7,
        error="timed out",
        retry_after=NOW,
        problems=(Problem(name="a", message="b"),),
        etag='"x"',
    )
    state = after(before, Outcome(kind="ok", status=200))
    assert (state.failures, state.error, state.retry_after, state.problems) == (0, None, None, ())
    assert state.last_at == state.last_ok_at == NOW
    assert state.etag == '"x"'


def test_a_server_s_cache_lifetime_is_waited_for() -> None:
    assert wait(after(PollState(), Outcome(kind="ok", min_wait=timedelta(hours=3)))) == timedelta(
        hours=3
    )


def test_a_directory_is_looked_at_every_directory_interval() -> None:
    assert wait(after(PollState(), Outcome(kind="ok"), FOLDER)) == timedelta(seconds=2)
    failed = after(PollState(failures=9), Outcome(kind="failed", error="unreadable"), FOLDER)
    assert wait(failed) == timedelta(seconds=2)
    assert failed.failures == 10


def test_failures_back_off_but_never_for_good() -> None:
    waits = []
    state = PollState()
    for _ in range(40):
        state = after(state, Outcome(kind="failed", error="refused"))
        waits.append(wait(state))
    assert waits == sorted(waits)
    assert waits[0] < timedelta(minutes=6)
    assert waits[-1] <= timedelta(hours=24) * 1.1
    assert state.last_ok_at is None
    assert state.error == "refused"


def test_retry_after_is_honoured_in_full() -> None:
    state = after(
        PollState(), Outcome(kind="failed", status=503, retry_after=timedelta(days=3), error="503")
    )
    assert wait(state) == timedelta(days=3)
    assert state.retry_after == NOW + timedelta(days=3)


@given(
    failures=st.integers(0, 10_000),
    kind=st.sampled_from(["ok", "failed", "gone"]),
    minutes=st.none() | st.integers(0, 10_000),
    retry=st.none() | st.integers(0, 10_000),
    source_id=st.text(min_size=1, max_size=20),
)
def test_the_next_poll_is_never_early_and_never_never(
    failures: int, kind: str, minutes: int | None, retry: int | None, source_id: str
) -> None:
    outcome = Outcome(
        kind=kind,  # type: ignore[arg-type]
        min_wait=None if minutes is None else timedelta(minutes=minutes),
        retry_after=None if retry is None else timedelta(minutes=retry),
    )
    state = after(PollState(failures=failures), outcome, replace(FEED, id=source_id))
    assert wait(state) >= BOUNDS.min_interval
    if kind == "ok" and outcome.min_wait:
        assert wait(state) >= outcome.min_wait
    if kind != "ok" and outcome.retry_after:
        assert wait(state) >= outcome.retry_after
    longest = max(
        BOUNDS.max_interval * 1.1,
        outcome.min_wait or timedelta(),
        outcome.retry_after or timedelta(),
    )
    assert wait(state) <= longest
