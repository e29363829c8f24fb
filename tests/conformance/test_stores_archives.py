"""Every store: which month's archive an entry stands in, and that closed months gain nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import event

from feedsvc.errors import OptionError
from feedsvc.model import Source, SourceMeta, Text
from feedsvc.months import month_of
from feedsvc.query import parse
from feedsvc.store import BACKENDS, SqlStore, open_store
from feedsvc.store.base import Head, RelatedLink
from tests.storekit import add, entry, fill_as_of, key_of, poll, statements, tag

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
JAN, FEB, MAR = (month_of(datetime(2026, month, 1, tzinfo=UTC)) for month in (1, 2, 3))


def day(month: int, number: int, hour: int = 0) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=UTC)


def archive(store: SqlStore, month: int, query: str = "", **options: object) -> list[str]:
    """The uids of an archive's entries, in order; they are those that the marks alone name."""
    asked: dict[str, object] = {"limit": 100, "now": NOW, **options}
    head, page = store.archive(parse(query), month, whole=True, **asked)  # type: ignore[arg-type]
    marks = tuple((one.entry.key, one.fingerprint) for one in page.entries)
    assert store.archive(parse(query), month, **asked)[0].marks == marks == head.marks  # type: ignore[arg-type]
    return [one.entry.uid for one in page.entries]


def marks(store: SqlStore, month: int, query: str = "") -> dict[str, str]:
    return dict(store.archive(parse(query), month, limit=100, now=NOW)[0].marks)


def fill(store: SqlStore) -> None:
    """Two entries a month, of which one has a tag."""
    for month in (1, 2, 3):
        poll(
            store,
            entry(f"{month}a", published=day(month, 1, 1), tags=["x"]),
            entry(f"{month}b", published=day(month, 5)),
            now=NOW,
        )


def test_entries_stand_in_the_month_they_were_published_in(any_store: SqlStore) -> None:
    fill(any_store)
    poll(
        any_store,
        entry("first", published=datetime(2026, 2, 1, tzinfo=UTC)),
        entry("last", published=datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)),
        now=NOW,
    )
    assert archive(any_store, JAN) == ["1b", "1a"]
    assert archive(any_store, FEB) == ["last", "2b", "2a", "first"]
    assert archive(any_store, MAR) == ["3b", "3a"]
    for query in ("tag:x", "tag:x OR tag:y", "source:a 1a", "title:1a", "-title:1b"):
        assert archive(any_store, JAN, query) == ["1a"]
    assert archive(any_store, JAN - 1) == archive(any_store, JAN, "tag:none") == []


def test_an_archive_knows_the_months_around_it(any_store: SqlStore) -> None:
    fill(any_store)
    poll(any_store, entry("old", published=day(1, 1) - timedelta(days=100), tags=["y"]), now=NOW)

    def around(month: int, query: str = "") -> tuple[int | None, int | None]:
        head = any_store.archive(parse(query), month, limit=1, now=NOW)[0]
        return head.earlier, head.later

    old = month_of(day(1, 1) - timedelta(days=100))
    assert around(JAN) == (old, FEB)
    assert around(old) == (None, JAN)
    assert around(MAR) == (FEB, None)
    assert around(FEB, "tag:y OR 3a") == (old, MAR)
    assert around(FEB, "tag:y") == (old, None)
    any_store.seal(FEB)
    poll(any_store, entry("late", published=day(1, 2), tags=["y"]), now=NOW)
    assert around(FEB, "tag:y") == (old, MAR)
    assert around(MAR + 1, "tag:y") == (MAR, None)


def change_everything(store: SqlStore) -> None:
    """What must leave closed months as they are, or take something out of them."""
    poll(store, entry("late", published=day(1, 3), tags=["x"]), now=NOW)
    poll(store, entry("other", source="b", published=day(2, 3), tags=["x"]), source="b", now=NOW)
    edited = entry(
        "1b", published=day(1, 5), updated=NOW, digest="other", content=Text(value="New text")
    )
    poll(store, edited, now=NOW)
    store.put_tags(key_of("2b"), (tag("x"),), NOW)
    like = RelatedLink(target=key_of("3a"), kind="content", score=0.5, reason="r", position=0)
    store.put_related(key_of("1a"), [like], kind="content", now=NOW)
    poll(store, entry("3c", published=day(3, 6), tags=["x"]), now=NOW)


def test_a_closed_month_never_changes_but_for_removals(any_store: SqlStore) -> None:
    fill(any_store)
    queries = ("", "tag:x", "source:a", "kind:feed", "title", "-tag:x")
    any_store.seal(FEB)
    before = {(q, month): marks(any_store, month, q) for q in queries for month in (JAN, FEB)}
    change_everything(any_store)
    for (q, month), had in before.items():
        assert marks(any_store, month, q).items() <= had.items()
    # links are no change of the entry itself
    assert archive(any_store, JAN) == ["1a"]
    assert archive(any_store, FEB) == ["2a"]
    assert archive(any_store, MAR) == ["3c", "3b", "3a", "2b", "other", "1b", "late"]
    assert archive(any_store, MAR, "tag:x") == ["3c", "3a", "2b", "other", "late"]
    poll(any_store, removed=("1a",), now=NOW)
    assert archive(any_store, JAN) == []
    poll(any_store, entry("1a", published=day(1, 1, 1)), now=NOW)
    assert archive(any_store, JAN) == []
    assert archive(any_store, MAR)[-1] == "1a"
    assert any_store.check() == ()


