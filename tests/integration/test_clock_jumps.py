"""A running poller whose clock is set forward and back again: polls go on, and nothing is lost."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feedsvc.model import Source
from feedsvc.query import parse
from feedsvc.runtime import Runtime
from feedsvc.scheduler import PollService
from tests.feedserver import FeedServer
from tests.store import empty_runtime

PATIENCE = 60.0


@dataclass
class Clock:
    """The real clock, set wrong by as much as it is told."""

    wrong: timedelta = field(default=timedelta(0))

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.wrong


def rss(number: int) -> bytes:
    items = "".join(
        f"<item><title>T{n}</title><guid>urn:{n}</guid></item>" for n in range(number + 1)
    )
    return f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode()


def test_polls_go_on_whatever_the_clock_does(tmp_path: Path, feed_server: FeedServer) -> None:
    clock = Clock()
    made = empty_runtime(tmp_path, POLL__ALLOW_PRIVATE=feed_server.address, POLL__MIN_INTERVAL="1s")

    async def run(runtime: Runtime) -> None:
        service = PollService(runtime)
        task = asyncio.create_task(service.run())
        jumps = (
            timedelta(0),
            timedelta(days=300),
            timedelta(0),
            timedelta(days=-300),
            timedelta(0),
        )
        for number, wrong in enumerate(jumps):
            feed_server.serve("/f", rss(number), headers={"ETag": f'"{number}"'})
            clock.wrong = wrong
            async with asyncio.timeout(PATIENCE):
                while runtime.store.count(parse(""), now=clock()) <= number:
                    await asyncio.sleep(0.05)
        service.stop()
        await task

    with Runtime(config=made.config, store=made.store, clock=clock) as runtime:
        source = Source(
            id="f", kind="feed", location=feed_server.url("/f"), interval=timedelta(seconds=1)
        )
        runtime.store.add_source(source, clock())
        asyncio.run(run(runtime))
        titles = [
            e.entry.title for e in runtime.store.find(parse(""), limit=9, now=clock()).entries
        ]
        assert sorted(titles) == [f"T{number}" for number in range(5)]
        assert runtime.store.check() == ()
    first, *later = feed_server.requests()
    assert first.headers["If-None-Match"] is None
    assert None not in {request.headers["If-None-Match"] for request in later}
