"""Reading feeds: what each format says arrives unchanged, and what is no feed is named."""

import gzip
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feedsvc.errors import ParseError
from feedsvc.model import Category, Link, ParsedEntry, Person, Source, SourceMeta, Text
from feedsvc.normalise.people import source_meta
from feedsvc.polls import Hints
from feedsvc.sources.base import Fetched, Reading
from feedsvc.sources.webfeed import Body, FeedReader, parse_feed
from feedsvc.vocabulary import Extension, pictures

FEEDS = Path(__file__).parent.parent / "data" / "feeds"
URL = "https://feeds.example.com/all/feed.xml"


def read(name: str) -> Reading:
    return parse_feed((FEEDS / name).read_bytes(), url=URL)


def rss(*items: str, head: str = "", prolog: str = "") -> bytes:
    return (
        f'{prolog}<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/">'
        f"<channel><title>T</title><link>https://example.org/</link>{head}"
        + "".join(f"<item>{item}</item>" for item in items)
        + "</channel></rss>"
    ).encode()


def entry(item: str, head: str = "") -> ParsedEntry:
    (found,) = parse_feed(rss(item, head=head), url=URL).entries
    return found


def media(name: str, *children: Extension, **attributes: str) -> Extension:
    return Extension(name=f"media:{name}", attributes=(*attributes.items(),), children=children)


def refusal(body: bytes, **options: object) -> ParseError:
    with pytest.raises(ParseError) as caught:
        parse_feed(body, **options)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ('<title type="html">&lt;b&gt;One&lt;/b&gt; &amp;amp; two</title>', "One & two"),
        ('<title type="html">On &amp;lt;b&amp;gt;</title>', "On <b>"),
        ('<title type="text">On &lt;b&gt;</title>', "On <b>"),
        (
            '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">On &lt;b&gt;</div>'
            "</title>",
            "On <b>",
        ),
        ('<title type="html">1&lt;br/&gt;2 &lt;script&gt;3&lt;/script&gt;</title>', "1 2"),
        ('<title type="html">a &lt; b &lt;!-- c --&gt;</title>', "a < b"),
        ('<title type="html"><![CDATA[<i>x</i> &lt;y&gt;]]></title>', "x <y>"),
    ],
)
def test_the_title_of_a_feed_is_text(title: str, text: str) -> None:
    body = f'<feed xmlns="http://www.w3.org/2005/Atom">{title}</feed>'.encode()
    meta = parse_feed(body, url=URL).meta
    assert meta is not None
    assert source_meta(meta).title == text


def test_a_podcast_may_say_what_it_is_in_its_own_words_only() -> None:
    head = '<subtitle xmlns="http://www.itunes.com/dtds/podcast-1.0.dtd">On birds</subtitle>'
    meta = parse_feed(rss("<title>x</title>", head=head), url=URL).meta
    assert meta is not None
    assert meta.subtitle == "On birds"


# -- Atom ------------------------------------------------------------------------------------


def test_the_head_of_an_atom_feed() -> None:
    assert read("atom.xml").meta == SourceMeta(
        id="tag:example.org,2025:news",
        title="News & Views",
        subtitle="What happened",
        link="https://example.org/news/",
        self_link="https://example.org/news/feed.atom",
        authors=(
            Person(name="Editors", email="editors@example.org", uri="https://example.org/editors"),
        ),
        categories=(
            Category(term="general", scheme="https://example.org/topics", label="General"),
        ),
        rights="© Example",
        icon="https://example.org/icon.png",
        logo="https://example.org/logo.png",
        lang="en",
        updated=datetime(2025, 4, 10, 12, tzinfo=UTC),
        hub="https://hub.example.net/",
    )


