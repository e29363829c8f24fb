"""Paging and archives (RFC 5005) over HTTP: links lead everywhere, and to each entry once."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from werkzeug.test import Client

from feedsvc.formats import FORMATS
from feedsvc.model import Text
from feedsvc.web import create_app
from tests.conformance.format_rules import faults
from tests.weblib import World, entry, open_world

ATOM = "{http://www.w3.org/2005/Atom}"
ARCHIVE = "{http://purl.org/syndication/history/1.0}archive"
BASE = "http://127.0.0.1:8080"
FEEDS = (
    "/feeds/all",
    "/feeds/tags/x",
    "/feeds/sources/a",
    "/feeds/numbers",
    "/feeds/query?q=tag:x OR tag:none",
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Forty entries over five months; none in one of these, and the last has just begun."""
    world = open_world(tmp_path)
    file = tmp_path / "feedsvc.toml"
    file.write_text(file.read_text("utf-8") + '[[feeds]]\nname = "numbers"\nq = "number"\n')
    world.runtime.store.close()
    world = open_world_of(file)
    with world.runtime:
        world.source("a")
        first = datetime(2025, 1, 2, tzinfo=UTC)
        days = [at * 3 for at in range(44) if (first + timedelta(days=at * 3)).month != 3]
        world.poll(
            "a",
            [
                entry(
                    "a",
                    f"n{day}",
                    f"Number {day}",
                    published=first + timedelta(days=day),
                    summary=Text(value=f"What number {day} is."),
                    tags=("x",),
                )
                for day in days
            ],
        )
        yield world


def open_world_of(file: Path) -> World:
    from feedsvc.config import load
    from feedsvc.runtime import open_runtime
    from tests.weblib import Clock

    clock = Clock(datetime(2025, 5, 14, 12, tzinfo=UTC))
    return World(open_runtime(load(file, environ={}), clock=clock), clock)


class Document:
    """A feed in any format: ids of its entries, and links by their relations."""

    def __init__(self, client: Client, address: str) -> None:
        reply = client.get(address)
        assert reply.status_code == 200, reply.text
        self.headers, self.body = reply.headers, reply.data
        self.suffix = address.partition("?")[0].rpartition(".")[2]
        assert faults(self.suffix, reply.data) == []
        self.links: dict[str, str] = {}
        if self.suffix == "json":
            feed = json.loads(reply.data)
            self.ids = [item["id"] for item in feed["items"]]
            about = feed["_feedsvc"]
            self.links = {each["rel"]: each["href"] for each in about.get("links", [])}
            self.self = feed["feed_url"]
            self.archive = about.get("archive", False)
            self.next_url = feed.get("next_url")
            if self.next_url and not self.archive:
                self.links["next"] = self.next_url
        else:
            feed = etree.fromstring(reply.data)
            head = feed if self.suffix == "atom" else feed[0]
            self.ids = [one.text for one in head.iterfind(f"{ATOM}entry/{ATOM}id")]
            self.ids += [one.text for one in head.iterfind("item/guid")]
            for link in head.findall(f"{ATOM}link"):
                self.links[link.get("rel")] = link.get("href")
            self.self = self.links.pop("self")
            self.archive = head.find(ARCHIVE) is not None
        # the header says the same
        header = re.findall(r'<([^>]*)>; rel="([^"]*)"', self.headers["Link"])
        told = {rel: href for href, rel in header}
        for rel in told.keys() - {"self", "alternate"}:
            assert told[rel] == self.links[rel]

    def there(self, rel: str) -> str | None:
        return self.links[rel].removeprefix(BASE) if rel in self.links else None


def address(feed: str, suffix: str = "atom", options: str = "") -> str:
    path, _, query = feed.partition("?")
    query = "&".join(filter(None, (query, options)))
    return f"{path}.{suffix}" + (f"?{query}" if query else "")


def walk(client: Client, start: str, rel: str, between: Any = None) -> list[Document]:
    documents = [Document(client, start)]
    while there := documents[-1].there(rel):
        if between:
            between()
        documents.append(Document(client, there))
        assert documents[-1].self == BASE + there
    return documents


@pytest.mark.parametrize("suffix", list(FORMATS))
@pytest.mark.parametrize("feed", FEEDS)
def test_a_traversal_reaches_every_entry_once(world: World, feed: str, suffix: str) -> None:
    client = create_app(world.runtime).test_client()
    everything = set(Document(client, address(feed, suffix, "limit=500")).ids)
    assert len(everything) == 34
    for limit in (1, 4, 33, 34, 50):
        found = walk(client, address(feed, suffix, f"limit={limit}"), "prev-archive")
        ids = [id for each in found for id in each.ids]
        assert len(ids) == len(set(ids))
        assert set(ids) == everything
        assert [each.archive for each in found] == [False] + [True] * (len(found) - 1)
        assert not [each for each in found[1:] if not each.ids]
        for each in found[1:]:
            current = each.there("current")
            assert current is not None
            assert Document(client, current).archive is False
    months = [re.findall(r"archive/(\d{4}-\d\d)", each.self) for each in found[1:]]
    assert ["2025-03"] not in months


