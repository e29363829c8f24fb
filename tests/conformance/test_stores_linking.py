"""Every store: what links entries, in both directions and in any order of arrival."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from feedsvc.model import entry_key
from feedsvc.query.text import tokens
from feedsvc.store import SqlStore
from feedsvc.store.base import Reference, RelatedLink
from tests.storekit import HOUR, NOW, entry, key_of, poll, uids


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


def named(found: Sequence[Reference]) -> list[tuple[str, int]]:
    return [(reference.key, reference.position) for reference in found]


def test_titles_are_found_by_the_words_they_share(any_store: SqlStore) -> None:
    poll(
        any_store,
        entry("both", title="Black Sea ceasefire"),
        entry("one", title="Sea of grass", published=NOW - 3 * HOUR),
        entry("newer", title="By the SEA — a Séa", published=NOW - 2 * HOUR),
        entry("none", title="Mountains"),
        entry("gone", title="Black Sea"),
    )
    poll(any_store, removed=("gone",))
    found = any_store.titled(["black", "sea", "sea"], 10)
    assert [each.key for each in found] == [key_of(name) for name in ("both", "newer", "one")]
    first = found[0]
    assert (first.id, first.title, first.source_id) == ("urn:a:both", "Black Sea ceasefire", "a")
    assert (first.link, first.published) == (None, NOW - timedelta(days=1))
    assert any_store.titled(["black", "sea"], 1) == found[:1]
    assert any_store.titled([], 5) == any_store.titled(["nothing"], 5) == ()


def test_a_rare_word_is_found_among_very_common_ones(any_store: SqlStore) -> None:
    crowd = [entry(f"c{number}", title=f"The news of {number}") for number in range(60)]
    old = entry("old", title="The news of zanzibar", published=NOW - timedelta(days=900))
    poll(any_store, *crowd, old)
    found = any_store.titled(["the", "news", "of", "zanzibar"], 3)
    assert found[0].key == old.key
    assert len(found) == 3
    poll(any_store, *(replace(each, references=(each.title,)) for each in [*crowd, old]))
    waiting = any_store.waiting(["the", "news", "of", "zanzibar"], 3)
    assert waiting[0].key == old.key


def test_headlines_wait_until_they_are_resolved(any_store: SqlStore) -> None:
    poll(
        any_store,
        entry("one", references=("Black Sea truce", "Sea of grass", "Black Sea truce")),
        entry("two", references=("Grass",)),
        entry("target"),
    )
    assert named(any_store.waiting(["black", "sea", "truce"], 10)) == [
        (key_of("one"), 0),
        (key_of("one"), 2),
        (key_of("one"), 1),
    ]
    (grass,) = any_store.waiting(["grass"], 1)
    assert grass.title in ("Grass", "Sea of grass")
    assert (grass.source_id, grass.target) == ("a", None)
    assert put(any_store, "one", explicit("target", 2))
    assert named(any_store.waiting(["black", "sea", "truce"], 10)) == [
        (key_of("one"), 0),
        (key_of("one"), 1),
    ]
    assert [(each.title, each.target) for each in any_store.references(key_of("one"))] == [
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
        assert any_store.references(nobody) == any_store.referring(nobody) == ()


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
    assert named(any_store.waiting(["r"], 5)) == [(key_of("one"), 0)]


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
    assert named(any_store.waiting(["black", "sea"], 5)) == [(key_of("one"), 0)]
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
    assert named(any_store.waiting(["black", "sea"], 5)) == [(key_of("one"), 0)]
    assert any_store.check() == ()


def test_entries_that_name_each_other_go_together(any_store: SqlStore) -> None:
    poll(any_store, entry("one", references=("Two",)), entry("two", references=("One",)))
    put(any_store, "one", explicit("two"))
    put(any_store, "two", explicit("one"))
    poll(any_store, removed=("one", "two"))
    assert any_store.waiting(["one"], 5) == any_store.waiting(["two"], 5) == ()
    assert any_store.check() == ()
    poll(any_store, entry("two", references=("One",)))
    assert named(any_store.waiting(["one"], 5)) == [(key_of("two"), 0)]
    any_store.prune(before=NOW, now=NOW + timedelta(days=31))
    assert any_store.stats().entries == any_store.stats().related == 0
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
    for name in ("urn:a:gone", key_of("gone"), "one", link.upper(), "", "\0", "\ud800"):
        assert any_store.lookup(name) is None


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
