"""A tag in time and company, on every store."""

from datetime import timedelta

import pytest

from feedsvc.errors import NotFound
from feedsvc.months import month_of
from feedsvc.store import SqlStore
from tests.storekit import NOW, entry, poll

MONTH = timedelta(days=30)


def test_a_tag_is_counted_by_month(any_store: SqlStore) -> None:
    ages = (0, 1, 1, 3, 90)
    dated = [
        entry(f"e{n}", tags=["wind"], published=NOW - timedelta(hours=1) - age * MONTH)
        for n, age in enumerate(ages)
    ]
    poll(any_store, *dated, entry("other", tags=["sun"]))
    poll(any_store, removed=["e2"])
    found = any_store.tag("wind", NOW)
    assert (found.tag.slug, found.tag.label, found.tag.count) == ("wind", "Wind", 4)
    this = month_of(NOW)
    # what is older than two years is in the count alone
    assert found.months == ((this, 1), (this - 1, 0), (this - 2, 1), (this - 3, 1))


def test_a_tag_stands_beside_those_it_shares_most_with(any_store: SqlStore) -> None:
    made = [entry(f"w{n}", tags=["wind", "energy", "world"]) for n in range(4)]
    made += [entry(f"s{n}", tags=["sun", "energy", "world"]) for n in range(3)]
    made += [entry(f"o{n}", tags=["world"]) for n in range(20)]
    made.append(entry("once", tags=["wind", "birds"]))
    poll(any_store, *made)
    beside = any_store.tag("wind", NOW).beside
    assert [(one.slug, one.count, together) for one, together in beside] == [
        ("energy", 7, 4),
        ("world", 27, 4),
    ]
    assert [one.slug for one, _ in any_store.tag("birds", NOW).beside] == ["wind"]


def test_a_tag_that_nothing_carries_is_not_found(any_store: SqlStore) -> None:
    poll(any_store, entry("one", tags=["wind"]))
    poll(any_store, removed=["one"])
    for slug in ("wind", "nothing", "x\0y"):
        with pytest.raises(NotFound, match="there is no tag"):
            any_store.tag(slug, NOW)
