"""Stores of many entries to ask queries of, made once and kept, on SQLite and on PostgreSQL.

Words, tags and sources are as frequent as Zipf has it. Three fifths of the entries are archives, as
a first poll of many feeds brings them: of any time in three years, source by source. The rest came
one after another, hours after they were published. Some have copies, some links, some are
withdrawn. The rows are those that polls write, by the store's own means; only the polls are spared.
"""

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from feedsvc.keys import entry_key, key_number
from feedsvc.model import Entry, Link, Person, Source, Tag, Text
from feedsvc.store import SqlStore, open_store
from feedsvc.store.codec import Prepared, digest_of, micros, page_hash, prepare, uid_hash
from feedsvc.store.dates import date_tokens
from feedsvc.store.indexing import Target
from feedsvc.store.life import newest_revision
from feedsvc.store.links import CONTENT
from feedsvc.store.postgres_search import entry_search
from tests.postgres import Postgres

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
TEXTS, VOCABULARY, TAGS, SOURCES = 20_000, 40_000, 3_000, 400
# how it is made is part of the name of what is kept
NAME = f"{newest_revision()}-1"
_YEARS, _ARCHIVE = timedelta(days=3 * 365), 0.6
_STEADY = timedelta(days=60)
_BATCH, _COPIES, _LINKS, _WITHDRAWN = 5_000, 33, 20, 100
_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "or")]


def word(rank: int) -> str:
    """The word that is the so-and-so most frequent."""
    name, left = "", rank + len(_SYLLABLES)
    while left:
        left, at = divmod(left, len(_SYLLABLES))
        name += _SYLLABLES[at]
    return name


def tag(rank: int) -> str:
    """The tag that is the so-and-so most frequent."""
    return f"tag-{rank}"


def _zipf(number: int, offset: float) -> list[float]:
    return list(itertools.accumulate(1 / (rank + offset) for rank in range(number)))


