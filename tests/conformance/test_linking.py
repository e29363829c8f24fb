"""Every store: headlines are linked to the entries they name, whatever happens in between."""

import threading
from collections.abc import Iterable
from datetime import timedelta

import pytest

import feedsvc.linking
from feedsvc.linking import CONSUMER, Linker
from feedsvc.model import Entry
from feedsvc.store import SqlStore
from tests.storekit import HOUR, NOW, entry, key_of, poll, statements

SITE = "https://a.example/"


def link(store: SqlStore) -> int:
    return Linker(store, lambda: NOW).drain()


def rebuild(store: SqlStore) -> None:
    after = None
    while (after := store.requeue(CONSUMER, after, 100)) is not None:
        pass
    link(store)


def links(store: SqlStore, name: str) -> list[tuple[str | None, str, str]]:
    """What an entry's headlines are linked to: headline, uid of the target, and why."""
    related = store.entry(key_of(name)).related
    return [(each.reference, each.id.removeprefix("urn:a:"), each.reason) for each in related]


def headlines(name: str, *references: str, **changes: object) -> Entry:
    return entry(name, references=references, **changes)


@pytest.mark.parametrize("first", ["naming", "named"])
def test_headlines_are_linked_in_any_order_of_arrival(any_store: SqlStore, first: str) -> None:
    naming = headlines(
        "naming",
        "OIL SINKS: weak data from Istanbul",
        "Historic Maritime Truce: U.S. Secures Ukraine-Rus…",
        "https://a.example/address",
        "Nothing that ever comes",
        link=SITE,
    )
    named = [
        entry("equal", title="Oil sinks – weak data from Istanbul", link=SITE + "equal"),
        entry(
            "cut",
            title="Historic Maritime Truce: U.S. Secures Ukraine-Russia Agreements",
            link=SITE + "cut",
        ),
        entry("address", link=SITE + "address"),
    ]
    for some in ([naming], named) if first == "naming" else (named, [naming]):
        poll(any_store, *some)
        link(any_store)
    assert links(any_store, "naming") == [
        ("OIL SINKS: weak data from Istanbul", "equal", "same title"),
        ("Historic Maritime Truce: U.S. Secures Ukraine-Rus…", "cut", "same beginning"),
        ("https://a.example/address", "address", "named by its address"),
    ]
    assert any_store.entry(key_of("naming")).unresolved == ("Nothing that ever comes",)
    assert any_store.tasks(CONSUMER, 1) == ()
    assert any_store.check() == ()


def test_a_link_outlives_another_title_of_its_target(any_store: SqlStore) -> None:
    poll(
        any_store,
        entry("x", title="Oil sinks on weak data"),
        headlines("one", "Oil sinks on weak data"),
    )
    link(any_store)
    poll(any_store, entry("x", title="Markets calm after turmoil", digest="2"))
    link(any_store)
    before = any_store.entry(key_of("one"))
    rebuild(any_store)
    assert links(any_store, "one") == [("Oil sinks on weak data", "x", "same title when linked")]
    assert any_store.entry(key_of("one")).related[0].score == 1.0
    changed = any_store.entry(key_of("one")).fingerprint
    rebuild(any_store)
    assert any_store.entry(key_of("one")).fingerprint == changed
    assert before.entry.updated == any_store.entry(key_of("one")).entry.updated
    # the title that it was linked by comes back, or an entry that has it now
    poll(any_store, entry("x", title="Oil sinks on weak data", digest="3"))
    rebuild(any_store)
    assert links(any_store, "one") == [("Oil sinks on weak data", "x", "same title")]


def test_an_equal_title_replaces_a_link_by_an_earlier_title(any_store: SqlStore) -> None:
    poll(
        any_store,
        entry("x", title="Oil sinks on weak data"),
        headlines("one", "Oil sinks on weak data"),
    )
    link(any_store)
    poll(any_store, entry("x", title="Markets calm after turmoil", digest="2"))
    poll(any_store, entry("y", source="b", title="Oil sinks on weak data"), source="b")
    rebuild(any_store)
    # what another publisher calls the same is no better
    assert links(any_store, "one") == [("Oil sinks on weak data", "x", "same title when linked")]
    poll(any_store, entry("y", title="Oil sinks on weak data"))
    rebuild(any_store)
    assert links(any_store, "one") == [("Oil sinks on weak data", "y", "same title")]


