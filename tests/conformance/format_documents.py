"""The documents that formats are tried on: one that has everything, and arbitrary ones."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from feedsvc.model import (
    Category,
    DeletedEntry,
    Duplicate,
    FeedDocument,
    FeedEntry,
    Link,
    Person,
    Related,
    SourceMeta,
    Text,
)
from feedsvc.vocabulary import Extension

BASE = "https://feeds.example.org"


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2025, 4, day, hour, tzinfo=UTC)


WIRE = SourceMeta(
    id="tag:wire.example,2001:feed",
    title="Wire & Sons",
    subtitle="All the news",
    link="https://wire.example/",
    self_link="https://wire.example/feed.atom",
    authors=(Person(name="Wire desk", email="desk@wire.example", uri="https://wire.example/desk"),),
    categories=(Category(term="news", scheme="https://wire.example/terms", label="News"),),
    rights="© Wire",
    icon="https://wire.example/icon.png",
    logo="https://wire.example/logo.png",
    lang="en-GB",
    updated=at(9, 12),
)
RICH = FeedEntry(
    id="https://wire.example/2025/embassies",
    title='Embassies: U.S. & Russia "normalise" <operations>',
    url="https://wire.example/2025/embassies",
    links=(
        Link(href="https://wire.example/2025/embassies"),
        Link(
            href="https://wire.example/2025/embassies.de",
            type="text/html",
            hreflang="de",
            title="Auf Deutsch",
        ),
        Link(
            href="https://old.example/truce?a=1&b=2",
            rel="related",
            type="text/html",
            title='Truce & "after"',
        ),
        Link(href=f"{BASE}/entries/aaaaaaaaaaaaa", rel="related", type="text/html", title="Ours"),
        Link(
            href="https://wire.example/a.mp3",
            rel="enclosure",
            type="audio/mpeg",
            title="Talk",
            length=12345,
        ),
        Link(href="https://wire.example/p.jpg", rel="enclosure", type="image/jpeg", length=99),
        Link(href="https://agency.example/9", rel="via", type="text/html"),
        Link(href="https://wire.example/thread", rel="replies", type="text/html"),
        Link(href="https://wire.example/licence", rel="license"),
    ),
    published=at(10),
    updated=at(10, 6),
    authors=(
        Person(name="Ann Éluard", email="ann@wire.example", uri="https://wire.example/ann"),
        Person(name="Bo"),
    ),
    contributors=(Person(name="Cy", uri="https://cy.example/"),),
    summary=Text(value="Talks < six hours & more", lang="en"),
    content=Text(
        value='<p>On Thursday &amp; later, <a href="https://x.example/">they</a> met.</p>'
        "<p>It ends ]]&gt; here.</p>",
        type="html",
        lang="fr",
    ),
    categories=(
        Category(term="russia", scheme=f"{BASE}/tags/", label="Russia"),
        Category(term="united-states", scheme=f"{BASE}/tags/", label="United States"),
        Category(term="12", scheme="https://wire.example/terms", label="Diplomacy"),
    ),
    rights="© 2025 Wire",
    lang="en",
    source=WIRE,
    related=(
        Related(
            key="bbbbbbbbbbbbb",
            id="tag:old.example,2025:truce",
            title='Truce & "after"',
            link="https://old.example/truce?a=1&b=2",
            published=at(3),
            kind="explicit",
            score=1.0,
            reason="named by the entry",
            reference="Truce and after",
        ),
        Related(
            key="aaaaaaaaaaaaa",
            id="tag:localhost,2026:seeds/a.txt",
            title="Ours",
            link=f"{BASE}/entries/aaaaaaaaaaaaa",
            published=at(4),
            kind="content",
            score=0.61251,
            reason="embassy, consulate, ambassador",
        ),
    ),
)
PLAIN = FeedEntry(
    id="tag:localhost,2026:seeds/b.txt",
    title="条約 — نص عربي",
    url=f"{BASE}/entries/ccccccccccccc",
    links=(),
    published=at(8),
    updated=at(8),
    authors=(Person(name="seeds"),),
    content=Text(value="First paragraph < here.\n\nSecond & last."),
    source=SourceMeta(id="tag:localhost,2026:feeds/sources/seeds", title="seeds"),
)
BARE = FeedEntry(
    id="urn:uuid:60a76c80-d399-11d9-b93c-0003939e0af6",
    title="",
    url="https://micro.example/1",
    links=(),
    published=at(7),
    updated=at(7),
    authors=(),
    summary=Text(value="Just <b>this</b>.", type="html"),
)
DOCUMENT = FeedDocument(
    id="tag:localhost,2026:feeds/tags/russia",
    title="My newswire: russia & more",
    updated=at(10, 6),
    self_url=f"{BASE}/feeds/tags/russia.atom",
    home_url=f"{BASE}/feeds/tags/russia",
    subtitle="Entries tagged russia",
    links=(
        Link(href=f"{BASE}/feeds/tags/russia.atom", rel="first"),
        Link(href=f"{BASE}/feeds/tags/russia.atom?before=abc&limit=3", rel="next"),
        Link(href="https://hub.example/", rel="hub"),
        Link(href=f"{BASE}/feeds/tags/russia.xyz", type="application/xyz"),
    ),
    authors=(Person(name="Ed Itor", email="ed@example.org", uri="https://ed.example/"),),
    generator_version="1.2.3",
    generator_url=f"{BASE}/",
    icon=f"{BASE}/icon.png",
    logo=f"{BASE}/logo.png",
    rights="CC BY",
    lang="en",
    entries=(RICH, PLAIN, BARE),
    deleted=(DeletedEntry(id="tag:localhost,2026:seeds/gone.txt", key="d" * 13, when=at(9)),),
)

HOSTILE = (
    "",
    " ",
    "\x00\x01\x08\x0b\x1f",
    "a\ud800b\udfffc\ufffe\uffff",
    "]]>",
    "<![CDATA[x]]>",
    "<script>alert(1)</script>",
    "&amp;lt;&#0;&#x1F;&nbsp;",
    "\u202eevil\u202c \u2066iso",
    "a\r\nb\rc\n\td\x85e\u2028f",
    "javascript:alert(1)",
    "https://[::1",
    "http://",
    'https://x.example/a b"c<d>e\\f^g`h{i}|j',
    "//x.example/relative",
    "/path",
    "mailto:a@b.example",
    "https://пример.рф/путь?q=значение",
    "e\u0301\U0001f468\u200d\U0001f469\U00010ffff\ufeff",
    'xmlns:dc="http://purl.org/dc/elements/1.1/"',
    "</entry></feed></item></channel></rss>]}",
    "'\"<>&",
    "Ã©tÃ© \x80\x99",
)
HUGE = "x" * 200_000
anything = st.one_of(
    st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=()), max_size=10)
)
maybe = st.none() | anything
urls = anything | st.builds("https://x.example/{}".format, st.text(max_size=10))
dates = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
)
texts = st.builds(Text, value=anything, type=st.sampled_from(["text", "html"]), lang=maybe)
persons = st.builds(Person, name=anything, email=maybe, uri=st.none() | urls)
categories = st.builds(Category, term=anything, scheme=st.none() | urls, label=maybe)
rels = st.sampled_from(
    ["alternate", "related", "enclosure", "via", "self", "next", "hub", "http://x.example/rel"]
)
links = st.builds(
    Link,
    href=urls,
    rel=rels | anything,
    type=st.none() | st.sampled_from(["text/html", "audio/mpeg", "x"]) | anything,
    hreflang=st.none() | st.sampled_from(["de", "zh_CN"]) | anything,
    title=maybe,
    length=st.none() | st.integers(-5, 2**70),
)


def few(of: Any) -> Any:
    return st.lists(of, max_size=2).map(tuple)


sources = st.builds(
    SourceMeta,
    id=maybe,
    title=maybe,
    subtitle=maybe,
    link=st.none() | urls,
    self_link=st.none() | urls,
    authors=few(persons),
    categories=few(categories),
    rights=maybe,
    icon=st.none() | urls,
    logo=st.none() | urls,
    lang=maybe,
    updated=st.none() | dates,
)
related = st.builds(
    Related,
    key=st.just("bbbbbbbbbbbbb"),
    id=anything,
    title=anything,
    link=st.none() | urls,
    published=dates,
    kind=st.sampled_from(["explicit", "content"]),
    score=st.floats(0, 1),
    reason=anything,
)
duplicates = st.builds(
    Duplicate,
    key=st.just("ccccccccccccc"),
    id=anything,
    title=anything,
    link=st.none() | urls,
    source_id=st.just("other"),
    source_title=anything,
)
# places and chapters mean something only in their places: `normalise.places` lets no other in
_names = st.builds(
    "{}:{}".format,
    st.sampled_from(["itunes", "podcast", "media", "dc", "dcterms", "slash", "thr", "prism", "yt"]),
    st.sampled_from(["title", "summary", "content", "person", "group", "value", "credit", "total"]),
)
_attributes = few(
    st.tuples(st.sampled_from(["type", "role", "lang", "id", "ref", "scheme"]), anything)
).map(lambda pairs: tuple(dict(pairs).items()))
extensions = st.recursive(
    st.builds(Extension, name=_names, text=maybe, attributes=_attributes),
    lambda inner: st.builds(
        Extension, name=_names, text=maybe, attributes=_attributes, children=few(inner)
    ),
    max_leaves=4,
)
entries = st.builds(
    FeedEntry,
    id=anything | urls,
    title=anything,
    url=urls,
    links=few(links),
    published=dates,
    updated=dates,
    authors=few(persons),
    contributors=few(persons),
    summary=st.none() | texts,
    content=st.none() | texts,
    categories=few(categories),
    rights=maybe,
    lang=maybe,
    source=st.none() | sources,
    related=few(related),
    duplicates=few(duplicates),
    extensions=few(extensions),
)
deleted = st.builds(DeletedEntry, id=anything | urls, key=st.just("d" * 13), when=dates)
documents = st.builds(
    FeedDocument,
    id=anything | urls,
    title=anything,
    updated=dates,
    self_url=st.builds("https://x.example/{}".format, anything),
    home_url=st.builds("https://x.example/{}".format, anything),
    subtitle=maybe,
    links=few(links),
    authors=few(persons),
    generator=anything,
    generator_version=anything,
    generator_url=st.none() | urls,
    icon=st.none() | urls,
    logo=st.none() | urls,
    rights=maybe,
    lang=maybe,
    entries=st.lists(entries, max_size=2, unique_by=lambda entry: entry.id).map(tuple),
    deleted=few(deleted),
)

# what no reader has a reason to alter: for comparing what comes out with what went in
_sane = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="<>&")
    | st.sampled_from("äéßøЖя日本語한عא“”—€\U0001f600"),
    min_size=1,
    max_size=30,
).map(lambda text: " ".join(text.split()) or "x")
_pages = st.from_regex(
    r"https://[a-z]{1,8}\.example/[a-z0-9/]{0,12}(\?a=[a-z0-9]+&b=1)?", fullmatch=True
)
_times = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001
    max_value=datetime(2037, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
ordinary = st.builds(
    FeedEntry,
    id=_pages | st.uuids().map(lambda uuid: uuid.urn),
    title=_sane,
    url=_pages,
    links=few(
        st.builds(
            Link,
            href=_pages,
            rel=st.sampled_from(["related", "enclosure", "via"]),
            type=st.sampled_from(["text/html", "audio/mpeg"]),
            title=_sane,
            length=st.none() | st.integers(1, 10**9),
        )
    ),
    published=_times,
    updated=_times,
    authors=st.lists(st.builds(Person, name=_sane), min_size=1, max_size=2, unique=True).map(tuple),
    content=st.builds(
        Text, value=st.builds("<p>{} &amp; &lt;b&gt;</p>".format, _sane), type=st.just("html")
    ),
    summary=st.none() | st.builds(Text, value=_sane),
    categories=st.lists(
        st.builds(Category, term=_sane, scheme=_pages), max_size=3, unique_by=lambda one: one.term
    ).map(tuple),
)