def test_an_atom_entry_with_everything() -> None:
    base = "https://example.org/news/2025/"
    assert read("atom.xml").entries[0] == ParsedEntry(
        uid="tag:example.org,2025:1",
        title=Text(value="A < B", lang="fr"),
        links=(
            Link(href=f"{base}one.html"),
            Link(
                href="https://example.net/x",
                rel="related",
                type="text/html",
                hreflang="de",
                title="Elsewhere",
            ),
            Link(href=f"{base}one.mp3", rel="enclosure", type="audio/mpeg", length=1234),
            Link(href=f"{base}one.ogg", rel="enclosure"),
            Link(href=f"{base}one.comments", rel="replies", type="application/atom+xml"),
        ),
        summary=Text(value="In <short>", lang="fr"),
        content=Text(
            value='<p>Rich <img src="pic.png" alt="x"></img> &lt;version&gt;</p>',
            type="html",
            lang="fr",
        ),
        authors=(Person(name="Ann"), Person(name="Bob", email="bob@example.org")),
        contributors=(Person(name="Cyd", uri="https://example.org/cyd"),),
        categories=(
            Category(term="energy", scheme="https://example.org/topics", label="Energy"),
            Category(term="oil"),
        ),
        published=datetime(2025, 4, 10, 9, tzinfo=UTC),
        updated=datetime(2025, 4, 10, 9, 30, tzinfo=UTC),
        published_text="2025-04-10T11:00:00+02:00",
        rights="CC BY",
        lang="fr",
        base=base,
        extensions=(Extension(name="thr:total", text="3"),),
        source=SourceMeta(
            id="tag:example.net,2024:feed",
            title="Origin",
            link="https://example.net/",
            self_link="https://example.net/feed",
            authors=(Person(name="Origin's author"),),
            rights="Theirs",
            updated=datetime(2025, 4, 9, tzinfo=UTC),
        ),
    )


def test_an_atom_entry_whose_content_lies_elsewhere() -> None:
    second = read("atom.xml").entries[1]
    assert second.title == Text(value="Out of <em>line</em>", type="html", lang="en")
    assert (second.content, second.summary, second.published) == (None, None, None)
    assert second.links == (Link(href="two.pdf", type="application/pdf"),)
    assert second.base == "https://example.org/news/"
    assert second.published_text == "2025-04-09T09:30:00Z"


def test_without_xml_base_atom_is_relative_to_its_address() -> None:
    feed = b"""<feed xmlns="http://www.w3.org/2005/Atom"><link href="/"/><entry><id>x:1</id>
    <link href="a"/><content type="html">&lt;a href="b">b&lt;/a></content></entry></feed>"""
    (found,) = parse_feed(feed, url=URL).entries
    assert found.links == (Link(href="https://feeds.example.com/all/a"),)
    assert found.base == URL
    (found,) = parse_feed(feed).entries
    assert found.links == (Link(href="a"),)
    assert found.base is None
    (found,) = parse_feed(feed, headers={"content-location": "https://example.net/x/"}).entries
    assert found.base == "https://example.net/x/"


def test_an_atom_entry_document() -> None:
    body = b'<entry xmlns="http://www.w3.org/2005/Atom"><id>urn:x:1</id><title>t</title></entry>'
    (found,) = parse_feed(body).entries
    assert found.uid == "urn:x:1"


def test_a_video_channel_keeps_odd_ids_and_plain_descriptions() -> None:
    reading = read("youtube.xml")
    assert reading.meta is not None
    assert reading.meta.id == "yt:channel:C"
    assert reading.meta.updated == datetime(2006, 3, 1, tzinfo=UTC)
    (video,) = reading.entries
    assert video.uid == "yt:video:abc"
    assert video.title == Text(value="A video")
    assert video.summary == Text(value="First line\nSecond line & more")
    assert [(link.rel, link.type) for link in video.links] == [
        ("alternate", None),
        ("enclosure", "application/x-shockwave-flash"),
    ]
    assert [one.name for one in video.extensions] == ["yt:videoId", "media:group"]
    thumbnail = "https://i.ytimg.example/vi/abc/hqdefault.jpg"
    assert list(pictures(video.extensions)) == [thumbnail]
    assert video.published == datetime(2025, 4, 10, 10, tzinfo=UTC)
    assert video.updated == datetime(2025, 4, 11, 10, tzinfo=UTC)


# -- RSS -------------------------------------------------------------------------------------


def test_the_head_of_an_rss_feed() -> None:
    reading = read("rss.xml")
    assert reading.meta == SourceMeta(
        title="Blog",
        subtitle="About things",
        link="https://blog.example/",
        self_link="https://blog.example/feed/",
        authors=(Person(name="Ed Itor", email="ed@blog.example"),),
        rights="2025 Blog",
        logo="https://blog.example/logo.png",
        lang="en-GB",
        updated=datetime(2025, 4, 10, 12, tzinfo=UTC),
        hub="https://hub.example/",
    )
    assert reading.hints == Hints(ttl=timedelta(minutes=15), update=timedelta(minutes=30))


