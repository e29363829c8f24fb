"""JSON items and feeds in files; what a reader makes of each sample that ships as a seed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feedsvc.errors import ParseError
from feedsvc.sources.documents import DOCUMENTS
from feedsvc.sources.documents.base import Contents, Document

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"
SEEDS = sorted(path for path in (ROOT / "seeds").rglob("*") if path.is_file())


def read(name: str, body: bytes | str) -> Contents:
    body = body.encode() if isinstance(body, str) else body
    return DOCUMENTS[Path(name).suffix](Document(path=name, body=body))


def titles(contents: Contents) -> list[str]:
    return [entry.title.value if entry.title else "" for entry in contents.entries]


ITEM = {
    "id": "a-1",
    "title": "One",
    "content_text": "Text",
    "date_published": "2025-04-10T00:00:00Z",
}


def test_one_item() -> None:
    contents = read("a.json", json.dumps(ITEM))
    assert not contents.many
    (entry,) = contents.entries
    assert entry.uid == "a-1"
    assert entry.published == datetime(2025, 4, 10, tzinfo=UTC)


def test_an_item_may_name_related_entries() -> None:
    said = {
        **ITEM,
        "_feedsvc": {"related": ["A headline", {"title": "x", "score": 1}, "A headline"]},
    }
    assert read("a.json", json.dumps(said)).entries[0].references == ("A headline",)
    for odd in ({"_feedsvc": []}, {"_feedsvc": {"related": "x"}}, {"_feedsvc": None}):
        assert read("a.json", json.dumps(ITEM | odd)).entries[0].references == ()


def test_a_list_of_items_keeps_the_good_ones() -> None:
    contents = read("a.json", json.dumps([ITEM, {}, {"title": "Two"}, 5]))
    assert contents.many
    assert titles(contents) == ["One", "Two"]
    assert [problem.partition(":")[0] for problem in contents.problems] == ["item 2", "item 4"]
    assert read("a.json", "[]").entries == ()


def test_a_whole_feed_is_the_source_of_its_entries() -> None:
    contents = read("full.json", (DATA / "reader-jsonfeed" / "full.json").read_bytes())
    assert contents.many
    assert contents.complete
    assert [entry.uid for entry in contents.entries] == ["2", "1"]
    sources = {entry.source.title if entry.source else None for entry in contents.entries}
    assert sources == {"My Example Feed"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "not valid JSON"),
        ("{", "line 1"),
        ('{"a": 1}', "neither a JSON Feed nor an item"),
        ("[1, 2]", "none of JSON Feed items"),
        ("5", "a number"),
        ('{"version": "https://jsonfeed.org/version/1.1"}', "items"),
        ("[" * 100_000, "JSON"),
    ],
)
def test_what_is_no_item(body: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        read("a.json", body)


@pytest.mark.parametrize(
    ("name", "title"), [("full.atom", "Example Feed"), ("full.rss", "RSS Title")]
)
def test_feeds_in_files(name: str, title: str) -> None:
    body = (DATA / "reader-jsonfeed" / name).read_bytes()
    contents = read(name, body)
    assert contents.many
    assert contents.complete
    assert len(contents.entries) > 1
    # one names another feed as its source, the next has none and gets this feed
    sources = [entry.source.title if entry.source else None for entry in contents.entries]
    assert sources[:2] == ["Source Title", title]
    assert read("x.xml", body) == contents


def test_a_feed_cut_short_is_not_complete() -> None:
    body = (DATA / "reader-jsonfeed" / "full.atom").read_bytes()
    cut = read("full.atom", body[: body.rindex(b"</entry>")])
    assert cut.entries
    assert not cut.complete
    assert cut.problems


@pytest.mark.parametrize(
    "body", [b"", b"<opml/>", b"<feed", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_what_is_no_feed(body: bytes) -> None:
    with pytest.raises(ParseError):
        read("a.xml", body)


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.name)
def test_every_seed_is_read_without_a_problem(path: Path) -> None:
    contents = read(path.name, path.read_bytes())
    assert contents.problems == ()
    for entry in contents.entries:
        assert entry.title is not None
        assert entry.content is not None
        assert entry.published is not None
        if path.parent.name == "samples":
            assert "sample" in f"{entry.content.value} {entry.summary}".lower()
            labels = {label for label, _ in entry.tags} | {c.term for c in entry.categories}
            assert "sample" in labels


def test_samples_answer_the_headlines_of_the_article() -> None:
    (article,) = [path for path in SEEDS if path.parent.name == "seeds"]
    assert article.read_bytes() == (DATA / "documents" / article.name).read_bytes()
    named = read(article.name, article.read_bytes()).entries[0].references
    samples = [path for path in SEEDS if path != article]
    found = [title for path in samples for title in titles(read(path.name, path.read_bytes()))]
    assert [headline in found for headline in named] == [False, True, True, True, False]
    assert named[0].replace("in Ukraine", "in the Ukraine") in found
    back = [path for path in samples if b"Istanbul Diplomacy: U.S. and Russia" in path.read_bytes()]
    assert {path.suffix for path in back} == {".md", ".html", ".json", ".txt"}
