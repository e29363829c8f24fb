"""Every registered source kind keeps the contract of `sources/base.py`, on real input."""

import asyncio
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feedsvc.errors import FetchError
from feedsvc.httpclient import HttpClient
from feedsvc.model import PollState, Source
from feedsvc.sources import KINDS
from feedsvc.sources.base import Fetched, FetchTools
from tests.feedserver import FeedServer

NOW = datetime(2025, 4, 10, 12, tzinfo=UTC)
RSS = """<rss version="2.0"><channel><title>Loopback</title><link>http://example.org/</link>
<description>d</description><item><title>One</title><guid>http://example.org/1</guid></item>{more}
</channel></rss>"""
ITEM = "<item><title>Two</title><guid>http://example.org/2</guid></item>"
NEWS = "date 2025-04-10 {title}\nSummary\nBody\n"


@dataclass(frozen=True)
class Sample:
    """A source with one entry, One; `add` makes a second, Two; at `nowhere` there is nothing."""

    source: Source
    allow: str
    add: Callable[[], None]
    nowhere: str


def feed(folder: Path, server: FeedServer) -> Sample:
    def serve(more: str) -> None:
        server.serve("/feed.xml", RSS.format(more=more).encode())

    serve("")
    url = server.url("/feed.xml")
    source = Source(id="one", kind="feed", location=url)
    return Sample(source, server.address, lambda: serve(ITEM), server.url("/nothing"))


def directory(folder: Path, server: FeedServer) -> Sample:
    def write(title: str) -> None:
        (folder / f"{title}.txt").write_text(NEWS.format(title=title), "utf-8")

    write("One")
    source = Source(id="one", kind="directory", location=str(folder))
    return Sample(source, server.address, lambda: write("Two"), str(folder / "nothing"))


SAMPLES = {"feed": feed, "directory": directory}


@pytest.fixture(params=list(KINDS))
def sample(request: pytest.FixtureRequest, tmp_path: Path, feed_server: FeedServer) -> Sample:
    make = SAMPLES.get(request.param)
    assert make, f"give the conformance suite a sample of the kind {request.param!r}"
    return make(tmp_path, feed_server)


def fetch(sample: Sample, state: PollState, location: str | None = None) -> Fetched:
    source = replace(sample.source, location=location or sample.source.location)

    async def run() -> Fetched:
        async with HttpClient(
            user_agent="feedsvc/test",
            timeout=timedelta(seconds=10),
            max_bytes=1 << 20,
            allow_private=(sample.allow,),
            per_host=2,
            concurrency=2,
        ) as http:
            reader = KINDS[source.kind]
            return await reader.fetch(source, state, FetchTools(http=http, now=NOW))

    return asyncio.run(run())


def remember(before: PollState, fetched: Fetched, cursor: str | None) -> PollState:
    return PollState(
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        digest=fetched.digest,
        cursor=next((c for c in (cursor, fetched.cursor) if c is not None), before.cursor),
    )


def test_a_kind_is_registered_under_its_own_name() -> None:
    for name, reader in KINDS.items():
        assert reader.kind == name


def test_what_was_fetched_travels_to_a_parser_process_and_is_read_there(sample: Sample) -> None:
    fetched = pickle.loads(pickle.dumps(fetch(sample, PollState())))
    assert not fetched.unchanged
    assert fetched.bytes > 0
    reading = pickle.loads(pickle.dumps(KINDS[sample.source.kind].parse(sample.source, fetched)))
    assert [entry.title.value for entry in reading.entries] == ["One"]
    assert [entry.uid for entry in reading.entries if not entry.uid] == []
    assert reading.problems == ()
    assert reading.removed == ()


def test_nothing_new_is_unchanged_and_something_new_is_read(sample: Sample) -> None:
    reader = KINDS[sample.source.kind]
    first = fetch(sample, PollState())
    known = reader.parse(sample.source, first)
    state = remember(PollState(), first, known.cursor)
    again = fetch(sample, state)
    if not again.unchanged:  # a document just written is compared by what it holds
        settled = reader.parse(sample.source, again)
        assert (settled.entries, settled.removed, settled.problems) == ((), (), ())
        state = remember(state, again, settled.cursor)
    sample.add()
    changed = fetch(sample, state)
    assert not changed.unchanged
    found = reader.parse(sample.source, changed)
    assert "Two" in [entry.title.value for entry in found.entries if entry.title]
    uids = {entry.uid for entry in (*known.entries, *found.entries)}
    assert len(uids) == 2


def test_what_is_not_there_is_a_fetch_error_that_names_it(sample: Sample) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(sample, PollState(), sample.nowhere)
    assert "nothing" in str(caught.value) or "404" in str(caught.value)
