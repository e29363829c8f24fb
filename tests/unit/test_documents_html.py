"""Saved web pages: where titles, dates, tags and the main text are found."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.errors import ParseError
from feedsvc.model import Link, ParsedEntry, Person
from feedsvc.sources.documents.base import Document
from feedsvc.sources.documents.html import read_html
from feedsvc.vocabulary import pictures

DATA = Path(__file__).parent.parent / "data"


def read(html: str | bytes) -> ParsedEntry:
    body = html if isinstance(html, bytes) else html.encode()
    (entry,) = read_html(Document(path="pages/some-page.html", body=body)).entries
    return entry


def content(html: str) -> str:
    entry = read(html)
    return entry.content.value if entry.content else ""


def title(html: str) -> str:
    entry = read(html)
    return entry.title.value if entry.title else ""


def test_a_news_page_is_read_whole() -> None:
    entry = read((DATA / "documents" / "newspage.html").read_bytes())
    assert entry.title is not None
    assert entry.title.value == "Harbour Bridge Reopens After Repairs"
    assert entry.summary is not None
    assert entry.summary.value == "The bridge has been open again since Monday."
    assert entry.published == datetime(2025, 4, 7, 6, 30, tzinfo=UTC)
    assert entry.updated == datetime(2025, 4, 8, tzinfo=UTC)
    assert entry.authors == (
        Person(name="Ada Example", uri="https://news.example.org/by/ada"),
        Person(name="Ben Sample"),
    )
    assert [label for label, _ in entry.tags] == [
        *("bridges", "traffic", "Local", "harbour", "Repairs", "Town council"),
    ]
    assert {origin for _, origin in entry.tags} == {"front-matter"}
    assert entry.links == (Link(href="https://news.example.org/2025/bridge", type="text/html"),)
    assert list(pictures(entry.extensions)) == ["https://news.example.org/img/lead.jpg"]
    assert entry.base == "https://news.example.org/2025/bridge"
    assert entry.lang == "en-GB"
    assert entry.references == ("Harbour Bridge Closes for Repairs",)
    assert entry.content is not None
    text = entry.content.value
    assert "Traffic crosses the harbour bridge again." in text
    assert 'href="../closing"' in text
    assert "<figcaption>The bridge at night</figcaption>" in text
    for left_out in (
        "Front page",
        "Most read",
        "Subscribe",
        "Imprint",
        "track(",
        "Reopens",
        "secret",
    ):
        assert left_out not in text, left_out


def test_titles_by_precedence() -> None:
    data = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "LD"}</script>'
    og = '<meta property="og:title" content="OG &amp; more">'
    plain = "<title>Plain\n  title</title>"
    assert title(f"<head>{plain}{og}{data}</head><p>x") == "LD"
    assert title(f"<head>{plain}{og}</head><p>x") == "OG & more"
    assert title(f"<head>{plain}</head><h1>H</h1><p>x") == "Plain title"
    assert title("<svg><title>icon</title></svg><h1>The <i>H</i></h1><p>x") == "The H"
    assert title("<p>x") == "some page"


@pytest.mark.parametrize(
    "data",
    [
        '{"@type": "NewsArticle", "headline": "LD"}',
        '[{"@type": "WebSite"}, {"@type": ["Thing", "BlogPosting"], "headline": "LD"}]',
        '{"@graph": [{"@type": "Person"}, {"@type": "ReportageNewsArticle", "headline": "LD"}]}',
        '{"@type": "WebPage", "mainEntity": {"@type": "Article", "headline": "LD"}};',
        '{"@type": "Article", "headline": "L\nD"}',
    ],
)
def test_shapes_of_linked_data(data: str) -> None:
    found = title(f'<script type="application/ld+json">{data}</script><p>x')
    assert found in {"LD", "L D"}


@pytest.mark.parametrize(
    "data", ["", "{", "[1, null]", '{"@type": 5}', "[" * 5000, '{"@graph": {}}']
)
def test_linked_data_that_says_nothing(data: str) -> None:
    page = f'<title>T</title><script type="application/ld+json">{data}</script><p>x'
    assert title(page) == "T"


def test_linked_data_of_odd_types() -> None:
    data = """{"@type": "Article", "headline": ["LD"], "keywords": ["a", 5, {"name": "b"}],
        "author": ["Ada", {"name": 3}, null, {"name": "Ben"}], "articleSection": "c",
        "datePublished": ["2025-04-10"], "inLanguage": {"alternateName": "de"},
        "image": [{"url": "https://example.org/a.png"}]}"""
    entry = read(f'<script type="application/ld+json">{data}</script><p>x')
    assert entry.title is not None
    assert entry.title.value == "LD"
    assert entry.authors == (Person(name="Ada"), Person(name="Ben"))
    assert [label for label, _ in entry.tags] == ["a", "b", "c"]
    assert entry.published == datetime(2025, 4, 10, tzinfo=UTC)
    assert entry.lang == "de"
    assert list(pictures(entry.extensions)) == ["https://example.org/a.png"]


def test_the_article_of_the_data_stands_in_for_a_page_without_text() -> None:
    text = "First paragraph of some length.\\n\\nSecond paragraph."
    data = f'{{"@type": "Article", "articleBody": "{text}"}}'
    data = f'<script type="application/ld+json">{data}</script>'
    assert content(f"{data}<div id=app>Loading</div>") == (
        "<p>First paragraph of some length.</p>\n<p>Second paragraph.</p>"
    )
    assert content(f"{data}<article><p>First paragraph of some length.</article>") == (
        "<p>First paragraph of some length.</p>"
    )


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ('<meta property="article:published_time" content="2025-04-10T00:00:00Z">', ""),
        ('<meta name="DC.date.issued" content="2025-04-10">', ""),
        ('<meta name="date" content="no date"><meta name="pubdate" content="10 April 2025">', ""),
        ("", '<span itemprop="datePublished" content="2025-04-10">today</span>'),
        ("", '<article><time datetime="2025-04-10">today</time></article>'),
        ("", '<time pubdate datetime="2025-04-10">today</time>'),
    ],
)
def test_dates(head: str, body: str) -> None:
    assert read(f"<head>{head}</head><body><p>x</p>{body}").published == datetime(
        2025, 4, 10, tzinfo=UTC
    )


def test_a_date_that_is_none_keeps_its_wording() -> None:
    entry = read('<meta name="date" content="last week"><p>x')
    assert (entry.published, entry.published_text) == (None, "last week")


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<article><p>a</p></article><aside>b</aside>", "<p>a</p>"),
        ("<main><p>a</p><nav>b</nav> tail</main><p>c</p>", "<p>a</p> tail"),
        ("<div role=main><p>a</p></div><div role=navigation>b</div>", "<p>a</p>"),
        ("<div itemprop='description articleBody'>a</div><article>b b b</article>", "a"),
        (
            "<div><p>long text</p><p>more</p></div><div><a>x</a></div>",
            "<p>long text</p><p>more</p>",
        ),
        ("just text", "just text"),
        ("a<form>b</form> c", "a c"),
        ("<footer>only this</footer>", "<footer>only this</footer>"),
        ("<p>a</p><p hidden>b</p><p style='display: none'>c</p>", "<p>a</p>"),
        ("<p>a</p><noscript>switch it on</noscript>", "<p>a</p>"),
        ("a<noscript><img src=a></noscript>", 'a<noscript><img src="a"></noscript>'),
        ("<!-- c --><?php x ?><p>a &lt;b&gt;</p>", "<p>a &lt;b&gt;</p>"),
        ("<img src=a.png>", '<img src="a.png">'),
    ],
)
@pytest.mark.parametrize("shell", ["<title>t</title>{}", "<html><body>{}</body></html>"])
def test_the_main_text(page: str, text: str, shell: str) -> None:
    found = content(shell.format(page))
    assert found in {text, f"<p>{text}</p>"}


def test_teasers_are_not_the_article() -> None:
    teaser = "<article><p>A teaser of another article.</p></article>"
    page = f"<main><p>{'The text itself. ' * 20}</p>{teaser * 9}</main>"
    assert content(page).startswith("<p>The text itself.")


def test_base_and_canonical() -> None:
    link = '<link rel="canonical" href="https://example.org/a/b">'
    assert read(f"{link}<p>x").base == "https://example.org/a/b"
    assert read(f'{link}<base href="../c/"><p>x').base == "https://example.org/c/"
    assert read('<base href="https://example.org/"><p>x').base == "https://example.org/"
    relative = read('<link rel="canonical" href="/a"><p>x')
    assert (relative.base, relative.links) == (None, ())
    shared = read('<meta property="og:url" content="https://example.org/s"><p>x')
    assert shared.links[0].href == "https://example.org/s"


def test_a_page_has_a_picture_only_where_sensible() -> None:
    def found(image: str, more: str = "") -> list[str]:
        page = read(f'<meta property="og:image" content="{image}">{more}<p>x')
        assert page.links == ()
        return list(pictures(page.extensions))

    assert found("https://example.org/a.webp") == ["https://example.org/a.webp"]
    assert found("a.png") == []
    assert found("https://example.org/image?id=5") == []
    assert found("https://example.org/a.png", '<img src="/sized/a.png">') == []
    typed = '<meta property="og:image:type" content="image/avif">'
    assert found("https://example.org/image?id=5", typed) == ["https://example.org/image?id=5"]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("iso-8859-1.html", "Café"),
        ("iso-8859-1-meta-after-1024.html", "Café"),
        ("utf8.html", "Café"),
        ("utf8-meta-after-1024.html", "Café"),
    ],
)
def test_charsets(name: str, word: str) -> None:
    entry = read((DATA / "encodings" / name).read_bytes())
    assert entry.content is not None
    assert entry.content.value == f"<p>{word}</p>"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("", "no text"),
        ("<!-- nothing -->", "no text"),
        ("<script>x()</script>", "no text"),
        ("<div>" * 5000 + "deep", "nested too deeply"),
        ("<a " + "".join(f"x{n}=1 " for n in range(9000)) + ">x</a>", "attributes"),
    ],
)
def test_what_cannot_be_read(page: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        read(page)


def test_a_picture_in_an_attribute_is_no_attack() -> None:
    assert "data:image" in content(f'<p><img src="data:image/png;base64,{"A" * 50000}"></p>')


TAGS = [
    *("<p>", "</p>", "<article>", "<main itemprop=articleBody>", "<title>", "<base href=", "</"),
    *("<meta name=date content='", "'>", "<link rel=canonical href=//[", "<svg>", "<!--", "-->"),
    *("<script type='application/ld+json'>", "</script>", "<table><td>", "<frameset>", "<![CDATA["),
]


@given(st.lists(st.sampled_from(TAGS) | st.text(max_size=5), max_size=20).map("".join))
def test_no_page_breaks_the_reader(page: str) -> None:
    try:
        entry = read(page)
    except ParseError:
        return
    assert entry.title is not None
    assert entry.title.value
