"""Feeds that misbehave from fetch to fetch, polled through the whole service on a set clock."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Self

from feedsvc.model import Source, StoredEntry
from feedsvc.query import parse
from feedsvc.reports import PollReport
from feedsvc.round import poll_once
from feedsvc.runtime import Runtime
from tests.feedserver import FeedServer
from tests.store import empty_runtime

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
FEED = (
    "<rss version='2.0'><channel><title>F</title><link>https://a.example/</link>{}</channel></rss>"
)


@dataclass(frozen=True, kw_only=True)
class Item:
    """An item as a feed publishes it; what is None is left out."""

    title: str | None = None
    link: str | None = None
    guid: str | None = None
    date: datetime | None = None
    text: str | None = None

    def xml(self) -> str:
        guid = self.guid and f"<guid isPermaLink='false'>{escape(self.guid)}</guid>"
        parts = [
            self.title and f"<title>{escape(self.title)}</title>",
            self.link and f"<link>{escape(self.link)}</link>",
            guid,
            self.date and f"<pubDate>{format_datetime(self.date)}</pubDate>",
            self.text and f"<description>{escape(self.text)}</description>",
        ]
        return f"<item>{''.join(filter(None, parts))}</item>"


def post(number: int, **changes: object) -> Item:
    """A sound item of its own, as far as it is not changed."""
    words = (
        "amber",
        "basalt",
        "cedar",
        "dune",
        "ember",
        "fjord",
        "grove",
        "harbour",
        "iris",
        "jade",
    )
    word = words[number % 10]
    made = Item(
        title=f"{word.title()} {number} rises",
        link=f"https://a.example/{word}-{number}",
        guid=f"urn:post:{number}",
        date=START - timedelta(days=30) + timedelta(hours=number),
        text=" ".join(f"{word}{n}{number}" for n in range(12)),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class Feed:
    """One source, `one`, on a loopback server."""

    runtime: Runtime
    server: FeedServer
    path: str = "/feed.xml"
    fetches: int = 0
    now: list[datetime] = field(default_factory=lambda: [START])

    @classmethod
    def on(cls, folder: Path, server: FeedServer, *, source: str = "", **settings: str) -> Self:
        """A feed on a fresh store; `source` are lines of its table in the configuration."""
        allowed = {"POLL__ALLOW_PRIVATE": server.address, **settings}
        if source:
            table = f'[[sources]]\nid = "one"\nlocation = "{server.url("/feed.xml")}"\n{source}\n'
            (folder / "feedsvc.toml").write_text(table, "utf-8")
        made = cls(empty_runtime(folder, **allowed), server)
        made.runtime = replace(made.runtime, clock=lambda: made.now[0])
        if source:
            made.runtime.declare()
        else:
            one = Source(id="one", kind="feed", location=server.url(made.path))
            made.runtime.store.add_source(one, START)
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.runtime.close()

    def tick(self, **span: float) -> None:
        self.now[0] += timedelta(**span)

    def poll(self, items: Iterable[Item], *, hours: float = 1) -> PollReport:
        """Publishes these items, and polls them an hour later."""
        return self.poll_body(FEED.format("".join(item.xml() for item in items)), hours=hours)

    def poll_body(self, body: str, *, hours: float = 1) -> PollReport:
        self.server.serve(self.path, body.encode())
        self.fetches += 1
        self.tick(hours=hours)
        (report,) = asyncio.run(poll_once(self.runtime, ignore_schedule=True)).reports
        assert report.error is None
        assert self.runtime.store.check() == ()
        return report

    def entries(self) -> dict[str, StoredEntry]:
        """All live entries by id; each id is there once."""
        found = self.runtime.store.find(parse(""), limit=500, now=self.now[0]).entries
        by_id = {stored.entry.id: stored for stored in found}
        assert len(by_id) == len(found)
        return by_id

    def titles(self) -> list[str]:
        """The titles of all entries, newest first."""
        found = self.runtime.store.find(parse(""), limit=500, now=self.now[0]).entries
        return [stored.entry.title for stored in found]
