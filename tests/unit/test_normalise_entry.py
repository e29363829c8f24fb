"""Whole entries: what normalising makes of a parsed one, and what reconciling lets through."""

import pickle
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from feedsvc.keys import entry_key
from feedsvc.model import Category, Entry, Link, ParsedEntry, Person, Source, SourceMeta, Tag, Text
from feedsvc.normalise.entry import normalise, reconcile

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
FEED = Source(id="blog", kind="feed", location="https://example.org/blog/feed.xml")
SEEDS = Source(id="seeds", kind="directory", location="seeds")
META = SourceMeta(title="Blog", link="https://example.org/", lang="en_gb")


def made(parsed: ParsedEntry, *, source: Source = FEED, now: datetime = NOW) -> Entry:
    return normalise(
        parsed,
        source=source,
        meta=META if source is FEED else None,
        authority="localhost,2026",
        now=now,
    )


def text(value: str) -> Text:
    return Text(value=value)


def html(value: str) -> Text:
    return Text(value=value, type="html")


FULL = ParsedEntry(
    uid="https://example.org/?p=7",
    title=html("Fish &amp; <i>chips</i>"),
    links=(
        Link(href="/fish?utm_source=rss&x=1", type="text/html"),
        Link(href="fish.mp3", rel="enclosure", type="audio/mpeg", length=9),
    ),
    summary=html("<p>In short: <b>fish</b>.</p>"),
    content=html('<p>At length <img src="f.png"> <a href="#note">1</a></p><script>x</script>'),
    credit="(With inputs from\n agencies.)",
    authors=(Person(name="Jane", email="jane@example.org"),),
    categories=(Category(term="Food"), Category(term="food")),
    tags=(("Food", "feed"),),
    references=("Older  story", "Older story", ""),
    published=NOW - 3 * DAY,
    updated=NOW - DAY,
    published_text="Tue, 17 Nov 2026 12:00:00 GMT",
    rights="(c) 2026\x00",
    lang="EN",
    base="https://example.org/blog/",
    source=SourceMeta(id="urn:origin", title=" Origin ", link="https://origin.example/"),
)


def test_a_full_entry() -> None:
    entry = made(FULL)
    assert entry == Entry(
        id="https://example.org/?p=7",
        fallback_id="tag:localhost,2026:blog/https://example.org/?p=7",
        key=entry_key("https://example.org/?p=7"),
        source_id="blog",
        uid="https://example.org/?p=7",
        title="Fish & chips",
        published=NOW - 3 * DAY,
        updated=NOW - DAY,
        dated=True,
        digest=entry.digest,
        link="https://example.org/fish?x=1",
        links=(
            Link(
                href="https://example.org/blog/fish.mp3",
                rel="enclosure",
                type="audio/mpeg",
                length=9,
            ),
        ),
        summary=html("<p>In short: <b>fish</b>.</p>"),
        content=html(
            '<p>At length <img src="https://example.org/blog/f.png"> '
            '<a href="https://example.org/fish?x=1#note">1</a></p>'
        ),
        credit="(With inputs from agencies.)",
        authors=(Person(name="Jane", email="jane@example.org"),),
        categories=(Category(term="Food"),),
        references=("Older story",),
        published_text="Tue, 17 Nov 2026 12:00:00 GMT",
        rights="(c) 2026",
        lang="en",
        source=SourceMeta(id="urn:origin", title="Origin", link="https://origin.example/"),
        modified=NOW - DAY,
    )
    assert pickle.loads(pickle.dumps(entry)) == entry


def test_a_document_of_a_directory() -> None:
    entry = made(
        ParsedEntry(
            uid="world/000_b0149e1d855999ec.txt",
            title=text("Istanbul Diplomacy"),
            summary=text("Talks were held."),
            content=text("First paragraph.\r\n\r\nSecond  paragraph."),
            published=datetime(2025, 4, 10, tzinfo=UTC),
        ),
        source=SEEDS,
    )
    assert entry.id == "tag:localhost,2026:seeds/world/000_b0149e1d855999ec.txt"
    assert entry.content == text("First paragraph.\n\nSecond paragraph.")
    assert (entry.link, entry.lang) == (None, None)


