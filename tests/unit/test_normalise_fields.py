"""The parts of an entry one by one: URLs, dates, names, texts, languages, people, links."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.keys import entry_key
from feedsvc.model import Category, Entry, Link, ParsedEntry, Person, SourceMeta
from feedsvc.normalise.dates import Dates, moved, plausible, settle
from feedsvc.normalise.identity import distinct, entry_uid, minted, sound_id, uid_of
from feedsvc.normalise.people import categories, links, one_line, people, source_meta
from feedsvc.normalise.text import clean_lines, clean_text, first_words, language
from feedsvc.normalise.urls import SCHEMES, absolute, clean_url, host, without_tracking

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BASE = "https://example.org/blog/feed.xml"


# -- URLs ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("post?id=1", "https://example.org/blog/post?id=1"),
        ("/a/../b", "https://example.org/b"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("#top", "https://example.org/blog/feed.xml#top"),
        ("?p=2", "https://example.org/blog/feed.xml?p=2"),
        (" \n https://a.example/x\ty \n", "https://a.example/xy"),
        ("http://a.example/a b/ü?q=é#ß", "http://a.example/a%20b/%C3%BC?q=%C3%A9#%C3%9F"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("HTTP://A.example/%7e%zz?a=%2F&&b[]=1", "HTTP://A.example/%7e%zz?a=%2F&&b[]=1"),
        ("http://user@a.example:8080/x", "http://user@a.example:8080/x"),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("https://a.example/#/spa/route", "https://a.example/#/spa/route"),
        ('https://a.example/"><script>', "https://a.example/%22%3E%3Cscript%3E"),
    ],
)
def test_absolute_urls(url: str, expected: str) -> None:
    assert absolute(url, BASE) == expected


@pytest.mark.parametrize(
    "url",
    [
        "", "  ", None, "http://", "http:///x", "https:foo", "http://[::1", "http://a b/",
        "http://a.example:99999/", "javascript:alert(1)", " java\nscript:alert(1)", "data:,x",
        "file:///etc/passwd", "vbscript:x", "ftp://a.example/x", "http://a.example/" + "x" * 9000,
        "\x00javascript:1", "http://" + "ü" * 80 + ".example/",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_none(url: str | None) -> None:
    assert clean_url(url, BASE) is None


def test_other_schemes_only_where_they_are_allowed() -> None:
    magnet = "magnet:?xt=urn:btih:abc&dn=x"
    assert clean_url(magnet, schemes=SCHEMES) == magnet
    assert clean_url("javascript:1", BASE, schemes=SCHEMES) is None
    assert clean_url("relative", None) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/?utm_source=x&utm_medium=y", "https://a.example/"),
        ("https://a.example/?UTM_Source=x&id=%2f7&fbclid=1", "https://a.example/?id=%2f7"),
        ("https://a.example/?b=2&gclid=x&a=1&&c#f", "https://a.example/?b=2&a=1&&c#f"),
        ("https://a.example/?id=1&amp;utm_source=x#top", "https://a.example/?id=1#top"),
        ("https://a.example/x#xtor=RSS-1", "https://a.example/x"),
        ("https://a.example/x#utm_source=rss&utm_medium=y", "https://a.example/x"),
        ("https://a.example/?at_medium=RSS&at_campaign=K", "https://a.example/"),
    ],
)
def test_tracking_goes_and_the_rest_stays_byte_for_byte(url: str, expected: str) -> None:
    assert without_tracking(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/?ref=x&source=y&id=z&campaign=1",
        "https://a.example/utm_source=1/?q=utm_source",
        "https://a.example/?x=1&my_utm_source=2",
        "https://a.example/#section-fbclid",
    ],
)
def test_other_parameters_are_not_taken_for_tracking(url: str) -> None:
    assert without_tracking(url) == url


@given(st.text(max_size=60), st.sampled_from([None, BASE]))
def test_every_url_is_absolute_ascii_web_or_none(text: str, base: str | None) -> None:
    for url in (clean_url(text, base), clean_url("http://" + text, base)):
        if url is not None:
            assert re.match(r"(?i)https?://[\x21-\x7e]+\Z", url)
            assert clean_url(url) == url


def test_hosts() -> None:
    assert host("https://WWW.Example.org:8080/x") == "example.org"
    assert host("http://[::1") == host(None) == ""


# -- dates -----------------------------------------------------------------------------------
def day(n: int) -> datetime:
    return NOW - timedelta(days=n)


@pytest.mark.parametrize(
    ("published", "updated", "expected"),
    [
        (day(3), None, Dates(day(3), day(3), True)),
        (day(3), day(1), Dates(day(3), day(1), True)),
        (day(1), day(3), Dates(day(1), day(1), True)),
        (None, day(2), Dates(day(2), day(2), True)),
        (None, None, Dates(NOW, NOW, False)),
        (day(-1), None, Dates(NOW, NOW, False, day(-1))),
        (None, day(-1), Dates(NOW, NOW, False, day(-1))),
        (day(3), day(-1), Dates(day(3), day(3), True)),
        (datetime(1970, 1, 1, tzinfo=UTC), None, Dates(NOW, NOW, False)),
        (datetime(1, 1, 1, tzinfo=UTC), day(2), Dates(day(2), day(2), True)),
        (NOW + timedelta(minutes=5), None, Dates(*[NOW + timedelta(minutes=5)] * 2, True)),
    ],
)
def test_dates_settle(
    published: datetime | None, updated: datetime | None, expected: Dates
) -> None:
    assert settle(published, updated, NOW) == expected


def test_moments_become_utc() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert plausible(datetime(2025, 4, 10, 5, 30, tzinfo=india)) == datetime(
        2025, 4, 10, tzinfo=UTC
    )
    assert plausible(datetime(2025, 4, 10)) == datetime(2025, 4, 10, tzinfo=UTC)  # noqa: DTZ001
    assert plausible(datetime(1, 1, 1, tzinfo=india)) is None
    for zero in ("1970-01-01T00:00:00+05:30", "1969-12-31T19:00:00+00:00", "1899-12-30T00:00:00"):
        assert plausible(datetime.fromisoformat(zero)) is None
    for old in (
        "1985-08-08T10:00:00+00:00",
        "1969-07-20T20:17:00+00:00",
        "1890-05-05T00:00:00+00:00",
    ):
        assert plausible(datetime.fromisoformat(old)) == datetime.fromisoformat(old)
    assert plausible(datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=3)))) is not None


def test_updated_always_moves_forward_when_content_changed() -> None:
    assert moved(day(3), day(1), NOW) == day(1)
    assert moved(day(1), day(3), NOW) == NOW
    assert moved(day(1), day(-5), NOW) == NOW
    assert moved(NOW, NOW, NOW) > NOW


# -- identity --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "id",
    [
        "https://example.org/post/1", "http://example.org/?p=12#x", "urn:uuid:1225c695-cfb8-4ebb",
        "tag:blogger.com,1999:blog-123.post-456", "yt:video:dQw4w9WgXcQ", "oai:arXiv.org:2101.1v1",
        "https://example.org/käse", "http://example.org/%20", "at://did:plc:abc/app/1",
        "tag:example.org,2005-10-01:/x",
    ],
)  # fmt: skip
def test_sound_ids(id: str) -> None:
    assert sound_id(id)


@pytest.mark.parametrize(
    "id",
    [
        "", None, "12345", "/post/1", "post 1", "C:\\x", "https://", "http:///x", "http://a b/",
        "http://a/<x>", "javascript:alert(1)", "data:,x", "http://a/%zz", "urn:" + "x" * 900,
        "tag:x", "tag:example.org:x", "a:\u202eb", "http://[::1", "https://a/b\n",
    ],
)  # fmt: skip
def test_unsound_ids(id: str | None) -> None:
    assert not sound_id(id)


def test_minted_ids() -> None:
    authority = "localhost,2026"
    assert (
        minted(authority, "seeds", "000_b0149e1d855999ec.txt")
        == "tag:localhost,2026:seeds/000_b0149e1d855999ec.txt"
    )
    assert (
        minted(authority, "bbc", "https://a.example/x?y=1#z ü")
        == "tag:localhost,2026:bbc/https://a.example/x?y=1%23z%20%C3%BC"
    )
    long = minted(authority, "bbc", "x" * 700)
    assert len(long) < 120
    assert long != minted(authority, "bbc", "x" * 701)
    for uid in ("a b", "ä" * 50, "x" * 700, "100%", "<a>", '"'):
        assert sound_id(minted(authority, "s", uid))


def test_uids() -> None:
    assert uid_of(" post-1\n") == "post-1"
    assert uid_of("http://a.example/1") == uid_of("https://a.example/1") == "https://a.example/1"
    assert uid_of("sub/000.txt") == "sub/000.txt"
    assert len(uid_of("ü" * 500)) < 80
    assert entry_uid(ParsedEntry(uid="x"), "https://a.example/", "text") == "x"
    assert entry_uid(ParsedEntry(uid="  "), "https://a.example/", "text") == "https://a.example/"
    nameless = entry_uid(ParsedEntry(), None, "text")
    assert nameless == entry_uid(ParsedEntry(), None, "text")
    assert nameless != entry_uid(ParsedEntry(), None, "other")


def entry(uid: str, **fields: object) -> Entry:
    id = minted("localhost,2026", "s", uid)
    given: dict[str, object] = {
        "title": "T",
        "link": None,
        "published": day(2),
        "updated": day(2),
        "digest": "d",
    }
    return Entry(
        id=id, fallback_id=id, key=entry_key(id), source_id="s", uid=uid, dated=True,
        **(given | fields),  # type: ignore[arg-type]
    )  # fmt: skip


MIDNIGHT = datetime(2025, 1, 2, tzinfo=UTC)


class Memory:
    """What a store would know after polls of these entries, by uid."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.asked = 0

    def known(self, uids: Iterable[str]) -> dict[str, Entry]:
        self.asked += 1
        return {uid: self.entries[uid] for uid in uids if uid in self.entries}

    def poll(self, *entries: Entry) -> dict[str, str]:
        """The uids that a poll gives, by title."""
        found, _ = distinct(entries, self.known, authority="localhost,2026")
        assert len({e.uid for e in found}) == len({e.key for e in found}) == len(found)
        self.entries |= {entry.uid: entry for entry in found}
        return {entry.title: entry.uid for entry in found}


