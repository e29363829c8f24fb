"""Claims of running pollers: renewed while they work, freed when they died, told to others."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from feedsvc.claims import Claims
from feedsvc.model import Source
from feedsvc.poll import Poller
from feedsvc.process import own_name
from feedsvc.reports import PollReport, Summary
from feedsvc.round import poll_once
from feedsvc.runtime import Runtime
from feedsvc.store.base import Claim
from tests.feedserver import Answer, FeedServer, Request
from tests.store import empty_runtime

RSS = b'<rss version="2.0"><channel><title>T</title><item><guid>1</guid></item></channel></rss>'
QUICK = timedelta(seconds=0.3)
PATIENCE = 30.0


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runtime(tmp_path: Path, feed_server: FeedServer, clock: Clock) -> Iterator[Runtime]:
    made = empty_runtime(tmp_path, POLL__ALLOW_PRIVATE=feed_server.address)
    with Runtime(config=made.config, store=made.store, clock=clock) as runtime:
        for name in ("a", "b"):
            source = Source(id=name, kind="feed", location=feed_server.url(f"/{name}"))
            runtime.store.add_source(source, clock())
            feed_server.serve(f"/{name}", RSS)
        yield runtime


def until(runtime: Runtime, id: str) -> datetime:
    end = runtime.store.source(id).until
    assert end is not None
    return end


def taken_by_another(runtime: Runtime, owner: str = "other") -> tuple[Claim, ...]:
    return runtime.store.claim_due(
        now=runtime.clock(), owner=owner, lease=timedelta(minutes=1), limit=9
    )


@asynccontextmanager
async def polling(runtime: Runtime) -> AsyncIterator[Poller]:
    """A poller whose leases are short, so that it renews them often."""
    poller = Poller(runtime)
    poller.claims = Claims(runtime, poller.write, lease=QUICK)
    async with poller:
        yield poller


def once(runtime: Runtime, **options: Any) -> Summary:
    return asyncio.run(poll_once(runtime, **options))


def test_a_claim_is_renewed_for_as_long_as_its_poll_takes(
    runtime: Runtime, feed_server: FeedServer, clock: Clock
) -> None:
    answer = threading.Event()

    def slowly(request: Request) -> Answer:
        answer.wait(PATIENCE)
        return Answer(body=RSS)

    feed_server.script("/a", slowly)

    async def poll() -> PollReport:
        async with polling(runtime) as poller:
            (claim,) = await poller.claims.take(limit=1, only=["a"])
            task = asyncio.create_task(poller.poll(claim))
            for _ in range(3):
                # each step is within the lease, all of them are far beyond it
                clock.now += QUICK * 0.9
                async with asyncio.timeout(PATIENCE):
                    while until(runtime, "a") < clock() + QUICK:
                        await asyncio.sleep(0.01)
            assert [held.source.id for held in taken_by_another(runtime)] == ["b"]
            answer.set()
            return await task

    report = asyncio.run(poll())
    assert (report.result, report.new) == ("new", 1)


def test_claims_of_dead_processes_are_freed_at_the_start(runtime: Runtime) -> None:
    host, pid, mark = own_name().split(":")
    place, _, start = mark.rpartition("-")
    dead = f"{host}:{pid}:{place}-{int(start) - 1}"
    assert len(taken_by_another(runtime, dead)) == 2
    summary = once(runtime)
    assert sorted(report.source for report in summary.reports) == ["a", "b"]
    assert summary.left_alone == {}


def test_what_others_are_polling_is_left_to_them_and_told(runtime: Runtime) -> None:
    living = own_name()
    taken_by_another(runtime, living)
    for options in ({}, {"ignore_schedule": True}, {"only": ["a", "b"]}):
        summary = once(runtime, **options)
        assert summary.reports == []
        host_and_pid = living.rpartition(":")[0]
        assert summary.left_alone.keys() == {"a", "b"}
        assert host_and_pid in summary.left_alone["a"]


def test_what_was_asked_for_and_not_polled_is_told(
    runtime: Runtime, feed_server: FeedServer, clock: Clock
) -> None:
    feed_server.serve("/a", status=503, headers={"Retry-After": "3600"})
    feed_server.serve("/b", status=410)
    once(runtime)
    assert (once(runtime)).left_alone == {}
    everything = once(runtime, ignore_schedule=True)
    assert "2026-03-01 13:00:00 UTC" in everything.left_alone["a"]
    assert everything.left_alone.keys() == {"a"}
    assert "disabled" in (once(runtime, only=["b"])).left_alone["b"]
    clock.now += timedelta(hours=1, seconds=1)
    feed_server.serve("/a", RSS)
    assert (once(runtime, only=["a"])).left_alone == {}
    assert "--all" in (once(runtime, only=["a"])).left_alone["a"]
