"""Finding the feeds a page names."""

import pytest

from feedsvc.sources.discovery import FoundFeed, discover, header_links, suspects

URL = "https://example.org/blog/post.html"

PAGE = b"""<!DOCTYPE html>
<html><head>
<meta charset="utf-8">
<title>Page</title>
<LINK REL="alternate stylesheet" type="text/css" href="/alt.css">
<link rel="Alternate" type="application/rss+xml" title="Posts &amp;
  more" href="feed.xml#top">
<link rel="alternate" type="application/atom+xml; charset=utf-8" href="//cdn.example.net/atom">
<link rel="alternate" type="application/feed+json" href="/feed.json">
<link rel="alternate" type="application/json" href="https://example.org/wp-json/wp/v2/posts/1">
<link rel="alternate" type="application/json+oembed" href="https://example.org/oembed?url=x">
<link rel="alternate" type="text/xml+oembed" href="https://example.org/oembed?format=xml">
<link rel="alternate" hreflang="de" href="/de/">
<link rel="alternate" type="application/rss+xml" href="feed.xml">
<link rel="alternate" type="application/rss+xml" href="">
<link rel="alternate" type="application/rss+xml">
<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
<link rel="alternate" type="text/xml" title="RSS" href="/x.xml">
<link rel="alternate" type="text/xml" href="/sitemap.xml">
<link rel="feed" href="/plain">
</head>
<body><p>Late: <link rel="alternate" type="application/rss+xml" href="/late"></body></html>"""


def test_what_a_page_names() -> None:
    assert [(feed.url, feed.title, feed.type) for feed in discover(PAGE, URL)] == [
        ("https://example.org/blog/feed.xml", "Posts & more", "application/rss+xml"),
        ("https://cdn.example.net/atom", None, "application/atom+xml"),
        ("https://example.org/feed.json", None, "application/feed+json"),
        ("https://example.org/x.xml", "RSS", "text/xml"),
        ("https://example.org/plain", None, None),
        ("https://example.org/late", None, "application/rss+xml"),
    ]


def test_relative_to_base() -> None:
    page = b"""<base href="/feeds/"><link rel=alternate type=application/rss+xml href=a.rss>"""
    assert discover(page, URL) == (
        FoundFeed(url="https://example.org/feeds/a.rss", type="application/rss+xml"),
    )


def test_without_an_address_only_absolute_links_count() -> None:
    page = b"""<link rel=alternate type=application/rss+xml href=a.rss>
    <link rel=alternate type=application/rss+xml href=https://example.org/b.rss>"""
    assert [feed.url for feed in discover(page)] == ["https://example.org/b.rss"]


def test_a_link_field_comes_first() -> None:
    headers = {
        "link": '<https://example.org/wp-json/>; rel="https://api.w.org/", '
        '</feed/?a=1,2>; rel="alternate"; type="application/rss+xml"; title="Feed, all"',
        "content-type": "text/html; charset=UTF-8",
    }
    feeds = discover(PAGE, URL, headers)
    assert (feeds[0].url, feeds[0].title) == ("https://example.org/feed/?a=1,2", "Feed, all")
    assert len(feeds) == 7


def test_where_a_page_may_have_its_feed() -> None:
    page = b"""<html><base href="/blog/"><body>
    <a href="feed/#x">News</a> <a href="/about">About</a> <a href="/food">Food for a rssian</a>
    <a href="javascript:rss()">RSS</a> <a href="sub" title="Atom">Subscribe</a>
    <a href="https://other.example/index.xml">Elsewhere</a> <a href="/4.rss">Fourth</a></body>"""
    assert suspects(page, "https://example.org/x") == (
        "https://example.org/blog/feed/",
        "https://example.org/blog/sub",
        "https://other.example/index.xml",
        "https://example.org/feed",
        "https://example.org/feed.xml",
        "https://example.org/rss.xml",
        "https://example.org/atom.xml",
        "https://example.org/index.xml",
    )
    assert len(suspects(b"", "https://example.org/feed", {"content-type": "text/html"})) == 5
    assert suspects(b'{"error": "feed"}', "https://example.org/") == ()


@pytest.mark.parametrize("charset", ["iso-8859-1", "nonsense", "utf-8"])
def test_the_charset_may_be_anything(charset: str) -> None:
    encoding = "utf-8" if charset == "nonsense" else charset
    page = "<link rel=alternate type=application/rss+xml title='déjà vu' href=/a>".encode(encoding)
    headers = {"content-type": f"text/html; charset={charset}"}
    (feed,) = discover(page, URL, headers)
    if charset != "nonsense":
        assert feed.title == "déjà vu"


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"\0\0", b"\xff\xfe", b"<", b"<rss/>", b"{}", b"<html", bytes(range(256)) * 50],
)
def test_what_is_no_page_names_nothing(body: bytes) -> None:
    assert discover(body, URL) == ()


def test_no_more_than_fifty() -> None:
    page = "".join(
        f"<link rel=alternate type=application/rss+xml href=/{number}>" for number in range(99)
    )
    assert len(discover(page.encode(), URL)) == 50


@pytest.mark.parametrize(
    ("value", "links"),
    [
        (None, []),
        ("", []),
        ("nonsense", []),
        ("<a>", [{"href": "a"}]),
        ("<a>; rel=hub", [{"href": "a", "rel": "hub"}]),
        ('<a>;rel="x y";REL=z , <b>', [{"href": "a", "rel": "x y"}, {"href": "b"}]),
        ('<a>; title="b, <c>; d"; rel=e', [{"href": "a", "title": "b, <c>; d", "rel": "e"}]),
        ("<a>; rel", [{"href": "a", "rel": ""}]),
        ("<a>; rel=hub, nonsense, <b>; rel=hub", [{"href": "a", "rel": "hub"}]),
    ],
)
def test_link_fields(value: str | None, links: list[dict[str, str]]) -> None:
    assert list(header_links(value)) == links
