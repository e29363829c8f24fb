"""Feeds over HTTP, from the address to the last header, on a real store."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from lxml import etree
from werkzeug.test import Client, TestResponse

from feedsvc.compose import Composer
from feedsvc.formats import FORMATS
from feedsvc.model import Text
from feedsvc.runtime import Runtime
from feedsvc.web import create_app, front_of
from tests.weblib import ISTANBUL, World, entry, fill, open_world

ATOM = "{http://www.w3.org/2005/Atom}"
BASE = "http://127.0.0.1:8080"
PATHS = (
    "/feeds/all",
    "/feeds/tags/diplomacy",
    "/feeds/tags/diplomacy,united-states",
    "/feeds/sources/bbc",
    "/feeds/diplomacy",
    "/feeds/long-reads",
    "/feeds/query?q=istanbul",
)
DECODE = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": zstandard.ZstdDecompressor().decompress,
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path)
    with world.runtime:
        yield fill(world)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a world that no test changes."""
    world = open_world(tmp_path_factory.mktemp("feeds"))
    with world.runtime:
        yield client_of(fill(world))


def client_of(world: World) -> Client:
    world.clock.tick(hours=1)
    return create_app(world.runtime).test_client()


def suffixed(path: str, suffix: str) -> str:
    head, mark, query = path.partition("?")
    return f"{head}.{suffix}{mark}{query}"


def titles(reply: TestResponse) -> list[str]:
    return [item["title"] for item in json.loads(reply.data)["items"]]


@pytest.mark.parametrize("suffix", list(FORMATS))
@pytest.mark.parametrize("path", PATHS)
def test_every_feed_in_every_format(client: Client, path: str, suffix: str) -> None:
    address = suffixed(path, suffix)
    reply = client.get(address)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == f"{FORMATS[suffix].media_type}; charset=utf-8"
    assert reply.headers["ETag"].startswith('"')
    assert parsedate_to_datetime(reply.headers["Last-Modified"]) > datetime(2025, 5, 1, tzinfo=UTC)
    cache = "max-age=60, stale-while-revalidate=60, stale-if-error=86400"
    assert reply.headers["Cache-Control"] == cache
    assert reply.headers["Vary"] == "A-IM, Accept-Encoding"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert f'<{BASE}{address}>; rel="self"' in reply.headers["Link"]
    assert "Set-Cookie" not in reply.headers
    assert int(reply.headers["Content-Length"]) == len(reply.data)
    assert (BASE + address).replace("&", "&amp;").encode() in reply.data
    assert b"Report number" in reply.data or ISTANBUL.encode() in reply.data


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/atom+xml; charset=utf-8"),
        ("*/*", "application/atom+xml; charset=utf-8"),
        ("application/rss+xml", "application/rss+xml; charset=utf-8"),
        ("application/json", "application/feed+json; charset=utf-8"),
        ("text/html,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
    ],
)
def test_accept_chooses_where_there_is_no_suffix(
    client: Client, accept: str | None, content_type: str
) -> None:
    for path in PATHS:
        reply = client.get(path, headers={"Accept": accept} if accept else {})
        assert reply.status_code == 200
        assert reply.headers["Content-Type"] == content_type
        deltas = "" if content_type.startswith("text/html") else "A-IM, "
        assert reply.headers["Vary"] == f"Accept, {deltas}Accept-Encoding"


def test_a_negotiated_feed_says_where_it_lives(client: Client) -> None:
    reply = client.get("/feeds/all?limit=2", headers={"Accept": "application/rss+xml"})
    there = reply.headers["Content-Location"]
    assert there == f"{BASE}/feeds/all.rss?limit=2"
    assert client.get(there.removeprefix(BASE)).data == reply.data
    assert "Content-Location" not in client.get("/feeds/all.rss").headers


def test_representations_differ_in_their_tags(client: Client) -> None:
    types = ("application/atom+xml", "application/rss+xml", "application/json", "text/html")
    tags = {client.get("/feeds/all", headers={"Accept": one}).headers["ETag"] for one in types}
    assert len(tags) == len(types)


