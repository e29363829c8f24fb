"""Feeds as they are found and should not be: references without end, prologs in one line, charsets
that are not quite what they are called. Each says what a careful reader makes of it.
"""

import pytest

from feedsvc.sources.webfeed import parse_feed
from tests.conformance.corpora_view import read

RSS = (
    "<rss version='2.0'><channel><title>F</title><link>http://p.example/</link>"
    "<item><title>{}</title><link>http://p.example/{}</link></item></channel></rss>"
)
NETSCAPE = (
    '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
    '"http://my.netscape.com/publish/formats/rss-0.91.dtd">'
)


def first(body: str | bytes, **headers: str) -> tuple[str, str | None]:
    """Title and link of the only entry."""
    data = body if isinstance(body, bytes) else body.encode()
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    (entry,) = read(data, "feed.xml", fields).entries
    return entry.title, entry.link


@pytest.mark.parametrize("line", ["", "\n"])
def test_html_entities_are_read_whatever_dtd_is_named(line: str) -> None:
    body = f'<?xml version="1.0"?>{line}{NETSCAPE}{line}{RSS.format("Caf&eacute; &mdash; x", 1)}'
    assert first(body)[0] == "Café — x"


@pytest.mark.parametrize("line", ["", "\n"])
def test_entities_that_a_document_declares_are_read(line: str) -> None:
    declared = f'<!DOCTYPE rss [{line}<!ENTITY me "My Name">{line}<!ENTITY nbsp "&#160;">{line}]>'
    assert first(f"{declared}{line}{RSS.format('by&nbsp;&me;', 1)}")[0] == "by My Name"


def test_an_error_is_told_in_its_own_line() -> None:
    body = f'<?xml version="1.0"?>{NETSCAPE}\n\n{RSS.format("&eacute;", 1)}'
    (problem,) = parse_feed(body.encode()).problems
    assert "in line 3 " in problem.message


@pytest.mark.parametrize(
    ("title", "path", "wanted"),
    [
        ("AT&T <b>raw</b>", "1", ("AT&T raw", "http://p.example/1")),
        ("a & b", "?a=1&b=2", ("a & b", "http://p.example/?a=1&b=2")),
        ("Q&A;", "?x=1&lang=en", ("Q&A;", "http://p.example/?x=1&lang=en")),
        ("x", "?a=1&copy=2&amp;reg=3", ("x", "http://p.example/?a=1&copy=2&reg=3")),
        ("&eacute;&nbsp;&#233; & &#x1F600;", "1", ("é é & 😀", "http://p.example/1")),
        ("&#xD83D;&#xDE00; &#55357;&#56832;", "1", ("😀 😀", "http://p.example/1")),
        ("&#56832;&#55357;", "1", ("\ufffd\ufffd", "http://p.example/1")),
        ("<![CDATA[a & b &amp; c]]> & d", "1", ("a & b & c & d", "http://p.example/1")),
    ],
)
def test_an_ampersand_that_begins_nothing_is_one(
    title: str, path: str, wanted: tuple[str, str]
) -> None:
    assert first(RSS.format(title, path)) == wanted


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        ("Shift_JIS", "cp932", "日本語テスト①髙"),
        ("x-sjis", "cp932", "日本語のテストです"),
        ("x-cp1251", "cp1251", "Кириллица"),
        ("EUC-KR", "cp949", "한국어 똠방각하"),
        ("EUC-JP", "euc_jis_2004", "日本語①のテスト"),
        ("Big5", "big5hkscs", "香港嘅中文測試"),
        ("GB2312", "gb18030", "中文标题镕"),
        ("gbk", "gb18030", "中文标题镕€𠀀"),
    ],
)
def test_a_charset_is_read_as_widely_as_it_is_written(charset: str, codec: str, text: str) -> None:
    body = f"<?xml version='1.0' encoding='{charset}'?>\n{RSS.format(text, 1)}"
    assert first(body.encode(codec))[0] == text
    bare = RSS.format(text, 1).encode(codec)
    assert first(bare, content_type=f"application/xml; charset={charset}")[0] == text


def test_one_stray_byte_does_not_spoil_the_rest() -> None:
    body = f"<?xml version='1.0' encoding='Shift_JIS'?>{RSS.format('日本語XXテスト' * 9, 1)}"
    title, _ = first(body.encode("cp932").replace(b"XX", b"\xfd\xfe", 1))
    assert title.startswith("日本語")
    assert title.endswith("テスト")


def test_json_in_an_old_charset_is_read_all_the_same() -> None:
    text = '{"version": "https://jsonfeed.org/version/1.1", "title": "é", "items": [{"id": "1", \
"title": "caf\xe9 au lait", "content_text": "d\xe9j\xe0 vu"}]}'
    assert first(text.encode("latin-1"))[0] == "café au lait"


