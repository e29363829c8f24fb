"""The grammar: every construct, every error with its place, every limit."""

from datetime import UTC, datetime, timedelta

import pytest

from feedsvc.errors import QueryError
from feedsvc.query import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, canonical, parse
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


def word(*tokens: str) -> Words:
    return Words(tokens)


A, B, C, D = word("a"), word("b"), word("c"), word("d")


def day(year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", None),
        ("   \t\n", None),
        ("russia", word("russia")),
        ("RUSSIA", word("russia")),
        ("Élysée", word("elysee")),
        ("covid-19", word("covid", "19")),
        ("U.S.", word("u", "s")),
        ("don't", word("don", "t")),
        ("北京", word("北", "京")),
        ('"embassy operations"', word("embassy", "operations")),
        ("“embassy operations”", word("embassy", "operations")),
        ("„Botschaft“", word("botschaft")),
        ('"embassy"', word("embassy")),
        ('"OR"', word("or")),
        ("or", word("or")),
        ("https://example.org/a?x=1", word("https", "example", "org", "a", "x", "1")),
        ("HTTPS://example.org", word("https", "example", "org")),
        ("12:30", word("12", "30")),
        ("Diplomacy:", word("diplomacy")),
        ("tag:russia", Tagged("russia")),
        ("TAG:Russia", Tagged("russia")),
        ('tag:"United States"', Tagged("united-states")),
        ("tag:“United States”", Tagged("united-states")),
        ('tag:"Washington, D.C."', Tagged("washington-dc")),
        ("title:istanbul", Words(("istanbul",), "title")),
        ('title:"embassy operations"', Words(("embassy", "operations"), "title")),
        ("author:smith", Words(("smith",), "author")),
        ("author:o'neill", Words(("o", "neill"), "author")),
        ("source:bbc", FromSource("bbc")),
        ('source:"BBC News"', FromSource("bbc-news")),
        ("lang:EN", InLanguage("en")),
        ("lang:pt_BR", InLanguage("pt-br")),
        ("since:2025", Since(day(2025))),
        ("since:2025-04", Since(day(2025, 4))),
        ("since:2025-04-01", Since(day(2025, 4))),
        ("since:2025-04-01T12:00Z", Since(day(2025, 4, 1, 12))),
        ("since:2025-04-01t12:00z", Since(day(2025, 4, 1, 12))),
        ("since:2025-04-01T12:00", Since(day(2025, 4, 1, 12))),
        ("since:2025-04-01T12:00:00+02:00", Since(day(2025, 4, 1, 10))),
        ("since:2025-04-01T12:00-0530", Since(day(2025, 4, 1, 17, 30))),
        ("since:2025-04-01T00:00:01.5Z", Since(day(2025, 4) + timedelta(seconds=1.5))),
        ("until:2025-05-01", Until(day(2025, 5))),
        ("since:7d", Since(timedelta(days=7))),
        ("since:12H", Since(timedelta(hours=12))),
        ("since:30m", Since(timedelta(minutes=30))),
        ("until:2w", Until(timedelta(weeks=2))),
        ("has:enclosure", Has("enclosure")),
        ("has:Link", Has("link")),
        ("has:author", Has("author")),
        ("has:related", Has("related")),
        ("has:credit", Has("credit")),
        ("kind:directory", OfKind("directory")),
        ("kind:feed", OfKind("feed")),
        ("story:AB2C", InStory("ab2c")),
        ("-a", Not(A)),
        ("NOT a", Not(A)),
        ("--a", A),
        ("NOT -a", A),
        ("-tag:sports", Not(Tagged("sports"))),
        ('-"a b"', Not(word("a", "b"))),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a OR b", Or((A, B))),
        ("a b OR c", Or((C, And((A, B))))),
        ("a (b OR c)", And((A, Or((B, C))))),
        ("a(b OR c)d", And((A, D, Or((B, C))))),
        ("-(a OR b)", And((Not(A), Not(B)))),
        ("NOT (a b)", Or((Not(A), Not(B)))),
        ("((a))", A),
        ('x"y z"', And((word("y", "z"), word("x")))),
    ],
)
def test_reads(text: str, where: Node | None) -> None:
    assert parse(text) == EntryQuery(where=where)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("sort:updated", EntryQuery(sort="updated")),
        ("SORT:Relevance oil", EntryQuery(where=word("oil"), sort="relevance")),
        ("sort:published a", EntryQuery(where=A)),
        ("a sort:updated OR b", EntryQuery(where=Or((A, B)), sort="updated")),
        ("sort:updated a sort:updated", EntryQuery(where=A, sort="updated")),
    ],
)
def test_sort_is_a_property_of_the_query(text: str, query: EntryQuery) -> None:
    assert parse(text) == query


