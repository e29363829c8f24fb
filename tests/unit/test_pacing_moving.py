"""When a permanent redirect is believed, where schedules begin, and what to do about failures."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.errors import Fault
from feedsvc.model import PollState, Source
from feedsvc.pacing import clock_lead, first_poll, host_of, settle, upcoming
from feedsvc.pacing.moving import sighted
from feedsvc.polls import Move
from feedsvc.remedies import remedy

NOW = datetime(2025, 4, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD, NEW = "https://old.example/feed", "https://new.example/feed"
SOURCE = Source(id="example", kind="feed", location=OLD)


def free(_: str) -> None:
    return None


def sight(*targets: str | None, every: timedelta = DAY / 2) -> Move | None:
    move: Move | None = None
    for number, target in enumerate(targets):
        move = sighted(move, SOURCE, target, NOW + every * number)
    return move


@pytest.mark.parametrize(
    ("targets", "every", "moved"),
    [
        ((NEW,) * 3, DAY / 2, True),
        ((NEW,) * 2, DAY, False),
        ((NEW,) * 20, HOUR, False),
        ((NEW,) * 25, HOUR, True),
        ((NEW, NEW, None, NEW), DAY, False),
        ((NEW, NEW, "https://other.example/", NEW), DAY, False),
        ((OLD,) * 9, DAY, False),
        ((None,) * 9, DAY, False),
    ],
)
def test_a_move_is_believed_after_three_sightings_over_a_day(
    targets: tuple[str | None, ...], every: timedelta, moved: bool
) -> None:
    state = PollState(move=sight(*targets, every=every))
    then = NOW + every * (len(targets) - 1)
    settled, location = settle(state, SOURCE, free, then)
    assert location == (NEW if moved else None)
    if moved:
        assert settled.move is not None
        assert (settled.move.done_at, settled.move.obstacle) == (then, None)
    else:
        assert settled == state


@pytest.mark.parametrize(
    ("source", "holder", "obstacle"),
    [
        (SOURCE, lambda _: "b", "source “b” has that location already"),
        (replace(SOURCE, auth="u:p"), free, "its auth or headers would go to another server"),
        (
            replace(SOURCE, headers=(("X-Key", "1"),)),
            free,
            "its auth or headers would go to another server",
        ),
        (
            replace(SOURCE, location="https://u:p@old.example/feed"),
            free,
            "the password in its location would be lost",
        ),
    ],
)
def test_what_stands_in_the_way_of_a_move_is_told(
    source: Source, holder: Callable[[str], str | None], obstacle: str
) -> None:
    seen = Move(old=source.location, new=NEW, first_at=NOW - 2 * DAY, polls=7)
    settled, location = settle(PollState(move=seen), source, holder, NOW)
    assert location is None
    assert settled.move is not None
    assert settled.move.done_at is None
    assert obstacle in (settled.move.obstacle or "")


def test_credentials_may_move_within_their_origin() -> None:
    source = replace(SOURCE, auth="u:p")
    seen = Move(old=OLD, new="https://old.example/new", first_at=NOW - 2 * DAY, polls=7)
    assert settle(PollState(move=seen), source, free, NOW)[1] == "https://old.example/new"


def test_a_move_that_was_made_stays_to_be_told_of() -> None:
    state = PollState(move=sight(NEW, NEW, NEW))
    settled, location = settle(state, SOURCE, free, NOW + DAY)
    assert location is not None
    there = replace(SOURCE, location=location)
    assert sighted(settled.move, there, None, NOW + 2 * DAY) == settled.move
    # nothing is moved twice
    assert settle(settled, there, free, NOW + 3 * DAY) == (settled, None)
    onward = sighted(settled.move, there, "https://third.example/", NOW + 3 * DAY)
    assert onward == Move(old=NEW, new="https://third.example/", first_at=NOW + 3 * DAY)


def test_a_clock_that_went_back_does_not_hasten_a_move() -> None:
    move = sighted(None, SOURCE, NEW, NOW)
    move = sighted(move, SOURCE, NEW, NOW - 400 * DAY)
    assert move is not None
    assert (move.first_at, move.polls) == (NOW - 400 * DAY, 2)


# -- beginnings --------------------------------------------------------------------------


def first(name: str, among: int, kind: str = "feed") -> timedelta:
    source = Source(id=name, kind=kind, location="x")  # type: ignore[arg-type]
    return first_poll(source, NOW, among=among, interval=timedelta(minutes=30)) - NOW


def test_few_new_sources_are_polled_at_once() -> None:
    assert {first(f"s{n}", 1) for n in range(9)} == {timedelta(0)}
    assert {first(f"s{n}", 50) for n in range(50)} == {timedelta(0)}
    assert first("folder", 9000, kind="directory") == timedelta(0)


@pytest.mark.parametrize(("count", "minutes"), [(300, 5), (1000, 1000 / 60), (20_000, 30)])
def test_many_new_sources_are_spread(count: int, minutes: float) -> None:
    window = timedelta(minutes=minutes)
    waits = [first(f"s{n}", count) for n in range(count)]
    assert max(waits) < window
    tenths = [0] * 10
    for wait in waits:
        tenths[int(wait / window * 10)] += 1
    assert max(tenths) < 1.9 * count / 10


@pytest.mark.parametrize(
    ("newest", "lead"),
    [
        (None, timedelta(0)),
        (NOW - DAY, timedelta(0)),
        (NOW, timedelta(0)),
        (NOW + timedelta(minutes=9), timedelta(0)),
        (NOW + timedelta(minutes=11), timedelta(minutes=11)),
        (NOW + 3000 * DAY, 3000 * DAY),
    ],
)
def test_how_far_the_clock_was_ahead(newest: datetime | None, lead: timedelta) -> None:
    assert clock_lead(newest, NOW) == lead


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://Example.ORG/feed", "example.org:443"),
        ("http://example.org/feed", "example.org:80"),
        ("HTTP://u:p@example.org:8080/", "example.org:8080"),
        ("https://[::1]:8443/", "[::1]:8443"),
        ("https://xn--bcher-kva.example/", "bücher.example:443"),
        ("https://bücher.example/", "bücher.example:443"),
        ("https://xn--a-ä/", "xn--a-ä:443"),
        ("seeds", None),
        ("/data/https", None),
        ("https:///path", None),
        ("https://host:port/", None),
        ("https://[::1/", None),
    ],
)
def test_the_host_that_politeness_is_counted_by(location: str, host: str | None) -> None:
    assert host_of(location) == host


@given(st.text())
def test_any_text_has_a_host_or_none(text: str) -> None:
    assert host_of(f"https://{text}") is None or host_of(f"https://{text}")


@pytest.mark.parametrize(
    ("resting", "expected"),
    [
        (None, (NOW, "why")),
        (NOW - HOUR, (NOW, "why")),
        (NOW + HOUR, (NOW + HOUR, "its host asked to be left alone until then")),
    ],
)
def test_a_host_that_rests_puts_its_sources_off(
    resting: datetime | None, expected: tuple[datetime, str]
) -> None:
    assert upcoming(PollState(next_at=NOW, why="why"), resting) == expected


# -- remedies ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "`auth`"),
        (403, "refuses us"),
        (404, "new address"),
        (410, "gone for good"),
        (418, "does not accept"),
        (429, "`interval`"),
        (500, "trouble"),
        (503, "trouble"),
    ],
)
def test_every_status_has_a_remedy(status: int, words: str) -> None:
    found = remedy(SOURCE, PollState(error="x", status=status))
    assert found is not None
    assert words in found


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_fault_has_a_remedy(fault: Fault) -> None:
    assert remedy(SOURCE, PollState(error="x", fault=fault))
    assert remedy(SOURCE, PollState(error="x", fault=fault, status=200))


def test_nothing_is_advised_where_nothing_is_wrong() -> None:
    assert remedy(SOURCE, PollState(status=200)) is None
    assert remedy(SOURCE, PollState(error="x")) is None
    folder = replace(SOURCE, kind="directory")
    assert remedy(folder, PollState(error="x", fault="timeout")) is None
