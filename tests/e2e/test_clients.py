"""Programs that read feeds go through three changes: a new entry, an edited one, a withdrawn one.

Each sees exactly that, on the running service, and is told 304 in between.
"""

import http.client
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import feedparser
import pytest

from tests.service import PATIENCE, ROOT, Service

PEERS = ROOT / ".venv-bench" / "bin" / "python"
DOCUMENT = """---
title: {title}
date: 2025-04-1{day}
---
{text}
"""
FEED = "/feeds/sources/seeds"
Seen = dict[str, str]


class Client(Protocol):
    """Something that subscribes to a feed."""

    def poll(self) -> int:
        """Asks for the feed once; the status of the answer."""
        ...

    def seen(self) -> Seen:
        """The text of each entry it has, by title."""
        ...


class FeedParser:
    """feedparser fetches by itself, with the validators of its last answer and `A-IM: feed`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._etag = self._modified = None
        self._entries: Seen = {}

    def poll(self) -> int:
        got = feedparser.parse(self._url, etag=self._etag, modified=self._modified)
        if got.status != 304:
            assert not got.bozo, got.bozo_exception
            self._etag, self._modified = got.get("etag"), got.get("modified")
            self._entries = {entry.title: str(entry) for entry in got.entries}
        return int(got.status)

    def seen(self) -> Seen:
        return self._entries


class Poller:
    """A plain program that keeps one validator, one connection, and the last body it was sent."""

    def __init__(self, url: str, told: str, asked: str) -> None:
        host, self._path = url.removeprefix("http://").split("/", 1)
        self._connection = http.client.HTTPConnection(host, timeout=PATIENCE)
        self._validator = told, asked
        self._sent: dict[str, str] = {}
        self._entries: Seen = {}

    def poll(self) -> int:
        self._connection.request("GET", f"/{self._path}", headers=self._sent)
        reply = self._connection.getresponse()
        body = reply.read()
        if reply.status == 200:
            told, asked = self._validator
            self._sent = {asked: reply.headers[told]}
            items = json.loads(body)["items"]
            self._entries = {item["title"]: item["content_html"] for item in items}
        return reply.status

    def seen(self) -> Seen:
        return self._entries

    def close(self) -> None:
        self._connection.close()


class Reader:
    """The library `reader`, in an environment of its own; it keeps what is withdrawn."""

    _PROGRAM = """
import json, sys
from reader import make_reader
reader, statuses = make_reader(sys.argv[2]), []
reader._parser.get_retriever("http://").response_hooks.append(
    lambda session, response, *more, **named: statuses.append(response.status_code)
)
reader.add_feed(sys.argv[1], exist_ok=True)
for result in reader.update_feeds_iter(scheduled=False):
    assert not isinstance(result.value, Exception), result.value
entries = {entry.title: entry.get_content().value for entry in reader.get_entries()}
print(json.dumps([statuses, entries]))
"""

    def __init__(self, url: str, folder: Path) -> None:
        assert PEERS.exists(), "there is no .venv-bench: make .venv-bench/.ready"
        self._command = [PEERS, "-c", self._PROGRAM, url, str(folder / "reader.sqlite")]
        self._entries: Seen = {}

    def poll(self) -> int:
        done = subprocess.run(
            self._command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stderr
        (status,), self._entries = json.loads(done.stdout)
        return int(status)

    def seen(self) -> Seen:
        return self._entries


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Iterator[Service]:
    # links to related entries change as entries come: here only what is published shall
    service = make_service(seeds=False, FEEDSVC_RELATED__MAX="0")
    service.seeds.mkdir()
    for day, title in enumerate(("First", "Second", "Third")):
        publish(service, title, day=day)
    service.start()
    for title in ("First", "Second", "Third"):
        service.wait_for_text(f"{FEED}.atom", f"<title>{title}</title>")
    return service


def publish(service: Service, title: str, text: str = "As it came.", *, day: int = 5) -> None:
    document = DOCUMENT.format(title=title, text=text, day=day)
    (service.seeds / f"{title}.md").write_text(document, "utf-8")


def settled(service: Service, client: Client, shows: Callable[[Seen], bool]) -> Seen:
    """Polls until the client shows something, and then until there is nothing new.

    Each of the web server's processes may be a moment behind the others.
    """

    def polled() -> bool:
        client.poll()
        return shows(client.seen())

    service.wait(polled, "the client to show it")
    service.wait(lambda: client.poll() == 304, "a 304")
    return client.seen()


def three_changes(service: Service, client: Client, *, keeps: bool = False) -> None:
    """A client sees what changes and nothing else; one that `keeps` shows what is withdrawn."""
    first = settled(service, client, lambda seen: len(seen) == 3)
    assert first.keys() == {"First", "Second", "Third"}

    publish(service, "Fourth", "This is new.")
    second = settled(service, client, lambda seen: "Fourth" in seen)
    assert second.keys() == {*first, "Fourth"}
    assert {title: second[title] for title in first} == first
    assert "This is new." in second["Fourth"]

    publish(service, "Second", "This was edited.", day=1)
    third = settled(service, client, lambda seen: "This was edited." in seen["Second"])
    assert third.keys() == second.keys()
    assert [title for title in third if third[title] != second[title]] == ["Second"]
    assert "This was edited." in third["Second"]

    (service.seeds / "First.md").unlink()
    if keeps:
        service.wait_for_text(f"{FEED}.atom", "at:deleted-entry")
        # what has gone is no change to it: it goes on to ask with the validators of before
        client.poll()
        assert client.seen() == third
        return
    fourth = settled(service, client, lambda seen: "First" not in seen)
    assert fourth == {title: text for title, text in third.items() if title != "First"}
    assert settled(service, client, bool) == fourth


@pytest.mark.parametrize("suffix", ["atom", "rss"])
def test_feedparser(service: Service, suffix: str) -> None:
    three_changes(service, FeedParser(f"{service.base_url}{FEED}.{suffix}"))


@pytest.mark.parametrize(
    ("told", "asked"), [("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")]
)
def test_a_plain_poller(service: Service, told: str, asked: str) -> None:
    with closing(Poller(f"{service.base_url}{FEED}.json", told, asked)) as client:
        three_changes(service, client)


@pytest.mark.reader
@pytest.mark.parametrize("suffix", ["atom", "rss"])
def test_the_library_reader(service: Service, tmp_path: Path, suffix: str) -> None:
    client = Reader(f"{service.base_url}{FEED}.{suffix}", tmp_path)
    three_changes(service, client, keeps=True)
