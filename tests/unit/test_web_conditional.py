"""Conditional requests: entity tags and dates as clients really send them (RFC 9110 §13)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from feedsvc.web.conditional import (
    failed,
    last_modified_value,
    matches,
    not_modified,
    settles,
    with_suffix,
)

CHANGED = datetime(2025, 4, 10, 12, 0, 0, 700_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "header",
    [
        '"abc"',
        'W/"abc"',
        '"x", "abc"',
        '"x","abc"',
        '"x,y" ,W/"abc", "z"',
        "*",
        " * ",
    ],
)
def test_if_none_match_finds_the_tag(header: str) -> None:
    assert matches(header, '"abc"')


@pytest.mark.parametrize(
    "header",
    ["", "abc", '"abcd"', '"ab", "c"', '"ABC"', '"*"', 'w/"abcd"', '"abc-gz"', '"abc', "W/abc"],
)
def test_if_none_match_does_not_find_another(header: str) -> None:
    assert not matches(header, '"abc"')


def test_an_empty_tag_is_a_tag() -> None:
    assert matches('""', '""')
    assert not matches('""', '"abc"')


def test_codings_have_tags_of_their_own() -> None:
    assert with_suffix('"abc"', "gz") == '"abc-gz"'
    assert with_suffix('"abc"', "") == '"abc"'


def check(*, none_match: str | None = None, since: str | None = None) -> bool:
    return not_modified(
        etag='"abc"',
        last_modified=CHANGED,
        if_none_match=none_match,
        if_modified_since=since,
    )


@pytest.mark.parametrize(
    "since",
    [
        "Thu, 10 Apr 2025 12:00:00 GMT",
        "Thu, 10 Apr 2025 12:00:01 GMT",
        "Thursday, 10-Apr-25 12:00:00 GMT",
        "Thu Apr 10 12:00:00 2025",
    ],
)
def test_if_modified_since_in_all_three_forms(since: str) -> None:
    assert check(since=since)


@pytest.mark.parametrize(
    "since", ["Thu, 10 Apr 2025 11:59:59 GMT", "", "yesterday", "Thu, 99 Apr 2025 12:00:00 GMT"]
)
def test_if_modified_since_earlier_or_unreadable(since: str) -> None:
    assert not check(since=since)


def test_a_date_does_not_count_beside_a_tag() -> None:
    late = "Thu, 10 Apr 2031 12:00:00 GMT"
    assert not check(none_match='"other"', since=late)
    assert not check(none_match="", since=late)
    assert check(none_match='"abc"', since="Thu, 10 Apr 1997 12:00:00 GMT")


def test_nothing_asked_is_never_304() -> None:
    assert not check()


def test_without_a_date_of_our_own_theirs_means_nothing() -> None:
    assert not not_modified(
        etag='"abc"',
        last_modified=None,
        if_none_match=None,
        if_modified_since="Thu, 10 Apr 2031 12:00:00 GMT",
    )


@pytest.mark.parametrize(
    ("seconds_later", "expected"),
    [
        (3600, "Thu, 10 Apr 2025 12:00:00 GMT"),
        (1, "Thu, 10 Apr 2025 12:00:00 GMT"),
        (0.1, "Thu, 10 Apr 2025 11:59:59 GMT"),
        (-60, "Thu, 10 Apr 2025 11:58:59 GMT"),
    ],
)
def test_last_modified_is_always_in_the_past(seconds_later: float, expected: str) -> None:
    assert last_modified_value(CHANGED, CHANGED + timedelta(seconds=seconds_later)) == expected


def test_a_second_change_in_one_second_is_not_hidden() -> None:
    """Expect a copy fetched between two changes of one second to be out of date."""
    first_fetch = CHANGED.replace(microsecond=800_000)
    sent = last_modified_value(CHANGED, first_fetch)
    again = CHANGED.replace(microsecond=900_000)
    assert not not_modified(
        etag='"new"', last_modified=again, if_none_match=None, if_modified_since=sent
    )


def test_other_zones_are_written_as_gmt() -> None:
    there = CHANGED.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert last_modified_value(there, CHANGED + timedelta(hours=1)).endswith("12:00:00 GMT")


@pytest.mark.parametrize(
    ("if_match", "unmodified_since", "fails"),
    [
        (None, None, False),
        ("*", None, False),
        ('"x", "abc"', None, False),
        ('W/"abc"', None, True),
        ('"x"', None, True),
        ("abc", None, True),
        (None, "Thu, 10 Apr 2025 12:00:00 GMT", False),
        (None, "Thu, 10 Apr 2025 11:59:59 GMT", True),
        (None, "some day", False),
        # the date counts only where there is no tag
        ('"abc"', "Thu, 10 Apr 2025 11:59:59 GMT", False),
    ],
)
def test_what_the_client_wants_unchanged(
    if_match: str | None, unmodified_since: str | None, fails: bool
) -> None:
    found = failed(
        etag='"abc"',
        last_modified=CHANGED,
        if_match=if_match,
        unmodified_since=unmodified_since,
    )
    assert found is fails


@pytest.mark.parametrize(
    ("after", "when"), [(0.0, 0.3), (0.2, 0.1), (0.3, None), (5.0, None), (-1.0, 0.3)]
)
def test_the_value_of_last_modified_settles(after: float, when: float | None) -> None:
    now = CHANGED + timedelta(seconds=after)
    found = settles(CHANGED, now)
    assert found == (None if when is None else now + timedelta(seconds=when))
    if found is not None:
        before = last_modified_value(CHANGED, found - timedelta(microseconds=1))
        assert last_modified_value(CHANGED, now) == before
        assert last_modified_value(CHANGED, found) != before
    else:
        later = now + timedelta(days=1)
        assert last_modified_value(CHANGED, now) == last_modified_value(CHANGED, later)


def test_without_a_date_there_is_nothing_to_settle() -> None:
    assert settles(None, CHANGED) is None
