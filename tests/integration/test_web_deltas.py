"""`A-IM: feed` (RFC 3229) over three changes, and whenever the whole feed is the answer."""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import feedparser
import pytest
import zstandard
from lxml import etree
from werkzeug.test import Client, TestResponse

from feedsvc.formats import FORMATS
from feedsvc.model import Text
from feedsvc.web import create_app
from tests.conformance.format_rules import faults
from tests.weblib import FIRST, World, entry, fill, open_world

ATOM = "{http://www.w3.org/2005/Atom}"
DECODE = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
}
GONE = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path)
    with world.runtime:
        yield fill(world)


class Reader:
    """A client that takes deltas and puts its entries together from them, by their ids."""

    def __init__(self, client: Client, path: str, **headers: str) -> None:
        self.client, self.path, self.headers = client, path, headers
        self.etag: str | None = None
        self.entries: dict[str, str] = {}

    def ask(self, **headers: str) -> TestResponse:
        asked = {"A-IM": "feed", **self.headers, **headers}
        if self.etag:
            asked.setdefault("If-None-Match", self.etag)
        return self.client.get(self.path, headers=asked)

    def poll(self) -> tuple[int, list[str], list[str]]:
        """The status, titles that came, and ids that went."""
        reply = self.ask()
        if reply.status_code == 304:
            return 304, [], []
        assert faults(self.path.partition("?")[0].rpartition(".")[2], reply.data) == []
        feed = etree.fromstring(reply.data)
        new = {
            one.findtext(f"{ATOM}id"): one.findtext(f"{ATOM}title")
            for one in feed.iter(f"{ATOM}entry")
        }
        gone = [one.get("ref") for one in feed.iter(GONE)]
        self.entries |= new
        for id in gone:
            self.entries.pop(id, None)
        self.etag = reply.headers["ETag"]
        return reply.status_code, sorted(new.values()), gone


def shown(client: Client, path: str) -> dict[str, str]:
    feed = etree.fromstring(client.get(path).data)
    return {
        one.findtext(f"{ATOM}id"): one.findtext(f"{ATOM}title") for one in feed.iter(f"{ATOM}entry")
    }


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/all.atom",
        "/feeds/tags/world.atom",
        "/feeds/query.atom?q=report&content=none&limit=9",
    ],
)
@pytest.mark.parametrize("coding", ["identity", "gzip", "br", "zstd"])
def test_three_changes(world: World, path: str, coding: str) -> None:
    client = create_app(world.runtime).test_client()
    plain = Reader(client, path)
    whole = client.get(path)
    assert whole.status_code == 200
    assert "A-IM" in whole.headers["Vary"]
    plain.etag = whole.headers["ETag"]
    coded = client.get(path, headers={"A-IM": "feed", "Accept-Encoding": coding})
    assert coded.status_code == 200
    plain.entries = shown(client, path)
    assert plain.poll() == (304, [], [])

    later = FIRST + timedelta(days=9)
    world.poll("bbc", [entry("bbc", "new", "Report that is new", published=later, tags=("world",))])
    assert plain.poll() == (226, ["Report that is new"], [])
    assert plain.entries.items() >= shown(client, path).items()
    assert plain.poll() == (304, [], [])

    edited = entry(
        "bbc",
        "n9",
        "Report number 9 and a half",
        published=FIRST + timedelta(hours=9),
        updated=world.clock(),
        summary=Text(value="Other words."),
        tags=("world",),
    )
    world.poll("bbc", [edited])
    assert plain.poll() == (226, ["Report number 9 and a half"], [])
    assert plain.poll() == (304, [], [])

    world.poll("bbc", removed=["n8"])
    status, _, gone = plain.poll()
    assert (status, gone) == (226, ["tag:bbc.example.org,2025:n8"])
    assert plain.poll() == (304, [], [])
    assert plain.entries.items() >= shown(client, path).items()
    # who slept through all of it gets it at once
    late = Reader(client, path)
    late.etag = coded.headers["ETag"]
    reply = late.ask(**{"Accept-Encoding": coding})
    assert reply.status_code == 226
    assert reply.headers.get("Content-Encoding", "identity") == coding
    assert reply.headers["Delta-Base"] == coded.headers["ETag"]
    assert reply.headers["ETag"].partition(".")[0] == plain.etag.partition(".")[0]  # type: ignore[union-attr]
    late.etag = whole.headers["ETag"]
    status, titles, gone = late.poll()
    assert {"Report that is new", "Report number 9 and a half"} <= set(titles)
    assert len(titles) <= 3  # one may have come up from the next page
    assert gone == ["tag:bbc.example.org,2025:n8"]


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_every_format_has_deltas(world: World, suffix: str) -> None:
    client = create_app(world.runtime).test_client()
    path = f"/feeds/all.{suffix}"
    before = client.get(path)
    world.poll("bbc", [entry("bbc", "new", "Something new")], removed=["n8"])
    asked = {"A-IM": "feed", "If-None-Match": before.headers["ETag"]}
    reply = client.get(path, headers=asked)
    assert reply.status_code == 226
    assert reply.headers["IM"] == "feed"
    assert reply.headers["Cache-Control"] == "no-store, im"
    assert {"A-IM", "If-None-Match", "Accept-Encoding"} <= set(reply.headers["Vary"].split(", "))
    assert reply.headers["Content-Type"] == before.headers["Content-Type"]
    assert faults(suffix, reply.data) == []
    assert client.head(path, headers=asked).headers["Content-Length"] == str(len(reply.data))
    whole = client.get(path)
    assert reply.headers["ETag"] == whole.headers["ETag"]
    assert reply.headers["Last-Modified"] == whole.headers["Last-Modified"]
    if suffix == "json":
        made = json.loads(reply.data)
        assert [item["title"] for item in made["items"]] == ["Something new"]
        assert [one["id"] for one in made["_feedsvc"]["deleted"]] == ["tag:bbc.example.org,2025:n8"]
    else:
        read = feedparser.parse(reply.data)
        assert [one.title for one in read.entries] == ["Something new"]
        assert reply.data.count(b"<at:deleted-entry ") == 1


