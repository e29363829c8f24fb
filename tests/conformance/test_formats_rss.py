"""RSS 2.0: the profile of the RSS Advisory Board, and what feedgen drops or bends."""

import locale
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest

from feedsvc.formats import FORMATS, render
from feedsvc.model import FeedDocument, FeedEntry, Link, Person, SourceMeta, Text

from .format_documents import BARE, DOCUMENT, PLAIN, RICH, WIRE
from .format_rules import ATOM, CONTENT, DC, TOMBSTONES, faults, tree

rss = FORMATS["rss"]


def channel(document: FeedDocument = DOCUMENT) -> Any:
    body = render(rss, document)
    assert faults("rss", body) == []
    return tree(body)[0]


def item(entry: FeedEntry = RICH) -> Any:
    return channel(replace(DOCUMENT, entries=(entry,))).find("item")


def links(parent: Any, rel: str) -> list[str]:
    return [link.get("href") for link in parent.findall(f"{ATOM}link[@rel='{rel}']")]


def test_the_channel_leads_to_the_page_and_to_itself() -> None:
    found = channel()
    assert found.findtext("link") == DOCUMENT.home_url
    assert links(found, "self") == [DOCUMENT.self_url]
    assert found.find(f"{ATOM}link[@rel='self']").get("type") == "application/rss+xml"
    assert links(found, "hub") == ["https://hub.example/"]
    assert links(found, "next") == [
        "https://feeds.example.org/feeds/tags/russia.atom?before=abc&limit=3"
    ]


def test_the_channel_says_what_it_is() -> None:
    found = channel()
    assert {name: found.findtext(name) for name in ("description", "language", "copyright")} == {
        "description": "Entries tagged russia",
        "language": "en",
        "copyright": "CC BY",
    }
    assert found.findtext("generator") == "feedsvc 1.2.3"
    assert found.findtext("docs") == "https://www.rssboard.org/rss-specification"
    assert found.findtext("managingEditor") == "ed@example.org (Ed Itor)"
    assert found.findtext("image/url") == DOCUMENT.logo


def test_a_channel_without_subtitle_is_described_by_its_title() -> None:
    said = channel(replace(DOCUMENT, subtitle=None)).findtext("description")
    # a description is HTML to its readers
    assert said == escape(DOCUMENT.title, quote=False) != DOCUMENT.title


def test_a_site_author_without_mail_is_a_creator() -> None:
    found = channel(replace(DOCUMENT, authors=(Person(name="Ed"),)))
    assert found.find("managingEditor") is None
    assert found.findtext(f"{DC}creator") == "Ed"


def test_the_channels_date_is_the_documents_and_never_the_clocks() -> None:
    assert channel().findtext("lastBuildDate") == "Thu, 10 Apr 2025 06:00:00 GMT"
    assert channel(replace(DOCUMENT, entries=())).find("pubDate") is None


def test_dates_are_english_and_leave_the_locale_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def switched(*_: Any) -> str:
        raise AssertionError("the locale belongs to the whole process")

    monkeypatch.setattr(locale, "setlocale", switched)
    early = replace(PLAIN, published=datetime(33, 4, 3, tzinfo=UTC))
    assert item(early).findtext("pubDate") == "Sun, 03 Apr 0033 00:00:00 GMT"


def test_an_update_shows_beside_the_publication() -> None:
    assert item().findtext("pubDate") == "Thu, 10 Apr 2025 00:00:00 GMT"
    assert item().findtext(f"{ATOM}updated") == "2025-04-10T06:00:00Z"
    assert item(PLAIN).find(f"{ATOM}updated") is None


@pytest.mark.parametrize(
    ("id", "permanent"),
    [
        (RICH.url, "true"),
        ("https://wire.example/other", "false"),
        ("tag:wire.example,2025:1", "false"),
        ("urn:uuid:60a76c80-d399-11d9-b93c-0003939e0af6", "false"),
    ],
)
def test_only_the_pages_own_address_is_a_permanent_link(id: str, permanent: str) -> None:
    guid = item(replace(RICH, id=id)).find("guid")
    assert (guid.text, guid.get("isPermaLink")) == (id, permanent)


def test_one_enclosure_the_others_are_links() -> None:
    found = item()
    assert [dict(one.attrib) for one in found.findall("enclosure")] == [
        {"url": "https://wire.example/a.mp3", "length": "12345", "type": "audio/mpeg"}
    ]
    assert links(found, "enclosure") == ["https://wire.example/p.jpg"]


