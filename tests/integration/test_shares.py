"""A source that publishes much leaves room on the pages of combined feeds, over HTTP."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from feedsvc.round import poll_once
from feedsvc.runtime import Runtime
from feedsvc.web import create_app
from tests.badfeeds import FEED, START, post
from tests.feedserver import FeedServer
from tests.store import empty_runtime

TABLES = """
[site]
share = "50%"
[[sources]]
id = "loud"
location = "{loud}"
tags = ["wire"]
[[sources]]
id = "calm"
location = "{calm}"
tags = ["wire"]
share = "25%"
"""


@pytest.fixture
def runtime(
    tmp_path: Path, feed_server: FeedServer, backend: str, fresh_url: Callable[[str], str]
) -> Iterator[Runtime]:
    """A source with twelve entries, and one with six that are all older."""
    for name, first, number in (("loud", 12, 12), ("calm", 0, 6)):
        items = [
            post(at, guid=f"{name}-{first + number - 1 - at}", link=f"https://{name}.example/{at}")
            for at in range(first, first + number)
        ]
        body = FEED.format("".join(item.xml() for item in items))
        feed_server.serve(f"/{name}.xml", body.encode())
    urls = {name: feed_server.url(f"/{name}.xml") for name in ("loud", "calm")}
    (tmp_path / "feedsvc.toml").write_text(TABLES.format(**urls), "utf-8")
    settings = {"POLL__ALLOW_PRIVATE": feed_server.address, "STORE__URL": fresh_url(backend)}
    with empty_runtime(tmp_path, **settings) as opened:
        runtime = replace(opened, clock=lambda: START + timedelta(hours=1))
        runtime.store.migrate()
        runtime.declare()
        reports = asyncio.run(poll_once(runtime, ignore_schedule=True)).reports
        assert [report.error for report in reports] == [None, None]
        yield runtime


def read(runtime: Runtime, path: str) -> list[list[str]]:
    """The entries of a feed by source and number, page by page."""
    client = create_app(runtime).test_client()
    pages = []
    while path:
        document = json.loads(client.get(path).data)
        urls = [item["url"].removeprefix("https://") for item in document["items"]]
        pages.append([url.replace(".example/", "-") for url in urls])
        path = document.get("next_url", "").removeprefix("http://127.0.0.1:8080")
    return pages


@pytest.mark.parametrize("feed", ["all", "tags/wire", "query"])
def test_pages_of_several_sources_are_shared(runtime: Runtime, feed: str) -> None:
    query = "&q=rises" if feed == "query" else ""
    pages = read(runtime, f"/feeds/{feed}.json?limit=4{query}")
    # two of either at most, and of the calm one only one: nobody else has anything
    assert pages[0] == ["loud-23", "loud-22", "loud-21", "calm-5"]
    every = [one for page in pages for one in page]
    assert len(every) == len(set(every)) == 18
    assert [len(page) for page in pages] == [4, 4, 4, 4, 2]


def test_the_feed_of_a_source_is_its_own(runtime: Runtime) -> None:
    assert len(read(runtime, "/feeds/sources/loud.json?limit=4")[0]) == 4
    ((*calm,),) = read(runtime, "/feeds/sources/calm.json?limit=6")
    assert len(calm) == 6


def test_a_page_is_the_same_until_something_changes(runtime: Runtime) -> None:
    client = create_app(runtime).test_client()
    for suffix in ("atom", "rss", "json"):
        reply = client.get(f"/feeds/all.{suffix}?limit=4")
        again = {"If-None-Match": reply.headers["ETag"]}
        assert client.get(f"/feeds/all.{suffix}?limit=4", headers=again).status_code == 304
    page = client.get("/?limit=4").get_data(as_text=True)
    assert page.count("/feeds/sources/calm") == 1
