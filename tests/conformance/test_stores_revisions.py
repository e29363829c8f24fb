"""Every store: the versions entries had, what is kept of them, and where they go."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from feedsvc.errors import NotFound
from feedsvc.model import Entry, Link, Text
from feedsvc.store import BACKENDS, Kept, SqlStore, open_store
from feedsvc.store.life import newest_revision
from feedsvc.store.schema import entries
from tests.storekit import HOUR, NOW, entry, fill_as_of, key_of, poll, statements, tag

LINK = Link(href="https://a.example/sound.mp3", rel="enclosure", type="audio/mpeg", length=9)


def version(number: int, name: str = "one", **changes: object) -> Entry:
    made = entry(name, tags=["x"], updated=NOW + number * HOUR, **changes)
    return replace(
        made,
        title=f"Title {number}",
        link=f"https://a.example/{number}",
        links=(LINK,) if number % 2 else (),
        content=Text(value=f"<p>Text {number} ünïcode</p>", type="html"),
        digest=f"{name} {number}",
    )


def write(store: SqlStore, last: int, name: str = "one") -> None:
    for number in range(last + 1):
        poll(store, version(number, name), now=NOW + number * HOUR)


def test_each_change_keeps_what_was(any_store: SqlStore) -> None:
    write(any_store, 2)
    past = any_store.revisions(key_of("one"))
    assert [(one.entry.title, one.at) for one in past] == [
        ("Title 1", NOW + 2 * HOUR),
        ("Title 0", NOW + HOUR),
    ]
    assert past[0].entry == replace(version(1), digest="one 2")
    assert all(one.whole for one in past)
    assert any_store.changes(key_of("one")) == (2, NOW + 2 * HOUR)


def test_what_else_is_kept_of_an_entry_is_no_change_of_content(any_store: SqlStore) -> None:
    poll(any_store, version(0))
    poll(any_store, replace(version(0), digest="one 0.transcript"), now=NOW + HOUR)
    assert any_store.entry(key_of("one")).entry.digest == "one 0.transcript"
    assert any_store.revisions(key_of("one")) == ()


def test_tags_and_withdrawals_are_no_change_of_content(any_store: SqlStore) -> None:
    poll(any_store, version(0))
    poll(any_store, replace(version(0), tags=(tag("y"),)), now=NOW + HOUR)
    any_store.put_tags(key_of("one"), [tag("z")], NOW + HOUR)
    poll(any_store, removed=("one",), now=NOW + 2 * HOUR)
    poll(any_store, version(0), now=NOW + 3 * HOUR)
    assert any_store.revisions(key_of("one")) == ()
    assert any_store.changes(key_of("one")) == (0, None)


def test_the_oldest_makes_room(any_store: SqlStore) -> None:
    any_store.kept = Kept(versions=3)
    write(any_store, 8)
    titles = [one.entry.title for one in any_store.revisions(key_of("one"))]
    assert titles == ["Title 7", "Title 6", "Title 5"]
    assert any_store.stats().revisions == 3
    any_store.kept = Kept(versions=2)
    assert len(any_store.revisions(key_of("one"))) == any_store.changes(key_of("one"))[0] == 2
    any_store.kept = Kept(versions=5)
    poll(any_store, version(9), now=NOW + 9 * HOUR)
    poll(any_store, version(10), now=NOW + 10 * HOUR)
    titles = [one.entry.title for one in any_store.revisions(key_of("one"))]
    assert titles == [f"Title {number}" for number in (9, 8, 7, 6, 5)]


def test_order_holds_when_the_clock_does_not(any_store: SqlStore) -> None:
    any_store.kept = Kept(versions=2)
    for number in range(5):
        poll(any_store, version(number), now=NOW - number * HOUR)
    titles = [one.entry.title for one in any_store.revisions(key_of("one"))]
    assert titles == ["Title 3", "Title 2"]


def test_of_a_large_version_only_title_and_link_are_kept(any_store: SqlStore) -> None:
    any_store.kept = Kept(bytes=2000)
    # fewer characters than bytes
    large = replace(version(0), content=Text(value="ü" * 1500))
    poll(any_store, large)
    poll(any_store, version(1), now=NOW + HOUR)
    (past,) = any_store.revisions(key_of("one"))
    assert not past.whole
    assert (past.entry.title, past.entry.link) == ("Title 0", "https://a.example/0")
    assert past.entry.content is None


def test_nothing_is_kept_where_nothing_shall_be(any_store: SqlStore) -> None:
    any_store.kept = Kept(versions=0)
    write(any_store, 2)
    assert any_store.stats().revisions == 0
    assert any_store.revisions(key_of("one")) == ()


def test_keeping_versions_is_one_statement_for_all(any_store: SqlStore) -> None:
    names = [f"n{number}" for number in range(50)]
    any_store.kept = Kept(versions=2)
    for number in range(4):
        with statements(any_store) as ran:
            poll(any_store, *(version(number, name) for name in names), now=NOW + number * HOUR)
        touched = [said for said in ran if "revisions" in said]
        # also when older versions make room
        assert len(touched) == bool(number)
    with statements(any_store) as ran:
        poll(any_store, now=NOW + 9 * HOUR)
        poll(any_store, replace(version(3, "n1"), tags=(tag("y"),)), now=NOW + 9 * HOUR)
        poll(any_store, version(0, "new"), now=NOW + 9 * HOUR)
    assert not [said for said in ran if "revisions" in said]


def test_versions_go_with_their_entry(any_store: SqlStore) -> None:
    write(any_store, 2)
    write(any_store, 1, "other")
    any_store.prune(before=NOW + HOUR, now=NOW + 40 * HOUR)
    assert any_store.stats().revisions == 0
    with pytest.raises(NotFound):
        any_store.revisions(key_of("one"))
    with pytest.raises(NotFound):
        any_store.revisions("no key")


@pytest.mark.parametrize("other", sorted(BACKENDS))
def test_versions_are_in_every_copy(
    any_store: SqlStore, other: str, open_fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    write(any_store, 3)
    any_store.backup(tmp_path / "copy.db")
    target = open_fresh(other)
    target.restore(tmp_path / "copy.db")
    past = any_store.revisions(key_of("one"))
    assert len(past) == 3
    assert target.revisions(key_of("one")) == past
    assert target.check() == ()


def test_a_store_of_the_first_release_is_upgraded_with_all_it_holds(
    any_store: SqlStore, backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = (
        f"sqlite:///{tmp_path}/old.db"
        if backend == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    poll(any_store, version(0), version(0, "other"))
    old = open_store(url)
    request.addfinalizer(old.close)
    fill_as_of("0002", old, any_store)
    assert not old.schema_current()
    assert old.migrate() == newest_revision()
    assert old.check() == ()
    with old.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(entries)) == 2
    assert old.entry(key_of("one")) == any_store.entry(key_of("one"))
    assert old.revisions(key_of("one")) == ()
    poll(old, version(1), now=NOW + timedelta(hours=1))
    assert [one.entry.title for one in old.revisions(key_of("one"))] == ["Title 0"]
