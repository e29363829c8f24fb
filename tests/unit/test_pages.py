"""Articles on pages: which text is taken, in which markup, and how pages that are none are told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from feedsvc.errors import ParseError
from feedsvc.model import Entry, Tag, Text
from feedsvc.normalise.fulltext import kept, with_page
from feedsvc.pacing.pages import next_reading, next_try
from feedsvc.sources.pages import Article, may_be_page, read_article
from feedsvc.sources.robots import Ruling, ruling
from tests.storekit import entry

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STORY = "<p>{} The council met for six hours and spoke of money, stone and the old bridge.</p>" * 6
PAGE = (
    "<html lang='de'><head><title>T</title>{}</head><body><nav>Menu of everything</nav>{}"
    "<footer>Imprint</footer></body></html>"
)


def read(body: bytes | str, content_type: str | None = "text/html", head: str = "") -> Article:
    if isinstance(body, str):
        body = PAGE.format(head, body).encode()
    return read_article(body, url="https://p.example/a/b", content_type=content_type)


def story(word: str) -> str:
    return STORY.replace("{}", word)


def test_an_article_keeps_its_markup_and_nothing_around_it() -> None:
    found = read(f"<article>{story('Bridge.')}<figure><img src='x.png'></figure></article>")
    assert "<img src=" in found.html
    assert found.html.count("Bridge.") == 6
    assert "Menu" not in found.html
    assert "Imprint" not in found.html
    assert (found.base, found.lang) == ("https://p.example/a/b", "de")


def test_a_base_element_counts() -> None:
    found = read(f"<article>{story('x')}</article>", head="<base href='/c/'>")
    assert found.base == "https://p.example/c/"


@pytest.mark.parametrize(
    ("head", "content_type", "codec"),
    [
        ("<meta charset='windows-1251'>", "text/html", "cp1251"),
        ("", "text/html; charset=koi8-r", "koi8_r"),
        ("<meta charset='windows-1251'>", "text/html; charset=koi8-r", "koi8_r"),
        ("", None, "utf-8-sig"),
        ("", "application/xhtml+xml", "utf-8"),
    ],
)
def test_pages_are_read_in_their_charset(head: str, content_type: str | None, codec: str) -> None:
    body = PAGE.format(head, f"<article>{story('Мост открыт.')}</article>").encode(codec)
    assert read(body, content_type).html.count("Мост открыт.") == 6


def test_a_page_that_a_script_would_fill_is_read_from_its_data() -> None:
    body = "The bridge is open again after a long time. " * 20
    data = f'{{"@type": "NewsArticle", "headline": "T", "articleBody": "{body}"}}'
    head = f"<script type='application/ld+json'>{data}</script>"
    assert "bridge is open" in read("<div id='app'>Loading</div>", head=head).html


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        (b"%PDF-1.7 ...", "text/html", "no web page"),
        (b"{}", "application/json", "no web page but application/json"),
        (b"", "text/html", "empty"),
        (b"<html><body></body></html>", "text/html", "no text"),
        (b"<p>x</p>" * (1 << 21), "text/html", "larger than 8 MiB"),
        (b"<a " + b"x=1 " * 20_000 + b">t</a>", "text/html", "thousands of attributes"),
        (b"<div>" * 5_000 + b"t", "text/html", "nested too deeply"),
    ],
    ids=["pdf", "json", "empty", "blank", "large", "attributes", "deep"],
)
def test_what_is_no_article_is_told(body: bytes, content_type: str, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        read(body, content_type)


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://p.example/a", True),
        ("https://p.example/a.html?x=y.mp3", True),
        ("https://p.example/a.php", True),
        ("https://p.example/episode.MP3?token=1", False),
        ("https://p.example/report.pdf", False),
        ("https://p.example/p.jpg", False),
    ],
)
def test_addresses_of_recordings_are_not_fetched(url: str, page: bool) -> None:
    assert may_be_page(url) is page


# -- put together with the entry -----------------------------------------------------------


def short(**changes: object) -> Entry:
    made = {"link": "https://p.example/a", "summary": Text(value="A teaser."), **changes}
    return entry("x", **made)


def full(**changes: object) -> Entry:
    found = with_page(short(**changes), story("Bridge."), base="https://p.example/a")
    assert found is not None
    return found


def test_the_page_becomes_the_content_and_the_feed_the_summary() -> None:
    given = Text(value="<p>Short.</p>", type="html")
    found = full(summary=None, content=given)
    assert (found.summary, found.fulltext) == (given, True)
    assert found.content is not None
    assert found.content.value.count("Bridge.") == 6
    assert found.digest == short().digest


@pytest.mark.parametrize("html", ["", "<p>Short</p>", "<script>x</script>"])
def test_a_page_that_says_less_than_the_feed_is_not_taken(html: str) -> None:
    given = Text(value="Much more than that is said here already.")
    assert with_page(short(content=given), html, base="https://p.example/a") is None


def test_an_edit_keeps_the_page_and_its_tags_and_takes_the_feeds() -> None:
    auto, old = (Tag(slug=s, label=s, origin=o) for s, o in (("peru", "auto"), ("old", "feed")))
    new = Tag(slug="new", label="new", origin="feed")
    stored = replace(full(), tags=(auto, old))
    edited = replace(short(title="Corrected"), tags=(new,))
    found = kept(stored, edited)
    assert (found.title, found.content, found.fulltext) == ("Corrected", stored.content, True)
    assert found.tags == (new, auto)
    assert kept(short(), edited) == edited


def test_a_feed_that_comes_to_give_more_keeps_its_own() -> None:
    longer = short(content=Text(value=story("Bridge.") * 3))
    assert kept(full(), longer) == longer


# -- when ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read_at", "reads", "due"),
    [
        (None, 0, NOW),
        (NOW - HOUR / 2, 1, NOW + HOUR / 2),
        (NOW - 3 * HOUR, 1, NOW),
        (NOW, 2, NOW + 2 * HOUR),
        (NOW, 4, NOW + 8 * HOUR),
        (NOW, 500, NOW + timedelta(days=7)),
        (NOW + 900 * HOUR, 1, NOW + HOUR),
    ],
)
def test_a_page_is_read_again_at_growing_distance(
    read_at: datetime | None, reads: int, due: datetime
) -> None:
    assert next_reading(NOW, read_at, reads) == due


@pytest.mark.parametrize(
    ("tries", "wait", "due"),
    [
        (1, None, NOW + HOUR / 4),
        (1, HOUR, NOW + HOUR),
        (2, HOUR, NOW + 4 * HOUR),
        (2, 90 * HOUR, NOW + 90 * HOUR),
        (3, HOUR, None),
    ],
)
def test_a_page_is_tried_three_times(
    tries: int, wait: timedelta | None, due: datetime | None
) -> None:
    assert next_try(NOW, tries, wait) == due


@pytest.mark.parametrize(
    ("rules", "allowed", "delay"),
    [
        ("", True, 0),
        ("<html>not found</html>", True, 0),
        ("User-agent: *\nDisallow: /", False, 0),
        ("User-agent: *\nDisallow: /\nAllow: /a/", True, 0),
        ("User-agent: *\nDisallow: /\n\nUser-agent: FeedSvc\nCrawl-delay: 3", True, 3),
        ("User-agent: feedsvc\nUser-agent: other\nDisallow: /*/b$", False, 0),
        ("User-agent: otherbot\nDisallow: /", True, 0),
        ("\ufeffUser-agent: *\r\nDisallow: /a # here\r\n", False, 0),
        ("User-agent: *\nCrawl-delay: nonsense\nDisallow:", True, 0),
    ],
)
def test_robots_txt_is_read_as_rfc_9309_says(rules: str, allowed: bool, delay: float) -> None:
    found = ruling(rules, "https://p.example/a/b", "feedsvc")
    assert found == Ruling(allowed=allowed, delay=delay)
