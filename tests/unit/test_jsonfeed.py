"""JSON Feed 1.0 and 1.1, as specified and as found in the wild."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from feedsvc.errors import ParseError
from feedsvc.model import Category, Link, ParsedEntry, Person, SourceMeta, Text
from feedsvc.sources.base import Reading
from feedsvc.sources.jsonfeed import moment, parse_item, parse_jsonfeed
from feedsvc.vocabulary import banners, pictures

DATA = Path(__file__).parent.parent / "data" / "reader-jsonfeed"
URL = "https://feeds.example.com/feed.json"
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    1.5,
    -1,
    "",
    " ",
    "x",
    [],
    ["x"],
    [1],
    {},
    {"x": 1},
    [{}],
    [[]],
)
FIELDS = [
    *("id", "url", "external_url", "title", "summary", "content_html", "content_text", "image"),
    *("banner_image", "date_published", "date_modified", "author", "authors", "tags", "language"),
    "attachments",
]


def feed(*items: Any, **head: Any) -> Reading:
    document = {"version": "https://jsonfeed.org/version/1.1", "items": list(items), **head}
    return parse_jsonfeed(json.dumps(document).encode(), url=URL)


def test_a_whole_feed() -> None:
    reading = parse_jsonfeed((DATA / "full.json").read_bytes(), url=URL)
    assert reading.problems == ()
    assert reading.meta == SourceMeta(
        title="My Example Feed",
        subtitle="The Best Example Feed",
        link="https://example.org/",
        self_link="https://example.org/feed.json",
        authors=(Person(name="Joe", email="joe@example.com"), Person(name="Jane")),
        lang="en",
    )
    assert reading.entries == (
        ParsedEntry(
            uid="2",
            title=Text(value="Title"),
            links=(
                Link(href="https://example.org/second-item"),
                Link(
                    href="http://example.com/downloads/file.m4a",
                    rel="enclosure",
                    type="audio/x-m4a",
                    length=12345678,
                    duration=1234,
                ),
                Link(
                    href="http://example.com/downloads/another.mp3",
                    rel="enclosure",
                    type="audio/mpeg",
                ),
            ),
            summary=Text(value="A summary"),
            content=Text(value='Content with <a href="http://example.com/">link</a>', type="html"),
            authors=(Person(name="joe@example.com", email="joe@example.com"),),
            published=datetime(2020, 1, 2, 21, tzinfo=UTC),
            updated=datetime(2020, 1, 4, 0, tzinfo=UTC),
            published_text="2020-01-02T14:00:00-07:00",
            lang="de",
            base="https://example.org/",
        ),
        ParsedEntry(
            uid="1",
            links=(Link(href="https://example.org/initial-post"),),
            content=Text(value="<p>Hello, world!</p>", type="html"),
            authors=(Person(name="Jane"),),
            published=datetime(2020, 1, 2, 12, tzinfo=UTC),
            published_text="2020-01-02T12:00:00Z",
            lang="en",
            base="https://example.org/",
        ),
    )


def test_the_head() -> None:
    meta = feed(
        title="T",
        icon="https://e.org/512.png",
        favicon="https://e.org/64.png",
        author={"name": "Ann", "url": "https://e.org/ann"},
        hubs=[{"type": "rssCloud", "url": "https://no"}, {"type": "WebSub", "url": "https://hub"}],
    ).meta
    assert meta is not None
    assert (meta.logo, meta.icon) == ("https://e.org/512.png", "https://e.org/64.png")
    assert meta.authors == (Person(name="Ann", uri="https://e.org/ann"),)
    assert meta.hub == "https://hub"


def test_an_item_with_pictures_tags_and_another_page() -> None:
    item = parse_item(
        {
            "id": 7,
            "url": "/a",
            "external_url": "https://elsewhere.example/",
            "image": "https://e.org/a.jpg",
            "banner_image": "https://e.org/banner",
            "attachments": [{"url": "https://e.org/a.jpg", "mime_type": "image/jpeg"}],
            "tags": ["one", " two ", "one", "", 3],
            "content_text": "Plain",
        },
        base="https://e.org/",
        feed_language="fr",
    )
    assert item.uid == "7"
    assert item.links == (
        Link(href="/a"),
        Link(href="https://elsewhere.example/", rel="via"),
        Link(href="https://e.org/a.jpg", rel="enclosure", type="image/jpeg"),
    )
    assert next(pictures(item.extensions)) == "https://e.org/a.jpg"
    assert list(banners(item.extensions)) == ["https://e.org/banner"]
    assert item.categories == (Category(term="one"), Category(term="two"))
    assert item.content == Text(value="Plain")
    assert (item.lang, item.base) == ("fr", "https://e.org/")


def test_an_address_of_mail_is_read_as_it_was_written() -> None:
    item = parse_item({"id": "1", "authors": [{"url": "mailto:a%7Cb@example.com?subject=x"}]})
    assert item.authors == (Person(name="a|b@example.com", email="a|b@example.com"),)


def test_wrong_types_are_taken_for_absent() -> None:
    reading = parse_jsonfeed((DATA / "invalid.json").read_bytes(), url=URL)
    assert reading.meta == SourceMeta()
    assert [entry.uid for entry in reading.entries] == [
        "2",
        "3.1415",
        "author name",
        "author url",
        "author name fallback",
        "author empty dict",
        "author empty list",
        "second author is good",
    ]
    first = reading.entries[0]
    assert first == ParsedEntry(
        uid="2",
        links=(
            Link(href="control", rel="enclosure"),
            Link(href="float size", rel="enclosure", length=100),
            Link(href="non-number size", rel="enclosure"),
        ),
        published_text="not a date",
        base=URL,
    )
    assert reading.entries[4].authors == (Person(name="joe@example.com", email="joe@example.com"),)
    assert reading.entries[7].authors == (Person(name="Jane"),)


@pytest.mark.parametrize("field", FIELDS)
def test_no_value_in_any_field_crashes(field: str) -> None:
    for value in ODD:
        item = parse_item({"id": "1", "title": "t", "summary": "s", field: value})
        assert item.title or item.summary
        for inner in ODD:
            odd = {"name": inner, "url": inner, "size_in_bytes": inner, "mime_type": inner}
            for value in ([odd], odd):
                item = parse_item({"id": "1", "title": "t", "summary": "s", field: value})
                assert "t" in str(item.title) or "s" in str(item.summary)


@pytest.mark.parametrize("field", ["title", "home_page_url", "authors", "hubs", "language", "icon"])
def test_no_value_in_the_head_crashes(field: str) -> None:
    for value in ODD:
        assert len(feed({"id": "1"}, **{"title": "t", field: value}).entries) == 1


def test_bad_items_are_problems_and_leave_the_others_alone() -> None:
    reading = feed({"id": "1"}, None, 5, "x", [], {}, {"tags": ["a"]}, {"id": ""}, {"id": "2"})
    assert [entry.uid for entry in reading.entries] == ["1", "2"]
    assert [(problem.name, problem.message) for problem in reading.problems] == [
        ("item 2", "it is null and not an object"),
        ("item 3", "it is a number and not an object"),
        ("item 4", "it is a string and not an object"),
        ("item 5", "it is a list and not an object"),
        ("item 6", "it has neither id, url, title nor content"),
        ("item 7", "it has neither id, url, title nor content"),
        ("item 8", "it has neither id, url, title nor content"),
    ]


@pytest.mark.parametrize("version", ["10.json", "unknown.json"])
def test_any_version_is_read_as_far_as_it_goes(version: str) -> None:
    assert parse_jsonfeed((DATA / version).read_bytes(), url=URL).entries == ()


def test_a_feed_that_forgot_its_version() -> None:
    body = b'{"title": "T", "items": [{"id": "1"}]}'
    assert [entry.uid for entry in parse_jsonfeed(body).entries] == ["1"]


@pytest.mark.parametrize(
    ("body", "message", "line"),
    [
        (b"[]", "a list and not an object", None),
        (b"null", "null and not an object", None),
        (b'"x"', "a string and not an object", None),
        (b"{}", 'it has no "version"', None),
        (b'{"items": []}', 'it has no "version"', None),
        (b'{"version": "https://jsonfeed.org/version/1", "items": {}}', 'has no "items"', None),
        (b'{"version": 1, "title": "x", "items": 3}', "not a JSON Feed", None),
        (b'{\n"a": 1,\n}', "it is not valid JSON", 3),
        (b'{"a": ' + b"9" * 5000 + b"}", "its JSON cannot be read", None),
        (b"[" * 100_000, "its JSON cannot be read", None),
    ],
)
def test_what_is_no_json_feed(body: bytes, message: str, line: int | None) -> None:
    with pytest.raises(ParseError) as caught:
        parse_jsonfeed(body)
    assert message in str(caught.value)
    assert caught.value.line == line


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_encodings(encoding: str) -> None:
    text = '{"version": "https://jsonfeed.org/version/1", "title": "Žižkov ☃", "items": []}'
    meta = parse_jsonfeed(text.encode(encoding)).meta
    assert meta is not None
    assert meta.title == "Žižkov ☃"


def test_bytes_that_are_no_utf8_are_read_as_what_they_are() -> None:
    body = b'{"version": "https://jsonfeed.org/version/1", "title": "d\xe9j\xe0", "items": []}'
    meta = parse_jsonfeed(body).meta
    assert meta is not None
    assert meta.title == "déjà"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-04-10T12:00:00Z", datetime(2025, 4, 10, 12, tzinfo=UTC)),
        ("2025-04-10T12:00:00.123456789+02:00", datetime(2025, 4, 10, 10, 0, 0, 123456, UTC)),
        ("2025-04-10T12:00:00", datetime(2025, 4, 10, 12, tzinfo=UTC)),
        ("2025-04-10 12:00:00 +0200", datetime(2025, 4, 10, 10, tzinfo=UTC)),
        ("2025-04-10", datetime(2025, 4, 10, tzinfo=UTC)),
        ("Thu, 10 Apr 2025 12:00:00 +0200", datetime(2025, 4, 10, 10, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("", None),
        (None, None),
    ],
)
def test_dates(text: str | None, expected: datetime | None) -> None:
    assert moment(text) == expected
