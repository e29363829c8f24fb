"""Every store: an article that several sources have is found once, and nothing of it is lost."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from feedsvc.model import Entry, SourceMeta, Text
from feedsvc.query import EntryQuery, matches, parse
from feedsvc.query.ast import And, FromSource, Node, Not, Or, Since, Tagged, Words
from feedsvc.store import BACKENDS, SqlStore, open_store
from feedsvc.store.engine import Tuning
from feedsvc.store.schema import entries
from tests.copies import first_published, groups_of
from tests.storekit import HOUR, NOW, add, entry, fill_as_of, key_of, poll, statements, tag

TEXT = (
    "The harbour of the old town was closed on Monday after a freighter ran aground at its mouth."
    " Tugs from three neighbouring ports tried in vain to pull the ship free."
)
OTHER = (
    "Pilots say that the buoys are to blame, which nobody has moved since the sandbank wandered to"
    " the north in the storms of last winter, and that they warned of it."
)
PAGE = "https://example.org/harbour"


def article(source: str, *, later: int = 0, text: str = TEXT, **changes: object) -> Entry:
    """The article as a source has it, so many hours after the first."""
    made = entry(
        "article",
        source=source,
        title="Freighter closes the harbour",
        link=PAGE,
        content=Text(value=text),
        published=NOW - timedelta(days=1) + later * HOUR,
        digest=text,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def publish(store: SqlStore, *articles: Entry, now: object = NOW) -> None:
    for each in articles:
        poll(store, each, source=each.source_id, now=now)  # type: ignore[arg-type]


def shown(store: SqlStore, query: str = "", *, collapse: bool = True) -> list[str]:
    """The sources of the entries a query finds, in order; count and head agree with them."""
    asked = parse(query)
    page = store.find(asked, limit=100, now=NOW, collapse=collapse)
    head = store.head(asked, limit=100, now=NOW, collapse=collapse)
    assert [key for key, _ in head.marks] == [each.entry.key for each in page.entries]
    assert dict(head.marks) == {one.entry.key: one.fingerprint for one in page.entries}
    assert store.count(asked, now=NOW, collapse=collapse) == len(page.entries)
    assert store.check() == ()
    return [each.entry.source_id for each in page.entries]


def told(store: SqlStore, source: str) -> list[str]:
    """The other sources that an article names."""
    stored = store.entry(key_of("article", source))
    return [each.source_id for each in stored.duplicates]


def test_the_first_to_publish_is_shown_and_names_the_others(any_store: SqlStore) -> None:
    publish(any_store, article("b", later=1), article("a"), article("c", later=2))
    assert shown(any_store) == ["a"]
    assert shown(any_store, collapse=False) == ["c", "b", "a"]
    assert told(any_store, "a") == ["b", "c"]
    assert told(any_store, "b") == ["a", "c"]
    (copy, _) = any_store.entry(key_of("article", "a")).duplicates
    assert (copy.key, copy.id) == (key_of("article", "b"), "urn:b:article")
    assert (copy.title, copy.link, copy.source_title) == (
        "Freighter closes the harbour",
        PAGE,
        "b",
    )


def test_of_equal_dates_it_is_always_the_same(any_store: SqlStore) -> None:
    publish(any_store, article("a"), article("b"), article("c"))
    first = min("abc", key=lambda source: any_store.entry(key_of("article", source)).entry.key)
    assert shown(any_store) == [first]


def test_it_shows_wherever_the_first_does_not(any_store: SqlStore) -> None:
    publish(any_store, article("a", tags=(tag("x"),)), article("b", later=1, tags=(tag("y"),)))
    publish(any_store, article("c", later=2, tags=(tag("y"),)))
    assert shown(any_store, "tag:x") == ["a"]
    assert shown(any_store, "tag:y") == ["b"]
    assert shown(any_store, "tag:x OR tag:y") == ["a"]
    assert shown(any_store, "-tag:x") == ["b"]
    for source in "abc":
        assert shown(any_store, f"source:{source}") == [source]
    assert shown(any_store, "source:b OR source:c") == ["b"]
    assert shown(any_store, "harbour -source:a") == ["b"]
    assert shown(any_store, f"since:{(NOW - 22.5 * HOUR).isoformat()[:19]}Z") == ["c"]


@pytest.mark.parametrize(
    "other",
    [
        article("b", later=1, text=OTHER),
        article("b", later=1, link="https://example.org/another", title="Ferries stay in port"),
        article("b", later=1, link="https://other.example/harbour", title="Ferries stay in port"),
        article("b", later=1, link=None, title="Ferries stay in port"),
    ],
    ids=["text", "page", "site", "no link"],
)
def test_what_is_not_the_same_shows(any_store: SqlStore, other: Entry) -> None:
    publish(any_store, article("a"), other)
    assert shown(any_store) == ["b", "a"]
    assert told(any_store, "a") == []


def test_a_front_page_is_no_address_of_an_entry(any_store: SqlStore) -> None:
    publish(any_store, article("a", link="https://a.example/"))
    other = article("b", later=1, link="http://www.a.example", title="Ferries stay in port")
    publish(any_store, other)
    assert shown(any_store) == ["b", "a"]


def test_a_link_that_entries_of_one_source_share_is_none_either(any_store: SqlStore) -> None:
    other = article("b", later=1, title="Ferries stay in port")
    publish(any_store, article("a"), other)
    assert shown(any_store) == ["a"]
    poll(any_store, replace(article("a", later=3), uid="more", id="urn:more"), source="a")
    assert shown(any_store) == ["a", "b", "a"]
    poll(any_store, source="a", removed=("more",))
    assert shown(any_store) == ["a"]


def test_an_edit_that_makes_another_text_of_it_parts_them(any_store: SqlStore) -> None:
    publish(any_store, article("a"), article("b", later=1))
    before = any_store.head(parse(""), limit=9, now=NOW, collapse=True)
    publish(any_store, article("b", later=1, text=OTHER), now=NOW + HOUR)
    assert shown(any_store) == ["b", "a"]
    assert told(any_store, "a") == []
    after = any_store.head(parse(""), limit=9, now=NOW, collapse=True)
    assert before.marks[0] not in after.marks
    assert after.changed is not None
    assert after.changed >= NOW + HOUR
    publish(any_store, article("a", text=OTHER), now=NOW + 2 * HOUR)
    assert shown(any_store) == ["a"]
    gone = article("a", text=OTHER, link=None, title="Ferries stay in port")
    publish(any_store, gone, now=NOW + 3 * HOUR)
    assert shown(any_store) == ["b", "a"]


def test_the_next_shows_when_the_first_goes_and_hides_when_it_returns(any_store: SqlStore) -> None:
    publish(any_store, article("a"), article("b", later=1), article("c", later=2))
    poll(any_store, source="a", removed=("article",), now=NOW + HOUR)
    assert shown(any_store) == ["b"]
    assert told(any_store, "b") == ["c"]
    publish(any_store, article("a"), now=NOW + 2 * HOUR)
    assert shown(any_store) == ["a"]
    any_store.remove_source("a", purge=True, now=NOW + 3 * HOUR)
    assert shown(any_store) == ["b"]
    any_store.remove_source("b", purge=False, now=NOW + 4 * HOUR)
    assert shown(any_store) == ["b"]


def test_the_next_shows_when_the_first_is_pruned(any_store: SqlStore) -> None:
    publish(any_store, article("a"), article("b", later=1), article("c", later=2))
    any_store.prune(before=NOW - 23.5 * HOUR, now=NOW + HOUR)
    assert shown(any_store) == ["b"]
    assert told(any_store, "b") == ["c"]
    any_store.prune(before=NOW - 22.5 * HOUR, now=NOW + HOUR)
    assert shown(any_store) == ["c"]
    assert told(any_store, "c") == []


def test_a_first_that_comes_later_changes_every_page_that_it_may_concern(
    any_store: SqlStore,
) -> None:
    publish(any_store, article("b", later=1))
    before = any_store.head(parse(""), limit=9, now=NOW, collapse=True)
    publish(any_store, article("a"), now=NOW + HOUR)
    after = any_store.head(parse("source:c"), limit=9, now=NOW, collapse=True)
    assert before.changed is not None
    assert after.changed is not None
    assert after.changed >= NOW + HOUR > before.changed


def test_another_name_of_a_source_shows_in_the_copies_of_its_entries(any_store: SqlStore) -> None:
    publish(any_store, article("a"), article("b", later=1))
    poll(any_store, source="b", meta=SourceMeta(title="The B Times"))
    (copy,) = any_store.entry(key_of("article", "a")).duplicates
    assert copy.source_title == "The B Times"
    assert shown(any_store) == ["a"]
    source = any_store.source("b").source
    any_store.remove_source("b", purge=False, now=NOW)
    any_store.add_source(replace(source, title="Ours"), NOW)
    (copy,) = any_store.entry(key_of("article", "a")).duplicates
    assert copy.source_title == "Ours"
    assert shown(any_store) == ["a"]
    any_store.remove_source("b", purge=False, now=NOW)
    any_store.add_source(replace(source, location="https://elsewhere.example/feed"), NOW)
    (copy,) = any_store.entry(key_of("article", "a")).duplicates
    assert copy.source_id.startswith("b~")
    assert shown(any_store) == ["a"]


@pytest.mark.parametrize("other", sorted(BACKENDS))
def test_copies_of_a_store_know_them(
    any_store: SqlStore, other: str, open_fresh: Callable[[str], SqlStore], tmp_path: object
) -> None:
    publish(any_store, article("a"), article("b", later=1))
    any_store.backup(tmp_path / "copy.db")  # type: ignore[operator]
    target = open_fresh(other)
    target.restore(tmp_path / "copy.db")  # type: ignore[operator]
    assert shown(target) == ["a"]
    publish(target, article("b", later=1, text=OTHER), now=NOW + HOUR)
    assert shown(target) == ["b", "a"]


def test_an_earlier_store_finds_them_when_it_is_upgraded(
    any_store: SqlStore, backend: str, request: pytest.FixtureRequest, tmp_path: object
) -> None:
    publish(any_store, article("a"), article("b", later=1), article("c", later=2, text=OTHER))
    url = (
        f"sqlite:///{tmp_path}/old.db"
        if backend == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    old = open_store(url)
    request.addfinalizer(old.close)
    fill_as_of("0003", old, any_store)
    with old.writing() as connection:
        connection.execute(update(entries).values(fingerprint="of old"))
    old.migrate()
    with any_store.reading() as one, old.reading() as other:
        wanted = entries.select().with_only_columns(entries.c.pk, entries.c.page_hash)
        assert sorted(map(tuple, one.execute(wanted))) == sorted(map(tuple, other.execute(wanted)))
    assert told(old, "a") == ["b"]
    prints = [
        [store.entry(key_of("article", source)).fingerprint for source in "ab"]
        for store in (old, any_store)
    ]
    assert prints[0] == prints[1]


def test_a_page_takes_as_many_statements_as_without(any_store: SqlStore) -> None:
    publish(any_store, *(article(source) for source in "ab"))
    for query in ("", "tag:x", "harbour", "source:a"):
        for work in (any_store.head, any_store.find):
            ran = []
            # how often words are met is remembered
            work(parse(query), limit=50, now=NOW)
            for collapse in (False, True):
                with statements(any_store) as seen:
                    work(parse(query), limit=50, now=NOW, collapse=collapse)
                ran.append(len(seen))
            assert ran[0] == ran[1]


def test_new_entries_elsewhere_cost_one_look_for_copies_at_most(any_store: SqlStore) -> None:
    add(any_store, "a", "b")

    def brought(number: int, *, first: int = 0) -> int:
        new = [
            article("a", uid=f"{n}", id=f"urn:{n}", key=key_of(f"{n}"), link=f"{PAGE}/{n}")
            for n in range(first, first + number)
        ]
        with statements(any_store) as seen:
            poll(any_store, *new, source="a")
        return sum("duplicates" in said for said in seen)

    assert brought(1) == 0
    # so many with one text that it says nothing any more
    assert brought(40, first=1) == 1


SOURCES = "abcd"
TUNINGS = (
    Tuning(),
    Tuning(hits=1, few=0, batch=3),
    Tuning(few=0, dear=10**6),
    Tuning(hits=10**6, few=10**6),
)
SPELLINGS = ("https://p.example/{}", "http://www.p.example/{}/", "https://p.example/{}?utm_id=1")


def corpus(seed: int) -> list[Entry]:
    """Entries of four sources at few pages, with few texts and equal dates."""
    random = Random(seed)
    return [
        entry(
            str(number),
            source=(source := random.choice(SOURCES)),
            id=f"urn:{seed}:{source}:{number}",
            title="Of the harbour",
            content=Text(value=random.choice([TEXT, TEXT[:100], OTHER])),
            link=random.choice(SPELLINGS).format(random.randint(0, 40)),
            published=NOW.replace(microsecond=0) - random.randint(0, 6) * HOUR,
            updated=NOW.replace(microsecond=0) - random.randint(0, 6) * HOUR,
            tags=random.sample(["x", "y", "z"], random.randint(0, 2)),
        )
        for number in range(90)
    ]


def first_copies(found: Sequence[Entry], whole: Sequence[Entry]) -> set[str]:
    """The uids of those found that no copy found was published before."""
    left = {each.uid for each in found}
    names = {each.id: each for each in whole}
    for group in groups_of(whole):
        members = sorted((names[id] for id in group), key=first_published)
        left -= set([each.uid for each in members if each.uid in left][1:])
    return left


nodes: st.SearchStrategy[Node] = st.recursive(
    st.one_of(
        st.sampled_from(["x", "y", "z", "nothing"]).map(Tagged),
        st.sampled_from(SOURCES).map(FromSource),
        st.sampled_from(["pilots", "freighter", "harbour"]).map(lambda word: Words((word,), "any")),
        st.integers(0, 7).map(lambda hours: Since(timedelta(hours=hours))),
    ),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: And(tuple(terms))),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: Or(tuple(terms))),
    ),
    max_leaves=5,
)


def test_pages_show_every_article_once(open_fresh: Callable[[str], SqlStore]) -> None:
    whole = corpus(1)
    stores = [open_fresh(backend) for backend in BACKENDS]
    for store in stores:
        for source in SOURCES:
            poll(store, *(each for each in whole if each.source_id == source), source=source)
        assert store.check() == ()
    assert 20 < len(first_copies(whole, whole)) < len(whole) - 10

    @given(
        where=st.one_of(st.none(), nodes),
        sort=st.sampled_from(["published", "updated", "relevance"]),
        limit=st.sampled_from([1, 3, 7, 50]),
    )
    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(where: Node | None, sort: str, limit: int) -> None:
        query = EntryQuery(where, sort)  # type: ignore[arg-type]
        found = [
            each
            for each in whole
            if matches(query, each, source_kind="feed", related=False, now=NOW)
        ]
        expected = first_copies(found, whole)
        for store in stores:
            for tuning in TUNINGS:
                store.tuning = tuning
                pages: list[list[str]] = []
                before = None
                while before is not None or not pages:
                    page = store.find(query, limit=limit, now=NOW, before=before, collapse=True)
                    pages.append([one.entry.uid for one in page.entries])
                    before = page.next
                assert all(len(page) == limit for page in pages[:-1])
                uids = [uid for page in pages for uid in page]
                assert len(uids) == len(set(uids))
                assert set(uids) == expected
            assert store.count(query, now=NOW, collapse=True) == len(expected)

    check()
