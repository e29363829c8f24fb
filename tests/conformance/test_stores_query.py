"""Every store: each query finds what it means, by whatever way it is answered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from feedsvc.model import Entry, Link, Person, SourceKind, Text
from feedsvc.query import EntryQuery, matches
from feedsvc.query.ast import (
    And,
    FromSource,
    Has,
    InLanguage,
    InStory,
    Node,
    Not,
    OfKind,
    Or,
    Since,
    Tagged,
    Until,
    Words,
)
from feedsvc.query.text import tokens
from feedsvc.store import BACKENDS, SqlStore
from feedsvc.store.base import RelatedLink
from feedsvc.store.engine import Tuning
from tests.storekit import HOUR, LEASE, NOW, add, entry, poll, uids

SOURCES: dict[str, SourceKind] = {"a": "feed", "b": "feed", "c": "directory"}
WORDS = (
    *("harbour", "Élysée", "U.S.", "москва", "東京", "oil", "½", "x", "the", "İzmir", "Straße"),
    *("كِتاب", "ภาษาไทย", "हिन्दी", "서울", "e\u0301te\u0301", "it's", "covid-19", "Ǆ", "ﬁn", "😀"),
    *("Łódź", "lodz", "œuvre", "Kırıkkale", "har\xadbo\u200bur", "می\u200cخواهم", "ﷺ", "Hawaiʻi"),
)
TAGS = ("red", "green", "blue", "united-states", "русский", "rare")
LANGUAGES = (None, "en", "en-US", "EN_gb", "de", "eng", "de%", "zh-Hant-TW")
# how entries are looked up must not matter: as it comes, everything common, everything rare
TUNINGS = (
    Tuning(),
    Tuning(hits=1, few=0, batch=3),
    Tuning(hits=4, few=2),
    Tuning(few=0, dear=10**6),
    Tuning(hits=10**6, few=10**6),
)


def corpus(seed: int) -> list[Entry]:
    """Fifty entries of everything that can be asked for, with many equal dates."""
    random = Random(seed)

    def text(most: int) -> str:
        return " ".join(random.choices(WORDS, k=random.randint(0, most)))

    def made(number: int) -> Entry:
        source = random.choice(list(SOURCES))
        html = f"<p title='oil'>{text(4)}</p>{text(2)}<b>ha</b>rbour<ul><li>{text(3)}<li>oil</ul>"
        people = [Person(name=f"Ann {text(1)}"), Person(name="Bob Harbour")]
        enclosure = Link(href="https://e.example/", rel=random.choice(["enclosure", "related"]))
        return entry(
            str(number),
            source=source,
            title=text(3) or "–",
            summary=random.choice([None, Text(value=text(4)), Text(value=html, type="html")]),
            content=random.choice([None, Text(value=html, type="html"), Text(value=text(9))]),
            authors=tuple(people[: random.choice([0, 0, 1, 2])]),
            tags=random.sample(TAGS[:-1], random.randint(0, 3)) + ["rare"] * (number % 25 == 0),
            lang=random.choice(LANGUAGES),
            links=(enclosure,) * random.randint(0, 1),
            link=random.choice([None, "https://l.example/"]),
            credit=random.choice([None, "(Agencies)"]),
            published=NOW.replace(second=0, microsecond=0) - random.randint(0, 12) * HOUR,
        )

    return [made(number) for number in range(50)]


class Library:
    """One corpus in a store of every backend, and in memory."""

    def __init__(self, open_fresh: Callable[[str], SqlStore], seed: int) -> None:
        self.stores = [open_fresh(backend) for backend in sorted(BACKENDS)]
        self.entries = corpus(seed)
        self.gone = self.entries[::9]
        self.linked = [each for each in self.entries[1::7] if each not in self.gone]
        for store in self.stores:
            for source, kind in SOURCES.items():
                add(store, source, kind=kind)
                mine = [each for each in self.entries if each.source_id == source]
                poll(store, *mine, source=source)
            for source in SOURCES:
                lost = tuple(each.uid for each in self.gone if each.source_id == source)
                poll(store, source=source, removed=lost)
            target = next(e.key for e in self.entries if e not in [*self.gone, *self.linked])
            link = RelatedLink(target=target, kind="content", score=1.0, reason="r", position=0)
            for each in self.linked:
                store.put_related(each.key, [link], kind="content", now=NOW)

    def expected(self, query: EntryQuery, *, gone: bool = False) -> set[str]:
        return {
            each.uid
            for each in self.entries
            if (each in self.gone) == gone
            and matches(
                query,
                each,
                source_kind=SOURCES[each.source_id],
                related=each in self.linked,
                now=NOW,
            )
        }


def words(text: str, field: str = "any") -> Words:
    return Words(tuple(tokens(text)), field)  # type: ignore[arg-type]


phrases = st.lists(st.sampled_from([*WORDS, "ha", "ann", "bob"]), min_size=1, max_size=3)
leaves = st.one_of(
    st.sampled_from([*TAGS, "nothing"]).map(Tagged),
    st.builds(words, phrases.map(" ".join), st.sampled_from(["any", "title", "author"])),
    st.sampled_from([*SOURCES, "nobody"]).map(FromSource),
    st.sampled_from(["en", "en-us", "de", "de-at", "zh", "zh-hant", "e", "%", "d_", ""]).map(
        InLanguage
    ),
    st.integers(-1, 13).map(lambda hours: Since(timedelta(hours=hours))),
    st.integers(-1, 13).map(lambda hours: Until(NOW - timedelta(hours=hours))),
    st.sampled_from(["enclosure", "link", "author", "related", "credit"]).map(
        lambda what: Has(what)  # type: ignore[arg-type]
    ),
    st.sampled_from(["feed", "directory"]).map(lambda kind: OfKind(cast("SourceKind", kind))),
    st.just(InStory("story")),
)
nodes: st.SearchStrategy[Node] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=4).map(lambda terms: And(tuple(terms))),
        st.lists(inner, min_size=2, max_size=4).map(lambda terms: Or(tuple(terms))),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("seed", [1, 2])
def test_queries_find_what_they_mean(
    open_fresh: Callable[[str], SqlStore], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # of one block, and of many
    monkeypatch.setattr("feedsvc.store.sqlite_search._BLOCK", {1: 4_096, 2: 4}[seed])
    library = Library(open_fresh, seed)

    @given(where=nodes, sort=st.sampled_from(["published", "updated", "relevance"]))
    @example(where=Or((Tagged("red"), Tagged("blue"), Tagged("rare"))), sort="updated")
    @example(where=And((Tagged("rare"), Or((words("oil"), FromSource("b"))))), sort="published")
    @example(where=Not(InLanguage("en")), sort="published")
    @example(where=words("oil"), sort="published")
    @example(where=words("oil", "title"), sort="updated")
    @example(where=Tagged("red"), sort="updated")
    @example(where=InLanguage("en"), sort="updated")
    @example(where=FromSource("a"), sort="relevance")
    @settings(
        max_examples=50,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(where: Node, sort: str) -> None:
        query = EntryQuery(where, sort)  # type: ignore[arg-type]
        expected = library.expected(query)
        orders = set()
        for store in library.stores:
            for tuning in TUNINGS:
                store.tuning = tuning
                page = store.find(query, limit=100, now=NOW)
                order = tuple(stored.entry.uid for stored in page.entries)
                assert len(order) == len(expected)
                assert set(order) == expected
                assert store.count(query, now=NOW) == len(expected)
                orders.add(order)
            head = store.head(query, limit=100, now=NOW)
            lost = {each.uid for each in library.gone if each.key in {d.key for d in head.deleted}}
            assert lost == library.expected(query, gone=True)
        assert len(orders) == 1

    check()


def test_words_that_are_none_find_nothing(any_store: SqlStore) -> None:
    poll(any_store, entry("one"))
    for where in (Words(()), And((Words(()), Tagged("x"))), Or((Words(()), Tagged("x")))):
        assert any_store.find(EntryQuery(where), limit=9, now=NOW).entries == ()
        assert any_store.count(EntryQuery(where), now=NOW) == 0
    assert any_store.count(EntryQuery(Not(Words(()))), now=NOW) == 1


def test_phrases_hold_in_long_texts_and_not_across_fields(any_store: SqlStore) -> None:
    # PostgreSQL's own full text search loses positions beyond these
    long = "common " * 20_000 + "needle in haystack " + "common " * 300 + "common needle"
    poll(
        any_store,
        entry("long", title="First part", summary=Text(value="second"), content=Text(value=long)),
        entry("other", title="Other"),
    )
    for phrase, hit in {
        '"needle in haystack"': True,
        '"haystack common"': True,
        '"common needle in"': True,
        '"needle haystack"': False,
        '"part second"': False,
        '"second common"': False,
        '"first part"': True,
        'title:"first part"': True,
        "title:needle": False,
        "need": False,
    }.items():
        assert (uids(any_store, phrase) == ["long"]) is hit, phrase


def test_quotes_and_operators_of_the_index_are_only_text(any_store: SqlStore) -> None:
    poll(any_store, entry("one", title="NEAR or AND not body : x* ^y t:z {a b}"))
    for query in ("near", '"or and not body"', "x", "y", "z", '"a b"', "body"):
        assert uids(any_store, query) == ["one"]


def test_a_query_of_very_many_terms_is_answered(any_store: SqlStore) -> None:
    tags = [f"t{number}" for number in range(300)]
    poll(any_store, entry("one", tags=tags[:150]), *(entry(f"{n}") for n in range(20)))
    any_store.tuning = replace(any_store.tuning, few=0)
    some = EntryQuery(Or(tuple(map(Tagged, tags))))
    assert any_store.count(some, now=NOW) == 1
    few = EntryQuery(Or(tuple(map(Tagged, tags[100:190]))))
    assert any_store.count(few, now=NOW) == 1
    every = EntryQuery(And(tuple(map(Tagged, tags[:64]))))
    assert any_store.count(every, now=NOW) == 1


@pytest.mark.parametrize("odd", ["half\ud800", "n\0l"])
def test_what_no_database_takes_is_looked_for_all_the_same(any_store: SqlStore, odd: str) -> None:
    poll(any_store, entry("one"))
    asked = (Tagged(odd), FromSource(odd), InLanguage(odd), InLanguage(f"{odd}-x"))
    for where in asked:
        for query in (EntryQuery(where=where), EntryQuery(where=Not(where))):
            expected = 1 if isinstance(query.where, Not) else 0
            assert any_store.count(query, now=NOW) == expected
            any_store.head(query, limit=5, now=NOW)
    assert any_store.known(odd, ["one"]) == {}
    assert any_store.tags(prefix=odd) == ()
    assert any_store.claim_due(now=NOW, owner="me", lease=LEASE, limit=1, only=[odd]) == ()


def test_words_that_databases_know_are_only_words(any_store: SqlStore) -> None:
    poll(any_store, entry("one", title="NULL and void", content=Text(value="{} not or near")))
    for query in ("null", "title:null", '"null and"', "void near", "not-or"):
        assert uids(any_store, query) == ["one"], query


def test_a_language_is_asked_for_by_whole_subtags(any_store: SqlStore) -> None:
    for lang in ("en", "en-GB", "en-GB-oed", "eng", "en-gbx", "en_gb"):
        poll(any_store, entry(lang, lang=lang, source=lang.lower().replace("_", "--")), source="x")
    assert sorted(uids(any_store, "lang:en-gb")) == ["en-GB", "en-GB-oed", "en_gb"]
    assert sorted(uids(any_store, "lang:en")) == ["en", "en-GB", "en-GB-oed", "en-gbx", "en_gb"]