def test_an_rss_item_with_everything() -> None:
    assert read("rss.xml").entries[0] == ParsedEntry(
        uid="https://blog.example/?p=1",
        title=Text(value="One & two"),
        links=(
            Link(href="https://blog.example/1?utm_source=rss"),
            Link(href="https://blog.example/a.jpg", rel="enclosure", type="image/jpeg", length=99),
            Link(href="https://blog.example/1#respond", rel="replies", type="text/html"),
            Link(href="https://blog.example/1/feed/", rel="replies", type="application/rss+xml"),
            Link(href="https://blog.example/b.mp4", rel="enclosure", type="video/mp4", length=1000),
        ),
        summary=Text(value="<p>Teaser</p>", type="html"),
        content=Text(value='<p>All of <a href="/x">it</a></p>', type="html"),
        authors=(Person(name="Ann", email="ann@blog.example"), Person(name="Bob")),
        categories=(
            Category(term="Oil & Gas"),
            Category(term="energy", scheme="https://blog.example/tags"),
        ),
        published=datetime(2025, 4, 10, 16, tzinfo=UTC),
        published_text="Thu, 10 Apr 2025 11:00:00 EST",
        lang="en-GB",
        base="https://blog.example/",
        source=SourceMeta(title="Other", self_link="https://other.example/feed"),
        extensions=(
            Extension(name="slash:comments", text="4"),
            media(
                "content",
                Extension(name="media:description", text="A caption"),
                url="https://blog.example/a.jpg",
                medium="image",
                fileSize="99",
            ),
            media("content", url="https://blog.example/b.mp4", fileSize="1000", type="video/mp4"),
            media("content", url="https://blog.example/player", type="text/html", medium="video"),
            media("thumbnail", url="https://blog.example/thumb.jpg"),
        ),
    )


def test_a_guid_that_is_a_permalink_and_a_date_nobody_can_read() -> None:
    second, third = read("rss.xml").entries[1:]
    assert second.uid == "https://blog.example/2"
    assert second.links == (Link(href="https://blog.example/2"),)
    assert second.extensions[0] == media("thumbnail", url="thumb.png")
    assert second.summary == Text(value="No title, no link: 1 &lt; 2", type="html")
    assert second.content is None
    assert (second.published, second.published_text) == (None, "yesterday")
    assert (third.uid, third.links) == ("12345", ())
    assert third.updated == datetime(2025, 4, 1, tzinfo=UTC)


def test_an_empty_item_is_a_problem() -> None:
    (problem,) = read("rss.xml").problems
    assert (problem.name, problem.message) == ("entry 4", "it holds nothing to show")


def test_many_problems_are_counted_not_listed() -> None:
    problems = parse_feed(rss(*[""] * 500)).problems
    assert len(problems) == 21
    assert problems[-1].message == "480 more entries"


def test_rss_1_0() -> None:
    reading = read("rdf.xml")
    assert reading.meta is not None
    assert (reading.meta.link, reading.meta.lang) == ("https://example.org/", "nl")
    assert reading.entries == (
        ParsedEntry(
            uid="https://example.org/1",
            title=Text(value="Item"),
            links=(Link(href="https://example.org/1.html"),),
            summary=Text(value="Text", type="html"),
            authors=(Person(name="Ann"),),
            categories=(Category(term="energy"),),
            updated=datetime(2025, 4, 10, 11, tzinfo=UTC),
            published_text="2025-04-10T12:00:00+01:00",
            rights="Mine",
            lang="nl",
            base="https://example.org/",
        ),
    )


