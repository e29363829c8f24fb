"""A feed's own rhythm: how often, at which time of day, and what we make of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.model import PollState, Source
from feedsvc.pacing import Bounds, Outcome, next_state
from feedsvc.pacing.rhythm import KEPT, merge, rhythm
from feedsvc.pacing.words import span, times

NOW = datetime(2025, 4, 10, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BOUNDS = Bounds(
    interval=30 * MINUTE,
    min_interval=5 * MINUTE,
    max_interval=24 * HOUR,
    directory_interval=timedelta(seconds=2),
)
FEED = Source(id="example", kind="feed", location="https://example.org/feed")


def every(gap: timedelta, count: int, newest: datetime = NOW) -> tuple[datetime, ...]:
    return tuple(newest - gap * number for number in range(count))


def follow(posts: list[datetime], days: int) -> tuple[list[datetime], list[timedelta], str]:
    """Polls a feed by its own state: when it was asked, how late its posts were found, and why."""
    state, now, seen = PollState(), NOW, 0
    asked, delays = [], []
    while now < NOW + days * DAY:
        there = [post for post in posts if post <= now]
        delays += [now - post for post in there[seen:] if post > NOW]
        outcome = Outcome(kind="ok", status=200, new=len(there) - seen, posted=tuple(there[-20:]))
        seen = len(there)
        asked.append(now)
        state = next_state(state, outcome, source=FEED, bounds=BOUNDS, now=now)
        assert state.next_at is not None
        now = state.next_at
    assert state.why is not None
    return asked, delays, state.why


@pytest.mark.parametrize(
    ("posts", "least", "most", "words"),
    [
        (every(2 * HOUR, 32), 40 * MINUTE, 60 * MINUTE, "posts about 12 times a day"),
        (every(10 * MINUTE, 32), 5 * MINUTE, 6 * MINUTE, "posts about 5 times an hour"),
        (every(7 * DAY, 8), 24 * HOUR, 24 * HOUR, "posts about once a week"),
        (every(HOUR, 32, NOW - 30 * DAY), 8 * HOUR, 11 * HOUR, "posts about once a day"),
        ((NOW - MINUTE,), 28 * MINUTE, 32 * MINUTE, "posts about 18 times a day"),
        ((), 30 * MINUTE, 32 * MINUTE, "the first guess (`poll.interval`)"),
    ],
    ids=["two hours", "ten minutes", "weekly", "fell silent", "one new entry", "nothing known"],
)
def test_the_interval_follows_the_feed(
    posts: tuple[datetime, ...], least: timedelta, most: timedelta, words: str
) -> None:
    state = PollState(last_at=NOW - HOUR, last_ok_at=NOW - HOUR, next_at=NOW)
    outcome = Outcome(kind="ok", posted=posts, new=bool(posts))
    state = next_state(state, outcome, source=FEED, bounds=BOUNDS, now=NOW)
    assert state.next_at is not None
    assert least <= state.next_at - NOW <= most * 1.1
    assert state.why is not None
    assert words in state.why


def test_a_daily_feed_is_asked_when_it_posts() -> None:
    # at six in the morning for months: few requests, and yet it is found soon
    posts = [NOW - 20 * DAY - 6 * HOUR + n * DAY for n in range(60)]
    asked, delays, why = follow(posts, 30)
    assert len(asked) < 4 * 30
    assert len(delays) > 28
    late = sorted(delays[5:])
    assert late[len(late) // 2] < HOUR
    assert "posts about once a day, mostly 05:00 to 07:00 GMT" in why


def test_a_feed_without_dates_is_learned_from_what_polls_find() -> None:
    state = PollState(last_at=NOW - HOUR, last_ok_at=NOW - HOUR, next_at=NOW)
    now = NOW
    for number in range(40):
        outcome = Outcome(kind="ok", posted=(), new=number % 2)
        state = next_state(state, outcome, source=FEED, bounds=BOUNDS, now=now)
        now += 3 * HOUR
    assert state.posts == tuple(NOW + 3 * HOUR * n for n in range(39, 0, -2))
    assert "posts about 4 times a day" in (state.why or "")


def test_the_first_sight_of_undated_entries_is_no_occasion() -> None:
    outcome = Outcome(kind="ok", posted=(), new=30)
    state = next_state(PollState(), outcome, source=FEED, bounds=BOUNDS, now=NOW)
    assert state.posts == ()


def test_a_feed_that_never_posts_is_asked_ever_less_often() -> None:
    asked, _, why = follow([], 30)
    waits = [later - earlier for earlier, later in pairwise(asked[1:])]
    assert waits[0] < 40 * MINUTE
    assert waits[-1] == 24 * HOUR
    assert why == f"every 24 h: nothing new in the last {len(asked)} polls"


@given(
    st.lists(st.timedeltas(timedelta(0), 60 * DAY), max_size=40),
    st.integers(0, 300),
)
def test_polls_in_vain_lengthen_the_wait_and_news_shortens_it(
    ages: list[timedelta], quiet: int
) -> None:
    known = rhythm(merge((), [NOW - age for age in ages], NOW), NOW, BOUNDS.interval)
    longest = 400 * DAY

    def wait(polls: int) -> timedelta:
        return known.wait(NOW, quiet=polls, longest=longest)

    assert timedelta(0) < wait(0) <= wait(quiet) <= wait(quiet + 1) <= longest
    # gently: twice as long takes a dozen polls or more
    if known.hours is None and wait(quiet + 10) < longest:
        assert wait(quiet + 10) < 2 * wait(quiet)


@given(
    st.lists(st.datetimes(timezones=st.just(UTC)), max_size=60),
    st.lists(st.datetimes(timezones=st.just(UTC)), max_size=60),
)
def test_occasions_are_few_ordered_and_apart(known: list[datetime], posted: list[datetime]) -> None:
    kept = merge(known, posted, NOW)
    assert len(kept) <= KEPT
    assert all(earlier - later >= 5 * MINUTE for earlier, later in pairwise(kept))
    assert all(post <= NOW and post.microsecond == 0 for post in kept)
    assert merge(kept, posted, NOW) == kept or len(kept) == KEPT


def test_entries_that_come_together_are_one_occasion() -> None:
    batch = [NOW - timedelta(seconds=n) for n in range(100)]
    assert merge((), batch, NOW) == (NOW,)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(seconds=2), "2 s"),
        (timedelta(seconds=90), "90 s"),
        (4 * MINUTE, "4 min"),
        (60 * MINUTE, "1 h"),
        (90 * MINUTE, "90 min"),
        (2.5 * HOUR, "2.5 h"),
        (DAY, "24 h"),
        (3 * DAY, "3 days"),
        (timedelta(days=3650), "3650 days"),
    ],
)
def test_durations_in_words(wait: timedelta, words: str) -> None:
    assert span(wait) == words


@pytest.mark.parametrize(
    ("per_day", "words"),
    [
        (100, "about 4 times an hour"),
        (12, "about 12 times a day"),
        (1, "about once a day"),
        (0.5, "about 4 times a week"),
        (1 / 7, "about once a week"),
        (1 / 10, "about 3 times a month"),
        (1 / 30, "about once a month"),
        (0.001, "less than once a month"),
    ],
)
def test_rates_in_words(per_day: float, words: str) -> None:
    assert times(per_day) == words


def test_a_source_s_own_interval_is_kept() -> None:
    own = replace(FEED, interval=3 * HOUR)
    state = PollState(last_at=NOW, last_ok_at=NOW, next_at=NOW, quiet=500)
    busy = Outcome(kind="ok", posted=every(10 * MINUTE, 32))
    state = next_state(state, busy, source=own, bounds=BOUNDS, now=NOW)
    assert state.next_at is not None
    assert 3 * HOUR <= state.next_at - NOW <= 3.3 * HOUR
    assert state.why == "every 3 h: as set for this source"