def named(title: str, **fields: object) -> Entry:
    """An entry of an id that others have too."""
    link = f"https://a.example/{title[0]}"
    given = {"title": title, "link": link, "digest": title, "published": MIDNIGHT}
    return entry("same", **(given | fields))


def test_an_entry_told_twice_is_left_once_in_its_latest_version() -> None:
    a, b = entry("a"), entry("b")
    later = entry("a", updated=day(1), digest="e")
    for told, expected in (([a, b, a], (a, b)), ([a, b, later], (later, b))):
        found, _ = distinct(told, Memory().known, authority="localhost,2026")
        assert found == expected


def test_versions_of_an_entry_are_one_whatever_their_titles() -> None:
    noon = MIDNIGHT + timedelta(hours=12)
    a, b = (
        named(title, link="https://a.example/1", published=noon, updated=day(number))
        for number, title in enumerate(("last words", "first words"), 3)
    )
    for told in ([a, b], [b, a]):
        assert Memory().poll(*told) == {"last words": "same"}
    # of one day, never updated, or at another page they may as well be different ones
    assert len(Memory().poll(replace(a, published=MIDNIGHT), replace(b, published=MIDNIGHT))) == 2
    assert len(Memory().poll(a, replace(b, updated=a.updated))) == 2
    assert len(Memory().poll(a, replace(b, link="https://a.example/2"))) == 2