def test_a_withdrawn_target_is_linked_again_when_it_returns(any_store: SqlStore) -> None:
    target = entry("x", title="Oil sinks on weak data")
    poll(any_store, target, headlines("one", "Oil sinks on weak data"))
    link(any_store)
    poll(any_store, removed=("x",))
    link(any_store)
    rebuild(any_store)
    assert links(any_store, "one") == []
    assert any_store.entry(key_of("one")).unresolved == ("Oil sinks on weak data",)
    poll(any_store, target)
    link(any_store)
    assert links(any_store, "one") == [("Oil sinks on weak data", "x", "same title")]


def test_no_entry_is_linked_to_itself_or_twice_to_another(any_store: SqlStore) -> None:
    poll(
        any_store,
        headlines("one", "Title of one", "Oil sinks on weak data", "Oil sinks, on weak data!"),
        headlines("self", SITE + "self", "urn:a:self", link=SITE + "self"),
        entry("x", title="Oil sinks on weak data"),
    )
    for _ in range(2):
        link(any_store)
        assert links(any_store, "one") == [("Oil sinks on weak data", "x", "same title")]
        assert links(any_store, "self") == []
        rebuild(any_store)
    # its own title may be another's too, and two addresses may be of one entry
    poll(any_store, headlines("same", "Oil sinks on weak data", title="Oil sinks on weak data"))
    poll(any_store, headlines("both", key_of("x"), "urn:a:x"))
    link(any_store)
    assert links(any_store, "same") == [("Oil sinks on weak data", "x", "same title")]
    assert links(any_store, "both") == [(key_of("x"), "x", "named by its address")]
    poll(any_store, removed=("same",))
    # a similar headline leaves an equal one its target
    poll(any_store, headlines("two", "Oil sinks on weak US data", "Oil sinks on weak data"))
    link(any_store)
    assert links(any_store, "two") == [("Oil sinks on weak data", "x", "same title")]


def test_the_same_publisher_comes_first(any_store: SqlStore) -> None:
    title = "Oil sinks on weak data"
    poll(any_store, entry("y", source="b", title=title, published=NOW), source="b")
    poll(any_store, entry("x", title=title, published=NOW - timedelta(days=30)))
    poll(any_store, headlines("one", title, published=NOW))
    link(any_store)
    assert links(any_store, "one") == [(title, "x", "same title")]


def test_a_headline_that_very_many_name_is_linked_for_all(any_store: SqlStore) -> None:
    title = "Oil sinks on weak data"
    poll(any_store, *(headlines(f"n{number}", title, "Other") for number in range(90)))
    link(any_store)
    poll(any_store, entry("x", title=title))
    link(any_store)
    assert len(any_store.referring(key_of("x"))) == 90
    assert any_store.tasks(CONSUMER, 1) == ()
    assert any_store.check() == ()


def batch(store: SqlStore, entries: Iterable[Entry]) -> list[str]:
    """The statements that linking some entries takes, in one batch."""
    poll(store, *entries)
    with statements(store) as ran, pytest.MonkeyPatch.context() as patch:
        # however busy the machine is, a batch is done in one go
        patch.setattr("feedsvc.linking._SECONDS", 3600.0)
        assert Linker(store, lambda: NOW).run() > 0
    assert store.tasks(CONSUMER, 1) == ()
    return ran


def test_many_plain_entries_cost_as_few_statements_as_one(any_store: SqlStore) -> None:
    first = batch(any_store, [entry("one")])
    plain = [entry(f"p{number}", title=f"Quokka zebu {number}") for number in range(40)]
    # tasks, entries, whether anything waits, end of the tasks: nothing for each entry
    assert len(batch(any_store, plain)) == len(first) <= 12
    poll(any_store, *(headlines(f"w{n}", f"Okapi gnu {n}", f"Okapi ibis {n}") for n in range(60)))
    link(any_store)
    unlike = [entry(f"q{number}", title=f"Quokka zebu {number}") for number in range(40)]
    assert len(batch(any_store, unlike)) <= len(first) + 4