def test_a_path_that_looks_like_an_iri_is_no_id_but_front_matter_may_give_one() -> None:
    memo = made(ParsedEntry(uid="memo:2025.txt"), source=SEEDS)
    assert memo.id == "tag:localhost,2026:seeds/memo:2025.txt"
    assert made(ParsedEntry(uid="urn:uuid:1-2"), source=SEEDS).id == "urn:uuid:1-2"


def test_the_same_input_gives_the_same_entry() -> None:
    assert made(FULL) == made(FULL, now=NOW + DAY)


def test_an_empty_entry_still_has_everything_a_feed_needs() -> None:
    entry = made(ParsedEntry())
    assert entry.title == "Untitled"
    assert entry.id.startswith("tag:localhost,2026:blog/sha256:")
    assert (entry.published, entry.updated, entry.dated) == (NOW, NOW, False)
    assert entry.summary is entry.content is entry.link is None
    assert entry.lang == "en-GB"


@pytest.mark.parametrize(
    ("parsed", "title"),
    [
        (ParsedEntry(title=text(" a\n b ")), "a b"),
        (ParsedEntry(title=text("a <b> &amp;")), "a <b> &amp;"),
        (ParsedEntry(title=html("<img src=x>"), summary=text("From the summary")),
         "From the summary"),
        (ParsedEntry(content=html("<p>From the</p><p>content</p>")), "From the content"),
        (ParsedEntry(content=html("<p>" + "word " * 40 + "</p>")), "word " * 14 + "word word…"),
        (ParsedEntry(links=(Link(href="https://www.a.example/x"),)), "a.example"),
        (ParsedEntry(title=text("\u202e \x00")), "Untitled"),
    ],
)  # fmt: skip
def test_titles(parsed: ParsedEntry, title: str) -> None:
    assert made(parsed).title == title


LONG = "<p>" + "word " * 150 + "</p>"


@pytest.mark.parametrize(
    ("summary", "content", "kept_summary", "kept_content"),
    [
        (html("<p>short</p>"), None, html("<p>short</p>"), None),
        (html("<p>a</p><p>b</p>"), None, None, html("<p>a</p><p>b</p>")),
        (html(LONG), None, None, html("<p>" + ("word " * 150) + "</p>")),
        (text("word " * 150), None, None, text(("word " * 150).strip())),
        (text("a\nb"), None, text("a\nb"), None),
        (html("<p>a</p><p>b</p>"), html("<p>c</p>"), html("<p>a</p><p>b</p>"), html("<p>c</p>")),
        (html("<p>a</p>"), html("<p>a</p>"), None, html("<p>a</p>")),
        (html("<p>a</p>"), html("<p>&nbsp;</p> <br>"), html("<p>a</p>"), None),
        (html("<script>x</script>"), text(" \n"), None, None),
        (None, html('<p><img src="https://a.example/i.png"></p>'), None,
         html('<p><img src="https://a.example/i.png"></p>')),
        (html('<a href="' + "x" * 600 + '">t</a>'), None,
         html('<a href="https://example.org/' + "x" * 600 + '">t</a>'), None),
    ],
)  # fmt: skip
def test_summary_and_content(
    summary: Text | None, content: Text | None, kept_summary: Text | None, kept_content: Text | None
) -> None:
    parsed = ParsedEntry(summary=summary, content=content, base="https://example.org/")
    entry = made(parsed)
    assert (entry.summary, entry.content) == (kept_summary, kept_content)


def test_a_future_date_is_held_back_and_its_wording_kept() -> None:
    parsed = ParsedEntry(uid="x", published=NOW + 40 * DAY, published_text="next year")
    entry = made(parsed)
    assert (entry.published, entry.updated, entry.dated) == (NOW, NOW, False)
    assert entry.published_text == "next year"
    assert made(replace(parsed, published_text=None)).published_text == (NOW + 40 * DAY).isoformat()


def test_relative_urls_fall_back_to_the_site_and_the_feed() -> None:
    parsed = ParsedEntry(uid="x", links=(Link(href="post"),))
    assert made(parsed).link == "https://example.org/post"
    bare = normalise(parsed, source=FEED, meta=None, authority="a,2026", now=NOW)
    assert bare.link == "https://example.org/blog/post"
    assert made(replace(parsed, base="sub/")).link == "https://example.org/blog/sub/post"
    assert made(parsed, source=SEEDS).link is None


