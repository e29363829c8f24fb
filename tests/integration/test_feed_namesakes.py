"""Feeds whose publisher repeats a guid, polled through the whole service."""

import asyncio
from pathlib import Path

from feedsvc.model import Source
from feedsvc.query import parse
from feedsvc.round import poll_once
from tests.feedserver import FeedServer
from tests.store import empty_runtime

RSS = "<rss version='2.0'><channel><title>F</title>{}</channel></rss>"
ITEM = (
    "<item><title>{0}</title><link>http://example.org/{0}</link>"
    "<guid isPermaLink='false'>urn:x:1</guid></item>"
)


def test_what_is_published_keeps_its_id_when_a_namesake_appears(
    tmp_path: Path, feed_server: FeedServer
) -> None:
    with empty_runtime(tmp_path, POLL__ALLOW_PRIVATE=feed_server.address) as runtime:
        source = Source(id="one", kind="feed", location=feed_server.url("/feed.xml"))
        runtime.store.add_source(source, runtime.clock())

        def poll(*titles: str) -> dict[str, str]:
            body = RSS.format("".join(map(ITEM.format, titles)))
            feed_server.serve("/feed.xml", body.encode())
            (report,) = asyncio.run(poll_once(runtime, ignore_schedule=True)).reports
            assert report.error is None
            found = runtime.store.find(parse(""), limit=99, now=runtime.clock())
            assert len({stored.entry.id for stored in found.entries}) == len(found.entries)
            return {stored.entry.title: stored.entry.id for stored in found.entries}

        assert poll("One") == {"One": "urn:x:1"}
        both = poll("Two", "One")
        assert both["One"] == "urn:x:1"
        assert set(both) == {"One", "Two"}
        assert poll("Three", "Two").items() > both.items()
        assert len(poll("Three")) == 3
        assert len(poll("One", "Two", "Three")) == 3
