"""What stands before Flask gives what Flask would give, to the byte, and without asking it."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import create_environ

from feedsvc.errors import StoreUnavailable
from feedsvc.formats import FORMATS
from feedsvc.keys import token_digest
from feedsvc.metrics import HTTP_KEPT, HTTP_REQUESTS
from feedsvc.model import Text
from feedsvc.web import compress, front_of
from feedsvc.web.door import Door
from feedsvc.web.front import Front
from tests.weblib import World, entry, fill, open_world

Reply = tuple[str, list[tuple[str, str]], bytes]
TOKEN = "open sesame"
FEEDS = (
    "all",
    "tags/diplomacy",
    "sources/bbc",
    "diplomacy",
    "query?q=report",
    "query?q=since:400d",
)
PATHS = (
    *(
        f"/feeds/{path}.{suffix}{mark}{query}"
        for suffix in FORMATS
        for path, mark, query in (feed.partition("?") for feed in FEEDS)
    ),
    *(f"/feeds/{feed}" for feed in FEEDS),
    *("/", "/tags/world", "/search?q=report", "/sources", "/feeds/tags/World.atom"),
    *("/feeds/no.rss", "/news/feeds/all.atom"),
)


def ask(app: Any, method: str, path: str, headers: Mapping[str, str]) -> Reply:
    """One request as a server passes it on; the answer as it hands it over."""
    told: list[Any] = []
    environ = create_environ(path, method=method)
    for name, value in headers.items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    body: Iterable[bytes] = app(
        environ, lambda status, fields, exc_info=None: told.append((status, fields))
    )
    content = b"".join(body)
    if close := getattr(body, "close", None):
        close()
    ((status, fields),) = told
    return status, list(fields), content


@dataclass
class Both:
    """One application with and without what stands before it."""

    world: World
    front: Front
    asked: int = 0
    seen: list[str] = field(default_factory=lambda: ['"nothing"'])

    def compare(self, method: str, path: str, headers: Mapping[str, str]) -> Reply:
        """Asks both, and holds them to the same answer."""
        self.asked += 1
        kept = ask(self.front, method, path, headers)
        made = ask(self.front.application, method, path, headers)
        assert kept == made, (method, path, headers)
        self.seen += [value for name, value in made[1] if name == "ETag" and value not in self.seen]
        return made


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path)
    with world.runtime:
        yield fill(world)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    world = open_world(
        tmp_path_factory.mktemp("front"), site='base_url = "http://127.0.0.1:8080/news"'
    )
    with world.runtime:
        fill(world)
        world.clock.tick(hours=1, seconds=30)
        yield Both(world, front_of(world.runtime, every=0.0))


def kept() -> float:
    """How many requests were answered from memory, as metrics tell."""
    return HTTP_KEPT._value.get()  # type: ignore[attr-defined,no-any-return]


def test_the_second_answer_is_the_first_one_again(both: Both) -> None:
    both.front.report()
    before, asked = kept(), both.asked
    for path in PATHS:
        for coding in ("", "gzip", "br", "zstd", "gzip;q=0.5, br;q=0.1"):
            headers = {"Accept-Encoding": coding} if coding else {}
            status, fields, body = both.compare("GET", path, headers)
            both.compare("HEAD", path, headers)
            told = dict(fields)
            if "ETag" in told:
                assert (
                    both.compare("GET", path, {**headers, "If-None-Match": told["ETag"]})[0][:3]
                    == "304"
                )
            if "Last-Modified" in told:
                since = {**headers, "If-Modified-Since": told["Last-Modified"]}
                assert both.compare("HEAD", path, since)[0][:3] == "304"
                assert body or status[:3] != "200"
    both.front.report()
    assert kept() - before > 0.4 * (both.asked - asked)


def test_who_may_read_is_told_as_flask_would(world: World) -> None:
    world.clock.tick(hours=1)
    world.runtime.store.add_token("phone", token_digest(TOKEN), world.clock())
    restricted = Both(world, front_of(world.runtime, every=0.0))
    basic = base64.b64encode(f"x:{TOKEN}".encode()).decode()
    offers = [
        ("", {}),
        ("token=open+sesame", {}),
        ("token=wrong&token=open+sesame", {}),
        ("limit=3&tok%65n=open%20sesame", {}),
        ("", {"Authorization": f"Bearer {TOKEN}"}),
        ("", {"Authorization": f"Basic {basic}"}),
        ("", {"Authorization": "Basic é"}),
    ]
    for _ in range(2):
        for path in PATHS:
            for query, headers in offers:
                mark = "&" if "?" in path else "?"
                restricted.compare("GET", f"{path}{mark}{query}" if query else path, headers)


CODINGS = st.sampled_from(
    ["gzip", "br", "zstd", "identity", "*", "gzip, deflate, br, zstd", "gzip;q=0", "*;q=0",
     "x-gzip", "identity;q=0, gzip;q=0", "GZIP", "gzip;q=nonsense", ",", "gzip;q=0.001,br;q=0.002"]
)  # fmt: skip
TYPES = st.sampled_from(
    ["*/*", "text/html", "application/rss+xml", "application/feed+json;q=0.9, text/html;q=0.1",
     "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "image/png", "*/*;q=0", ""]
)  # fmt: skip
DATES = st.sampled_from(
    ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT", "yesterday", "",
     "Thu, 01 May 2025 12:02:00 GMT", "Thu, 01 May 2025 12:03:00 GMT"]
)  # fmt: skip
ODD = st.text(st.characters(max_codepoint=255, blacklist_categories=("Cc",)), max_size=12)
OTHERS = st.dictionaries(
    st.sampled_from(
        ["If-Match", "If-Unmodified-Since", "Range", "Cookie", "Upgrade", "Host", "A-IM",
         "Cache-Control", "X-Forwarded-Host", "Transfer-Encoding", "Accept-Language", "Expect"]
    ),
    st.sampled_from(["*", '"nothing"', "feed", "websocket", "bytes=0-9", "a b", "chunked"]) | ODD,
    max_size=2,
)  # fmt: skip
STEPS = st.lists(
    st.sampled_from(["commit", "second", "hour", "none", "none"]), min_size=1, max_size=6
)
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SETTINGS
@given(data=st.data(), steps=STEPS)
def test_any_request_gets_what_flask_would_say(
    both: Both, data: st.DataObject, steps: list[str]
) -> None:
    for number, step in enumerate(steps):
        if step == "commit":
            text = Text(value=f"Version {both.asked}.{number}")
            both.world.poll("bbc", [entry("bbc", "moving", "Report that moves", summary=text)])
        elif step != "none":
            both.world.clock.tick(**{f"{step}s": 1})
        path = data.draw(st.sampled_from(PATHS))
        mark = "&" if "?" in path else "?"
        path += data.draw(
            st.sampled_from(
                ["", "", f"{mark}limit=2", f"{mark}content=none", f"{mark}x=%41&token=a"]
            )
        )
        headers = data.draw(OTHERS)
        for name, values in (
            ("Accept-Encoding", CODINGS | ODD),
            ("Accept", TYPES | ODD),
            ("If-Modified-Since", DATES | ODD),
        ):
            if data.draw(st.booleans()):
                headers[name] = data.draw(values)
        if data.draw(st.booleans()):
            tags = data.draw(st.lists(st.sampled_from(both.seen[-40:]), max_size=3))
            weak = data.draw(st.sampled_from(["", "W/"]))
            headers["If-None-Match"] = (
                data.draw(ODD) if not tags else ", ".join(weak + tag for tag in tags)
            )
        methods = st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "OPTIONS"])
        both.compare(data.draw(methods), path, headers)
        # asked once more: what was not kept before may be by now
        _, fields, _ = both.compare("GET", path, headers)
        told = dict(fields)
        if "ETag" in told:
            both.compare("GET", path, {**headers, "If-None-Match": told["ETag"]})


@dataclass
class Ticks:
    """A monotonic clock that is moved by hand."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Counted:
    """An application that counts how often it is asked, and what happens meanwhile."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application
        self.asked = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self, *arguments: Any) -> Iterable[bytes]:
        self.asked += 1
        body = self.application(*arguments)
        self.meanwhile()
        return body


def counted(world: World, *, every: float = 0.0) -> tuple[Front, Counted]:
    front = front_of(world.runtime, every=every)
    counting = Counted(front.application)
    front.application = counting
    return front, counting


GZIP = {"Accept-Encoding": "gzip"}
FEED = "/feeds/all.atom"


def body(front: Front, path: str = FEED) -> bytes:
    return ask(front, "GET", path, {})[2]


def test_what_is_asked_often_is_made_once(world: World) -> None:
    world.clock.tick(hours=1)
    front, application = counted(world)
    for _ in range(5):
        for path in (FEED, "/feeds/all", "/"):
            ask(front, "GET", path, GZIP)
    assert application.asked == 3
    reply = dict(ask(front, "GET", FEED, GZIP)[1])
    for tags in (reply["ETag"], f'"x", W/{reply["ETag"]}', "*"):
        assert ask(front, "GET", FEED, {**GZIP, "If-None-Match": tags})[0][:3] == "304"
        # newsboat and feedparser ask for what is new only, and have all of it already
        assert (
            ask(front, "GET", FEED, {**GZIP, "A-IM": "feed", "If-None-Match": tags})[0][:3] == "304"
        )
    assert application.asked == 4


def test_a_commit_is_seen_when_it_is_looked_for(world: World) -> None:
    world.clock.tick(hours=1)
    front, _ = counted(world, every=0.25)
    ticks = front.watch.clock = Ticks()
    front.watch.due = 0.0
    before = body(front)
    world.poll("bbc", [entry("bbc", "late", "Late news")])
    assert body(front) == before
    ticks.now += 0.24
    assert body(front) == before
    ticks.now += 0.01
    assert b"Late news" in body(front)


def test_what_is_committed_while_an_answer_is_made_is_not_missed(world: World) -> None:
    world.clock.tick(hours=1)
    front, application = counted(world)
    numbers = iter(range(100))

    def publish() -> None:
        world.poll("bbc", [entry("bbc", f"x{next(numbers)}", f"Meanwhile {next(numbers)}")])

    application.meanwhile = publish
    assert b"Meanwhile" not in body(front)
    application.meanwhile = lambda: None
    assert b"Meanwhile 1" in body(front)


def test_time_ends_what_is_kept(world: World) -> None:
    world.clock.tick(hours=1)
    front, application = counted(world)
    path = "/feeds/query.atom?q=since:12d"
    assert b"Six hours" in body(front, path)
    world.clock.tick(days=1)
    assert b"Six hours" not in body(front, path)
    body(front)
    asked = application.asked
    world.clock.tick(hours=1)
    body(front)
    assert application.asked == asked + 1
    # and a clock that is set back prolongs nothing
    world.clock.tick(days=-7)
    body(front)
    assert application.asked == asked + 2


def test_memory_is_bounded(world: World) -> None:
    world.clock.tick(hours=1)
    door = Door(world.runtime)
    plain = front_of(world.runtime, every=0.0).application
    size = 2 * len(body(front_of(world.runtime, every=0.0))) + 20_000
    front = Front(plain, door.watch, door.access, world.clock, size=size)
    for number in range(20):
        reply = ask(front, "GET", f"{FEED}?x={number}", {})
        assert reply == ask(plain, "GET", f"{FEED}?x={number}", {})
        assert front.used <= size
    assert front.used > size / 3


def test_without_a_store_nothing_is_given_from_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.clock.tick(hours=1)
    front = front_of(world.runtime, every=0.0)
    assert ask(front, "GET", FEED, {})[0] == "200 OK"

    def gone() -> int:
        raise StoreUnavailable("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(world.runtime.store, "change", gone)
        assert ask(front, "GET", FEED, {})[0][:3] == "503"
    assert ask(front, "GET", FEED, {})[0] == "200 OK"


def test_tokens_are_looked_at_before_anything_kept(world: World) -> None:
    world.clock.tick(hours=1)
    front, application = counted(world)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert ask(front, "GET", FEED, {})[0] == "200 OK"
    store = world.runtime.store
    store.add_token("phone", token_digest(TOKEN), world.clock())
    asked = application.asked
    replies = [
        ask(front, "GET", FEED, bearer),
        ask(front, "GET", f"{FEED}?token=open+sesame", {}),
        ask(front, "GET", f"{FEED}?token=open%20sesame&token=x", {}),
    ]
    assert replies[0][0] == "200 OK"
    assert replies[1:] == replies[:1] * 2
    assert application.asked == asked + 1
    for path, headers in (
        (FEED, {}),
        (f"{FEED}?token=x", {}),
        (FEED, {"Authorization": "Basic é"}),
    ):
        assert ask(front, "GET", path, headers)[0][:3] == "401"
        assert ask(front, "GET", path, {**headers, "If-None-Match": "*"})[0][:3] == "401"
    store.remove_token("phone", last=True)
    assert dict(ask(front, "GET", FEED, bearer)[1])["Cache-Control"].startswith("max-age")


def test_every_answer_is_counted(world: World) -> None:
    world.clock.tick(hours=1)
    front = front_of(world.runtime, every=0.0)
    route = "/feeds/<path:feed>"
    counters = [HTTP_REQUESTS.labels(route=route, status=status) for status in ("200", "304")]
    front.report()
    before = [counter._value.get() for counter in counters]
    etag = dict(ask(front, "GET", FEED, {})[1])["ETag"]
    for _ in range(6):
        ask(front, "HEAD", FEED, {})
        ask(front, "GET", FEED, {"If-None-Match": etag})
    front.report()
    front.report()
    after = [counter._value.get() for counter in counters]
    assert [a - b for a, b in zip(after, before, strict=True)] == [7, 6]


def test_bodies_are_put_into_a_coding_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counting(coding: compress.Coding) -> compress.Coding:
        def encode(content: bytes) -> bytes:
            made.append(coding.name)
            return coding.encode(content)

        return compress.Coding(coding.name, coding.suffix, encode)

    monkeypatch.setattr(compress, "CODINGS", tuple(map(counting, compress.CODINGS)))
    world.clock.tick(hours=1)
    front = front_of(world.runtime, every=0.0)
    for number in range(4):
        # another address and another moment, but the same bytes
        world.clock.tick(hours=number)
        for coding in ("gzip", "br", "zstd"):
            ask(front, "GET", f"{FEED}?x={number}", {"Accept-Encoding": coding})
    assert sorted(made) == ["br", "gzip", "zstd"]
