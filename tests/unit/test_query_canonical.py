"""The normal form: one text for equal queries, which reads back into the same tree and meaning."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.errors import QueryError
from feedsvc.model import Entry, Link, Person, Tag, Text, slugify
from feedsvc.query import canonical, matches, normalise, parse
from feedsvc.query.ast import (
    And,
    EntryQuery,
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

NOW = datetime(2025, 4, 10, 12, 30, 59, 999_999, UTC)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", ""),
        ("  Russia ", "russia"),
        ('"Russia"', "russia"),
        ("U.S. covid-19", '"covid 19" "u s"'),
        ('tag:"United States"', "tag:united-states"),
        ("-tag:sports tag:russia tag:diplomacy", "tag:diplomacy tag:russia -tag:sports"),
        ("a a OR a", "a"),
        ("a (b c)", "a b c"),
        ("a OR (b OR c)", "a OR b OR c"),
        ("b a OR c", "c OR a b"),
        ("-(a b)", "-a OR -b"),
        ("-(a OR -b) c", "b c -a"),
        ("--a", "a"),
        ("-(-(a b))", "a b"),
        ("a -a", "a -a"),
        ("z y -y b -b", "b -b"),
        ("x OR (a -a)", "x"),
        ("x (a -a)", "a -a"),
        ("(b -b) OR (a -a)", "a -a"),
        ("a OR -a", ""),
        ("x (a OR -a)", "x"),
        ("-(a -a)", ""),
        ("since:2025", "since:2025-01-01"),
        ("since:2025-04-01T00:00:00+02:00", "since:2025-03-31T22:00Z"),
        ("since:2025-04-01T00:00:01Z", "since:2025-04-01T00:00:01Z"),
        ("since:2025-04-01T00:00:00.250Z", "since:2025-04-01T00:00:00.250000Z"),
        ("since:1w", "since:7d"),
        ("since:48h", "since:2d"),
        ("since:90m", "since:90m"),
        ("since:0w", "since:0m"),
        ("sort:published", ""),
        ("sort:updated b a", "a b sort:updated"),
        ("lang:PT_br", "lang:pt-br"),
        ("foo™ ϒ", "footm υ"),
    ],
)
def test_has_one_form(text: str, form: str) -> None:
    assert canonical(parse(text)) == form
    assert canonical(parse(form)) == form


LEAVES = [
    Tagged("russia"),
    Tagged("united-states"),
    Words(("oil",)),
    Words(("oil", "price")),
    Words(("or",)),
    Words(("北", "京")),
    Words(("talks",), "title"),
    Words(("jane", "smith"), "author"),
    FromSource("bbc"),
    InLanguage("en"),
    InLanguage("en-us"),
    Since(datetime(2025, 4, 1, tzinfo=UTC)),
    Since(timedelta(days=7)),
    Until(timedelta(minutes=90)),
    Until(datetime(2025, 4, 10, 12, 30, 5, 1, UTC)),
    Has("enclosure"),
    Has("link"),
    Has("author"),
    Has("related"),
    Has("credit"),
    OfKind("feed"),
    InStory("ab2c"),
]


def groups(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(several.map(And), several.map(Or), inner.map(Not))


nodes: st.SearchStrategy[Node] = st.recursive(st.sampled_from(LEAVES), groups, max_leaves=12)
queries = st.builds(
    EntryQuery,
    where=st.none() | nodes,
    sort=st.sampled_from(["published", "updated", "relevance"]),
)


@given(queries)
def test_reads_back_what_it_wrote(query: EntryQuery) -> None:
    assert parse(canonical(query)) == normalise(query)


@given(queries)
def test_normalising_twice_changes_nothing(query: EntryQuery) -> None:
    once = normalise(query)
    assert normalise(once) == once


entries = st.builds(
    Entry,
    id=st.just("tag:x,2026:1"),
    fallback_id=st.just("tag:x,2026:2"),
    key=st.just("aaaaaaaaaaaaa"),
    source_id=st.sampled_from(["bbc", "seeds"]),
    uid=st.just("1"),
    title=st.sampled_from(["Oil price talks", "北京 talks", "Or not"]),
    published=st.sampled_from(
        [
            datetime(2025, 4, 1, tzinfo=UTC),
            datetime(2025, 4, 3, 12, 30, tzinfo=UTC),
            datetime(2025, 4, 10, 12, 30, 5, tzinfo=UTC),
        ]
    ),
    updated=st.just(NOW),
    dated=st.just(True),
    digest=st.just(""),
    link=st.sampled_from([None, "https://example.org/1"]),
    links=st.sampled_from([(), (Link(href="https://example.org/1.mp3", rel="enclosure"),)]),
    summary=st.sampled_from([None, Text(value="<p>The <b>oil</b></p><p>price</p>", type="html")]),
    credit=st.sampled_from([None, "(With inputs from agencies.)"]),
    authors=st.sampled_from([(), (Person(name="Jane Smith"),)]),
    tags=st.sampled_from([(), (Tag(slug="russia", label="Russia", origin="feed"),)]),
    lang=st.sampled_from([None, "en", "en-US", "de"]),
)


@given(queries, entries, st.booleans(), st.sampled_from([None, "ab2c"]))
def test_normalising_keeps_the_meaning(
    query: EntryQuery, entry: Entry, related: bool, story: str | None
) -> None:
    before, after = (
        matches(each, entry, source_kind="feed", related=related, now=NOW, story=story)
        for each in (query, normalise(query))
    )
    assert before == after


def scrambled(node: Node, dice: random.Random) -> str:
    """The same question as another person would write it."""
    match node:
        case And(terms) | Or(terms):
            parts = [scrambled(term, dice) for term in terms]
            parts += parts[: dice.randrange(2)]
            dice.shuffle(parts)
            joint = dice.choice(["  ", " AND "]) if isinstance(node, And) else " OR "
            return f"({joint.join(parts)})"
        case Not(term):
            return dice.choice(["-", "NOT ", "-NOT -"]) + scrambled(term, dice)
        case _:
            text = canonical(EntryQuery(where=node))
            field, colon, value = text.rpartition(":")
            if not colon or text.count(":") > 1:
                return text if colon else dice.choice([text, f'"{text.strip(chr(34))}"'])
            return f"{dice.choice([field, field.upper()])}:{dice.choice([value, value.upper()])}"


@given(nodes, st.randoms(use_true_random=False))
def test_equal_questions_have_equal_forms(node: Node, dice: random.Random) -> None:
    assert parse(scrambled(node, dice)) == normalise(EntryQuery(where=node))


@given(st.text(max_size=30))
def test_any_word_survives_its_canonical_form(text: str) -> None:
    found = tuple(tokens(text))
    if found:
        query = EntryQuery(where=Words(found))
        assert parse(canonical(query)) == query


@given(st.text(max_size=30))
def test_any_tag_survives_its_canonical_form(label: str) -> None:
    slug = slugify(label)
    assert slugify(slug) == slug
    if slug:
        assert parse(f"tag:{slug}").where == Tagged(slug)


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert tokens(" ".join(tokens(text))) == tokens(text)


PIECES = [
    "OR",
    "AND",
    "NOT",
    "tag:",
    "since:",
    "sort:",
    "updated",
    "7d",
    "2025-04",
    "x",
    "Y",
    "ß",
    "™",
    "ﷺ",
    "北京",
    "https://",
    "zz:",
    "has:link",
    "(",
    ")",
    "-",
    '"',
    "“",
    "”",
    ":",
    "*",
    ",",
    ".",
    "…",
    "+",
    "/",
    "\\",
]
pieces = st.sampled_from([*PIECES, " ", " ", " ", "\n", "\0", "\ud800"])


def read(text: str) -> tuple[EntryQuery | None, QueryError | None]:
    try:
        return parse(text), None
    except QueryError as error:
        return None, error


@given(st.lists(pieces, max_size=25).map("".join) | st.text(max_size=40))
def test_whatever_is_typed_is_read_or_refused_at_a_place_within(text: str) -> None:
    query, error = read(text)
    if query is not None:
        assert parse(canonical(query)) == query
    if error is not None:
        assert 0 <= error.position <= len(text)
        assert str(error)
        assert error.pointer().count("\n") == 1
