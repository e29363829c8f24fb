"""Every store: schema, copies, counts, and finding damage."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from feedsvc.errors import SchemaMismatch, StoreError
from feedsvc.query import parse
from feedsvc.store import BACKENDS, SqlStore, Store, open_store
from feedsvc.store.base import RelatedLink
from feedsvc.store.life import VERSION_TABLE, newest_revision
from tests.storekit import HOUR, NOW, add, claim, entry, key_of, poll, tag, titled, uids, waiting


@pytest.fixture
def empty_store(
    backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[], SqlStore]:
    """Opens one empty database of each backend, as often as asked."""
    url = (
        f"sqlite:///{tmp_path / 'empty.db'}"
        if backend == "sqlite"
        else request.getfixturevalue("postgres_url")
    )

    def make() -> SqlStore:
        store = open_store(url)
        request.addfinalizer(store.close)
        return store

    return make


def execute(store: SqlStore, statement: str) -> None:
    """Does something to the database behind the store's back."""
    with store.engine.connect() as connection, connection.begin():
        connection.execute(text(statement))


def test_every_backend_is_a_store() -> None:
    promised = {name for part in Store.__mro__ for name in vars(part) if not name.startswith("_")}
    for backend in BACKENDS.values():
        assert promised <= set(dir(backend))


def test_migrating_makes_the_schema_once(empty_store: Callable[[], SqlStore]) -> None:
    store = empty_store()
    assert not store.schema_current()
    assert store.migrate() == newest_revision()
    assert store.schema_current()
    poll(store, entry("one"))
    assert store.migrate() == newest_revision()
    assert uids(store) == ["one"]


def test_processes_may_migrate_at_once(empty_store: Callable[[], SqlStore]) -> None:
    stores = [empty_store() for _ in range(4)]
    barrier = threading.Barrier(len(stores))
    found: list[str] = []

    def migrate(store: SqlStore) -> None:
        barrier.wait()
        found.append(store.migrate())

    threads = [threading.Thread(target=migrate, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [newest_revision()] * len(stores)


def test_an_empty_database_says_to_migrate(empty_store: Callable[[], SqlStore]) -> None:
    store = empty_store()
    for use in (store.sources, store.change, store.check, lambda: add(store, "a")):
        with pytest.raises(SchemaMismatch, match="feedsvc store migrate"):
            use()


def test_a_database_of_another_program_is_left_alone(
    empty_store: Callable[[], SqlStore],
) -> None:
    store = empty_store()
    execute(store, "CREATE TABLE customers (name TEXT)")
    assert not store.schema_current()
    with pytest.raises(SchemaMismatch, match="another program"):
        store.migrate()
    with pytest.raises(SchemaMismatch, match="store migrate"):
        store.sources()


def test_a_newer_schema_is_refused(any_store: SqlStore) -> None:
    execute(any_store, "UPDATE alembic_version SET version_num = '9999'")
    assert not any_store.schema_current()
    with pytest.raises(SchemaMismatch, match=r"9999.*upgrade feedsvc"):
        any_store.migrate()


def test_change_grows_with_what_may_change_a_feed_only(any_store: SqlStore) -> None:
    seen = [any_store.change()]

    def grew() -> bool:
        seen.append(any_store.change())
        return seen[-1] > seen[-2]

    add(any_store, "a")
    assert grew()
    claim(any_store)
    any_store.tasks("link", 5)
    assert not grew()
    later = NOW + HOUR
    poll(any_store, entry("one"), entry("two"), now=later)
    assert grew()
    poll(any_store, now=later)
    assert not grew()
    any_store.done("link", [task.seq for task in any_store.tasks("link", 5)])
    assert not grew()
    assert any_store.put_tags(key_of("one"), [tag("x")], later)
    assert grew()
    assert not any_store.put_tags(key_of("one"), [tag("x")], later)
    assert not grew()
    like = [RelatedLink(target=key_of("two"), kind="content", score=0.5, reason="r", position=0)]
    assert any_store.put_related(key_of("one"), like, kind="content", now=later)
    assert grew()
    poll(any_store, removed=("two",), now=later)
    assert grew()
    assert any_store.prune(before=later, now=later) == 1
    assert grew()


def test_stats_count_everything(any_store: SqlStore) -> None:
    old = entry("old", published=NOW - timedelta(days=400), tags=["x"])
    poll(any_store, old, entry("new", tags=["x", "y"], references=("Elsewhere",)), entry("gone"))
    poll(any_store, removed=("gone",))
    any_store.prune(before=NOW - timedelta(days=300), now=NOW)
    stats = any_store.stats()
    assert (stats.entries, stats.withdrawn, stats.pruned) == (1, 1, 1)
    assert (stats.sources, stats.tags, stats.related, stats.unresolved) == (1, 2, 0, 1)
    assert stats.waiting == 4
    assert stats.oldest == stats.newest == NOW - timedelta(days=1)
    assert stats.backend in BACKENDS
    assert stats.schema == newest_revision()
    assert stats.bytes > 10_000
    assert dict(stats.details).keys() & {"sqlite", "postgresql"}


def test_a_sound_store_has_nothing_to_report(any_store: SqlStore) -> None:
    poll(any_store, entry("one", tags=["x"], references=("Title of two",)), entry("two"))
    assert any_store.check() == ()


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE tags SET count = 7", "tags with a wrong count"),
        ("UPDATE entries SET published = 5", "tags on entries"),
        ("UPDATE entries SET title = 'Other', fingerprint = 'x'", "fingerprint"),
        ("DELETE FROM contents", "without their content"),
        ("DELETE FROM entry_search", "missing from the search index"),
        ("UPDATE entries SET published = 4000000000000000", "the search index has at another time"),
        ("DELETE FROM poll_state", "without a poll state"),
        ("INSERT INTO title_terms VALUES (1, 1, 77)", "words of titles"),
        ("INSERT INTO ref_terms VALUES (1, 77, 0)", "waiting headlines"),
        ("UPDATE entries SET withdrawn_at = 5", "links to entries that are gone"),
    ],
)
def test_damage_is_found(any_store: SqlStore, statement: str, finding: str) -> None:
    poll(any_store, entry("one", tags=["x"], references=("Title of two",)), entry("two"))
    link = RelatedLink(target=key_of("two"), kind="explicit", score=1.0, reason="r", position=0)
    assert any_store.put_related(key_of("one"), [link], kind="explicit", now=NOW)
    execute(any_store, statement)
    assert any(finding in found for found in any_store.check())


