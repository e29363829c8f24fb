"""Every store: what links entries, in both directions and in any order of arrival."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from feedsvc.keys import entry_key
from feedsvc.query.text import tokens
from feedsvc.store import SqlStore
from feedsvc.store.base import Linked, Reference, RelatedLink, Sought, Titled
from tests.storekit import HOUR, NOW, entry, key_of, poll, statements, titled, uids, waiting


def explicit(name: str, position: int = 0, score: float = 1.0) -> RelatedLink:
    return RelatedLink(
        target=key_of(name), kind="explicit", score=score, reason="same title", position=position
    )


def content(name: str, position: int = 0) -> RelatedLink:
    return RelatedLink(
        target=key_of(name), kind="content", score=0.4, reason="oil, opec", position=position
    )


def put(store: SqlStore, name: str, *links: RelatedLink, kind: str = "explicit") -> bool:
    return store.put_related(key_of(name), links, kind=kind, now=NOW + HOUR)  # type: ignore[arg-type]


def shown(store: SqlStore, name: str) -> list[tuple[str, str]]:
    return [(link.key, link.kind) for link in store.entry(key_of(name)).related]


def references(store: SqlStore, name: str) -> Sequence[Reference]:
    return store.linkable([key_of(name)])[key_of(name)].references


def named(found: Sequence[Reference]) -> list[tuple[str, int]]:
    return [(reference.key, reference.position) for reference in found]


def keys(found: Sequence[Titled]) -> list[str]:
    return [each.key for each in found]


def test_titles_are_found_by_the_telling_words_they_share(any_store: SqlStore) -> None:
    poll(
        any_store,
        entry("half", title="Talks about Istanbul and the embassy", published=NOW),
        entry("most", title="The ISTANBUL talks on grain: embassies", link="https://a.example/m"),
        entry("one", title="Istanbul in spring"),
        entry("none", title="Mountains of the north"),
        entry("gone", title="Istanbul talks: embassies, grain"),
    )
    poll(any_store, removed=("gone",))
    found = titled(any_store, "Istanbul talks: embassies, grain")
    assert keys(found) == [key_of("most"), key_of("half")]
    first = found[0]
    assert (first.id, first.source_id) == ("urn:a:most", "a")
    assert first.title == "The ISTANBUL talks on grain: embassies"
    assert (first.link, first.published) == ("https://a.example/m", NOW - timedelta(days=1))
    assert titled(any_store, "Istanbul talks: embassies, grain", 1) == found[:1]
    assert titled(any_store, "") == titled(any_store, "nothing of it") == ()
    assert any_store.titled([], 5) == any_store.waiting([], 5) == ()


def test_titles_are_found_by_their_letters_and_their_beginning(any_store: SqlStore) -> None:
    poll(
        any_store,
        entry("hyphen", title="Eye-catching"),
        entry("cut", title="What you need to know about zinc mining in Zambia"),
        entry("address", title="Else", references=("https://example.org/story?id=1",)),
    )
    assert keys(titled(any_store, "EYECATCHING!")) == [key_of("hyphen")]
    assert keys(titled(any_store, "What you need to know…")) == [key_of("cut")]
    sought = Sought(text="Some title", also=("", "https://example.org/story?id=1"))
    ((found,),) = any_store.waiting([sought], 5)
    assert found.key == key_of("address")


def test_of_equal_titles_those_of_the_source_come_first_then_the_newest(
    any_store: SqlStore,
) -> None:
    old = NOW - timedelta(days=9)
    poll(any_store, entry("new", title="Oil sinks"), entry("old", title="Oil sinks", published=old))
    poll(any_store, entry("b", source="b", title="OIL SINKS", published=old), source="b")
    (found,) = any_store.titled([Sought(text="Oil sinks", source_id="b")], 5)
    assert keys(found) == [key_of("b", "b"), key_of("new"), key_of("old")]


def test_what_is_the_same_is_found_in_any_crowd(any_store: SqlStore) -> None:
    crowd = [entry(f"c{number}", title=f"Quokka zebu {number}") for number in range(60)]
    old = entry("old", title="Zebu? Quokka!", published=NOW - timedelta(days=900))
    poll(any_store, *crowd, old)
    found = titled(any_store, "Zebu quokka", 3)
    assert found[0].key == old.key
    assert len(found) == 3
    poll(any_store, *(replace(each, references=(each.title,)) for each in [*crowd, old]))
    headlines = waiting(any_store, "Zebu quokka", 3)
    assert headlines[0].key == old.key
    assert len(headlines) == 3


def test_many_are_sought_by_as_many_statements_as_one(any_store: SqlStore) -> None:
    poll(any_store, *(entry(str(n), title=f"Quokka zebu {n} okapi {n % 7}") for n in range(90)))
    one, many = [Sought(text="Quokka zebu 1")], [Sought(text=f"Zebu quokka {n}") for n in range(90)]
    with statements(any_store) as few:
        any_store.titled(one, 5)
    with statements(any_store) as several:
        found = any_store.titled(many, 5)
    assert len(found) == 90
    assert len(several) <= len(few) + 1


def test_headlines_wait_until_they_are_resolved(any_store: SqlStore) -> None:
    poll(
        any_store,
        entry("one", references=("Black Sea truce", "Sea of grass", "Black Sea truce")),
        entry("two", references=("Grass",)),
        entry("target"),
    )
    assert named(waiting(any_store, "Black Sea truce")) == [
        (key_of("one"), 0),
        (key_of("one"), 2),
    ]
    assert any_store.waits()
    (grass,) = waiting(any_store, "Grass")
    assert grass.title == "Grass"
    assert (grass.source_id, grass.target) == ("a", None)
    assert put(any_store, "one", explicit("target", 2))
    assert named(waiting(any_store, "Black Sea truce")) == [(key_of("one"), 0)]
    assert [(each.title, each.target) for each in references(any_store, "one")] == [
        ("Black Sea truce", None),
        ("Sea of grass", None),
        ("Black Sea truce", key_of("target")),
    ]
    assert any_store.stats().unresolved == 3
    assert any_store.check() == ()


def test_references_are_seen_from_both_ends(any_store: SqlStore) -> None:
    poll(any_store, entry("target"), entry("one", references=("A", "B")))
    poll(any_store, entry("two", source="b", references=("C",)), source="b")
    put(any_store, "one", explicit("target", 1))
    any_store.put_related(key_of("two", "b"), [explicit("target")], kind="explicit", now=NOW)
    found = any_store.referring(key_of("target"))
    assert {(each.key, each.position, each.title, each.source_id) for each in found} == {
        (key_of("one"), 1, "B", "a"),
        (key_of("two", "b"), 0, "C", "b"),
    }
    assert {each.target for each in found} == {key_of("target")}
    poll(any_store, removed=("one",))
    assert named(any_store.referring(key_of("target"))) == [(key_of("two", "b"), 0)]
    for nobody in ("", "nobody", "a" * 13):
        assert any_store.referring(nobody) == ()
        assert any_store.linkable([nobody]) == {}


def test_links_are_shown_explicit_ones_first(any_store: SqlStore) -> None:
    poll(any_store, *(entry(name) for name in "xyz"), entry("one", references=("R0", "R1")))
    assert put(any_store, "one", content("x"), content("z", 3), content("y", 1), kind="content")
    assert put(any_store, "one", explicit("y", 1, 0.9), explicit("z", 0))
    stored = any_store.entry(key_of("one"))
    # what it names is not shown again as something like it
    assert shown(any_store, "one") == [
        (key_of("z"), "explicit"),
        (key_of("y"), "explicit"),
        (key_of("x"), "content"),
    ]
    assert [link.reference for link in stored.related] == ["R0", "R1", None]
    assert [link.score for link in stored.related] == [1.0, 0.9, 0.4]
    assert stored.related[2].reason == "oil, opec"
    assert stored.related[0].title == "Title of z"
    assert stored.unresolved == ()
    assert stored.entry.updated == NOW - timedelta(days=1)
    assert uids(any_store, "has:related") == ["one"]
    assert any_store.check() == ()


def test_putting_links_replaces_those_of_their_kind(any_store: SqlStore) -> None:
    poll(any_store, *(entry(name) for name in "xy"), entry("one", references=("R",)))
    assert put(any_store, "one", content("x"), kind="content")
    assert not put(any_store, "one", content("x"), kind="content")
    assert put(any_store, "one", explicit("y"))
    assert not put(any_store, "one", explicit("y"))
    assert put(any_store, "one", kind="content")
    assert shown(any_store, "one") == [(key_of("y"), "explicit")]
    assert put(any_store, "one")
    assert not put(any_store, "one")
    assert shown(any_store, "one") == []
    assert any_store.entry(key_of("one")).unresolved == ("R",)
    assert uids(any_store, "has:related") == []
    assert named(waiting(any_store, "R")) == [(key_of("one"), 0)]


def test_links_that_cannot_be_are_left_out(any_store: SqlStore) -> None:
    poll(any_store, entry("one", references=("R",)), entry("x"), entry("gone"))
    poll(any_store, removed=("gone",))
    for wrong in (explicit("one"), explicit("gone"), explicit("never"), explicit("x", 1)):
        assert not put(any_store, "one", wrong)
    assert not put(any_store, "one", replace(explicit("x"), target="no key"))
    assert not put(any_store, "one", explicit("x", -1))
    assert not put(any_store, "never", explicit("x"))
    assert not put(any_store, "gone", content("x"), kind="content")
    assert shown(any_store, "one") == []


def test_a_withdrawn_target_is_waited_for_again(any_store: SqlStore) -> None:
    poll(any_store, entry("target"), entry("one", references=("Black Sea", "Other")))
    put(any_store, "one", explicit("target"))
    put(any_store, "one", content("target"), kind="content")
    before = any_store.entry(key_of("one"))
    assert before.unresolved == ("Other",)
    poll(any_store, removed=("target",), now=NOW + 2 * HOUR)
    after = any_store.entry(key_of("one"))
    assert (after.related, after.unresolved) == ((), ("Black Sea", "Other"))
    assert after.changed == NOW + 2 * HOUR
    assert after.fingerprint != before.fingerprint
    assert named(waiting(any_store, "Black Sea")) == [(key_of("one"), 0)]
    assert uids(any_store, "has:related") == []
    assert any_store.check() == ()


def test_a_pruned_target_is_waited_for_again(any_store: SqlStore) -> None:
    poll(
        any_store,
        entry("target", published=NOW - timedelta(days=40)),
        entry("one", references=("Black Sea",)),
    )
    put(any_store, "one", explicit("target"))
    any_store.prune(before=NOW - timedelta(days=30), now=NOW + 2 * HOUR)
    after = any_store.entry(key_of("one"))
    assert (after.related, after.unresolved) == ((), ("Black Sea",))
    assert after.changed == NOW + 2 * HOUR
    assert named(waiting(any_store, "Black Sea")) == [(key_of("one"), 0)]
    assert any_store.check() == ()


def test_entries_that_name_each_other_go_together(any_store: SqlStore) -> None:
    poll(any_store, entry("one", references=("Two",)), entry("two", references=("One",)))
    put(any_store, "one", explicit("two"))
    put(any_store, "two", explicit("one"))
    poll(any_store, removed=("one", "two"))
    assert waiting(any_store, "One") == waiting(any_store, "Two") == ()
    assert any_store.check() == ()
    poll(any_store, entry("two", references=("One",)))
    assert named(waiting(any_store, "One")) == [(key_of("two"), 0)]
    any_store.prune(before=NOW, now=NOW + timedelta(days=31))
    assert any_store.stats().entries == any_store.stats().related == 0
    assert any_store.check() == ()


def test_what_is_linked_is_written_with_the_end_of_its_tasks(any_store: SqlStore) -> None:
    poll(any_store, entry("x"), entry("one", references=("R", "S")))
    one = any_store.linkable([key_of("one")])[key_of("one")]
    links = (explicit("x"), explicit("one", 1))
    seqs = [task.seq for task in any_store.tasks("link", 9)]
    assert any_store.finish_links("link", seqs[:1], [Linked(entry=one, links=links)], NOW + HOUR)
    assert shown(any_store, "one") == [(key_of("x"), "explicit")]
    assert any_store.entry(key_of("one")).changed == NOW + HOUR
    assert [task.seq for task in any_store.tasks("link", 9)] == seqs[1:]
    assert [(each.target, each.reason) for each in references(any_store, "one")] == [
        (key_of("x"), "same title"),
        (None, ""),
    ]
    assert named(waiting(any_store, "S")) == [(key_of("one"), 1)]
    assert waiting(any_store, "R") == ()
    assert any_store.check() == ()


def test_links_of_an_entry_that_changed_meanwhile_are_not_written(any_store: SqlStore) -> None:
    poll(any_store, entry("x"), entry("y"), entry("one", references=("R", "S")))
    one = any_store.linkable([key_of("one")])[key_of("one")]
    linked = [Linked(entry=one, links=(explicit("x"),))]
    seqs = [task.seq for task in any_store.tasks("link", 9)]
    put(any_store, "one", explicit("y", 1))
    assert not any_store.finish_links("link", seqs, linked, NOW + HOUR)
    assert shown(any_store, "one") == [(key_of("y"), "explicit")]
    poll(any_store, entry("one", references=("S", "R"), digest="new"))
    assert not any_store.finish_links("link", seqs, linked, NOW + HOUR)
    assert {task.seq for task in any_store.tasks("link", 9)} >= set(seqs)
    # what has gone needs no links, and what a link led to may have gone
    again = any_store.linkable([key_of("one")])[key_of("one")]
    poll(any_store, removed=("x",))
    linked = [Linked(entry=again, links=(explicit("y"), explicit("x", 1)))]
    assert any_store.finish_links("link", seqs, linked, NOW + HOUR)
    assert shown(any_store, "one") == [(key_of("y"), "explicit")]
    again = any_store.linkable([key_of("one")])[key_of("one")]
    poll(any_store, removed=("one",))
    assert any_store.finish_links("link", [], [Linked(entry=again, links=())], NOW + HOUR)
    assert any_store.check() == ()


def test_an_entry_is_looked_up_by_key_id_or_link(any_store: SqlStore) -> None:
    link = "https://example.org/story?id=1"
    poll(
        any_store,
        entry("one", link=link, published=NOW - 2 * HOUR),
        entry("two", link=link, published=NOW - HOUR),
        entry("gone", link=link, published=NOW),
    )
    poll(any_store, removed=("gone",))
    assert any_store.lookup(key_of("one")) == key_of("one")
    assert any_store.lookup("urn:a:one") == key_of("one")
    assert any_store.lookup(link) == key_of("two")
    nobody = ("urn:a:gone", key_of("gone"), "one", link.upper(), "", "\0", "\ud800")
    for name in nobody:
        assert any_store.lookup(name) is None
    assert any_store.lookups([key_of("one"), "urn:a:two", link, *nobody]) == {
        key_of("one"): key_of("one"),
        "urn:a:two": key_of("two"),
        link: key_of("two"),
    }


def test_everything_may_be_queued_again_in_batches(any_store: SqlStore) -> None:
    poll(any_store, *(entry(str(number)) for number in range(7)), entry("gone"))
    poll(any_store, removed=("gone",))
    any_store.done("link", [task.seq for task in any_store.tasks("link", 100)])
    after, rounds = any_store.requeue("link", None, 3), 1
    while after is not None:
        after, rounds = any_store.requeue("link", after, 3), rounds + 1
    assert rounds == 3
    tasks = any_store.tasks("link", 100)
    assert sorted(task.key for task in tasks) == sorted(key_of(str(n)) for n in range(7))
    assert {task.change for task in tasks} == {"updated"}


def test_links_between_sources_follow_their_target(any_store: SqlStore) -> None:
    poll(any_store, entry("target", source="b", title="Old"), source="b")
    poll(any_store, entry("one", references=("Old",)))
    link = replace(explicit("target"), target=key_of("target", "b"))
    assert put(any_store, "one", link)
    before = any_store.entry(key_of("one"))
    later = NOW + 5 * HOUR
    poll(any_store, entry("target", source="b", title="New"), source="b", now=later)
    after = any_store.entry(key_of("one"))
    assert after.related[0].title == "New"
    assert after.changed == later
    assert after.fingerprint != before.fingerprint
    assert after.entry.updated == before.entry.updated
    assert any_store.lookup(entry_key("urn:b:target")) == key_of("target", "b")
    assert tokens(after.related[0].title) == ["new"]
