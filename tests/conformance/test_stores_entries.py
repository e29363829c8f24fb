"""Every store: what a poll writes, and what becomes of it."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from feedsvc.errors import NotFound
from feedsvc.keys import entry_key
from feedsvc.model import Category, Entry, Link, Person, PollState, SourceMeta, Tag, Text
from feedsvc.store import SqlStore
from feedsvc.store.base import PollResult, RelatedLink
from feedsvc.vocabulary import Extension
from tests.storekit import HOUR, NOW, claim, entry, found, key_of, poll, tag, titled, uids, waiting

FULL = Entry(
    id="https://example.org/ünï?a=1&b=2#frag",
    fallback_id="tag:example.org,2026:fallback",
    key=entry_key("https://example.org/ünï?a=1&b=2#frag"),
    source_id="a",
    uid="guid with \N{SNOWMAN} and 'quotes' \"both\" \\ and %s :name",
    title="Title — with “quotes”, \N{PILE OF POO} & <angles>",
    published=datetime(1969, 7, 20, 20, 17, 40, 1, tzinfo=UTC),
    updated=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    dated=False,
    digest="abc",
    link="https://example.org/ünï",
    links=(
        Link(href="https://example.org/ünï"),
        Link(
            href="https://example.org/a.mp3",
            rel="enclosure",
            type="audio/mpeg",
            hreflang="de",
            title="Audio",
            length=2**40,
            duration=3600,
        ),
    ),
    summary=Text(value="<p>Summary</p>", type="html", lang="en"),
    content=Text(value="Plain\ncontent\0 with a NUL"),
    credit="(With inputs from agencies.)",
    authors=(Person(name="Ann", email="ann@example.org", uri="https://ann.example/"),),
    contributors=(Person(name="Bob"), Person(name="Çem")),
    categories=(Category(term="t", scheme="https://s.example/", label="T"), Category(term="u")),
    tags=(
        Tag(slug="united-states", label="U.S.", origin="rule", evidence="U.S. in the title"),
        Tag(slug="united-states", label="United States", origin="feed"),
        Tag(slug="русский", label="Русский", origin="auto"),
    ),
    references=("One headline", "Another", "One headline"),
    published_text="last Sunday",
    fulltext=True,
    modified=NOW - HOUR,
    rights="© 2026",
    lang="de-AT",
    source=SourceMeta(
        id="urn:origin",
        title="Origin",
        subtitle="Sub",
        link="https://o.example/",
        self_link="https://o.example/feed",
        authors=(Person(name="Owner"),),
        categories=(Category(term="c"),),
        rights="r",
        icon="https://o.example/i.png",
        logo="https://o.example/l.png",
        lang="fr",
        updated=datetime(2025, 5, 5, tzinfo=UTC),
        hub="https://hub.example/",
    ),
    extensions=(
        Extension(name="itunes:season", text="2"),
        Extension(
            name="podcast:value",
            attributes=(("type", "lightning"),),
            children=(Extension(name="podcast:valueRecipient", attributes=(("split", "50"),)),),
        ),
    ),
)


def test_an_entry_comes_back_as_it_was(any_store: SqlStore) -> None:
    meta = SourceMeta(title="Feed", updated=NOW, rights="all")
    assert poll(any_store, FULL, meta=meta).new == (FULL.key,)
    (stored,) = found(any_store)
    assert stored.entry == FULL
    assert stored == any_store.entry(FULL.key)
    # when the feed was updated is no matter of its entries
    assert stored.source == replace(meta, updated=None)
    assert stored.source_title == "Feed"
    assert (stored.first_seen, stored.changed, stored.withdrawn) == (NOW, NOW, None)
    assert stored.unresolved == FULL.references
    assert all(getattr(FULL, field.name) for field in fields(FULL) if field.name != "dated")


def test_a_bare_entry_comes_back_as_it_was(any_store: SqlStore) -> None:
    poll(any_store, bare := entry("bare"))
    (stored,) = found(any_store)
    assert stored.entry == bare
    assert stored.source == SourceMeta()
    assert stored.source_title == "a"


def test_text_no_database_takes_is_made_fit(any_store: SqlStore) -> None:
    odd = entry(
        "odd",
        uid="uid\0\ud800",
        title="a\0b\udfffc",
        tags=["x\0y"],
        link="https://example.org/\ud800",
        references=("re\0f\ud800",),
        summary=Text(value="half \ud83d a pair"),
        lang="e\0n",
    )
    poll(any_store, odd, state=PollState(error="\0bad \udc00", next_at=NOW))
    (stored,) = found(any_store, "pair")
    assert stored.entry.title == "ab\ufffd\ufffd\ufffdc"
    assert set(any_store.known("a", [odd.uid])) == {odd.uid}
    assert any_store.check() == ()
    assert poll(any_store, odd).updated == (odd.key,)


def test_an_update_keeps_id_and_first_sight(any_store: SqlStore) -> None:
    poll(any_store, entry("one", tags=["x"]), entry("two"))
    before = any_store.entry(key_of("one"))
    changed = entry("one", id="urn:another", title="New", tags=["y"], digest="new", link="l")
    later = NOW + HOUR
    done = poll(any_store, changed, now=later)
    assert (done.new, done.updated) == ((), (key_of("one"),))
    stored = any_store.entry(key_of("one"))
    assert stored.entry == replace(changed, id="urn:a:one", key=key_of("one"))
    assert (stored.first_seen, stored.changed) == (NOW, later)
    assert stored.fingerprint != before.fingerprint
    assert [(found.slug, found.count) for found in any_store.tags()] == [("y", 1)]
    assert uids(any_store, "title:new") == ["one"]
    assert uids(any_store, 'title:"title of one"') == []
    assert any_store.check() == ()


def test_writing_the_same_again_changes_nothing_shown(any_store: SqlStore) -> None:
    poll(any_store, FULL, meta=SourceMeta(title="Feed", updated=NOW))
    before = any_store.entry(FULL.key)
    poll(any_store, FULL, meta=SourceMeta(title="Feed", updated=NOW + HOUR), now=NOW + HOUR)
    assert any_store.entry(FULL.key).fingerprint == before.fingerprint


def test_of_two_entries_with_one_uid_the_last_counts(any_store: SqlStore) -> None:
    poll(any_store, entry("one", title="First"), entry("one", title="Last"))
    assert [stored.entry.title for stored in found(any_store)] == ["Last"]


def test_an_id_another_source_holds_is_left_to_it(any_store: SqlStore) -> None:
    shared = {"id": "urn:shared", "title": "Shared"}
    poll(any_store, entry("one", **shared))
    theirs = entry("two", source="b", **shared)
    key = entry_key(theirs.fallback_id)
    assert poll(any_store, theirs, source="b").new == (key,)
    assert any_store.known("b", ["two"])["two"].id == theirs.fallback_id
    assert any_store.entry(key).entry.key == key
    assert len(found(any_store)) == 2
    # it stays so, also when the first is gone
    poll(any_store, removed=("one",))
    assert poll(any_store, replace(theirs, title="New"), source="b").updated == (key,)
    assert any_store.entry(key).entry.id == theirs.fallback_id
    assert any_store.entry(entry_key("urn:shared")).entry.source_id == "a"


def test_ids_that_clash_every_way_still_get_one_each(any_store: SqlStore) -> None:
    same = {"id": "urn:same", "fallback_id": "urn:fallback"}
    poll(any_store, *(entry(name, **same) for name in ("one", "two", "three", "four")))
    ids = {stored.entry.id for stored in found(any_store)}
    assert len(ids) == 4
    assert {"urn:same", "urn:fallback"} < ids
    assert any_store.check() == ()


def test_a_withdrawn_entry_leaves_and_may_come_back(any_store: SqlStore) -> None:
    one = entry("one", tags=["x"], references=("Elsewhere",))
    poll(any_store, one, entry("two", tags=["x"]))
    before = any_store.entry(one.key)
    done = poll(any_store, removed=("one", "unknown"), now=NOW + HOUR)
    assert done.withdrawn == (one.key,)
    assert uids(any_store) == uids(any_store, "tag:x") == uids(any_store, "title") == ["two"]
    assert any_store.tags()[0].count == 1
    assert one.key not in [found.key for found in titled(any_store, "Title of one")]
    assert waiting(any_store, "Elsewhere") == ()
    assert any_store.entry(one.key).withdrawn == NOW + HOUR
    assert poll(any_store, removed=("one",), now=NOW + 2 * HOUR).withdrawn == ()
    assert any_store.entry(one.key).withdrawn == NOW + HOUR
    assert any_store.check() == ()

    assert poll(any_store, one, now=NOW + 3 * HOUR).updated == (one.key,)
    after = any_store.entry(one.key)
    assert after == replace(before, changed=NOW + 3 * HOUR)
    assert sorted(uids(any_store, "tag:x")) == ["one", "two"]
    assert any_store.tags()[0].count == 2
    assert titled(any_store, "Title of one")[0].key == one.key
    assert [found.key for found in waiting(any_store, "Elsewhere")] == [one.key]
    assert any_store.check() == ()


def test_an_entry_that_is_removed_and_there_is_there(any_store: SqlStore) -> None:
    poll(any_store, entry("one"))
    done = poll(any_store, entry("one", title="Renamed"), removed=("one",))
    assert (done.updated, done.withdrawn) == ((key_of("one"),), ())
    assert uids(any_store) == ["one"]


def test_what_is_pruned_never_comes_back(any_store: SqlStore) -> None:
    old = entry("old", published=NOW - timedelta(days=40), tags=["x"])
    gone = entry("gone", published=NOW - timedelta(days=40))
    young = entry("young", tags=["x"])
    poll(any_store, old, gone, young)
    poll(any_store, removed=("gone",))
    assert any_store.prune(before=NOW - timedelta(days=30), now=NOW) == 1
    assert any_store.prune(before=NOW - timedelta(days=30), now=NOW) == 0
    assert uids(any_store) == ["young"]
    assert [found.count for found in any_store.tags()] == [1]
    assert poll(any_store, old, young, now=NOW + HOUR).new == ()
    assert poll(any_store, old, removed=("old",), now=NOW + HOUR).withdrawn == ()
    assert uids(any_store) == ["young"]
    # the tombstone of what was withdrawn is kept for as long as it shows
    assert any_store.entry(gone.key).withdrawn == NOW
    assert any_store.prune(before=NOW, now=NOW + timedelta(days=30)) == 2
    assert any_store.known("a", ["gone"])["gone"].pruned
    assert any_store.check() == ()


def test_pruning_goes_on_until_nothing_is_left(any_store: SqlStore) -> None:
    any_store.tuning = replace(any_store.tuning, batch=7)
    poll(any_store, *(entry(str(number), tags=["x"]) for number in range(30)))
    assert any_store.prune(before=NOW, now=NOW) == 30
    assert any_store.tags() == ()
    assert any_store.stats().pruned == 30
    assert any_store.check() == ()


def test_tags_are_replaced_without_touching_the_entry(any_store: SqlStore) -> None:
    one = entry("one", tags=["x", "y"])
    poll(any_store, one, entry("two", tags=["y"]))
    before = any_store.entry(one.key)
    later = NOW + HOUR
    new = (tag("y"), Tag(slug="z", label="Z", origin="rule", evidence="because"))
    assert any_store.put_tags(one.key, new, later)
    assert not any_store.put_tags(one.key, new, later)
    after = any_store.entry(one.key)
    assert after.entry == replace(one, tags=new)
    assert after.changed == later
    assert after.fingerprint != before.fingerprint
    assert {found.slug: found.count for found in any_store.tags()} == {"y": 2, "z": 1}
    assert uids(any_store, "tag:z") == ["one"]
    assert uids(any_store, "tag:x") == []
    assert any_store.put_tags(one.key, (), later)
    assert {found.slug: found.count for found in any_store.tags()} == {"y": 1}
    assert not any_store.put_tags("nobody", new, later)
    assert any_store.check() == ()


def test_tags_of_a_withdrawn_entry_are_not_counted(any_store: SqlStore) -> None:
    poll(any_store, entry("one", tags=["x"]))
    poll(any_store, removed=("one",))
    assert any_store.put_tags(key_of("one"), [tag("y")], NOW)
    assert any_store.tags() == ()
    poll(any_store, entry("one", tags=["y"]))
    assert [found.slug for found in any_store.tags()] == ["y"]
    assert any_store.check() == ()


def test_tags_are_listed_by_count_then_slug(any_store: SqlStore) -> None:
    poll(
        any_store,
        entry("one", tags=["b", "a", "a-1", "a1", "é", "b%"]),
        entry("two", tags=["b"]),
    )
    listed = [found.slug for found in any_store.tags()]
    assert listed == ["b", "a", "a-1", "a1", "b%", "é"]
    assert [found.slug for found in any_store.tags(prefix="a")] == ["a", "a-1", "a1"]
    assert [found.slug for found in any_store.tags(prefix="b%")] == ["b%"]
    assert [found.slug for found in any_store.tags(limit=2)] == ["b", "a"]


@pytest.mark.parametrize("labels", [["russia", "Russia", "RUSSIA"], ["RUSSIA", "russia", "Russia"]])
def test_a_tags_label_does_not_depend_on_who_came_first(
    any_store: SqlStore, labels: list[str]
) -> None:
    for number, label in enumerate(labels):
        tags = (tag("russia", label), tag("us", label="US"))
        poll(any_store, replace(entry(str(number)), tags=tags), now=NOW + number * HOUR)
    assert [found.label for found in any_store.tags()] == ["Russia", "US"]


def test_every_change_is_posted_to_the_outbox_in_order(any_store: SqlStore) -> None:
    poll(any_store, entry("one"))
    poll(any_store, entry("one", title="New"))
    poll(any_store, removed=("one",))
    tasks = any_store.tasks("link", 10)
    assert [task.change for task in tasks] == ["new", "updated", "withdrawn"]
    assert {task.key for task in tasks} == {key_of("one")}
    assert [task.seq for task in tasks] == sorted(task.seq for task in tasks)
    any_store.done("link", [tasks[1].seq])
    assert any_store.tasks("link", 10) == (tasks[0], tasks[2])
    assert any_store.tasks("link", 1) == tasks[:1]
    assert any_store.tasks("nobody", 10) == ()
    any_store.done("nobody", [task.seq for task in tasks])
    assert len(any_store.tasks("link", 10)) == 2


def statements(store: SqlStore, work: Callable[[], object]) -> list[str]:
    """What SQL something takes."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    return seen


