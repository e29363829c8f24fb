"""What counts as one article again: the same text, an excerpt of it, and never another text."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.duplicates import MOST, Copy, groups, joined, same

ARTICLE = (
    "The harbour of the old town was closed on Monday after a freighter with 1,200 containers ran"
    " aground at its mouth. Tugs from three neighbouring ports tried in vain to pull the ship free"
    " before the tide turned, the harbour master said. Ferries go from the northern pier until"
    " further notice, and the fish market has been moved to the railway station, where it will"
    " stay for at least 5 days."
)
OTHER = (
    "Why does every freighter that runs aground end up on this page? We have read the report on"
    " the old town's harbour and think that the pilots are not to blame, but the buoys, which"
    " nobody has moved since the sandbank did."
)


def gathered(copies: list[Copy]) -> tuple[tuple[int, ...], ...]:
    return groups(len(copies), joined(copies))


def copy(text: str = "", title: str = "Freighter closes the harbour", source: str = "a") -> Copy:
    return Copy(source, title, text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (copy(ARTICLE), copy(ARTICLE)),
        (copy(ARTICLE), copy(ARTICLE.upper().replace(".", " –"))),
        (copy(ARTICLE), copy(ARTICLE[:180] + "…")),
        (copy(ARTICLE), copy(ARTICLE[150:], title="Tugs try in vain")),
        (copy(ARTICLE), copy(ARTICLE.replace("Monday", "Tuesday").replace("in vain", "hard"))),
        (copy(ARTICLE), copy(ARTICLE + " Read more at Example News.")),
        (copy(ARTICLE), copy(title="Freighter closes the harbour - Example News")),
        (copy(ARTICLE[:60]), copy(ARTICLE, title="Live: Freighter closes the harbour")),
        (copy(), copy()),
        (copy("Pictures"), copy("More pictures")),
        (
            copy("東京の港は月曜日に閉鎖された", title="東京の港"),
            copy("東京の港は月曜日に閉鎖", title="東京の港"),
        ),
        (copy(title="Update"), copy(title="UPDATE!")),
    ],
)
def test_the_same_text_or_an_excerpt_is_the_same(one: Copy, other: Copy) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (copy(ARTICLE), copy(OTHER)),
        (copy(ARTICLE), copy("Comments")),
        (copy(ARTICLE), copy("Points: 12 # Comments: 3")),
        (copy(ARTICLE), copy(ARTICLE.replace("1,200", "900").replace("5 days", "7 days"))),
        (copy(ARTICLE), copy(title="The harbour")),
        (copy(ARTICLE), copy(title="Freighter opens the harbour")),
        (copy(), copy(title="Freighter closes the port")),
        (copy(ARTICLE[:60], title="A"), copy(ARTICLE, title="B")),
        (copy("Sunny, 20 degrees", title="Weather"), copy("Sunny, 12 degrees", title="Weather")),
        (copy("Buy now"), copy("Sold out")),
        (copy(title="Update"), copy(title="An update")),
    ],
)
def test_another_text_is_another(one: Copy, other: Copy) -> None:
    assert not same(one, other)
    assert not same(other, one)


def test_copies_of_sources_are_gathered() -> None:
    copies = [
        copy(ARTICLE, source="a"),
        copy(OTHER, source="b"),
        copy(ARTICLE[:180], source="c"),
        copy(ARTICLE, source="d"),
        copy(OTHER + " So there.", source="e"),
    ]
    assert gathered(copies) == ((0, 2, 3), (1, 4))


def test_a_link_that_entries_of_one_source_share_says_nothing_of_them() -> None:
    copies = [copy(ARTICLE, source="a"), copy(ARTICLE, source="b"), copy(OTHER, source="a")]
    assert gathered(copies) == ()


def test_two_excerpts_that_have_nothing_in_common_are_not_brought_together_by_the_whole() -> None:
    whole = copy(ARTICLE, source="a")
    first, last = copy(ARTICLE[:180], source="b"), copy(ARTICLE[190:], source="c")
    assert gathered([whole, first, last]) == ((0, 1),)
    assert gathered([first, last, whole]) == ((0, 2),)


def test_so_many_copies_are_compared() -> None:
    many = [copy(ARTICLE, source=str(number)) for number in range(MOST + 5)]
    assert gathered(many) == (tuple(range(MOST)),)


WORDS = st.lists(st.sampled_from(["a", "b", "c", "1", "2", "東", "京"]), max_size=30).map(" ".join)
COPIES = st.lists(
    st.builds(Copy, source=st.sampled_from("abcdefgh"), title=WORDS, text=WORDS), max_size=8
)


@given(COPIES)
def test_groups_hold_what_they_promise(copies: list[Copy]) -> None:
    found = gathered(copies)
    members = [at for group in found for at in group]
    assert len(members) == len(set(members))
    for group in found:
        assert len({copies[at].source for at in group}) == len(group) > 1
        for one, other in combinations(group, 2):
            assert same(copies[one], copies[other])
            assert same(copies[other], copies[one])