def test_a_podcast() -> None:
    reading = read("podcast.xml")
    assert reading.meta is not None
    assert (reading.meta.title, reading.meta.subtitle) == ("Cast", "The show")
    assert (reading.meta.id, reading.meta.link) == (None, "https://cast.example/")
    assert reading.meta.logo == "https://cast.example/cover.jpg"
    episode, bare = reading.entries
    assert episode.uid == "ep-1"
    assert episode.summary == Text(value="<p>Notes</p>", type="html")
    assert episode.content is None
    assert episode.authors == (Person(name="Host", email="host@cast.example"),)
    assert episode.links == (
        Link(href="https://cast.example/ep.mp3", rel="enclosure", type="audio/mpeg", length=123456),
    )
    assert list(pictures(episode.extensions)) == ["https://cast.example/ep.jpg"]
    assert [category.term for category in episode.categories] == ["one", "two"]
    assert bare.summary == Text(value="Only a summary")
    assert bare.links == (Link(href="https://cast.example/bare.mp3", rel="enclosure"),)


@pytest.mark.parametrize(
    ("author", "person"),
    [
        ("ann@example.org (Ann A.)", Person(name="Ann A.", email="ann@example.org")),
        ("Ann A. &lt;ann@art.museum&gt;", Person(name="Ann A.", email="ann@art.museum")),
        ("Ann (ann@example.org)", Person(name="Ann", email="ann@example.org")),
        ("ann@example.org", Person(name="ann@example.org", email="ann@example.org")),
        ("ann@example.org ()", Person(name="ann@example.org", email="ann@example.org")),
        ("Ann @ work", Person(name="Ann @ work")),
        ("Ann (the first)", Person(name="Ann (the first)")),
    ],
)
def test_rss_authors(author: str, person: Person) -> None:
    assert entry(f"<author>{author}</author>").authors == (person,)


@pytest.mark.parametrize(
    ("item", "link"),
    [
        ("<guid>https://example.org/1</guid>", "https://example.org/1"),
        ('<guid isPermaLink="true">https://example.org/1</guid>', "https://example.org/1"),
        ('<guid isPermaLink="false">https://example.org/1</guid>', None),
        ("<guid>abc</guid>", None),
        ("<guid>https://example.org/1</guid><link>https://e.example/</link>", "https://e.example/"),
        ("<link>https://e.example/</link><guid>https://example.org/1</guid>", "https://e.example/"),
        ("<link>/relative?a=1&amp;b=2</link>", "/relative?a=1&b=2"),
    ],
)
def test_rss_links(item: str, link: str | None) -> None:
    alternates = [one.href for one in entry(item).links if one.rel == "alternate"]
    assert alternates == ([] if link is None else [link])


@pytest.mark.parametrize("guid", ["12345", "yt:video:x", "a b", "/path", "urn:x:1", "?p=3"])
def test_a_guid_is_kept_as_it_is(guid: str) -> None:
    assert entry(f"<guid>{guid}</guid>").uid == guid


def test_the_address_before_a_counting_service() -> None:
    item = """<link>https://feeds.example.net/~r/x/1</link><feedburner:origLink
    xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0">https://example.org/1
    </feedburner:origLink>"""
    assert entry(item).links == (Link(href="https://example.org/1"),)


@pytest.mark.parametrize(
    ("head", "item", "base"),
    [
        ("", "<title>t</title>", "https://example.org/"),
        (
            "",
            '<description xml:base="https://x.example/a/">d</description>',
            "https://x.example/a/",
        ),
        ("", '<description xml:base="sub/">d</description>', "https://example.org/sub/"),
    ],
)
def test_what_rss_is_relative_to(head: str, item: str, base: str) -> None:
    assert entry(item, head).base == base


def test_rss_without_a_site_is_relative_to_its_address() -> None:
    body = b"<rss><channel><title>t</title><item><link>a</link></item></channel></rss>"
    (found,) = parse_feed(body, url=URL).entries
    assert (found.base, found.links) == (URL, (Link(href="a"),))


