"""Subscription lists in and out."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feedsvc import opml
from feedsvc.errors import ParseError
from feedsvc.model import Source, slugify
from feedsvc.opml import Subscription, read, write

DATA = Path(__file__).parent.parent / "data" / "opml"
CASES = sorted(DATA.glob("listparser/**/*.xml"))
LISTS = sorted(DATA.glob("awesome-rss-feeds/*.opml"))


def outline(body: str) -> bytes:
    return f'<opml version="2.0"><head><title>L</title></head><body>{body}</body></opml>'.encode()


def one(body: str) -> Subscription:
    [found] = read(outline(body)).subscriptions
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_listparsers_own_cases(path: Path) -> None:
    body = path.read_bytes()
    if path.stem == "unknown-namespace":
        with pytest.raises(ParseError):
            read(body)
        return
    found = read(body).subscriptions
    for expression in re.findall(r"Eval: (.*\S)", body.decode("utf-8", "replace")):
        wanted = re.fullmatch(r"len\(result\['feeds'\]\) == (\d+)", expression)
        if wanted:
            assert len(found) == int(wanted[1])
        wanted = re.fullmatch(r"result\['feeds'\]\[0\]\['(title|url)'\] == ('[^']*')", expression)
        if wanted:
            assert getattr(found[0], wanted[1]) == ast.literal_eval(wanted[2])


@pytest.mark.parametrize("path", [*CASES, *LISTS], ids=lambda path: path.stem)
def test_what_is_read_can_be_written_and_read_again(path: Path) -> None:
    if path.stem == "unknown-namespace":
        with pytest.raises(ParseError):
            read(path.read_bytes())
        return
    first = read(path.read_bytes())
    again = read(write(first.title or "List", first.subscriptions))
    assert again.subscriptions == first.subscriptions
    assert again.bad == ()
    assert again.title == (first.title or "List")


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_no_feed_of_a_real_list_is_lost(path: Path) -> None:
    text = path.read_text("utf-8")
    urls = {url.replace("&amp;", "&").strip() for url in re.findall(r'xmlUrl="([^"]*)"', text)}
    found = read(path.read_bytes())
    assert {one.url for one in found.subscriptions} == urls
    assert all(slugify(tag) for one in found.subscriptions for tag in one.tags)


def test_a_subscription_has_what_its_outline_says() -> None:
    body = """<outline text="World"><outline text="Wire &amp; Sons" type="rss"
        xmlUrl=" https://wire.example/feed?a=1&amp;b=2 " htmlUrl="https://wire.example/"
        description="All
        the news" category="/Media/Agencies,politics"/></outline>"""
    assert one(body) == Subscription(
        url="https://wire.example/feed?a=1&b=2",
        title="Wire & Sons",
        html_url="https://wire.example/",
        description="All the news",
        tags=("World", "Media", "Agencies", "politics"),
    )


def test_a_feed_in_several_folders_is_one_subscription_with_all_tags() -> None:
    feed = '<outline text="F" xmlUrl="https://f.example/"/>'
    body = f'<outline text="A">{feed}</outline><outline text="B"><outline text="C">{feed}</outline>'
    assert set(one(body + "</outline>").tags) == {"A", "B", "C"}


def test_every_bad_outline_is_told_and_every_repeated_one_counted() -> None:
    good, odd = (
        "<outline text='G' xmlUrl='https://g.example/f'/>",
        "<outline text='{}' xmlUrl='ftp://x'/>",
    )
    lines = [good, odd.format("A"), good, odd.format("B"), odd.format("A"), good]
    found = read(("<opml version='2.0'><body>\n" + "\n".join(lines) + "</body></opml>").encode())
    assert [(one.line, one.name) for one in found.bad] == [(3, "A"), (5, "B"), (6, "A")]
    assert (len(found.subscriptions), found.repeated) == (1, 2)


def test_tags_of_one_slug_are_one_tag() -> None:
    feed = '<outline xmlUrl="https://f.example/" category="united-states,U.S."/>'
    assert one(f'<outline text="United States">{feed}</outline>').tags == ("United States", "U.S.")


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("feed://f.example/rss", "http://f.example/rss"),
        ("feed:https://f.example/rss", "https://f.example/rss"),
        ("HTTPS://f.example/rss", "HTTPS://f.example/rss"),
    ],
)
def test_feed_addresses_are_web_addresses(written: str, url: str) -> None:
    assert one(f'<outline xmlUrl="{written}"/>').url == url


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('<outline text="T" type="rss"/>', "line 3 (T): no feed address; give it an xmlUrl"),
        ('<outline text="T" type="rss" xmlUrl=" "/>', "line 3 (T): no feed address"),
        ('<outline text="T" xmlUrl="ftp://f.example/x"/>', "line 3 (T): 'ftp://f.example/x': only"),
        ('<outline text="T" xmlUrl="/feed"/>', "line 3 (T): '/feed': only http and https"),
        ('<outline text="T" type="include" url="https://l.example/"/>', "not followed; download"),
        (
            '<outline text="T" htmlUrl="https://f.example/"/>',
            "feedsvc source add https://f.example/",
        ),
        (
            '<outline text="T" type="source" xmlUrl="https://f.example/"/>',
            "line 3 (T): a list of lists (https://f.example/)",
        ),
    ],
)
def test_a_bad_outline_is_told_with_its_line_and_the_rest_is_read(body: str, told: str) -> None:
    good = '<outline text="Good" xmlUrl="https://good.example/"/>'
    found = read(outline(f"\n{good}\n{body}\n{good}"))
    assert [one.url for one in found.subscriptions] == ["https://good.example/"]
    assert told in str(found.bad[0])
    assert len(found.bad) == 1


