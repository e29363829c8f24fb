"""One article in several feeds: polled over HTTP, served over HTTP, shown once and told whole."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest
from werkzeug.test import TestResponse

from feedsvc.model import Source
from feedsvc.round import poll_once
from feedsvc.runtime import Runtime
from feedsvc.web import create_app
from tests.badfeeds import FEED, START, Item, post
from tests.conformance.format_rules import faults
from tests.feedserver import FeedServer
from tests.store import empty_runtime

TEXT = (
    "The harbour of the old town was closed on Monday after a freighter ran aground at its mouth."
    " Tugs from three neighbouring ports tried in vain to pull the ship free before the tide"
    " turned, the harbour master said."
)
OTHER = (
    "Pilots say that the buoys are to blame, which nobody has moved since the sandbank wandered to"
    " the north in the storms of last winter, and that they warned of it."
)


def story(name: str, *, later: float = 0, **changes: Any) -> Item:
    """The article as one of the feeds has it, so many hours after the first."""
    links = {
        "a": "https://www.a.example/harbour?utm_source=rss",
        "b": "http://a.example/harbour/",
        "c": "https://a.example/harbour#top",
    }
    made = Item(
        title="Freighter closes the harbour" + (" - The B Times" if name == "b" else ""),
        link=links[name],
        guid=f"urn:{name}:harbour",
        date=START - timedelta(hours=30 - later),
        text=TEXT if name != "c" else TEXT[:120] + "…",
    )
    return replace(made, **changes)


@dataclass
class Wire:
    """Three sources on a loopback server, and the web in front of what they bring."""

    runtime: Runtime
    server: FeedServer
    now: list[datetime] = field(default_factory=lambda: [START])

    def add(self, *names: str) -> None:
        for name in names:
            source = Source(
                id=name,
                kind="feed",
                location=self.server.url(f"/{name}.xml"),
                title=f"The {name.upper()} Times",
                tags=(f"from-{name}",),
            )
            self.runtime.store.add_source(source, self.now[0])

    def poll(self, **feeds: list[Item]) -> None:
        """Publishes these feeds, and polls everything an hour later."""
        for name, items in feeds.items():
            body = FEED.format("".join(item.xml() for item in items))
            self.server.serve(f"/{name}.xml", body.encode())
        self.now[0] += timedelta(hours=1)
        reports = asyncio.run(poll_once(self.runtime, ignore_schedule=True)).reports
        assert [report.error for report in reports] == [None] * len(reports)
        assert self.runtime.store.check() == ()

    def get(self, path: str, **headers: str) -> TestResponse:
        client = create_app(self.runtime).test_client()
        return client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def ids(self, path: str = "/feeds/all") -> list[str]:
        """The ids of the entries of a feed, the same in every format, each document valid."""
        stem, mark, query = path.partition("?")
        found = []
        for suffix in ("atom", "rss", "json"):
            reply = self.get(f"{stem}.{suffix}{mark}{query}")
            assert reply.status_code == 200
            assert faults(suffix, reply.data) == []
            if suffix == "json":
                found.append([item["id"] for item in json.loads(reply.data)["items"]])
            else:
                found.append([entry.id for entry in feedparser.parse(reply.data).entries])
        assert found[0] == found[1] == found[2]
        return found[0]


@pytest.fixture
def wire(
    tmp_path: Path, feed_server: FeedServer, backend: str, fresh_url: Callable[[str], str]
) -> Iterator[Wire]:
    settings = {"POLL__ALLOW_PRIVATE": feed_server.address, "STORE__URL": fresh_url(backend)}
    with empty_runtime(tmp_path, **settings) as runtime:
        made = Wire(runtime, feed_server)
        made.runtime = replace(runtime, clock=lambda: made.now[0])
        made.runtime.store.migrate()
        made.add("a", "b", "c")
        yield made


def everywhere(wire: Wire) -> None:
    wire.poll(a=[story("a")], b=[story("b", later=1)], c=[story("c", later=2)])


def test_every_format_shows_it_once_and_names_the_others(wire: Wire) -> None:
    everywhere(wire)
    assert wire.ids() == ["urn:a:harbour"]
    (entry,) = feedparser.parse(wire.get("/feeds/all.atom").data).entries
    via = [(link.href, link.title) for link in entry.links if link.rel == "via"]
    assert via == [
        ("http://a.example/harbour/", "The B Times"),
        ("https://a.example/harbour#top", "The C Times"),
    ]
    assert [link.href for link in entry.links if link.rel == "alternate"] == [entry.link]
    (item,) = feedparser.parse(wire.get("/feeds/all.rss").data).entries
    assert [link.title for link in item.links if link.rel == "via"] == [
        "The B Times",
        "The C Times",
    ]
    for each in (entry, item):
        said = (each.get("content") or [{"value": each.summary}])[0]["value"]
        assert 'Also at <a href="http://a.example/harbour/">The B Times</a>, <a' in said
    (item,) = json.loads(wire.get("/feeds/all.json").data)["items"]
    assert item["_feedsvc"]["duplicates"][0] == {
        "id": "urn:b:harbour",
        "url": "http://a.example/harbour/",
        "title": "Freighter closes the harbour - The B Times",
        "source": {"id": "b", "title": "The B Times"},
    }
    assert "links" not in item["_feedsvc"]


def test_an_article_at_other_addresses_is_told_by_its_text(wire: Wire) -> None:
    cut = (
        TEXT + " Ferries go from the northern pier until further notice, and the fish market moves."
    )
    half = replace(story("b", later=1, text=TEXT), link="https://b.example/news/7")
    own = replace(story("c", later=2, text=f"From our desk. {cut}"), link="https://c.example/x")
    wire.poll(a=[story("a", text=cut)], b=[half], c=[own])
    assert wire.ids() == ["urn:a:harbour"]
    assert len(wire.ids("/feeds/all?dupes=keep")) == 3
    (item,) = json.loads(wire.get("/feeds/all.json").data)["items"]
    told = item["_feedsvc"]["duplicates"]
    assert [one["url"] for one in told] == ["https://b.example/news/7", "https://c.example/x"]
    (entry,) = feedparser.parse(wire.get("/feeds/all.atom").data).entries
    assert [link.href for link in entry.links if link.rel == "via"] == [one["url"] for one in told]
    (listed,) = json.loads(wire.get("/api/v1/entries").data)["entries"]
    assert [one["link"] for one in listed["duplicates"]] == [one["url"] for one in told]
    wire.poll(b=[replace(half, text=OTHER)])
    assert wire.ids() == ["urn:b:harbour", "urn:a:harbour"]


def test_where_the_address_is_the_same_our_page_of_the_copy_is_named(wire: Wire) -> None:
    link = story("a").link
    wire.poll(a=[story("a")], b=[story("b", later=1, link=link)], c=[story("c", link=link)])
    (entry,) = feedparser.parse(wire.get("/feeds/tags/from-a.atom").data).entries
    pages = [link.href for link in entry.links if link.rel == "via"]
    assert len(pages) == len(set(pages)) == 2
    for page in pages:
        assert wire.get(page.removeprefix("http://127.0.0.1:8080")).status_code == 200


def test_pages_say_who_else_has_it(wire: Wire) -> None:
    everywhere(wire)
    for path in ("/", "/tags/from-a", "/feeds/sources/a", "/search?q=harbour"):
        page = wire.get(path, Accept="text/html").get_data(as_text=True)
        assert page.count("<article") == 1
        assert "also at <a" in page
        assert ">The B Times</a>, <a" in page
    composer = wire.runtime.composer
    (stored,) = composer.page(composer.all()).entries
    page = wire.get(f"/entries/{stored.entry.key}").get_data(as_text=True)
    assert "also at <a" in page
    listed = wire.get("/?dupes=keep").get_data(as_text=True)
    assert listed.count("<article") == 3
    assert "also at" not in listed


def test_all_of_them_are_there_for_whoever_wants_to_keep_them(wire: Wire) -> None:
    everywhere(wire)
    assert wire.ids("/feeds/all?dupes=keep") == ["urn:c:harbour", "urn:b:harbour", "urn:a:harbour"]
    assert wire.ids("/feeds/all?dupes=collapse") == ["urn:a:harbour"]
    kept = wire.get("/feeds/all.atom?dupes=keep").get_data(as_text=True)
    assert "Also at" not in kept
    assert 'rel="via"' not in kept
    for name in "abc":
        assert wire.ids(f"/feeds/sources/{name}") == [f"urn:{name}:harbour"]
        assert wire.ids(f"/feeds/tags/from-{name}") == [f"urn:{name}:harbour"]
    assert wire.ids("/feeds/query?q=-tag:from-a") == ["urn:b:harbour"]


def test_a_copy_that_comes_changes_what_is_told_and_not_what_is_shown(wire: Wire) -> None:
    wire.poll(a=[story("a")], b=[], c=[])
    before = wire.get("/feeds/all.atom")
    (first,) = feedparser.parse(before.data).entries
    wire.poll(b=[story("b", later=1)])
    after = wire.get("/feeds/all.atom", If_None_Match=before.headers["ETag"])
    assert after.status_code == 200
    (entry,) = feedparser.parse(after.data).entries
    assert (entry.id, entry.updated) == (first.id, first.updated)
    assert after.headers["ETag"] == wire.get("/feeds/all.atom").headers["ETag"]
    wire.poll()
    since = wire.get("/feeds/all.atom").headers["Last-Modified"]
    wire.poll()
    again = {"If_None_Match": after.headers["ETag"]}
    assert wire.get("/feeds/all.atom", **again).status_code == 304
    assert wire.get("/feeds/all.atom", If_Modified_Since=since).status_code == 304


def test_an_edit_parts_them_and_another_brings_them_together(wire: Wire) -> None:
    everywhere(wire)
    wire.poll(b=[story("b", later=1, text=OTHER)])
    assert wire.ids() == ["urn:b:harbour", "urn:a:harbour"]
    told = wire.get("/feeds/all.atom").get_data(as_text=True)
    assert told.count('rel="via"') == 1
    wire.poll(c=[story("c", later=2, text=OTHER[:120])])
    assert wire.ids() == ["urn:b:harbour", "urn:a:harbour"]
    wire.poll(b=[story("b", later=1)], c=[story("c", later=2)])
    assert wire.ids() == ["urn:a:harbour"]


def test_a_source_that_goes_leaves_the_article_to_the_next(wire: Wire) -> None:
    everywhere(wire)
    store = wire.runtime.store
    store.remove_source("a", purge=True, now=wire.now[0])
    assert wire.ids() == ["urn:b:harbour"]
    assert "urn:a:harbour" in wire.get("/feeds/all.atom").get_data(as_text=True)  # deleted-entry
    wire.add("a")
    wire.poll()
    assert wire.ids() == ["urn:a:harbour"]
    store.prune(before=START - timedelta(hours=29.5), now=wire.now[0])
    assert wire.ids() == ["urn:b:harbour"]
    wire.poll()
    assert wire.ids() == ["urn:b:harbour"]
    assert store.check() == ()


def test_other_articles_of_one_page_stay(wire: Wire) -> None:
    wire.poll(a=[story("a")], b=[story("b", text=OTHER)], c=[story("c", text="Comments: 12")])
    assert sorted(wire.ids()) == ["urn:a:harbour", "urn:b:harbour", "urn:c:harbour"]
    home = "https://a.example/"
    titles = {"a": "Freighter closes the harbour", "b": "Ferries stay in port", "c": "Tugs in vain"}
    wire.poll(**{name: [story(name, text=TEXT, link=home, title=titles[name])] for name in "abc"})
    assert sorted(wire.ids()) == ["urn:a:harbour", "urn:b:harbour", "urn:c:harbour"]


def test_pages_are_full_and_show_everything_once(wire: Wire) -> None:
    posts = [post(number) for number in range(9)]
    mirrored = [
        replace(
            one, guid=f"urn:b:{at}", date=one.date and one.date + timedelta(minutes=at % 3 * 50)
        )
        for at, one in enumerate(posts)
        if at % 3
    ]
    wire.poll(a=posts, b=[*mirrored, story("b")], c=[])
    assert len(wire.ids("/feeds/all?dupes=keep")) == 16
    every = wire.ids()
    assert len(every) == 10
    path, found = "/feeds/all.json?limit=4", []
    while path:
        document = json.loads(wire.get(path).data)
        found.append([item["id"] for item in document["items"]])
        path = document.get("next_url", "").removeprefix("http://127.0.0.1:8080")
    assert [len(page) for page in found] == [4, 4, 2]
    assert [id for page in found for id in page] == every
