"""Every document of the corpora through the whole service and out again, in every format.

The documents are served on loopback, polled by the real poller into a real store, and published:
all entries page by page, and each source's own feed. What comes out is held to the rules of its
format and read again by a stranger; nothing may be invalid and nothing lost.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import feedparser
import pytest

from feedsvc import opml
from feedsvc.compose.request import FeedRequest
from feedsvc.formats import FORMATS
from feedsvc.model import Source
from feedsvc.reports import Summary
from feedsvc.round import poll_once
from feedsvc.runtime import Runtime
from tests.feedserver import FeedServer
from tests.store import empty_runtime

from .corpora_view import DATA, documents, read, told
from .format_rules import faults, opml_faults
from .test_corpora_entries import CORPORA
from .test_formats import parsed

KINDS = {".json": "application/feed+json", ".html": "text/html"}
PAGE = {"limit": "200", "dupes": "keep"}


@dataclass(frozen=True)
class Pipe:
    """A service that has polled every document once."""

    runtime: Runtime
    summary: Summary
    paths: Sequence[Path]


@pytest.fixture(scope="module")
def pipe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipe]:
    server = FeedServer()
    settings = {"POLL__ALLOW_PRIVATE": server.address, "POLL__PER_HOST": "16"}
    runtime = empty_runtime(tmp_path_factory.mktemp("pipe"), **settings)
    try:
        paths = [path for corpus in CORPORA for path in documents(corpus)]
        runtime.store.add_sources(list(_served(paths, server)), runtime.clock())
        summary = asyncio.run(poll_once(runtime, ignore_schedule=True))
        yield Pipe(runtime, summary, paths)
    finally:
        runtime.close()
        server.close()


def _served(paths: list[Path], server: FeedServer) -> Iterator[Source]:
    for number, path in enumerate(paths):
        body = path.read_bytes()
        headers = _headers(path, body)
        kind = {"content-type": KINDS.get(path.suffix, "application/xml")}
        name = f"/{number}/{path.name}"
        server.serve(name, body, headers=kind | headers)
        title = path.relative_to(DATA).as_posix() if number % 2 else None
        yield Source(id=f"d{number}", kind="feed", location=server.url(name), title=title)


def _headers(path: Path, body: bytes) -> dict[str, str]:
    """The media type that a document asks to be served with."""
    said = told(body)[1] if "feedparser-tests" in path.parts else {}
    return {name: said[name] for name in ("content-type",) if said.get(name)}


def _pages(runtime: Runtime, suffix: str) -> Iterator[bytes]:
    """The feed of everything, page after page, as a client that follows `next` gets it."""
    composer = runtime.composer
    request: FeedRequest | None = composer.all(composer.options(PAGE))
    while request is not None:
        yield composer.render(request, suffix)
        after = composer.head(request).next
        request = composer.turned(request, after) if after else None


def _stored(runtime: Runtime) -> list[str]:
    composer = runtime.composer
    request: FeedRequest | None = composer.all(composer.options(PAGE))
    found: list[str] = []
    while request is not None:
        page = composer.page(request)
        found += [stored.entry.id for stored in page.entries]
        request = composer.turned(request, page.next) if page.next else None
    return found


def test_every_document_was_polled(pipe: Pipe) -> None:
    assert len(pipe.summary.reports) == len(pipe.paths)
    assert pipe.runtime.store.check() == ()
    # what fails is told why, and a stranger finds no entry in it either
    for report in pipe.summary.failed:
        path = pipe.paths[int(report.source.removeprefix("d"))]
        assert len(report.error or "") > 20, path
        if "xml-attacks" not in path.parts:
            assert feedparser.parse(path.read_bytes()).entries == [], (path, report.error)


def _said(paths: Sequence[Path]) -> int:
    """How many entries the documents say anything of, those that they repeat counted once."""
    count = 0
    for path in paths:
        body = path.read_bytes()
        result = read(body, path.name, _headers(path, body))
        raw = result.reading.entries if result.reading else ()
        said = (
            entry
            for entry, one in zip(result.entries, raw, strict=True)
            if one.uid or one.title or one.links or one.summary or one.content
        )
        count += len({(entry.uid, entry.link, entry.title) for entry in said})
    return count


def test_nothing_is_lost_on_the_way_in(pipe: Pipe) -> None:
    assert len(_stored(pipe.runtime)) == _said(pipe.paths)


@pytest.mark.parametrize("suffix", FORMATS)
def test_everything_comes_out_valid(
    pipe: Pipe, suffix: str, record_property: Callable[[str, object], None]
) -> None:
    wanted = _stored(pipe.runtime)
    assert len(set(wanted)) == len(wanted)
    invalid: list[str] = []
    read: list[str] = []
    bodies = list(_pages(pipe.runtime, suffix))
    for body in bodies:
        invalid += faults(suffix, body)
        read += [entry["id"] for entry in parsed(body)["entries"]]
    assert invalid == []
    assert len(read) == len(wanted)
    sources = 0
    for status in pipe.runtime.store.sources():
        composer = pipe.runtime.composer
        request = composer.source(status.source.id, composer.options({"limit": "1"}))
        body = composer.render(request, suffix)
        invalid += [f"{status.source.location}: {fault}" for fault in faults(suffix, body)]
        sources += 1
    assert invalid == []
    record_property(
        "figures",
        f"corpora through the pipe as {suffix}: {len(pipe.paths)} documents, "
        f"{len(wanted)} entries, "
        f"{len(bodies) + sources} feeds, {len(invalid)} invalid",
    )


def test_the_lists_of_sources_are_valid(pipe: Pipe) -> None:
    statuses: Any = pipe.runtime.store.sources()
    body = opml.subscriptions("All", [status.source for status in statuses])
    assert opml_faults(body) == []
    assert len(opml.read(body).subscriptions) == len(statuses)