def test_a_list_that_breaks_off_is_read_to_its_end_and_told() -> None:
    found = read(outline('\n<outline xmlUrl="https://a.example/"/>\n<outline xmlUrl="htt')[:-25])
    assert [one.url for one in found.subscriptions] == ["https://a.example/"]
    assert str(found.bad[0]).startswith("line 3: the list breaks off (")


def test_wherever_a_list_breaks_off_that_is_told() -> None:
    urls = [f"https://{name}.example/" for name in "abc"]
    a, b, c = (f'<outline text="{url}" xmlUrl="{url}"/>' for url in urls)
    whole = outline(f'\n<outline text="F">\n{a}\n{b}\n</outline>\n<!-- > -->{c}\n')
    assert read(whole).bad == ()
    for length in range(whole.index(b"<body>"), len(whole)):
        part = whole[:length]
        found = read(part)
        ends = [part.find(f'{url}"/>'.encode()) >= 0 for url in urls]
        assert [one.url for one in found.subscriptions] == urls[: sum(ends)]
        (told,) = found.bad
        assert told.message.startswith("the list breaks off (")
        assert told.line in (part.count(b"\n"), part.count(b"\n") + 1)


def test_bare_tags_quotes_and_ampersands_in_a_description_do_no_harm() -> None:
    body = (
        '\n<outline text="A & B" description="A <a href="https://x.example/">dev</a> & more." '
        'xmlUrl="https://a.example/" type="rss" />\n'
    )
    found = read(outline(body))
    assert [(one.url, one.title) for one in found.subscriptions] == [
        ("https://a.example/", "A & B")
    ]
    assert found.bad == ()


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"hello", b"<html><body>x</body></html>", b"\x00\xff", b"{}"]
)
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError, match="export the subscriptions as OPML"):
        read(body)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "cp1252"])
def test_encodings_declared_marked_or_guessed(encoding: str) -> None:
    text = outline('<outline text="Zoë" xmlUrl="https://f.example/"/>').decode()
    if encoding == "iso-8859-1":
        text = f'<?xml version="1.0" encoding="ISO-8859-1"?>\n{text}'
    assert read(text.encode(encoding)).subscriptions[0].title == "Zoë"


def test_an_entity_bomb_does_not_go_off() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    body = f'<!DOCTYPE opml [<!ENTITY e0 "lol">{levels}]>'.encode()
    body += outline('<outline text="&e9;" xmlUrl="https://f.example/"/>')
    assert len(read(body).subscriptions[0].title) < 100


def test_a_local_file_is_not_read_in(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden words")
    body = f'<!DOCTYPE opml [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode()
    found = read(body + outline('<outline text="a&x;" xmlUrl="https://f.example/"/>'))
    assert "hidden" not in repr(found)


def test_written_lists_are_opml_2() -> None:
    body = write(
        "My <list>",
        [
            Subscription(url="https://a.example/", title="A"),
            Subscription(url="https://b.example/", tags=("World", "politics", "a/b,c")),
            Subscription(url="https://c.example/", title="C", tags=("world",)),
        ],
        owner="Me",
        created=datetime(2025, 4, 10, tzinfo=UTC),
    )
    root = etree.fromstring(body)
    assert root.get("version") == "2.0"
    assert [(child.tag, child.text) for child in root[0]] == [
        ("title", "My <list>"),
        ("dateCreated", "Thu, 10 Apr 2025 00:00:00 +0000"),
        ("ownerName", "Me"),
        ("docs", "http://opml.org/spec2.opml"),
    ]
    outlines: Any = root.find("body")
    assert [one.get("text") for one in outlines] == ["A", "World"]
    assert [one.get("xmlUrl") for one in outlines[1]] == [
        "https://b.example/",
        "https://c.example/",
    ]
    assert dict(outlines[1][0].attrib) == {
        "text": "https://b.example/",
        "title": "https://b.example/",
        "type": "rss",
        "xmlUrl": "https://b.example/",
        "category": "politics,a b c",
    }


def test_sources_become_subscriptions_and_directories_stay_at_home() -> None:
    body = opml.subscriptions(
        "Sources",
        [
            Source(id="seeds", kind="directory", location="seeds", tags=("seeds",)),
            Source(id="f", kind="feed", location="https://f.example/", tags=("a", "b")),
        ],
    )
    assert b"seeds" not in body
    assert read(body).subscriptions == (
        Subscription(url="https://f.example/", title="f", tags=("a", "b"), id="f"),
    )


def test_equal_lists_give_equal_bytes() -> None:
    found = read(LISTS[0].read_bytes())
    assert write("x", found.subscriptions) == write("x", list(found.subscriptions))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(body=st.binary() | st.text().map(lambda text: outline(text)))
def test_no_document_is_the_end(body: bytes) -> None:
    try:
        found = read(body)
    except ParseError:
        return
    assert all(one.url.lower().startswith("http") for one in found.subscriptions)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(
        st.builds(
            Subscription,
            url=st.uuids().map("https://f.example/{}?a=1&b=2".format),
            title=st.text(st.characters(exclude_categories=())),
            description=st.none() | st.text(),
            tags=st.lists(st.text(max_size=8), max_size=3).map(tuple),
        ),
        max_size=5,
    )
)
def test_anything_is_written_well_formed(subscriptions: list[Subscription]) -> None:
    body = write("T", subscriptions)
    etree.fromstring(body)
    found = read(body)
    assert sorted(one.url for one in found.subscriptions) == sorted(
        one.url for one in subscriptions
    )
    assert found.bad == ()
