"""Publishing: a feed of 50 entries as joined fragments, beside feedgen writing it whole."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from feedgen.feed import FeedGenerator

from feedsvc.formats import FORMATS
from feedsvc.formats.base import render
from feedsvc.model import FeedDocument, FeedEntry, Person, Text

_NOW = datetime(2025, 4, 10, tzinfo=UTC)
_BODY = "<p>" + "Delegations met to restore the work of their missions. " * 40 + "</p>"


def _document() -> FeedDocument:
    entry = FeedEntry(
        id="",
        title="Delegations meet",
        url="https://example.org/",
        links=(),
        published=_NOW,
        updated=_NOW,
        authors=(Person(name="Staff"),),
        summary=Text(value="They met."),
        content=Text(value=_BODY, type="html"),
    )
    entries = tuple(
        replace(
            entry,
            id=f"tag:example.org,2025:{n}",
            url=f"https://example.org/{n}",
            published=_NOW - timedelta(minutes=n),
        )
        for n in range(50)
    )
    return FeedDocument(
        id="tag:example.org,2025:feed",
        title="News",
        updated=_NOW,
        self_url="https://example.org/feed.atom",
        home_url="https://example.org/",
        entries=entries,
    )


def _feedgen(document: FeedDocument, suffix: str) -> bytes:
    feed = FeedGenerator()
    feed.id(document.id)
    feed.title(document.title)
    feed.link(href=document.home_url)
    feed.description(document.title)
    feed.updated(document.updated)
    for entry in document.entries:
        item = feed.add_entry(order="append")
        item.id(entry.id)
        item.title(entry.title)
        item.link(href=entry.url)
        item.published(entry.published)
        item.updated(entry.updated)
        item.author(name="Staff", email="staff@example.org")
        item.summary("They met.")
        item.content(_BODY, type="html")
    return bytes(feed.atom_str() if suffix == "atom" else feed.rss_str())


def _milliseconds(work: Callable[[], object], rounds: int = 40) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best * 1000


def main() -> None:
    """Prints CPU milliseconds a feed, and how much faster joining fragments is."""
    document = _document()
    print("publish: one feed of 50 entries, CPU ms (best of 40)")
    print(f"{'':8}{'feedgen whole':>15}{'ours whole':>12}{'ours joined':>13}{'ratio joined':>14}")
    for suffix, format in FORMATS.items():
        fragments = [format.fragment(entry) for entry in document.entries]
        whole = _milliseconds(lambda format=format: render(format, document))
        joined = _milliseconds(
            lambda format=format, fragments=fragments: format.assemble(document, fragments)
        )
        if suffix == "json":
            print(f"{suffix:8}{'-':>15}{whole:>12.2f}{joined:>13.3f}{'-':>14}")
            continue
        peer = _milliseconds(lambda suffix=suffix: _feedgen(document, suffix))
        print(f"{suffix:8}{peer:>15.2f}{whole:>12.2f}{joined:>13.3f}{peer / joined:>14.1f}")
