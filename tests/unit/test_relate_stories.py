"""Stories as `relate` puts them together, from articles and their links alone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.linking import Labelled, b3, read
from feedsvc.relate.likeness import Article, choose, compare
from feedsvc.relate.stories import IDLE, Told, gather, is_one_text, succession
from feedsvc.relate.terms import signature

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DATA = Path(__file__).parent.parent / "data" / "linking"
EMBASSY = (
    "Darchiev meets Coulter in Istanbul over embassy work",
    "Istanbul: Coulter and Darchiev talk of embassy banking",
    "Embassy banking is what Darchiev wants of Coulter in Istanbul",
)
QUAKE = ("Quake shakes Qeshm villages", "Villages of Qeshm count the damage of the quake")


def article(pk: int, title: str, text: str = "", *, hours: float = 0) -> Article:
    signed = signature(title, "", text)
    at = NOW + timedelta(hours=hours)
    return Article(pk=pk, title=title, published=at, vector=signed.vector())


def told(articles: Sequence[Article]) -> list[Told]:
    """Articles with the links that they have to each other."""
    found = []
    for one in articles:
        scored = compare(one, (other for other in articles if other.pk != one.pk))
        found.append(Told(one, {choice.pk: choice.score for choice in choose(one, scored, 5)}))
    return found


def groups(articles: Sequence[Article], *together: Sequence[int]) -> set[frozenset[int]]:
    """The pks of each story; those of some articles stay together."""
    by_pk = {each.article.pk: each for each in told(articles)}
    whole = {pk for pks in together for pk in pks}
    parts = [[by_pk[pk] for pk in pks] for pks in together]
    parts += [[each] for pk, each in by_pk.items() if pk not in whole]
    return {
        frozenset(each.article.pk for at in story.parts for each in parts[at])
        for story in gather(parts)
    }


def test_reports_of_one_event_are_a_story() -> None:
    articles = [article(at, title) for at, title in enumerate((*EMBASSY, *QUAKE, "Gardening"))]
    assert groups(articles) == {frozenset({0, 1, 2}), frozenset({3, 4}), frozenset({5})}
    assert groups(articles[::-1]) == groups(articles)
    assert gather([]) == []
    assert [(one.parts, one.centre) for one in gather([told(articles[:1])])] == [((0,), 0)]


def test_the_middle_is_what_is_most_like_the_others() -> None:
    articles = [article(at, title) for at, title in enumerate(EMBASSY)]
    (story,) = gather([[each] for each in told(articles)])
    likeness = {one.pk: sum(score for _, score in _scores(one, articles)) for one in articles}
    assert story.centre == max(likeness, key=lambda pk: likeness[pk])


def _scores(one: Article, articles: Sequence[Article]) -> list[tuple[int, float]]:
    return [(o.pk, s) for s, o in compare(one, (a for a in articles if a.pk != one.pk))]


def test_what_comes_long_after_is_another_story() -> None:
    late = IDLE / timedelta(hours=1) + 1
    articles = [article(0, QUAKE[0]), article(1, QUAKE[1]), article(2, QUAKE[1], hours=late)]
    assert groups(articles) == {frozenset({0, 1}), frozenset({2})}
    # unless others have come between
    between = article(3, QUAKE[0], hours=late / 2)
    assert len(groups([*articles, between])) == 1


def test_what_stays_together_may_grow_but_not_part() -> None:
    articles = [article(at, title) for at, title in enumerate((*EMBASSY, *QUAKE))]
    assert frozenset({0, 1, 2}) in groups(articles, [0, 1])
    assert any({0, 3} <= group for group in groups(articles, [0, 3]))
    assert groups([articles[0], articles[4]], [0], [4]) == {frozenset({0}), frozenset({4})}


def test_a_report_of_every_day_is_no_story_without_end() -> None:
    days = [article(at, "Gold closes higher in Zambia trading", hours=24 * at) for at in range(60)]
    assert max(map(len, groups(days))) < 30
    # nor where what was gathered stays together
    late = article(99, "Gold closes higher in Zambia trading", hours=24 * 60)
    assert groups([*days, late], range(60)) == {frozenset(range(60)), frozenset({99})}
    assert len(groups([*days[:2], late], [0, 1])) == 2
    assert len(groups([*days[:3], days[4]], [0, 1, 2])) == 1


def test_a_chain_of_likenesses_is_not_a_story() -> None:
    words = [f"Word{at} Name{at} Thing{at}" for at in range(41)]
    articles = [article(at, f"{words[at]} {words[at + 1]}") for at in range(40)]
    assert all(1 < len(group) < 20 for group in groups(articles))


def test_one_text_again_and_again() -> None:
    text = " ".join(f"word{at}" for at in range(60))
    copies = told([article(1, "Talks", text), article(2, "Talks", text)])
    assert is_one_text(copies)
    assert is_one_text(copies[:1])
    assert not is_one_text([*copies, *told([article(3, "Talks", f"{text} {text[:99]} embassy")])])


@pytest.mark.parametrize(
    ("after", "heirs", "ended"),
    [
        ([{1, 2, 3}, {4, 5}], [[7], [9]], []),
        # the one that began first goes first
        ([{1, 2, 3, 4, 5}], [[7, 9]], []),
        # where most of it goes
        ([{1}, {2, 3}, {4, 5, 6}], [[], [7], [9]], []),
        ([{1, 4}, {2, 5}], [[7, 9], []], []),
        ([{4, 5, 6}], [[9]], [7]),
        ([], [], [7, 9]),
    ],
)
def test_which_story_goes_on(
    after: list[set[int]], heirs: list[list[int]], ended: list[int]
) -> None:
    before: Mapping[int, tuple[int, ...]] = {7: (1, 2, 3), 9: (4, 5)}
    assert succession(after, before) == (heirs, ended)


# -- measuring -------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "least"), [("ecbplus", 0.9), ("uci_headlines", 0.8)])
def test_stories_of_labelled_news(name: str, least: float) -> None:
    labelled = read(DATA / f"{name}.jsonl")
    found = groups([article(at, each.title, each.text) for at, each in enumerate(labelled)])
    stories = {labelled[pk].id: min(group) for group in found for pk in group}
    assert b3(labelled, stories)[2] >= least


def test_b_cubed_is_that_of_bagga_and_baldwin() -> None:
    some = [Labelled(str(at), "", "", story) for at, story in enumerate("aaab")]
    assert b3(some, dict.fromkeys("0123", 1)) == pytest.approx((0.625, 1, 0.625 * 2 / 1.625))
    assert b3(some, {})[0] == 1