@pytest.mark.parametrize(
    "change",
    [
        {"title": html("Fish")},
        {"summary": None},
        {"content": html("<p>Other</p>")},
        {"credit": None},
        {"links": FULL.links[:1]},
        {"links": (replace(FULL.links[0], href="/other"), FULL.links[1])},
        {"authors": ()},
        {"rights": None},
        {"lang": "fr"},
    ],
)
def test_the_digest_moves_with_content(change: dict[str, object]) -> None:
    assert made(replace(FULL, **change)).digest != made(FULL).digest  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"published": NOW - 9 * DAY},
        {"updated": NOW},
        {"categories": ()},
        {"tags": ()},
        {"references": ()},
        {"uid": "other"},
        {"title": html("Fish  &#38; chips")},
        {"links": (replace(FULL.links[0], href="/fish?utm_source=atom&x=1"), FULL.links[1])},
    ],
)
def test_the_digest_rests_when_only_other_things_change(change: dict[str, object]) -> None:
    assert made(replace(FULL, **change)).digest == made(FULL).digest  # type: ignore[arg-type]


def test_the_feeds_language_is_inherited_but_is_no_content() -> None:
    plain = replace(FULL, lang=None)
    other = normalise(
        plain, source=FEED, meta=replace(META, lang="de"), authority="localhost,2026", now=NOW
    )
    assert (made(plain).lang, other.lang) == ("en-GB", "de")
    assert made(plain).digest == other.digest


# -- reconciling -----------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What a store would hand out."""

    id: str
    key: str
    digest: str
    published: datetime
    updated: datetime
    dated: bool
    withdrawn: bool = False
    pruned: bool = False
    tags: tuple[Tag, ...] = ()
    references: tuple[str, ...] = ()


def remembered(entry: Entry, **changes: object) -> Remembered:
    known = Remembered(
        id=entry.id,
        key=entry.key,
        digest=entry.digest,
        published=entry.published,
        updated=entry.updated,
        dated=entry.dated,
        tags=entry.tags,
        references=entry.references,
    )
    return replace(known, **changes)  # type: ignore[arg-type]


ENTRY = made(FULL)
LATER = NOW + 2 * DAY


def test_a_new_entry_passes_as_it_is() -> None:
    assert reconcile(None, ENTRY, NOW) is ENTRY


def test_an_unchanged_entry_is_nothing_to_write() -> None:
    tagged = replace(
        ENTRY,
        tags=(
            Tag(slug="food", label="Food", origin="feed"),
            Tag(slug="fish", label="Fish", origin="auto", evidence="title"),
        ),
    )
    stored = (
        Tag(slug="fish", label="fish", origin="auto"),
        Tag(slug="food", label="FOOD", origin="feed"),
    )
    assert reconcile(remembered(tagged), tagged, LATER) is None
    assert reconcile(remembered(tagged, tags=stored), tagged, LATER) is None


def test_a_new_date_alone_is_nothing_to_write() -> None:
    restamped = made(replace(FULL, published=NOW, updated=NOW))
    assert reconcile(remembered(ENTRY), restamped, LATER) is None


def test_changed_content_moves_updated_to_what_upstream_says() -> None:
    changed = made(replace(FULL, title=text("New"), updated=NOW + DAY), now=LATER)
    found = reconcile(remembered(ENTRY), changed, LATER)
    assert found is not None
    assert (found.title, found.updated) == ("New", NOW + DAY)
    assert (found.id, found.published, found.dated) == (ENTRY.id, ENTRY.published, True)


@pytest.mark.parametrize("upstream", [None, FULL.updated, NOW - 9 * DAY, LATER + DAY])
def test_changed_content_moves_updated_to_now_when_upstream_says_nothing_better(
    upstream: datetime | None,
) -> None:
    changed = made(replace(FULL, title=text("New"), updated=upstream), now=LATER)
    found = reconcile(remembered(ENTRY), changed, LATER)
    assert found is not None
    assert found.updated == LATER


def test_published_stays_when_a_feed_stamps_its_entries_anew() -> None:
    changed = made(replace(FULL, title=text("New"), published=NOW + DAY, updated=None), now=LATER)
    found = reconcile(remembered(ENTRY), changed, LATER)
    assert found is not None
    assert (found.published, found.updated) == (ENTRY.published, NOW + DAY)


