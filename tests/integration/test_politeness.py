"""How polls treat real servers: what is sent, and how long they are left alone."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from feedsvc.config import load
from feedsvc.model import PollState, Source
from feedsvc.reports import Summary
from feedsvc.round import poll_once
from feedsvc.runtime import Runtime, open_runtime
from tests.feedserver import Answer, FeedServer
from tests.weblib import Clock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MODIFIED = "Thu, 10 Apr 2025 08:00:00 GMT"


def rss(*titles: str, head: str = "") -> bytes:
    items = "".join(f"<item><title>{t}</title><guid>urn:{t}</guid></item>" for t in titles)
    return f"<rss version='2.0'><channel><title>T</title>{head}{items}</channel></rss>".encode()


class Newsroom:
    """A poller whose clock is ours; `restart` opens its store anew."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.clock = Clock()
        self._environment = {
            "FEEDSVC_STORE__URL": f"sqlite:///{folder / 'test.db'}",
            "FEEDSVC_POLL__ALLOW_PRIVATE": '["127.0.0.0/8"]',
            "FEEDSVC_POLL__WORKERS": "1",
            **{f"FEEDSVC_{name}": value for name, value in settings.items()},
        }
        self._file = folder / "feedsvc.toml"
        self._file.touch()
        self.runtime = self._open()

    def _open(self) -> Runtime:
        return open_runtime(load(self._file, environ=self._environment), clock=self.clock)

    def restart(self) -> None:
        self.runtime.close()
        self.runtime = self._open()

    def add(self, *urls: str) -> None:
        for url in urls:
            id = url.rpartition("/")[2].partition(".")[0]
            self.runtime.store.add_source(Source(id=id, kind="feed", location=url), self.clock())

    def poll(self, *, everything: bool = False) -> Summary:
        return asyncio.run(poll_once(self.runtime, ignore_schedule=everything))

    def state(self, id: str) -> PollState:
        return self.runtime.store.source(id).state

    def go_to(self, id: str) -> None:
        """Lets the clock stand at a source's next poll."""
        at = self.state(id).next_at
        assert at is not None
        self.clock.now = at


@pytest.fixture
def make_newsroom(tmp_path: Path) -> Iterator[Callable[..., Newsroom]]:
    made: list[Newsroom] = []

    def make(**settings: str) -> Newsroom:
        made.append(Newsroom(tmp_path, **settings))
        return made[-1]

    yield make
    for newsroom in made:
        newsroom.runtime.close()


@pytest.fixture
def newsroom(make_newsroom: Callable[..., Newsroom]) -> Newsroom:
    return make_newsroom()


def test_one_unconditional_request_ever_and_validators_byte_for_byte(
    newsroom: Newsroom, feed_server: FeedServer
) -> None:
    etag = 'W/"odd, \\ but: ours\'--gzip"'
    headers = {"ETag": etag, "Last-Modified": MODIFIED}
    feed_server.serve("/a.xml", rss("one"), headers=headers)
    newsroom.add(feed_server.url("/a.xml"))
    newsroom.poll()
    for number in range(6):
        newsroom.restart()
        if number == 3:
            feed_server.serve("/a.xml", rss("two"), headers={**headers, "ETag": '"2"'})
        newsroom.go_to("a")
        assert len(newsroom.poll().reports) == 1
    first, *later = feed_server.requests()
    assert first.headers["If-None-Match"] is first.headers["If-Modified-Since"] is None
    assert [r.headers["If-None-Match"] for r in later] == [etag] * 4 + ['"2"'] * 2
    assert {r.headers["If-Modified-Since"] for r in later} == {MODIFIED}
    for request in feed_server.requests():
        assert request.headers["Cookie"] is request.headers["Referer"] is None
        assert "?" not in request.path


def test_a_restart_never_asks_early(newsroom: Newsroom, feed_server: FeedServer) -> None:
    feed_server.serve("/a.xml", rss("one"))
    newsroom.add(feed_server.url("/a.xml"))
    newsroom.poll()
    at = newsroom.state("a").next_at
    assert at is not None
    for moment in (newsroom.clock(), at - timedelta(seconds=1)):
        newsroom.clock.now = moment
        newsroom.restart()
        assert newsroom.poll().reports == []
    newsroom.clock.now = at
    assert len(newsroom.poll().reports) == 1
    assert len(feed_server.requests()) == 2


