"""Health, metrics, OPML, access and failures of the web door."""

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from lxml import etree
from werkzeug.test import Client

from feedsvc.errors import StoreUnavailable
from feedsvc.keys import entry_key, token_digest
from feedsvc.opml import read
from feedsvc.runtime import Runtime, open_runtime
from feedsvc.web import create_app
from tests.weblib import World, fill, open_world

BASE = "http://127.0.0.1:8080"
TOKEN = "correct/horse+9"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
QUOTED = "correct/horse%2B9"
ENTRY = f"/entries/{entry_key('tag:seeds.example.org,2025:istanbul')}"
PAGES = ("/", "/tags", "/tags/world", "/sources", "/stories", "/search", ENTRY)
READABLE = ("/feeds/all.atom", "/feeds/all", "/feeds/stories.atom", "/opml", "/feeds.opml", *PAGES)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path)
    with world.runtime:
        yield fill(world)


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Client]:
    world = fill(open_world(tmp_path, web=f'feed_tokens = ["another-one", "{TOKEN}"]'))
    with world.runtime:
        yield client_of(world)


def client_of(world: World) -> Client:
    return create_app(world.runtime).test_client()


class Broken:
    """A store that fails in one way whatever it is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*args: object, **more: object) -> None:
            raise self._error

        return fail


def broken(world: World, error: Exception) -> Client:
    runtime = Runtime(config=world.runtime.config, store=Broken(error), clock=world.clock)  # type: ignore[arg-type]
    return create_app(runtime).test_client()


# -- health ------------------------------------------------------------------------------------


def test_alive_is_alive_whatever_the_store_does(world: World) -> None:
    for client in (client_of(world), broken(world, StoreUnavailable("gone"))):
        reply = client.get("/healthz")
        assert (reply.status_code, json.loads(reply.data)) == (200, {"status": "ok"})
        assert reply.headers["Cache-Control"] == "no-store"


def test_ready_when_store_schema_and_poller_are(world: World) -> None:
    client = client_of(world)
    reply = client.get("/readyz")
    assert reply.status_code == 200
    checks = json.loads(reply.data)["checks"]
    assert {name: check["ok"] for name, check in checks.items()} == {
        "store": True,
        "schema": True,
        "poller": True,
    }
    # every source is due an hour after its poll; then web.ready_lag may pass
    world.clock.tick(minutes=58)
    assert client.get("/readyz").status_code == 200
    world.clock.tick(minutes=10)
    late = client.get("/readyz")
    assert late.status_code == 503
    poller = json.loads(late.data)["checks"]["poller"]
    assert poller["idle_seconds"] > poller["idle_bound_seconds"] == 120
    assert "feedsvc poll" in poller["problem"]


def test_a_poller_that_is_busy_is_ready_for_a_round_of_polling(world: World) -> None:
    client = client_of(world)
    world.clock.tick(minutes=85)
    world.poll("bbc")
    assert client.get("/readyz").status_code == 200
    world.clock.tick(minutes=10)
    world.poll("bbc")
    late = client.get("/readyz")
    assert late.status_code == 503
    poller = json.loads(late.data)["checks"]["poller"]
    assert poller["lag_seconds"] > poller["bound_seconds"] == 1800
    assert poller["idle_seconds"] == 0
    assert "enough pollers" in poller["problem"]


def test_not_ready_without_a_store_or_with_another_schema(world: World, tmp_path: Path) -> None:
    reply = broken(world, StoreUnavailable("secret-host refused")).get("/readyz")
    assert reply.status_code == 503
    assert json.loads(reply.data)["checks"]["store"]["ok"] is False
    assert b"secret-host" not in reply.data

    (tmp_path / "fresh").mkdir()
    with open_world(tmp_path / "fresh").runtime as runtime:
        config = runtime.config
    (tmp_path / "fresh" / "web.db").unlink()
    with open_runtime(config, migrate=False) as empty:
        reply = create_app(empty).test_client().get("/readyz")
    assert reply.status_code == 503
    failed = [name for name, check in json.loads(reply.data)["checks"].items() if not check["ok"]]
    assert failed


def test_requests_are_counted_by_route(world: World) -> None:
    client = client_of(world)

    def count(line: str) -> float:
        lines = client.get("/metrics").get_data(as_text=True).splitlines()
        return sum(float(one.rpartition(" ")[2]) for one in lines if one.startswith(line))

    route = 'feedsvc_http_requests_total{route="/feeds/<path:feed>",status='
    before = count(route)
    client.get("/feeds/all.atom")
    client.get("/feeds/nothing.atom")
    assert count(route) - before == 2
    unknown = 'feedsvc_http_requests_total{route="unknown",status="404"}'
    before = count(unknown)
    client.get("/wp-login.php")
    assert count(unknown) - before == 1
    assert client.get("/metrics").headers["Content-Type"].startswith("text/plain; version=")


# -- OPML --------------------------------------------------------------------------------------


def test_sources_as_opml_without_secrets(world: World) -> None:
    reply = client_of(world).get("/opml")
    assert reply.headers["Content-Type"] == "text/x-opml; charset=utf-8"
    outlines = read(reply.data)
    assert [one.url for one in outlines.subscriptions] == ["https://bbc.example.org/feed.xml"]
    assert outlines.subscriptions[0].title == "BBC News"
    assert outlines.subscriptions[0].tags == ("world",)
    # ids of entries may be made from it, wherever the list is imported
    assert outlines.subscriptions[0].id == "bbc"
    assert b"hunter2" not in reply.data
    assert etree.fromstring(reply.data).get("version") == "2.0"


def test_our_feeds_as_opml_by_tag(world: World) -> None:
    client = client_of(world)
    reply = client.get("/feeds.opml")
    listed = {one.url.removeprefix(BASE): one for one in read(reply.data).subscriptions}
    assert list(listed)[:4] == [
        "/feeds/all.atom",
        "/feeds/stories.atom",
        "/feeds/diplomacy.atom",
        "/feeds/long-reads.atom",
    ]
    assert listed["/feeds/sources/bbc.atom"].tags == ("world",)
    assert listed["/feeds/tags/world.atom"].tags == ("world",)
    assert listed["/feeds/tags/united-states.atom"].tags == ("tags",)
    for path in listed:
        assert client.get(path).status_code == 200
    etag = reply.headers["ETag"]
    assert client.get("/feeds.opml", headers={"If-None-Match": etag}).status_code == 304


# -- access ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", READABLE)
def test_with_tokens_nothing_is_read_without_one(private: Client, path: str) -> None:
    refused = private.get(path)
    assert refused.status_code == 401
    challenges = refused.headers.getlist("WWW-Authenticate")
    assert [one.split()[0] for one in challenges] == ["Basic", "Bearer"]
    assert b"Report" not in refused.data
    assert private.get(path, headers={"If-None-Match": "*"}).status_code == 401

    basic = base64.b64encode(f"reader:{TOKEN}".encode()).decode()
    mark = "&" if "?" in path else "?"
    for headers, query in (
        ({"Authorization": f"Bearer {TOKEN}"}, ""),
        ({"Authorization": f"Basic {basic}"}, ""),
        ({}, f"{mark}token={QUOTED}"),
    ):
        reply = private.get(path + query, headers=headers)
        assert reply.status_code == 200, (path, headers)
        assert reply.headers["Cache-Control"].startswith("private")
        assert b"correct" not in reply.data
        assert "correct" not in reply.headers.get("Link", "")


def test_a_token_changes_neither_bytes_nor_tag(private: Client) -> None:
    one = private.get(f"/feeds/all.atom?token={QUOTED}&limit=3")
    two = private.get("/feeds/all.atom?limit=3", headers={"Authorization": f"Bearer {TOKEN}"})
    assert one.data == two.data
    assert one.headers["ETag"] == two.headers["ETag"]


def test_a_wrong_token_is_no_token(private: Client) -> None:
    for query in ("?token=", "?token=correct", f"?token={QUOTED}0"):
        assert private.get(f"/feeds/all.atom{query}").status_code == 401
    assert private.get("/feeds/tags/World.atom?token=wrong").status_code == 401


def test_operators_need_no_token(private: Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/static/style.css"):
        assert private.get(path).status_code == 200


def test_nobody_is_sent_on_with_a_token(private: Client) -> None:
    """A redirect would have to name the token, or to lead where it is missing."""
    there = private.get(f"/feeds/tags/World.atom?limit=3&token={QUOTED}")
    assert there.status_code == 200
    assert f"{BASE}/feeds/tags/world.atom?limit=3>" in there.headers["Link"]
    assert private.get(f"/tags/World?token={QUOTED}").status_code == 200
    reply = private.get("/feeds/tags/World.atom?limit=3", headers=BEARER)
    assert (reply.status_code, reply.headers["Location"]) == (301, "/feeds/tags/world.atom?limit=3")
    assert reply.headers["Cache-Control"].startswith("private")


def test_tokens_of_the_store_open_and_are_revoked(world: World) -> None:
    client, store = client_of(world), world.runtime.store
    assert client.get("/feeds/all.atom").headers["Cache-Control"].startswith("max-age")
    for name in ("phone", "tablet"):
        store.add_token(name, token_digest(f"of the {name}"), world.clock())
    assert client.get("/feeds/all.atom").status_code == 401
    for path in ("/feeds/all.atom", "/", "/opml"):
        reply = client.get(f"{path}?token=of%20the%20phone")
        assert reply.status_code == 200
        assert reply.headers["Cache-Control"].startswith("private")
        assert "stale" not in reply.headers["Cache-Control"]
    store.remove_token("phone")
    assert client.get("/feeds/all.atom?token=of%20the%20phone").status_code == 401
    assert client.get("/feeds/all.atom?token=of%20the%20tablet").status_code == 200
    store.remove_token("tablet", last=True)
    assert client.get("/feeds/all.atom").headers["Cache-Control"].startswith("max-age")


# -- failures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path in READABLE if path != "/search"])
def test_without_a_store_it_is_503_and_when_to_come_back(world: World, path: str) -> None:
    client = broken(world, StoreUnavailable("postgresql://user:hunter2@db refused"))
    reply = client.get(path)
    assert reply.status_code == 503
    assert int(reply.headers["Retry-After"]) > 0
    assert reply.headers["Cache-Control"] == "no-store"
    assert b"hunter2" not in reply.data


def test_what_nobody_foresaw_is_logged_and_not_shown(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    client = broken(world, RuntimeError("the inside story"))
    with caplog.at_level(logging.ERROR):
        reply = client.get("/feeds/all.atom?token=s3cret")
    assert reply.status_code == 500
    problem = json.loads(reply.data)
    assert "inside" not in reply.get_data(as_text=True)
    assert "Traceback" not in reply.get_data(as_text=True)
    assert problem["reference"] in caplog.text
    assert "s3cret" not in caplog.text
    page = client.get("/feeds/all.atom", headers={"Accept": "text/html"})
    assert page.status_code == 500
    assert "inside" not in page.get_data(as_text=True)


def test_a_bad_query_points_at_the_place(world: World) -> None:
    client = client_of(world)
    reply = client.get("/feeds/query.atom?q=tag:a+(b")
    problem = json.loads(reply.data)
    assert (reply.status_code, problem["status"], problem["title"]) == (400, 400, "Bad Request")
    assert problem["query"] == "tag:a (b"
    assert problem["pointer"].split("\n") == ["tag:a (b", " " * problem["position"] + "^"]
    assert problem["help"] == f"{BASE}/search"
    missing = json.loads(client.get("/feeds/query").data)
    assert "/feeds/query?q=" in missing["detail"]
    page = client.get("/feeds/query?q=tag:a+(b", headers={"Accept": "text/html"})
    assert problem["pointer"] in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("sent", "position", "told", "shown"),
    [
        ("a%00b", 1, "no control characters, and here is U+0000", "a\ufffdb"),
        ("tag:a+%C2%9B", 6, "here is U+009B", "tag:a \ufffd"),
        ("caf%E9+b", 3, "write the query in UTF-8", "caf\ufffd b"),
        ("%ED%A0%80", 0, "write the query in UTF-8", "\ufffd\ufffd\ufffd"),
    ],
)
@pytest.mark.parametrize("address", ["/feeds/query.atom", "/api/v1/entries"])
def test_what_is_no_text_is_pointed_at(
    world: World, address: str, sent: str, position: int, told: str, shown: str
) -> None:
    client = client_of(world)
    reply = client.get(f"{address}?q={sent}")
    problem = json.loads(reply.data)
    assert reply.status_code == 400
    assert told in problem["detail"]
    assert (problem["query"], problem["position"]) == (shown, position)
    assert problem["pointer"] == f"{shown}\n{' ' * position}^"
    page = client.get(f"/search?q={sent}")
    assert page.status_code == 400
    assert f"<code>{shown}\n{' ' * position}^</code>" in page.get_data(as_text=True)


@pytest.mark.parametrize("address", ["/feeds/query.atom", "/api/v1/entries"])
def test_a_query_that_is_too_long_is_pointed_at_where_it_is(world: World, address: str) -> None:
    reply = client_of(world).get(f"{address}?q={'word+' * 500}")
    problem = json.loads(reply.data)
    assert reply.status_code == 400
    assert problem["position"] == 2000
    assert "2,500 characters" in problem["detail"]
    shown, caret = problem["pointer"].split("\n")
    assert len(shown) < 100
    assert shown[len(caret) - 1 :].startswith("word word")


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        ("/feeds/all.atom?limit=0", "limit"),
        ("/feeds/all.rss?content=most", "content"),
        ("/feeds/all.json?dupes=yes", "dupes"),
        ("/feeds/query.atom?q=tag:a&before=nonsense", "before"),
        ("/feeds/all/archive/2025-04.atom?below=nonsense", "below"),
        ("/feeds/all/archive/april.atom", "archive"),
        ("/feeds/tags/-a.atom", "tags"),
        ("/search?q=a&limit=x", "limit"),
    ],
)
def test_a_bad_option_is_named_and_is_no_query(world: World, asked: str, option: str) -> None:
    client = client_of(world)
    reply = client.get(asked, headers={"Accept": "application/problem+json"})
    problem = json.loads(reply.data)
    assert reply.status_code == 400
    assert problem["errors"] == [{"field": option, "detail": problem["detail"]}]
    assert not {"query", "position", "pointer", "help"} & problem.keys()
    page = client.get(asked, headers={"Accept": "text/html"}).get_data(as_text=True)
    assert "What can be asked" not in page


def test_a_cursor_of_the_api_is_the_address_of_a_page(world: World) -> None:
    reply = client_of(world).get("/api/v1/entries?before=nonsense")
    problem = json.loads(reply.data)
    assert reply.status_code == 404
    assert problem["errors"] == [{"field": "before", "detail": problem["detail"]}]


def test_only_control_characters_are_called_that(world: World) -> None:
    client = client_of(world)
    # private use, unassigned, not a character, a joiner, an emoji of several, a no-break space
    for text in ("\ue000", "\u0378", "\ufdd0", "\u200d", "👨\u200d👩\u200d👧", "\xa0"):
        for address in ("/feeds/sources/{}", "/feeds/tags/{}", "/nothing/{}"):
            assert client.get(address.format(quote(text))).status_code == 404
        assert client.get(f"/search?q=a{quote(text)}b").status_code == 200
        assert client.get(f"/feeds/query.atom?q=a{quote(text)}b").status_code == 200
        assert client.get(f"/api/v1/tags?prefix={quote(text)}").status_code == 200
    for text in ("%01", "%C2%85", "%7F"):
        for address in (f"/feeds/sources/{text}", f"/feeds/all.atom?before={text}"):
            reply = client.get(address)
            assert reply.status_code == 400
            assert "control character" in json.loads(reply.data)["detail"]


def test_requests_have_limits(world: World) -> None:
    client = client_of(world)
    assert client.get("/feeds/query?q=" + "a" * 9000).status_code == 414
    assert client.get("/" + "a" * 9000).status_code in (404, 414)
    assert client.get("/feeds/all.atom", data=b"x" * (2**20 + 1)).status_code == 413
    assert client.get("/feeds/all.atom", data=b"x").status_code == 200
    assert client.get("/feeds/sources/%00").status_code == 400
    assert client.get("/search?q=%00a").status_code == 400
    assert client.get("/search?q=a%0Ab").status_code == 200
    assert client.get("/feeds/all.atom?limit=5%0d%0aX:y").status_code == 400


def test_errors_are_not_kept_by_caches(world: World) -> None:
    client = client_of(world)
    for path in ("/feeds/nothing.atom", "/nothing", "/feeds/all.atom?limit=0"):
        reply = client.get(path)
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Vary"] == "Accept"
