"""Every store: entries found by address and date, and uids that change."""

from dataclasses import replace

from feedsvc.model import PollState
from feedsvc.polls import Churn, Ids
from feedsvc.store import SqlStore
from feedsvc.store.base import Mark
from tests.storekit import HOUR, NOW, add, entry, found, key_of, poll, statements, uids

LINK = "https://a.example/1"


def names(store: SqlStore, *marks: Mark, source: str = "a") -> list[str]:
    """The uids of the entries that resemble any of these marks."""
    return sorted(one.uid for one in store.resembling_many({source: marks})[source])


def test_entries_are_found_by_address_and_by_date(any_store: SqlStore) -> None:
    poll(
        any_store,
        entry("linked", link=LINK),
        entry("dated", published=NOW),
        entry("other", link="https://a.example/2"),
    )
    poll(any_store, entry("elsewhere", source="b", link=LINK, published=NOW), source="b")
    assert names(any_store, Mark(links=("http://x.example/", LINK))) == ["linked"]
    assert names(any_store, Mark(published=NOW)) == ["dated"]
    assert names(any_store, Mark(links=(LINK,)), Mark(published=NOW)) == ["dated", "linked"]
    assert names(any_store, Mark(), Mark(published=NOW + HOUR)) == []
    assert names(any_store, Mark(links=(LINK,)), source="b") == ["elsewhere"]
    (known,) = any_store.resembling_many({"a": [Mark(links=(LINK,))]})["a"]
    assert known == any_store.known("a", ["linked"])["linked"]
    assert (known.uid, known.link, known.title) == ("linked", LINK, "Title of linked")


def test_what_was_withdrawn_is_found_by_its_address(any_store: SqlStore) -> None:
    poll(any_store, entry("gone", link=LINK, published=NOW))
    poll(any_store, removed=("gone",))
    assert names(any_store, Mark(links=(LINK,))) == ["gone"]
    assert names(any_store, Mark(published=NOW)) == []


def test_a_source_without_entries_costs_one_look(any_store: SqlStore) -> None:
    add(any_store, "empty", "blank")
    asked = {"empty": [Mark(links=(LINK,), published=NOW)], "blank": [Mark(links=(LINK,))]}
    with statements(any_store) as ran:
        assert any_store.resembling_many(asked) == {"empty": (), "blank": ()}
    assert len([said for said in ran if said.startswith("SELECT")]) == 1


def test_the_newest_come_first(any_store: SqlStore) -> None:
    poll(any_store, *(entry(f"n{n}", published=NOW - n * HOUR) for n in range(5)))
    poll(any_store, removed=("n1",))
    assert [one.uid for one in any_store.newest("a", 3)] == ["n0", "n2", "n3"]
    assert any_store.newest("unknown", 3) == ()


def test_a_uid_changes_and_nothing_else(any_store: SqlStore) -> None:
    poll(any_store, entry("old"), entry("same"))
    before = any_store.entry(key_of("old"))
    poll(any_store, renamed=(("old", "new"), ("unknown", "x")), now=NOW + HOUR)
    after = any_store.entry(key_of("old"))
    assert after == replace(before, entry=replace(before.entry, uid="new"))
    assert any_store.known("a", ["old", "new"]).keys() == {"new"}
    # and at once may be written under it
    changed = entry("newer", title="Edited", digest="2", id=before.entry.id)
    poll(any_store, changed, renamed=(("new", "newer"),), now=NOW + 2 * HOUR)
    assert any_store.entry(key_of("old")).entry.title == "Edited"
    assert sorted(uids(any_store)) == ["newer", "same"]
    assert len(found(any_store)) == 2
    any_store.prune(before=NOW + HOUR, now=NOW + 3 * HOUR)
    assert any_store.known("a", ["newer"])["newer"].pruned
    assert any_store.check() == ()


def test_what_was_learned_of_a_source_is_kept(any_store: SqlStore) -> None:
    ids = Ids(by_link=NOW, calm=2, sample=((b"a", b"b"),), changed_at=NOW)
    churn = Churn(streak=5, since=NOW, taken=NOW, mark=b"\x00x")
    poll(any_store, state=PollState(next_at=NOW, ids=ids, churn=churn))
    state = any_store.source("a").state
    assert (state.ids, state.churn) == (ids, churn)
