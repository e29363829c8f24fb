"""Merging tags: precedence, origins, aliases, stop tags, limits, and wrong configuration."""

import pickle
from datetime import UTC, datetime

import pytest

from feedsvc.errors import ConfigError
from feedsvc.model import Category, Entry, Source, TagOrigin, Text
from feedsvc.tagging import Tagger, TagRule, reader_labels

NOW = datetime(2025, 4, 10, tzinfo=UTC)


def make_entry(title: str = "A title", body: str = "", *categories: Category) -> Entry:
    return Entry(
        id="tag:localhost,2026:1",
        fallback_id="tag:localhost,2026:2",
        key="k",
        source_id="s",
        uid="1",
        title=title,
        published=NOW,
        updated=NOW,
        dated=True,
        digest="d",
        content=Text(value=body, type="html") if body else None,
        categories=categories,
    )


def make_source(*tags: str) -> Source:
    return Source(id="s", kind="directory", location="seeds", tags=tags)


def slugs(tagger: Tagger, entry: Entry, *labels: tuple[str, TagOrigin], tags: tuple[str, ...] = ()):
    return [tag.slug for tag in tagger.tag(entry, labels, make_source(*tags))]


def test_origins_come_in_order_of_precedence() -> None:
    tagger = Tagger([TagRule(tag="ruled", any=("embassy",))])
    entry = make_entry("Embassy opens in Istanbul", "", Category(term="World", label="World News"))
    found = tagger.tag(
        entry, [("Folder", "folder"), ("front", "front-matter")], make_source("seeds")
    )
    assert [(t.slug, t.origin) for t in found] == [
        ("seeds", "source"),
        ("folder", "folder"),
        ("front", "front-matter"),
        ("world-news", "feed"),
        ("ruled", "rule"),
        ("diplomacy", "auto"),
        ("istanbul", "auto"),
    ]
    assert found[4].evidence == "Embassy"
    assert found[6].evidence == "Istanbul (title)"
    assert found[6].label == "Istanbul"


def test_the_first_origin_of_a_tag_wins() -> None:
    tagger = Tagger([TagRule(tag="Istanbul", any=("opens",))])
    entry = make_entry("Embassy opens in Istanbul", "", Category(term="istanbul"))
    found = tagger.tag(entry, [("ISTANBUL", "folder")], make_source())
    assert [(t.slug, t.label, t.origin) for t in found if t.slug == "istanbul"] == [
        ("istanbul", "ISTANBUL", "folder")
    ]


def test_aliases_are_followed_to_their_end_and_merge_duplicates() -> None:
    tagger = Tagger(aliases={"USA": "us", "US": "united-states", "ai": "Machine Minds"})
    entry = make_entry("Nothing", "", Category(term="usa"), Category(term="AI"))
    found = tagger.tag(entry, [("US", "folder")], make_source())
    assert [(t.slug, t.label, t.origin) for t in found] == [
        ("united-states", "United States", "folder"),
        ("machine-minds", "Machine Minds", "feed"),
    ]


def test_aliases_and_stop_tags_hold_for_automatic_tags() -> None:
    tagger = Tagger(aliases={"istanbul": "Bosporus"}, stop=["Diplomacy"])
    assert slugs(tagger, make_entry("Embassy opens in Istanbul")) == ["bosporus"]


def test_a_stop_tag_stops_what_an_alias_leads_to() -> None:
    tagger = Tagger(aliases={"x": "y"}, stop=["y"], auto=False)
    assert slugs(tagger, make_entry(), ("x", "folder"), ("z", "folder")) == ["z"]


