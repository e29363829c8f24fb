"""JSON Feed 1.1: its keys, their order, and what stands under `_feedsvc`."""

import json
from dataclasses import replace
from typing import Any

import pytest

from feedsvc.errors import RenderError
from feedsvc.formats import FORMATS, render
from feedsvc.model import Category, FeedDocument, FeedEntry, Link, Person, Text

from .format_documents import BARE, BASE, DOCUMENT, PLAIN, RICH
from .format_rules import faults

format = FORMATS["json"]


def feed(document: FeedDocument = DOCUMENT) -> Any:
    body = render(format, document)
    assert faults("json", body) == []
    return json.loads(body)


def item(entry: FeedEntry = RICH) -> Any:
    return feed(replace(DOCUMENT, entries=(entry,)))["items"][0]


def test_keys_stand_in_one_order() -> None:
    assert list(feed()) == [
        "version",
        "title",
        "home_page_url",
        "feed_url",
        "description",
        "next_url",
        "icon",
        "favicon",
        "authors",
        "language",
        "hubs",
        "_feedsvc",
        "items",
    ]
    assert list(item()) == [
        "id",
        "url",
        "title",
        "content_html",
        "external_url",
        "summary",
        "image",
        "date_published",
        "date_modified",
        "authors",
        "tags",
        "language",
        "attachments",
        "_feedsvc",
    ]


def test_the_head() -> None:
    head = feed()
    assert head["next_url"].endswith("?before=abc&limit=3")
    assert head["hubs"] == [{"type": "WebSub", "url": "https://hub.example/"}]
    assert head["authors"] == [{"name": "Ed Itor", "url": "https://ed.example/"}]
    assert head["_feedsvc"] == {
        "about": "https://feeds.example.org/",
        "id": DOCUMENT.id,
        "rights": "CC BY",
        "updated": "2025-04-10T06:00:00Z",
        "links": [{"rel": "first", "href": f"{BASE}/feeds/tags/russia.atom"}],
        "deleted": [{"id": "tag:localhost,2026:seeds/gone.txt", "when": "2025-04-09T00:00:00Z"}],
    }


def test_the_last_page_has_no_next() -> None:
    assert "next_url" not in feed(replace(DOCUMENT, links=()))
    assert "hubs" not in feed(replace(DOCUMENT, links=()))


def test_related_entries_come_with_reason_and_score_and_the_publishers_after_them() -> None:
    theirs = Link(href="https://wire.example/more", rel="related", title="More")
    related = item(replace(RICH, links=(*RICH.links, theirs)))["_feedsvc"]["related"]
    assert related[0] == {
        "id": "tag:old.example,2025:truce",
        "url": "https://old.example/truce?a=1&b=2",
        "title": 'Truce & "after"',
        "score": 1.0,
        "reason": "named by the entry",
        "kind": "explicit",
    }
    assert (related[1]["kind"], related[1]["score"]) == ("content", 0.613)
    assert related[2:] == [{"url": "https://wire.example/more", "title": "More"}]


def test_html_text_and_nothing_as_content() -> None:
    assert item()["content_html"] == RICH.content.value  # type: ignore[union-attr]
    assert item(PLAIN)["content_text"] == "First paragraph < here.\n\nSecond & last."
    assert item(replace(BARE, summary=None))["content_text"] == ""


def test_a_summary_is_plain_and_stands_in_for_missing_content() -> None:
    assert item()["summary"] == "Talks < six hours & more"
    html = Text(
        value="<h2>One</h2><p>t<b>w</b>o &amp;<br>three</p><!-- x --><script>y</script>",
        type="html",
    )
    found = item(replace(BARE, summary=html))
    assert found["summary"] == "One two & three"
    assert found["content_html"] == html.value


def test_attachments_and_the_image_among_them() -> None:
    assert item()["attachments"] == [
        {
            "url": "https://wire.example/a.mp3",
            "mime_type": "audio/mpeg",
            "title": "Talk",
            "size_in_bytes": 12345,
        },
        {"url": "https://wire.example/p.jpg", "mime_type": "image/jpeg", "size_in_bytes": 99},
    ]
    assert item()["image"] == "https://wire.example/p.jpg"
    nameless = replace(BARE, links=(Link(href="https://x.example/f", rel="enclosure"),))
    assert item(nameless)["attachments"][0]["mime_type"] == "application/octet-stream"


def test_an_author_is_reached_by_page_or_mail() -> None:
    persons = (Person(name="A", email="a@x.example"), Person(name="B", uri="https://b.example/"))
    assert item(replace(BARE, authors=persons))["authors"] == [
        {"name": "A", "url": "mailto:a@x.example"},
        {"name": "B", "url": "https://b.example/"},
    ]


@pytest.mark.parametrize(
    ("email", "url"),
    [
        ("a.b+c@x.example", "mailto:a.b+c@x.example"),
        ("a|b%c@x.example", "mailto:a%7Cb%25c@x.example"),
    ],
)
def test_a_mail_address_becomes_an_address(email: str, url: str) -> None:
    named = replace(BARE, authors=(Person(name="A", email=email),))
    assert item(named)["authors"] == [{"name": "A", "url": url}]


def test_tags_are_labels_each_once() -> None:
    doubled = replace(RICH, categories=(*RICH.categories, *RICH.categories))
    assert item(doubled)["tags"] == ["Russia", "United States", "Diplomacy"]


def test_categories_keep_term_and_scheme_where_a_tag_is_not_all_of_them() -> None:
    told = item()["_feedsvc"]["categories"]
    assert told[-1] == {"term": "12", "scheme": "https://wire.example/terms", "label": "Diplomacy"}
    assert [one["term"] for one in told] == [one.term for one in RICH.categories]
    plain = (Category(term="a"), Category(term="b", label="b"), Category(term="c", label="C"))
    found = item(replace(RICH, categories=plain))
    assert found["_feedsvc"]["categories"] == [{"term": "c", "label": "C"}]
    assert found["tags"] == ["a", "b", "C"]


def test_the_source_and_other_relations_are_kept() -> None:
    extra = item()["_feedsvc"]
    assert extra["source"]["feed_url"] == "https://wire.example/feed.atom"
    assert [link["rel"] for link in extra["links"]] == ["alternate", "via", "replies", "license"]
    assert "_feedsvc" not in item(BARE)


def test_it_is_compact_utf8() -> None:
    body = render(format, DOCUMENT)
    assert "条約 — نص عربي".encode() in body
    assert b'": ' not in body
    assert b"\n" not in body


def test_what_json_has_no_number_for_is_refused_by_name() -> None:
    odd = replace(RICH, related=(replace(RICH.related[0], score=float("nan")),))
    with pytest.raises(RenderError, match="embassies"):
        format.fragment(odd)


def test_an_archive_says_so_and_goes_on_to_the_one_before() -> None:
    around = (
        Link(href=f"{BASE}/feeds/all.json", rel="current"),
        Link(href=f"{BASE}/feeds/all/archive/2025-02.json", rel="prev-archive"),
        Link(href=f"{BASE}/feeds/all/archive/2025-05.json", rel="next-archive"),
    )
    archive = replace(DOCUMENT, self_url=f"{BASE}/feeds/all/archive/2025-03.json", links=around)
    head = feed(archive)
    assert head["next_url"] == around[1].href
    assert head["_feedsvc"]["archive"] is True
    assert head["_feedsvc"]["links"] == [{"rel": one.rel, "href": one.href} for one in around]
