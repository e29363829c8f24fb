"""Every store: an article is found again at another address, whatever came first or went since."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from bench.copykinds import KINDS, copied
from bench.linking import read
from feedsvc.keys import entry_key
from feedsvc.model import Entry, Text
from feedsvc.query import parse
from feedsvc.relating import Relater
from feedsvc.store import BACKENDS, SqlStore, marking, open_store
from feedsvc.store.mark_schema import marked, marks
from feedsvc.store.schema import duplicates, entries
from tests.copies import groups_of
from tests.storekit import HOUR, NOW, add, entry, fill_as_of, key_of, poll, statements

ARTICLES = [
    each
    for each in read(Path(__file__).parent.parent / "data" / "linking" / "ecbplus.jsonl")
    if len(each.text.split()) > 90
]
STRANGERS = ARTICLES[-1].text.split()


def article(source: str, number: int = 0, *, later: float = 0, **changes: object) -> Entry:
    """One of the articles as a source has it on its own site, so many hours after the first."""
    of = ARTICLES[number]
    text = changes.pop("text", of.text)
    made = entry(
        f"{number}",
        source=source,
        title=of.title,
        link=f"https://{source}.example/{number}",
        content=Text(value=str(text)),
        published=NOW - timedelta(days=9) + later * HOUR,
        digest=str(text),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def publish(store: SqlStore, *articles: Entry, now: object = NOW) -> None:
    for each in articles:
        poll(store, each, source=each.source_id, now=now)  # type: ignore[arg-type]


def grouped(store: SqlStore) -> set[frozenset[str]]:
    """The groups of copies in a store, as the ids of each; nothing else is wrong with it."""
    assert store.check() == ()
    columns = (duplicates.c.lead, entries.c.key, entries.c.id)
    wanted = select(*columns).join_from(duplicates, entries, entries.c.pk == duplicates.c.entry_pk)
    groups: dict[int, set[str]] = {}
    with store.reading() as connection:
        for lead, _, id in connection.execute(wanted):
            groups.setdefault(lead, set()).add(id)
    return {frozenset(group) for group in groups.values()}


def ids(*names: str) -> frozenset[str]:
    return frozenset(f"urn:{name}" for name in names)


def shown(store: SqlStore) -> list[str]:
    page = store.find(parse(""), limit=100, now=NOW, collapse=True)
    assert store.count(parse(""), now=NOW, collapse=True) == len(page.entries)
    return [each.entry.source_id for each in page.entries]


def test_it_is_shown_once_and_names_the_others(any_store: SqlStore) -> None:
    half = " ".join(ARTICLES[0].text.split()[:80])
    publish(any_store, article("b", later=1), article("a"), article("c", later=2, text=half))
    publish(any_store, article("a", 1), article("d", 2))
    assert grouped(any_store) == {ids("a:0", "b:0", "c:0")}
    assert sorted(shown(any_store)) == ["a", "a", "d"]
    (first, second) = any_store.entry(key_of("0", "a")).duplicates
    assert (first.source_id, first.link) == ("b", "https://b.example/0")
    assert (second.source_id, second.link) == ("c", "https://c.example/0")


def test_what_a_source_has_twice_is_two_entries(any_store: SqlStore) -> None:
    again = replace(article("a", later=1), uid="again", id="urn:a:again", key=key_of("again"))
    publish(any_store, article("a"), again)
    assert grouped(any_store) == set()
    publish(any_store, article("b", later=2))
    assert grouped(any_store) == {ids("a:0", "b:0")}
    poll(any_store, source="a", removed=("0",))
    assert grouped(any_store) == {ids("a:again", "b:0")}


def test_what_was_published_days_apart_is_not_compared(any_store: SqlStore) -> None:
    publish(any_store, article("a"), article("b", later=72), article("c", later=73))
    assert grouped(any_store) == {ids("a:0", "b:0")}
    publish(any_store, article("a", published=NOW - timedelta(days=20)), now=NOW + HOUR)
    assert grouped(any_store) == {ids("b:0", "c:0")}


def test_an_edit_parts_them_and_another_brings_them_together(any_store: SqlStore) -> None:
    publish(any_store, article("a"), article("b", later=1), article("c", later=2))
    before = any_store.head(parse(""), limit=9, now=NOW, collapse=True)
    publish(any_store, article("a", text=ARTICLES[1].text), now=NOW + HOUR)
    assert grouped(any_store) == {ids("b:0", "c:0")}
    after = any_store.head(parse(""), limit=9, now=NOW, collapse=True)
    assert before.changed is None or after.changed is not None
    assert after.changed is not None
    assert after.changed >= NOW + HOUR
    publish(any_store, article("b", title="Something else", text="Nothing"), now=NOW + 2 * HOUR)
    assert grouped(any_store) == set()
    publish(any_store, article("a"), now=NOW + 3 * HOUR)
    assert grouped(any_store) == {ids("a:0", "c:0")}


def test_they_part_when_all_but_one_have_gone(any_store: SqlStore) -> None:
    publish(any_store, article("a"), article("b", later=1), article("c", later=2))
    poll(any_store, source="b", removed=("0",), now=NOW + HOUR)
    assert grouped(any_store) == {ids("a:0", "c:0")}
    publish(any_store, article("b", later=1), now=NOW + 2 * HOUR)
    assert grouped(any_store) == {ids("a:0", "b:0", "c:0")}
    any_store.prune(before=article("b", later=1).published, now=NOW + 2 * HOUR)
    assert grouped(any_store) == {ids("b:0", "c:0")}
    any_store.remove_source("c", purge=True, now=NOW + 3 * HOUR)
    assert grouped(any_store) == set()
    any_store.prune(before=NOW, now=NOW + 2 * HOUR)
    with any_store.reading() as connection:
        assert connection.execute(select(marks)).all() == []
        assert connection.execute(select(marked)).all() == []


def test_copies_at_one_page_and_elsewhere_are_one_group(any_store: SqlStore) -> None:
    # the page's copy is too short to be found elsewhere
    link = "https://a.example/0?utm_source=feed"
    short = article("b", later=1, link=link, text=ARTICLES[0].text[:60])
    publish(any_store, article("a"), short, article("c", later=2))
    assert grouped(any_store) == {ids("a:0", "b:0")}
    publish(any_store, article("b", later=1, link=link), now=NOW + HOUR)
    assert grouped(any_store) == {ids("a:0", "b:0", "c:0")}


def test_what_too_many_have_says_nothing(
    any_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "SHARERS", 4)
    publish(any_store, *(article(source, later=at) for at, source in enumerate("abcd")))
    assert grouped(any_store) == {ids("a:0", "b:0", "c:0", "d:0")}
    publish(any_store, article("e", later=5))
    assert grouped(any_store) == set()
    poll(any_store, source="b", removed=("0",))
    assert grouped(any_store) == {ids("a:0", "c:0", "d:0", "e:0")}
    publish(any_store, *(article(source, later=6 + at) for at, source in enumerate("bfgh")))
    assert grouped(any_store) == set()
    any_store.prune(before=article("a", later=4).published, now=NOW + HOUR)
    assert grouped(any_store) == set()
    any_store.prune(before=article("a", later=5.5).published, now=NOW + HOUR)
    assert grouped(any_store) == {ids("b:0", "f:0", "g:0", "h:0")}


def corpus(chance: Random) -> list[Entry]:
    """Forty entries of eight sources: five articles in all sorts of copies, at few pages."""
    found = []
    for at in range(40):
        number, source = chance.randrange(5), chance.choice("abcdefgh")
        of = ARTICLES[number]
        kind = chance.choice(list(KINDS))
        title, text = copied(kind, at, of.id, (of.title, of.text), STRANGERS)
        made = article(
            source,
            number,
            later=chance.choice([0, 1, 2, 24, 60, 80]),
            text=text,
            title=title,
            link=f"https://{chance.choice('abc')}.example/{chance.randrange(25)}",
        )
        uid, id = f"{source}{at}", f"urn:{source}{at}"
        found.append(replace(made, uid=uid, id=id, key=entry_key(id), fallback_id=uid))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_groups_follow_from_what_is_there(
    open_fresh: Callable[[str], SqlStore], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(marking, "SHARERS", 7)
    stores = [open_fresh(backend) for backend in BACKENDS]
    chance = Random(seed)
    whole = corpus(chance)
    there: dict[str, Entry] = {}
    sizes = set()
    for step in range(60):
        if there and chance.random() < 0.25:
            gone = there.pop(chance.choice(sorted(there)))
            for store in stores:
                poll(store, source=gone.source_id, removed=(gone.uid,), now=NOW + step * HOUR)
        else:
            some = chance.sample(whole, chance.choice([1, 1, 5]))
            source = some[0].source_id
            new = [
                replace(
                    each,
                    content=chance.choice(whole).content if chance.random() < 0.2 else each.content,
                    digest=f"{step} {each.uid}",
                )
                for each in some
                if each.source_id == source
            ]
            there |= {each.uid: each for each in new}
            for store in stores:
                poll(store, *new, source=source, now=NOW + step * HOUR)
        if step % 6 == 5:
            expected = groups_of(there.values())
            sizes.update(map(len, expected))
            for store in stores:
                assert grouped(store) == expected
    assert max(sizes) > 2


@pytest.mark.parametrize("other", sorted(BACKENDS))
def test_copies_of_a_store_have_the_marks(
    any_store: SqlStore, other: str, open_fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    publish(any_store, article("a"), article("b", later=1))
    any_store.backup(tmp_path / "copy.db")
    target = open_fresh(other)
    target.restore(tmp_path / "copy.db")
    assert grouped(target) == {ids("a:0", "b:0")}
    publish(target, article("c", later=2))
    assert grouped(target) == {ids("a:0", "b:0", "c:0")}


def test_an_earlier_store_finds_them_bit_by_bit(
    any_store: SqlStore, backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    publish(any_store, article("a"), article("b", later=1), article("a", 1), article("b", 2))
    link = "https://a.example/1"
    publish(any_store, article("c", 1, later=1, link=link))
    publish(any_store, article("d", later=3))
    poll(any_store, source="d", removed=("0",))
    url = (
        f"sqlite:///{tmp_path}/old.db"
        if backend == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    old = open_store(url)
    request.addfinalizer(old.close)
    with any_store.writing() as connection:
        # what an earlier version knew
        connection.execute(duplicates.delete())
        any_store.refresh(connection, connection.scalars(select(entries.c.pk)).all(), NOW)
    fill_as_of("0009", old, any_store)
    with old.writing() as connection:
        connection.exec_driver_sql("DELETE FROM outbox WHERE consumer = 'mark'")
    old.migrate()
    assert grouped(old) == set()
    before = old.change()
    assert old.find_copies(2, NOW) == 2
    assert old.find_copies(2, NOW) == 2
    relater = Relater(old, lambda: NOW, most=5)
    relater.drain()
    assert old.find_copies(2, NOW) == 0
    assert grouped(old) == {ids("a:0", "b:0"), ids("a:1", "c:1")}
    assert old.change() > before
    publish(old, article("d", later=3))
    assert grouped(old) == {ids("a:0", "b:0", "d:0"), ids("a:1", "c:1")}


def test_new_entries_read_no_texts_but_those_that_may_be_copies(any_store: SqlStore) -> None:
    add(any_store, "a", "b")
    poll(any_store, *(article("a", at) for at in range(12)))
    chance = Random(7)

    def text() -> str:
        return " ".join(chance.choices(STRANGERS, k=200))

    for number in (1, 10):
        new = [
            entry(f"{number} {at}", source="b", content=Text(value=text())) for at in range(number)
        ]
        with statements(any_store) as ran:
            poll(any_store, *new, source="b")
        assert sum("payload" in said and "SELECT" in said for said in ran) == 0
    with statements(any_store) as one:
        poll(any_store, article("b", 0), source="b")
    with statements(any_store) as many:
        poll(any_store, *(article("b", at) for at in range(1, 11)), source="b")
    found = frozenset().union(*grouped(any_store))
    assert found >= {f"urn:b:{at}" for at in range(11)}
    counts = [sum("payload" in said and "SELECT" in said for said in ran) for ran in (one, many)]
    assert counts == [1, 1]


def test_a_link_to_what_becomes_a_copy_is_looked_for_anew(any_store: SqlStore) -> None:
    relater = Relater(any_store, lambda: NOW, most=5)

    def linked(name: str, source: str) -> list[str]:
        relater.drain()
        return [link.id for link in any_store.entry(key_of(name, source)).related]

    story = ARTICLES[0].story
    alike = [at for at, each in enumerate(ARTICLES) if each.story == story][1:3]
    publish(any_store, article("a"), *(article("b", at, later=1) for at in alike))
    assert f"urn:b:{alike[0]}" in linked("0", "a")
    assert f"urn:b:{alike[1]}" in linked("0", "a")
    # an edit makes a copy of it
    publish(
        any_store, article("b", alike[0], later=1, text=ARTICLES[0].text, title=ARTICLES[0].title)
    )
    assert grouped(any_store) == {ids("a:0", f"b:{alike[0]}")}
    assert linked("0", "a") == [f"urn:b:{alike[1]}"]
    # of two copies one is linked
    assert len(linked(str(alike[1]), "b")) == 1
