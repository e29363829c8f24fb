"""Stories as they are served: a feed, pages, the API, the command line."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree
from werkzeug.test import Client, TestResponse

from feedsvc.formats import FORMATS
from feedsvc.keys import parse_key
from feedsvc.model import Text
from feedsvc.store.base import Gathered, Regrouping
from feedsvc.web import create_app, front_of
from tests.conformance.format_rules import faults, opml_faults
from tests.weblib import FIRST, World, entry, open_world

BASE = "http://127.0.0.1:8080"
ATOM = "{http://www.w3.org/2005/Atom}"
TALKS = (
    ("a", "talks", "Russia and the U.S. meet in Istanbul over embassy operations"),
    ("b", "envoy", "Darchiev leads Russian team at Istanbul embassy talks"),
    ("c", "progress", "Istanbul talks: Darchiev sees progress on embassy work"),
)
QUAKE = (
    ("a", "quake", "Earthquake of magnitude 5.2 shakes villages on Qeshm island"),
    ("b", "qeshm", "Villages on Qeshm island count <damage> after earthquake"),
)
OTHER = ("c", "garden", "Gardening tips for a dry summer")


def write(world: World, *some: tuple[str, str, str], hours: float = 0, **more: Any) -> None:
    for at, (source, name, title) in enumerate(some):
        published = FIRST + timedelta(hours=hours + at)
        tags = ("world", name)
        made = entry(source, name, title, published=published, tags=tags, **more)
        world.poll(source, [made])
    world.runtime.relater.drain()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path)
    with world.runtime:
        for name in "abc":
            world.source(name, title=f"The {name.upper()} Times")
        write(world, *TALKS, OTHER)
        write(world, *QUAKE, hours=10)
        yield world


@pytest.fixture
def client(world: World) -> Client:
    world.clock.tick(hours=1)
    return create_app(world.runtime).test_client()


def get(client: Client, path: str, status: int = 200, **headers: str) -> TestResponse:
    reply = client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert reply.status_code == status, reply.data
    return reply


def items(client: Client, path: str = "/feeds/stories.json") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(get(client, path).data)["items"]
    return found


def key_of(world: World, name: str) -> str:
    pages = world.runtime.store.stories(limit=50, now=world.clock()).stories
    (key,) = [story.key for story in pages for one in story.members if one.title.startswith(name)]
    return key


@pytest.mark.parametrize("suffix", list(FORMATS))
@pytest.mark.parametrize("query", ["", "?limit=1", "?content=none", "?content=summary&dupes=keep"])
def test_the_feed_is_valid_in_every_format(client: Client, suffix: str, query: str) -> None:
    reply = get(client, f"/feeds/stories.{suffix}{query}")
    assert faults(suffix, reply.data) == []
    etag, date = reply.headers["ETag"], reply.headers["Last-Modified"]
    get(client, f"/feeds/stories.{suffix}{query}", 304, If_None_Match=etag)
    get(client, f"/feeds/stories.{suffix}{query}", 304, If_Modified_Since=date)


def test_an_entry_of_the_feed_tells_the_story(client: Client, world: World) -> None:
    quake, talks = items(client)
    key = key_of(world, "Darchiev leads")
    assert talks["id"] == f"tag:localhost,2026:stories/{key}"
    assert talks["url"] == f"{BASE}/stories/{key}"
    assert talks["title"] in [title for _, _, title in TALKS]
    assert talks["date_published"] == "2025-04-10T09:00:00Z"
    assert talks["date_modified"] == "2025-04-10T11:00:00Z"
    # what all members have in common
    assert talks["tags"] == ["World"]
    assert talks["summary"] == "3 reports: The C Times, The B Times, The A Times"
    members = talks["_feedsvc"]["members"]
    assert [one["title"] for one in members] == [title for _, _, title in TALKS[::-1]]
    assert members[0]["source"] == {"id": "c", "title": "The C Times"}
    assert "related" not in talks["_feedsvc"]
    assert "count &lt;damage&gt; after" in quake["content_html"]

    atom = etree.fromstring(get(client, "/feeds/stories.atom").data)
    first = atom.findall(f"{ATOM}entry")[1]
    links = [link for link in first.iter(f"{ATOM}link") if link.get("rel") == "related"]
    assert [link.get("title") for link in links] == [one["title"] for one in members]
    assert [link.get("href") for link in links] == [one["url"] for one in members]
    rss = feedparser.parse(get(client, "/feeds/stories.rss").data)
    assert [one.id for one in rss.entries] == [quake["id"], talks["id"]]


def test_pages_of_the_feed(client: Client) -> None:
    found = []
    path = "/feeds/stories.json?limit=1"
    while path:
        page = json.loads(get(client, path).data)
        found += [item["title"] for item in page["items"]]
        path = page.get("next_url", "").removeprefix(BASE)
    assert len(found) == 2
    get(client, "/feeds/stories.json?before=nowhere", 400)
    get(client, "/feeds/stories/archive/2025-04.atom", 404)


def test_only_news_moves_a_story(client: Client, world: World) -> None:
    before = {suffix: get(client, f"/feeds/stories.{suffix}") for suffix in FORMATS}
    entries = get(client, "/feeds/all.atom").data
    world.clock.tick(days=1)
    after = None
    while (after := world.runtime.store.requeue("relate", after, 50)) is not None:
        pass
    world.runtime.relater.drain()
    for suffix, reply in before.items():
        again = get(client, f"/feeds/stories.{suffix}")
        assert (again.data, again.headers["ETag"]) == (reply.data, reply.headers["ETag"])
    assert get(client, "/feeds/all.atom").data == entries

    world.poll("c", [], removed=["progress"])
    changed = items(client)
    talks = next(item for item in changed if len(item["_feedsvc"]["members"]) == 2)
    assert get(client, "/feeds/stories.json").headers["ETag"] != before["json"].headers["ETag"]
    assert talks["id"] in before["json"].text


def test_what_is_new_since(client: Client, world: World) -> None:
    etag = get(client, "/feeds/stories.atom").headers["ETag"]
    late = ("c", "late", "Istanbul embassy talks: Darchiev leaves")
    write(world, late, hours=20)
    delta = get(client, "/feeds/stories.atom", 226, If_None_Match=etag, A_IM="feed")
    assert faults("atom", delta.data) == []
    (one,) = etree.fromstring(delta.data).findall(f"{ATOM}entry")
    assert one.findtext(f"{ATOM}id", "").endswith(key_of(world, "Darchiev leads"))
    assert one.findtext(f"{ATOM}updated") == "2025-04-11T05:00:00Z"


def test_a_story_that_falls_apart_is_a_deleted_entry(client: Client, world: World) -> None:
    key = key_of(world, "Villages")
    world.poll("b", [], removed=["qeshm"])
    for suffix in FORMATS:
        assert faults(suffix, get(client, f"/feeds/stories.{suffix}").data) == []
    assert f'ref="tag:localhost,2026:stories/{key}"' in get(client, "/feeds/stories.atom").text
    assert "too few entries" in get(client, f"/stories/{key}", 410).text
    get(client, f"/api/v1/stories/{key}", 410)
    assert items(client, f"/feeds/query.json?q=story:{key}") == []


def test_the_pages(client: Client, world: World) -> None:
    key = key_of(world, "Darchiev leads")
    listed = get(client, "/stories").text
    assert f'href="/stories/{key}"' in listed
    assert "3 reports" in listed
    assert 'href="/stories" aria-current="page"' in listed
    assert get(client, "/feeds/stories", Accept="text/html").mimetype == "text/html"
    assert 'rel="next"' in get(client, "/stories?limit=1").text
    page = get(client, f"/stories/{key}").text
    for source, _, title in TALKS:
        assert title in page
        assert f'href="/feeds/sources/{source}"' in page
    assert "count &lt;damage&gt; after" in get(client, f"/stories/{key_of(world, 'Villages')}").text
    get(client, "/stories/nothing", 404)


def test_an_entry_names_who_else_covers_it(client: Client, world: World) -> None:
    page = get(client, f"/feeds/query.json?q=story:{key_of(world, 'Darchiev leads')}").json
    assert page is not None
    assert len(page["items"]) == 3
    store = world.runtime.store
    story = store.story(key_of(world, "Darchiev leads"))
    shown = get(client, f"/entries/{story.members[0].key}").text
    covered = shown.partition("Also covered by")[2].partition("</section>")[0]
    assert [title in covered for _, _, title in TALKS] == [True, True, False]
    assert f'href="/stories/{story.key}"' in covered
    (alone,) = [one for one in items(client, "/feeds/all.json") if one["title"] == OTHER[2]]
    key = store.lookup(alone["id"])
    assert "Also covered by" not in get(client, f"/entries/{key}").text


def test_the_api(client: Client, world: World) -> None:
    page = json.loads(get(client, "/api/v1/stories?limit=1").data)
    assert [len(story["entries"]) for story in page["stories"]] == [2]
    more = json.loads(get(client, page["next_url"].removeprefix(BASE)).data)
    (talks,) = more["stories"]
    assert (more["next"], talks["story"]) == (None, key_of(world, "Darchiev leads"))
    assert json.loads(get(client, f"/api/v1/stories/{talks['story']}").data) == talks
    assert talks["updated"] == "2025-04-10T11:00:00Z"
    assert talks["entries"][0]["source"] == {"id": "c", "title": "The C Times"}
    get(client, "/api/v1/stories/nothing", 404)
    get(client, "/api/v1/stories?before=nowhere", 404)


def test_a_merged_story_leads_to_the_other(client: Client, world: World) -> None:
    store = world.runtime.store
    one, other = (key_of(world, name) for name in ("Villages", "Darchiev leads"))
    keys = [parse_key(key) or 0 for key in (one, other)]
    around = store.around(range(1, 50))
    before = {key: frozenset(around.members[key]) for key in keys}
    members = tuple(sorted(before[keys[0]] | before[keys[1]]))
    whole = Gathered(members, members[0], keys[1], (keys[0],))
    store.finish_gathered((), (Regrouping(frozenset(), before, (whole,)),), world.clock())
    assert get(client, f"/stories/{one}", 301).headers["Location"].endswith(f"/stories/{other}")
    assert json.loads(get(client, f"/api/v1/stories/{one}").data)["story"] == other
    assert len(items(client, f"/feeds/query.json?q=story:{one}")) == 5
    assert f'ref="tag:localhost,2026:stories/{one}"' in get(client, "/feeds/stories.atom").text


def test_the_feed_is_listed(client: Client) -> None:
    listed = get(client, "/feeds.opml").data
    assert opml_faults(listed) == []
    assert f"{BASE}/feeds/stories.atom".encode() in listed


def test_hot_answers_see_new_stories(world: World) -> None:
    client = Client(front_of(world.runtime, every=0))
    before = client.get("/feeds/stories.json").data
    assert client.get("/feeds/stories.json").data == before
    write(world, ("c", "late", "Istanbul embassy talks: Darchiev leaves"), hours=20)
    assert client.get("/feeds/stories.json").data != before


def test_without_stories_there_are_none(world: World) -> None:
    related = world.runtime.config.related.model_copy(update={"stories": False})
    config = world.runtime.config.model_copy(update={"related": related})
    off = replace(world.runtime, config=config)
    client = create_app(off).test_client()
    key = key_of(world, "Villages")
    paths = ("/feeds/stories.atom", "/stories", f"/stories/{key}", "/api/v1/stories")
    for path in (*paths, f"/api/v1/stories/{key}"):
        assert "related.stories" in get(client, path, 404).text
    home = get(client, "/").text
    assert "/stories" not in home
    assert "/feeds/stories" not in get(client, "/feeds.opml").text
    text = Text(value="Embassy talks of Darchiev in Istanbul go on.")
    late = entry("c", "late", "Istanbul embassy talks", published=FIRST, summary=text)
    world.poll("c", [late])
    off.relater.drain()
    assert world.runtime.store.apart(9) == ()
    assert world.runtime.store.story_of(late.key) is None
