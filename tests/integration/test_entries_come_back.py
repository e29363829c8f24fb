"""What was stored once is known again: pruned, removed, moved to another store or imported anew."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from feedsvc import opml
from feedsvc.config import load
from feedsvc.model import Source
from feedsvc.runtime import Runtime, open_runtime
from feedsvc.store import BACKENDS, SqlStore
from feedsvc.subscribe import import_opml
from tests.badfeeds import START, Feed, Item, post
from tests.feedserver import FeedServer

POSTS = [
    post(1),
    post(2, guid=None),
    post(3, guid="no iri"),
    post(4, guid=None, link=None),
    post(5, date=None, guid="5"),
    replace(post(6), guid="https://a.example/fjord-6", link=None),
]


def flipped(item: Item) -> Item:
    return replace(item, guid=item.guid and item.guid.replace("https:", "http:"))


@pytest.fixture
def feed(tmp_path: Path, feed_server: FeedServer) -> Feed:
    (tmp_path / "first").mkdir()
    return Feed.on(tmp_path / "first", feed_server)


def test_what_was_pruned_stays_away(feed: Feed) -> None:
    with feed:
        feed.poll(POSTS)
        feed.tick(hours=1)
        assert feed.runtime.store.prune(before=feed.now[0], now=feed.now[0]) == 6
        for items in (POSTS, POSTS[::-1], map(flipped, POSTS), POSTS[:2], POSTS):
            assert feed.poll(items).new == 0
        feed.poll(replace(item, text="Edited.") for item in POSTS if item.guid or item.link)
        assert feed.entries() == {}


@pytest.mark.parametrize("purge", [False, True])
def test_a_source_that_comes_back_has_its_entries_as_they_were(feed: Feed, purge: bool) -> None:
    with feed:
        store = feed.runtime.store
        feed.poll(POSTS)
        before = {id: stored.entry for id, stored in feed.entries().items()}
        for id in ("one", "other"):
            (status,) = store.sources()
            store.remove_source(status.source.id, purge=purge, now=feed.now[0])
            assert len(feed.entries()) == (0 if purge else 6)
            store.add_source(replace(status.source, id=id), feed.now[0])
            assert feed.poll(POSTS).new == 0
            after = {id: stored.entry for id, stored in feed.entries().items()}
            assert after.keys() == before.keys()
            for key, entry in after.items():
                assert (entry.published, entry.updated) == (
                    before[key].published,
                    before[key].updated,
                )


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_a_store_that_was_restored_goes_on_where_it_was(
    feed: Feed, backend: str, open_fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    with feed:
        feed.poll(POSTS)
        feed.poll(replace(item, text="Edited.") for item in POSTS if item.guid or item.link)
        feed.runtime.store.prune(before=START, now=feed.now[0])
        before = feed.entries()
        feed.runtime.store.backup(tmp_path / "copy.db")
        target = open_fresh(backend)
        target.restore(tmp_path / "copy.db")
        moved = Feed(replace(feed.runtime, store=target), feed.server, now=feed.now)
        moved.runtime = replace(moved.runtime, clock=lambda: moved.now[0])
        assert moved.entries() == before
        for stored in before.values():
            past = target.revisions(stored.entry.key)
            assert past == feed.runtime.store.revisions(stored.entry.key)
        assert moved.poll(POSTS).new == 0
        assert moved.entries().keys() == before.keys()


@pytest.mark.parametrize("id", ["one", "named-by-hand"])
def test_an_imported_list_gives_the_same_ids(
    feed: Feed, feed_server: FeedServer, open_fresh: Callable[[str], SqlStore], id: str
) -> None:
    with feed:
        (status,) = feed.runtime.store.sources()
        feed.runtime.store.remove_source("one", purge=False, now=feed.now[0])
        named = Source(id=id, kind="feed", location=status.source.location)
        feed.runtime.store.add_source(named, START)
        feed.poll(POSTS)
        listed = opml.subscriptions("S", [one.source for one in feed.runtime.store.sources()])
        before = feed.entries().keys()
        config = feed.runtime.config
    new = Feed(Runtime(config=config, store=open_fresh("sqlite")), feed_server)
    new.runtime = replace(new.runtime, clock=lambda: new.now[0])
    assert import_opml(new.runtime, listed).added == 1
    (status,) = new.runtime.store.sources()
    assert status.source.id == id
    new.poll(POSTS)
    assert new.entries().keys() == before


def test_a_list_from_elsewhere_may_say_anything_of_ids(tmp_path: Path) -> None:
    listed = opml.write(
        "S",
        [
            opml.Subscription(url="https://a.example/1", id="Not A Slug"),
            opml.Subscription(url="https://b.example/2", id="same"),
            opml.Subscription(url="https://c.example/3", id="same"),
        ],
    )
    file = tmp_path / "feedsvc.toml"
    file.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/x.db"\n', "utf-8")
    with open_runtime(load(file, environ={})) as runtime:
        assert import_opml(runtime, listed).added == 3
        ids = {status.source.id for status in runtime.store.sources()}
        assert ids == {"a-example-1", "same", "c-example-3"}
