"""Hostile vectors through the whole service: nothing executable in any feed, page or answer."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import etree

from feedsvc.model import Source, StoredEntry
from feedsvc.query import parse
from feedsvc.round import poll_once
from feedsvc.runtime import Runtime
from feedsvc.web import create_app
from feedsvc.web.api import ROOT
from tests.curl import BASE
from tests.feedserver import FeedServer
from tests.store import empty_runtime
from tests.xss import VECTORS, atom, bad_url, documents, faults, jsonfeed, rss

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
FEEDS = {"rss": rss, "atom": atom, "json": jsonfeed}
PER_VECTOR = 4 + 4  # entries: rss, atom (twice), json; txt, md, html, eml


class World:
    """A store into which all vectors were polled, and its web door."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.client: FlaskClient = create_app(runtime).test_client()
        self.entries = list(self._entries())

    def _entries(self) -> Iterator[StoredEntry]:
        cursor = None
        while True:
            found = self.runtime.store.find(
                parse(""), limit=500, now=self.runtime.clock(), before=cursor
            )
            yield from found.entries
            cursor = found.next
            if cursor is None:
                return

    def get(self, path: str, accept: str = "*/*") -> str:
        reply = self.client.get(path, headers={"Accept": accept})
        assert reply.status_code == 200, (path, reply.data[:200])
        return reply.get_data(as_text=True)

    def feeds(self, suffix: str) -> Iterator[str]:
        for status in self.runtime.store.sources():
            yield self.get(f"/feeds/sources/{status.source.id}.{suffix}?limit=500")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("xss")
    seeds = folder / "seeds"
    seeds.mkdir()
    with (
        FeedServer() as server,
        empty_runtime(folder, POLL__WORKERS="2", POLL__ALLOW_PRIVATE=f'["{server.address}"]') as r,
    ):
        r.store.add_source(Source(id="seeds", kind="directory", location=str(seeds)), r.clock())
        for number, vector in enumerate(VECTORS):
            for name, body in documents(number, vector):
                (seeds / name).write_bytes(body)
            for kind, write in FEEDS.items():
                path = f"/{number}.{kind}"
                type = "application/feed+json" if kind == "json" else "application/xml"
                server.serve(path, write(number, vector), headers={"Content-Type": type})
                source = Source(id=f"{kind}-{number}", kind="feed", location=server.url(path))
                r.store.add_source(source, r.clock())
        report = asyncio.run(poll_once(r, ignore_schedule=True))
        failed = [x for x in report.reports if x.error]
        assert failed == [], failed[:3]
        yield World(r)


def test_every_vector_came_through(world: World) -> None:
    uids = {stored.entry.uid for stored in world.entries}
    assert len(uids) == len(world.entries) == len(VECTORS) * PER_VECTOR


def judged(where: str, markup: str | None, *, page: bool = False) -> list[str]:
    return [f"{where}: {fault}" for fault in faults(markup or "", page=page)]


def test_atom(world: World) -> None:
    found: list[str] = []
    for body in world.feeds("atom"):
        for element in etree.fromstring(body.encode()).iter(etree.Element):
            if element.get("type") == "html":
                found += judged(element.tag, element.text)
            assert element.get("type") != "xhtml"
            if element.tag in {f"{ATOM}uri", f"{ATOM}icon", f"{ATOM}logo", f"{ATOM}id"}:
                found += filter(None, [bad_url(element.text or "")])
            found += filter(
                None, [bad_url(element.get(x, "urn:x")) for x in ("href", "src", "uri")]
            )
    assert found == []


def test_rss(world: World) -> None:
    found: list[str] = []
    for body in world.feeds("rss"):
        for element in etree.fromstring(body.encode()).iter(etree.Element):
            if element.tag in {"description", CONTENT}:
                found += judged(element.tag, element.text)
            if element.tag in {"link", "url", "comments", "docs"} and element.text:
                found += filter(None, [bad_url(element.text)])
            found += filter(None, [bad_url(element.get(x, "urn:x")) for x in ("href", "url")])
    assert found == []


def urls(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str) and (
                name.endswith("url") or name in {"icon", "image", "href"}
            ):
                yield inner
            else:
                yield from urls(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from urls(inner)


def test_json(world: World) -> None:
    found: list[str] = []
    for body in world.feeds("json"):
        feed = json.loads(body)
        for item in feed["items"]:
            found += judged(item["id"], item.get("content_html"))
        found += filter(None, map(bad_url, urls(feed)))
    assert found == []


def test_api(world: World) -> None:
    found: list[str] = []
    address, told = f"{ROOT}/entries?limit=500&dupes=keep", 0
    while address:
        page = json.loads(world.get(address))
        for entry in page["entries"]:
            told += 1
            for text in (entry["summary"], entry["content"]):
                if text and text["type"] == "html":
                    found += judged(entry["key"], text["value"])
            found += filter(None, map(bad_url, filter(None, [entry["link"], *urls(entry)])))
        address = (page["next_url"] or "").removeprefix(BASE)
    assert told == len(world.entries)
    address = f"{ROOT}/sources?limit=500"
    while address:
        page = json.loads(world.get(address))
        found += filter(None, map(bad_url, urls(page["sources"])))
        address = (page["next_url"] or "").removeprefix(BASE)
    assert found == []


def test_pages(world: World) -> None:
    paths = [f"/entries/{stored.entry.key}" for stored in world.entries]
    paths += [f"/feeds/sources/{x.source.id}?limit=500" for x in world.runtime.store.sources()]
    paths += ["/", "/feeds/all?limit=500", "/tags", "/search?q=alert"]
    ids = [status.source.id for status in world.runtime.store.sources()]
    paths += [f"/sources?limit=500&after={id}" for id in ["", *ids[499::500]]]
    found: list[str] = []
    for path in paths:
        found += judged(path, world.get(path, "text/html"), page=True)
    assert found == []


def test_subscription_lists(world: World) -> None:
    for path in ("/opml", "/feeds.opml"):
        for element in etree.fromstring(world.get(path).encode()).iter("outline"):
            for name in ("xmlUrl", "htmlUrl"):
                assert bad_url(element.get(name, "urn:x")) is None, element.attrib


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<p onclick=x>",
        "<a href=javascript:x>",
        "<a href='java\nscript:x'>",
        "<img src='data:image/svg+xml;base64,AA'>",
        "<iframe src='https://evil.example/' sandbox></iframe>",
        "<p style='position:fixed'>",
        "<svg><a xlink:href=x>",
        "<object></object>",
        "<!-- -->",
        "<img srcset='javascript:x 1x'>",
        "<p title='",
    ],
)
def test_the_judge_sees_what_is_bad(markup: str) -> None:
    assert faults(markup)
