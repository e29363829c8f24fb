"""Feeds whose ids cannot be relied on: nothing comes twice, nothing is lost, nothing is merged."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from feedsvc.cli import cli
from feedsvc.notes import notes
from tests.badfeeds import START, Feed, Item, post
from tests.feedserver import FeedServer

NUMBERS = itertools.count()


@pytest.fixture
def feed(tmp_path: Path, feed_server: FeedServer) -> Iterator[Feed]:
    with Feed.on(tmp_path, feed_server) as feed:
        yield feed


def random_guid(item: Item) -> Item:
    return replace(item, guid=f"urn:random:{next(NUMBERS)}")


def undated(item: Item) -> Item:
    return random_guid(replace(item, date=None))


def unlinked(item: Item) -> Item:
    return random_guid(replace(item, link=None))


def restamped(item: Item) -> Item:
    return random_guid(replace(item, date=START + timedelta(minutes=next(NUMBERS))))


def bare(item: Item) -> Item:
    return random_guid(replace(item, link=None, date=None))


def session(item: Item) -> Item:
    link = f"{item.link}?sid={next(NUMBERS)}"
    return replace(item, link=link, guid=link)


def undated_session(item: Item) -> Item:
    return session(replace(item, date=None, guid=None))


def flipping(item: Item) -> Item:
    number = next(NUMBERS)
    scheme, www, slash = (
        ("http", "https")[number % 2],
        ("www.", "")[number // 2 % 2],
        "/" * (number % 3 % 2),
    )
    assert item.link is not None
    path = item.link.removeprefix("https://a.example")
    link = f"{scheme}://{www}a.example{path}{slash}?utm_source=rss&utm_campaign={number}"
    return replace(item, link=link, guid=link)


WAYS: dict[str, Callable[[Item], Item]] = {
    way.__name__: way
    for way in (random_guid, undated, unlinked, restamped, bare, session, flipping)
}


@pytest.mark.parametrize("way", WAYS)
def test_posts_whose_ids_change_at_every_fetch_are_the_same_posts(feed: Feed, way: str) -> None:
    posts = [post(number) for number in range(6)]
    feed.poll(map(WAYS[way], posts))
    first = feed.entries()
    assert len(first) == 6
    order = feed.titles()
    for _ in range(7):
        feed.poll(map(WAYS[way], posts))
        assert feed.entries().keys() == first.keys()
        assert feed.titles() == order
        assert {i: e.entry.published for i, e in feed.entries().items()} == {
            i: e.entry.published for i, e in first.items()
        }
    # what is really new comes once, and nothing is lost
    for number in (6, 7):
        report = feed.poll(map(WAYS[way], [post(number), *posts]))
        posts = [post(number), *posts]
        assert report.new == 1
    feed.poll(map(WAYS[way], posts[:3]))
    feed.poll(map(WAYS[way], posts))
    assert len(feed.entries()) == 8


@pytest.mark.parametrize("way", WAYS)
def test_a_feed_of_one_entry_may_change_its_id_too(feed: Feed, way: str) -> None:
    for _ in range(3):
        feed.poll([WAYS[way](post(0))])
    assert len(feed.entries()) == 1


def test_ids_that_change_are_told_and_forgiven(feed: Feed) -> None:
    posts = [post(number) for number in range(4)]

    def told() -> str:
        return " ".join(notes(feed.runtime.store.source("one").state))

    feed.poll(posts)
    assert told() == ""
    for _ in range(4):
        feed.poll(map(random_guid, posts))
    assert "ids change from fetch to fetch" in told()
    # from now on a new entry's id is one that the next fetch gives it too
    feed.poll(map(random_guid, [post(9), *posts]))
    (new,) = [e.entry for e in feed.entries().values() if e.entry.title.startswith("Jade 9")]
    assert new.id == "tag:localhost,2026:one/https://a.example/jade-9"
    before = feed.entries().keys()
    sound = [post(9), *posts]
    for number in range(12):
        feed.poll([replace(sound[0], text=f"edit {number}"), *sound[1:]])
    assert feed.entries().keys() == before
    assert "ids change from fetch to fetch" not in told()
    feed.poll([post(11), *sound])
    assert "urn:post:11" in feed.entries()


def test_one_id_for_several_posts_is_told(feed: Feed) -> None:
    same = [post(number, guid="urn:same") for number in range(3)]
    for shown in (same, same[1:], [post(4, guid="urn:same"), *same]):
        feed.poll(shown)
    assert len(feed.entries()) == 4
    assert "several entries shared an id" in " ".join(notes(feed.runtime.store.source("one").state))


def test_the_same_post_twice_is_one_entry(feed: Feed) -> None:
    twice = [post(1), post(1, guid="urn:again"), post(2)]
    for _ in range(2):
        feed.poll(twice)
    assert len(feed.entries()) == 2
    # also if the second comes later, while the first stays as it is
    feed.poll([post(2, guid="urn:late"), *twice])
    assert len(feed.entries()) == 2


def test_an_id_that_is_used_again_names_another_post(feed: Feed) -> None:
    feed.poll([post(1, guid="urn:latest")])
    for number in (2, 3):
        assert feed.poll([post(number, guid="urn:latest")]).new == 1
    assert len(feed.entries()) == 3
    # each of them may still be edited
    feed.poll([post(3, guid="urn:latest", text="Mended.")])
    feed.poll([post(3, guid="urn:latest", title="Dune 3 rises and falls", text="Mended.")])
    assert len(feed.entries()) == 3
    assert "Dune 3 rises and falls" in feed.titles()
    assert "used again" in " ".join(notes(feed.runtime.store.source("one").state))


def test_ids_that_are_places_in_the_feed_are_no_ids(feed: Feed) -> None:
    posts = [post(number) for number in range(4)]
    for number in range(4, 14):
        feed.poll(replace(item, guid=str(place)) for place, item in enumerate(posts))
        posts = [post(number), *posts[:3]]
    found = feed.entries().values()
    assert len(found) == 13
    for stored in found:
        number = int(stored.entry.title.split()[1])
        assert stored.entry.link == post(number).link
        assert stored.entry.content or stored.entry.summary


def test_an_edit_is_an_edit_whatever_is_edited(feed: Feed) -> None:
    first = post(1)
    feed.poll([first, post(2)])
    (id,) = [i for i, e in feed.entries().items() if e.entry.link == first.link]
    edits = (
        {"title": "Something else entirely"},
        {"link": "https://a.example/moved-to"},
        {"text": "A new text."},
        {"title": "Wholly otherwise again", "text": "And again."},
        {"title": "Other words", "link": "https://a.example/third", "text": "A new text now."},
        {"date": START, "text": "Dated anew."},
        {"date": START, "title": "New words", "text": "Nothing is left of what it was."},
    )
    shown = first
    for edit in edits:
        shown = replace(shown, **edit)
        feed.poll([shown, post(2)])
        assert len(feed.entries()) == 2
        assert feed.entries()[id].entry.title == shown.title
        assert feed.entries()[id].entry.link == shown.link


def test_links_that_are_edited_stay_one_post_where_there_are_no_ids(feed: Feed) -> None:
    shown = replace(post(1), guid=None)
    feed.poll([shown, replace(post(2), guid=None)])
    before = feed.entries().keys()
    for edit in ({"link": "https://a.example/better-slug"}, {"title": "A better title"}):
        shown = replace(shown, **edit)
        feed.poll([shown, replace(post(2), guid=None)])
        assert feed.entries().keys() == before
    assert {"A better title"} < set(feed.titles())


def test_a_text_corrected_is_one_post_where_there_is_nothing_but_title_and_text(feed: Feed) -> None:
    long = " ".join(f"word{number}" for number in range(40))
    posts = [post(n, guid=None, link=None, date=None, text=f"Part {n} {long}") for n in range(4)]
    feed.poll(posts)
    before = feed.entries().keys()
    feed.poll([replace(one, text=f"{one.text} corrected") for one in posts])
    assert feed.entries().keys() == before


@pytest.mark.parametrize(
    "same",
    [
        {"link": "https://a.example/"},
        {"title": "Weather"},
        {"title": "Weather", "link": "https://a.example/"},
        {"title": "Weather", "link": "https://a.example/weather"},
        {"title": "Photo", "date": START - timedelta(days=3)},
        {"text": "The same words in all."},
        {"title": "Reminder", "text": "Tonight at eight.", "link": "https://a.example/"},
    ],
)
def test_posts_that_are_alike_are_not_merged(feed: Feed, same: dict[str, object]) -> None:
    posts = [post(number, **same) for number in range(5)]
    for end in range(1, 6):
        feed.poll(posts[:end][::-1])
        assert len(feed.entries()) == end
    if "date" not in same:
        for number in range(5, 9):
            posts = [post(number, **same), *posts[:4]]
            feed.poll(posts)
            assert len(feed.entries()) == number + 1


def test_what_was_pruned_does_not_come_back_under_another_id(feed: Feed) -> None:
    posts = [post(number) for number in range(5)]
    for _ in range(5):
        feed.poll(map(random_guid, posts))
    assert feed.runtime.store.prune(before=START, now=feed.now[0]) == 5
    for _ in range(3):
        feed.poll(map(random_guid, posts))
        assert feed.entries() == {}
    feed.poll(map(random_guid, [post(30), *posts]))
    assert len(feed.entries()) == 1


def test_what_was_pruned_does_not_come_back_when_its_feed_gets_other_ids(feed: Feed) -> None:
    posts = [post(number) for number in range(5)]
    feed.poll(posts)
    assert feed.runtime.store.prune(before=START + timedelta(days=9), now=feed.now[0]) == 5
    assert feed.runtime.store.stats().pruned == 5
    feed.poll(random_guid(one) for one in posts)
    feed.poll([random_guid(posts[0]), post(30)])
    assert feed.titles() == [post(30).title]
    again = [
        random_guid(replace(one, date=START - timedelta(hours=n))) for n, one in enumerate(posts)
    ]
    feed.poll([*again, post(30)])
    assert feed.titles() == [post(30).title]


def test_news_at_the_place_of_what_was_pruned_is_news(feed: Feed) -> None:
    daily = replace(post(1), link="https://a.example/weather/today", title="The weather today")
    feed.poll([daily])
    assert feed.runtime.store.prune(before=START + timedelta(days=9), now=feed.now[0]) == 1
    for number in range(3):
        at = START - timedelta(days=3 - number)
        feed.poll([random_guid(replace(daily, date=at, text=f"Rain, {number} degrees."))])
    assert len(feed.titles()) == 3


@pytest.mark.parametrize("number", [2, 12])
def test_a_feed_whose_program_was_changed_has_the_same_posts(feed: Feed, number: int) -> None:
    posts = [post(n) for n in range(number)]
    feed.poll(posts)
    before = {key: entry.entry.published for key, entry in feed.entries().items()}
    moved = [
        random_guid(
            replace(
                one,
                date=START - timedelta(minutes=n),
                text=f"<div>{one.text}<br></div><a href='/more'>Read more</a>",
            )
        )
        for n, one in enumerate(posts)
    ]
    feed.poll(moved)
    after = {entry.entry.key: entry.entry.published for entry in feed.entries().values()}
    assert sorted(after.values()) == sorted(before.values())
    assert len(after) == number


def test_entries_without_dates_keep_the_order_of_their_document(feed: Feed) -> None:
    posts = [replace(post(number), date=None) for number in range(9, -1, -1)]
    feed.poll(posts)
    assert feed.titles() == [one.title for one in posts]


def test_what_is_older_than_the_retention_is_not_taken(
    tmp_path: Path, feed_server: FeedServer
) -> None:
    with Feed.on(tmp_path, feed_server, STORE__RETENTION="10d") as feed:
        feed.poll([post(1), post(2, date=START), undated(post(3))])
        assert sorted(feed.titles()) == ["Cedar 2 rises", "Dune 3 rises"]


def test_notes_are_told_by_the_command_line(tmp_path: Path, feed_server: FeedServer) -> None:
    with Feed.on(tmp_path, feed_server) as feed:
        for _ in range(4):
            feed.poll(map(random_guid, [post(1), post(2)]))
        environment = {"FEEDSVC_STORE__URL": f"sqlite:///{tmp_path / 'test.db'}"}
    config = str(tmp_path / "feedsvc.toml")
    runner = CliRunner(env=environment)
    shown = runner.invoke(cli, ["--config", config, "source", "show", "one"])
    assert "note       its ids change from fetch to fetch: since 2026-03-01" in shown.output
    listed = runner.invoke(cli, ["--config", config, "source", "show", "one", "--json"])
    (note,) = json.loads(listed.output)["notes"]
    assert note.startswith("its ids change")