def filled(store: SqlStore) -> None:
    """Puts some of everything into a store."""
    old = entry("old", published=NOW - timedelta(days=400), tags=["x"])
    naming = entry("naming", tags=["x", "y"], references=("Title of named", "Elsewhere"))
    poll(store, old, naming, entry("named"), entry("gone", tags=["x"]))
    link = RelatedLink(target=key_of("named"), kind="explicit", score=0.9, reason="r", position=0)
    store.put_related(key_of("naming"), [link], kind="explicit", now=NOW)
    poll(store, entry("other", source="b", lang="de"), source="b")
    poll(store, removed=("gone",))
    store.prune(before=NOW - timedelta(days=300), now=NOW)
    store.done("link", [store.tasks("link", 1)[0].seq])


def contents(store: SqlStore) -> list[object]:
    """All that can be read of a store."""
    everything = parse("")
    return [
        [replace(status, owner=None, until=None) for status in store.sources()],
        store.find(everything, limit=100, now=NOW),
        store.head(everything, limit=100, now=NOW),
        store.head(parse("title:naming"), limit=100, now=NOW),
        store.tags(),
        store.tasks("link", 100),
        store.known("a", ["old", "naming", "named", "gone"]),
        waiting(store, "Elsewhere"),
        titled(store, "Title of named"),
    ]


@pytest.mark.parametrize("target", sorted(BACKENDS))
def test_a_backup_restores_into_any_backend(
    any_store: SqlStore, target: str, open_fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    filled(any_store)
    held = claim(any_store, "b")
    file = tmp_path / "backup.db"
    any_store.backup(file)
    assert sorted(path.name for path in tmp_path.iterdir() if "backup" in path.name) == [file.name]
    other = open_fresh(target)
    for title in map(str, range(20)):
        poll(other, entry("replaced", source="z", title=title), source="z")
    change = other.change()
    other.restore(file)
    assert contents(other) == contents(any_store)
    assert other.change() > change
    assert other.check() == ()
    assert other.source("b").owner is None
    # the claim stayed behind, and what comes next gets keys of its own
    assert claim(other, "b").epoch > held.epoch
    assert poll(other, entry("later", tags=["new"]), now=NOW + HOUR).new == (key_of("later"),)
    assert other.check() == ()


def test_a_backup_is_taken_while_others_write(any_store: SqlStore, tmp_path: Path) -> None:
    poll(any_store, *(entry(f"first-{number}", tags=["x"]) for number in range(50)))
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            batch = (entry(f"{number}-{part}", tags=["x"]) for part in range(5))
            poll(any_store, *batch, now=NOW + number * HOUR)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        any_store.backup(tmp_path / "backup.db")
    finally:
        stop.set()
        writer.join()
    copy = open_store(f"sqlite:///{tmp_path / 'backup.db'}")
    try:
        assert copy.check() == ()
        # whole polls only
        assert copy.stats().entries % 5 == 0
        assert copy.tags()[0].count == copy.stats().entries
    finally:
        copy.close()


def test_what_is_no_backup_is_refused_and_changes_nothing(
    any_store: SqlStore, open_fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    poll(any_store, entry("one"))
    junk = tmp_path / "junk.db"
    with pytest.raises(StoreError, match="no file"):
        any_store.restore(junk)
    junk.write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    with pytest.raises(StoreError, match=r"junk\.db is not a backup"):
        any_store.restore(junk)
    junk.write_bytes(b"")
    with pytest.raises(StoreError, match=r"junk\.db is not a backup"):
        any_store.restore(junk)
    other = open_fresh("sqlite")
    execute(other, "UPDATE alembic_version SET version_num = '9999'")
    newer = Path(other.url.database or "")
    with pytest.raises(SchemaMismatch, match="9999"):
        any_store.restore(newer)
    assert uids(any_store) == ["one"]


def test_a_backup_replaces_nothing_but_a_file(any_store: SqlStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", Path("/dev/full")):
        with pytest.raises(StoreError, match="not a file"):
            any_store.backup(place)
    kept = tmp_path / "kept.db"
    (tmp_path / "link.db").symlink_to(kept)
    any_store.backup(tmp_path / "link.db")
    assert (tmp_path / "link.db").is_symlink()
    assert kept.stat().st_size


def test_a_store_is_no_backup_of_itself(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'feedsvc.db'}")
    store.migrate()
    for name in ("feedsvc.db", "feedsvc.db-wal"):
        with pytest.raises(StoreError, match="the store itself"):
            store.backup(tmp_path / name)
    with pytest.raises(StoreError, match="the store itself"):
        store.restore(tmp_path / "feedsvc.db")
    store.close()


def test_a_store_of_the_days_before_the_first_release_is_refused(any_store: SqlStore) -> None:
    with any_store.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0001'"))
    with pytest.raises(SchemaMismatch, match="move it away"):
        any_store.migrate()


def test_a_backup_that_cannot_be_written_says_so(any_store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        any_store.backup(tmp_path / "missing" / "backup.db")