def test_an_enclosure_has_a_type_and_a_length_whatever_we_know() -> None:
    bare = replace(
        BARE,
        links=(
            Link(href="magnet:?xt=urn:btih:1", rel="enclosure"),
            Link(href="https://x.example/f", rel="enclosure"),
        ),
    )
    assert dict(item(bare).find("enclosure").attrib) == {
        "url": "https://x.example/f",
        "length": "0",
        "type": "application/octet-stream",
    }
    assert links(item(bare), "enclosure") == ["magnet:?xt=urn:btih:1"]


def test_related_entries_are_links_with_type_and_title() -> None:
    link = item().find(f"{ATOM}link[@rel='related']")
    assert dict(link.attrib) == {
        "rel": "related",
        "type": "text/html",
        "title": 'Truce & "after"',
        "href": "https://old.example/truce?a=1&b=2",
    }


def test_authors_with_and_without_mail() -> None:
    assert item().findtext("author") == "ann@wire.example (Ann Éluard)"
    assert [one.text for one in item().findall(f"{DC}creator")] == ["Bo"]
    swapped = item(replace(RICH, authors=RICH.authors[::-1]))
    assert swapped.find("author") is None
    assert [one.text for one in swapped.findall(f"{DC}creator")] == [
        "Bo",
        "ann@wire.example (Ann Éluard)",
    ]
    nameless = item(replace(RICH, authors=(Person(name="", email="a@b.example"),)))
    assert nameless.findtext("author") == "a@b.example"


def test_contributors_rights_and_language() -> None:
    found = item()
    names = ("contributor", "rights", "language")
    assert [found.findtext(DC + name) for name in names] == ["Cy", "© 2025 Wire", "en"]


def test_rights_are_those_of_the_source_where_the_entry_has_none() -> None:
    assert item(replace(RICH, rights=None)).findtext(f"{DC}rights") == WIRE.rights
    assert item(PLAIN).find(f"{DC}rights") is None


def test_the_source_keeps_its_id() -> None:
    assert item().findtext(f"{DC}source") == WIRE.id
    assert item(PLAIN).findtext(f"{DC}source") == "tag:localhost,2026:feeds/sources/seeds"
    told = replace(WIRE, id=WIRE.self_link)
    assert item(replace(RICH, source=told)).find(f"{DC}source") is None


def test_the_source_names_its_feed() -> None:
    source = item().find("source")
    assert (source.text, source.get("url")) == ("Wire & Sons", "https://wire.example/feed.atom")
    page_only = SourceMeta(title="Wire", link="https://wire.example/")
    assert item(replace(RICH, source=page_only)).find("source").get("url") == page_only.link
    assert item(PLAIN).find("source") is None


def test_content_beside_a_summary_is_encoded_content() -> None:
    assert item().findtext("description") == "Talks &lt; six hours &amp; more"
    assert item().findtext(f"{CONTENT}encoded") == RICH.content.value  # type: ignore[union-attr]


def test_content_alone_is_the_description_and_text_becomes_html() -> None:
    found = item(PLAIN)
    assert (
        found.findtext("description")
        == "<p>First paragraph &lt; here.</p><p>Second &amp; last.</p>"
    )
    assert found.find(f"{CONTENT}encoded") is None
    assert item(BARE).findtext("description") == "Just <b>this</b>."


def test_a_title_alone_and_not_even_a_title() -> None:
    titled = item(replace(BARE, title="T", summary=None))
    assert (titled.findtext("title"), titled.find("description")) == ("T", None)
    assert item(replace(BARE, summary=None)).findtext("description") == BARE.url


def test_categories_keep_their_domain() -> None:
    assert [(one.text, one.get("domain")) for one in item().findall("category")] == [
        ("Russia", "https://feeds.example.org/tags/"),
        ("United States", "https://feeds.example.org/tags/"),
        ("Diplomacy", "https://wire.example/terms"),
    ]


def test_deleted_entries_stand_in_the_channel() -> None:
    gone = channel().findall(f"{TOMBSTONES}deleted-entry")
    assert [one.get("ref") for one in gone] == ["tag:localhost,2026:seeds/gone.txt"]


def test_a_fragment_declares_no_namespace_even_if_its_text_does() -> None:
    text = '<p xmlns:dc="http://purl.org/dc/elements/1.1/">x</p>'
    entry = replace(RICH, content=Text(value=text, type="html"))
    fragment = rss.fragment(entry)
    assert fragment.count(b"xmlns") == 1
    assert fragment.startswith(b"<item><title>")
    assert item(entry).findtext(f"{CONTENT}encoded") == text
