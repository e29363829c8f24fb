"""What articles are about and which are alike: rules by example, and precision on real news."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.linking import Labelled, precision, read, right
from feedsvc.query.telling import stem
from feedsvc.relate.likeness import (
    FLOOR,
    Article,
    choose,
    compare,
    cosine,
    is_copy,
    score,
    title_likeness,
)
from feedsvc.relate.terms import KEPT, signature, words_of, written

DATA = Path(__file__).parent.parent / "data"
NOW = datetime(2025, 4, 10, tzinfo=UTC)
BODY = (
    "Delegations of Russia and the United States met in Istanbul on Thursday. Russian ambassador "
    "Alexander Darchiev said that 12 flights and the work of both embassies were discussed. "
)


def article(
    pk: int, title: str, body: str = "", *, days: float = 0, lead: int | None = None
) -> Article:
    return Article(
        pk=pk,
        title=title,
        published=NOW - timedelta(days=days),
        vector=signature(title, "", body).vector(),
        lead=lead,
    )


def test_terms_come_by_weight_with_names_and_numbers_first() -> None:
    made = signature("Embassy talks", "", BODY)
    said = words_of(f"Embassy talks {BODY}")
    words = [said[number] for number in made.terms]
    assert words.index("darchiev") < words.index("ambassador")
    assert "istanbul" in words[:6]
    assert "12" in words[: words.index("flights")]
    assert words[-1] in {"the", "and", "of"}
    assert list(made.weights) == sorted(made.weights, reverse=True)
    assert made.vector()[made.terms[0]] == made.weights[0]


def test_what_is_in_the_title_counts_more() -> None:
    one, other = (signature(title, "", "tax on sugar and tax on milk") for title in ("", "milk"))
    number = next(number for number, word in words_of("milk").items())
    assert other.vector()[number] > one.vector()[number]


def test_a_number_in_a_headline_alone_counts_no_more() -> None:
    (number,) = words_of("7431")
    listed = signature("7431 reasons to visit Zambia", "", "Zambia").vector()
    told = signature("7431 reasons to visit Zambia", "", "Zambia 7431").vector()
    assert told[number] > listed[number]


@given(st.text(), st.text(), st.text())
def test_any_text_has_a_signature(title: str, summary: str, body: str) -> None:
    made = signature(title, summary, body)
    assert made == signature(title, summary, body)
    assert len(made.terms) == len(made.weights) == len(set(made.terms)) <= KEPT
    assert all(0 <= term < 1 << 31 for term in made.terms)
    assert 0 not in made.weights
    vector = made.vector()
    assert cosine(vector, vector) == pytest.approx(1.0 if vector else 0.0, abs=0.1)


def test_words_are_said_as_they_are_written() -> None:
    title = "Darchiev's team: the U.S.-led talks"
    said = written(title)
    assert [said.get(number) for number in words_of("darchiev talk")] == ["Darchiev", "talks"]
    assert stem("talks") == "talk"


def test_likeness_is_the_same_both_ways_and_fades() -> None:
    one = article(1, "Embassy talks", BODY)
    near = article(2, "Talks on embassies", BODY.replace("flights", "visas"))
    far = article(3, "Talks on embassies", BODY.replace("flights", "visas"), days=9)
    assert score(one, near) == score(near, one) > score(one, far) > 0.5 * score(one, near)
    assert score(one, one) == 1.0
    assert score(one, article(4, "Gardening")) == score(one, article(5, "")) == 0.0


def test_titles_are_alike_by_runs_of_letters() -> None:
    assert title_likeness("Botschaftsgespräche", "Botschaftsgesprächen") > 0.8
    assert title_likeness("embassy", "embassies") > title_likeness("embassy", "mission")
    assert title_likeness("", "a") == 0.0


def test_none_is_better_than_a_wrong_one() -> None:
    one = article(1, "Istanbul embassy talks", BODY)
    runners = article(
        2,
        "Spring race: runners of many countries cross the bridges of Istanbul",
        "Many came to see the race over the Bosphorus, and stayed for tea and music until late. "
        "Rain did not keep them away, nor did the price of a ferry from the Asian shore.",
    )
    near = compare(one, [runners, article(3, "Gardening")])
    assert {other.pk: 0 < found < FLOOR for found, other in near} == {2: True, 3: False}
    assert choose(one, near, 5) == []


def test_neither_copies_nor_two_copies_of_another_are_chosen() -> None:
    long = " ".join(f"word{number}" for number in range(60))
    one = article(1, "Embassy talks", f"{BODY} {long}")
    again = article(2, "Embassy talks", f"{BODY} {long}")
    grouped = [article(3, "Talks", BODY, lead=7), article(4, "Talks", BODY, lead=7)]
    other = article(5, "Embassy visas", BODY)
    assert is_copy(one, again)
    assert not is_copy(one, other)
    chosen = choose(one, compare(one, [again, *grouped, other]), 5)
    assert [choice.pk for choice in chosen] == [5, 3]
    assert all(0 < len(choice.terms) <= 3 for choice in chosen)
    assert [choice.pk for choice in choose(one, compare(one, [*grouped, other]), 1)] == [5]


# -- measuring -------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "least"), [("ecbplus", 0.95), ("uci_headlines", 0.84)])
def test_links_on_labelled_news_are_of_the_same_story(name: str, least: float) -> None:
    labelled = read(DATA / "linking" / f"{name}.jsonl")
    assert all(each.kept_back for each in labelled)
    articles = [article(at, each.title, each.text) for at, each in enumerate(labelled)]
    links = {
        each.id: [
            labelled[choice.pk].id
            for choice in choose(own, compare(own, (a for a in articles if a.pk != own.pk)), 5)
        ]
        for own, each in zip(articles, labelled, strict=True)
    }
    assert precision(labelled, links) >= least
    assert right(labelled, links)[1] >= least


def test_precision_counts_missing_and_wrong_links() -> None:
    some = [Labelled(str(at), "", "", story) for at, story in enumerate("aaab")]
    assert precision(some, {"0": ["1", "2"], "1": ["0"], "2": ["3", "0", "1"]}) == pytest.approx(
        (1 + 1 / 2 + 2 / 3) / 3
    )
    assert right(some, {"0": ["1", "3"]}) == (0.5, 0.5)
