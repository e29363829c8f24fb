"""A small newswire in a real store for tests of the web door: sources, entries, a clock to set."""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from feedsvc.config import load
from feedsvc.keys import entry_key
from feedsvc.model import Entry, Link, Person, PollState, Problem, Source, SourceMeta, Tag, Text
from feedsvc.runtime import Runtime, open_runtime
from feedsvc.store.base import PollResult

START = datetime(2025, 5, 1, 12, 0, tzinfo=UTC)
FIRST = datetime(2025, 4, 10, 9, 0, tzinfo=UTC)
ISTANBUL = "Istanbul Diplomacy: U.S. and Russia Seek to Normalize Embassy Operations"

CONFIG = """
[site]
title = "The Wire"
subtitle = "Everything that matters"
{site}
[store]
url = "sqlite:///{folder}/web.db"
[tags.aliases]
usa = "united-states"
[web]
{web}
[[feeds]]
name = "diplomacy"
title = "Diplomacy"
q = "tag:diplomacy -tag:sports"
[[feeds]]
name = "long-reads"
q = "istanbul OR oil"
"""


@dataclass
class Clock:
    """A clock that stands still until it is told to go on."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class World:
    """A runtime with its clock, and short ways to write into its store."""

    runtime: Runtime
    clock: Clock
    fields: dict[str, Any] = field(default_factory=dict)

    def source(self, id: str, **more: Any) -> None:
        kind = more.pop("kind", "feed")
        location = more.pop("location", f"https://{id}.example.org/feed.xml")
        source = Source(id=id, kind=kind, location=location, **more)
        self.runtime.store.add_source(source, self.clock())

    def poll(
        self,
        source: str,
        entries: Sequence[Entry] = (),
        *,
        removed: Sequence[str] = (),
        meta: SourceMeta | None = None,
        enabled: bool | None = None,
        **state: Any,
    ) -> None:
        """Writes what a poll of this source would have brought, a minute later."""
        self.clock.tick(minutes=1)
        now = self.clock()
        (claim,) = self.runtime.store.claim_due(
            now=now,
            owner="test",
            lease=timedelta(minutes=5),
            limit=1,
            only=[source],
            ignore_schedule=True,
        )
        facts = {"last_at": now, "last_ok_at": now, "next_at": now + timedelta(hours=1), **state}
        result = PollResult(
            state=PollState(**facts),
            entries=tuple(entries),
            removed=tuple(removed),
            meta=meta,
            enabled=enabled,
        )
        self.runtime.store.finish_poll(claim, result, now)


def entry(source: str, uid: str, title: str, **more: Any) -> Entry:
    """An entry of a source as normalisation would leave it."""
    id = f"tag:{source}.example.org,2025:{uid}"
    published = more.pop("published", FIRST)
    tags = tuple(
        tag if isinstance(tag, Tag) else Tag(slug=tag, label=tag.title(), origin="feed")
        for tag in more.pop("tags", ())
    )
    text = f"{title} {more.get('summary')} {more.get('content')}"
    made = Entry(
        id=id,
        fallback_id=f"{id}-2",
        key=entry_key(id),
        source_id=source,
        uid=uid,
        title=title,
        published=published,
        updated=published,
        dated=True,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        tags=tags,
    )
    return dataclasses.replace(made, **more)


def open_world(folder: Path, *, site: str = "", web: str = "") -> World:
    """An empty store under the configuration above."""
    file = folder / "feedsvc.toml"
    file.write_text(CONFIG.format(folder=folder, site=site, web=web), "utf-8")
    clock = Clock()
    return World(open_runtime(load(file, environ={}), clock=clock), clock)


def fill(world: World) -> World:
    """Two sources in good order, one that fails, a dozen entries, one of them rich."""
    world.source("seeds", kind="directory", location="seeds", title="Seeds", tags=("seeds",))
    world.source("bbc", tags=("world",))
    world.source("broken", location="https://user:hunter2@broken.example.org/feed?token=s3cret")
    rich = entry(
        "seeds",
        "istanbul",
        ISTANBUL,
        published=FIRST + timedelta(days=10),
        lang="en",
        summary=Text(value="Delegations met in Istanbul."),
        content=Text(
            value="<p>There <em>delegations</em> convened.</p><h2>Talks</h2><p>Six hours.</p>",
            type="html",
        ),
        credit="(With inputs from agencies.)",
        authors=(Person(name="A. Correspondent"),),
        links=(
            Link(
                href="https://cdn.example.org/talk.mp3",
                rel="enclosure",
                type="audio/mpeg",
                length=1_234_567,
            ),
        ),
        tags=(
            Tag(slug="diplomacy", label="Diplomacy", origin="auto", evidence="talks, embassy"),
            Tag(slug="russia", label="Russia", origin="auto", evidence="Russian"),
            Tag(slug="united-states", label="United States", origin="rule", evidence="U.S."),
        ),
        references=("A headline that never came",),
    )
    others = [
        entry(
            "bbc",
            f"n{n}",
            f"Report number {n}",
            published=FIRST + timedelta(hours=n),
            link=f"https://bbc.example.org/news/{n}",
            summary=Text(value=f"What happened at hour {n}."),
            tags=("world", "diplomacy" if n % 2 else "sports"),
        )
        for n in range(12)
    ]
    world.poll("seeds", [rich])
    world.poll(
        "bbc",
        others,
        meta=SourceMeta(title="BBC News", link="https://bbc.example.org/"),
        status=200,
    )
    world.poll("broken", status=404, error="404 Not Found", failures=3, last_ok_at=None)
    return world


def trouble(*names: str) -> tuple[Problem, ...]:
    """Documents that could not be read."""
    return tuple(Problem(name=name, message="not UTF-8") for name in names)