def test_all_documents_of_a_feed_have_one_id(world: World) -> None:
    client = create_app(world.runtime).test_client()
    found = [
        *walk(client, "/feeds/all.atom?limit=500", "prev-archive"),
        *walk(client, "/feeds/all.atom?limit=4", "prev-archive"),
        *walk(client, "/feeds/all.atom?limit=4", "next"),
        *walk(client, "/feeds/all/archive/2025-05.atom", "prev-archive"),
    ]
    ids = {etree.fromstring(each.body).findtext(f"{ATOM}id") for each in found}
    assert [id.partition(":feeds/")[2] for id in ids] == ["all"]


def test_new_entries_disturb_no_traversal(world: World) -> None:
    client = create_app(world.runtime).test_client()
    before = set(Document(client, "/feeds/all.atom?limit=500").ids)
    numbers = iter(range(1000))

    def arrive() -> None:
        at = next(numbers)
        dates = (datetime(2025, 5, 14, 11, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC))
        world.poll(
            "a", [entry("a", f"new{at}-{n}", "New", published=d) for n, d in enumerate(dates)]
        )

    for options in ("limit=3", "limit=10"):
        found = walk(client, f"/feeds/all.atom?{options}", "prev-archive", arrive)
        ids = [id for each in found for id in each.ids]
        assert len(ids) == len(set(ids))
        assert set(ids) >= before


def test_archives_lead_both_ways(world: World) -> None:
    client = create_app(world.runtime).test_client()
    back = walk(client, "/feeds/all/archive/2025-05.atom", "prev-archive")
    forth = walk(client, back[-1].self.removeprefix(BASE), "next-archive")
    assert [each.self for each in forth[::-1]] == [each.self for each in back]
    assert back[0].there("next-archive") is None
    # from within a month the way leads over its pages to the first one of the next
    pages = walk(client, "/feeds/all/archive/2025-04.atom?limit=4", "prev-archive")[:3]
    assert [each.there("next-archive") for each in pages] == [
        "/feeds/all/archive/2025-05.atom?limit=4",
        *(each.self.removeprefix(BASE) for each in pages[:2]),
    ]
    whole = walk(client, "/feeds/tags/x/archive/2025-01.rss", "next-archive")
    names = [each.self.removeprefix(f"{BASE}/feeds/tags/x/archive/") for each in whole]
    assert names == ["2025-01.rss", "2025-02.rss", "2025-04.rss", "2025-05.rss"]


@pytest.mark.parametrize("suffix", list(FORMATS))
@pytest.mark.parametrize("feed", FEEDS)
def test_a_month_that_is_over_never_changes_but_for_removals(
    world: World, feed: str, suffix: str
) -> None:
    client = create_app(world.runtime).test_client()
    path, _, query = feed.partition("?")
    april = f"{path}/archive/2025-04.{suffix}" + (f"?{query}" if query else "")
    before = Document(client, april)
    assert before.headers["Cache-Control"] == "max-age=86400"
    assert len(before.ids) == 10
    world.poll("a", [entry("a", "now", "Number now", published=world.clock.now, tags=("x",))])
    late = datetime(2025, 4, 9, tzinfo=UTC)
    world.poll("a", [entry("a", "late", "Number late", published=late, tags=("x",))])
    world.clock.tick(days=3)
    after = Document(client, april)
    assert after.body == before.body
    assert after.headers["ETag"] == before.headers["ETag"]
    asked = {"If-None-Match": before.headers["ETag"]}
    assert client.get(april, headers=asked).status_code == 304
    # what is edited is news again, under the month of the edit
    edited = entry(
        "a", "n90", "Number 90, corrected", published=datetime(2025, 4, 2, tzinfo=UTC), tags=("x",)
    )
    world.poll("a", [edited], removed=["n93"])
    left = Document(client, april)
    gone = {"tag:a.example.org,2025:n90", "tag:a.example.org,2025:n93"}
    assert set(before.ids) - set(left.ids) == gone
    assert set(left.ids) < set(before.ids)
    may = Document(client, april.replace("2025-04", "2025-05"))
    assert {"tag:a.example.org,2025:n90", "tag:a.example.org,2025:late"} <= set(may.ids)
    assert may.headers["Cache-Control"].startswith("max-age=60, ")


def test_a_month_stays_as_it_is_when_others_begin(world: World) -> None:
    client = create_app(world.runtime).test_client()
    before = Document(client, "/feeds/all/archive/2025-04.atom")
    assert before.there("next-archive") == "/feeds/all/archive/2025-05.atom"
    world.clock.now = datetime(2025, 7, 1, tzinfo=UTC)
    world.poll("a", [entry("a", "july", "July", published=world.clock.now)])
    assert Document(client, "/feeds/all/archive/2025-04.atom").body == before.body