def test_what_is_published_keeps_its_uid_when_a_namesake_appears() -> None:
    memory = Memory()
    a, b, c, d = map(named, "abcd")
    assert memory.poll(a) == {"a": "same"}
    both = memory.poll(b, a)
    assert both["a"] == "same"
    assert both["b"].startswith("same#")
    assert sound_id(memory.entries[both["b"]].id)
    three = memory.poll(c, b, a)
    assert three.items() > both.items()
    # as older ones leave the feed, nobody inherits a name
    assert memory.poll(d, c, b).items() >= {"c": three["c"], "b": three["b"]}.items()
    assert memory.poll(c) == {"c": three["c"]}
    assert "same" not in memory.poll(named("e"), d).values()
    assert memory.poll(a, c)["a"] == "same"


def test_an_edit_keeps_the_uid_among_namesakes_and_alone() -> None:
    memory = Memory()
    noon = MIDNIGHT + timedelta(hours=12)
    a, b = named("a", published=noon), named("b", published=day(3))
    memory.poll(a)
    assert memory.poll(b, named("a!", published=noon))["a!"] == "same"
    alone = Memory()
    alone.poll(a)
    assert alone.poll(named("z", published=day(9))) == {"z": "same"}


def test_of_namesakes_never_seen_before_the_first_has_the_uid() -> None:
    assert Memory().poll(named("b"), named("a"))["b"] == "same"