def test_the_number_of_statements_does_not_grow_with_the_entries(any_store: SqlStore) -> None:
    def write(number: int, title: str) -> int:
        entries = tuple(
            entry(
                f"{number}-{at}",
                title=f"{title} {at}",
                tags=["x", f"y{at}"],
                references=(f"Some {at}", f"Other {at}"),
            )
            for at in range(number)
        )
        held = claim(any_store)
        result = PollResult(state=PollState(next_at=NOW), entries=entries)
        return len(statements(any_store, lambda: any_store.finish_poll(held, result, NOW)))

    few, many = write(2, "New"), write(200, "New")
    assert many <= few + 1 <= 23
    few, many = write(2, "Changed"), write(200, "Changed")
    assert many <= few + 1 <= 30
    held = claim(any_store)
    idle = PollResult(state=PollState(next_at=NOW))
    assert len(statements(any_store, lambda: any_store.finish_poll(held, idle, NOW))) <= 4


def test_unchanged_polls_with_a_head_write_little(any_store: SqlStore) -> None:
    meta = SourceMeta(title="Feed", updated=NOW)
    poll(any_store, entry("one"), meta=meta)
    held = claim(any_store)
    result = PollResult(state=PollState(next_at=NOW), meta=meta)
    change = any_store.change()
    seen = statements(any_store, lambda: any_store.finish_poll(held, result, NOW))
    assert len(seen) <= 6
    assert any_store.change() == change