@pytest.mark.parametrize(
    "aliases", [{"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "d", "d": "b"}]
)
def test_a_circle_of_aliases_is_named(aliases: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="leads in a circle") as caught:
        Tagger(aliases=aliases)
    assert caught.value.key == "tags.aliases"


def test_an_alias_to_itself_is_harmless() -> None:
    assert slugs(Tagger(aliases={"USA": "usa"}, auto=False), make_entry(), ("USA", "folder")) == [
        "usa"
    ]


@pytest.mark.parametrize("aliases", [{"a": "!"}, {"…": "b"}, {"U.S.": "x", "US": "y"}])
def test_an_alias_must_lead_to_one_tag(aliases: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"tags\.aliases\."):
        Tagger(aliases=aliases)


def test_stored_tags_give_back_the_labels_their_reader_found() -> None:
    entry = make_entry("Embassy opens in Istanbul", "", Category(term="World"))
    labels: list[tuple[str, TagOrigin]] = [("USA", "folder"), ("Cafés", "front-matter")]
    old = Tagger([TagRule(tag="r", any=("opens",))], {"usa": "united-states"})
    stored = old.tag(entry, labels, make_source("mine"))
    assert reader_labels(stored) == (*labels, ("World", "feed"))
    new = Tagger(auto=False)
    assert [t.slug for t in new.tag(entry, reader_labels(stored), make_source())] == [
        "usa",
        "cafes",
        "world",
    ]


def test_automatic_tags_can_be_switched_off() -> None:
    assert slugs(Tagger(auto=False), make_entry("Embassy opens in Istanbul")) == []


def test_at_most_thirty_tags_and_configured_ones_first() -> None:
    labels: list[tuple[str, TagOrigin]] = [(f"label {n}", "folder") for n in range(40)]
    found = slugs(Tagger(), make_entry("Embassy opens in Istanbul"), *labels, tags=("mine",))
    assert len(found) == 30
    assert found[:2] == ["mine", "label-0"]


def test_labels_without_a_letter_give_no_tag() -> None:
    assert slugs(Tagger(), make_entry(), ("—", "folder"), ("", "folder"), tags=("!",)) == []


def test_categories_made_by_programs_are_left_out() -> None:
    entry = make_entry(
        "A title",
        "",
        Category(term="Uncategorized"),
        Category(
            term="http://schemas.google.com/blogger/2008/kind#post",
            scheme="http://schemas.google.com/g/2005#kind",
        ),
        Category(term="http://example.org/tag/Foreign%20Policy/"),
        Category(term="http://[broken"),
        Category(term="42", scheme="http://example.org/sections", label="Café"),
    )
    assert slugs(Tagger(), entry) == ["foreign-policy", "cafe"]


def test_a_tagger_travels_to_another_process() -> None:
    tagger = Tagger([TagRule(tag="x", regex=(r"em\w+y",))], {"istanbul": "bosporus"}, ["diplomacy"])
    entry = make_entry("Embassy opens in Istanbul")
    copied = pickle.loads(pickle.dumps(tagger))
    assert copied.tag(entry, (), make_source("s")) == tagger.tag(entry, (), make_source("s"))


def test_all_conditions_of_a_rule_must_hold() -> None:
    rule = TagRule(tag="x", any=("embassy",), source=("bbc",))
    assert slugs(Tagger([rule], auto=False), make_entry("Embassy opens")) == []
    rule = TagRule(tag="x", any=("embassy", "consulate"), source=("s",), all=("opens", "again"))
    tagger = Tagger([rule], auto=False)
    assert slugs(tagger, make_entry("Consulate opens")) == []
    found = tagger.tag(make_entry("Consulate opens", "<p>Again.</p>"), (), make_source())
    assert found[0].evidence == "Consulate; opens + Again; s"


def test_a_rule_may_look_at_titles_alone() -> None:
    entry = make_entry("A title", "The embassy said so.")
    assert slugs(Tagger([TagRule(tag="x", any=("embassy",))], auto=False), entry) == ["x"]
    for rule in (
        TagRule(tag="x", any=("embassy",), title_only=True),
        TagRule(tag="x", all=("embassy",), title_only=True),
        TagRule(tag="x", regex=("embassy",), title_only=True),
    ):
        assert slugs(Tagger([rule], auto=False), entry) == []


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("oil price", "The OIL-PRICE fell", True),
        ("oil price", "Oil prices fell", False),
        ("oil price", "turmoil price", False),
        ("elysee", "Élysée palace", True),
        ("Élysée", "the elysee said", True),
        ("US", "the US said", True),
        ("US", "they told us", False),
        ("us", "The US said", True),
        ("OPEC", "Opec met", False),
        ("Washington, D.C.", "in Washington D.C. today", True),
        ("Washington, D.C.", "in Washington, D. C. today", True),
        ("UNICEF", "unicef said", True),
        ("C++", "written in C++ and Python", True),
        ("C++", "vitamin C is good", False),
        (".NET", "the .net runtime", True),
        ("石油価格", "原油と石油価格が上がった", True),
        ("нефть", "НЕФТЬ дорожает", True),
        ("new york", "New\nYork", True),
    ],
)
def test_phrases_match_words(phrase: str, text: str, found: bool) -> None:
    tagger = Tagger([TagRule(tag="x", any=(phrase,))], auto=False)
    assert slugs(tagger, make_entry("A title", text)) == (["x"] if found else [])


def test_a_phrase_does_not_run_from_the_title_into_the_body() -> None:
    tagger = Tagger([TagRule(tag="x", any=("oil price",))], auto=False)
    assert slugs(tagger, make_entry("All about oil", "Price fell.")) == []


def test_an_expression_finds_what_lies_across_two_pieces() -> None:
    tagger = Tagger([TagRule(tag="x", regex=(r"\boil\s+prices?\b",))], auto=False)
    for at in range(900, 1100, 7):
        assert slugs(tagger, make_entry("T", "word " * (at // 5) + "oil prices rose")) == ["x"]
    assert slugs(tagger, make_entry("T", "w" * 997 + " turmoil prices")) == []
    assert slugs(tagger, make_entry("T", "x " * 10_000 + "oil prices")) == []


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+$", r"(?:\w+\s?)*x", r"((ab)*c?)+", r"(x{2,}y?){3,}", r"([a-z]+)*\d", r"(.*)*"],
)
def test_an_explosive_expression_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match="repeats a repetition"):
        Tagger([TagRule(tag="x", regex=(pattern,))])


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a++)+",
        r"(?>\w+\s)+",
        r"(\w+ ){0,5}oil",
        r"[(+]+[*]*",
        r"\(+\)+",
        r"(ab)+c+",
        r"(a|b)*",
        r"a{3}+",
    ],
)
def test_a_harmless_expression_is_accepted(pattern: str) -> None:
    assert slugs(Tagger([TagRule(tag="x", regex=(pattern,))], auto=False), make_entry("?")) in (
        [],
        ["x"],
    )


def test_a_wrong_expression_names_the_rule() -> None:
    with pytest.raises(ConfigError, match=r"rule 2 \('Bad'\): regex: '\(' is no regular") as caught:
        Tagger([TagRule(tag="x", any=("a",)), TagRule(tag="Bad", regex=("(",))])
    assert caught.value.key == "tags.rules"


def test_polynomial_expressions_see_little_text() -> None:
    tagger = Tagger([TagRule(tag="x", regex=(r"foo.*bar.*bazz",))], auto=False)
    assert slugs(tagger, make_entry("T", "foobar " * 1500)) == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [(TagRule(tag="x"), "no condition"), (TagRule(tag="…", any=("a",)), "no letter or digit")],
)
def test_a_rule_that_cannot_hold_is_refused(rule: TagRule, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Tagger([rule])
