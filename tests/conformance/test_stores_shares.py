"""Every store: no source fills a page while others have entries to give, and nothing is lost."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedsvc.errors import OptionError
from feedsvc.model import Entry, Text
from feedsvc.query import parse
from feedsvc.store import BACKENDS, SqlStore
from feedsvc.store.base import Shares
from feedsvc.store.cursor import Cursor
from tests.storekit import HOUR, NOW, entry, poll, statements

HALF = Shares(default=50)
SOURCES = "abcde"


def noisy(store: SqlStore, *, of_a: int = 12, of_b: int = 3) -> None:
    """A source with an entry every hour, and one whose entries are all older."""
    for source, number, first in (("a", of_a, 0), ("b", of_b, of_a)):
        poll(
            store,
            *(
                entry(f"{at}", source=source, published=NOW - (first + at) * HOUR)
                for at in range(number)
            ),
            source=source,
        )


def chain(pages: list[list[str]]) -> list[str]:
    return [one for page in pages for one in page]


def pages(store: SqlStore, query: str = "", *, limit: int, **asked: object) -> list[list[str]]:
    """The pages of a query as `source` and uid of each entry; head and find agree on them."""
    found: list[list[str]] = []
    before = None
    while before is not None or not found:
        head = store.head(parse(query), limit=limit, now=NOW, before=before, **asked)  # type: ignore[arg-type]
        page = store.find(parse(query), limit=limit, now=NOW, before=before, **asked)  # type: ignore[arg-type]
        assert [key for key, _ in head.marks] == [one.entry.key for one in page.entries]
        assert head.next == page.next
        places = [(one.entry.published, one.entry.key) for one in page.entries]
        if "sort" not in query:
            assert [at for at, _ in places] == sorted((at for at, _ in places), reverse=True)
        found.append([f"{one.entry.source_id}{one.entry.uid}" for one in page.entries])
        before = page.next
    return found


def test_a_noisy_source_leaves_room_and_what_is_displaced_comes_next(any_store: SqlStore) -> None:
    noisy(any_store)
    assert pages(any_store, limit=4, shares=HALF) == [
        ["a0", "a1", "b0", "b1"],
        ["a2", "a3", "a4", "b2"],
        ["a5", "a6", "a7", "a8"],
        ["a9", "a10", "a11"],
    ]


def test_a_source_may_have_a_share_of_its_own(any_store: SqlStore) -> None:
    noisy(any_store)
    tight = Shares(own={"a": 25})
    assert pages(any_store, limit=4, shares=tight)[0] == ["a0", "b0", "b1", "b2"]
    loose = Shares(default=25, own={"a": 100})
    assert pages(any_store, limit=4, shares=loose)[0] == ["a0", "a1", "a2", "a3"]
    assert pages(any_store, limit=1, shares=tight)[:2] == [["a0"], ["a1"]]


def test_a_source_alone_has_the_whole_page(any_store: SqlStore) -> None:
    noisy(any_store, of_b=0)
    for query in ("", "source:a", "source:a 0"):
        with_shares = pages(any_store, query, limit=5, shares=HALF)
        assert with_shares == pages(any_store, query, limit=5)
    noisy(any_store, of_a=0, of_b=2)
    assert pages(any_store, "source:a", limit=5, shares=HALF)[0] == ["a0", "a1", "a2", "a3", "a4"]


def test_others_are_looked_for_so_far(any_store: SqlStore) -> None:
    noisy(any_store, of_a=25, of_b=2)
    assert pages(any_store, limit=2, shares=HALF)[0] == ["a0", "a1"]
    assert pages(any_store, limit=3, shares=Shares(own={"a": 34}))[0] == ["a0", "b0", "b1"]


def test_the_order_of_relevance_knows_no_shares(any_store: SqlStore) -> None:
    noisy(any_store)
    query = "title:title sort:relevance"
    assert pages(any_store, query, limit=4, shares=HALF) == pages(any_store, query, limit=4)


def test_what_comes_meanwhile_moves_no_page(any_store: SqlStore) -> None:
    noisy(any_store)
    first = any_store.find(parse(""), limit=4, now=NOW, shares=HALF)
    for source in "ab":
        poll(any_store, entry("new", source=source, published=NOW), source=source)
    rest = first.next
    found = [one.entry.uid for one in first.entries]
    while rest:
        page = any_store.find(parse(""), limit=4, now=NOW, shares=HALF, before=rest)
        found += [one.entry.uid for one in page.entries]
        rest = page.next
    assert "new" not in found
    assert len(found) == 15


def test_a_page_goes_on_whatever_became_of_the_shares(any_store: SqlStore) -> None:
    noisy(any_store)
    first = any_store.find(parse(""), limit=4, now=NOW, shares=HALF)
    for asked in ({}, {"shares": Shares(default=25)}, {"shares": Shares()}):
        rest, found = first.next, [one.entry.key for one in first.entries]
        while rest:
            page = any_store.find(parse(""), limit=5, now=NOW, before=rest, **asked)
            found += [one.entry.key for one in page.entries]
            rest = page.next
        assert len(found) == len(set(found)) == 15


def test_shares_cost_nothing_where_there_are_none(any_store: SqlStore) -> None:
    noisy(any_store)
    ran = []
    for shares in (None, Shares()):
        with statements(any_store) as seen:
            any_store.head(parse(""), limit=4, now=NOW, shares=shares)
        ran.append(len(seen))
    assert ran[0] == ran[1]
    with statements(any_store) as seen:
        any_store.head(parse(""), limit=4, now=NOW, shares=Shares(default=90))
    assert len(seen) <= ran[0] + 3


@pytest.mark.parametrize(
    "bad",
    [
        Cursor("published", 1, 2, behind=((1 << 63, 1, 2),)),
        Cursor("published", 1, 2, behind=((1, 1, 1 << 63),)),
        Cursor("published", 1, 2, behind=((1, 1, 1),) * 41),
    ],
)
def test_a_cursor_that_no_page_ended_with_is_refused(any_store: SqlStore, bad: Cursor) -> None:
    for text in (bad.text(), bad.text()[:-3], Cursor("updated", 1, 2, behind=((1, 1, 1),)).text()):
        with pytest.raises(OptionError):
            any_store.find(parse(""), limit=4, now=NOW, before=text, shares=HALF)


def corpus(seed: int) -> list[Entry]:
    """Entries of five sources, one with most of them, many with one date, some of them copies."""
    random = Random(seed)
    made = []
    for number in range(80):
        source = random.choices(SOURCES, [12, 4, 2, 1, 1])[0]
        one = entry(
            str(number),
            source=source,
            title="Of the harbour",
            link=f"https://p.example/{random.randint(0, 60)}",
            content=Text(value="The harbour of the old town was closed on Monday."),
            published=NOW.replace(microsecond=0) - random.randint(0, 20) * HOUR,
            updated=NOW.replace(microsecond=0) - random.randint(0, 20) * HOUR,
            tags=random.sample(["x", "y"], random.randint(0, 2)),
        )
        made.append(replace(one, uid=f"{number}"))
    return made


def test_every_entry_stands_on_one_page(open_fresh: Callable[[str], SqlStore]) -> None:
    whole = corpus(3)
    stores = [open_fresh(backend) for backend in BACKENDS]
    for store in stores:
        for source in SOURCES:
            poll(store, *(each for each in whole if each.source_id == source), source=source)

    @given(
        query=st.sampled_from(["", "tag:x", "tag:x OR tag:y", "harbour", "-tag:x", "-source:a"]),
        order=st.sampled_from(["", " sort:updated"]),
        limit=st.integers(1, 40),
        default=st.sampled_from([5, 20, 34, 50, 75, 100]),
        own=st.dictionaries(st.sampled_from(SOURCES), st.sampled_from([5, 30, 100]), max_size=2),
        collapse=st.booleans(),
    )
    @settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(
        query: str, order: str, limit: int, default: int, own: dict[str, int], collapse: bool
    ) -> None:
        shares = Shares(default=default, own=own)
        answers = []
        for store in stores:
            every = pages(store, query + order, limit=500, collapse=collapse)
            found = pages(store, query + order, limit=limit, collapse=collapse, shares=shares)
            assert sorted(chain(found)) == sorted(chain(every))
            assert all(len(page) == limit for page in found[:-1])
            for at, page in enumerate(found):
                taken = Counter(one[0] for one in page)
                over = {s for s, n in taken.items() if n > shares.most(s, limit)}
                later = {one[0] for page in found[at + 1 :] for one in page}
                # who had not their share has nothing left, as far as it was looked for
                if over and len(chain(found[at:])) <= 10 * limit:
                    assert all(taken[s] >= shares.most(s, limit) for s in later)
            answers.append(found)
        assert answers[0] == answers[1]

    check()
