"""Every store: entries on the same matter are linked, whatever arrives in which order."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from feedsvc.keys import entry_key
from feedsvc.model import Entry, Related, Text
from feedsvc.relate.terms import words_of
from feedsvc.relating import CONSUMER, Relater
from feedsvc.store import SqlStore, open_store
from feedsvc.store.base import Likeness, Relinked
from tests.storekit import HOUR, NOW, entry, fill_as_of, key_of, poll, statements

DAY = timedelta(days=1)
ISTANBUL = (
    ("talks", "Russia and the U.S. meet in Istanbul over embassy operations"),
    ("envoy", "Darchiev leads Russian team at Istanbul embassy talks"),
    ("progress", "Istanbul talks: Darchiev sees progress on embassy work"),
)
QUAKE = (
    ("quake", "Earthquake of magnitude 5.2 shakes villages on Qeshm island"),
    ("qeshm", "Villages on Qeshm island count damage after earthquake"),
)


def news(name: str, title: str, hours: float = 0, **changes: object) -> Entry:
    at = NOW - DAY + timedelta(hours=hours)
    return entry(name, title=title, published=at, updated=at, **changes)


EVERYTHING = [news(name, title, at) for at, (name, title) in enumerate((*ISTANBUL, *QUAKE))]


def relate(store: SqlStore, *, most: int = 5, limit: int | None = None) -> int:
    return Relater(store, lambda: NOW + HOUR, most=most).drain(limit=limit)


def rebuild(store: SqlStore) -> int:
    after = None
    while (after := store.requeue(CONSUMER, after, 2)) is not None:
        pass
    return relate(store)


def links(store: SqlStore, *names: str) -> dict[str, list[str]]:
    """What entries are linked to by content, by name."""
    return {
        name: [each.id.removeprefix("urn:a:") for each in store.entry(key_of(name)).related]
        for name in names
    }


def everything(store: SqlStore, names: Iterable[str]) -> dict[str, Sequence[Related]]:
    return {name: store.entry(key_of(name)).related for name in names}


def scores(found: Sequence[Related]) -> list[tuple[str, float]]:
    return [(link.id, link.score) for link in found]


def test_entries_on_the_same_matter_are_linked_and_say_why(any_store: SqlStore) -> None:
    poll(any_store, *EVERYTHING, news("else", "Gardening tips for a dry summer"))
    assert any_store.stats().unlinked == 6
    assert relate(any_store) == 6
    assert any_store.stats().unlinked == 0
    found = links(any_store, "talks", "quake", "else")
    assert (set(found["talks"]), found["quake"]) == ({"envoy", "progress"}, ["qeshm"])
    assert found["else"] == []
    first = any_store.entry(key_of("envoy")).related[0]
    assert (first.kind, first.id) == ("content", "urn:a:progress")
    assert 0.16 < first.score <= 1
    assert set(first.reason.split(", ")) == {"Darchiev", "Istanbul", "embassy"}
    assert any_store.check() == ()


def test_links_move_neither_dates_nor_ids(any_store: SqlStore) -> None:
    poll(any_store, *EVERYTHING)
    before = any_store.entry(key_of("talks"))
    change = any_store.change()
    relate(any_store)
    after = any_store.entry(key_of("talks"))
    assert after.entry == before.entry
    assert after.fingerprint != before.fingerprint
    assert any_store.change() > change
    # and nothing at all is written when nothing moves
    change = any_store.change()
    assert rebuild(any_store) == 5
    assert (any_store.change(), any_store.entry(key_of("talks"))) == (change, after)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)])
def test_order_of_arrival_does_not_matter(any_store: SqlStore, order: tuple[int, ...]) -> None:
    names = [name for name, _ in (*ISTANBUL, *QUAKE)]
    for at in order:
        poll(any_store, EVERYTHING[at])
        relate(any_store)
    one_by_one = everything(any_store, names)
    assert rebuild(any_store) == 5
    at_once = everything(any_store, names)
    for name in names:
        targets = [
            [(link.id, link.score) for link in found[name]] for found in (one_by_one, at_once)
        ]
        assert targets[0] == targets[1] != []


def test_links_stay_after_two_days(any_store: SqlStore) -> None:
    poll(any_store, news("talks", ISTANBUL[0][1], -49), news("envoy", ISTANBUL[1][1], -2))
    relate(any_store)
    assert links(any_store, "talks", "envoy") == {"talks": ["envoy"], "envoy": ["talks"]}
    poll(any_store, news("progress", ISTANBUL[2][1], 0))
    relate(any_store)
    found = links(any_store, "talks", "envoy", "progress")
    assert found["talks"] == ["envoy"]
    assert set(found["envoy"]) == {"talks", "progress"}
    assert set(found["progress"]) == {"talks", "envoy"}


def test_only_the_most_alike_are_linked_and_make_room(any_store: SqlStore) -> None:
    poll(any_store, *(news(name, title) for name, title in ISTANBUL[:2]))
    relate(any_store, most=1)
    assert links(any_store, "talks", "envoy") == {"talks": ["envoy"], "envoy": ["talks"]}
    poll(any_store, news("progress", ISTANBUL[2][1]))
    relate(any_store, most=1)
    # nearer to one of the two, which lets go of the other; that one keeps what it has
    found = links(any_store, "talks", "envoy", "progress")
    assert found == {"talks": ["envoy"], "envoy": ["progress"], "progress": ["envoy"]}


def test_withdrawn_targets_vanish_and_are_replaced(any_store: SqlStore) -> None:
    poll(any_store, *EVERYTHING)
    relate(any_store, most=1)
    assert links(any_store, "progress") == {"progress": ["envoy"]}
    poll(any_store, removed=("envoy",))
    assert links(any_store, "progress") == {"progress": []}
    assert any_store.check() == ()
    relate(any_store, most=1)
    assert links(any_store, "progress") == {"progress": ["talks"]}
    # one that comes back is linked again
    poll(any_store, EVERYTHING[1])
    relate(any_store, most=1)
    assert links(any_store, "progress", "envoy") == {"progress": ["envoy"], "envoy": ["progress"]}
    assert any_store.prune(before=NOW + DAY, now=NOW) == 5
    assert any_store.check() == ()


def test_an_entry_that_is_about_something_else_now_is_linked_anew(any_store: SqlStore) -> None:
    poll(any_store, *EVERYTHING)
    relate(any_store)
    changed = replace(EVERYTHING[1], title="Qeshm island villages hit by earthquake", digest="2")
    poll(any_store, changed)
    relate(any_store)
    found = links(any_store, "talks", "progress", "envoy", "quake")
    assert found["talks"] == ["progress"]
    assert found["progress"] == ["talks"]
    assert set(found["envoy"]) == {"quake", "qeshm"}
    assert set(found["quake"]) == {"envoy", "qeshm"}
    assert any_store.check() == ()


def test_copies_of_an_article_are_not_related_to_it(any_store: SqlStore) -> None:
    body = Text(value=f"{ISTANBUL[0][1]}. The delegations talked about visas and flights. " * 4)
    for source in ("a", "b", "c"):
        link = "https://site.example/talks"
        first = news("talks", ISTANBUL[0][1], content=body, link=link, source=source)
        poll(any_store, first, source=source)
    poll(any_store, news("envoy", ISTANBUL[1][1], content=Text(value=ISTANBUL[2][1])))
    relate(any_store)
    assert links(any_store, "talks") == {"talks": ["envoy"]}
    # and of three copies one is enough
    (only,) = any_store.entry(key_of("envoy")).related
    assert only.title == ISTANBUL[0][1]


def test_the_newest_come_first_and_as_many_as_asked_for(any_store: SqlStore) -> None:
    poll(any_store, *EVERYTHING)
    assert relate(any_store, limit=2) == 2
    # what is not signed yet is not found either
    assert links(any_store, "quake", "qeshm") == {"quake": ["qeshm"], "qeshm": ["quake"]}
    assert any_store.stats().unlinked == 3
    assert relate(any_store) == 3
    assert set(links(any_store, "talks")["talks"]) == {"envoy", "progress"}


def test_without_links_wanted_nothing_is_looked_for(any_store: SqlStore) -> None:
    poll(any_store, *EVERYTHING)
    assert relate(any_store, most=0) == 0
    assert any_store.stats().unlinked == 0
    assert links(any_store, "talks") == {"talks": []}
    assert any_store.check() == ()


def test_nothing_is_written_over_what_others_wrote(any_store: SqlStore) -> None:
    poll(any_store, *EVERYTHING[:3])
    relate(any_store)
    rebuilt = any_store.requeue(CONSUMER, None, 9)
    assert rebuilt is None
    relater = Relater(any_store, lambda: NOW, most=5)
    while not (looked := any_store.unrelated(9)):
        assert relater.run()
    assert {each.title for each in looked} == {title for _, title in ISTANBUL}
    pks = {each.title: each.pk for each in looked}
    talks, envoy = pks[ISTANBUL[0][1]], pks[ISTANBUL[1][1]]
    stale = Relinked((Likeness(envoy, 0.9, "old"),), (Likeness(envoy, 0.8, "new"),))
    any_store.finish_related(looked, {talks: stale}, NOW)
    # that of the links others wrote waits again, the rest is done
    assert [each.pk for each in any_store.unrelated(9)] == [talks]
    assert set(links(any_store, "talks")["talks"]) == {"envoy", "progress"}
    # an entry that changed since it was looked at still waits, and keeps what it has
    poll(any_store, replace(EVERYTHING[0], title="Embassy visas", digest="2"))
    assert relater.run() == 1
    before = any_store.likenesses([talks]).get(talks, ())
    any_store.finish_related(looked, {talks: Relinked(before, ())}, NOW)
    assert talks in {each.pk for each in any_store.unrelated(9)}
    # nor is anything linked to what has gone meanwhile
    poll(any_store, removed=("envoy",))
    gone = any_store.unrelated(9)
    link = Relinked((), (Likeness(envoy, 0.5, "gone"),))
    any_store.finish_related(gone, {envoy: link, pks[ISTANBUL[2][1]]: link}, NOW)
    assert any_store.check() == ()


def test_a_batch_takes_as_many_statements_as_one(any_store: SqlStore) -> None:
    counts = []
    for number in (5, 40, 200):
        some = [
            news(f"{number}-{at}", f"Gold miners of Zambia strike over pay, day {at}")
            for at in range(number)
        ]
        poll(any_store, *some)
        relater = Relater(any_store, lambda: NOW + HOUR, most=5, stories=False)
        with statements(any_store) as ran:
            assert relater.drain() == number
        counts.append(len(ran))
    _, some_statements, many_statements = counts
    # beyond 500 rows a statement is said twice
    assert many_statements <= some_statements + 4


def test_rows_of_a_term_are_bounded(any_store: SqlStore) -> None:
    poll(any_store, *(news(str(at), f"Zambia {at}", at / 60) for at in range(40)))
    assert Relater(any_store, lambda: NOW, most=5).run() == 32
    (term,) = words_of("zambia")
    ((found,),) = any_store.sharing_terms([([term], NOW)], 7)
    newest = [entry_key(f"urn:a:{at}") for at in range(39, 32, -1)]
    titles = {each.pk: each.title for each in any_store.likened(found).values()}
    assert [key_of(titles[pk].removeprefix("Zambia ")) for pk in found] == newest
    ((older,),) = any_store.sharing_terms([([term], NOW - 2 * DAY)], 7)
    assert len(older) == 0


def test_an_earlier_store_is_linked_after_its_upgrade(
    any_store: SqlStore, backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    poll(any_store, *EVERYTHING, news("gone", "Istanbul embassy"))
    poll(any_store, removed=("gone",))
    url = (
        f"sqlite:///{tmp_path}/old.db"
        if backend == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    older = open_store(url)
    request.addfinalizer(older.close)
    fill_as_of("0004", older, any_store)
    older.migrate()
    assert {task.key for task in older.tasks(CONSUMER, 99)} >= {entry.key for entry in EVERYTHING}
    assert relate(older) == 5
    assert set(links(older, "talks")["talks"]) == {"envoy", "progress"}
    assert older.check() == ()