@pytest.mark.parametrize(
    ("month", "status", "told"),
    [
        ("2025-03", 404, "the nearest archives are 2025-02 and 2025-04"),
        ("2024-12", 404, "the nearest archives are 2025-01"),
        ("2025-06", 404, "yet to come"),
        ("9998-12", 404, "yet to come"),
        ("2025-13", 400, "archive/2025-04"),
        ("2025-00", 400, "archive/2025-04"),
        ("0000-01", 400, "archive/2025-04"),
        ("2025-4", 400, "archive/2025-04"),
        ("latest", 400, "archive/2025-04"),
        ("2025-04?before=last", 400, "begin again"),
        ("2025-04?below=x", 400, "begin again"),
        ("2025-04?limit=0", 400, "limit"),
    ],
)
def test_months_there_are_not(world: World, month: str, status: int, told: str) -> None:
    client = create_app(world.runtime).test_client()
    reply = client.get(address(f"/feeds/all/archive/{month}"))
    assert reply.status_code == status
    assert reply.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert told in json.loads(reply.data)["detail"]


def test_this_month_is_there_from_its_first_day(world: World) -> None:
    client = create_app(world.runtime).test_client()
    world.clock.now = datetime(2025, 6, 1, tzinfo=UTC)
    june = Document(client, "/feeds/all/archive/2025-06.atom")
    assert (june.ids, june.there("prev-archive")) == ([], "/feeds/all/archive/2025-05.atom")


def test_an_archive_is_a_page_and_has_one_address(world: World) -> None:
    client = create_app(world.runtime).test_client()
    page = client.get("/feeds/tags/x/archive/2025-04", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "April 2025" in page.text
    assert "Number 90" in page.text
    moved = client.get("/feeds/tags/X/archive/2025-04.atom?limit=5")
    assert moved.status_code == 301
    assert moved.headers["Location"].endswith("/feeds/tags/x/archive/2025-04.atom?limit=5")
    reply = client.get("/feeds/all/archive/2025-04", headers={"Accept": "application/rss+xml"})
    assert reply.headers["Content-Location"] == f"{BASE}/feeds/all/archive/2025-04.rss"


def test_pages_lead_both_ways(world: World) -> None:
    client = create_app(world.runtime).test_client()
    for feed in FEEDS:
        for options in ("limit=10", "limit=17", "limit=10&content=none&dupes=keep"):
            down = walk(client, address(feed, options=options), "next")
            last = down[0].there("last")
            assert last is not None
            assert (
                Document(client, last).ids
                == down[0].ids[:0] + [id for each in down for id in each.ids][-int(options[6:8]) :]
            )
            up = walk(client, down[-1].self.removeprefix(BASE), "previous")
            assert [each.ids for each in up[::-1]] == [each.ids for each in down]
            assert down[0].self == BASE + (down[-1].there("first") or "")
            back = walk(client, last, "previous")
            ids = [id for each in back[::-1] for id in each.ids]
            assert ids == [id for each in down for id in each.ids]
            assert not any(each.archive for each in down)
            assert {each.there("prev-archive") for each in down[1:]} == {None}


def test_json_feed_goes_on_by_next_url(world: World) -> None:
    client = create_app(world.runtime).test_client()
    ids: list[str] = []
    there = "/feeds/all.json?limit=20"
    while there:
        page = Document(client, there)
        ids += page.ids
        there = (page.next_url or "").removeprefix(BASE)
    assert len(ids) == len(set(ids)) == 34
    month = Document(client, "/feeds/all/archive/2025-04.json")
    assert month.next_url == month.links["prev-archive"]


def test_orders_other_than_by_date(world: World) -> None:
    client = create_app(world.runtime).test_client()
    everything = set(Document(client, "/feeds/all.atom?limit=500").ids)
    for sort in ("updated", "relevance"):
        query = f"/feeds/query?q=number sort:{sort}"
        pages = walk(client, address(query, options="limit=10"), "next")
        assert {id for each in pages for id in each.ids} == everything
        assert ("last" in pages[0].links) is (sort == "updated")
        # archives go by the month, and so repeat what another order has shown
        found = walk(client, address(query, options="limit=10"), "prev-archive")
        ids = [id for each in found[1:] for id in each.ids]
        assert len(ids) == len(set(ids))
        assert set(ids) == everything
    bad = client.get("/feeds/query.atom?q=number sort:relevance&before=last")
    assert bad.status_code == 400


def test_a_304_of_an_archive_renders_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = create_app(world.runtime).test_client()
    etag = client.get("/feeds/all/archive/2025-04.atom").headers["ETag"]

    def fail(*_: Any) -> bytes:
        raise AssertionError("rendered")

    for name in ("fragment", "assemble"):
        monkeypatch.setattr(FORMATS["atom"], name, fail)
    asked = {"If-None-Match": etag}
    assert client.get("/feeds/all/archive/2025-04.atom", headers=asked).status_code == 304
