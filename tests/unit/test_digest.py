"""What a parser process hands back is what it found, whatever it found."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feedsvc import digest as digesting
from feedsvc.config import Config
from feedsvc.digest import Digest, digest, packed, unpacked
from feedsvc.errors import ParseError
from feedsvc.model import Source
from feedsvc.runtime import tagger
from feedsvc.sources.base import Fetched
from feedsvc.sources.webfeed import Body

DATA = Path(__file__).parent.parent / "data"
SOURCE = Source(id="x", kind="feed", location="https://feeds.example.com/feed")
NOW = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digesting, "_tagger", tagger(Config()), raising=False)
    monkeypatch.setattr(digesting, "_authority", "example.com", raising=False)


def fetched(body: bytes) -> Fetched:
    return Fetched(payload=Body(body=body, url=SOURCE.location, headers={}))


def test_what_is_packed_is_what_is_unpacked() -> None:
    seen = 0
    for path in sorted(DATA.rglob("*")):
        if path.suffix not in {".atom", ".rss", ".xml", ".json"}:
            continue
        came = fetched(path.read_bytes())
        try:
            whole = digest(SOURCE, None, came, NOW)
        except ParseError:
            continue
        travelled = packed(SOURCE, None, came, NOW)
        assert isinstance(travelled, bytes), path.name
        assert unpacked(travelled) == whole, path.name
        seen += len(whole.entries)
    assert seen > 1500


def test_what_is_not_unicode_travels_too() -> None:
    item = {"id": "1", "url": "https://a.example/\udcff", "content_text": "x"}
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": [item]}
    came = fetched(json.dumps(feed).encode())
    found = unpacked(packed(SOURCE, None, came, NOW))
    assert isinstance(found, Digest)
    assert found == digest(SOURCE, None, came, NOW)
    assert len(found.entries) == 1