def test_many_headlines_cost_as_few_statements_as_one(any_store: SqlStore) -> None:
    titles = [f"Okapi {number} gnu {number * 7} ibis" for number in range(40)]
    poll(any_store, *(entry(f"t{n}", title=title) for n, title in enumerate(titles)))
    link(any_store)
    few = batch(any_store, [headlines("one", titles[0])])
    naming = [headlines(f"n{n}", *titles[n : n + 4]) for n in range(30)]
    many = batch(any_store, naming)
    assert len(links(any_store, "n5")) == 4
    assert len(many) <= len(few) + 4


def test_a_killed_linker_leaves_its_work_to_the_next(any_store: SqlStore) -> None:
    class Killed(BaseException):
        pass

    poll(any_store, entry("x", title="Oil sinks"), headlines("one", "Oil sinks"))

    def clock() -> object:
        raise Killed

    with pytest.raises(Killed):
        Linker(any_store, clock).run()  # type: ignore[arg-type]
    assert len(any_store.tasks(CONSUMER, 9)) == 2
    assert links(any_store, "one") == []
    link(any_store)
    link(any_store)
    assert links(any_store, "one") == [("Oil sinks", "x", "same title")]


def test_linkers_beside_one_another_link_everything_once(any_store: SqlStore) -> None:
    titles = [f"Okapi {number} gnu {number * 7} ibis" for number in range(120)]
    poll(any_store, *(headlines(f"n{n}", titles[-n - 1], title=t) for n, t in enumerate(titles)))
    threads = [threading.Thread(target=link, args=(any_store,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(any_store.referring(key_of(f"n{n}"))) for n in range(120)] == [1] * 120
    assert any_store.tasks(CONSUMER, 1) == ()
    assert any_store.check() == ()


def test_a_change_between_reading_and_writing_is_not_overwritten(any_store: SqlStore) -> None:
    poll(any_store, entry("x", title="Oil sinks"), headlines("one", "Oil sinks", "Gold shines"))

    class Interrupted(Linker):
        def _resolve(self, *arguments: object) -> object:  # type: ignore[override]
            found = super()._resolve(*arguments)  # type: ignore[arg-type]
            if not interruptions:
                interruptions.append(True)
                again = headlines("one", "Gold shines", "Oil sinks", digest="2")
                poll(any_store, again, now=NOW + HOUR)
            return found

    interruptions: list[bool] = []
    Interrupted(any_store, lambda: NOW).drain()
    assert links(any_store, "one") == [("Oil sinks", "x", "same title")]
    assert any_store.entry(key_of("one")).unresolved == ("Gold shines",)


def test_a_batch_ends_when_its_time_is_up(
    any_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(10**6))
    monkeypatch.setattr(feedsvc.linking, "monotonic", lambda: float(next(ticks)))
    poll(
        any_store, *(headlines(f"n{n}", *(f"Headline {n} {k}" for k in range(9))) for n in range(9))
    )
    linker = Linker(any_store, lambda: NOW)
    assert linker.run() == 1
    assert len(any_store.tasks(CONSUMER, 20)) == 8
    assert linker.drain() == 8


@pytest.mark.parametrize(("site", "linked"), [(SITE, 1), ("https://b.example/", 0)])
def test_only_the_same_publisher_is_taken_at_a_similar_word(
    any_store: SqlStore, site: str, linked: int
) -> None:
    near = "US brokers maritime truce between Ukraine and Russia"
    headline = "U.S. Brokers Collaborative Maritime Truce Between Ukraine and Russia"
    poll(any_store, entry("x", source="b", title=near, link=site + "x"), source="b")
    poll(any_store, headlines("one", headline, link=SITE))
    link(any_store)
    assert len(links(any_store, "one")) == linked
