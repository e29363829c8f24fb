"""Feeds of other parsers' test suites: nothing breaks, nothing is lost, nothing is changed."""

import io
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import feedparser.api
import pytest

from feedsvc.errors import ParseError
from feedsvc.model import ParsedEntry
from feedsvc.sources import saxdriver
from feedsvc.sources.base import Reading
from feedsvc.sources.charset import to_utf8
from feedsvc.sources.saxdriver import BufferedExpat, Parsed
from feedsvc.sources.webfeed import parse_feed

DATA = Path(__file__).parent.parent / "data"
URL = "https://feeds.example.com/all/feed.xml"
CORPORA = [
    "encodings",
    "feedparser-tests/encoding",
    "feedparser-tests/entities",
    "feedparser-tests/illformed",
    "feedparser-tests/json",
    "feedparser-tests/wellformed",
    "feeds",
    "feedvalidator-valid",
    "newsboat",
    "node-feedparser",
    "podcast-namespace",
    "reader-jsonfeed",
    "rust-atom",
    "rust-rss",
    "xml-attacks",
]
# JSON is none of feedparser's, and it takes long over entity bombs
UNFIT = ("feedparser-tests/json", "xml-attacks")
SUFFIXES = {".atom", ".html", ".json", ".opml", ".rss", ".xml", ".xsd"}


def documents(corpus: str) -> Iterator[Path]:
    for path in sorted((DATA / corpus).rglob("*")):
        if path.suffix in SUFFIXES:
            yield path


def reference(path: Path) -> Any:
    """What feedparser itself makes of a document."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return feedparser.parse(
            io.BytesIO(path.read_bytes()), sanitize_html=False, resolve_relative_uris=False
        )


def same(ours: ParsedEntry, theirs: Any) -> bool:
    def date(name: str) -> datetime | None:
        value = dict.get(theirs, f"{name}_parsed")
        if value is None:
            return None
        year, month, day, hour, minute, second = value[:6]
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)

    title = theirs.get("title_detail") or {}
    kind = title.get("type") or "text/plain"
    readable = kind.startswith("text/") or kind == "application/xhtml+xml"
    return (
        # it drops an id that it cannot resolve; we never resolve one
        ((theirs.get("id") or "").strip() or ours.uid) == ours.uid
        and (ours.title.value if ours.title else "")
        == (theirs.get("title") or title.get("value") or "" if readable else "")
        and ours.published == (date("published") or date("created"))
        and ours.updated == date("updated")
    )


def attempt(path: Path) -> Reading | ParseError:
    try:
        return parse_feed(path.read_bytes(), url=URL)
    except ParseError as error:
        return error


@pytest.mark.parametrize("corpus", CORPORA)
def test_every_entry_is_seen_and_nothing_breaks(corpus: str) -> None:
    read = 0
    for path in documents(corpus):
        reading = attempt(path)
        theirs = reference(path).entries if path.suffix != ".json" else []
        if isinstance(reading, ParseError):
            assert theirs == [], f"{path}: {reading}"
            assert str(reading), path
            continue
        read += 1
        if path.suffix == ".json":
            continue
        empty = {problem.name for problem in reading.problems}
        shown = [one for number, one in enumerate(theirs, 1) if f"entry {number}" not in empty]
        assert len(reading.entries) == len(shown), path
        for mine, other in zip(reading.entries, shown, strict=True):
            assert same(mine, other), f"{path}\n{mine}\n{other}"
    assert read > 0 or corpus == "xml-attacks"


@pytest.mark.parametrize("corpus", [one for one in CORPORA if one not in UNFIT])
def test_text_in_one_piece_changes_nothing(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[BufferedExpat] = []

    def make(*_: object) -> BufferedExpat:
        made.append(BufferedExpat())
        return made[-1]

    expected = {path: reference(path) for path in documents(corpus)}
    monkeypatch.setattr("xml.sax.make_parser", make)
    for path, result in expected.items():
        found = reference(path)
        assert (found.entries, found.feed, found.bozo) == (
            result.entries,
            result.feed,
            result.bozo,
        ), path
    assert made


class Unhurried(
    saxdriver.CarryingStrict,
    saxdriver.ForeignStrict,
    saxdriver._Kept,
    feedparser.api.StrictFeedParser,
):  # type: ignore[misc]
    """Our parser with feedparser's own methods in place of those of `quick`."""

    deepest = saxdriver._Strict.deepest


def driven(path: Path, base: str) -> Parsed | ParseError:
    body = path.read_bytes()
    try:
        data = to_utf8(body, {})
        return saxdriver.drive(data, base=base, lang="en_us", original=body)
    except ParseError as error:
        return error


@pytest.mark.parametrize("base", ["", URL])
@pytest.mark.parametrize("corpus", CORPORA)
def test_quick_methods_change_nothing(
    corpus: str, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {path: repr(driven(path, base)) for path in documents(corpus)}
    monkeypatch.setattr(saxdriver, "_Strict", Unhurried)
    for path, one in found.items():
        assert one == repr(driven(path, base)), path
