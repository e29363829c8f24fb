"""Versions of entries that their own feed dates: newer ones count, older ones only if they last."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from feedsvc.model import Source
from feedsvc.notes import notes
from feedsvc.query import parse
from feedsvc.round import poll_once
from feedsvc.store import SqlStore
from feedsvc.store.schema import entries
from tests.badfeeds import START, Feed
from tests.feedserver import FeedServer

FEED = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0">
<id>urn:feed</id><title>F</title><updated>2026-02-01T00:00:00Z</updated>{}</feed>"""


@pytest.fixture
def feed(tmp_path: Path, feed_server: FeedServer) -> Iterator[Feed]:
    with Feed.on(tmp_path, feed_server) as feed:
        yield feed


def version(number: int, name: str = "a") -> str:
    """A version of an entry, updated on that day of January."""
    return (
        f"<entry><id>urn:{name}</id><title>Version {number} of {name}</title>"
        f'<link href="https://a.example/{name}"/><published>2026-01-01T08:00:00Z</published>'
        f"<updated>2026-01-{number:02}T00:00:00Z</updated><content>Text {number}.</content></entry>"
    )


def gone(day: int, name: str = "a") -> str:
    said = '<at:comment>spam</at:comment><at:by><name>Mod</name></at:by><link href="/why"/>'
    return (
        f'<at:deleted-entry ref="urn:{name}" when="2026-01-{day:02}T12:00:00Z">'
        f"{said}</at:deleted-entry>"
    )


def test_an_older_version_does_not_replace_a_newer_one(feed: Feed) -> None:
    feed.poll_body(FEED.format(version(5)))
    for number in (4, 5, 4):
        report = feed.poll_body(FEED.format(version(number) + version(2, f"b{feed.fetches}")))
        assert (report.new, report.updated) == (1, 0)
        assert "Version 5 of a" in feed.titles()
        told = " ".join(notes(feed.runtime.store.source("one").state))
        assert ("older versions" in told) == (number == 4)
    assert feed.runtime.store.stats().revisions == 0
    feed.poll_body(FEED.format(version(6)))
    assert "Version 6 of a" in feed.titles()


def test_an_older_version_that_stays_is_meant(feed: Feed) -> None:
    feed.poll_body(FEED.format(version(5)))
    feed.poll_body(FEED.format(version(4)))
    feed.poll_body(FEED.format(version(4)), hours=23)
    assert feed.titles() == ["Version 5 of a"]
    feed.poll_body(FEED.format(version(4)))
    assert feed.titles() == ["Version 4 of a"]
    (stored,) = feed.entries().values()
    assert stored.entry.updated > START
    assert notes(feed.runtime.store.source("one").state) == ()


def test_what_a_feed_says_it_deleted_is_withdrawn(feed: Feed) -> None:
    feed.poll_body(FEED.format(version(5) + version(5, "b")))
    for _ in range(2):
        feed.poll_body(FEED.format(gone(6) + version(5, "b")))
        assert list(feed.entries()) == ["urn:b"]
    (left,) = feed.runtime.store.head(parse(""), limit=9, now=feed.now[0]).deleted
    assert (left.id, left.when) == ("urn:a", START + timedelta(hours=2))
    meta = feed.runtime.store.source("one").meta
    assert meta is not None
    assert (meta.title, meta.link, meta.authors) == ("F", None, ())


def test_an_entry_and_what_says_it_was_deleted_go_by_their_dates(feed: Feed) -> None:
    feed.poll_body(FEED.format(gone(6) + version(5) + version(5, "b")))
    assert list(feed.entries()) == ["urn:b"]
    # published again
    feed.poll_body(FEED.format(gone(6) + version(7) + version(5, "b")))
    assert sorted(feed.entries()) == ["urn:a", "urn:b"]
    # it stands there as it was, and is deleted again
    feed.poll_body(FEED.format(gone(8) + version(7) + version(5, "b")))
    assert list(feed.entries()) == ["urn:b"]
    feed.tick(hours=1)
    feed.poll_body(FEED.format(gone(8) + version(7) + version(5, "b") + version(5, "c")))
    assert sorted(feed.entries()) == ["urn:b", "urn:c"]


def test_one_feed_deletes_nothing_of_another(feed: Feed) -> None:
    feed.poll_body(FEED.format(version(5)))
    other = Source(id="two", kind="feed", location=feed.server.url("/two.xml"))
    feed.server.serve("/two.xml", FEED.format(gone(6) + version(5, "b")).encode())
    feed.runtime.store.add_source(other, feed.now[0])
    feed.tick(hours=1)
    result = asyncio.run(poll_once(feed.runtime, ignore_schedule=True))
    assert [report.error for report in result.reports] == [None, None]
    assert sorted(feed.entries()) == ["urn:a", "urn:b"]


def test_what_is_no_longer_said_to_be_deleted_comes_back(feed: Feed) -> None:
    feed.poll_body(FEED.format(version(5) + version(5, "b")))
    feed.poll_body(FEED.format(gone(6) + version(5) + version(5, "b")))
    assert list(feed.entries()) == ["urn:b"]
    feed.poll_body(FEED.format(version(5) + version(5, "b")))
    assert sorted(feed.entries()) == ["urn:a", "urn:b"]


def text(number: int) -> str:
    """An undated version of a post that does not say when it was updated."""
    return FEED.format(
        f"<entry><id>urn:a</id><title>A</title><published>2026-01-01T08:00:00Z</published>"
        f"<content>Text {number}.</content></entry>"
    )


def test_versions_that_take_turns_are_announced_once_each(feed: Feed) -> None:
    moments = []
    for number in (1, 2, 1, 2, 1, 1, 2, 3):
        feed.poll_body(text(number))
        (stored,) = feed.entries().values()
        assert stored.entry.content is not None
        assert stored.entry.content.value == f"Text {number}."
        moments.append(stored.entry.updated)
    # an edit, its withdrawal, and then a version nobody has seen
    assert [n for n in range(1, 8) if moments[n] != moments[n - 1]] == [1, 2, 7]


def test_a_digest_of_an_earlier_release_makes_no_edit(feed: Feed) -> None:
    feed.poll_body(text(1))
    (before,) = feed.entries().values()
    store = feed.runtime.store
    assert isinstance(store, SqlStore)
    with store.writing() as connection:
        connection.execute(update(entries).values(digest="0" * 64))
    feed.poll_body(text(1).replace("<title>F<", "<title>G<"))
    (after,) = feed.entries().values()
    assert (after.entry.updated, after.entry.digest) == (before.entry.updated, before.entry.digest)
