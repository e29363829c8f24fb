"""A story as an entry of its feed."""

from datetime import timedelta

from feedsvc.compose.addresses import Addresses
from feedsvc.compose.request import Options
from feedsvc.compose.stories import StoryComposer
from feedsvc.keys import entry_key
from feedsvc.model import Story, StoryMember
from tests.storekit import NOW, tag

COMPOSER = StoryComposer(Addresses("https://f.example", "f.example,2026"), author="F", settings="")


def member(number: int, *tags: str) -> StoryMember:
    return StoryMember(
        key=entry_key(str(number)),
        id=f"urn:{number}",
        title=f"Report {number}",
        link=None,
        published=NOW - timedelta(minutes=number),
        source_id=f"s{number % 3}",
        source_title=f"Source {number % 3}" if number < 60 else "The last",
        tags=tuple(map(tag, tags)),
        lang=None,
        lead=None,
    )


def test_of_many_members_the_latest_are_listed_and_all_are_told() -> None:
    members = tuple(member(n, "quake", *(("iran",) if n < 60 else ())) for n in range(70))
    story = Story(
        key=entry_key("story"),
        published=NOW,
        updated=NOW,
        members=members,
        articles=members,
        lead=members[3],
        gone=None,
        into=None,
        fingerprint="f",
    )
    shown = COMPOSER.compose(story, Options(limit=5))
    assert shown.summary is not None
    assert shown.summary.value == "70 reports: Source 0, Source 1, Source 2, The last"
    assert [one.term for one in shown.categories] == ["quake"]
    assert shown.title == "Report 3"
    assert len(shown.links) == len(shown.members) == 50
    assert shown.content is not None
    assert shown.content.value.count("<li>") == 50
