"""From a request to a feed, on a real store: addresses, validators, pages, entries."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest

from feedsvc.compose import Composer, FeedRequest, Options
from feedsvc.compose.shelf import Shelf
from feedsvc.config import Config
from feedsvc.errors import NotFound, OptionError, QueryError
from feedsvc.formats import FORMATS
from feedsvc.keys import entry_key
from feedsvc.model import (
    Category,
    Entry,
    FeedEntry,
    Link,
    Person,
    PollState,
    Related,
    Source,
    SourceMeta,
    StoredEntry,
    Tag,
    Text,
)
from feedsvc.store import open_store
from feedsvc.store.base import PollResult, RelatedLink, Store

NOW = datetime(2025, 4, 20, 12, tzinfo=UTC)
BASE = "https://feeds.example.org/wire"
SITE = {
    "title": "My newswire",
    "subtitle": "All of it",
    "author": "Ed",
    "language": "en",
    "base_url": BASE,
    "authority": "example.org,2026",
    "page_size": 3,
}
FULL = Options(limit=3)


def config(**sections: Any) -> Config:
    return Config(
        **{
            "site": SITE,
            "tags": {"aliases": {"us": "united-states"}},
            "feeds": [
                {"name": "talks", "title": "Talks", "q": "tag:diplomacy -tag:sports"},
                {"name": "america", "q": "tag:us"},
            ],
            **sections,
        }
    )


def entry(number: int, **changes: Any) -> Entry:
    id = f"tag:example.org,2026:seeds/{number}"
    when = datetime(2025, 4, number, tzinfo=UTC)
    made = Entry(
        id=id,
        fallback_id=f"{id}/fallback",
        key=entry_key(id),
        source_id="seeds",
        uid=str(number),
        title=f"Entry {number}",
        published=when,
        updated=when,
        dated=True,
        digest=f"digest {number}",
        content=Text(value=f"<p>Body {number}</p>", type="html"),
        tags=(
            Tag(slug="diplomacy", label="Diplomacy", origin="folder"),
            Tag(slug="united-states", label="United States", origin="rule"),
        ),
    )
    return replace(made, **changes)


def publish(
    store: Store, *entries: Entry, removed: tuple[str, ...] = (), at: datetime = NOW
) -> None:
    [claim] = store.claim_due(
        now=at, owner="test", lease=timedelta(minutes=1), limit=1, ignore_schedule=True
    )
    state = PollState(next_at=at + timedelta(hours=1), last_at=at)
    store.finish_poll(claim, PollResult(state=state, entries=entries, removed=removed), at)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'test.db'}")
    opened.migrate()
    opened.add_source(Source(id="seeds", kind="directory", location="seeds", title="Seeds"), NOW)
    yield opened
    opened.close()


@pytest.fixture
def composer(store: Store) -> Composer:
    return Composer(store=store, config=config(), clock=lambda: NOW)


# -- which feed ----------------------------------------------------------------------------


def test_addresses_of_every_kind_of_feed(composer: Composer) -> None:
    requests = {
        composer.all(): "feeds/all",
        composer.tags(["diplomacy"]): "feeds/tags/diplomacy",
        composer.source("seeds"): "feeds/sources/seeds",
        composer.named("talks"): "feeds/talks",
        composer.query("embassy OR consulate"): "feeds/query?q=consulate%20OR%20embassy",
    }
    for request, address in requests.items():
        path, mark, query = address.partition("?")
        assert composer.url(request) == f"{BASE}/{address}"
        assert composer.url(request, "rss") == f"{BASE}/{path}.rss{mark}{query}"


def test_tags_have_one_spelling_order_and_alias(composer: Composer) -> None:
    assert composer.tags(["Diplomacy"]).path == "feeds/tags/diplomacy"
    assert composer.tags(["U.S.", "Café", "united states"]).path == "feeds/tags/cafe,united-states"
    assert composer.tags(["b", "a"]) == composer.tags(["A", "B", "a"])
    assert composer.tags(["россия"]).path == "feeds/tags/россия"
    assert composer.url(composer.tags(["россия"])).isascii()


def test_what_cannot_be_a_tag_is_not_found(composer: Composer) -> None:
    with pytest.raises(NotFound):
        composer.tags(["!", ""])
    with pytest.raises(OptionError, match="at most 64"):
        composer.tags([f"t{number}" for number in range(65)])


@pytest.mark.parametrize("slug", ["-russia", " !Russia"])
def test_a_tag_to_be_left_out_is_sent_to_the_queries(composer: Composer, slug: str) -> None:
    with pytest.raises(OptionError, match=r"/feeds/query\?q=-tag:russia"):
        composer.tags(["diplomacy", slug])


def test_equal_queries_are_one_request(composer: Composer) -> None:
    assert composer.query("tag:B  -tag:a") == composer.query("NOT tag:a AND tag:b")
    assert composer.query("tag:us") == composer.query("tag:united-states")
    assert composer.query("-(tag:us OR x)") == composer.query("-tag:united-states -x")
    assert composer.query("") == composer.all()
    assert composer.query("tag:us tag:B") == composer.tags(["b", "United States"])
    assert composer.query("-(-tag:b)").path == "feeds/tags/b"
    for other in ("tag:b -tag:c", "tag:b OR tag:c", "tag:b x", "tag:b sort:updated"):
        assert composer.query(other).path == "feeds/query"
    with pytest.raises(QueryError):
        composer.query("tag:(")


def test_unknown_feeds_and_sources_are_not_found(composer: Composer) -> None:
    with pytest.raises(NotFound, match="nope"):
        composer.named("nope")
    with pytest.raises(NotFound):
        composer.source("nope")
    with pytest.raises(NotFound, match="atom, rss, json"):
        composer.render(composer.all(), "xml")


def test_titles_say_what_is_in_it(composer: Composer) -> None:
    told = [
        (request.title, request.description)
        for request in (
            composer.all(),
            composer.tags(["united-states", "oil"]),
            composer.source("seeds"),
            composer.named("talks"),
            composer.named("america"),
            composer.query("title:talks"),
        )
    ]
    assert told == [
        ("My newswire", "All of it"),
        ("My newswire: oil, united states", "Entries tagged oil and united states"),
        ("My newswire: Seeds", "Entries from Seeds"),
        ("Talks", "Entries matching tag:diplomacy -tag:sports"),
        ("america", "Entries matching tag:united-states"),
        ("My newswire: title:talks", "Entries matching title:talks"),
    ]


def test_only_options_that_differ_stand_in_the_address(composer: Composer) -> None:
    options = composer.options(
        {"content": "summary", "dupes": "keep", "limit": "10", "before": "c", "token": "secret"}
    )
    assert options == Options(limit=10, before="c", content="summary", dupes="keep")
    query = "limit=10&before=c&dupes=keep&content=summary"
    assert composer.url(composer.query("x", options)) == f"{BASE}/feeds/query?q=x&{query}"
    plain = composer.options({"content": "full", "dupes": "collapse", "limit": "3", "before": ""})
    assert plain == FULL
    assert composer.all(plain) == composer.all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "501"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("limit", "٣"),
        ("limit", "9" * 5000),
        ("content", "all"),
        ("dupes", "yes"),
    ],
)
def test_a_bad_option_is_named_with_what_it_may_be(
    composer: Composer, name: str, value: str
) -> None:
    with pytest.raises(OptionError, match=f"^{name} is "):
        composer.options({name: value})


# -- the feed ------------------------------------------------------------------------------


def test_the_head_of_a_document(composer: Composer, store: Store) -> None:
    publish(store, entry(1), entry(2, updated=datetime(2025, 4, 9, tzinfo=UTC)))
    document = composer.document(composer.tags(["diplomacy"]), "rss")
    assert document.id == "tag:example.org,2026:feeds/tags/diplomacy"
    assert document.self_url == f"{BASE}/feeds/tags/diplomacy.rss"
    assert document.home_url == f"{BASE}/feeds/tags/diplomacy"
    assert document.updated == datetime(2025, 4, 9, tzinfo=UTC)
    assert document.links == (
        Link(href=f"{BASE}/feeds/tags/diplomacy.atom", type="application/atom+xml"),
        Link(href=f"{BASE}/feeds/tags/diplomacy.json", type="application/feed+json"),
    )
    assert (document.authors, document.lang) == ((Person(name="Ed"),), "en")
    assert [one.title for one in document.entries] == ["Entry 2", "Entry 1"]


def test_a_feed_without_entries_is_a_feed_of_no_time(composer: Composer) -> None:
    document = composer.document(composer.tags(["nothing-yet"]), "atom")
    assert document.entries == ()
    assert document.updated == datetime(1970, 1, 1, tzinfo=UTC)
    body = composer.render(composer.tags(["nothing-yet"]), "atom")
    assert not feedparser.parse(body).bozo


def test_pages_follow_one_another_and_share_an_id(composer: Composer, store: Store) -> None:
    publish(store, *(entry(number) for number in range(1, 8)))
    options: Options = FULL
    seen, ids = [], set()
    for turn in range(3):
        request = composer.query("entry", options)
        document = composer.document(request, "atom")
        seen += [one.title for one in document.entries]
        ids.add(document.id)
        links = {link.rel: link.href for link in document.links if link.rel != "alternate"}
        first = f"{BASE}/feeds/query.atom?q=entry"
        assert links["first"] == first
        if turn == 2:
            assert "next" not in links
            break
        start = f"{first}&before="
        assert links["next"].startswith(start)
        options = Options(limit=3, before=links["next"].removeprefix(start))
    assert seen == [f"Entry {number}" for number in range(7, 0, -1)]
    assert ids == {"tag:example.org,2026:feeds/query?q=entry"}


def test_one_page_names_neither_first_nor_next(composer: Composer, store: Store) -> None:
    publish(store, entry(1))
    rels = {link.rel for link in composer.document(composer.all(), "json").links}
    assert rels == {"alternate"}


def test_a_bad_cursor_is_refused(composer: Composer) -> None:
    with pytest.raises(OptionError):
        composer.render(composer.all(Options(limit=3, before="nonsense")), "atom")


def test_a_withdrawn_entry_becomes_a_tombstone(composer: Composer, store: Store) -> None:
    publish(store, entry(1), entry(2))
    publish(store, removed=("2",), at=NOW + timedelta(hours=2))
    document = composer.document(composer.all(), "atom")
    assert [one.title for one in document.entries] == ["Entry 1"]
    assert [gone.id for gone in document.deleted] == [entry(2).id]
    assert entry(2).id.encode() in composer.render(composer.all(), "rss")


@pytest.mark.parametrize("suffix", FORMATS)
def test_render_writes_the_document(composer: Composer, store: Store, suffix: str) -> None:
    publish(store, entry(1), entry(2))
    request = composer.all()
    document = composer.document(request, suffix)
    format = FORMATS[suffix]
    whole = format.assemble(document, [format.fragment(one) for one in document.entries])
    assert composer.render(request, suffix) == whole
    assert composer.render(request, suffix) == whole  # now from what is kept
    assert b"Body 2" in whole


# -- validators ----------------------------------------------------------------------------


def tag(composer: Composer, request: FeedRequest | None = None, suffix: str = "atom") -> str:
    request = request or composer.all()
    return composer.etag(request, suffix, composer.head(request))


def test_the_etag_is_strong_and_the_same_everywhere(store: Store, composer: Composer) -> None:
    publish(store, entry(1))
    twin = Composer(store=store, config=config(), clock=lambda: NOW + timedelta(days=1))
    assert tag(composer) == tag(twin)
    assert composer.render(composer.all(), "atom") == twin.render(twin.all(), "atom")
    assert tag(composer)[0] == tag(composer)[-1] == '"'


def test_the_etag_tells_apart_whatever_shows(store: Store, composer: Composer) -> None:
    publish(store, *(entry(number) for number in range(1, 6)))
    etags = [
        tag(composer),
        tag(composer, suffix="rss"),
        tag(composer, composer.all(Options(limit=2))),
        tag(composer, composer.all(Options(limit=3, content="summary"))),
        tag(composer, composer.tags(["diplomacy"])),
        tag(Composer(store=store, config=config(related={"max": 2}), clock=lambda: NOW)),
        tag(Composer(store=store, config=config(site=SITE | {"title": "X"}), clock=lambda: NOW)),
    ]
    assert len(set(etags)) == len(etags)


def test_a_change_a_link_and_a_removal_change_the_etag(store: Store, composer: Composer) -> None:
    publish(store, entry(1), entry(2))
    etags = [tag(composer)]
    publish(store, entry(1, title="New", digest="new"), at=NOW + timedelta(hours=2))
    etags.append(tag(composer))
    link = RelatedLink(target=entry(2).key, kind="content", score=0.5, reason="words", position=0)
    store.put_related(entry(1).key, [link], kind="content", now=NOW + timedelta(hours=2))
    etags.append(tag(composer))
    publish(store, removed=("2",), at=NOW + timedelta(hours=4))
    etags.append(tag(composer))
    assert len(set(etags)) == 4


def test_kept_fragments_never_outlive_a_change(store: Store, composer: Composer) -> None:
    publish(store, entry(1), entry(2))
    assert b"Body 1" in composer.render(composer.all(), "atom")
    changed = entry(1, content=Text(value="<p>Other</p>", type="html"), digest="other")
    publish(store, changed, at=NOW + timedelta(hours=2))
    body = composer.render(composer.all(), "atom")
    assert b"Other" in body
    assert b"Body 1" not in body
    fresh = Composer(store=store, config=config(), clock=lambda: NOW)
    assert fresh.render(fresh.all(), "atom") == body
    short = composer.render(composer.all(Options(limit=3, content="none")), "atom")
    assert b"Other" not in short


def test_a_rendering_brings_the_validators_of_its_bytes(store: Store, composer: Composer) -> None:
    publish(store, entry(1))
    request = composer.all()
    made = composer.rendering(request, "atom")
    head = composer.head(request)
    assert made.etag == composer.etag(request, "atom", head)
    assert made.last_modified == composer.last_modified(head) == NOW
    assert composer.rendering(request, "atom") == made


def test_the_shelf_keeps_to_its_size() -> None:
    shelf = Shelf(size=10)
    shelf.put("a", b"1234")
    shelf.put("b", b"1234")
    assert shelf.get("a") == b"1234"
    shelf.put("c", b"1234")
    assert [shelf.get(key) for key in "abc"] == [b"1234", None, b"1234"]
    shelf.put("a", b"12345678901")
    assert [shelf.get(key) for key in "abc"] == [None, None, None]
    shelf.put("d", b"1234567890")
    assert shelf.get("d") == b"1234567890"


# -- its entries ---------------------------------------------------------------------------


def related(number: int, kind: Any = "content", link: str | None = None) -> Related:
    target = entry(number)
    return Related(
        key=target.key,
        id=target.id,
        title=f"Target <{number}>",
        link=link,
        published=target.published,
        kind=kind,
        score=0.5,
        reason="words",
    )


def composed(stored: StoredEntry | Entry, options: Options = FULL, **sections: Any) -> FeedEntry:
    if isinstance(stored, Entry):
        stored = StoredEntry(entry=stored, source=SourceMeta(), source_title="Seeds")
    # entries are made of what the store has handed out; no store is asked
    composer = Composer(store=None, config=config(**sections), clock=lambda: NOW)  # type: ignore[arg-type]
    return composer.entry(stored, options)


def test_an_entry_leads_to_its_publisher_or_to_our_page() -> None:
    assert composed(entry(1, link="https://wire.example/1")).url == "https://wire.example/1"
    assert composed(entry(1)).url == f"{BASE}/entries/{entry(1).key}"


def test_related_entries_become_links_explicit_ones_first_and_some_by_content() -> None:
    stored = StoredEntry(
        entry=entry(1, links=(Link(href="https://x.example/a.mp3", rel="enclosure"),)),
        source=SourceMeta(),
        source_title="Seeds",
        related=(
            related(2, "explicit", "https://wire.example/2"),
            related(3, "explicit"),
            related(4),
            related(5),
            related(6),
        ),
    )
    found = composed(stored, related={"max": 2})
    assert found.links == (
        Link(href="https://wire.example/2", rel="related", type="text/html", title="Target <2>"),
        *(
            Link(
                href=f"{BASE}/entries/{entry(number).key}",
                rel="related",
                type="text/html",
                title=f"Target <{number}>",
            )
            for number in (3, 4, 5)
        ),
        Link(href="https://x.example/a.mp3", rel="enclosure"),
    )
    assert [one.kind for one in found.related] == ["explicit", "explicit", "content", "content"]
    assert all(one.link for one in found.related)


def test_the_visible_list_ends_the_content_after_the_credit() -> None:
    stored = StoredEntry(
        entry=entry(1, credit="(With inputs from A&B.)"),
        source=SourceMeta(),
        source_title="Seeds",
        related=(related(2, "explicit", 'https://wire.example/?a=1&b="2"'),),
        unresolved=("Waiting <i>headline</i>",),
    )
    found = composed(stored)
    assert found.content == Text(
        type="html",
        value="<p>Body 1</p>"
        '<p class="feedsvc-credit"><small>(With inputs from A&amp;B.)</small></p>'
        '<section class="feedsvc-related"><h2>Related</h2><ul>'
        '<li><a href="https://wire.example/?a=1&amp;b=&quot;2&quot;">Target &lt;2&gt;</a></li>'
        "<li>Waiting &lt;i&gt;headline&lt;/i&gt;</li></ul></section>",
    )
    unlisted = composed(stored, related={"list": False}).content
    assert unlisted is not None
    assert unlisted.value.endswith("</small></p>")
    assert [link.rel for link in found.links] == ["related"]


def test_text_content_becomes_html_only_to_carry_a_list() -> None:
    text = Text(value="One < two", lang="de")
    assert composed(entry(1, content=text)).content == text
    waiting = StoredEntry(
        entry=entry(1, content=text), source=SourceMeta(), source_title="S", unresolved=("W",)
    )
    content = composed(waiting).content
    assert content is not None
    assert (content.type, content.lang) == ("html", "de")
    assert content.value.startswith("<p>One &lt; two</p><section")


def test_a_summary_opens_the_content_that_only_carries_a_list() -> None:
    summary = Text(value="<p>Short</p>", type="html")
    bare = StoredEntry(
        entry=entry(1, content=None, summary=summary), source=SourceMeta(), source_title="S"
    )
    assert composed(bare).content is None
    content = composed(replace(bare, unresolved=("W",))).content
    assert content is not None
    assert content.value.startswith("<p>Short</p><section")
    empty = replace(bare, entry=entry(1, content=None), unresolved=("W",))
    assert composed(empty).content is not None


def test_content_in_full_in_summary_and_none() -> None:
    long = Text(value=f"<p>{'word ' * 200}</p>", type="html", lang="en")
    summarised = composed(entry(1, content=long), Options(limit=3, content="summary"))
    assert summarised.content is None
    assert summarised.summary is not None
    assert 300 < len(summarised.summary.value) <= 400
    assert summarised.summary.value.endswith("…")
    assert (summarised.summary.type, summarised.summary.lang) == ("text", "en")
    own = Text(value="Own summary")
    kept = composed(entry(1, content=long, summary=own), Options(limit=3, content="summary"))
    assert kept.summary == own
    none = composed(entry(1, content=long, summary=own), Options(limit=3, content="none"))
    assert (none.content, none.summary) == (None, None)


def test_a_fingerprint_names_entry_options_and_settings() -> None:
    stored = StoredEntry(entry=entry(1), source=SourceMeta(), source_title="S", fingerprint="f")
    prints = {
        composed(stored).fingerprint,
        composed(replace(stored, fingerprint="g")).fingerprint,
        composed(stored, Options(limit=3, content="none")).fingerprint,
        composed(stored, related={"list": False}).fingerprint,
    }
    assert len(prints) == 4
    assert composed(stored, Options(limit=9, before="c")).fingerprint in prints


def test_tags_stand_under_our_scheme_and_the_publishers_categories_under_theirs() -> None:
    theirs = Category(term="12", scheme="https://wire.example/terms", label="Talks")
    found = composed(entry(1, categories=(theirs, Category(term="Diplomacy"))))
    assert found.categories == (
        Category(term="diplomacy", scheme=f"{BASE}/tags/", label="Diplomacy"),
        Category(term="united-states", scheme=f"{BASE}/tags/", label="United States"),
        theirs,
    )


def test_categories_that_no_tag_tells_come_out_as_they_came() -> None:
    python = Category(term="python", label="r/python")
    bare = [Category(term=term) for term in ("C", "C++", "🎉", "Spam")]
    tags = (Tag(slug="c", label="C++", origin="feed"),)
    tags += (Tag(slug="uk", label="UK", origin="feed", evidence="Britain"),)
    one = entry(1, tags=tags, categories=(python, *bare, Category(term="Britain")))
    found = composed(one, tags={"stop": ["spam"]})
    # `c` is the term of the tag
    assert found.categories[2:] == (python, bare[2])
    assert [one.label for one in found.categories[:2]] == ["C++", "UK"]


def test_an_entry_has_an_author_its_own_its_sources_or_the_sites() -> None:
    ann, desk = Person(name="Ann"), Person(name="Desk")
    meta = SourceMeta(authors=(desk,))
    stored = StoredEntry(entry=entry(1, authors=(ann,)), source=meta, source_title="Seeds")
    assert composed(stored).authors == (ann,)
    assert composed(replace(stored, entry=entry(1))).authors == (desk,)
    assert composed(entry(1)).authors == (Person(name="Ed"),)


def test_the_source_of_an_entry_is_complete() -> None:
    ours = composed(entry(3)).source
    assert ours == SourceMeta(
        id="tag:example.org,2026:feeds/sources/seeds",
        title="Seeds",
        link=f"{BASE}/feeds/sources/seeds",
        self_link=f"{BASE}/feeds/sources/seeds.atom",
        updated=entry(3).updated,
    )
    meta = SourceMeta(title="Own", link="https://wire.example/", rights="©", updated=NOW)
    stored = StoredEntry(entry=entry(3), source=meta, source_title="Named")
    assert composed(stored).source == SourceMeta(
        id="tag:example.org,2026:feeds/sources/seeds",
        title="Named",
        link="https://wire.example/",
        self_link=f"{BASE}/feeds/sources/seeds.atom",
        rights="©",
        updated=entry(3).updated,
    )


def test_what_an_entry_says_of_its_source_itself_comes_first() -> None:
    upstream = SourceMeta(id="urn:x:1", title="Upstream", updated=NOW)
    stored = StoredEntry(
        entry=entry(1, source=upstream), source=SourceMeta(title="Planet"), source_title="Planet"
    )
    assert composed(stored).source == upstream
    nameless = replace(stored, entry=entry(1, source=SourceMeta(link="https://up.example/")))
    source = composed(nameless).source
    assert source is not None
    assert (source.id, source.title) == ("https://up.example/", "Planet")


@pytest.mark.parametrize(
    "url", ["https://me:secret@wire.example/feed", "https://wire.example/feed?token=secret"]
)
def test_a_source_addressed_by_a_secret_keeps_it(url: str) -> None:
    meta = SourceMeta(link="https://wire.example/", self_link=url)
    stored = StoredEntry(entry=entry(1), source=meta, source_title="Wire")
    assert "secret" not in repr(composed(stored))
    assert "secret" not in repr(composed(replace(stored, entry=entry(1, source=meta))))


def test_links_to_an_entrys_place_in_its_own_feed_are_left_out() -> None:
    links = (
        Link(href="https://wire.example/1.atom", rel="self"),
        Link(href="https://wire.example/edit/1", rel="edit"),
        Link(href="https://agency.example/1", rel="via"),
    )
    assert [link.rel for link in composed(entry(1, links=links)).links] == ["via"]
