"""Every store: entries on one event are a story, whatever comes, goes and is done again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from feedsvc.errors import NotFound, OptionError
from feedsvc.gathering import Gatherer
from feedsvc.keys import entry_key, parse_key
from feedsvc.model import Entry, Story, Text
from feedsvc.query import canonical, matches, parse
from feedsvc.relating import CONSUMER, Relater
from feedsvc.store import SqlStore, open_store
from feedsvc.store.base import Gathered, Regrouping
from feedsvc.store.related_schema import signatures
from feedsvc.store.schema import entries
from feedsvc.store.story_schema import storied, stories
from tests.storekit import HOUR, NOW, entry, fill_as_of, found, key_of, poll, statements, tag, uids

DAY = timedelta(days=1)
TITLES = {
    "talks": "Russia and the U.S. meet in Istanbul over embassy operations",
    "envoy": "Darchiev leads Russian team at Istanbul embassy talks",
    "progress": "Istanbul talks: Darchiev sees progress on embassy work",
    "quake": "Earthquake of magnitude 5.2 shakes villages on Qeshm island",
    "qeshm": "Villages on Qeshm island count damage after earthquake",
    "garden": "Gardening tips for a dry summer",
}
TALKS, QUAKE = {"talks", "envoy", "progress"}, {"quake", "qeshm"}
OLD = NOW - DAY


def news(name: str, **changes: object) -> Entry:
    at = OLD + list(TITLES).index(name) * HOUR
    return entry(name, **{"title": TITLES[name], "published": at, "updated": at, **changes})


EVERYTHING = [news(name) for name in TITLES]


def relate(store: SqlStore, *, later: timedelta = HOUR) -> int:
    return Relater(store, lambda: NOW + later, most=5).drain()


def rebuild(store: SqlStore, *, later: timedelta) -> int:
    after = None
    while (after := store.requeue(CONSUMER, after, 2)) is not None:
        pass
    return relate(store, later=later)


def page(store: SqlStore, *, limit: int = 50, before: str | None = None) -> tuple[Story, ...]:
    return store.stories(limit=limit, now=NOW, before=before).stories


def names(story: Story) -> set[str]:
    return {one.id.removeprefix("urn:a:") for one in story.members}


def by_name(store: SqlStore) -> Mapping[str, Story]:
    """The story that each entry is in."""
    found = {name: store.story_of(key_of(name)) for name in TITLES}
    return {name: story for name, story in found.items() if story is not None}


@pytest.fixture
def store(any_store: SqlStore) -> SqlStore:
    """A store with two stories."""
    poll(any_store, *EVERYTHING)
    relate(any_store)
    return any_store


def test_entries_on_one_event_are_a_story(store: SqlStore) -> None:
    quake, talks = page(store)
    assert (names(talks), names(quake)) == (TALKS, QUAKE)
    assert talks.members == talks.articles
    # the latest first; named after one of them; dated by the first and the last
    assert [one.title for one in quake.members] == [TITLES["qeshm"], TITLES["quake"]]
    assert talks.lead in talks.members
    assert (talks.published, talks.updated) == (OLD, OLD + 2 * HOUR)
    assert talks.key == key_of("talks")
    assert store.story(talks.key) == talks == by_name(store)["envoy"]
    assert "garden" not in by_name(store)
    assert store.check() == ()


def test_queries_find_a_story(store: SqlStore) -> None:
    talks = by_name(store)["talks"].key
    assert uids(store, f"story:{talks}") == ["progress", "envoy", "talks"]
    assert uids(store, f"story:{talks} sort:updated darchiev") == ["progress", "envoy"]
    assert uids(store, f"story:{talks} OR title:qeshm") == [
        "qeshm", "quake", "progress", "envoy", "talks",
    ]  # fmt: skip
    assert set(uids(store, f"-story:{talks}")) == {*QUAKE, "garden"}
    assert uids(store, "story:nothing") == uids(store, f"story:{entry_key('x')}") == []
    for text in (f"story:{talks}", f"-story:{talks}", f"story:{talks} -envoy"):
        query = parse(text)
        assert canonical(query) == text
        said = {
            one.entry.uid
            for one in found(store)
            if matches(
                query,
                one.entry,
                source_kind="feed",
                related=bool(one.related),
                now=NOW,
                story=told.key if (told := store.story_of(one.entry.key)) else None,
            )
        }
        assert said == set(uids(store, text))
        assert store.count(query, now=NOW) == len(said)


def test_stories_touch_nothing_of_their_entries(any_store: SqlStore) -> None:
    poll(any_store, *EVERYTHING)
    Relater(any_store, lambda: NOW, most=5, stories=False).drain()
    before = found(any_store)
    assert by_name(any_store) == {}
    rebuild(any_store, later=2 * HOUR)
    assert len(page(any_store)) == 2
    assert found(any_store) == before


def test_doing_it_again_changes_nothing(store: SqlStore) -> None:
    before = store.stories(limit=50, now=NOW)
    assert rebuild(store, later=5 * DAY) == len(TITLES)
    assert store.stories(limit=50, now=NOW) == before


@pytest.mark.parametrize("step", [1, 2, 4])
def test_however_many_come_at_a_time(any_store: SqlStore, step: int) -> None:
    for at in range(0, len(EVERYTHING), step):
        poll(any_store, *EVERYTHING[at : at + step])
        relate(any_store)
    assert [names(story) for story in page(any_store)] == [QUAKE, TALKS]
    talks = by_name(any_store)["talks"]
    assert (talks.key, talks.updated) == (key_of("talks"), OLD + 2 * HOUR)


def test_copies_of_one_text_are_no_story(any_store: SqlStore) -> None:
    body = Text(value=" ".join(f"word{number} of Istanbul" for number in range(60)))
    poll(any_store, news("talks", content=body))
    poll(any_store, news("talks", content=body, id="urn:b:talks", source_id="b"), source="b")
    relate(any_store)
    assert page(any_store) == ()
    poll(any_store, news("envoy"), news("progress"))
    relate(any_store)
    (story,) = page(any_store)
    assert (len(story.members), len(story.articles)) == (4, 3)


def test_a_withdrawn_entry_leaves_its_story(store: SqlStore) -> None:
    quake, talks = page(store)
    poll(store, removed=("envoy",), now=NOW + HOUR)
    left = store.story(talks.key)
    assert (names(left), left.updated) == (TALKS - {"envoy"}, NOW + HOUR)
    assert uids(store, f"story:{talks.key}") == ["progress", "talks"]
    # two make a story, one none
    poll(store, removed=("qeshm",), now=NOW + 2 * HOUR)
    assert [story.key for story in page(store)] == [talks.key]
    ended = store.story(quake.key)
    assert (ended.gone, ended.into, ended.members) == (NOW + 2 * HOUR, None, ())
    told = store.stories(limit=50, now=NOW + 3 * HOUR)
    assert told.gone == ((quake.key, NOW + 2 * HOUR),)
    assert store.stories(limit=50, now=NOW + 31 * DAY).gone == ()
    assert uids(store, f"story:{quake.key}") == []
    relate(store)
    assert store.check() == ()
    # and comes back under its name
    poll(store, news("qeshm"), now=NOW + 4 * HOUR)
    relate(store, later=5 * HOUR)
    back = store.story(quake.key)
    assert (names(back), back.gone, back.updated) == (QUAKE, None, NOW + 5 * HOUR)


def test_what_is_pruned_leaves_its_story_without_news(store: SqlStore) -> None:
    before = by_name(store)["progress"]
    store.prune(before=OLD + 0.5 * HOUR, now=NOW + HOUR)
    after = by_name(store)["progress"]
    assert names(after) == {"envoy", "progress"}
    assert after.updated == before.updated
    store.prune(before=OLD + 3.5 * HOUR, now=NOW + HOUR)
    assert "quake" not in by_name(store)
    told = store.stories(limit=50, now=NOW + HOUR)
    assert (told.stories, told.gone) == ((), ())
    assert store.check() == ()


def test_updated_moves_with_members_and_their_content_alone(store: SqlStore) -> None:
    before = by_name(store)["talks"]
    other = news("envoy", digest="other", summary=Text(value="More of Darchiev in Istanbul"))
    poll(store, other, now=NOW + HOUR)
    changed = by_name(store)["talks"]
    assert (changed.key, changed.updated) == (before.key, NOW + HOUR)
    relate(store, later=2 * HOUR)
    assert by_name(store)["talks"].updated == NOW + HOUR
    # an entry that is dated before the last of them is news all the same
    late = entry("late", title="Istanbul: embassy talks of Darchiev", published=OLD, updated=OLD)
    poll(store, late, now=NOW + 3 * HOUR)
    relate(store, later=4 * HOUR)
    grown = by_name(store)["talks"]
    assert (len(grown.members), grown.updated) == (4, NOW + 3 * HOUR)
    # one that is newer is dated as it is
    at = NOW + 5 * HOUR
    last = entry("last", title="Istanbul embassy talks: Darchiev leaves", published=at, updated=at)
    poll(store, last, now=at)
    relate(store, later=6 * HOUR)
    assert by_name(store)["talks"].updated == at


def test_what_was_gathered_late_is_no_news(store: SqlStore) -> None:
    # as after an upgrade: all entries wait, and come together long after they came
    before = {story.key: story.updated for story in page(store)}
    with store.writing() as connection:
        connection.execute(delete(storied))
        connection.execute(delete(stories))
        connection.execute(update(signatures).values(pending=2))
    assert store.stats().apart == len(TITLES)
    relate(store, later=50 * DAY)
    assert store.stats().apart == 0
    assert {story.key: story.updated for story in page(store)} == before


def test_a_page_of_stories_changes_with_what_its_members_show(store: SqlStore) -> None:
    before = store.stories(limit=9, now=NOW)
    store.put_tags(key_of("envoy"), [tag("embassies")], NOW + 5 * HOUR)
    after = store.stories(limit=9, now=NOW)
    assert before.changed is not None
    assert after.changed is not None
    assert after.changed > before.changed
    assert [one.updated for one in after.stories] == [one.updated for one in before.stories]


def test_an_entry_on_another_matter_now_goes_to_another_story(store: SqlStore) -> None:
    moved = news("progress", digest="other")
    moved = replace(moved, title="Qeshm island: villages shaken by earthquake seek damage aid")
    poll(store, moved, now=NOW + HOUR)
    relate(store, later=2 * HOUR)
    stories = by_name(store)
    assert names(stories["talks"]) == TALKS - {"progress"}
    assert names(stories["quake"]) == QUAKE | {"progress"}
    assert (stories["talks"].key, stories["quake"].key) == (key_of("talks"), key_of("quake"))


def pks(store: SqlStore) -> dict[str, int]:
    """The store's own numbers of entries."""
    titles = {title: name for name, title in TITLES.items()}
    with store.reading() as connection:
        rows = connection.execute(select(entries.c.title, entries.c.pk)).all()
    return {titles[title]: pk for title, pk in rows}


