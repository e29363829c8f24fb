"""Reading over the JSON API: what it says, and that it says so in the terms of HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from werkzeug.test import Client, TestResponse

from feedsvc.keys import token_digest
from feedsvc.model import Text
from feedsvc.web import create_app
from tests.apikit import ADMIN, path
from tests.storekit import statements
from tests.weblib import ISTANBUL, World, entry, fill, open_world, trouble


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path)
    with world.runtime:
        yield fill(world)


@pytest.fixture
def client(world: World) -> Client:
    return create_app(world.runtime).test_client()


def body(reply: TestResponse, status: int = 200) -> Any:
    assert reply.status_code == status, reply.data
    return json.loads(reply.data)


def key_of(client: Client, query: str) -> str:
    found: str = body(client.get(path("/entries"), query_string={"q": query}))["entries"][0]["key"]
    return found


def test_entries_are_listed_newest_first_and_page_by_page(client: Client, world: World) -> None:
    seen: list[str] = []
    url: str | None = path("/entries?limit=5")
    while url:
        page = body(client.get(url))
        seen += [one["key"] for one in page["entries"]]
        url = page["next_url"]
        if len(seen) == 5:
            # what arrives meanwhile moves nothing
            world.poll("bbc", [entry("bbc", "late", "Came late", published=world.clock())])
    assert len(seen) == len(set(seen)) == 13


def test_a_query_finds_and_is_told_in_its_canonical_form(client: Client) -> None:
    page = body(client.get(path("/entries"), query_string={"q": "Tag:Sports  AND report"}))
    assert page["q"] == "report tag:sports"
    first = body(client.get(path("/entries"), query_string={"q": "tag:sports", "limit": 4}))
    assert first["q"] == "tag:sports"
    rest = body(client.get(first["next_url"]))
    keys = [one["key"] for one in (*first["entries"], *rest["entries"])]
    assert keys == [one["key"] for one in page["entries"]]
    assert len(page["entries"]) == 6
    assert page["next"] is None
    assert page["next_url"] is None


def test_options_are_those_of_feeds(client: Client) -> None:
    full, summary, none = (
        body(client.get(path(f"/entries?q=istanbul&content={content}")))["entries"][0]
        for content in ("full", "summary", "none")
    )
    assert full["content"]["type"] == "html"
    assert (summary["summary"]["value"], summary["content"]) == (
        "Delegations met in Istanbul.",
        None,
    )
    assert (none["summary"], none["content"]) == (None, None)


def test_one_entry_tells_all_there_is(client: Client) -> None:
    one = body(client.get(path(f"/entries/{key_of(client, 'istanbul')}")))
    assert one["title"] == ISTANBUL
    assert one["source"] == {"id": "seeds", "title": "Seeds"}
    assert one["published"] == "2025-04-20T09:00:00Z"
    assert one["files"][0]["length"] == 1_234_567
    assert {"tag": "russia", "label": "Russia", "origin": "auto", "evidence": "Russian"} in one[
        "tags"
    ]
    assert one["url"].endswith(f"/entries/{one['key']}")


def test_the_past_and_the_links_of_an_entry(client: Client, world: World) -> None:
    world.poll("bbc", [entry("bbc", "n3", "Report 3, corrected", summary=Text(value="Other."))])
    key = key_of(client, "corrected")
    (revision,) = body(client.get(path(f"/entries/{key}/revisions")))["revisions"]
    assert revision["title"] == "Report number 3"
    assert revision["summary"] == {"value": "What happened at hour 3.", "type": "text"}
    assert revision["whole"]
    told = body(client.get(path(f"/entries/{key_of(client, 'istanbul')}/related")))
    assert told["unresolved"] == ["A headline that never came"]
    # the headline's entry comes, and is linked
    world.poll("bbc", [entry("bbc", "named", "A headline that never came")])
    world.runtime.linker.run()
    told = body(client.get(path(f"/entries/{key_of(client, 'istanbul')}/related")))
    assert [one["title"] for one in told["related"]] == ["A headline that never came"]
    assert told["related"][0]["kind"] == "explicit"
    assert told["unresolved"] == []


@pytest.mark.parametrize("rest", ["", "/revisions", "/related"])
def test_withdrawn_and_unknown_entries(client: Client, world: World, rest: str) -> None:
    key = key_of(client, "title:report")
    world.poll("bbc", removed=["n11"])
    assert "withdrawn" in body(client.get(path(f"/entries/{key}{rest}")), 410)["detail"]
    for unknown in ("lz2kzufpgzi7a", "nonsense", "%C3%A9"):
        assert client.get(path(f"/entries/{unknown}{rest}")).status_code == 404


def test_tags_by_use_by_prefix_and_by_likeness(client: Client) -> None:
    tags = body(client.get(path("/tags?limit=2")))["tags"]
    assert [(one["tag"], one["entries"]) for one in tags] == [("world", 12), ("diplomacy", 7)]
    assert client.get(tags[0]["feed"]).status_code == 200
    found = body(client.get(path("/tags?prefix=Unit")))["tags"]
    assert [one["tag"] for one in found] == ["united-states"]

    def suggested(q: str) -> list[str]:
        told = body(client.get(path("/tags/suggestions"), query_string={"q": q}))
        return [one["tag"] for one in told["suggestions"]]

    assert suggested("diplomcy") == ["diplomacy"]
    assert suggested("United Stats") == ["united-states"]
    assert suggested("sport") == ["sports"]
    assert suggested("zzz") == suggested("!") == []


def test_a_tag_in_time_and_company(client: Client) -> None:
    told = body(client.get(path("/tags/Diplomacy/stats")))
    assert (told["tag"], told["entries"]) == ("diplomacy", 7)
    assert {one["month"]: one["entries"] for one in told["months"]}["2025-04"] == 7
    assert [one["tag"] for one in told["beside"]][:1] == ["world"]
    assert all(1 < one["together"] <= 7 for one in told["beside"])
    assert "there is no tag" in body(client.get(path("/tags/zzz/stats")), 404)["detail"]


def test_sources_page_by_page_without_their_secrets(client: Client, world: World) -> None:
    page = body(client.get(path("/sources?limit=2")))
    assert ([one["id"] for one in page["sources"]], page["next"]) == (["bbc", "broken"], "broken")
    assert (page["total"], page["troubled"]) == (3, 1)
    last = body(client.get(page["next_url"]))
    assert ([one["id"] for one in last["sources"]], last["next"]) == (["seeds"], None)
    world.poll("seeds", problems=trouble("a.txt"))
    ailing = body(client.get(path("/sources?state=trouble")))["sources"]
    assert [one["id"] for one in ailing] == ["broken", "seeds"]
    assert ailing[1]["problems"] == [{"document": "a.txt", "error": "not UTF-8"}]
    broken = client.get(path("/sources/broken"))
    assert body(broken)["state"] == "trouble"
    assert "new address" in body(broken)["advice"]
    for secret in (b"hunter2", b"s3cret"):
        assert secret not in broken.data
    assert body(client.get(path("/sources/nobody")), 404)["detail"]
    assert body(client.get(path("/sources/bbc/history"))) == {"source": "bbc", "polls": []}


def test_stats_count_everything(client: Client) -> None:
    told = body(client.get(path("/stats")))
    assert (told["entries"], told["sources"], told["troubled"]) == (13, 3, 1)
    assert told["newest"] == "2025-04-20T09:00:00Z"


READS = ["/entries", "/entries?q=report", "/tags", "/tags/suggestions?q=worl", "/sources"]
READS += ["/tags/world/stats"]
READS += ["/sources/bbc", "/sources/bbc/history", "/stats", "/openapi.json", "/docs"]


@pytest.mark.parametrize("rest", READS)
def test_reads_have_validators_and_head(client: Client, rest: str) -> None:
    whole = client.get(path(rest))
    assert whole.status_code == 200
    assert whole.headers["Cache-Control"] == "public, no-cache"
    assert "Access-Control-Allow-Origin" not in whole.headers
    again = client.get(path(rest), headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    head = client.head(path(rest))
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.data))
    assert head.headers["ETag"] == whole.headers["ETag"]


def test_a_list_that_did_not_change_is_not_read(client: Client, world: World) -> None:
    etag = client.get(path("/entries")).headers["ETag"]
    with statements(world.runtime.store) as ran:  # type: ignore[arg-type]
        client.get(path("/entries"), headers={"If-None-Match": etag})
    fewer = len(ran)
    with statements(world.runtime.store) as ran:  # type: ignore[arg-type]
        client.get(path("/entries"))
    assert fewer < len(ran)
    world.poll("bbc", [entry("bbc", "new", "Something new")])
    again = client.get(path("/entries"), headers={"If-None-Match": etag})
    assert body(again)["entries"]


@pytest.mark.parametrize(
    ("rest", "field", "told"),
    [
        ("/entries?limt=5", "limt", "did you mean limit?"),
        ("/entries?limit=0", "limit", ">= 1"),
        ("/entries?limit=501", "limit", "<= 500"),
        ("/entries?limit=ten", "limit", "How many a page has"),
        ("/entries?limit=1&limit=2", "limit", "given twice"),
        ("/entries?content=half", "content", "How much of each"),
        ("/tags?limit=0", "limit", ">= 1"),
        ("/tags/suggestions", "q", "it is missing"),
        ("/sources?state=bad", "state", "trouble"),
        ("/stats?x=1", "x", "There are: none"),
    ],
)
def test_a_bad_parameter_is_named_with_what_it_may_be(
    client: Client, rest: str, field: str, told: str
) -> None:
    reply = client.get(path(rest))
    problem = body(reply, 400)
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert problem["errors"][0]["field"] == field
    assert told in problem["errors"][0]["detail"]
    assert problem["detail"].startswith(f"{field}: ")


def test_a_bad_query_points_at_the_place(client: Client) -> None:
    problem = body(client.get(path("/entries"), query_string={"q": "tag:a (b"}), 400)
    assert problem["position"] == 6
    assert body(client.get(path("/entries?before=nonsense")), 404)["detail"]


def test_answers_are_as_the_description_says(client: Client) -> None:
    document = body(client.get(path("/openapi.json")))
    assert document["openapi"].startswith("3.1")
    for rest in ("/entries", "/tags", "/sources", "/stats"):
        answer = document["paths"][path(rest)]["get"]["responses"]["200"]
        schema = answer["content"]["application/json"]["schema"]
        wanted = {**schema, "components": document["components"]}
        Draft202012Validator(wanted).validate(body(client.get(path(rest))))


def test_the_manual_needs_nothing_from_elsewhere(client: Client) -> None:
    page = client.get(path("/docs"))
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    text = page.data.decode()
    assert "<script" not in text
    assert 'src="http' not in text
    document = body(client.get(path("/openapi.json")))
    for address, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} {address}" in text
    # every record that is named stands on the page
    for name in document["components"]["schemas"]:
        assert f'href="#{name}"' not in text or f'id="{name}"' in text


def test_feed_tokens_and_the_admin_token_let_readers_in(tmp_path: Path) -> None:
    token = ADMIN["Authorization"].partition(" ")[2]
    web = f'feed_tokens = ["reader"]\nadmin_token = "{token}"'
    world = open_world(tmp_path, web=web)
    with world.runtime:
        client = create_app(fill(world).runtime).test_client()
        refused = client.get(path("/entries"))
        assert body(refused, 401)["detail"]
        assert refused.headers.getlist("WWW-Authenticate")
        for asked in (
            {"query_string": {"token": "reader"}},
            {"headers": {"Authorization": "Bearer reader"}},
            {"headers": ADMIN},
        ):
            reply = client.get(path("/entries"), **asked)  # type: ignore[arg-type]
            assert reply.status_code == 200
            assert reply.headers["Cache-Control"] == "private, no-cache"
            assert b"reader" not in reply.data
        # the admin token in an address would stand in logs, and a feed token is no admin's
        assert client.get(path("/entries"), query_string={"token": token}).status_code == 401
        reader = {"Authorization": "Bearer reader"}
        assert client.post(path("/sources/bbc/poll"), headers=reader).status_code == 401
        assert client.get(path("/openapi.json")).status_code == 200
        described = body(client.get(path("/openapi.json")))
        listed = described["paths"][path("/entries")]["get"]
        assert listed["security"] == [{"feed": []}, {"admin": []}]


def test_the_description_and_caches_follow_tokens_that_come_and_go(world: World) -> None:
    client = create_app(world.runtime).test_client()

    def security() -> Any:
        document = body(client.get(path("/openapi.json")))
        return document["paths"][path("/entries")]["get"].get("security", [])

    def cache(**arguments: str) -> str:
        reply = client.get(path("/entries"), query_string=arguments)
        assert reply.status_code == 200
        return reply.headers["Cache-Control"]

    assert security() == []
    assert cache() == "public, no-cache"
    # an address that holds a token is nobody else's, though none is needed
    assert cache(token="mine") == "private, no-cache"
    world.runtime.store.add_token("phone", token_digest("mine"), world.clock())
    assert cache(token="mine") == "private, no-cache"
    assert client.get(path("/entries")).status_code == 401
    assert security() == [{"feed": []}, {"admin": []}]
    world.runtime.store.remove_token("phone", last=True)
    assert cache() == "public, no-cache"
    assert security() == []


def test_costly_questions_are_rationed(tmp_path: Path) -> None:
    world = open_world(tmp_path, web="rate_limit = 3")
    with world.runtime:
        client = create_app(fill(world).runtime).test_client()
        statuses = [client.get(path("/entries?q=report")).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = client.get(path("/stats"))
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 21
        assert "web.rate_limit" in body(refused, 429)["detail"]
        # what costs little, and everybody else, goes on
        assert client.get(path("/entries")).status_code == 200
        other = client.get(path("/stats"), environ_base={"REMOTE_ADDR": "192.0.2.7"})
        assert other.status_code == 200