def test_any_replica_and_a_restart_know_the_instance(world: World, tmp_path: Path) -> None:
    first = create_app(world.runtime).test_client()
    etag = first.get("/feeds/all.atom").headers["ETag"]
    world.poll("bbc", [entry("bbc", "new", "Something new")])
    other = open_world(tmp_path)
    other.clock.now = world.clock.now
    with other.runtime:
        second = create_app(other.runtime).test_client()
        asked = {"A-IM": "feed", "If-None-Match": etag}
        one, two = (client.get("/feeds/all.atom", headers=asked) for client in (first, second))
        assert one.status_code == two.status_code == 226
        assert one.data == two.data
        assert dict(one.headers) == dict(two.headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"A-IM": "vcdiff"},
        {"A-IM": "feed;q=0"},
        {"A-IM": "feed", "If-None-Match": '"unknown"'},
        {"A-IM": "feed", "If-None-Match": '"0123456789abcdef.A"'},
        {"A-IM": "feed", "If-None-Match": "nonsense"},
        {"A-IM": "feed", "User-Agent": "rss2email/3.14 (https://github.com/rss2email/rss2email)"},
        {
            "A-IM": "feed",
            "User-Agent": "feedparser/6.0.14 +https://github.com/kurtmckee/feedparser/",
        },
        {"If-None-Match": None},
    ],
)
def test_whoever_cannot_be_helped_gets_the_whole(
    world: World, headers: dict[str, str | None]
) -> None:
    client = create_app(world.runtime).test_client()
    known = client.get("/feeds/all.atom").headers["ETag"]
    world.poll("bbc", [entry("bbc", "new", "Something new")])
    asked = {"If-None-Match": known, **headers}
    reply = client.get("/feeds/all.atom", headers={k: v for k, v in asked.items() if v})
    assert reply.status_code == 200
    assert "IM" not in reply.headers
    assert reply.headers["Cache-Control"] == client.get("/feeds/all.atom").headers["Cache-Control"]
    assert reply.data == client.get("/feeds/all.atom").data


