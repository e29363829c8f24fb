"""Which tags somebody may have meant."""

from feedsvc.store.base import TagCount
from feedsvc.web.api.tags import suggestions

KNOWN = tuple(
    TagCount(slug=slug, label=slug.title(), count=1000 - n)
    for n, slug in enumerate(
        ["united-states", "united-kingdom", "united-nations", "diplomacy", "économie", "россия"]
    )
)


def suggested(written: str, limit: int = 9) -> list[str]:
    return [tag.slug for tag in suggestions(written, KNOWN, limit)]


def test_itself_then_what_begins_with_it_then_what_is_spelt_alike() -> None:
    more = (*KNOWN, TagCount(slug="united", label="United", count=1))
    found = [tag.slug for tag in suggestions("United", more, 9)]
    assert found == ["united", "united-states", "united-kingdom", "united-nations"]


def test_slips_of_the_pen() -> None:
    assert suggested("diplomcy") == ["diplomacy"]
    assert suggested("untied states")[0] == "united-states"
    assert suggested("Росия") == ["россия"]


def test_nothing_rather_than_anything() -> None:
    assert suggested("zebra") == suggested("") == suggested("!?") == []


def test_no_more_than_asked_for() -> None:
    assert suggested("united", 2) == ["united-states", "united-kingdom"]
