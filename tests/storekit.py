"""Shortcuts for tests of stores: entries to write, and a poll that writes them."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import event, insert, inspect, select

from feedsvc.keys import entry_key
from feedsvc.model import Entry, PollState, Source, StoredEntry, Tag
from feedsvc.query import parse
from feedsvc.store import SqlStore, Store
from feedsvc.store.base import Claim, Committed, PollResult, Reference, Sought, Titled
from feedsvc.store.life import alembic_config
from feedsvc.store.schema import entries, metadata

NOW = datetime(2026, 3, 1, 12, 0, 30, 123456, tzinfo=UTC)
LEASE = timedelta(minutes=5)
HOUR = timedelta(hours=1)


def tag(slug: str, label: str | None = None) -> Tag:
    return Tag(slug=slug, label=label or slug.title(), origin="source")


def entry(name: str, *, source: str = "a", tags: Sequence[str] = (), **changes: Any) -> Entry:
    """An entry whose id, uid and title come from its name; any field may be given instead."""
    id = changes.pop("id", f"urn:{source}:{name}")
    made = Entry(
        id=id,
        fallback_id=f"tag:fallback,{source}:{name}",
        key=entry_key(id),
        source_id=source,
        uid=name,
        title=f"Title of {name}",
        published=NOW - timedelta(days=1),
        updated=NOW - timedelta(days=1),
        dated=True,
        digest=f"digest of {name}",
        tags=tuple(map(tag, tags)),
    )
    return replace(made, **changes)


def add(store: Store, *ids: str, **changes: Any) -> None:
    """Adds sources, each with a location of its own."""
    for id in ids:
        location = f"https://{id}.example/feed"
        store.add_source(replace(Source(id=id, kind="feed", location=location), **changes), NOW)


def claim(store: Store, source: str = "a", *, now: datetime = NOW, owner: str = "me") -> Claim:
    """Claims one source, due or not; adds it if there is none."""
    if source not in {status.source.id for status in store.sources()}:
        add(store, source)
    (taken,) = store.claim_due(
        now=now, owner=owner, lease=LEASE, limit=1, only=[source], ignore_schedule=True
    )
    return taken


def poll(
    store: Store, *entries: Entry, source: str = "a", now: datetime = NOW, **result: Any
) -> Committed:
    """One whole poll of a source that brought these entries."""
    taken = claim(store, source, now=now)
    state = result.pop("state", PollState(next_at=now + HOUR))
    return store.finish_poll(taken, PollResult(state=state, entries=entries, **result), now)


def found(
    store: Store, query: str = "", *, limit: int = 100, now: datetime = NOW
) -> tuple[StoredEntry, ...]:
    """The entries a query finds, in order."""
    return store.find(parse(query), limit=limit, now=now).entries


def uids(store: Store, query: str = "", *, limit: int = 100, now: datetime = NOW) -> list[str]:
    """The uids of the entries a query finds, in order."""
    return [stored.entry.uid for stored in found(store, query, limit=limit, now=now)]


def key_of(name: str, source: str = "a") -> str:
    """The key of an entry made by `entry`."""
    return entry_key(f"urn:{source}:{name}")


def titled(store: Store, text: str, limit: int = 5) -> tuple[Titled, ...]:
    """The live entries that a headline may mean."""
    (found,) = store.titled([Sought(text=text)], limit)
    return found


def waiting(store: Store, text: str, limit: int = 5) -> tuple[Reference, ...]:
    """The unresolved references that a title may be meant by."""
    (found,) = store.waiting([Sought(text=text)], limit)
    return found


@contextmanager
def statements(store: SqlStore) -> Iterator[list[str]]:
    """The statements that a store runs, as they go to the driver; many rows at once are one."""
    ran: list[str] = []

    def executed(*said: Any) -> None:
        ran.append(said[2])

    event.listen(store.engine, "before_cursor_execute", executed)
    try:
        yield ran
    finally:
        event.remove(store.engine, "before_cursor_execute", executed)


def fill_as_of(revision: str, old: SqlStore, store: SqlStore) -> None:
    """Makes an empty database a store of an earlier schema with what a store holds."""
    old._prepare_file()
    with old.writing() as connection:
        command.upgrade(alembic_config(connection), revision)
    with store.reading() as source, old.writing() as connection:
        there = inspect(connection)
        for table in filter(lambda table: there.has_table(table.name), metadata.sorted_tables):
            names = {column["name"] for column in there.get_columns(table.name)}
            columns = [column for column in table.c if column.name in names]
            rows = [dict(row) for row in source.execute(select(*columns)).mappings()]
            connection.execute(table.delete())
            if rows:
                connection.execute(insert(table), rows)
        texts = store._texts(source, list(source.scalars(select(entries.c.pk))))
        if old.backend == "sqlite" and revision < "0013":
            # before 0008 it was not known when entries were published
            names = ("title", "summary", "body", "author", "dates")[: 4 + (revision >= "0008")]
            connection.exec_driver_sql(
                f"INSERT INTO entry_search (rowid, {', '.join(names)})"
                f" VALUES (?{', ?' * len(names)})",
                [(pk, *(getattr(text, name) for name in names)) for pk, text in texts.items()],
            )
        elif old.backend == "postgresql" and revision < "0013" and texts:
            connection.exec_driver_sql(
                "INSERT INTO entry_search (entry_pk, title, summary, body, author, words)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [
                    (pk, t.title, t.summary, t.body, t.author, f"{t.title}{t.body}".split())
                    for pk, t in texts.items()
                ],
            )
        else:
            old._put_text(connection, texts)
        old._after_copy(connection)


FORKING = """
import os, sys
from feedsvc.store import open_store
from tests.storekit import entry, poll, uids

store = open_store(sys.argv[1])
poll(store, entry("parent"))
if child := os.fork():
    assert os.waitpid(child, 0)[1] == 0
    assert sorted(uids(store)) == ["child", "parent"]
    assert store.check() == ()
else:
    poll(store, entry("child"))
store.close()
"""


def run_forking(store: SqlStore) -> None:
    """Has a program use a store, fork, and use it in the child and again in the parent."""
    url = store.url.render_as_string(hide_password=False)
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-W", "error", "-c", FORKING, url], cwd=root, check=True)
