"""Every kind of tag rule keeps the contract of `RuleKind`: registering one tests it."""

import pickle
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from feedsvc.errors import ConfigError
from feedsvc.model import Entry, Person, Source, Text
from feedsvc.tagging import RULES, Tagger, TagRule
from feedsvc.tagging.rule import RuleKind, Sample, View

NOW = datetime(2025, 4, 10, tzinfo=UTC)


def entry_of(sample: Sample) -> tuple[Entry, Source]:
    entry = Entry(
        id="tag:localhost,2026:1",
        fallback_id="tag:localhost,2026:2",
        key="k",
        source_id=sample.source,
        uid="1",
        title=sample.title,
        published=NOW,
        updated=NOW,
        dated=True,
        digest="d",
        content=Text(value=sample.body) if sample.body else None,
        authors=(Person(name=sample.author),) if sample.author else (),
    )
    return entry, Source(id=sample.source, kind="feed", location="http://127.0.0.1/feed")


@pytest.fixture(params=list(RULES.values()), ids=list(RULES))
def kind(request: pytest.FixtureRequest) -> RuleKind:
    return request.param


def rule_of(kind: RuleKind, *values: str, title_only: bool = False) -> TagRule:
    return replace(TagRule(tag="x", title_only=title_only), **{kind.name: values})


def tags_of(rule: TagRule, sample: Sample) -> list[tuple[str, str, str | None]]:
    entry, source = entry_of(sample)
    found = Tagger([rule], auto=False).tag(entry, (), source)
    return [(tag.slug, tag.origin, tag.evidence) for tag in found]


def test_its_name_is_its_key_and_a_field_of_a_rule(kind: RuleKind) -> None:
    assert RULES[kind.name] is kind
    assert kind.name in {field.name for field in fields(TagRule)}
    assert kind.about


def test_its_example_holds_and_fails_as_it_says(kind: RuleKind) -> None:
    rule = rule_of(kind, *kind.example.values)
    (tag,) = tags_of(rule, kind.example.meets)
    assert tag[:2] == ("x", "rule")
    assert tag[2]
    assert tags_of(rule, kind.example.fails) == []


def test_the_evidence_stands_in_the_entry(kind: RuleKind) -> None:
    entry, source = entry_of(kind.example.meets)
    condition = kind.compile(kind.example.values, False)
    evidence = condition.evidence(View(entry, source))
    assert evidence is not None
    whole = " ".join((entry.title, *(p.name for p in entry.authors), source.id)).casefold()
    if entry.content is not None:
        whole += entry.content.value.casefold()
    assert all(part.casefold() in whole for part in evidence.split(" + "))


def test_nothing_meets_it_in_an_empty_entry(kind: RuleKind) -> None:
    assert tags_of(rule_of(kind, *kind.example.values), Sample(source="unknown")) == []


def test_its_condition_travels_to_another_process(kind: RuleKind) -> None:
    entry, source = entry_of(kind.example.meets)
    view = View(entry, source)
    condition = kind.compile(kind.example.values, False)
    copied = pickle.loads(pickle.dumps(condition))
    assert copied.evidence(view) == condition.evidence(view)


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_value_is_an_error_that_names_the_rule(kind: RuleKind, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"rule 1 \('x'\): {kind.name}: "):
        Tagger([rule_of(kind, value)])


@pytest.mark.parametrize(
    "text",
    ["\x00\ud800", "İ" * 50, "a" * 3000, "(" * 500, "ﬁ‌𝔘 漢字かな交じり文 ", "U.S. \u0301'’s"],
)
def test_it_reads_any_text(kind: RuleKind, text: str) -> None:
    rule = rule_of(kind, *kind.example.values)
    assert tags_of(rule, Sample(title=text, body=text, author=text, source="other")) == []