@pytest.mark.parametrize(
    ("head", "hints"),
    [
        ("", Hints()),
        ("<ttl>60</ttl>", Hints(ttl=timedelta(hours=1))),
        ("<ttl>0</ttl>", Hints()),
        ("<ttl>sixty</ttl>", Hints()),
        ("<ttl>99999999</ttl>", Hints(ttl=timedelta(days=366))),
        ("<ttl>999999999999999999</ttl>", Hints(ttl=timedelta(days=366))),
        ("<sy:updatePeriod>daily</sy:updatePeriod>", Hints(update=timedelta(days=1))),
        (
            "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>",
            Hints(update=timedelta(minutes=15)),
        ),
        ("<sy:updatePeriod>never</sy:updatePeriod>", Hints()),
        (
            "<sy:updatePeriod>yearly</sy:updatePeriod><ttl>5</ttl>",
            Hints(ttl=timedelta(minutes=5), update=timedelta(days=365)),
        ),
        (
            "<skipHours><hour>3</hour><hour> 0 </hour><hour>24</hour><hour>25</hour>"
            "<hour>-1</hour><hour>noon</hour><hour/><hour>3</hour></skipHours>",
            Hints(skip_hours=(0, 3)),
        ),
        (
            "<skipDays><day>Sunday</day><day>SAT</day><day>Someday</day><day/></skipDays>",
            Hints(skip_days=(5, 6)),
        ),
        ("<item><hour>3</hour><day>Monday</day><title>t</title></item>", Hints()),
        ("<skipHours>" + "<hour>5</hour>" * 5000 + "</skipHours>", Hints(skip_hours=(5,))),
    ],
)
def test_what_a_feed_says_of_its_rhythm(head: str, hints: Hints) -> None:
    head = head.replace(
        "<sy:updatePeriod>",
        '<sy:updatePeriod xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">',
    ).replace(
        "<sy:updateFrequency>",
        '<sy:updateFrequency xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">',
    )
    assert parse_feed(rss(head=head)).hints == hints
    if "sy:" not in head:
        # the tolerant parser, which reads what is ill-formed, understands the same
        broken = rss("<title>&nbsp;x</title>", head=head)
        assert parse_feed(broken).hints == hints


# -- header fields and encodings -------------------------------------------------------------


def test_the_link_field_comes_before_the_feeds_own_hub() -> None:
    link = '<https://hub.net/>; rel="hub", </feed>; rel=self, <https://x.net/>; rel=hub'
    meta = parse_feed((FEEDS / "atom.xml").read_bytes(), url=URL, headers={"link": link}).meta
    assert meta is not None
    assert (meta.hub, meta.self_link) == ("https://hub.net/", "https://feeds.example.com/feed")


@pytest.mark.parametrize(
    ("declared", "encoding", "content_type"),
    [
        ("utf-8", "utf-8", "application/xml"),
        ("utf-8", "utf-8-sig", None),
        ("iso-8859-1", "iso-8859-1", "text/xml"),
        ("windows-1252", "windows-1252", "application/rss+xml"),
        ("utf-16", "utf-16", "application/xml"),
        ("utf-8", "koi8-r", "application/xml; charset=koi8-r"),
        ("", "utf-8", "text/html"),
        ("nonsense", "utf-8", None),
    ],
)
def test_encodings(declared: str, encoding: str, content_type: str | None) -> None:
    title = "Привет" if encoding == "koi8-r" else "Žižkov, déjà vu" if "utf" in encoding else "déjà"
    prolog = f"<?xml version='1.0' encoding='{declared}'?>" if declared else ""
    text = rss(f"<title>{title}</title>", prolog=prolog).decode()
    headers = {"content-type": content_type} if content_type else {}
    (found,) = parse_feed(text.encode(encoding), headers=headers).entries
    assert found.title == Text(value=title)


def test_the_language_may_come_from_the_header() -> None:
    headers = {"content-language": "pt-BR"}
    (found,) = parse_feed(rss("<title>t</title>"), headers=headers).entries
    assert found.lang == "pt-BR"


# -- ill-formed ------------------------------------------------------------------------------


def test_entries_are_read_from_ill_formed_xml_and_it_is_said() -> None:
    body = b"<?xml version='1.0'?>\n" + rss("<title>a</title>", "<title>b &oops; c</title>")
    reading = parse_feed(body)
    assert [one.title and one.title.value for one in reading.entries] == ["a", "b &oops; c"]
    (problem,) = reading.problems
    assert problem.message == (
        "the XML is ill-formed in line 2 (undefined entity); 2 entries could be read all the same"
    )


def test_a_feed_cut_in_the_middle() -> None:
    whole = rss("<title>a</title>", "<title>b</title>")
    reading = parse_feed(whole[: whole.rindex(b"</title>")])
    assert [one.title for one in reading.entries] == [Text(value="a")]
    assert "ill-formed" in reading.problems[0].message