def regrouping(store: SqlStore, *after: Gathered, ended: tuple[int, ...] = ()) -> Regrouping:
    """From the stories there are to others."""
    of = pks(store)
    before = {
        parse_key(story.key) or 0: frozenset(of[name] for name in names(story))
        for story in page(store)
    }
    return Regrouping(frozenset(), before, after, ended)


def test_of_stories_that_become_one_the_older_stays(store: SqlStore) -> None:
    quake, talks = page(store)
    of = pks(store)
    members = tuple(sorted(of[name] for name in TALKS | QUAKE))
    keys = [parse_key(story.key) or 0 for story in (talks, quake)]
    whole = Gathered(members, members[0], keys[0], (keys[1],))
    store.finish_gathered((), (regrouping(store, whole),), NOW + HOUR)
    (one,) = page(store)
    assert (one.key, names(one)) == (talks.key, TALKS | QUAKE)
    assert store.story(quake.key).into == talks.key
    assert len(uids(store, f"story:{quake.key}")) == 5
    assert store.stories(limit=50, now=NOW).gone == ((quake.key, NOW + HOUR),)
    # it parts again: what leads elsewhere for good is no name any more
    parts = [
        Gathered(tuple(sorted(of[name] for name in some)), of[first], key)
        for some, first, key in ((TALKS, "talks", keys[0]), (QUAKE, "quake", None))
    ]
    store.finish_gathered((), (regrouping(store, *parts),), NOW + 2 * HOUR)
    again = by_name(store)
    assert names(again["quake"]) == QUAKE
    assert again["quake"].key == key_of("qeshm")
    assert names(again["talks"]) == TALKS
    assert store.story(quake.key).into == talks.key