@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        ("/feeds/tags/Diplomacy", "/feeds/tags/diplomacy"),
        ("/feeds/tags/world,diplomacy.rss", "/feeds/tags/diplomacy,world.rss"),
        ("/feeds/tags/usa.json?limit=3", "/feeds/tags/united-states.json?limit=3"),
        ("/feeds/tags/world,World,,diplomacy,", "/feeds/tags/diplomacy,world"),
        ("/feeds/tags/United%20States", "/feeds/tags/united-states"),
        ("/feeds/tags/caf%C3%A9%E6%97%A5", "/feeds/tags/cafe%E6%97%A5"),
        ("/feeds/all/", "/feeds/all"),
        ("/feeds/all.atom/?limit=2", "/feeds/all.atom?limit=2"),
        ("/feeds/query?q=&limit=2", "/feeds/all?q=&limit=2"),
    ],
)
def test_one_feed_has_one_address(client: Client, asked: str, canonical: str) -> None:
    reply = client.get(asked)
    assert reply.status_code == 301
    assert reply.headers["Location"] == canonical
    assert client.get(canonical).status_code == 200


def test_equal_queries_are_one_feed(client: Client) -> None:
    one = client.get("/feeds/query.atom?q=tag:diplomacy+istanbul")
    two = client.get("/feeds/query.atom?limit=&x=1&q=ISTANBUL++tag:Diplomacy")
    assert one.data == two.data
    assert one.headers["ETag"] == two.headers["ETag"]


@pytest.mark.parametrize("suffix", ["", ".atom", ".rss", ".json"])
@pytest.mark.parametrize("rest", ["", "/archive/2025-04"])
def test_a_query_for_tags_alone_is_the_feed_of_these_tags(
    client: Client, suffix: str, rest: str
) -> None:
    asked = f"/feeds/query{rest}{suffix}?q=tag:Diplomacy+AND+-(-tag:diplomacy)&limit=3"
    canonical = f"/feeds/tags/diplomacy{rest}{suffix}?limit=3"
    for accept in ("*/*", "text/html"):
        one = client.get(asked, headers={"Accept": accept})
        two = client.get(canonical, headers={"Accept": accept})
        assert (one.status_code, two.status_code) == (200, 200)
        assert one.data == two.data
        assert one.headers["ETag"] == two.headers["ETag"]
        assert one.headers.get("Link") == two.headers.get("Link")
    place = canonical if suffix else canonical.replace("?", ".atom?")
    reply = client.get(asked)
    assert reply.headers["Content-Location"].endswith(place)
    again = client.get(asked, headers={"If-None-Match": reply.headers["ETag"]})
    assert again.status_code == 304


def test_unknown_parameters_are_no_part_of_the_address(client: Client) -> None:
    plain = client.get("/feeds/all.atom?limit=3")
    tracked = client.get("/feeds/all.atom?utm_source=x&limit=3&fbclid=1")
    assert tracked.data == plain.data
    assert tracked.headers["ETag"] == plain.headers["ETag"]
    assert b"utm_source" not in tracked.data


@pytest.mark.parametrize(
    "option",
    [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=ten",
        "limit=1.5",
        "limit=%D9%A3",
        "limit=99999999999999999999",
        "limit=0000005009",
        "dupes=maybe",
        "content=half",
        "before=nonsense",
    ],
)
def test_a_bad_option_is_named(client: Client, option: str) -> None:
    reply = client.get(f"/feeds/all.atom?{option}")
    assert reply.status_code == 400
    problem = json.loads(reply.data)
    assert reply.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert problem["status"] == 400
    assert problem["detail"]


def test_options_do_what_they_say(client: Client) -> None:
    assert len(titles(client.get("/feeds/all.json?limit=1"))) == 1
    assert len(titles(client.get("/feeds/all.json?limit=500"))) == 13
    full = client.get("/feeds/all.json").data
    assert b"Six hours" in full
    assert b"Six hours" not in client.get("/feeds/all.json?content=summary").data
    assert b"met in Istanbul" not in client.get("/feeds/all.json?content=none").data