def test_ill_formed_without_entries_names_the_line() -> None:
    error = refusal(b"<rss version='2.0'>\n<channel>\n<title>a & b</title></channel></rss>")
    assert error.line == 3
    assert "ill-formed in line 3" in str(error)
    assert "no entry could be read" in str(error)


def test_something_before_the_feed_is_left_out() -> None:
    for junk in (
        b"<br />\n<b>Warning</b>: oops in x.php\n",
        b"Notice: oops\n",
        b"\n\n \xef\xbb\xbf",
    ):
        reading = parse_feed(junk + b"<?xml version='1.0'?>" + rss("<title>a</title>"))
        assert [one.title for one in reading.entries] == [Text(value="a")]
    assert (
        "something stands before the feed"
        in parse_feed(b"x" + rss("<title>a</title>")).problems[0].message
    )


def test_character_references_outside_unicode() -> None:
    body = rss("<title>a&#55296;b&#1114112;c&#99999999999999999999;d &oops;</title>")
    (found,) = parse_feed(body).entries
    assert found.title is not None
    assert found.title.value.startswith("a\ufffdb\ufffdc\ufffdd")


def test_elements_nobody_has_heard_of_do_no_harm() -> None:
    odd = (
        '<links a="1"/><authors b="2"/><tags c="3"/><content d="4"/><title_detail e="5"/>'
        '<published_parsed f="6"/><media_content g="7"/><id_ h="8"/><source i="9"/>'
    )
    reading = parse_feed(rss(odd, f"{odd}<title>t</title><guid>g</guid>{odd}", "<title>u</title>"))
    assert [one.uid for one in reading.entries if one.uid] == ["g"]
    assert reading.entries[-1].title == Text(value="u")
    assert len(reading.entries) + len(reading.problems) == 3


# -- no feed at all --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "there is nothing in it: the document is empty"),
        (b" \r\n\t ", "there is nothing in it: the document is empty"),
        (b"<!DOCTYPE html><html><p>hi</p></html>", "an HTML page, not a feed, and it names none"),
        (b"<!doctype HTML>\nhello", "this is an HTML page, not a feed, and it names none"),
        (b"<HTML><HEAD></HEAD></HTML>", "this is an HTML page, not a feed, and it names none"),
        (b"hello, world", "this is not a feed: it begins with 'hello, world'"),
        (b"https://example.org/feed.xml", "it begins with 'https://example.org/feed.xml'"),
        (b"/etc/passwd", "this is not a feed: it begins with '/etc/passwd'"),
        (bytes(range(128, 256)), "this is not a feed: it begins with binary data"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "this is not a feed: it begins with binary data"),
        (gzip.compress(b"<rss/>" * 99, mtime=0), "this is not a feed but gzip data"),
        (b"<?xml version='1.0'?><opml version='2.0'/>", "this is an OPML subscription list"),
        (b"<urlset xmlns='http://www.sitemaps.org/x'/>", "this is a sitemap, not a feed"),
        (b"<note><to>x</to></note>", "not a feed: its root element is <note>"),
        (b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>", "is <rdf>"),
        (b"<note><to>x</note>", "this is not a feed, and the XML is ill-formed in line 1"),
        (b'{"a": 1}', 'not a JSON Feed: it has no "version"'),
        (b"[1, 2]", "not a JSON Feed: a list and not an object"),
        (b'{"a": ', "it is not valid JSON"),
    ],
)
def test_what_it_is_instead(body: bytes, message: str) -> None:
    assert message in str(refusal(body))


def test_a_page_that_names_its_feeds() -> None:
    page = b"""<html><head><link rel="alternate" type="application/atom+xml" href="/feed">
    </head></html>"""
    assert str(refusal(page, url="https://example.org/blog/")) == (
        "this is an HTML page, not a feed; its feed is https://example.org/feed"
    )


def test_an_empty_feed_is_a_feed() -> None:
    for body in (rss(), b"<feed xmlns='http://www.w3.org/2005/Atom'/>", b"<rss/>"):
        assert parse_feed(body).entries == ()


def test_nothing_is_opened_or_fetched(tmp_path: Path) -> None:
    feed = tmp_path / "feed.xml"
    feed.write_bytes(rss("<title>a</title>"))
    assert "it begins with" in str(refusal(str(feed).encode()))
    assert "it begins with" in str(refusal(feed.as_uri().encode()))