def test_nothing_is_written_over_what_others_wrote(store: SqlStore) -> None:
    before = page(store)
    of = pks(store)
    keys = [parse_key(story.key) or 0 for story in before]
    stale = Regrouping(
        frozenset({of["quake"]}), {keys[0]: frozenset({of["quake"]})}, (), (keys[0],)
    )
    foreign = Regrouping(
        frozenset({of["garden"]}), {}, (Gathered((of["garden"], of["talks"]), 1, None),)
    )
    store.requeue(CONSUMER, None, 99)
    relater = Relater(store, lambda: NOW, most=5)
    while not store.apart(99):
        assert relater.run()
    waiting = store.apart(99)
    store.finish_gathered(waiting, (stale, foreign), NOW + HOUR)
    assert page(store) == before
    assert {each.pk for each in store.apart(99)} == {of["quake"], of["garden"]}
    relater.drain()
    assert page(store) == before
    assert store.apart(99) == ()


def test_pages_of_stories(store: SqlStore) -> None:
    first = store.stories(limit=1, now=NOW)
    assert [names(story) for story in first.stories] == [QUAKE]
    second = store.stories(limit=1, now=NOW, before=first.next)
    assert [names(story) for story in second.stories] == [TALKS]
    assert (second.next, second.gone) == (None, ())
    with pytest.raises(OptionError, match="not where a page"):
        store.stories(limit=1, now=NOW, before="nowhere")