def test_what_is_unchanged_or_new_costs_one_question() -> None:
    memory = Memory()
    for _ in range(2):
        memory.poll(entry("a"), entry("b"))
    assert memory.asked == 2


# -- text ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a\n\tb\u00a0 c ", "a b c"),
        ("a\x00b\x07c\x1bd", "abcd"),
        ("It\x92s \x93so\x94", "It’s “so”"),
        ("a\ud800b\ufffe\ufeff", "ab"),
        ("evil \u202etxt.exe", "evil txt.exe"),
        ("\u2067שלום\u2069 ok", "\u2067שלום\u2069 ok"),
        ("\u2067open", "open"),
        ("close\u2069\u2066", "close"),
        ("👩\u200d🚀 é", "👩\u200d🚀 é"),
        (None, ""),
    ],
)
def test_one_line_of_text(text: str | None, expected: str) -> None:
    assert clean_text(text) == expected


def test_lines_of_text() -> None:
    assert clean_lines(" a  b \r\n c\r\r\r\n\n d\x00 \n") == "a b\nc\n\nd"


def test_first_words() -> None:
    assert first_words("short text") == "short text"
    cut = first_words("word " * 50)
    assert cut.endswith("word…")
    assert 60 < len(cut) <= 80
    assert len(first_words("x" * 200)) == 80
    assert len(first_words("漢" * 200)) == 80
    assert first_words("a" * 70 + ", " + "b" * 70) == "a" * 70 + "…"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("EN", "en"), ("en_us", "en-US"), ("zh-hant-tw", "zh-Hant-TW"), ("sr-latn", "sr-Latn"),
        ("es-419", "es-419"), ("de-CH-1901", "de-CH-1901"), ("en-a-BBB-x-US", "en-a-bbb-x-us"),
        ("english", None), ("", None), (None, None), ("x", None), ("en us", None), ("und", None),
    ],
)  # fmt: skip
def test_languages(tag: str | None, expected: str | None) -> None:
    assert language(tag) == expected


# -- people, categories, links, sources ------------------------------------------------------
@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (Person(name=" Jane \n Doe "), Person(name="Jane Doe")),
        (Person(name="j@a.example (Jane Doe)"), Person(name="Jane Doe", email="j@a.example")),
        (Person(name="Jane Doe <j@a.example>"), Person(name="Jane Doe", email="j@a.example")),
        (Person(name="j@a.example"), Person(name="j", email="j@a.example")),
        (Person(name="", email="j@a.example"), Person(name="j", email="j@a.example")),
        (Person(name="Jane", email="not an address"), Person(name="Jane")),
        (Person(name="Jane", uri="/jane"), Person(name="Jane", uri="https://example.org/jane")),
        (Person(name="Jane", uri="javascript:1"), Person(name="Jane")),
        (Person(name="", uri="https://www.jane.example/x"),
         Person(name="jane.example", uri="https://www.jane.example/x")),
        (Person(name="A &amp; <b>B</b>"), Person(name="A & B")),
    ],
)  # fmt: skip
def test_persons(person: Person, expected: Person) -> None:
    assert people([person, person], BASE) == (expected,)


def test_nameless_persons_go() -> None:
    assert people([Person(name="  "), Person(name="\x00")], BASE) == ()


