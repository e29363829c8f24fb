"""Known entries are cut out of a feed before it is parsed: what is left means what it meant."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc import digest as digesting
from feedsvc.config import Config
from feedsvc.digest import Digest, digest
from feedsvc.errors import ParseError
from feedsvc.model import Entry, Source
from feedsvc.runtime import tagger
from feedsvc.sources.base import Fetched
from feedsvc.sources.cutting import Memory, slices
from feedsvc.sources.webfeed import Body, parse_feed

DATA = Path(__file__).parent.parent / "data"
URL = "https://feeds.example.com/all/feed.xml"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SOURCE = Source(id="x", kind="feed", location=URL)
SUFFIXES = {".atom", ".rss", ".xml"}


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digesting, "_tagger", tagger(Config()), raising=False)
    monkeypatch.setattr(digesting, "_authority", "example.com", raising=False)


def read(body: bytes, memory: str | None = None) -> Digest:
    payload = Body(body=body, url=URL, headers={"content-type": "application/xml"})
    return digest(SOURCE, None, Fetched(payload=payload, memory=Memory.read(memory)), NOW)


def feed(*items: str, head: str = "", tail: str = "") -> bytes:
    told = "".join(f"<item>{item}</item>\n" for item in items)
    return (
        f'<rss version="2.0"><channel><title>F</title>{head}{told}{tail}</channel></rss>'.encode()
    )


def item(name: str, text: str = "text") -> str:
    return f"<title>{name}</title><guid>{name}</guid><description>{text}</description>"


def titles(found: Digest) -> list[str]:
    return [entry.title for entry in found.entries]


def test_only_what_is_new_is_read() -> None:
    before = read(feed(item("a"), item("b")))
    after = read(feed(item("c"), item("a"), item("b")), before.cursor)
    assert titles(after) == ["c"]
    assert after.meta == before.meta
    assert titles(read(feed(item("c"), item("a"), item("b")), after.cursor)) == []
    # what left the feed is not remembered for ever, what stays is
    shorter = read(feed(item("c")), after.cursor)
    assert shorter.cursor is not None
    assert len(shorter.cursor) < len(after.cursor or "")
    assert titles(read(feed(item("c"), item("b")), shorter.cursor)) == ["b"]


def test_an_edited_entry_is_read_again() -> None:
    before = read(feed(item("a"), item("b")))
    after = read(feed(item("a"), item("b", "another text")), before.cursor)
    assert titles(after) == ["b"]
    assert after.entries[0].uid == before.entries[1].uid


@pytest.mark.parametrize(
    ("head", "whole"),
    [
        ("<lastBuildDate>Sun, 01 Mar 2026 10:00:00 GMT</lastBuildDate>", False),
        ("<!-- made in 0.3 s -->", False),
        ("<link>https://elsewhere.example/</link>", True),
        ("<language>de</language>", True),
        ("<title>Another</title>", True),
    ],
)
def test_all_is_read_again_when_the_head_changes(head: str, whole: bool) -> None:
    before = read(feed(item("a"), item("b")))
    after = read(feed(item("a"), item("b"), head=head), before.cursor)
    assert titles(after) == (["a", "b"] if whole else [])


def test_the_place_of_an_rdf_feed_list_does_not_matter() -> None:
    def rdf(*names: str) -> bytes:
        listed = "".join(f'<rdf:li rdf:resource="https://e.example/{n}"/>' for n in names)
        told = "".join(
            f'<item rdf:about="https://e.example/{n}"><title>{n}</title></item>' for n in names
        )
        return (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'xmlns="http://purl.org/rss/1.0/"><channel><title>F</title>'
            f"<items><rdf:Seq>{listed}</rdf:Seq></items></channel>{told}</rdf:RDF>"
        ).encode()

    before = read(rdf("a", "b"))
    assert titles(read(rdf("c", "a", "b"), before.cursor)) == ["c"]


def test_a_namesake_of_an_entry_that_would_be_cut_is_told_apart_as_ever() -> None:
    before = read(feed(item("a"), item("b")))
    body = feed("<title>other</title><guid>a</guid>", item("a"), item("b"))
    after = read(body, before.cursor)
    assert after.entries == read(body).entries
    assert len(after.entries) == 3


@pytest.mark.parametrize(
    "hidden",
    [
        "<description><![CDATA[see {} there]]></description>",
        "<description><![CDATA[</item>{}]]></description>",
        "<!-- {} -->",
        "<!-- </item> {} -->",
        "<?php {} ?>",
    ],
)
def test_what_only_looks_like_a_known_entry_stays(hidden: str) -> None:
    known = f"<item>{item('a')}</item>"
    before = read(feed(item("a")))
    assert before.cursor
    other = "<title>b</title><guid>b</guid>" + hidden.format(known + "\n")
    for body in (
        feed(other, item("a")),
        feed(item("a"), other),
        feed(item("a"), head=hidden.format(known)),
        feed(item("a"), tail=hidden.format(known)),
    ):
        whole = read(body)
        known_before = {entry.uid for entry in before.entries}
        cut = read(body, before.cursor)
        assert [e for e in cut.entries if e.uid not in known_before] == [
            e for e in whole.entries if e.uid not in known_before
        ]


def test_entities_of_the_document_are_never_cut_at() -> None:
    assert (
        slices(b'<!DOCTYPE rss [<!ENTITY x "<item>a</item>">]><rss><item>&x;</item></rss>') is None
    )
    assert slices(b"<rss><channel></channel></rss>") is None


def test_an_entry_that_could_not_be_stored_is_read_again() -> None:
    assert read(feed(item("a"), "<category/>")).cursor is None


def test_a_memory_of_another_program_is_none() -> None:
    memory = read(feed(item("a"))).cursor
    assert memory
    assert Memory.read(memory) is not None
    for text in (None, "", "2:x", "1:\x00", '{"v": 1}'):
        assert Memory.read(text) is None


# -- every document of every corpus ------------------------------------------------------------

ENTRY = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)[\s>]")


def documents() -> Iterator[bytes]:
    for path in sorted(DATA.rglob("*")):
        if path.suffix in SUFFIXES and "xml-attacks" not in path.parts:
            body = path.read_bytes()
            if ENTRY.search(body):
                yield body


def whole(body: bytes) -> Digest | None:
    try:
        return read(body)
    except ParseError:
        return None


def changed(body: bytes) -> Iterator[bytes]:
    """Documents that differ from one in an entry: one more, one less, one edited, another order."""
    sliced = slices(body)
    if sliced is None:
        return
    head, entries, tail = sliced.head, sliced.entries, sliced.tail
    said = re.sub(rb">([^<>&]{3,})<", rb">edited \1<", entries[0], count=1)
    for some in (entries[1:], entries[:-1], entries[::-1], (said, *entries[1:]), (*entries, said)):
        if some:
            yield head + b"".join(some) + tail


def meant(entry: Entry) -> Entry:
    return replace(entry, published=NOW, updated=NOW) if not entry.dated else entry


def test_cutting_equals_reading_all_of_it() -> None:
    cut = 0
    for body in documents():
        before = whole(body)
        if before is None or not before.cursor:
            continue
        stored = {entry.uid: meant(entry) for entry in before.entries}
        for other in changed(body):
            full = whole(other)
            assert full is not None
            found = read(other, before.cursor)
            cut += len(found.entries) < len(full.entries)
            assert found.meta == full.meta
            # what is in the store afterwards is the same, whichever way it was read
            one = stored | {entry.uid: meant(entry) for entry in found.entries}
            two = stored | {entry.uid: meant(entry) for entry in full.entries}
            assert one == two, other
    assert cut > 1000


TEXTS = st.lists(
    st.sampled_from(
        [
            "<item>",
            "</item>",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "<?x",
            "?>",
            "text",
            "<title>t</title>",
            "<guid>g</guid>",
            "\n",
        ]
    ),
    max_size=12,
).map("".join)


@given(known=TEXTS, text=TEXTS, around=st.sampled_from(["{}", "<item>{}</item>", "<!--{}-->"]))
def test_no_markup_hides_an_entry(known: str, text: str, around: str) -> None:
    before = whole(feed(known, item("z")))
    if before is None or not before.cursor:
        return
    body = feed(
        head=around.format(text + f"<item>{known}</item>"), tail=f"<item>{item('z')}</item>"
    )
    full = whole(body)
    if full is None:
        return
    stored = {entry.uid: entry for entry in before.entries}
    found = read(body, before.cursor)
    one = stored | {entry.uid: entry for entry in found.entries}
    assert one == stored | {entry.uid: entry for entry in full.entries}


def test_the_parser_is_given_no_known_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    from feedsvc.sources import webfeed

    sizes: list[int] = []
    real: Callable[..., object] = webfeed.drive

    def drive(data: bytes, **options: object) -> object:
        sizes.append(len(data))
        return real(data, **options)

    monkeypatch.setattr(webfeed, "drive", drive)
    items = [item(str(number), "word " * 200) for number in range(30)]
    before = read(feed(*items[:29]))
    read(feed(*items), before.cursor)
    assert sizes[1] < sizes[0] / 10
    assert parse_feed(feed(*items)).outline is not None