def _texts() -> Iterator[Prepared]:
    """The texts that entries are made of, each of them used again and again."""
    chance = random.Random(7)
    words, frequent = [word(rank) for rank in range(VOCABULARY)], _zipf(VOCABULARY, 2.7)
    tags, common = range(TAGS), _zipf(TAGS, 5)
    for number in range(TEXTS):
        some = chance.choices(words, cum_weights=frequent, k=83)
        body = f"<p>{' '.join(some[23:53])}.</p><p>{' '.join(some[53:])}.</p>"
        slugs = sorted(set(chance.choices(tags, cum_weights=common, k=chance.randint(1, 6))))
        yield prepare(
            Entry(
                id="x",
                fallback_id="x",
                key=entry_key("x"),
                source_id="x",
                uid="x",
                title=" ".join(some[:8]).capitalize(),
                published=NOW,
                updated=NOW,
                dated=True,
                digest="x",
                link="https://x.example/",
                links=(Link(href="https://x.example/a.mp3", rel="enclosure"),) * (number % 7 == 0),
                summary=Text(value=" ".join(some[8:23])),
                content=Text(value=body, type="html"),
                authors=(Person(name=f"{some[0]} {some[1]}".title()),),
                tags=tuple(Tag(slug=tag(n), label=f"Tag {n}", origin="auto") for n in slugs),
                lang="de" if number % 11 == 0 else "en",
            )
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Which source an entry is of, and when it was published."""

    source_pk: int
    published: datetime


def _places(size: int) -> Iterator[Place]:
    chance = random.Random(size)
    frequent = _zipf(SOURCES, 3)
    archive = int(size * _ARCHIVE)
    began = NOW - _STEADY
    sources = sorted(chance.choices(range(1, SOURCES + 1), cum_weights=frequent, k=archive))
    for source_pk in sources:
        yield Place(source_pk, began - chance.random() * _YEARS)
    step = _STEADY / (size - archive)
    for number in range(size - archive):
        late = timedelta(hours=-2 * math.log(1 - chance.random()))
        (source_pk,) = chance.choices(range(1, SOURCES + 1), cum_weights=frequent)
        yield Place(source_pk, began + step * number - late)


def _entries(size: int) -> Iterator[tuple[int, Prepared]]:
    texts = list(_texts())
    first: Place | None = None
    for number, place in enumerate(_places(size)):
        copy = number % _COPIES == 1 and first is not None and first.source_pk != place.source_pk
        # a copy has the text and the page of the entry before it
        shown = number - 1 if copy else number
        text = texts[shown % TEXTS]
        first = place
        uid = f"https://source-{place.source_pk}.example/{number}"
        link = f"https://page.example/{shown}"
        published = micros(place.published)
        row = {
            **text.row,
            "uid": uid,
            "published": published,
            "updated": published + 3_600_000_000 * (number % 5 == 0),
            "link": link,
            "link_hash": key_number(link),
            "page_hash": page_hash(link),
            "digest": f"{number:032x}",
        }
        row["own_print"] = digest_of(
            row["title"], published, row["updated"], row["dated"], link, text.payload
        )
        yield (
            place.source_pk,
            replace(
                text,
                uid_hash=uid_hash(uid),
                id=uid,
                key=key_number(uid),
                row=row,
                text=changed(text.text, dates=date_tokens(published)),
            ),
        )


def fill(store: SqlStore, size: int) -> None:
    """Makes a store of so many entries."""
    store.migrate()
    sources = (
        Source(id=f"source-{n + 1}", kind="feed", location=f"https://source-{n + 1}.example/feed")
        for n in range(SOURCES)
    )
    store.add_sources(sources, NOW)
    made = _entries(size)
    while some := list(itertools.islice(made, _BATCH)):
        _write(store, some)
    gone = range(_WITHDRAWN, size, _WITHDRAWN)
    days = 90
    for day in range(days):
        with store.writing(durable=False) as connection:
            store.withdraw(connection, list(gone[day::days]), NOW - timedelta(days=day))


def _write(store: SqlStore, some: Sequence[tuple[int, Prepared]]) -> None:
    with store.writing(durable=False) as connection:
        if store.backend == "sqlite":
            connection.exec_driver_sql("PRAGMA cache_size=-500000")
        written = store.insert_entries(connection, some, NOW - timedelta(days=1))
        store.regroup(
            connection,
            [
                w.entry.row["page_hash"]
                for one, w in itertools.pairwise(written)
                if one.entry.row["page_hash"] == w.entry.row["page_hash"]
            ],
            NOW,
        )
        linked = {
            w.pk: {0: Target(pk=written[0].pk, score=0.5, reason="bench")}
            for w in written[1::_LINKS]
        }
        store.put_links(connection, CONTENT, linked)
        store.refresh(connection, linked, NOW - timedelta(days=1))
        store.bump(connection)


def sqlite(folder: Path, size: int) -> SqlStore:
    """The store of so many entries in a file."""
    path = folder / f"{NAME}-{size}.db"
    if not path.exists():
        part = path.with_suffix(".part")
        for ending in ("", "-wal", "-shm"):
            Path(f"{part}{ending}").unlink(missing_ok=True)
        store = open_store(f"sqlite:///{part}")
        fill(store, size)
        _checked(store, size)
        with store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        store.close()
        part.rename(path)
    return open_store(f"sqlite:///{path}")


def postgresql(server: Postgres, size: int) -> SqlStore:
    """The store of so many entries on a server."""
    name = f"b{NAME.replace('-', '_')}_{size}"
    with server.connect() as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        found = there.fetchone()
    if found is None:
        with server.connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}_part"'.encode())
            connection.execute(f'CREATE DATABASE "{name}_part"'.encode())
        store = open_store(server.url(f"{name}_part"))
        store.migrate()
        (index,) = entry_search.indexes
        with store.engine.begin() as connection:
            # one by one, the words of entries would take most of the time
            index.drop(connection)
        fill(store, size)
        with store.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
            index.create(connection)
        _checked(store, size)
        store.close()
        with server.connect(f"{name}_part") as connection:
            connection.execute("VACUUM ANALYZE")
        with server.connect() as connection:
            connection.execute(f'ALTER DATABASE "{name}_part" RENAME TO "{name}"'.encode())
    return open_store(server.url(name))


def _checked(store: SqlStore, size: int) -> None:
    """Refuses a store that is not as polls would have left it."""
    if size <= 100_000 and (found := store.check()):
        raise SystemExit("\n".join(found))
