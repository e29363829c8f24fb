"""How much of what costs one client gets, and who counts as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.web.api.guard import Bucket, client_of


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_all_of_a_minute_may_come_at_once_and_then_fills_again() -> None:
    clock = Hand()
    bucket = Bucket(60, clock=clock)
    assert [bucket.take("a") for _ in range(60)] == [0.0] * 60
    assert bucket.take("a") == pytest.approx(1.0)
    assert bucket.take("b") == 0.0
    clock.now += 0.5
    assert bucket.take("a") == pytest.approx(0.5)
    clock.now += 0.5
    assert bucket.take("a") == 0.0
    assert bucket.take("a") == pytest.approx(1.0)


def test_nothing_is_saved_beyond_a_minute() -> None:
    clock = Hand()
    bucket = Bucket(2, clock=clock)
    bucket.take("a")
    clock.now += 10**9
    assert [bucket.take("a") == 0.0 for _ in range(3)] == [True, True, False]


def test_zero_is_no_limit() -> None:
    bucket = Bucket(0, clock=Hand())
    assert {bucket.take("a") for _ in range(1000)} == {0.0}


def test_of_very_many_clients_the_quietest_are_forgotten() -> None:
    bucket = Bucket(1, clients=2, clock=Hand())
    assert [bucket.take(client) for client in "ab"] == [0.0, 0.0]
    assert bucket.take("a") > 0  # and is the last one seen
    assert bucket.take("c") == 0.0  # b goes
    assert bucket.take("a") > 0
    assert bucket.take("b") == 0.0


@given(st.lists(st.floats(0, 100), max_size=200), st.integers(1, 50))
def test_never_more_than_the_bucket_and_what_flowed_in(steps: list[float], rate: int) -> None:
    clock = Hand()
    bucket, began, taken = Bucket(rate, clock=clock), clock.now, 0
    for step in steps:
        clock.now += step
        wait = bucket.take("a")
        taken += wait == 0.0
        assert 0.0 <= wait <= 60.0 / rate + 1e-6
        assert taken <= rate + (clock.now - began) * rate / 60 + 1e-6


def test_a_network_of_one_customer_is_one_client() -> None:
    assert client_of("2001:db8:1:2::1") == client_of("2001:db8:1:2:ffff::9")
    assert client_of("2001:db8:1:2::1") != client_of("2001:db8:1:3::1")
    assert client_of("192.0.2.1") != client_of("192.0.2.2")
    assert client_of("::ffff:192.0.2.1") == client_of("192.0.2.1")
    assert client_of("") == client_of("")