@pytest.mark.parametrize("key", ["x", entry_key("nobody")])
def test_there_is_no_such_story(store: SqlStore, key: str) -> None:
    with pytest.raises(NotFound):
        store.story(key)
    assert store.story_of(key) is None


def test_a_batch_takes_as_many_statements_as_one(any_store: SqlStore) -> None:
    counts = []
    for number in (4, 60):
        some = [
            entry(
                f"{number}-{at}-{side}",
                title=f"{side}{number}{at} Gabon{number}{at} Zambia{number}{at} Kivu{number}{at}",
                published=OLD,
                updated=OLD,
            )
            for at in range(number // 2)
            for side in ("Miners", "Fishermen")
        ]
        poll(any_store, *some)
        relater = Relater(any_store, lambda: NOW, most=5)
        while len(any_store.apart(99)) < number:
            assert relater.run()
        before = len(page(any_store))
        with statements(any_store) as ran:
            assert Gatherer(any_store, lambda: NOW).gather(99) == number
        assert len(page(any_store)) == before + number // 2
        counts.append(len(ran))
    assert counts[1] <= counts[0]


def test_an_earlier_store_is_gathered_after_its_upgrade(
    store: SqlStore, backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = (
        f"sqlite:///{tmp_path}/old.db"
        if backend == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    older = open_store(url)
    request.addfinalizer(older.close)
    fill_as_of("0010", older, store)
    older.migrate()
    assert len(older.apart(99)) == len(TITLES)
    relate(older)
    assert [names(story) for story in page(older)] == [QUAKE, TALKS]
    assert older.check() == ()


def test_backups_have_stories(store: SqlStore, tmp_path: Path) -> None:
    before = store.stories(limit=50, now=NOW)
    store.backup(tmp_path / "backup.db")
    poll(store, removed=("envoy", "quake"))
    store.restore(tmp_path / "backup.db")
    assert store.stories(limit=50, now=NOW) == before