def test_first_sight_stays_when_a_date_comes_later() -> None:
    undated = made(replace(FULL, published=None, updated=None))
    assert not undated.dated
    same = made(FULL, now=LATER)
    assert reconcile(remembered(undated), same, LATER) is None
    changed = made(replace(FULL, title=text("New")), now=LATER)
    found = reconcile(remembered(undated), changed, LATER)
    assert found is not None
    assert (found.published, found.dated, found.updated) == (NOW, False, LATER)


def test_a_known_entry_keeps_its_name_when_guid_and_link_change() -> None:
    first = made(replace(FULL, uid="http://example.org/a", title=text("A")))
    second = made(replace(FULL, uid="https://example.org/a", title=text("B")), now=LATER)
    assert first.uid == second.uid
    found = reconcile(remembered(first), second, LATER)
    assert found is not None
    assert (found.id, found.key) == (first.id, first.key)
    assert found.title == "B"


def test_other_tags_or_references_are_written_without_moving_updated() -> None:
    tag = Tag(slug="food", label="Food", origin="rule")
    for changed in (replace(ENTRY, tags=(tag,)), replace(ENTRY, references=("Another",))):
        found = reconcile(remembered(ENTRY), changed, LATER)
        assert found == changed
    feed_tag = replace(tag, origin="feed")
    again = replace(ENTRY, tags=(feed_tag,))
    assert reconcile(remembered(ENTRY, tags=(tag,)), again, LATER) == again


def test_what_was_pruned_never_returns() -> None:
    changed = made(replace(FULL, title=text("New")), now=LATER)
    for known in (remembered(ENTRY, pruned=True), remembered(ENTRY, pruned=True, withdrawn=True)):
        assert reconcile(known, changed, LATER) is None
        assert reconcile(known, ENTRY, LATER) is None


def test_what_was_withdrawn_returns_when_it_reappears() -> None:
    found = reconcile(remembered(ENTRY, withdrawn=True), ENTRY, LATER)
    assert found == ENTRY
    edited = made(replace(FULL, title=text("New")), now=LATER)
    found = reconcile(remembered(ENTRY, withdrawn=True), edited, LATER)
    assert found is not None
    assert found.updated == LATER


def test_white_space_is_kept_and_is_no_new_version() -> None:
    before = made(ParsedEntry(uid="x:1", content=html("<p>One two</p><p>Three</p>")))
    after = made(ParsedEntry(uid="x:1", content=html("<p>One\n  two</p>\n<p>Three</p>")))
    written = reconcile(remembered(before), after, NOW + DAY)
    assert written is not None
    assert (written.content, written.updated) == (after.content, before.updated)
    assert reconcile(remembered(after), after, NOW + DAY) is None
    for said in ("<p>Onetwo</p><p>Three</p>", "<pre>One two</pre>"):
        before = made(ParsedEntry(uid="x:1", content=html(said)))
        edited = made(ParsedEntry(uid="x:1", content=html(said.replace("ne", "ne "))))
        written = reconcile(remembered(before), edited, NOW + DAY)
        assert written is not None
        assert written.updated == NOW + DAY


def test_the_page_of_an_entry_keeps_what_its_link_says() -> None:
    plain = Link(href="https://example.org/a", type="text/html")
    told = Link(href="https://example.org/a", hreflang="fr", title="En ligne")
    file = Link(href="https://example.org/a", type="application/pdf")
    assert made(ParsedEntry(links=(plain,))).links == ()
    for one in (told, file):
        entry = made(ParsedEntry(links=(one,)))
        assert (entry.link, entry.links) == ("https://example.org/a", (one,))


@pytest.mark.parametrize("days", [-1, 0])
def test_when_it_was_modified_is_believed_unless_it_lies_ahead(days: int) -> None:
    said = NOW + days * DAY
    assert made(ParsedEntry(uid="x:1", published=NOW - 9 * DAY, updated=said)).modified == said
    ahead = ParsedEntry(uid="x:1", published=NOW - 9 * DAY, updated=NOW + DAY)
    assert made(ahead).modified is None
