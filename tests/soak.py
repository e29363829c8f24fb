"""Publishers that go on publishing and a service that is killed under them; then, what was lost.

`Publishers` are feeds and a folder of documents that know what they ever published. `Killer` ends
one process of a service as a power cut would, at a moment that nobody chose. `audit` compares the
store with what was published, entry by entry.
"""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from feedsvc.claims import LEASE
from feedsvc.store import open_store
from feedsvc.store.schema import entries, sources
from tests.feedserver import Answer, FeedServer, Request
from tests.service import PATIENCE, Service

FEEDS = 12
_FIRST = 5
# what is killed, and how often in comparison
_VICTIMS = {"poll": 5, "parser": 2, "serve": 1, "worker": 1, "all": 1, "supervisor": 1}
CONFIG = """
[poll]
min_interval = "1s"
interval = "1s"
max_interval = "2s"
timeout = "10s"
directory_interval = "1s"
workers = 2
allow_private = ["{address}"]
[[sources]]
location = "seeds"
id = "seeds"
{feeds}
"""
_SOURCE = """
[[sources]]
location = "{url}"
id = "{id}"
interval = "1s"
"""


@dataclass
class Publishers:
    """Feeds on one server and a folder, each with what it has published, newest edition last.

    `asked` are the validators that feeds were asked with, None where there were none.
    """

    server: FeedServer
    folder: Path
    random: random.Random
    feeds: dict[str, dict[int, int]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    unconditional: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _files: int = 0

    def __post_init__(self) -> None:
        for number in range(FEEDS):
            name = f"feed{number}"
            self.feeds[name] = dict.fromkeys(range(_FIRST), 1)
            self.server.script(f"/{name}", lambda request, name=name: self._answer(name, request))

    def config(self) -> str:
        """A configuration that polls all of them every second."""
        feeds = [_SOURCE.format(url=self.server.url(f"/{name}"), id=name) for name in self.feeds]
        return CONFIG.format(address=self.server.address, feeds="".join(feeds))

    def publish(self) -> None:
        """Publishes something somewhere: an entry, an edition of one, a file, its end."""
        with self._lock:
            name = self.random.choice(list(self.feeds))
            entries = self.feeds[name]
            if self.random.random() < 0.8:
                entries[len(entries)] = 1
            else:
                entries[self.random.randrange(len(entries))] += 1
        self._touch_folder()

    def _touch_folder(self) -> None:
        what = self.random.random()
        known = sorted(self.files)
        if what < 0.5 or len(known) < 3:
            self._files += 1
            name, title = f"file{self._files}.md", f"file {self._files} edition 1"
        elif what < 0.7:
            name = self.random.choice(known)
            head, _, edition = self.files[name].rpartition(" ")
            title = f"{head} {int(edition) + 1}"
        elif what < 0.85:
            name = self.random.choice(known)
            (self.folder / name).unlink()
            del self.files[name]
            return
        else:
            was = self.random.choice(known)
            name = f"moved-{was}"[-60:]
            (self.folder / was).rename(self.folder / name)
            self.files[name] = self.files.pop(was)
            return
        half = self.folder / "half.part"
        half.write_text(f"# {title}\n\nA paragraph of {title}.\n", "utf-8")
        half.rename(self.folder / name)
        self.files[name] = title

    def _answer(self, name: str, request: Request) -> Answer:
        if request.headers["If-None-Match"] is None:
            self.unconditional[name] += 1
        with self._lock:
            entries = dict(self.feeds[name])
        tag = f'"{name}-{len(entries)}-{sum(entries.values())}"'
        items = "".join(
            f"<item><title>{title(name, number, edition)}</title><guid>urn:{name}:{number}</guid>"
            f"<link>http://{name}.example/{number}</link>"
            f"<pubDate>Thu, 10 Apr 2025 {number // 60 % 24:02}:{number % 60:02}:00 GMT</pubDate>"
            f"<description>{name} {number}: text of edition {edition}.</description></item>"
            for number, edition in sorted(entries.items(), reverse=True)
        )
        body = f"<rss version='2.0'><channel><title>{name}</title>{items}</channel></rss>"
        return Answer(body=body.encode(), headers={"ETag": tag})

    def wanted(self) -> Mapping[str, Counter[str]]:
        """The titles that each source should have now, and how often: once."""
        with self._lock:
            feeds = {
                name: Counter(title(name, *one) for one in entries.items())
                for name, entries in self.feeds.items()
            }
        return feeds | {"seeds": Counter(self.files.values())}


def title(name: str, number: int, edition: int) -> str:
    """What an edition of an entry is called."""
    return f"{name} entry {number} edition {edition}"


def stored(url: str) -> Mapping[str, Counter[str]]:
    """The titles of live entries in a store, by source."""
    found: dict[str, Counter[str]] = {}
    store = open_store(url)
    live = entries.c.withdrawn_at.is_(None)
    rows = select(sources.c.id, entries.c.title).join_from(entries, sources).where(live)
    try:
        with store.reading() as connection:
            for id, title in connection.execute(rows):
                found.setdefault(id, Counter())[title] += 1
    finally:
        store.close()
    return found


def descendants(pid: int) -> list[int]:
    """The processes below one, however deep."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    below = [pid]
    while below:
        below = [child for one in below for child in parents.get(one, ())]
        found += below
    return found


@dataclass
class Killer:
    """Kills processes of a service, each time another, and counts what it killed."""

    service: Service
    random: random.Random
    killed: Counter[str] = field(default_factory=Counter)

    def strike(self) -> str:
        """Kills one process of the service, or all at once as a power cut does.

        A service that is gone with it is started again, as an operator or an init system would.
        """
        what = self.random.choices(list(_VICTIMS), list(_VICTIMS.values()))[0]
        process = self.service.process
        assert process is not None
        children = self.service.children()
        if what in ("all", "supervisor"):
            pids = [process.pid, *(descendants(process.pid) if what == "all" else ())]
        elif what in children:
            pids = [children[what]]
        else:
            parent = children.get("poll" if what == "parser" else "serve")
            below = descendants(parent) if parent else []
            pids = [self.random.choice(below)] if below else []
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it ended by itself, or died with its parent
        self.killed[what] += bool(pids)
        if process.pid in pids:
            process.wait()
            self.service.process = None
            self.service.wait(lambda: not self.service.listens(), "the port to be free")
            self.service.start()
        return what


def difference(publishers: Publishers, url: str) -> list[str]:
    """What a store lacks of what was published, and what it has too much of."""
    wanted, found = publishers.wanted(), stored(url)
    return [
        f"{word} in {name}: {sorted((one - other).elements())[:5]}"
        for name in wanted
        for word, one, other in (
            ("missing", wanted[name], found.get(name, Counter())),
            ("too many", found.get(name, Counter()), wanted[name]),
        )
        if one - other
    ]


@dataclass
class Soak:
    """One service, its publishers and whoever harms it; `url` is that of the store."""

    service: Service
    publishers: Publishers
    url: str
    random: random.Random
    resumed: list[float] = field(default_factory=list)

    def settle(self) -> None:
        """Waits until everything that was published is in the store, once and in its last form.

        What stays different is told in the failure.
        """
        told: list[str] = []

        def same() -> bool:
            told[:] = difference(self.publishers, self.url)
            return not told

        try:
            # claims that a store gave and could not tell of end with their lease
            patience = PATIENCE + LEASE.total_seconds()
            self.service.wait(same, "the store to have all that was published", patience)
        except pytest.fail.Exception as error:
            pytest.fail("\n".join([*told, str(error)]))

    def kill(self, times: int) -> Killer:
        """Publishes and kills by turns, at moments that nobody chose; settles now and then."""
        killer = Killer(self.service, self.random)
        self.settle()
        first = Counter(self.publishers.unconditional)
        for number in range(1, times + 1):
            for _ in range(self.random.randrange(1, 4)):
                self.publishers.publish()
            struck = time.monotonic()
            killer.strike()
            if self.random.random() < 0.3:
                # while it starts
                time.sleep(self.random.random() * 5)
                continue
            self._next_request()
            self.resumed.append(time.monotonic() - struck)
            # some way into the polls that are under way now
            time.sleep(self.random.random())
            if number % 20 == 0:
                self.settle()
        self.settle()
        asked = self.publishers.unconditional - first
        assert not asked, f"asked for what we have: {asked}"
        return killer

    def _next_request(self) -> None:
        before = len(self.publishers.server.requests())
        self.service.wait(
            lambda: len(self.publishers.server.requests()) > before, "another request"
        )