def test_keys_walk_every_live_entry_newest_first(any_store: SqlStore) -> None:
    poll(
        any_store,
        *(entry(str(number), published=NOW - number % 3 * HOUR) for number in range(10)),
        entry("gone"),
    )
    poll(any_store, removed=("gone",))
    walked: list[str] = []
    after: str | None = None
    while True:
        some, after = any_store.keys(after, 4)
        walked += some
        if after is None:
            break
    assert walked == [stored.entry.key for stored in found(any_store)]


def test_entries_that_nobody_has_are_not_found(any_store: SqlStore) -> None:
    for key in (entry_key("urn:nothing"), "", "not a key", "\0", "a" * 13, "\ud800"):
        with pytest.raises(NotFound, match="there is no entry"):
            any_store.entry(key)


def test_links_survive_an_update_of_either_end(any_store: SqlStore) -> None:
    poll(any_store, entry("one", references=("Two", "Three")), entry("two"), entry("three"))
    links = [
        RelatedLink(target=key_of(name), kind="explicit", score=0.5, reason="r", position=at)
        for at, name in enumerate(("two", "three"))
    ]
    any_store.put_related(key_of("one"), links, kind="explicit", now=NOW)
    poll(any_store, entry("one", references=("Four", "Three"), digest="new"))
    stored = any_store.entry(key_of("one"))
    assert [(link.key, link.reference) for link in stored.related] == [(key_of("three"), "Three")]
    assert stored.unresolved == ("Four",)
    assert waiting(any_store, "Two") == ()
    assert [found.title for found in waiting(any_store, "Four")] == ["Four"]
    poll(any_store, entry("three", title="Third", link="https://three.example/"))
    again = any_store.entry(key_of("one"))
    assert (again.related[0].title, again.related[0].link) == ("Third", "https://three.example/")
    assert again.fingerprint != stored.fingerprint
    assert any_store.check() == ()