def test_an_open_month_takes_what_comes_late(any_store: SqlStore) -> None:
    fill(any_store)
    change_everything(any_store)
    assert archive(any_store, JAN) == ["1b", "late", "1a"]
    assert archive(any_store, FEB, "tag:x") == ["2b", "other", "2a"]


def test_what_moves_to_an_open_month_stands_there(any_store: SqlStore) -> None:
    any_store.seal(JAN)
    poll(any_store, entry("one", published=day(1, 5)), now=day(2, 5))
    assert archive(any_store, FEB) == ["one"]
    # still open: it stays, and its own month has it once it has a date in one
    poll(any_store, entry("one", published=day(1, 6), digest="b"), now=NOW)
    assert archive(any_store, FEB) == ["one"]
    poll(any_store, entry("one", published=day(3, 2), digest="c"), now=NOW)
    assert (archive(any_store, FEB), archive(any_store, MAR)) == ([], ["one"])
    # a clock that is behind files nothing in a closed month either
    any_store.seal(FEB)
    any_store.seal(JAN)
    poll(any_store, entry("two", published=day(1, 7)), now=day(1, 8))
    assert archive(any_store, MAR) == ["one", "two"]


def test_a_copy_that_shows_again_is_new_in_an_archive(any_store: SqlStore) -> None:
    text = Text(value=" ".join(f"word{at}" for at in range(60)))
    add(any_store, "b")
    for source, at in (("a", day(1, 5)), ("b", day(1, 6))):
        copy = entry("same", source=source, published=at, tags=["x"], title="One title")
        copy = replace(copy, link="https://one.example/page", content=text)
        poll(any_store, copy, source=source, now=NOW)
    any_store.seal(FEB)
    assert len(archive(any_store, JAN)) == 2
    first = marks(any_store, JAN)
    assert archive(any_store, JAN, collapse=True) == ["same"]
    any_store.put_tags(key_of("same", "a"), (), NOW)
    assert archive(any_store, JAN, "tag:x", collapse=True) == []
    assert archive(any_store, MAR, "tag:x", collapse=True) == ["same"]
    poll(any_store, removed=("same",), now=NOW)
    assert archive(any_store, JAN, collapse=True) == []
    assert archive(any_store, MAR, collapse=True) == ["same"]
    assert marks(any_store, MAR).keys() < first.keys()


@pytest.mark.parametrize("query", ["", "tag:x", "source:a", "tag:x OR tag:y"])
def test_pages_of_a_month_go_both_ways(any_store: SqlStore, query: str) -> None:
    poll(
        any_store,
        *(entry(str(at), published=day(2, 1 + at), tags=["x"]) for at in range(9)),
        now=NOW,
    )
    any_store.seal(FEB - 1)
    poll(
        any_store,
        *(entry(f"l{at}", published=day(1, 1 + at), tags=["x"]) for at in range(4)),
        now=day(2, 20),
    )
    whole = archive(any_store, FEB, query)
    assert whole == [*(str(at) for at in range(8, -1, -1)), "l3", "l2", "l1", "l0"]
    down: list[str] = []
    heads: list[tuple[str | None, Head]] = []
    cursor: str | None = None
    while True:
        down += archive(any_store, FEB, query, limit=3, before=cursor)
        head = any_store.archive(parse(query), FEB, limit=3, now=NOW, before=cursor)[0]
        heads.append((cursor, head))
        cursor = head.next
        if cursor is None:
            break
    assert down == whole
    assert heads[0][1].previous is None
    for (above, _), (_, head) in pairwise(heads):
        assert head.previous == (above or "")


def test_a_traversal_leaves_out_what_was_shown(any_store: SqlStore) -> None:
    fill(any_store)
    any_store.seal(FEB - 1)
    poll(any_store, entry("late", published=day(1, 3)), now=day(2, 20))
    for limit in (1, 2, 3, 4, 5, 6, 7):
        head = any_store.head(parse(""), limit=limit, now=NOW)
        seen = [one.entry.uid for one in any_store.find(parse(""), limit=limit, now=NOW).entries]
        month = head.earlier
        while month is not None:
            seen += archive(any_store, month, below=head.shown)
            month = any_store.archive(parse(""), month, limit=9, now=NOW, below=head.shown)[
                0
            ].earlier
        assert len(seen) == len(set(seen)) == 7