# -- the source kind -------------------------------------------------------------------------


def test_json_is_known_by_its_look_or_its_type() -> None:
    body = b'\xef\xbb\xbf {"version": "https://jsonfeed.org/version/1.1", "items": []}'
    assert parse_feed(body, headers={"content-type": "text/plain"}).entries == ()
    assert "JSON" in str(refusal(b"oops", headers={"content-type": "application/feed+json"}))
    reading = parse_feed(rss("<title>a</title>"), headers={"content-type": "application/json"})
    assert len(reading.entries) == 1


@pytest.mark.parametrize(
    ("limit", "kept"), [(None, "abcd"), (9, "abcd"), (2, "bd"), (1, "d"), (0, "")]
)
def test_max_entries_keeps_the_newest_in_their_order(limit: int | None, kept: str) -> None:
    days = {"a": 1, "b": 3, "c": 2, "d": 4}
    body = rss(
        *(
            f"<title>{name}</title><pubDate>0{day} Apr 2025 00:00:00 GMT</pubDate>"
            for name, day in days.items()
        )
    )
    source = Source(id="x", kind="feed", location=URL, max_entries=limit)
    fetched = Fetched(payload=Body(body=body, url=URL, headers={}))
    reading = FeedReader().parse(source, pickle.loads(pickle.dumps(fetched)))
    assert "".join(one.title.value for one in reading.entries if one.title) == kept


def test_max_entries_of_an_undated_feed_are_the_first() -> None:
    body = rss("<title>a</title>", "<title>b</title>", "<title>c</title>")
    source = Source(id="x", kind="feed", location=URL, max_entries=2)
    fetched = Fetched(payload=Body(body=body, url=URL, headers={}))
    titles = [one.title and one.title.value for one in FeedReader().parse(source, fetched).entries]
    assert titles == ["a", "b"]


@pytest.mark.parametrize(
    ("kind", "inside", "shown"),
    [
        ("application/mathml+xml", '<math xmlns="m"><mi>x</mi></math>', "<math"),
        ("application/xml", '<doc xmlns="urn:x"><p>Some text</p></doc>', "<p>Some text</p>"),
        ("image/png", "iVBO\n Rw0K", '<img src="data:image/png;base64,iVBORw0K">'),
    ],
)
def test_content_that_is_neither_text_nor_html(kind: str, inside: str, shown: str) -> None:
    feed = f"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>x:1</id><title>t</title>
    <content type="{kind}">{inside}</content></entry></feed>"""
    reading = parse_feed(feed.encode())
    (found,) = reading.entries
    assert found.content is not None
    assert found.content.type == "html"
    assert shown in found.content.value
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("kind", "inside"),
    [("application/pdf", "JVBERi0="), ("image/svg+xml", '<svg xmlns="s"><text>Hi</text></svg>')],
)
def test_content_that_cannot_be_shown_is_told(kind: str, inside: str) -> None:
    feed = f"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>x:1</id><title>t</title>
    <content type="{kind}">{inside}</content></entry></feed>"""
    reading = parse_feed(feed.encode())
    assert [entry.title for entry in reading.entries] == [Text(value="t")]
    (problem,) = reading.problems
    assert (problem.name, kind in problem.message) == ("x:1", True)


def test_a_recording_is_not_the_page_of_an_entry() -> None:
    feed = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>x:1</id><title>t</title>
    <content type="video/mp4" src="http://e.example/a.mp4"/></entry></feed>"""
    (found,) = parse_feed(feed).entries
    assert found.links == (Link(href="http://e.example/a.mp4", rel="enclosure", type="video/mp4"),)


@pytest.mark.parametrize(("said", "length"), [("12,345", 12345), ("1,2", None), ("12 kB", None)])
def test_the_length_of_an_enclosure_may_set_thousands_apart(said: str, length: int | None) -> None:
    feed = f"""<rss version="2.0"><channel><item><guid>1</guid>
    <enclosure url="http://e.example/a.mp3" type="audio/mpeg" length="{said}"/></item>
    </channel></rss>"""
    (found,) = parse_feed(feed.encode()).entries
    assert [link.length for link in found.links if link.rel == "enclosure"] == [length]
