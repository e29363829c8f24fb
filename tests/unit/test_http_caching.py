"""What response headers say about time."""

from datetime import UTC, datetime, timedelta

import pytest

from feedsvc.httpclient import demands, retry_after
from feedsvc.httpclient.caching import http_date

NOW = datetime(2025, 4, 10, 12, 0, 0, tzinfo=UTC)
YEARS = timedelta(days=3650)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"cache-control": "public"}, None),
        ({"cache-control": "max-age=600"}, 600),
        ({"cache-control": 'public, MAX-AGE = "600", must-revalidate'}, 600),
        ({"cache-control": "s-maxage=600"}, None),
        ({"cache-control": "x-max-age=5, max-age=600"}, 600),
        ({"cache-control": "max-age=600, max-age=5"}, 600),
        ({"cache-control": "max-age=600", "age": "100"}, 500),
        ({"cache-control": "max-age=600", "age": "1000"}, 0),
        ({"cache-control": "max-age=600", "age": "old"}, 600),
        ({"cache-control": "max-age=never"}, None),
        ({"cache-control": "max-age=-5"}, None),
        ({"cache-control": "no-cache, max-age=600"}, 0),
        ({"cache-control": "private,no-store"}, 0),
        ({"cache-control": 'no-cache="set-cookie", max-age=600'}, 600),
        ({"expires": "Thu, 10 Apr 2025 12:10:00 GMT"}, 600),
        ({"expires": "Thu, 10 Apr 2025 11:00:00 GMT"}, 0),
        ({"expires": "0"}, 0),
        ({"expires": "-1"}, 0),
        # a server whose clock is an hour ahead still means ten minutes
        (
            {
                "expires": "Thu, 10 Apr 2025 13:10:00 GMT",
                "date": "Thu, 10 Apr 2025 13:00:00 GMT",
            },
            600,
        ),
        ({"expires": "Thu, 10 Apr 2025 12:10:00 GMT", "cache-control": "max-age=60"}, 60),
        ({"retry-after": "900"}, 900),
        ({"retry-after": "900", "cache-control": "max-age=60"}, 900),
        ({"retry-after": "9", "cache-control": "max-age=60"}, 60),
    ],
)
def test_the_longest_demand(headers: dict[str, str], seconds: int | None) -> None:
    waits = [demand.wait for demand in demands(headers, NOW)]
    assert max(waits, default=timedelta(0)) == timedelta(seconds=seconds or 0)


def test_demands_name_their_header_field() -> None:
    fields = {"cache-control": "max-age=60", "retry-after": "9"}
    assert [demand.by for demand in demands(fields, NOW)] == ["Cache-Control", "Retry-After"]
    fields = {"expires": "Thu, 10 Apr 2025 12:10:00 GMT"}
    assert [demand.by for demand in demands(fields, NOW)] == ["Expires"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Thu, 10 Apr 2025 12:00:30 GMT", 30),
        ("Thursday, 10-Apr-25 12:00:30 GMT", 30),
        ("Thu Apr 10 12:00:30 2025", 30),
        ("Thu, 10 Apr 2025 11:00:00 GMT", 0),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("soon", None),
        ("", None),
        ("Thu, 99 Apr 2025 12:00:30 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retry_after({"retry-after": value}, NOW) == expected


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        # by the server's clock, which is two hours behind ours
        ({"date": "Thu, 10 Apr 2025 10:00:00 GMT"}, 600),
        ({"date": "Thu, 10 Apr 2025 09:59:00 GMT", "age": "60"}, 600),
        ({"date": "soon"}, 0),
        ({}, 0),
    ],
)
def test_a_date_to_wait_for_is_one_of_the_server_s_clock(
    fields: dict[str, str], seconds: int
) -> None:
    told = {"retry-after": "Thu, 10 Apr 2025 10:10:00 GMT", **fields}
    assert retry_after(told, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", ["9" * 12, "9" * 13, "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_absurd_waits_stay_within_the_calendar(value: str) -> None:
    assert retry_after({"retry-after": value}, NOW) == YEARS
    if value.isdigit():
        (demand,) = demands({"cache-control": f"max-age={value}"}, NOW)
        assert demand.wait == YEARS


def test_dates_are_aware_utc() -> None:
    assert http_date("Thu, 10 Apr 2025 14:00:00 +0200") == NOW
    assert http_date("Thu, 10 Apr 2025 12:00:00 -0000") == NOW
    assert http_date("Fri, 31 Dec 9999 23:59:59 -2300") is None
    assert http_date(None) is None