def test_archives_refuse_what_no_page_ended_with(any_store: SqlStore) -> None:
    for bad in ("x", "last", "cAAG"):
        with pytest.raises(OptionError):
            archive(any_store, FEB, before=bad)
        with pytest.raises(OptionError):
            archive(any_store, FEB, below=bad)


def test_the_statements_of_an_archive_do_not_grow(any_store: SqlStore) -> None:
    def count(limit: int) -> int:
        with statements(any_store) as ran:
            any_store.archive(parse("tag:x"), FEB, limit=limit, now=NOW, whole=True)
        return len(ran)

    poll(
        any_store,
        *(entry(str(at), published=day(2, 1, at % 20), tags=["x"]) for at in range(200)),
        now=NOW,
    )
    assert count(200) <= count(2) + 1 <= 13

    def of_head(limit: int) -> int:
        with statements(any_store) as ran:
            any_store.head(parse("tag:x"), limit=limit, now=NOW)
        return len(ran)

    assert of_head(100) == of_head(2) <= 9


def test_backends_agree_on_archives(
    open_fresh: Callable[[str], SqlStore],
) -> None:
    stores = [open_fresh(backend) for backend in BACKENDS]
    for store in stores:
        fill(store)
        store.seal(FEB)
        change_everything(store)
    for query in ("", "tag:x", "title", "tag:x OR tag:y"):
        for month in (JAN, FEB, MAR):
            heads = {store.archive(parse(query), month, limit=2, now=NOW)[0] for store in stores}
            assert len(heads) == 1


def test_what_was_closed_stays_closed_in_a_copy(
    any_store: SqlStore, open_fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    fill(any_store)
    any_store.seal(FEB)
    change_everything(any_store)
    any_store.backup(tmp_path / "copy.db")
    for backend in BACKENDS:
        other = open_fresh(backend)
        other.restore(tmp_path / "copy.db")
        assert marks(other, MAR) == marks(any_store, MAR)
        poll(other, entry("later", published=day(1, 9)), now=NOW)
        assert "later" in archive(other, MAR)


def test_stores_of_earlier_versions_have_archives(
    any_store: SqlStore, backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    fill(any_store)
    files = f"sqlite:///{tmp_path}/old.db"
    old = open_store(files if backend == "sqlite" else request.getfixturevalue("postgres_url"))
    request.addfinalizer(old.close)
    fill_as_of("0004", old, any_store)
    old.migrate()
    for month in (JAN, FEB, MAR):
        assert marks(old, month) == marks(any_store, month)


def test_closed_months_show_sources_as_they_were(any_store: SqlStore) -> None:
    where = Source(id="a", kind="feed", location="https://a.example/feed")
    any_store.declare_sources([replace(where, origin="config")], NOW)
    fill(any_store)

    def shown(month: int) -> set[str]:
        page = any_store.archive(parse(""), month, limit=9, now=NOW, whole=True)[1]
        return {f"{one.source_title} {one.source.rights or ''}".strip() for one in page.entries}

    poll(any_store, meta=SourceMeta(title="First", rights="2025"), now=NOW)
    any_store.seal(JAN)
    closed = marks(any_store, JAN)
    poll(any_store, meta=SourceMeta(title="Second", rights="2026"), now=NOW)
    poll(any_store, meta=SourceMeta(title="Third", rights="2026"), now=NOW)
    assert (shown(JAN), shown(FEB), shown(MAR)) == ({"First 2025"}, {"Third 2026"}, {"Third 2026"})
    any_store.seal(FEB)
    titled = replace(where, origin="config", title="Ours")
    any_store.declare_sources([titled], NOW)
    assert (shown(JAN), shown(FEB), shown(MAR)) == ({"First 2025"}, {"Third 2026"}, {"Ours 2026"})
    assert marks(any_store, JAN) == closed


def test_archives_and_pages_backwards_keep_to_indexes(
    open_fresh: Callable[[str], SqlStore],
) -> None:
    store = open_fresh("sqlite")
    fill(store)
    store.seal(FEB)
    change_everything(store)
    ran: list[tuple[str, object]] = []
    event.listen(
        store.engine, "before_cursor_execute", lambda *said: ran.append((said[2], said[3]))
    )
    for query in map(parse, ("", "tag:x", "source:a", "tag:x -tag:y")):
        store.archive(query, MAR, limit=1, now=NOW, collapse=True, whole=True)
        store.head(query, limit=1, now=NOW, collapse=True)
        store.head(query, limit=1, now=NOW, before="last", collapse=True)
    asked = [each for each in ran if each[0].startswith("SELECT") and "FROM entr" in each[0]]
    assert len(asked) > 20
    with store.reading() as connection:
        for statement, values in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[call-overload]
            steps = [row[3] for row in plan]
            # going through an index in order is how a page is made; sorting or reading all is not
            slow = [step for step in steps if "TEMP" in step or step.startswith("SCAN entr")]
            assert not [step for step in slow if "USING INDEX" not in step], statement
