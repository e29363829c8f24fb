"""Tag rules and aliases that entries suggest."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from feedsvc.model import Entry, Source
from feedsvc.tagging import Tagger
from feedsvc.tagging.proposals import alias_proposals, rule_proposals
from feedsvc.tagging.rule import TagRule
from tests.storekit import NOW, entry, tag

SUBJECTS = ("harvest", "budget", "ferry", "school", "bridge", "museum", "orchard", "glacier")


def titled(*titles: str, tags: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Entries of one a day."""
    for number, title in enumerate(titles):
        made = entry(title, title=title, published=NOW - timedelta(days=number))
        yield replace(made, tags=tuple(map(tag, tags)))


def others(number: int) -> Iterator[Entry]:
    """Entries of which no two are about the same."""
    yield from titled(*(f"Item{n} about topic{n}" for n in range(number)))


def test_a_phrase_that_recurs_without_a_tag_makes_a_rule() -> None:
    found = [*titled(*(f"Offshore wind and the {one}" for one in SUBJECTS)), *others(40)]
    (one,) = rule_proposals(found, most=9, fewest=5)
    assert (one.tag, one.phrase, one.entries, one.days) == ("offshore-wind", "Offshore wind", 8, 8)
    assert one.examples[0] == "Offshore wind and the harvest"
    # and it is one that the tagger takes
    rule = TagRule(tag=one.tag, any=(one.phrase,))
    tagger = Tagger([rule], auto=False)
    source = Source(id="a", kind="feed", location="https://a.example/")
    assert [t.slug for e in found[:8] for t in tagger.tag(e, (), source)] == ["offshore-wind"] * 8


def test_what_a_tag_stands_for_already_makes_none() -> None:
    texts = [f"Offshore wind and the {one}" for one in SUBJECTS]
    assert rule_proposals([*titled(*texts, tags=("energy",)), *others(40)], most=9, fewest=5) == ()
    # one that many others have does not stand for it
    common = [replace(one, tags=(tag("energy"),)) for one in others(40)]
    found = rule_proposals([*titled(*texts, tags=("energy",)), *common], most=9, fewest=5)
    assert [one.tag for one in found] == ["offshore-wind"]


def test_words_of_all_news_and_rare_phrases_make_none() -> None:
    texts = [f"Police and {one}" for one in SUBJECTS]
    few = [f"Tidal lagoon {one}" for one in SUBJECTS[:4]]
    assert rule_proposals([*titled(*texts), *titled(*few), *others(90)], most=9, fewest=5) == ()
    assert rule_proposals((), most=9, fewest=5) == ()


def test_a_phrase_stops_at_a_comma_and_counts_once_with_its_parts() -> None:
    texts = [f"Lagoon, harbour barrage {one}" for one in SUBJECTS]
    found = rule_proposals([*titled(*texts), *others(40)], most=9, fewest=5)
    assert [one.phrase for one in found] == ["harbour barrage", "Lagoon"]


def test_two_spellings_of_a_tag_make_an_alias() -> None:
    counts = {"election": 9, "elections": 4, "the-hague": 2, "hague": 3, "news": 1, "new": 1}
    found = [
        (one.slug, one.tag, one.entries, one.of_tag) for one in alias_proposals(counts, most=9)
    ]
    assert found == [("elections", "election", 4, 9), ("the-hague", "hague", 2, 3)]