@pytest.mark.parametrize("path", ["/feeds/all", "/feeds/sources/bbc", "/feeds/query?q=report"])
def test_pages_hold_every_entry_once(client: Client, path: str) -> None:
    everything = titles(
        client.get(f"{suffixed(path, 'json')}{'&' if '?' in path else '?'}limit=500")
    )
    url: str | None = f"{suffixed(path, 'atom')}{'&' if '?' in path else '?'}limit=5"
    seen = []
    while url:
        tree = etree.fromstring(client.get(url.removeprefix(BASE)).data)
        seen += [one.findtext(f"{ATOM}title") for one in tree.iter(f"{ATOM}entry")]
        following = [link.get("href") for link in tree.findall(f"{ATOM}link[@rel='next']")]
        url = following[0] if following else None
    assert seen == everything
    assert len(seen) >= 12


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/nothing",
        "/feeds/nothing.atom",
        "/feeds/sources/nothing.rss",
        "/feeds/sources/",
        "/feeds/tags/",
        "/feeds/tags/,-,.atom",
        "/feeds/all/more",
        "/feeds/.atom",
        "/feeds/all.pdf",
        "/feeds/",
        "/nothing",
        "/feeds/sources/a/b.atom",
        "/feeds//all",
        "/feeds//all.atom",
        "/feeds//evil.example/all.atom",
        "/feeds//evil.example/",
        "/feeds/%2f%2Fevil.example/all",
        "/feeds/%5Cevil.example/all",
        "//feeds/all",
        "/feeds/all.xml",
        "/feeds/tags/world.xml",
        "/feeds/tags/World.RDF",
        "/feeds/tags/world,diplomacy.html",
        "/tags/",
    ],
)
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 404
    assert json.loads(reply.data)["title"] == "Not Found"
    assert "Location" not in reply.headers
    page = client.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/feeds/all.atom", "/", "/entries/x", "/healthz", "/opml"])
def test_only_reading_is_allowed(client: Client, path: str, method: str) -> None:
    reply = client.open(path, method=method)
    assert reply.status_code == 405
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"
    told = client.open(path, method="OPTIONS")
    assert (told.status_code, told.data) == (204, b"")
    assert told.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert "Access-Control-Allow-Origin" not in told.headers


@pytest.mark.parametrize("suffix", ["", *(f".{name}" for name in FORMATS)])
@pytest.mark.parametrize("coding", ["", "gzip", "zstd"])
def test_head_says_what_get_would(client: Client, suffix: str, coding: str) -> None:
    headers = {"Accept-Encoding": coding}
    get = client.get(f"/feeds/all{suffix}", headers=headers)
    head = client.head(f"/feeds/all{suffix}", headers=headers)
    assert head.data == b""
    assert head.status_code == 200
    assert dict(head.headers) == dict(get.headers)


# -- conditional requests ----------------------------------------------------------------------