@pytest.mark.parametrize(
    ("headers", "head", "waits", "why"),
    [
        (
            {"Cache-Control": "max-age=7200"},
            "",
            (2 * HOUR, 2 * HOUR),
            "server asks for 2 h (Cache-Control)",
        ),
        ({"Retry-After": "18000"}, "", (5 * HOUR, 5 * HOUR), "server asks for 5 h (Retry-After)"),
        ({}, "<ttl>180</ttl>", (3 * HOUR, 3 * HOUR), "feed asks for 3 h (ttl)"),
        (
            {},
            "<skipHours>" + "".join(f"<hour>{n}</hour>" for n in range(1, 24)) + "</skipHours>",
            (),
            "skipHours: not before 00:00 GMT",
        ),
    ],
)
def test_what_server_and_feed_ask_for(
    newsroom: Newsroom,
    feed_server: FeedServer,
    headers: dict[str, str],
    head: str,
    waits: tuple[timedelta, ...],
    why: str,
) -> None:
    feed_server.serve("/a.xml", rss("one", head=head), headers={"ETag": '"1"', **headers})
    newsroom.add(feed_server.url("/a.xml"))
    newsroom.clock.now = newsroom.clock().replace(hour=4)
    for wait in waits or (None,):  # a 304 says the same as the document before it
        before = newsroom.clock()
        newsroom.poll()
        state = newsroom.state("a")
        assert state.next_at is not None
        assert state.why == why
        if wait is None:
            assert state.next_at.hour == 0
        else:
            assert state.next_at == before + wait
        newsroom.go_to("a")


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_for_the_host_and_port_alone(
    newsroom: Newsroom, feed_servers: Callable[..., FeedServer], status: int
) -> None:
    strict, other = feed_servers(), feed_servers()
    for name in "abcdef":
        strict.serve(f"/{name}.xml", rss(name))
    for name in "uvw":
        other.serve(f"/{name}.xml", rss(name))
    strict.serve("/a.xml", status=status, headers={"Retry-After": "7200"})
    newsroom.add(strict.url("/a.xml"))
    newsroom.poll()
    newsroom.add(*(strict.url(f"/{name}.xml") for name in "bcdef"))
    newsroom.add(*(other.url(f"/{name}.xml") for name in "uvw"))
    told = newsroom.clock()
    assert len(newsroom.poll().reports) == 3
    newsroom.restart()
    newsroom.clock.now = told + 2 * HOUR - timedelta(seconds=1)
    newsroom.poll(everything=True)
    assert len(strict.requests()) == 1
    assert len(other.requests()) == 6
    newsroom.clock.now = told + 2 * HOUR
    newsroom.poll()
    assert len(strict.requests()) == 7
    assert newsroom.state("a").retry_after == told + 4 * HOUR


def test_a_host_with_many_feeds_is_asked_by_turns(
    newsroom: Newsroom, feed_servers: Callable[..., FeedServer]
) -> None:
    slow, quick = feed_servers(), feed_servers()
    names = [f"s{number}" for number in range(40)]
    for name in names:
        slow.serve(f"/{name}", rss(name), delay=0.02)
    quick.serve("/q", rss("q"))
    newsroom.add(*map(slow.url, (f"/{name}" for name in names)), quick.url("/q"))
    order: list[str] = []
    summary = asyncio.run(
        poll_once(newsroom.runtime, progress=lambda report, _: order.append(report.source))
    )
    assert len(summary.reports) == 41
    assert not summary.failed
    # two of the slow one at a time, and the quick one among the first
    assert order.index("q") < 4
    assert len({request.path for request in slow.requests()}) == 40
    newsroom.clock.tick(minutes=1)
    assert len(newsroom.poll(everything=True).reports) == 41


def test_turns_at_a_host_are_spaced_out(
    make_newsroom: Callable[..., Newsroom], feed_server: FeedServer
) -> None:
    newsroom = make_newsroom(POLL__HOST_DELAY="1s")
    for name in "abcd":
        feed_server.serve(f"/{name}", rss(name))
        newsroom.add(feed_server.url(f"/{name}"))
    assert len(newsroom.poll().reports) == 4
    times = [request.at for request in feed_server.requests()]
    # a later time only shows a slower machine; an earlier one would be a broken promise
    assert all(later - earlier > 0.9 for earlier, later in pairwise(times))


# -- where a feed goes -------------------------------------------------------------------


def test_a_permanent_redirect_is_stored_when_it_lasts(
    newsroom: Newsroom, feed_servers: Callable[..., FeedServer]
) -> None:
    old, new = feed_servers(), feed_servers()
    new.serve("/new.xml", rss("one"), headers={"ETag": '"1"'})
    old.redirect("/a.xml", "/b.xml", status=301)
    old.redirect("/b.xml", new.url("/new.xml"), status=308)
    newsroom.add(old.url("/a.xml"))
    for _ in range(3):
        newsroom.poll()
        assert newsroom.runtime.store.source("a").source.location == old.url("/a.xml")
        newsroom.go_to("a")
    newsroom.clock.tick(days=1)
    newsroom.poll()
    assert newsroom.runtime.store.source("a").source.location == new.url("/new.xml")
    move = newsroom.state("a").move
    assert move is not None
    assert move.done_at == newsroom.clock()
    asked = len(old.requests())
    newsroom.go_to("a")
    newsroom.restart()
    newsroom.poll()
    assert len(old.requests()) == asked
    # the validators are those of the document, wherever it was
    assert [r.headers["If-None-Match"] for r in new.requests()] == [None] + ['"1"'] * 4