@pytest.mark.parametrize(("prefix", "name"), [("", "xmlns"), ("h:", "xmlns:h")])
def test_a_base_within_a_text_counts_there_and_only_there(prefix: str, name: str) -> None:
    p, xhtml = prefix, f'{name}="http://www.w3.org/1999/xhtml"'
    body = f"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://a.example/a/"><entry>
        <id>urn:x:1</id><title>T</title><link href="one"/>
        <content type="xhtml" xml:base="d/"><{p}div {xhtml} xml:base="e/"><{p}img src="p.png"/>
        <{p}p xml:base="/f/"><{p}a href="z">z</{p}a><{p}a href="#n">n</{p}a></{p}p>
        <{p}a href="y">y</{p}a></{p}div></content></entry></feed>"""
    (entry,) = read(body.encode(), "feed.xml").entries
    assert entry.link == "https://a.example/a/one"
    assert entry.content
    for url in ("a/d/e/p.png", "f/z", "a/d/e/y", "a/one#n"):
        assert f'"https://a.example/{url}"' in entry.content.value


def test_an_entry_has_its_own_language_whatever_its_texts_have() -> None:
    body = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
        <entry xml:lang="fr"><id>urn:x:1</id><title xml:lang="de">T</title>
        <summary>s</summary><content xml:lang="it">c</content></entry>
        <entry><id>urn:x:2</id><title>T</title></entry></feed>"""
    one, two = read(body.encode(), "feed.xml").entries
    assert (one.lang, two.lang) == ("fr", "en")
    assert one.content
    assert one.summary
    assert (one.content.lang, one.summary.lang) == ("it", "fr")


def test_the_page_of_an_author_is_no_address_of_the_feed() -> None:
    body = (
        '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>A</title>'
        '<link rel="alternate" type="text/html" href="http://a.example/"/>'
        "<author><name>N</name><url>http://a.example/me</url></author>"
        "<entry><title>T</title><id>tag:a.example,2026:1</id></entry></feed>"
    )
    meta = parse_feed(body.encode()).meta
    assert meta is not None
    assert meta.self_link is None


@pytest.mark.parametrize(
    "space", ["http://unknown.example/ns", "http://activitystrea.ms/spec/1.0/"]
)
def test_what_stands_in_a_foreign_element_is_not_the_entrys(space: str) -> None:
    inside = "<title>I</title><id>i</id><guid>i</guid><link>http://i.example/</link>"
    inside += "<updated>2019-01-01T00:00:00Z</updated><author><name>Bob</name></author>"
    inside += "<category>inner</category><summary>inner</summary><content>inner</content>"
    body = RSS.format(
        "T", f"a</link><x:box xmlns:x='{space}'>{inside}</x:box><link>http://p.example/b"
    )
    (found,) = parse_feed(body.encode()).entries
    (alone,) = parse_feed(RSS.format("T", "a</link><link>http://p.example/b").encode()).entries
    assert found == alone


def test_a_wrapper_without_a_namespace_is_read_through() -> None:
    body = RSS.format("T", "a</link><categories><category>C</category></categories><link>")
    (found,) = parse_feed(body.encode()).entries
    assert [one.term for one in found.categories] == ["C"]
    strange = body.replace("<rss ", "<rss xmlns='http://unknown.example/rss' ")
    (found,) = parse_feed(strange.encode()).entries
    assert [one.term for one in found.categories] == ["C"]


@pytest.mark.parametrize("link", [None, "", " ", "http://", "javascript:x"])
@pytest.mark.parametrize("said", ["", " isPermaLink='True'"])
def test_a_permalink_is_the_page_where_no_link_leads_anywhere(link: str | None, said: str) -> None:
    rss = "<rss version='2.0'><channel><item><title>T</title>{}</item></channel></rss>"
    link = "" if link is None else f"<link>{link}</link>"
    guid = f"<guid{said}>http://p.example/a</guid>"
    for inside in (f"{guid}{link}", f"{link}{guid}"):
        assert first(rss.format(inside)) == ("T", "http://p.example/a")
    named = "<guid isPermaLink='false'>http://p.example/a</guid>"
    assert first(rss.format(named)) == ("T", None)


def test_enclosures_of_rss_1_are_read() -> None:
    body = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns="http://purl.org/rss/1.0/" xmlns:enc="http://purl.oclc.org/net/rss_2.0/enc#">
    <item rdf:about="http://p.example/a"><title>T</title><link>http://p.example/a</link>
    <enc:enclosure rdf:resource="http://p.example/a.mp3" enc:type="audio/mpeg" enc:length="5"/>
    </item></rdf:RDF>"""
    (found,) = parse_feed(body.encode()).entries
    (file,) = [link for link in found.links if link.rel == "enclosure"]
    assert (file.href, file.type, file.length) == ("http://p.example/a.mp3", "audio/mpeg", 5)


@pytest.mark.parametrize(
    ("name", "space"),
    [
        ("media:credit", "http://www.rssboard.org/media-rss"),
        ("itunes:season", "https://www.itunes.com/dtds/podcast-1.0.dtd/"),
        ("podcast:season", "https://podcastindex.org/namespace/1.0/"),
        ("thr:total", "http://purl.org/syndication/thread/1.0/"),
    ],
)
def test_namespaces_are_known_however_they_are_spelt(name: str, space: str) -> None:
    local = name.partition(":")[2]
    body = RSS.format("T", f"a</link><x:{local} xmlns:x='{space}'>3</x:{local}><link>")
    (found,) = parse_feed(body.encode()).entries
    assert [(one.name, one.text) for one in found.extensions] == [(name, "3")]
