"""Writing over the JSON API: who may, what becomes of sources, and what is refused and why."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from feedsvc.model import Source
from feedsvc.web import create_app
from tests.apikit import ADMIN, TOKEN, open_api_world, path
from tests.feedserver import FeedServer
from tests.weblib import World, entry, fill, open_world


@dataclass
class Api:
    """The API of a small newswire, asked with the admin token."""

    world: World
    client: Client

    def ask(self, method: str, rest: str, status: int, **more: Any) -> Any:
        reply = self.reply(method, rest, **more)
        assert reply.status_code == status, reply.data
        return json.loads(reply.data) if reply.data else None

    def reply(self, method: str, rest: str, **more: Any) -> TestResponse:
        headers = {**ADMIN, **more.pop("headers", {})}
        return self.client.open(path(rest), method=method, headers=headers, **more)


@pytest.fixture
def api(tmp_path: Path, feed_server: FeedServer) -> Iterator[Api]:
    world = open_api_world(tmp_path, feed_server)
    with world.runtime:
        yield Api(world, create_app(world.runtime).test_client())


WRITES = [
    ("POST", "/sources"),
    ("PATCH", "/sources/bbc"),
    ("DELETE", "/sources/bbc"),
    ("POST", "/sources/bbc/poll"),
    ("POST", "/opml"),
]


@pytest.mark.parametrize(("method", "rest"), WRITES)
def test_nothing_is_written_without_an_admin_token(tmp_path: Path, method: str, rest: str) -> None:
    world = open_world(tmp_path)
    with world.runtime:
        client = create_app(fill(world).runtime).test_client()
        for headers in ({}, {"Authorization": "Bearer "}, ADMIN):
            reply = client.open(path(rest), method=method, headers=headers)
            assert reply.status_code == 403
            assert "web.admin_token" in json.loads(reply.data)["detail"]
        assert len(world.runtime.store.sources()) == 3


@pytest.mark.parametrize(("method", "rest"), WRITES)
@pytest.mark.parametrize(
    "offered", [None, "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", f"bearer{TOKEN}", "é"]
)
def test_nothing_is_written_with_a_wrong_one(
    api: Api, method: str, rest: str, offered: str | None
) -> None:
    headers = {"Authorization": offered} if offered else {}
    reply = api.client.open(
        path(rest), method=method, headers=headers, query_string={"token": TOKEN}
    )
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert reply.headers["Cache-Control"] == "no-store"
    assert len(api.world.runtime.store.sources()) == 3


def test_guessing_tokens_is_slowed_down(tmp_path: Path, feed_server: FeedServer) -> None:
    world = open_api_world(tmp_path, feed_server, web="rate_limit = 2")
    with world.runtime:
        client = create_app(world.runtime).test_client()
        wrong = {"Authorization": "Bearer wrong"}
        asked = [client.post(path("/opml"), headers=wrong).status_code for _ in range(3)]
        assert asked == [401, 401, 429]


def test_the_admin_token_stands_in_no_log_and_no_answer(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [
            api.reply("POST", "/sources", json={"location": "https://nowhere.invalid/"}),
            api.reply("PATCH", "/sources/bbc", json={"title": "T"}),
            api.reply("GET", "/sources/bbc"),
        ]
    assert all(TOKEN.encode() not in answer.data for answer in answers)
    assert TOKEN not in caplog.text


def test_a_feed_is_added_read_and_asked_once(api: Api, feed_server: FeedServer) -> None:
    asked = {"location": feed_server.url("/feed.xml"), "title": "Mine", "tags": ["Big News"]}
    asked |= {"interval": "2h", "fulltext": True}
    reply = api.reply("POST", "/sources", json=asked)
    assert reply.status_code == 201, reply.data
    assert reply.headers["Cache-Control"] == "no-store"
    told = json.loads(reply.data)
    source = told["source"]
    assert (told["entries"], told["error"]) == (1, None)
    assert (source["title"], source["tags"], source["interval"]) == ("Mine", ["big-news"], "2h")
    assert source["fulltext"]
    assert (source["origin"], source["status"], source["entries"]) == ("store", 200, 1)
    place = reply.headers["Location"].removeprefix("http://127.0.0.1:8080")
    assert json.loads(api.client.get(place).data)["id"] == source["id"]
    assert len(feed_server.requests("/feed.xml")) == 1
    found = json.loads(api.client.get(path("/entries?q=tag:big-news")).data)["entries"]
    assert [one["title"] for one in found] == ["The first"]
    known = api.ask("POST", "/sources", 409, json=asked)
    assert known["id"] == source["id"]


def test_a_page_leads_to_its_feed_and_one_with_several_to_a_choice(
    api: Api, feed_server: FeedServer
) -> None:
    choice = api.ask("POST", "/sources", 422, json={"location": feed_server.url("/pair")})
    assert [one["title"] for one in choice["feeds"]] == ["One", "Other"]
    told = api.ask("POST", "/sources", 201, json={"location": feed_server.url("/page")})
    assert told["source"]["location"] == feed_server.url("/feed.xml")


def test_what_cannot_be_had_is_told_and_can_be_forced(api: Api, feed_server: FeedServer) -> None:
    asked = {"location": feed_server.url("/missing")}
    refused = api.ask("POST", "/sources", 422, json=asked)
    assert refused["answered"] == 404
    told = api.ask("POST", "/sources", 201, json={**asked, "force": True})
    assert told["entries"] is None
    assert "404" in told["error"]
    feed_server.serve("/busy", b"", status=503, headers={"Retry-After": "3600"})
    told = api.ask("POST", "/sources", 201, json={"location": feed_server.url("/busy")})
    assert told["source"]["next_at"] >= "2025-05-01T13:0"


@pytest.mark.parametrize(
    ("body", "field", "told"),
    [
        ({}, "location", "missing"),
        ({"location": "seeds"}, "location", "[[sources]]"),
        ({"location": "/etc"}, "location", "[[sources]]"),
        ({"location": "file:///etc/passwd"}, "location", "http and https"),
        ({"location": "http://[bad/"}, "location", "no URL that can be asked"),
        ({"location": "http://h:99999/"}, "location", "no URL that can be asked"),
        ({"location": "https://e.example/", "interval": "1 hour"}, "interval", "with its unit"),
        ({"location": "https://e.example/", "tags": ["ok", "!"]}, "tags[1]", "letter or digit"),
        ({"location": "https://e.example/", "tags": "news"}, "tags", "array"),
        ({"location": "https://e.example/", "tittle": "T"}, "tittle", "did you mean title?"),
        ([], "body", "object"),
    ],
)
def test_a_bad_field_is_named_with_what_it_must_be(
    api: Api, body: Any, field: str, told: str
) -> None:
    problem = api.ask("POST", "/sources", 400, json=body)
    assert problem["errors"][0]["field"] == field
    assert told in problem["errors"][0]["detail"]


def test_private_networks_stay_out_of_reach(api: Api) -> None:
    refused = api.ask("POST", "/sources", 422, json={"location": "http://127.0.0.1:1/feed"})
    assert refused["fault"] == "private"


def test_bodies_that_are_no_json(api: Api) -> None:
    plain = api.reply("POST", "/sources", data="{}", content_type="text/plain")
    assert plain.status_code == 415
    assert plain.headers["Accept"] == "application/json"
    deep = b'{"a":' * 100_000
    for data in (b"", b"{", b"\xff", b'{"location": "\\ud800"}', b"NaN", b"1e999", deep):
        reply = api.reply("POST", "/sources", data=data, content_type="application/json")
        assert reply.status_code == 400, data
    huge = api.reply("POST", "/sources", data=b" " * 2**21, content_type="application/json")
    assert huge.status_code == 413


def test_settings_are_changed_and_taken_back(api: Api) -> None:
    asked = {"title": "BBC", "tags": ["UK", "uk"], "interval": "90m", "max_entries": 5}
    asked |= {"keep": "tag:world", "drop": "title:sponsored", "fulltext": True}
    told = api.ask("PATCH", "/sources/bbc", 200, json=asked)
    assert {name: told[name] for name in asked} == asked | {"tags": ["uk"]}
    assert api.world.runtime.store.source("bbc").source.interval == timedelta(minutes=90)
    assert api.world.runtime.store.source("bbc").source.fulltext
    # what is left out stays, null takes back
    told = api.ask("PATCH", "/sources/bbc", 200, json={"title": None, "keep": None})
    assert (told["title"], told["keep"], told["interval"]) == ("BBC News", None, "90m")
    told = api.ask("PATCH", "/sources/bbc", 200, json={"enabled": False})
    assert (told["enabled"], told["state"], told["next_at"]) == (False, "off", None)
    bad = api.ask("PATCH", "/sources/bbc", 400, json={"keep": "tag:("})
    assert bad["errors"][0]["field"] == "keep"
    assert (bad["query"], bad["position"], bad["pointer"]) == ("tag:(", 0, "tag:(\n^")
    assert api.ask("PATCH", "/sources/nobody", 404, json={})


def test_two_who_change_one_source_do_not_undo_each_other(api: Api) -> None:
    etag = api.reply("GET", "/sources/bbc").headers["ETag"]
    # a poll in between changes what is told of the source, and none of its settings
    api.world.poll("bbc", status=304)
    assert api.reply("GET", "/sources/bbc").headers["ETag"] != etag
    mine = api.reply("PATCH", "/sources/bbc", json={"title": "Mine"}, headers={"If-Match": etag})
    assert mine.status_code == 200
    theirs = {"headers": {"If-Match": etag}}
    api.ask("PATCH", "/sources/bbc", 412, json={"title": "Theirs"}, **theirs)
    api.ask("DELETE", "/sources/bbc", 412, **theirs)
    api.ask("PATCH", "/sources/bbc", 412, json={}, headers={"If-Match": f"W/{etag}"})
    # the ETag of a coded answer names the same settings
    coded = api.reply("GET", "/sources/bbc", headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    assert coded.endswith('-gz"')
    listed = {"headers": {"If-Match": f'"other", {coded}'}}
    api.ask("PATCH", "/sources/bbc", 200, json={"title": "Again"}, **listed)
    api.ask("PATCH", "/sources/bbc", 200, json={"title": "Any"}, headers={"If-Match": "*"})


def test_changes_at_the_same_time_all_come_through(api: Api) -> None:
    fields = [{"title": "T"}, {"tags": ["x"]}, {"interval": "3h"}, {"max_entries": 7}]
    threads = [
        threading.Thread(
            target=create_app(api.world.runtime).test_client().patch,
            args=(path("/sources/bbc"),),
            kwargs={"json": asked, "headers": ADMIN},
        )
        for asked in fields
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source = api.world.runtime.store.source("bbc").source
    told = (source.title, source.tags, source.interval, source.max_entries)
    assert told == ("T", ("x",), timedelta(hours=3), 7)


def test_a_removed_source_leaves_its_entries_unless_they_are_purged(api: Api) -> None:
    api.ask("DELETE", "/sources/bbc", 204)
    api.ask("GET", "/sources/bbc", 404)
    assert len(api.ask("GET", "/entries?q=source:bbc", 200)["entries"]) == 12
    api.ask("DELETE", "/sources/bbc", 404)
    api.ask("DELETE", "/sources/seeds?purge=true", 204)
    assert api.ask("GET", "/entries?q=source:seeds", 200)["entries"] == []


def test_declared_sources_are_changed_in_the_configuration_alone(api: Api) -> None:
    store, now = api.world.runtime.store, api.world.clock()
    declared = Source(id="config", kind="feed", location="https://c.example/", origin="config")
    store.declare_sources([declared], now)
    for method, more in (("PATCH", {"json": {"title": "T"}}), ("DELETE", {})):
        problem = api.ask(method, "/sources/config", 409, **more)
        assert "declared in the configuration" in problem["detail"]
    assert store.source("config").source == declared
    api.ask("POST", "/sources/config/poll", 202)


def test_a_poll_is_due_at_once_but_not_before_its_server_allows(api: Api) -> None:
    store, now = api.world.runtime.store, api.world.clock()
    told = api.ask("POST", "/sources/bbc/poll", 202)
    assert told["next_at"] == now.isoformat().replace("+00:00", "Z")
    api.world.poll("seeds", retry_after=api.world.clock() + timedelta(hours=2))
    told = api.ask("POST", "/sources/seeds/poll", 202)
    claims = store.claim_due(now=api.world.clock(), owner="me", lease=timedelta(minutes=1), limit=9)
    assert "seeds" not in {claim.source.id for claim in claims}
    assert "bbc" in {claim.source.id for claim in claims}
    api.ask("POST", "/sources/nobody/poll", 404)


def test_a_source_that_was_gone_is_polled_again_and_a_disabled_one_is_not(api: Api) -> None:
    api.world.poll("bbc", status=410, error="410 Gone", enabled=False)
    assert api.ask("POST", "/sources/bbc/poll", 202)["enabled"]
    api.ask("PATCH", "/sources/seeds", 200, json={"enabled": False})
    assert "enable it" in api.ask("POST", "/sources/seeds/poll", 409)["detail"]


def test_a_subscription_list_is_imported_and_what_is_bad_in_it_told(api: Api) -> None:
    outlines = (
        '<opml version="2.0"><body><outline text="World">\n'
        '<outline text="A" xmlUrl="https://a.example/feed"/>\n'
        '<outline text="B" xmlUrl="http://[b/"/>\n'
        '<outline text="C" xmlUrl="https://bbc.example.org/feed.xml"/>\n'
        "</outline></body></opml>"
    )
    sent = {"data": outlines.encode(), "content_type": "text/x-opml; charset=utf-8"}
    told = api.ask("POST", "/opml", 200, **sent)
    assert (told["added"], told["known"]) == (1, 1)
    (bad,) = told["skipped"]
    assert (bad["line"], bad["name"]) == (3, "B")
    assert "xmlUrl" in bad["error"]
    assert api.ask("POST", "/opml", 200, **sent)["added"] == 0
    added = json.loads(api.client.get(path("/sources/a-example")).data)
    assert (added["title"], added["tags"], added["origin"]) == ("A", ["world"], "store")
    assert api.ask("POST", "/opml", 422, data=b"no list", content_type="text/xml")["detail"]
    assert api.reply("POST", "/opml", data=b"x", content_type="text/plain").status_code == 415


def test_a_long_subscription_list_is_taken_whole(api: Api) -> None:
    feeds = "".join(
        f'<outline text="F{n}" xmlUrl="https://f{n}.example/feed"/>\n' for n in range(30_000)
    )
    body = f'<opml version="2.0"><body>{feeds}</body></opml>'.encode()
    assert len(body) > 2**20
    told = api.ask("POST", "/opml", 200, data=body, content_type="text/x-opml")
    assert told["added"] == 30_000
    page = api.ask("GET", "/sources?limit=1", 200)
    assert page["total"] == 30_003


def test_methods_that_are_not_there_are_refused_with_those_that_are(api: Api) -> None:
    reply = api.reply("PUT", "/sources/bbc")
    assert reply.status_code == 405
    assert reply.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    reply = api.reply("OPTIONS", "/sources/seeds")
    assert (reply.status_code, reply.data) == (204, b"")
    assert reply.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    assert reply.headers["Accept-Patch"] == "application/json"
    assert api.reply("OPTIONS", "/sources").headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert api.reply("OPTIONS", "/nothing").status_code == 404
    assert api.reply("GET", "/nothing").status_code == 404


def test_what_is_written_shows_at_once_in_what_is_read(api: Api) -> None:
    etag = api.reply("GET", "/entries?q=source:bbc").headers["ETag"]
    api.ask("PATCH", "/sources/bbc", 200, json={"title": "Renamed"})
    again = api.reply("GET", "/entries?q=source:bbc", headers={"If-None-Match": etag})
    assert json.loads(again.data)["entries"][0]["source"]["title"] == "Renamed"
    api.world.poll("bbc", [entry("bbc", "more", "One more")])
    assert len(api.ask("GET", "/entries?q=source:bbc", 200)["entries"]) == 13