def test_reads_the_examples_of_the_contract() -> None:
    assert parse("tag:russia tag:diplomacy -tag:sports").where == And(
        (Tagged("diplomacy"), Tagged("russia"), Not(Tagged("sports")))
    )
    query = parse(
        '"embassy operations" title:istanbul author:smith source:bbc lang:en '
        "since:2025-04-01 until:2025-05-01 since:7d has:enclosure kind:directory story:ID "
        "sort:relevance"
    )
    assert isinstance(query.where, And)
    assert len(query.where.terms) == 11
    assert query.sort == "relevance"


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("a (b OR c", 2, "never closed"),
        ("a)", 1, "never opened"),
        ("a (b))", 5, "never opened"),
        ("a ()", 2, "nothing between"),
        ('say "abc', 4, "never closed"),
        ("title:“abc", 6, "never closed"),
        ("OR a", 0, "OR needs a term on its left"),
        ("a OR", 2, "OR needs a term on its right"),
        ("a OR OR b", 2, "OR needs a term on its right"),
        ("(a OR) b", 3, "OR needs a term on its right"),
        ("a OR sort:updated", 2, "OR needs a term on its right"),
        ("AND a", 0, "AND needs a term on its left"),
        ("a AND", 2, "AND needs a term on its right"),
        ("a AND AND b", 2, "AND needs a term on its right"),
        ("a NOT", 2, "NOT needs a term after it"),
        ("(-)", 1, "- needs a term after it"),
        ("-- OR b", 1, "no letter or digit"),
        ("a - b", 2, "no letter or digit"),
        ("a ?!", 2, "no letter or digit"),
        ('a "…"', 2, "no letter or digit"),
        ("title:…", 6, "no letter or digit"),
        ("tag:-", 4, "letter or digit"),
        ("tag:", 0, "tag: has no value"),
        ("a tag: russia", 2, "right after the colon"),
        ("tag:(a OR b)", 0, "repeat it inside"),
        ('title:""', 6, "no letter or digit"),
        ("tag:a,b", 0, "tag:a tag:b"),
        ("x tag:-sports", 2, "before the field: -tag:sports"),
        ("title:--a", 0, "before the field: -title:a"),
        ("tag:--", 4, "letter or digit"),
        ("oil tagg:russia", 4, "did you mean tag:?"),
        ("a -sourc:bbc", 3, "did you mean source:?"),
        ("zzz:russia", 0, "the fields are tag, title"),
        ("sourc:“x”", 0, "did you mean source:?"),
        ("urn:uuid:1", 0, "no field urn:"),
        ("has:enclosures", 4, "did you mean has:enclosure?"),
        ("kind:x", 5, "feed, directory"),
        ("sort:date", 5, "published, updated, relevance"),
        ("-sort:updated", 0, "cannot be negated"),
        ("a (sort:updated b)", 3, "outside parentheses"),
        ("sort:updated sort:relevance", 13, "updated already"),
        ("lang:e!", 5, "language code"),
        ("story:a/b", 6, "id of a story"),
        ("since:yesterday", 6, "neither a date"),
        ("since:7", 6, "neither a date"),
        ("since:7y", 6, "neither a date"),
        ("since:-7d", 6, "neither a date"),
        ("since:2025-4-1", 6, "neither a date"),
        ("since:2025-13", 6, "not in the calendar"),
        ("since:2025-02-29", 6, "not in the calendar"),
        ("since:2025-04-01T24:30Z", 6, "not in the calendar"),
        ("since:0000", 6, "not in the calendar"),
        ("since:0001-01-01T00:00+14:00", 6, "not in the calendar"),
        ("since:999999999w", 6, "hundred years"),
        ("since:٢٠٢٥", 6, "neither a date"),
        ("russ*", 0, "beginning of a word"),
        ("title:russ*", 6, "beginning of a word"),
    ],
)
def test_points_at_the_trouble(text: str, position: int, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert caught.value.position == position
    assert caught.value.pointer() == f"{text}\n{' ' * position}^"


def test_a_line_break_does_not_move_the_caret() -> None:
    with pytest.raises(QueryError) as caught:
        parse("a\nb\ttagg:c")
    assert caught.value.pointer() == "a b tagg:c\n    ^"


def test_the_caret_stands_below_its_place_in_any_script() -> None:
    with pytest.raises(QueryError) as caught:
        parse("東京 e\u0301t tagg:c")
    shown, caret = caught.value.pointer().split("\n")
    assert shown == "東京 e\u0301t tagg:c"
    assert caret == "\u3000\u3000 " + "   ^"


def test_of_a_long_query_what_is_around_the_place_is_shown() -> None:
    with pytest.raises(QueryError) as caught:
        parse("word " * 100 + "tagg:c" + " word" * 100)
    shown, caret = caught.value.pointer().split("\n")
    assert shown == f"…{'word ' * 12}tagg:c{' word' * 2} wor…"
    assert caret == " " * 61 + "^"


def test_limits_are_met_exactly() -> None:
    longest = "a" * 100 + " " * (MAX_LENGTH - 100)
    assert parse(longest).where == word("a" * 100)
    with pytest.raises(QueryError, match="2,001 characters") as caught:
        parse(longest + " ")
    assert caught.value.position == MAX_LENGTH

    many = [f"w{number}" for number in range(MAX_TERMS)]
    assert len(parse(" ".join(many)).where.terms) == MAX_TERMS  # type: ignore[union-attr]
    with pytest.raises(QueryError, match="more than 64 terms") as caught:
        parse(" ".join([*many, "tag:last"]))
    assert caught.value.position == len(" ".join(many)) + 1

    assert parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH).where == A
    with pytest.raises(QueryError, match="more than 16 parentheses") as caught:
        parse("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1))
    assert caught.value.position == MAX_DEPTH


def test_a_thousand_negations_are_one() -> None:
    assert parse("-" * 1999 + "a").where == Not(A)


def test_a_query_that_grows_beyond_the_limit_is_refused() -> None:
    # one character that is written out as eighteen
    with pytest.raises(QueryError, match="canonical form"):
        parse(" ".join(["\ufdfa" * 60, "\ufdfa" * 61]))


def test_what_is_nearest_the_limits_still_has_a_canonical_form() -> None:
    deep = "x"
    for number in range(MAX_DEPTH):
        deep = f"(y{number} {deep})" if number % 2 else f"-(y{number} OR {deep})"
    query = parse(deep)
    assert parse(canonical(query)) == query