@pytest.mark.parametrize("name", ["(", "a@", "a@b(", " (a@b", "<"])
def test_names_that_would_take_hours_are_left_as_they_are(name: str) -> None:
    # patterns go through such a name again from each of its characters
    (found,) = people([Person(name=name * 200_000 + "x")], BASE)
    assert (found.email, found.uri) == (None, None)


@pytest.mark.parametrize(
    "text", ["List<String>", "a<b", "Map<K,V> x", "C<U> Corp", "1 < 2 > 0", "<P>"]
)
def test_angle_brackets_that_are_no_markup_are_text(text: str) -> None:
    (found,) = categories([Category(term=text, scheme="s", label=text)])
    assert (found.term, found.label) == (text, text)
    assert people([Person(name=text)], None) == (Person(name=text),)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<b>News</b> &amp; more", "News & more"),
        ("AT&amp;T", "AT&T"),
        ("x<br>y", "x y"),
        ("<script>alert(1)</script>z", "z"),
    ],
)
def test_markup_in_a_category_is_none_of_it(text: str, plain: str) -> None:
    assert categories([Category(term=text)]) == (Category(term=plain),)


def test_categories() -> None:
    found = [
        Category(term=" News \n"),
        Category(term="news", label="other"),
        Category(term="news", scheme="https://a.example/c"),
        Category(term=""),
        Category(term="", label="Only a label"),
        Category(term="R&amp;D", label="Research"),
    ]
    assert categories(found) == (
        Category(term="News"),
        Category(term="news", scheme="https://a.example/c"),
        Category(term="Only a label", label="Only a label"),
        Category(term="R&D", label="Research"),
    )


def test_links() -> None:
    page, others = links(
        [
            Link(href="/1.json", type="application/json"),
            Link(href="/1?utm_source=rss", type="text/html"),
            Link(href="/1", title="again"),
            Link(href="/1.de", hreflang="DE", type="text/html; charset=utf-8"),
            Link(href="a.mp3", rel="enclosure", type="Audio/MPEG", length=12),
            Link(href="a.mp3", rel="enclosure", length=12),
            Link(href="b.mp3", rel="enclosure", type="nonsense", length=-1),
            Link(href="magnet:?xt=1", rel="enclosure"),
            Link(href="/self", rel="self"),
            Link(href="/edit", rel="edit"),
            Link(href="/c", rel="http://www.iana.org/assignments/relation/Replies"),
            Link(href="javascript:1", rel="related"),
            Link(href="/r", rel="related", title=" See \n also "),
        ],
        BASE,
    )
    assert page == "https://example.org/1"
    assert others == (
        Link(href="https://example.org/1.json", type="application/json"),
        Link(href="https://example.org/1.de", type="text/html", hreflang="de"),
        Link(href="https://example.org/blog/a.mp3", rel="enclosure", type="audio/mpeg", length=12),
        Link(href="https://example.org/blog/b.mp3", rel="enclosure"),
        Link(href="magnet:?xt=1", rel="enclosure"),
        Link(href="https://example.org/c", rel="replies"),
        Link(href="https://example.org/r", rel="related", title="See also"),
    )


def test_an_entry_may_have_no_page() -> None:
    assert links([Link(href="mailto:a@a.example")], None) == (
        None,
        (Link(href="mailto:a@a.example"),),
    )
    assert links([], BASE) == (None, ())


def test_what_a_feed_says_of_itself() -> None:
    meta = SourceMeta(
        id=" urn:x ", title="A <b> &\n B\x00", subtitle=" ", link="/", self_link="feed.xml",
        authors=(Person(name=""),), icon="javascript:1", logo="l.png", lang="de_at",
        updated=datetime(1970, 1, 1, tzinfo=UTC), hub="https://hub.example/",
    )  # fmt: skip
    assert source_meta(meta, base=BASE) == SourceMeta(
        id="urn:x", title="A <b> & B", link="https://example.org/", self_link=BASE,
        logo="https://example.org/blog/l.png", lang="de-AT", hub="https://hub.example/",
    )  # fmt: skip


def test_markup_in_plain_fields() -> None:
    assert one_line("a <b>c</b> &lt;d&gt;") == "a c <d>"
    assert one_line("a < b & c; AT&T") == "a < b & c; AT&T"
