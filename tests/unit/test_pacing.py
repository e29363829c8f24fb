"""When a source is polled next and why, by table and by property."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as with_fields

from feedsvc.model import PollState, Problem, Source
from feedsvc.pacing import Bounds, Outcome, next_state, usual_interval
from feedsvc.pacing.skipping import never_open, skipped
from feedsvc.polls import Demand, Hints

NOW = datetime(2025, 4, 10, 12, tzinfo=UTC)  # a Thursday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BOUNDS = Bounds(
    interval=30 * MINUTE,
    min_interval=5 * MINUTE,
    max_interval=24 * HOUR,
    directory_interval=timedelta(seconds=2),
)
FEED = Source(id="example", kind="feed", location="https://example.org/feed")
HOURLY = replace(FEED, interval=HOUR)
FOLDER = Source(id="seeds", kind="directory", location="seeds")
# polled before, and on time
SETTLED = PollState(last_at=NOW - HOUR, last_ok_at=NOW - HOUR, next_at=NOW)
OK = Outcome(kind="ok", status=200)


def after(state: PollState, outcome: Outcome, source: Source = FEED) -> PollState:
    return next_state(state, outcome, source=source, bounds=BOUNDS, now=NOW)


def wait(state: PollState) -> timedelta:
    assert state.next_at is not None
    return state.next_at - NOW


def demand(by: str, wait: timedelta) -> tuple[Demand, ...]:
    return (Demand(wait=wait, by=by),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (FEED, 30 * MINUTE),
        (replace(FEED, interval=HOUR), HOUR),
        (replace(FEED, interval=timedelta(seconds=1)), 5 * MINUTE),
        (replace(FEED, interval=9 * DAY), 24 * HOUR),
        (FOLDER, timedelta(seconds=2)),
        (replace(FOLDER, interval=MINUTE), MINUTE),
    ],
)
def test_usual_interval_stays_between_the_bounds(source: Source, expected: timedelta) -> None:
    assert usual_interval(source, BOUNDS) == expected


def test_success_clears_what_went_wrong_before() -> None:
    before = PollState(
        failures=7,
        error="timed out",
        fault="timeout",
        retry_after=NOW,
        problems=(Problem(name="a", message="b"),),
        etag='"x"',
    )
    state = after(before, OK)
    assert (state.failures, state.error, state.fault) == (0, None, None)
    assert (state.retry_after, state.problems) == (None, ())
    assert state.last_at == state.last_ok_at == NOW
    assert state.etag == '"x"'


def test_a_directory_is_looked_at_every_directory_interval() -> None:
    state = after(PollState(), OK, FOLDER)
    assert (wait(state), state.why) == (timedelta(seconds=2), "every 2 s: a directory")
    failed = after(PollState(failures=9), Outcome(kind="failed", error="unreadable"), FOLDER)
    assert wait(failed) == timedelta(seconds=2)
    assert failed.failures == 10


# -- what the server and the feed ask for ------------------------------------------------


@pytest.mark.parametrize(
    ("demands", "hints", "expected", "why"),
    [
        (demand("Cache-Control", 3 * HOUR), None, 3 * HOUR, "server asks for 3 h (Cache-Control)"),
        (demand("Expires", 90 * MINUTE), None, 90 * MINUTE, "server asks for 90 min (Expires)"),
        (demand("Retry-After", 40 * DAY), None, 40 * DAY, "server asks for 40 days (Retry-After)"),
        (
            demand("Cache-Control", 365 * DAY),
            None,
            7 * DAY,
            "server asks for 365 days (Cache-Control), cut to 7 days",
        ),
        ((), Hints(ttl=2 * HOUR), 2 * HOUR, "feed asks for 2 h (ttl)"),
        (
            (),
            Hints(ttl=365 * DAY),
            7 * DAY,
            "feed asks for 365 days (ttl), cut to 7 days",
        ),
        ((), Hints(update=7 * DAY), 7 * DAY, "feed asks for 7 days (sy:updatePeriod)"),
        ((), Hints(update=4 * HOUR), 4 * HOUR, "feed asks for 4 h (sy:updatePeriod)"),
        (
            demand("Cache-Control", 3 * HOUR),
            Hints(ttl=2 * HOUR, update=10 * MINUTE),
            3 * HOUR,
            "server asks for 3 h (Cache-Control)",
        ),
    ],
)
def test_what_is_asked_for_is_waited_for(
    demands: tuple[Demand, ...], hints: Hints | None, expected: timedelta, why: str
) -> None:
    for source in (FEED, HOURLY):
        state = after(SETTLED, replace(OK, demands=demands, hints=hints), source)
        assert (wait(state), state.why) == (expected, why)


def test_less_than_we_would_wait_anyway_changes_nothing() -> None:
    asked = replace(OK, demands=demand("Cache-Control", MINUTE), hints=Hints(ttl=MINUTE))
    state = after(SETTLED, asked, HOURLY)
    assert (wait(state), state.why) == (
        wait(after(SETTLED, OK, HOURLY)),
        "every 1 h: as set for this source",
    )


def test_hints_are_remembered_while_the_feed_is_unchanged() -> None:
    state = after(SETTLED, replace(OK, hints=Hints(ttl=3 * HOUR)))
    again = after(state, replace(OK, status=304))
    assert wait(again) == 3 * HOUR
    # and forgotten when a new document does not say so any more
    assert wait(after(again, replace(OK, hints=Hints()), HOURLY)) < 2 * HOUR


@pytest.mark.parametrize(
    ("hours", "days", "earliest", "why"),
    [
        (tuple(range(12, 24)), (), DAY / 2, "skipHours: not before 00:00 GMT"),
        ((13, 14), (), 3 * HOUR, "skipHours: not before 15:00 GMT"),
        ((), (3,), DAY / 2, "skipDays: not before 00:00 GMT"),
        ((), (3, 4, 5, 6), 3.5 * DAY, "skipDays: not before Monday 00:00 GMT"),
        ((0, 1, 2), (3, 4), 1.5 * DAY + 3 * HOUR, "skipDays: not before Saturday 03:00 GMT"),
    ],
)
def test_skipped_hours_and_days_are_slept_through(
    hours: tuple[int, ...], days: tuple[int, ...], earliest: timedelta, why: str
) -> None:
    hints = Hints(skip_hours=hours, skip_days=days)
    for outcome in (
        replace(OK, hints=hints),
        Outcome(kind="failed", status=404, hints=hints, error="404"),
    ):
        state = after(with_fields(SETTLED, hints=hints), outcome, HOURLY)
        # the publisher's readers do not all come at the stroke of the hour
        assert earliest <= wait(state) <= earliest + 10 * MINUTE
        assert state.why == why


@pytest.mark.parametrize(
    "hints", [Hints(skip_hours=tuple(range(24))), Hints(skip_days=tuple(range(7)))]
)
def test_a_feed_that_skips_the_whole_week_is_polled_all_the_same(hints: Hints) -> None:
    state = after(SETTLED, replace(OK, hints=hints), HOURLY)
    assert wait(state) < 2 * HOUR
    assert state.why == (
        "every 1 h: as set for this source; it skips every hour of the week, which is not heeded"
    )


# -- failures ----------------------------------------------------------------------------


def test_failures_back_off_but_never_for_good() -> None:
    waits = []
    state = PollState()
    for _ in range(40):
        state = after(state, Outcome(kind="failed", error="refused", fault="connection"))
        waits.append(wait(state))
    assert waits == sorted(waits)
    assert 5 * MINUTE <= waits[0] < 6 * MINUTE
    assert waits[2] < 23 * MINUTE
    assert 20 * HOUR < waits[-1] <= 24 * HOUR
    assert state.last_ok_at is None
    assert (state.error, state.fault, state.failures) == ("refused", "connection", 40)


@pytest.mark.parametrize(
    ("outcome", "least", "why"),
    [
        (Outcome(kind="failed", error="x", fault="timeout"), 5, "failed once: next try in "),
        (Outcome(kind="failed", error="x", status=503), 5, "failed once: next try in "),
        (Outcome(kind="failed", error="x", status=404), 30, "failed once: next try in "),
        (Outcome(kind="failed", error="x", status=429), 60, "failed once: next try in "),
        (
            Outcome(kind="failed", error="x", status=200, fault="not a feed"),
            30,
            "failed once: next try in ",
        ),
    ],
)
def test_what_somebody_must_change_is_looked_at_less_often(
    outcome: Outcome, least: int, why: str
) -> None:
    state = after(SETTLED, outcome)
    assert least * MINUTE <= wait(state) <= least * MINUTE * 1.1
    assert state.why is not None
    assert state.why.startswith(why)


@pytest.mark.parametrize(("status", "cure"), [(401, "set `auth`"), (403, "`headers`")])
def test_a_refusal_names_its_remedy(status: int, cure: str) -> None:
    state = after(
        with_fields(SETTLED, failures=2), Outcome(kind="failed", status=status, error="refused")
    )
    assert state.why is not None
    assert state.why.startswith("failed 3 times: next try in 2")
    assert cure in state.why


def test_retry_after_is_honoured_in_full() -> None:
    outcome = Outcome(
        kind="failed", status=503, demands=demand("Retry-After", 30 * DAY), error="503"
    )
    state = after(PollState(), outcome)
    assert wait(state) == 30 * DAY
    assert state.retry_after == NOW + 30 * DAY
    assert state.why == "server asks for 30 days (Retry-After)"


@pytest.mark.parametrize(
    ("wait_for", "expected", "why"),
    [
        (4 * HOUR, 4 * HOUR, "server asks for 4 h (Cache-Control)"),
        (30 * DAY, DAY, "server asks for 30 days (Cache-Control), cut to 24 h"),
    ],
)
def test_a_refusal_is_kept_for_as_long_as_it_says_within_a_day(
    wait_for: timedelta, expected: timedelta, why: str
) -> None:
    outcome = Outcome(
        kind="failed", status=404, demands=demand("Cache-Control", wait_for), error="404"
    )
    state = after(SETTLED, outcome)
    assert (wait(state), state.why, state.retry_after) == (expected, why, None)


def test_too_many_requests_are_too_many_for_the_host() -> None:
    state = after(SETTLED, Outcome(kind="failed", status=429, error="429"))
    assert state.retry_after == NOW + BOUNDS.min_interval
    told = Outcome(kind="failed", status=429, demands=demand("Retry-After", 3 * HOUR), error="429")
    assert after(SETTLED, told).retry_after == NOW + 3 * HOUR
    # a server that is in trouble says nothing of how often it is asked
    assert after(SETTLED, Outcome(kind="failed", status=503, error="503")).retry_after is None


def test_gone_says_so() -> None:
    state = after(SETTLED, Outcome(kind="gone", status=410, error="410"))
    assert state.why == "disabled: its server says that it is gone for good"
    assert state.history[-1].outcome == "gone"


# -- jitter and phases -------------------------------------------------------------------


def test_jitter_depends_on_source_and_time_alone() -> None:
    def next_of(name: str, moment: datetime) -> timedelta:
        state = with_fields(SETTLED, next_at=moment)
        source = replace(HOURLY, id=name)
        found = next_state(state, OK, source=source, bounds=BOUNDS, now=moment).next_at
        assert found is not None
        return found - moment

    assert next_of("a", NOW) == next_of("a", NOW)
    assert len({next_of(name, NOW) for name in "abcdef"}) == 6
    assert len({next_of("a", NOW + n * HOUR) for n in range(6)}) == 6
    assert all(HOUR <= next_of("a", NOW + n * HOUR) <= 1.1 * HOUR for n in range(50))


@pytest.mark.parametrize(
    "before",
    [PollState(), with_fields(SETTLED, next_at=NOW - DAY)],
    ids=["all polled first at once", "all overdue after a rest"],
)
def test_sources_that_came_together_part_their_ways(before: PollState) -> None:
    waits = [
        wait(after(before, OK, replace(HOURLY, id=f"source-{number}"))) for number in range(2000)
    ]
    assert min(waits) >= HOUR
    assert max(waits) <= 1.5 * HOUR
    tenths = [0] * 10
    for one in waits:
        tenths[int((one - HOUR) / (3 * MINUTE))] += 1
    # 200 in each tenth on average
    assert max(tenths) < 260


# -- history -----------------------------------------------------------------------------


def test_history_keeps_the_last_polls() -> None:
    state = PollState()
    for number in range(30):
        outcome = replace(OK, new=number % 2, seconds=0.0124, bytes=number)
        state = after(state, outcome)
    assert len(state.history) == 20
    last = state.history[-1]
    assert (last.at, last.outcome, last.status) == (NOW, "new", 200)
    assert (last.new, last.milliseconds, last.bytes) == (1, 12, 29)
    assert state.history[-2].outcome == "unchanged"
    assert after(state, replace(OK, updated=3)).history[-1].outcome == "updated"


def test_a_directory_s_quiet_looks_are_one_line() -> None:
    state = PollState()
    for outcome in (replace(OK, new=2), OK, OK, OK, Outcome(kind="failed", error="x"), OK, OK):
        state = after(state, outcome, FOLDER)
    assert [record.outcome for record in state.history] == [
        "new",
        "unchanged",
        "failed",
        "unchanged",
    ]


# -- for all states and outcomes ---------------------------------------------------------

spans = st.timedeltas(timedelta(0), timedelta(days=3000))
moments = st.timedeltas(-400 * DAY, 400 * DAY).map(lambda shift: NOW + shift)
hints_of_all_kinds = st.builds(
    Hints,
    ttl=st.none() | spans,
    update=st.none() | spans,
    skip_hours=st.sets(st.integers(0, 23)).map(lambda hours: tuple(sorted(hours))),
    skip_days=st.sets(st.integers(0, 6)).map(lambda days: tuple(sorted(days))),
)
outcomes = st.builds(
    Outcome,
    kind=st.sampled_from(["ok", "failed", "gone"]),
    status=st.sampled_from([None, 200, 304, 401, 404, 410, 429, 500, 503]),
    fault=st.sampled_from([None, "timeout", "not a feed"]),
    demands=st.lists(
        st.builds(
            Demand, wait=spans, by=st.sampled_from(["Cache-Control", "Expires", "Retry-After"])
        ),
        max_size=3,
    ).map(tuple),
    hints=st.none() | hints_of_all_kinds,
    posted=st.none() | st.lists(moments, max_size=40).map(tuple),
    new=st.integers(0, 3),
)
states = st.builds(
    PollState,
    next_at=st.none() | moments,
    last_at=st.none() | moments,
    last_ok_at=st.none() | moments,
    failures=st.integers(0, 10_000),
    quiet=st.integers(0, 10_000_000),
    posts=st.lists(moments, max_size=32).map(lambda posts: tuple(sorted(posts, reverse=True))),
    hints=st.none() | hints_of_all_kinds,
)
sources = st.builds(
    Source,
    id=st.text(min_size=1, max_size=20),
    kind=st.just("feed"),
    location=st.just("https://example.org/feed"),
    interval=st.none() | spans,
)


@given(states, outcomes, sources)
def test_never_early_never_never_and_always_explained(
    before: PollState, outcome: Outcome, source: Source
) -> None:
    state = after(before, outcome, source)
    assert wait(state) >= BOUNDS.min_interval
    assert state.why
    hints = outcome.hints or before.hints or Hints()
    if outcome.kind != "gone":
        for one in outcome.demands:
            refused = outcome.kind == "failed" and (outcome.status or 0) >= 400
            longest = BOUNDS.max_interval if refused else 7 * DAY
            bound = one.wait if one.by == "Retry-After" else min(one.wait, longest)
            assert wait(state) >= bound
        for wish in filter(None, (hints.ttl, hints.update)):
            assert wait(state) >= min(wish, 7 * DAY)
        assert state.next_at is not None
        assert never_open(hints) or not skipped(state.next_at, hints)
    # never for good: only Retry-After makes it more than a week
    asked = [one.wait for one in outcome.demands if one.by == "Retry-After"]
    wishes = [one.wait for one in outcome.demands] + [hints.ttl, hints.update]
    asked += [min(wish, 7 * DAY) for wish in wishes if wish is not None]
    skipping = 7 * DAY + HOUR if hints.skip_hours or hints.skip_days else timedelta(0)
    assert wait(state) <= max(BOUNDS.max_interval, *asked, timedelta(0)) + skipping
    # what a host asked for holds for the whole host, and no longer than it said
    told = [one.wait for one in outcome.demands if one.by == "Retry-After"]
    if outcome.status == 429 and not told:
        told = [BOUNDS.min_interval]
    assert state.retry_after == (NOW + max(told) if told else None)


@given(states, outcomes)
def test_more_failures_never_mean_a_shorter_wait(before: PollState, outcome: Outcome) -> None:
    failed = replace(outcome, kind="failed", demands=(), hints=Hints())
    waits = [wait(after(with_fields(before, failures=failures), failed)) for failures in range(30)]
    assert waits == sorted(waits)


@given(st.lists(outcomes, min_size=1, max_size=30))
def test_time_goes_on_whatever_happens(run: list[Outcome]) -> None:
    state, now = PollState(), NOW
    for outcome in run:
        state = next_state(state, outcome, source=FEED, bounds=BOUNDS, now=now)
        assert state.next_at is not None
        assert state.next_at > now
        assert state.last_at == now
        assert len(state.history) <= 20
        assert len(state.posts) <= 32
        now = state.next_at