class Counting:
    """A store that counts how often it is asked for whole entries."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.found = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def find(self, *args: Any, **more: Any) -> Any:
        self.found += 1
        return self._store.find(*args, **more)


@pytest.mark.parametrize("path", [*(suffixed("/feeds/all", s) for s in FORMATS), "/feeds/all", "/"])
def test_304_without_rendering(world: World, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    store = Counting(world.runtime.store)
    rendered = []
    rendering = Composer.rendering
    monkeypatch.setattr(
        Composer,
        "rendering",
        lambda self, request, suffix, *more: (
            rendered.append(suffix),
            rendering(self, request, suffix, *more),
        )[1],
    )
    runtime = Runtime(config=world.runtime.config, store=store, clock=world.clock)  # type: ignore[arg-type]
    world.clock.tick(hours=1)
    # behind what answers from memory
    client = Client(front_of(runtime, every=0.0).application)
    accept = {"Accept": "text/html"} if path == "/feeds/all" else {}
    first = client.get(path, headers=accept)
    done = (store.found, len(rendered))
    assert done != (0, 0)
    conditions: list[dict[str, str]] = [{"If-None-Match": first.headers["ETag"]}]
    if "Last-Modified" in first.headers:
        conditions.append({"If-Modified-Since": first.headers["Last-Modified"]})
    for condition in conditions:
        again = client.get(path, headers={**accept, **condition})
        assert again.status_code == 304
        assert again.data == b""
        for name in ("ETag", "Cache-Control", "Vary", "Last-Modified"):
            assert again.headers.get(name) == first.headers.get(name)
        assert "Content-Length" not in again.headers
        assert "Content-Type" not in again.headers
    assert (store.found, len(rendered)) == done


@pytest.mark.parametrize("coding", list(DECODE))
def test_each_coding_has_its_own_tag(client: Client, coding: str) -> None:
    plain = client.get("/feeds/all.atom")
    packed = client.get("/feeds/all.atom", headers={"Accept-Encoding": coding})
    assert packed.headers["Content-Encoding"] == coding
    assert DECODE[coding](packed.data) == plain.data
    tag = packed.headers["ETag"]
    assert tag != plain.headers["ETag"]

    again = {"If-None-Match": tag, "Accept-Encoding": coding}
    reply = client.get("/feeds/all.atom", headers=again)
    assert (reply.status_code, reply.headers["ETag"]) == (304, tag)
    # another coding is another representation
    assert client.get("/feeds/all.atom", headers={"If-None-Match": tag}).status_code == 200
    both = {"If-None-Match": f'"old", W/{tag}', "Accept-Encoding": coding}
    assert client.get("/feeds/all.atom", headers=both).status_code == 304
    assert client.get("/feeds/all.atom", headers={"If-None-Match": "*"}).status_code == 304


def test_a_tag_outweighs_a_date(client: Client) -> None:
    late = "Fri, 01 Jan 2100 00:00:00 GMT"
    headers = {"If-None-Match": '"other"', "If-Modified-Since": late}
    assert client.get("/feeds/all.atom", headers=headers).status_code == 200
    assert client.get("/feeds/all.atom", headers={"If-Modified-Since": late}).status_code == 304
    early = "Fri, 01 Jan 2021 00:00:00 GMT"
    assert client.get("/feeds/all.atom", headers={"If-Modified-Since": early}).status_code == 200
    assert client.get("/feeds/all.atom", headers={"If-Modified-Since": "soon"}).status_code == 200


def test_a_change_shows_in_every_validator(world: World) -> None:
    client = client_of(world)
    before = {path: client.get(path) for path in ("/feeds/all.atom", "/feeds/tags/sports.atom")}
    world.poll("seeds", [entry("seeds", "new", "Brand new", summary=Text(value="News."))])
    world.clock.tick(minutes=1)
    for path, old in before.items():
        changed = path == "/feeds/all.atom"
        for condition in ("ETag", "Last-Modified"):
            name = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[condition]
            reply = client.get(path, headers={name: old.headers[condition]})
            assert reply.status_code == (200 if changed else 304), (path, condition)
    assert b"Brand new" in client.get("/feeds/all.atom").data


def test_a_withdrawn_entry_leaves_and_is_named(world: World) -> None:
    client = client_of(world)
    old = client.get("/feeds/all.atom")
    world.poll("seeds", removed=["istanbul"])
    reply = client.get("/feeds/all.atom", headers={"If-None-Match": old.headers["ETag"]})
    assert reply.status_code == 200
    tree = etree.fromstring(reply.data)
    assert ISTANBUL not in [t.text for t in tree.iter(f"{ATOM}title")]
    gone = [
        e.get("ref") for e in tree.iter("{http://purl.org/atompub/tombstones/1.0}deleted-entry")
    ]
    assert gone == ["tag:seeds.example.org,2025:istanbul"]


def test_last_modified_never_names_the_running_second(world: World) -> None:
    app = create_app(world.runtime)
    reply = app.test_client().get("/feeds/all.atom")
    sent = parsedate_to_datetime(reply.headers["Last-Modified"])
    assert sent < world.clock().replace(microsecond=0)
    world.clock.tick(seconds=5)
    later = app.test_client().get("/feeds/all.atom").headers["Last-Modified"]
    assert parsedate_to_datetime(later) - sent <= timedelta(seconds=1)


def test_replicas_and_restarts_agree(world: World, tmp_path: Path) -> None:
    world.clock.tick(hours=1)
    one = create_app(world.runtime).test_client()
    with open_world(tmp_path).runtime as again:
        two = create_app(again).test_client()
        for path in PATHS:
            for suffix in FORMATS:
                first, second = (c.get(suffixed(path, suffix)) for c in (one, two))
                assert first.data == second.data
                assert first.headers["ETag"] == second.headers["ETag"]
        page = {"Accept": "text/html"}
        tags = [c.get("/feeds/all", headers=page).headers["ETag"] for c in (one, two)]
        assert tags[0] == tags[1]


def test_a_feed_of_deltas_is_not_offered_yet_and_the_whole_is_right(client: Client) -> None:
    old = client.get("/feeds/all.atom").headers["ETag"]
    reply = client.get("/feeds/all.atom", headers={"A-IM": "feed", "If-None-Match": '"x"'})
    assert reply.status_code == 200
    assert "IM" not in reply.headers
    same = client.get("/feeds/all.atom", headers={"A-IM": "feed", "If-None-Match": old})
    assert same.status_code == 304


def test_names_may_end_like_a_suffix(tmp_path: Path) -> None:
    """A source called `notes.json` is found at its address, with and without a suffix."""
    with open_world(tmp_path).runtime as runtime:
        world = World(runtime, runtime.clock)  # type: ignore[arg-type]
        world.source("notes.json", title="Notes")
        world.source("notes", title="Other")
        client = create_app(runtime).test_client()
        exact = client.get("/feeds/sources/notes.json.atom")
        assert b"/feeds/sources/notes.json.atom" in exact.data
        # the shorter reading wins where both exist
        assert (
            client.get("/feeds/sources/notes.json")
            .headers["Content-Type"]
            .startswith("application/feed+json")
        )
        runtime.store.remove_source("notes", purge=False, now=runtime.clock())
        negotiated = client.get("/feeds/sources/notes.json")
        assert negotiated.headers["Content-Type"].startswith("application/atom+xml")


def test_a_path_in_any_script(tmp_path: Path) -> None:
    world = fill(open_world(tmp_path, site='base_url = "https://example.org/новости"'))
    with world.runtime:
        client = client_of(world)
        page = client.get("/новости/tags", headers={"Accept": "text/html"})
        assert page.status_code == 200
        links = set(re.findall(r'href="(/[^"]*)"', page.get_data(as_text=True)))
        assert len(links) > 5
        assert all(link.startswith("/%D0%BD%D0%BE") for link in links)
        feed = client.get("/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/feeds/all")
        assert feed.status_code == 200
        assert all(value.isascii() for value in feed.headers.values())


def test_a_path_of_its_own(tmp_path: Path) -> None:
    """Below `/my/news` everything works, whether or not the proxy takes that off."""
    world = fill(open_world(tmp_path, site='base_url = "https://example.org/my/news"'))
    with world.runtime:
        client = client_of(world)
        whole = client.get("/my/news/feeds/all.atom")
        taken_off = client.get("/feeds/all.atom")
        assert whole.data == taken_off.data
        assert "<https://example.org/my/news/feeds/all.atom>" in whole.headers["Link"]
        moved = client.get("/my/news/feeds/tags/Diplomacy")
        assert moved.headers["Location"] == "/my/news/feeds/tags/diplomacy"
        for path in ("/my/news/", "/my/news", "/"):
            page = client.get(path).get_data(as_text=True)
            assert 'href="/my/news/tags"' in page
            assert 'href="/my/news/feeds/all.atom"' in page
            assert 'href="/feeds' not in page
