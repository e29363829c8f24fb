"""Atom: every element and attribute that feedgen drops or bends arrives (RFC 4287, 5005, 6721)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from feedsvc.formats import FORMATS, render
from feedsvc.model import FeedDocument, Link, Person, SourceMeta, Text

from .format_documents import BARE, BASE, DOCUMENT, PLAIN, RICH, WIRE, at
from .format_rules import ATOM, LANG, TOMBSTONES, faults, tree

atom = FORMATS["atom"]
HISTORY = "{http://purl.org/syndication/history/1.0}"


def feed(document: FeedDocument = DOCUMENT) -> Any:
    body = render(atom, document)
    assert faults("atom", body) == []
    return tree(body)


def entry(number: int = 0) -> Any:
    return feed().findall(f"{ATOM}entry")[number]


def links(parent: Any, rel: str) -> list[dict[str, str]]:
    found = parent.findall(f"{ATOM}link[@rel='{rel}']")
    return [{key: value for key, value in one.attrib.items() if key != "rel"} for one in found]


def test_a_link_keeps_all_its_attributes() -> None:
    assert links(entry(), "related")[0] == {
        "type": "text/html",
        "title": 'Truce & "after"',
        "href": "https://old.example/truce?a=1&b=2",
    }
    assert links(entry(), "alternate")[1] == {
        "type": "text/html",
        "hreflang": "de",
        "title": "Auf Deutsch",
        "href": "https://wire.example/2025/embassies.de",
    }


def test_relations_beyond_the_five_that_feedgen_knows() -> None:
    assert [link.get("rel") for link in entry().findall(f"{ATOM}link")] == [
        "alternate",
        "alternate",
        "related",
        "related",
        "enclosure",
        "enclosure",
        "via",
        "replies",
        "license",
    ]


def test_every_enclosure_is_there() -> None:
    assert [(one["href"][-5:], one["length"]) for one in links(entry(), "enclosure")] == [
        ("a.mp3", "12345"),
        ("p.jpg", "99"),
    ]


def test_an_alternate_of_one_type_and_language_stands_once() -> None:
    twice = replace(
        BARE,
        links=(
            Link(href=BARE.url),
            Link(href=BARE.url, type="text/html"),
            Link(href="https://micro.example/other", type="text/html"),
            Link(href="https://micro.example/1.pdf", type="application/pdf"),
        ),
    )
    document = feed(replace(DOCUMENT, entries=(twice,)))
    found = links(document.find(f"{ATOM}entry"), "alternate")
    assert [one["href"] for one in found] == [BARE.url, "https://micro.example/1.pdf"]


def test_the_page_keeps_the_type_and_language_it_came_with() -> None:
    paper = replace(BARE, links=(Link(href=BARE.url, type="application/pdf", hreflang="es"),))
    document = feed(replace(DOCUMENT, entries=(paper,)))
    assert links(document.find(f"{ATOM}entry"), "alternate") == [
        {"type": "application/pdf", "hreflang": "es", "href": BARE.url}
    ]


def test_the_source_is_complete() -> None:
    source = entry().find(f"{ATOM}source")
    assert source.get(LANG) == "en-GB"
    texts = {
        name: source.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated", "rights")
    }
    assert texts == {
        "id": WIRE.id,
        "title": "Wire & Sons",
        "updated": "2025-04-09T12:00:00Z",
        "rights": "© Wire",
    }
    assert [child.text for child in source.find(f"{ATOM}author")] == [
        "Wire desk",
        "desk@wire.example",
        "https://wire.example/desk",
    ]
    assert links(source, "self") == [{"href": "https://wire.example/feed.atom"}]
    assert source.find(f"{ATOM}category").attrib == {
        "term": "news",
        "scheme": "https://wire.example/terms",
        "label": "News",
    }


def test_languages_stand_where_they_differ() -> None:
    assert feed().get(LANG) == "en"
    assert entry().get(LANG) == "en"
    assert entry().find(f"{ATOM}content").get(LANG) == "fr"
    assert entry().find(f"{ATOM}summary").get(LANG) is None
    assert entry(1).get(LANG) is None


def test_dates_are_ours_and_never_the_clocks() -> None:
    assert feed().findtext(f"{ATOM}updated") == "2025-04-10T06:00:00Z"
    assert entry().findtext(f"{ATOM}updated") == "2025-04-10T06:00:00Z"
    early = replace(PLAIN, published=datetime(33, 4, 3, 15, 0, 0, 999, tzinfo=UTC))
    document = feed(replace(DOCUMENT, entries=(early,)))
    assert document.findtext(f"{ATOM}entry/{ATOM}published") == "0033-04-03T15:00:00Z"


def test_the_order_of_entries_is_the_documents() -> None:
    ids = [one.findtext(f"{ATOM}id") for one in feed().findall(f"{ATOM}entry")]
    assert ids == [RICH.id, PLAIN.id, BARE.id]


def test_plain_text_is_called_text_and_html_html() -> None:
    assert entry().find(f"{ATOM}content").get("type") == "html"
    content = entry(1).find(f"{ATOM}content")
    assert (content.get("type"), content.text) == (
        "text",
        "First paragraph < here.\n\nSecond & last.",
    )


def test_an_entry_without_authors_is_covered_by_the_feeds() -> None:
    anonymous = feed(replace(DOCUMENT, authors=()))
    assert anonymous.findtext(f"{ATOM}author/{ATOM}name") == DOCUMENT.title
    assert anonymous.findall(f"{ATOM}entry")[2].find(f"{ATOM}author") is None


def test_what_a_source_published_anonymously_is_not_by_the_feeds_author() -> None:
    entry = replace(BARE, authors=(), source=SourceMeta(title="Wire"))
    found = feed(replace(DOCUMENT, entries=(entry,)))
    assert found.findtext(f"{ATOM}entry/{ATOM}author/{ATOM}name") == "Wire"


def test_an_entry_without_address_has_content() -> None:
    lost = replace(BARE, url="javascript:alert(1)", summary=None, title="Lost")
    document = feed(replace(DOCUMENT, entries=(lost,)))
    assert document.findtext(f"{ATOM}entry/{ATOM}content") == "Lost"
    assert links(document.find(f"{ATOM}entry"), "alternate") == []


def test_an_id_that_is_no_iri_is_replaced_by_one_made_from_it() -> None:
    odd = [replace(BARE, id=id) for id in ("12", "12 ", "x y", "\ud800")]
    found = [one.text for one in feed(replace(DOCUMENT, entries=tuple(odd))).iter(f"{ATOM}id")][1:]
    assert len(set(found)) == 4
    assert all(id.startswith("urn:uuid:") for id in found)
    again = feed(replace(DOCUMENT, entries=(odd[0],)))
    assert again.findtext(f"{ATOM}entry/{ATOM}id") == found[0]


def test_characters_that_xml_cannot_carry_are_left_out() -> None:
    dirty = replace(BARE, title="a\x00b\ud800c\x9fd\ufffee", content=Text(value="x\x0by\r\nz"))
    document = feed(replace(DOCUMENT, entries=(dirty,)))
    assert document.findtext(f"{ATOM}entry/{ATOM}title") == "abcde"
    assert document.findtext(f"{ATOM}entry/{ATOM}content") == "xy\nz"


def test_persons_without_name_and_bad_addresses_of_persons() -> None:
    persons = (
        Person(name=" "),
        Person(name="", email="only@mail.example"),
        Person(name="Zoe", email="not an address", uri="zoe.example"),
    )
    document = feed(replace(DOCUMENT, entries=(replace(BARE, authors=persons),)))
    authors = document.find(f"{ATOM}entry").findall(f"{ATOM}author")
    assert [[child.text for child in author] for author in authors] == [
        ["only@mail.example", "only@mail.example"],
        ["Zoe"],
    ]


def test_deleted_entries_stand_in_the_head() -> None:
    gone = feed().findall(f"{TOMBSTONES}deleted-entry")
    assert [dict(one.attrib) for one in gone] == [
        {"ref": "tag:localhost,2026:seeds/gone.txt", "when": "2025-04-09T00:00:00Z"}
    ]
    assert TOMBSTONES.strip("{}") not in feed(replace(DOCUMENT, deleted=())).nsmap.values()


def test_paging_and_hub_are_links_of_the_feed() -> None:
    page = f"{BASE}/feeds/tags/russia.atom"
    assert [one["href"] for one in links(feed(), "self")] == [page]
    assert [one["href"] for one in links(feed(), "next")] == [f"{page}?before=abc&limit=3"]
    assert [one["href"] for one in links(feed(), "hub")] == ["https://hub.example/"]
    assert [one["href"] for one in links(feed(), "first")] == [page]


def test_an_archive_names_the_current_document_and_says_so() -> None:
    assert feed().find(f"{HISTORY}archive") is None
    archive = replace(
        DOCUMENT,
        self_url=f"{BASE}/feeds/all/archive/2025-03.atom",
        links=(
            Link(href=f"{BASE}/feeds/all.atom", rel="current"),
            Link(href=f"{BASE}/feeds/all/archive/2025-02.atom", rel="prev-archive"),
        ),
    )
    document = feed(archive)
    assert len(document.findall(f"{HISTORY}archive")) == 1
    assert links(document, "prev-archive") == [{"href": f"{BASE}/feeds/all/archive/2025-02.atom"}]


def test_a_source_of_a_name_alone_is_a_source() -> None:
    small = replace(BARE, source=SourceMeta(title="seeds", updated=at(7)))
    document = feed(replace(DOCUMENT, entries=(small,)))
    source = document.find(f"{ATOM}entry/{ATOM}source")
    assert [child.tag.removeprefix(ATOM) for child in source] == ["title", "updated"]
