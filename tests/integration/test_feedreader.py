"""The source kind `feed` from fetch to reading, against a server on loopback."""

import asyncio
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feedsvc.errors import FetchError, ParseError, SourceGone
from feedsvc.httpclient import HttpClient
from feedsvc.model import PollState, Source
from feedsvc.polls import Demand
from feedsvc.sources.base import Fetched, FetchTools
from feedsvc.sources.webfeed import FeedReader
from tests.feedserver import Answer, FeedServer

NOW = datetime(2025, 4, 10, 12, tzinfo=UTC)
BODY = b"""<rss version="2.0"><channel><title>T</title><link>http://example.org/</link>
<item><guid>1</guid><title>One</title></item></channel></rss>"""
STAMP = "Thu, 10 Apr 2025 09:00:00 GMT"


def source(server: FeedServer, path: str = "/feed.xml", **options: Any) -> Source:
    return Source(id="x", kind="feed", location=server.url(path), **options)


def fetch(server: FeedServer, where: Source, state: PollState | None = None) -> Fetched:
    async def run() -> Fetched:
        async with HttpClient(
            user_agent="feedsvc/test",
            timeout=timedelta(seconds=10),
            max_bytes=1 << 20,
            allow_private=[server.address],
            per_host=2,
            concurrency=4,
        ) as http:
            tools = FetchTools(http=http, now=NOW)
            return await FeedReader().fetch(where, state or PollState(), tools)

    return asyncio.run(run())


def remembered(fetched: Fetched) -> PollState:
    return PollState(etag=fetched.etag, last_modified=fetched.last_modified, digest=fetched.digest)


def test_from_the_server_to_entries(feed_server: FeedServer) -> None:
    headers = {
        "ETag": 'W/"1"',
        "Last-Modified": STAMP,
        "Cache-Control": "max-age=900",
        "Content-Type": "application/rss+xml",
        "Link": '<https://hub.example/>; rel="hub"',
    }
    feed_server.serve("/feed.xml", BODY, headers=headers)
    fetched = fetch(feed_server, source(feed_server))
    assert (fetched.status, fetched.unchanged, fetched.bytes) == (200, False, len(BODY))
    assert (fetched.etag, fetched.last_modified) == ('W/"1"', STAMP)
    assert fetched.demands == (Demand(wait=timedelta(minutes=15), by="Cache-Control"),)
    assert fetched.moved_to is None
    fetched = pickle.loads(pickle.dumps(fetched))  # as on the way to a parser process
    reading = FeedReader().parse(source(feed_server), fetched)
    assert [entry.uid for entry in reading.entries] == ["1"]
    assert reading.meta is not None
    assert reading.meta.hub == "https://hub.example/"


def test_the_first_request_is_the_only_unconditional_one(feed_server: FeedServer) -> None:
    headers = {"ETag": '"1"', "Last-Modified": STAMP}
    feed_server.serve("/feed.xml", BODY, headers=headers)
    state = remembered(fetch(feed_server, source(feed_server)))
    for _ in range(2):
        fetched = fetch(feed_server, source(feed_server), state)
        assert (fetched.status, fetched.unchanged) == (304, True)
        state = remembered(fetched)
    first, *later = feed_server.requests()
    assert first.headers["If-None-Match"] is first.headers["If-Modified-Since"] is None
    for request in later:
        assert request.headers["If-None-Match"] == '"1"'
        assert request.headers["If-Modified-Since"] == STAMP
    assert "application/atom+xml" in first.headers["Accept"]
    assert "application/feed+json" in first.headers["Accept"]


def test_a_304_may_renew_validators_and_keeps_the_rest(feed_server: FeedServer) -> None:
    headers = {"ETag": '"2"', "Cache-Control": "max-age=60"}
    feed_server.serve("/feed.xml", status=304, headers=headers)
    known = PollState(etag='"1"', last_modified=STAMP, digest="d")
    fetched = fetch(feed_server, source(feed_server), known)
    assert (fetched.etag, fetched.last_modified, fetched.digest) == ('"2"', STAMP, "d")
    assert fetched.demands == (Demand(wait=timedelta(minutes=1), by="Cache-Control"),)


def test_a_validator_is_forgotten_with_the_body_it_came_with(feed_server: FeedServer) -> None:
    feed_server.script(
        "/feed.xml",
        Answer(body=BODY, headers={"ETag": '"1"', "Last-Modified": STAMP}),
        Answer(body=BODY + b"\n", headers={"ETag": '"2"'}, conditional=False),
        Answer(body=BODY + b"\n\n"),
    )
    state = remembered(fetch(feed_server, source(feed_server)))
    state = remembered(fetch(feed_server, source(feed_server), state))
    assert (state.etag, state.last_modified) == ('"2"', None)
    state = remembered(fetch(feed_server, source(feed_server), state))
    assert (state.etag, state.last_modified) == (None, None)


def test_an_equal_body_is_unchanged_without_validators(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", BODY)
    first = fetch(feed_server, source(feed_server))
    second = fetch(feed_server, source(feed_server), remembered(first))
    assert (first.unchanged, second.unchanged, second.status) == (False, True, 200)
    assert second.payload is None
    assert second.digest == first.digest


def test_headers_and_auth_of_the_source(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", BODY)
    own = source(feed_server, headers=(("X-Key", "1"), ("Accept", "text/xml")), auth="a:b")
    fetch(feed_server, own)
    sent = feed_server.requests()[-1].headers
    assert (sent["X-Key"], sent["Authorization"]) == ("1", "Basic YTpi")
    assert sent.get_all("Accept") == ["text/xml"]


def test_a_move_is_told_and_what_is_gone_raises(feed_server: FeedServer) -> None:
    feed_server.redirect("/old", "/feed.xml", status=301)
    feed_server.serve("/feed.xml", BODY)
    assert fetch(feed_server, source(feed_server, "/old")).moved_to == feed_server.url("/feed.xml")
    feed_server.serve("/gone", status=410)
    with pytest.raises(SourceGone):
        fetch(feed_server, source(feed_server, "/gone"))
    with pytest.raises(FetchError, match="404 Not Found"):
        fetch(feed_server, source(feed_server, "/nowhere"))


def test_a_web_page_in_place_of_a_feed(feed_server: FeedServer) -> None:
    page = b"<html><link rel=alternate type=application/rss+xml href=feed.xml></html>"
    feed_server.serve("/blog/", page, headers={"Content-Type": "text/html"})
    fetched = fetch(feed_server, source(feed_server, "/blog/"))
    with pytest.raises(ParseError) as caught:
        FeedReader().parse(source(feed_server, "/blog/"), fetched)
    assert str(caught.value).endswith(f"its feed is {feed_server.url('/blog/feed.xml')}")