def test_tags_are_taken_as_they_come(world: World) -> None:
    client = create_app(world.runtime).test_client()
    known = client.get("/feeds/all.atom").headers["ETag"]
    coded = known[:-1] + '-gz"'
    world.poll("bbc", [entry("bbc", "new", "Something new")])
    for had, base in ((f"W/{known}", known), (f'"x", {known}', known), (coded, coded)):
        reply = client.get("/feeds/all.atom", headers={"A-IM": "gzip, feed", "If-None-Match": had})
        assert reply.status_code == 226
        assert reply.headers["Delta-Base"] == base


@pytest.mark.parametrize("coding", list(DECODE))
@pytest.mark.parametrize("first", [200, 226])
def test_a_delta_and_the_whole_feed_never_pass_for_one_another(
    world: World, coding: str, first: int
) -> None:
    """Both bear the entity tag of the whole feed, and bodies in their codings are kept by it."""
    client = create_app(world.runtime).test_client()
    coded = {"Accept-Encoding": coding}
    known = client.get("/feeds/all.atom", headers=coded).headers["ETag"]
    world.poll("bbc", [entry("bbc", "new", "Something new")])
    delta = {**coded, "A-IM": "feed", "If-None-Match": known}
    whole = client.get("/feeds/all.atom").data
    for status in (first, 426 - first, first):
        reply = client.get("/feeds/all.atom", headers=coded if status == 200 else delta)
        assert reply.status_code == status
        body = DECODE[coding](reply.data)
        assert (body == whole) is (status == 200)
        assert body.count(b"<entry>") == (whole.count(b"<entry>") if status == 200 else 1)


def test_a_tag_of_another_feed_is_unknown(world: World) -> None:
    client = create_app(world.runtime).test_client()
    other = client.get("/feeds/sources/bbc.atom").headers["ETag"]
    for path in ("/feeds/all.atom", "/feeds/all.rss", "/feeds/all.atom?limit=5"):
        asked = {"A-IM": "feed", "If-None-Match": other}
        assert client.get(path, headers=asked).status_code == 200


def test_pages_and_archives_come_whole(world: World) -> None:
    client = create_app(world.runtime).test_client()
    for path in (
        "/feeds/all.atom?limit=3&before=last",
        "/feeds/all/archive/2025-04.atom?limit=5",
        "/feeds/all",
    ):
        reply = client.get(path, headers={"Accept": "text/html" if path == "/feeds/all" else "*/*"})
        assert "." not in reply.headers["ETag"]
        assert "A-IM" not in reply.headers["Vary"]


def test_large_pages_come_whole(world: World) -> None:
    client = create_app(world.runtime).test_client()
    many = [entry("bbc", f"m{at}", f"Many {at}") for at in range(200)]
    world.poll("bbc", many)
    etag = client.get("/feeds/all.atom?limit=200").headers["ETag"]
    assert "." not in etag
    world.poll("bbc", [entry("bbc", "new", "Something new")])
    asked = {"A-IM": "feed", "If-None-Match": etag}
    assert client.get("/feeds/all.atom?limit=200", headers=asked).status_code == 200


@pytest.mark.parametrize(
    ("web", "status"), [("deltas = false", 200), ("no_deltas_for = []", 226), ("", 200)]
)
def test_the_configuration_decides(tmp_path: Path, web: str, status: int) -> None:
    world = open_world(tmp_path, web=web)
    with world.runtime:
        client = create_app(fill(world).runtime).test_client()
        known = client.get("/feeds/all.atom").headers
        assert ("A-IM" in known["Vary"]) is (web != "deltas = false")
        world.poll("bbc", [entry("bbc", "new", "Something new")])
        asked = {"A-IM": "feed", "If-None-Match": known["ETag"], "User-Agent": "rss2email/3"}
        assert client.get("/feeds/all.atom", headers=asked).status_code == status


def test_a_delta_writes_only_what_is_new(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = create_app(world.runtime).test_client()
    known = client.get("/feeds/all.atom").headers["ETag"]
    world.poll("bbc", [entry("bbc", "new", "Something new")])
    written: list[str] = []
    fragment = FORMATS["atom"].fragment

    def counting(one: Any) -> bytes:
        written.append(one.title)
        return fragment(one)

    monkeypatch.setattr(FORMATS["atom"], "fragment", counting)
    asked = {"A-IM": "feed", "If-None-Match": known}
    assert client.get("/feeds/all.atom", headers=asked).status_code == 226
    assert written == ["Something new"]
