"""Feeds that rewrite, restamp or undate themselves: nothing is announced twice or moved."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from feedsvc.notes import notes
from feedsvc.web import create_app
from tests.badfeeds import START, Feed, Item, post
from tests.feedserver import FeedServer

POSTS = [post(number) for number in range(5)]


@pytest.fixture
def feed(tmp_path: Path, feed_server: FeedServer) -> Iterator[Feed]:
    with Feed.on(tmp_path, feed_server, POLL__CHURN_AFTER="3", POLL__CHURN_INTERVAL="12h") as feed:
        yield feed


def counted(number: int) -> list[Item]:
    """All posts with a counter in their text."""
    return [replace(item, text=f"{item.text} Seen {number} times.") for item in POSTS]


def shown(feed: Feed) -> set[str]:
    """What all entries say of how often they were seen."""
    texts = [e.entry.content or e.entry.summary for e in feed.entries().values()]
    return {text.value.rpartition(" Seen ")[2] for text in texts if text}


def told(feed: Feed) -> str:
    return " ".join(notes(feed.runtime.store.source("one").state))


def test_a_feed_that_rewrites_itself_is_updated_once_in_a_while(feed: Feed) -> None:
    feed.poll(counted(0))
    reports = [feed.poll(counted(number)) for number in range(1, 40)]
    taken = [number for number, report in enumerate(reports, 1) if report.updated]
    assert taken == [1, 2, 3, 15, 27, 39]
    assert "churning since" in told(feed)
    page = create_app(feed.runtime).test_client().get("/sources").get_data(as_text=True)
    assert '<span class="state trouble">churning</span>' in page
    assert told(feed) in page
    assert shown(feed) == {"39 times."}
    # what is new comes at once all the same
    report = feed.poll([post(9), *counted(40)])
    assert (report.new, report.updated) == (1, 0)
    assert feed.runtime.store.stats().revisions == 5 * 6


def test_it_comes_to_the_newest_and_is_trusted_again_when_it_is_calm(feed: Feed) -> None:
    for number in range(8):
        feed.poll(counted(number))
    assert shown(feed) == {"3 times."}
    # the same again: nothing more to wait for
    feed.poll(counted(7))
    assert shown(feed) == {"7 times."}
    feed.poll(counted(7))
    assert "churning" in told(feed)
    feed.poll(counted(7))
    assert told(feed) == ""
    feed.poll(counted(8))
    assert shown(feed) == {"8 times."}


def test_a_feed_that_alternates_is_held_back_too(feed: Feed) -> None:
    for number in range(30):
        feed.poll(counted(number % 2))
    assert feed.runtime.store.stats().revisions <= 5 * 6
    assert "churning" in told(feed)


def test_a_few_edits_at_every_fetch_are_no_churn(feed: Feed) -> None:
    for number in range(8):
        feed.poll([*counted(number)[:3], *POSTS[3:]])
        assert f"{number} times." in shown(feed)
    assert told(feed) == ""


def stamped(item: Item, number: int) -> Item:
    return replace(item, date=START + timedelta(hours=number))


def test_a_flood_of_new_dates_moves_nothing(feed: Feed) -> None:
    feed.poll(POSTS)
    before = {id: stored.entry for id, stored in feed.entries().items()}
    order = feed.titles()
    for number in range(4):
        report = feed.poll(stamped(item, number) for item in POSTS)
        assert (report.new, report.updated) == (0, 0)
    report = feed.poll(replace(item, date=None) for item in POSTS)
    assert (report.new, report.updated) == (0, 0)
    assert {id: stored.entry for id, stored in feed.entries().items()} == before
    assert feed.titles() == order


def test_new_dates_in_the_text_move_no_entry(feed: Feed) -> None:
    """Dates, texts and ids all change at every fetch."""
    feed.poll(POSTS)
    before, order = feed.entries(), feed.titles()
    for number in range(6):
        items = [replace(item, guid=f"urn:{number}:{item.guid}") for item in counted(number)]
        report = feed.poll(items)
        assert report.new == 0
    assert feed.entries().keys() == before.keys()
    assert feed.titles() == order
    for id, stored in feed.entries().items():
        assert stored.entry.published == before[id].entry.published


def test_entries_without_a_date_stay_where_they_were_first_seen(feed: Feed) -> None:
    feed.poll([replace(item, date=None) for item in POSTS])
    seen = {id: stored.entry.published for id, stored in feed.entries().items()}
    order = feed.titles()
    for number in range(4):
        feed.poll([replace(item, date=None) for item in counted(number)])
        feed.poll([stamped(item, number) for item in counted(number)])
    assert {id: stored.entry.published for id, stored in feed.entries().items()} == seen
    assert feed.titles() == order