@pytest.mark.parametrize("first", [301, 302])
def test_a_temporary_redirect_on_the_way_stores_nothing(
    newsroom: Newsroom, feed_server: FeedServer, first: int
) -> None:
    feed_server.serve("/new.xml", rss("one"))
    feed_server.redirect("/a.xml", "/b.xml", status=first)
    feed_server.redirect("/b.xml", "/new.xml", status=301 if first == 302 else 307)
    newsroom.add(feed_server.url("/a.xml"))
    for _ in range(6):
        newsroom.poll()
        newsroom.clock.tick(days=2)
    assert newsroom.runtime.store.source("a").source.location == feed_server.url("/a.xml")
    assert newsroom.state("a").move is None


def test_no_source_moves_to_another_s_location(newsroom: Newsroom, feed_server: FeedServer) -> None:
    feed_server.serve("/new.xml", rss("one"))
    feed_server.redirect("/a.xml", "/new.xml", status=301)
    newsroom.add(feed_server.url("/a.xml"), feed_server.url("/new.xml"))
    for _ in range(5):
        newsroom.poll()
        newsroom.clock.tick(days=2)
    assert newsroom.runtime.store.source("a").source.location == feed_server.url("/a.xml")
    move = newsroom.state("a").move
    assert move is not None
    assert "source “new” has that location already" in (move.obstacle or "")


def test_gone_for_good_is_not_asked_again(newsroom: Newsroom, feed_server: FeedServer) -> None:
    feed_server.serve("/a.xml", status=410)
    newsroom.add(feed_server.url("/a.xml"))
    for everything in (False, False, True):
        newsroom.poll(everything=everything)
        newsroom.clock.tick(days=30)
    assert len(feed_server.requests()) == 1
    status = newsroom.runtime.store.source("a")
    assert not status.source.enabled
    assert status.state.why == "disabled: its server says that it is gone for good"
    assert "410" in (status.state.error or "")


# -- what went wrong ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "fault", "status"),
    [
        (Answer(status=401), None, 401),
        (Answer(status=404), None, 404),
        (Answer(status=500), None, 500),
        (Answer(body=b"<html><body>no</body></html>"), "not a feed", 200),
        (Answer(body=b"x" * 5000), "too large", None),
        (Answer(body=rss("x"), delay=3), "timeout", None),
        (Answer(raw=b"what?\r\n\r\n"), "protocol", None),
        (Answer(body=b"no", headers={"Content-Encoding": "gzip"}), "protocol", None),
        (Answer(status=302, headers={"Location": "/a.xml"}), "redirect", None),
        (Answer(status=302, headers={"Location": "ftp://x/"}), "redirect", None),
        (Answer(status=302, headers={"Location": "http://nowhere.invalid/"}), "name", None),
        (Answer(status=302, headers={"Location": "http://10.255.0.1/"}), "private", None),
    ],
)
def test_trouble_is_remembered_by_its_kind(
    make_newsroom: Callable[..., Newsroom],
    feed_server: FeedServer,
    answer: Answer,
    fault: str | None,
    status: int | None,
) -> None:
    newsroom = make_newsroom(POLL__MAX_BYTES="4KiB", POLL__TIMEOUT="1s")
    feed_server.script("/a.xml", answer)
    newsroom.add(feed_server.url("/a.xml"))
    (report,) = newsroom.poll().failed
    state = newsroom.state("a")
    assert (state.fault, state.status, state.error) == (fault, status, report.error)
    assert state.history[-1].outcome == "failed"
    assert (state.why or "").startswith("failed once: next try in")
    assert state.next_at is not None
    assert newsroom.clock() < state.next_at < newsroom.clock() + HOUR


def test_what_is_no_feed_is_cached_like_one(newsroom: Newsroom, feed_server: FeedServer) -> None:
    feed_server.serve("/a.xml", b"<html></html>", headers={"Cache-Control": "max-age=14400"})
    newsroom.add(feed_server.url("/a.xml"))
    newsroom.poll()
    assert newsroom.state("a").next_at == newsroom.clock() + 4 * HOUR


def test_a_clock_that_was_ahead_leaves_nothing_stuck(
    newsroom: Newsroom, feed_server: FeedServer
) -> None:
    now = newsroom.clock()
    feed_server.serve("/a.xml", rss("one"), headers={"Cache-Control": "max-age=3600"})
    newsroom.add(feed_server.url("/a.xml"))
    newsroom.clock.tick(days=4000)
    newsroom.poll()
    newsroom.clock.now = now
    newsroom.poll()
    assert len(feed_server.requests()) == 1
    assert newsroom.state("a").next_at == now + HOUR
