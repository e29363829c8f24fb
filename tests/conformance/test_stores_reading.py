"""Every store: pages, their cursors, and the marks that ETags are made of."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from feedsvc.errors import OptionError
from feedsvc.keys import entry_key, key_number
from feedsvc.model import DeletedEntry, PollState, Source, SourceMeta, Text
from feedsvc.query import EntryQuery, parse
from feedsvc.store import BACKENDS, SqlStore
from feedsvc.store.base import Head, Page, PollResult, RelatedLink
from tests.storekit import HOUR, NOW, add, claim, entry, found, key_of, poll, uids

ALL = parse("")
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def pages(
    store: SqlStore,
    query: EntryQuery,
    limit: int,
    between: Callable[[], object] = lambda: None,
) -> Iterator[Page]:
    """All pages of a feed, with something happening between each two."""
    page = store.find(query, limit=limit, now=NOW)
    yield page
    while page.next is not None:
        between()
        page = store.find(query, limit=limit, now=NOW, before=page.next)
        yield page


def walked(found: Iterator[Page]) -> list[str]:
    return [stored.entry.uid for page in found for stored in page.entries]


def head(store: SqlStore, query: str = "", *, now: datetime = NOW, limit: int = 50) -> Head:
    return store.head(parse(query), limit=limit, now=now)


def test_newest_come_first_and_equal_dates_by_key(any_store: SqlStore) -> None:
    entries = [
        entry(str(number), published=NOW - number // 5 * HOUR, tags=["x"]) for number in range(20)
    ]
    poll(any_store, *entries)
    ordered = sorted(entries, key=lambda each: (each.published, key_number(each.id)), reverse=True)
    expected = [each.uid for each in ordered]
    assert uids(any_store) == uids(any_store, "tag:x") == uids(any_store, "title") == expected


def test_updated_is_an_order_of_its_own(any_store: SqlStore) -> None:
    names = ["a", "b", "c"]
    poll(
        any_store,
        *(
            entry(name, published=NOW - at * HOUR, updated=NOW - (3 - at) * HOUR, tags=["x"])
            for at, name in enumerate(names)
        ),
    )
    assert uids(any_store) == names
    for query in ("sort:updated", "tag:x sort:updated", "source:a sort:updated", "of sort:updated"):
        assert uids(any_store, query) == names[::-1]


def test_pages_miss_and_repeat_nothing_while_entries_arrive(any_store: SqlStore) -> None:
    poll(
        any_store,
        *(
            entry(
                str(number),
                published=NOW - number % 4 * HOUR,
                updated=NOW - number % 5 * HOUR,
                tags=["x", "y"] if number % 10 == 0 else ["x"],
            )
            for number in range(30)
        ),
    )
    arrived = itertools.count(1)

    def arrive() -> None:
        later = NOW + next(arrived) * MINUTE
        poll(any_store, entry(f"new-{later}", published=later, updated=later, tags=["x"]))

    for query in ("", "tag:x", "title", "source:a", "tag:x OR tag:y", "-tag:y", "sort:updated"):
        for limit in (1, 7, len(uids(any_store, query, limit=500))):
            expected = uids(any_store, query, limit=500)[: 4 * limit]
            found = list(itertools.islice(pages(any_store, parse(query), limit, arrive), 4))
            assert walked(iter(found)) == expected
            assert all(len(page.entries) == limit for page in found[:-1])


def test_pages_are_whole_under_concurrent_writers(any_store: SqlStore) -> None:
    poll(any_store, *(entry(f"old-{number}") for number in range(60)))
    expected = uids(any_store)
    stop = threading.Event()

    def write(source: str) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            when = NOW + number * MINUTE
            fresh = (
                entry(f"{source}-{number}-{at}", source=source, published=when) for at in range(3)
            )
            poll(any_store, *fresh, source=source, now=when)

    add(any_store, "w1", "w2")
    writers = [threading.Thread(target=write, args=(name,)) for name in ("w1", "w2")]
    for writer in writers:
        writer.start()
    try:
        for _ in range(3):
            seen = walked(pages(any_store, ALL, 7))
            assert len(seen) == len(set(seen))
            assert [uid for uid in seen if uid.startswith("old")] == expected
    finally:
        stop.set()
        for writer in writers:
            writer.join()


def test_relevance_ranks_and_pages(any_store: SqlStore) -> None:
    body = Text(value="harbour news " + "filler " * 50)
    poll(
        any_store,
        entry("body", content=body, published=NOW - HOUR),
        entry("title", title="Harbour opens", published=NOW - 3 * HOUR),
        entry("often", content=Text(value="harbour " * 20), published=NOW - 4 * HOUR),
        entry("none"),
    )
    assert uids(any_store, "harbour sort:relevance") == ["title", "often", "body"]
    query = parse("harbour sort:relevance")
    faint = Text(value="harbour " + "filler " * 900)
    arrived = iter(range(100))

    def arrive() -> None:
        later = NOW + next(arrived) * HOUR
        poll(any_store, entry(f"best-{later}", title="Harbour harbour", published=later))
        poll(any_store, entry(f"least-{later}", content=faint, published=later))

    assert walked(pages(any_store, query, 1, arrive)) == ["title", "often", "body"]
    # without words it is the order by date
    assert uids(any_store, "-harbour sort:relevance") == uids(any_store, "-harbour")


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "cAAGRyAKcYAAGfSnjEyFV8", "é", "A" * 500])
def test_a_bad_cursor_is_the_users_error(any_store: SqlStore, cursor: str) -> None:
    for ask in (any_store.find, any_store.head):
        with pytest.raises(OptionError, match="not where a page"):
            ask(ALL, limit=5, now=NOW, before=cursor)


def test_a_cursor_of_another_order_is_bad(any_store: SqlStore) -> None:
    poll(any_store, entry("one"), entry("two"))
    for sort in ("published", "updated", "relevance"):
        cursor = any_store.find(parse(f"sort:{sort}"), limit=1, now=NOW).next
        assert cursor is not None
        assert cursor.replace("-", "").replace("_", "").isalnum()
        for other in {"published", "updated", "relevance"} - {sort}:
            with pytest.raises(OptionError):
                any_store.find(parse(f"sort:{other}"), limit=1, now=NOW, before=cursor)


def test_count_counts_all_pages(any_store: SqlStore) -> None:
    poll(any_store, *(entry(str(number), tags=["x"][: number % 2]) for number in range(11)))
    assert any_store.count(ALL, now=NOW) == 11
    assert any_store.count(parse("tag:x"), now=NOW) == 5
    assert any_store.count(parse("tag:nothing"), now=NOW) == 0


# -- marks ---------------------------------------------------------------------------------------


def test_head_says_what_find_will_show(any_store: SqlStore) -> None:
    poll(any_store, *(entry(str(number), tags=["x"]) for number in range(9)))
    page, marks = any_store.find(ALL, limit=5, now=NOW), any_store.head(ALL, limit=5, now=NOW)
    assert marks.marks == tuple((each.entry.key, each.fingerprint) for each in page.entries)
    assert marks.next == page.next
    assert marks.newest == NOW - DAY
    assert marks.changed == NOW
    rest = any_store.head(ALL, limit=5, now=NOW, before=page.next)
    assert len(rest.marks) == 4
    assert rest.next is None


def test_an_empty_feed_has_an_empty_head(any_store: SqlStore) -> None:
    assert head(any_store) == Head()


def fingerprint(store: SqlStore, name: str) -> str:
    return store.entry(key_of(name)).fingerprint


def test_fingerprints_move_with_everything_shown(any_store: SqlStore) -> None:
    base = entry("one", references=("Two",), tags=["x"])
    poll(any_store, base, entry("two"))
    prints = [fingerprint(any_store, "one")]

    def moved() -> bool:
        prints.append(fingerprint(any_store, "one"))
        return prints[-1] not in prints[:-1]

    link = RelatedLink(target=key_of("two"), kind="explicit", score=0.9, reason="r", position=0)
    any_store.put_related(base.key, [link], kind="explicit", now=NOW)
    assert moved()
    any_store.put_related(base.key, [replace(link, score=0.8)], kind="explicit", now=NOW)
    assert moved()
    poll(any_store, entry("two", link="https://two.example/"))
    assert moved()
    poll(any_store, entry("two", link="https://two.example/", title="Second"))
    assert moved()
    any_store.put_tags(base.key, (), NOW)
    assert moved()
    poll(any_store, meta=SourceMeta(title="Feed"))
    assert moved()
    any_store.declare_sources(
        [Source(id="a", kind="feed", location="https://a.example/feed", title="Ours")], NOW
    )
    assert moved()
    poll(any_store, removed=("two",))
    assert moved()
    for change in (
        {"title": "T"},
        {"published": NOW},
        {"updated": NOW},
        {"link": "l"},
        {"content": Text(value="c")},
        {"credit": "c"},
        {"rights": "r"},
        {"lang": "de"},
        {"references": ("Three",)},
    ):
        poll(any_store, base)
        plain = fingerprint(any_store, "one")
        poll(any_store, replace(base, **change))
        assert fingerprint(any_store, "one") != plain, change
    assert any_store.check() == ()


def test_fingerprints_do_not_move_with_what_is_not_shown(any_store: SqlStore) -> None:
    poll(any_store, entry("one", references=("Two",)))
    before = fingerprint(any_store, "one")
    poll(any_store, entry("other"), meta=SourceMeta(updated=NOW))
    poll(any_store, state=PollState(error="busy", next_at=NOW), now=NOW + HOUR)
    poll(any_store, entry("one", references=("Two",), digest="other"), now=NOW + HOUR)
    assert fingerprint(any_store, "one") == before


def scattered(store: SqlStore, seed: int) -> None:
    """Writes the same content in an order of its own, by a way of its own."""
    random = Random(seed)
    names = [f"{source}{number}" for source in "ab" for number in range(12)]
    random.shuffle(names)
    made = [
        entry(
            name,
            source=name[0],
            title=f"Report {name} of harbour",
            tags=["x", f"y{len(name)}", f"z{name[-1]}"],
            published=NOW - int(name[1:]) % 3 * HOUR,
            references=(f"Report {names_of(name)} of harbour",),
            content=Text(value=f"<p>Words {name}</p>", type="html"),
        )
        for name in names
    ]
    add(store, *random.sample("ab", 2))
    if random.random() < 0.5:
        poll(store, entry("gone", title="Was here"), source="a")
    for each in made:
        poll(store, each, source=each.source_id)
    random.shuffle(made)
    for each in made:
        target = names_of(each.uid)
        link = RelatedLink(
            target=key_of(target, target[0]), kind="explicit", score=0.75, reason="r", position=0
        )
        store.put_related(each.key, [link], kind="explicit", now=NOW)
    poll(store, removed=("a3", "gone"), source="a")
    poll(store, removed=("b4",), source="b")


def names_of(name: str) -> str:
    return f"{'b' if name[0] == 'a' else 'a'}{(int(name[1:]) + 1) % 12}"


def test_equal_content_is_equal_in_every_store(open_fresh: Callable[[str], SqlStore]) -> None:
    stores = [open_fresh(backend) for backend in sorted(BACKENDS) for _ in range(2)]
    for seed, store in enumerate(stores):
        scattered(store, seed)
    for query in ("", "tag:x", "tag:y3", "harbour", "sort:updated", "report sort:relevance"):
        heads = [store.head(parse(query), limit=7, now=NOW) for store in stores]
        assert len({(each.marks, each.next) for each in heads}) == 1
        followed = [
            store.head(parse(query), limit=7, now=NOW, before=heads[0].next).marks
            for store in stores
        ]
        assert len(set(followed)) == 1
    assert len({store.tags() for store in stores}) == 1
    for store in stores:
        assert store.check() == ()


# -- what was removed, and when anything changed -------------------------------------------------


def test_tombstones_show_for_a_month_where_the_entry_would(any_store: SqlStore) -> None:
    one = entry("one", tags=["x"], title="Harbour")
    poll(any_store, one, entry("two"))
    when = NOW + HOUR
    poll(any_store, removed=("one",), now=when)
    poll(any_store, removed=("two",), now=when + HOUR)
    stone = DeletedEntry(id=one.id, key=one.key, when=when)
    for query in ("tag:x", "harbour", "source:a title:harbour", "tag:x OR tag:y", "-title:two"):
        assert head(any_store, query, now=when + DAY).deleted == (stone,)
    assert head(any_store, "-tag:x", now=when + DAY).deleted[0].key == key_of("two")
    both = head(any_store, now=when + DAY).deleted
    assert [each.key for each in both] == [key_of("two"), one.key]
    assert head(any_store, now=when + DAY, limit=1).deleted == both[:1]
    assert head(any_store, now=when + 30 * DAY - MINUTE).deleted == both
    assert head(any_store, now=when + 30 * DAY).deleted == both[:1]
    poll(any_store, one, now=when + 2 * HOUR)
    assert head(any_store, "tag:x", now=when + DAY).deleted == ()


def test_of_very_many_tombstones_the_newest_are_looked_at(any_store: SqlStore) -> None:
    any_store.tuning = replace(any_store.tuning, withdrawn=20)
    names = [f"{number}" for number in range(150)]
    poll(
        any_store,
        *(
            entry(one, tags=["all", *(["few"] * (one == "0"))], title=f"Word {one}")
            for one in names
        ),
        entry("left"),
    )
    for at, some in enumerate((names[:75], names[75:140], names[140:])):
        poll(any_store, removed=tuple(some), now=NOW + at * HOUR)
    later = NOW + DAY
    newest = [key_of(one) for one in names[140:]]
    # who carries a tag that is rare among them has a short way, the rest have the newest of all
    assert [each.key for each in head(any_store, "tag:few", now=later).deleted] == [key_of("0")]
    for query in ("tag:all", "word", "source:a", "tag:all -tag:few", "tag:all OR tag:few"):
        told = [each.key for each in head(any_store, query, now=later, limit=100).deleted]
        assert set(newest) <= set(told), query
        assert len(told) == 20, query
    assert head(any_store, "title:0", now=later).deleted == ()
    assert len(head(any_store, now=later, limit=100).deleted) == 20


def test_tombstones_stand_on_the_first_page_only(any_store: SqlStore) -> None:
    poll(any_store, *(entry(name) for name in "abcd"))
    poll(any_store, removed=("d",))
    first = any_store.head(ALL, limit=2, now=NOW)
    assert len(first.deleted) == 1
    assert any_store.head(ALL, limit=2, now=NOW, before=first.next).deleted == ()


def test_changed_moves_when_a_page_may_have(any_store: SqlStore) -> None:
    poll(any_store, *(entry(f"{at}", tags=["x"], published=NOW - at * HOUR) for at in range(4)))
    poll(any_store, entry("other", source="b"), source="b")
    clock = iter(NOW + hours * HOUR for hours in range(1, 100))

    def changed(query: str = "tag:x", limit: int = 3) -> datetime | None:
        return any_store.head(parse(query), limit=limit, now=NOW + 99 * HOUR).changed

    assert changed() == NOW
    # what comes new elsewhere is no matter of this page
    now = next(clock)
    poll(any_store, entry("new", source="b"), source="b", now=now)
    assert changed() == NOW
    poll(any_store, entry("late", tags=["x"], published=NOW - 50 * HOUR), now=next(clock))
    assert changed() == NOW
    now = next(clock)
    poll(any_store, entry("newest", tags=["x"], published=now), now=now)
    assert changed() == now
    # an entry that was there may have left this page, whatever it is now
    for work in (
        lambda now: poll(any_store, entry("other", source="b", tags=["z"]), source="b", now=now),
        lambda now: any_store.put_tags(key_of("newest"), (), now),
        lambda now: poll(any_store, removed=("late",), now=now),
        lambda now: any_store.prune(before=NOW - 2 * HOUR - MINUTE, now=now),
        lambda now: poll(any_store, meta=SourceMeta(title="New title"), now=now),
        lambda now: any_store.remove_source("b", purge=True, now=now),
    ):
        now = next(clock)
        work(now)
        assert changed() == now
        assert changed(limit=1) == now
        assert changed("tag:nothing") == now


def test_changed_follows_links_of_the_pages_entries(any_store: SqlStore) -> None:
    poll(any_store, entry("one"), entry("two", tags=["x"]), entry("three"))
    like = RelatedLink(target=key_of("two"), kind="content", score=0.5, reason="r", position=0)
    later = NOW + HOUR
    any_store.put_related(key_of("one"), [like], kind="content", now=later)
    # the first link of an entry makes it one that `has:related`
    assert head(any_store, "tag:x").changed == later
    again = later + HOUR
    any_store.put_related(key_of("one"), [replace(like, score=0.6)], kind="content", now=again)
    assert head(any_store, "tag:x").changed == later
    assert head(any_store).changed == again


def test_changed_follows_the_clock_where_the_query_does(any_store: SqlStore) -> None:
    poll(any_store, entry("one"))
    minute = NOW.replace(second=0, microsecond=0)
    for query in ("since:7d", "title -until:7d", "tag:x OR since:1h"):
        assert head(any_store, query, now=NOW + HOUR).changed == minute + HOUR
    assert head(any_store, "since:2020-01-01", now=NOW + HOUR).changed == NOW


def test_changed_moves_when_a_tombstone_ceases(any_store: SqlStore) -> None:
    poll(any_store, entry("one"), entry("two"))
    poll(any_store, removed=("two",), now=NOW + HOUR)
    assert head(any_store, now=NOW + DAY).changed == NOW + HOUR
    assert head(any_store, now=NOW + 31 * DAY).changed == NOW + HOUR + 30 * DAY


def test_relative_times_are_cut_to_the_minute(any_store: SqlStore) -> None:
    minute = NOW.replace(second=0, microsecond=0)
    poll(
        any_store,
        entry("in", published=minute - 7 * DAY),
        entry("out", published=minute - 7 * DAY - timedelta(microseconds=1)),
    )
    for second in (0, 30, 59):
        now = minute.replace(second=second)
        assert uids(any_store, "since:7d", now=now) == ["in"]
        assert uids(any_store, "until:7d", now=now) == ["out"]


def test_an_unchanged_store_gives_equal_answers(any_store: SqlStore) -> None:
    poll(any_store, *(entry(str(number), tags=["x"]) for number in range(5)))
    held = claim(any_store, now=NOW + HOUR)
    before = head(any_store, "tag:x")
    any_store.finish_poll(held, PollResult(state=PollState(next_at=NOW)), NOW + HOUR)
    assert head(any_store, "tag:x") == before
    assert found(any_store)[0].entry.key != entry_key("")
