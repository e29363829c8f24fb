"""The store in one SQLite file: WAL, one writer at a time, FTS5 for words.

Writers begin with BEGIN IMMEDIATE, so that they wait for one another instead of failing half-way.
A durable transaction is synced to the disk before it is over; the rest are synced with the next one
or at the latest checkpoint, and a power cut undoes them in order, never the file.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Row,
    Select,
    Table,
    Transaction,
    column,
    create_engine,
    event,
    select,
    table,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from ..errors import ConfigError, QueryTooCostly, StoreError, StoreUnavailable
from ..query.ast import Node, Words
from .copying import finish_file, new_file
from .dates import ALWAYS, Window
from .engine import chunks
from .sql import SqlStore
from .sqlite_search import clear, contains, matches, misdated, put, texts
from .statement import Hits, Sql, tell
from .words import SearchText

_CONNECT = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-32000",
    # rows here and there are read in half the time; what is mapped is the system's cache
    "PRAGMA mmap_size=2147418112",
)
# larger pages hold more of the narrow rows that feeds are made of
_PAGE_SIZE = 16384
# what to ask of a file, and how to call what it answers
_CHECKS = {
    "PRAGMA integrity_check(20)": "{0}",
    "PRAGMA foreign_key_check": "{0} {1} belongs to {2} that are gone",
}
_PAIRS = 512
# of SQLite's own, between looks at the clock
_STEPS = 20_000

_POSTED = (
    "SELECT entry_pk FROM postings WHERE term = ? AND hour <= ?"
    " ORDER BY hour DESC, entry_pk DESC LIMIT ?"
)

_SHARERS = "SELECT entry_pk FROM marks WHERE mark = ? LIMIT ?"
_search = table("entry_search", column("rowid"))


class SqliteStore(SqlStore):
    """A store in a file, for one machine."""

    backend = "sqlite"
    # a cross join is not turned
    _hits_first = Hits("entry_search AS s CROSS JOIN entries AS e ON e.pk = s.rowid", joined=True)
    _hits_dated = _hits_first
    _counts_words = True

    def __init__(self, url: URL, *, pool: int = 8, wait: float = 30.0) -> None:
        if not url.database or url.database == ":memory:":
            raise ConfigError("a store needs a file: sqlite:///data/feedsvc.db", key="store.url")
        self.path = Path(url.database)
        super().__init__(url, pool=pool, wait=wait)

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def _make_engine(self, url: URL, pool: int) -> Engine:
        engine = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            poolclass=QueuePool,
            pool_size=pool,
            max_overflow=4 * pool,
            pool_timeout=self.wait,
            # a connection moves between threads, but only one at a time has it
            connect_args={"check_same_thread": False, "cached_statements": 512},
        )

        @event.listens_for(engine, "connect")
        def connected(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
            # transactions begin and end where we say, not where the driver guesses
            connection.isolation_level = None
            for statement in _CONNECT:
                connection.execute(statement)
            connection.execute(f"PRAGMA busy_timeout={int(self.wait * 1000)}")

        @event.listens_for(engine, "checkout")
        def taken(connection: sqlite3.Connection, *_: object) -> None:
            # whoever had it last may have been in a hurry
            connection.set_progress_handler(None, 0)

        @event.listens_for(engine, "begin")
        def begun(connection: Connection) -> None:
            options = connection.get_execution_options()
            if "synchronous" in options:
                tell(connection, f"PRAGMA synchronous={options['synchronous']}")
                tell(connection, "BEGIN IMMEDIATE")
            else:
                tell(connection, "BEGIN")

        return engine

    def _ours(self, error: SQLAlchemyError) -> StoreError:
        if isinstance(error, DBAPIError) and error.orig is not None:
            return self._named(error.orig)
        if isinstance(error, TimeoutError):
            return StoreUnavailable(f"{self.path}: {error}")
        return StoreError(f"{self.path}: {error}")

    def _named(self, error: BaseException) -> StoreError:
        """The error of ours that stands for one of the driver's."""
        kind = getattr(error, "sqlite_errorname", "")
        if kind == "SQLITE_INTERRUPT":
            return QueryTooCostly(self.tuning.seconds)
        if kind.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return StoreUnavailable(
                f"{self.path} stayed locked by another program for {self.wait:g} s: "
                "end what else has it open, or try again"
            )
        user = f"the user with uid {os.geteuid()}"
        if kind.startswith("SQLITE_CANTOPEN"):
            return StoreUnavailable(
                f"{self.path} cannot be opened: it must be a file in a folder that is there, "
                f"and {user} must be allowed to write both"
            )
        if kind.startswith("SQLITE_READONLY"):
            return StoreUnavailable(
                f"{self.path} cannot be written: allow {user} to write the file and its folder"
            )
        if kind.startswith("SQLITE_FULL"):
            return StoreUnavailable(
                f"{self.path} cannot be written: its disk is full; make room there and the next "
                "poll goes on, nothing stored is lost"
            )
        if kind.startswith("SQLITE_IOERR"):
            return StoreUnavailable(
                f"{self.path} cannot be read or written ({error}): is its disk full, over its "
                "quota, or failing?"
            )
        if kind.startswith("SQLITE_NOTADB"):
            return StoreError(f"{self.path} is not an SQLite database: choose another store.url")
        if kind.startswith("SQLITE_CORRUPT"):
            return StoreError(f"{self.path} is damaged ({error}): restore a backup")
        if "no such table" in str(error) or "no such column" in str(error):
            return self._unmigrated()
        return StoreError(f"{self.path}: {error}")

    @contextmanager
    def _driver(self) -> Iterator[sqlite3.Connection]:
        """A connection of the driver's own, for what must happen outside transactions."""
        with self._wrapped(), closing(self.engine.raw_connection()) as pooled:
            connection = pooled.driver_connection
            assert isinstance(connection, sqlite3.Connection)
            try:
                yield connection
            except sqlite3.Error as error:
                raise self._named(error) from error

    def _read_only(self, connection: Connection, *, often: bool) -> Connection:
        return connection

    def _read(self, transaction: Transaction) -> None:
        pass  # there is nothing to commit, and a damaged file could not

    def _for_writing(self, connection: Connection, *, durable: bool) -> Connection:
        return connection.execution_options(synchronous="FULL" if durable else "NORMAL")

    def _begin_writing(self, connection: Connection, *, durable: bool, ordered: bool) -> None:
        pass  # BEGIN IMMEDIATE has put all writers in order

    def _lift_limits(self, connection: Connection) -> None:
        pass  # there are none

    # -- life ------------------------------------------------------------------------------

    def _prepare_file(self) -> None:
        with self._driver() as connection:
            connection.execute(f"PRAGMA page_size={_PAGE_SIZE}")
            ends = time.monotonic() + self.wait
            while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                try:
                    connection.execute("PRAGMA journal_mode=WAL")
                except sqlite3.OperationalError:
                    # this one statement does not wait for a lock by itself
                    if time.monotonic() > ends:
                        raise
                    time.sleep(0.02)

    def _other_tables(self, connection: Connection) -> bool:
        schema = table("sqlite_master", column("name"), column("type"))
        found = select(schema.c.name).where(schema.c.name.not_like("sqlite\\_%", escape="\\"))
        return connection.scalar(found.limit(1)) is not None

    def _sqlite(self, path: Path) -> "SqliteStore":
        return SqliteStore(URL.create("sqlite", database=str(path)), wait=self.wait)

    def _refuse_itself(self, path: Path) -> None:
        names = {f"{self.path.resolve()}{ending}" for ending in ("", "-wal", "-shm", "-journal")}
        if str(path.resolve()) in names:
            raise StoreError(f"{path} is the store itself; name another file")

    def backup(self, path: Path) -> None:
        """Writes a consistent copy while others read and write."""
        self.require_current()
        self._refuse_itself(path)
        with new_file(path) as temporary:
            with self._driver() as source, closing(sqlite3.connect(temporary)) as target:
                source.backup(target)
            finish_file(temporary)

    def restore(self, path: Path) -> None:
        """Replaces all content by that of a backup, in one transaction."""
        self._refuse_itself(path)
        super().restore(path)

    # -- entries ---------------------------------------------------------------------------

    def _new_pks(self, connection: Connection, number: int) -> Sequence[int]:
        last = "SELECT max(seq) FROM sqlite_sequence WHERE name = 'entries'"
        first = 1 + (connection.exec_driver_sql(last).scalar() or 0)
        return range(first, first + number)

    def _of_pairs(
        self,
        connection: Connection,
        table: Table,
        columns: Sequence[str],
        pairs: Sequence[tuple[int, bytes]],
    ) -> Iterator[Row[*tuple[Any, ...]]]:
        for some in chunks(pairs, _PAIRS):
            # few lengths, so that statements are prepared once; nothing equals NULL
            size = min(_PAIRS, 1 << (len(some) - 1).bit_length())
            values: list[int | bytes | None] = [value for pair in some for value in pair]
            values += [None] * (2 * size - len(values))
            sql = _pairs_statement(table.name, tuple(columns), size)
            yield from connection.exec_driver_sql(sql, tuple(values)).all()

    # -- words -----------------------------------------------------------------------------

    def _put_text(self, connection: Connection, texts: Mapping[int, SearchText]) -> None:
        if texts:
            put(connection, texts.items())

    def _drop_text(self, connection: Connection, pks: Sequence[int]) -> None:
        if pks:
            connection.exec_driver_sql(
                "DELETE FROM entry_search WHERE rowid = ?", [(pk,) for pk in pks]
            )

    def _clear_text(self, connection: Connection) -> None:
        clear(connection)

    def _texts(self, connection: Connection, pks: Iterable[int]) -> dict[int, SearchText]:
        return texts(connection, tuple(pks), self.tuning.batch)

    def _matches(self, text: Node, window: Window) -> Sql:
        return matches(text, window)

    def _hits(self, text: Node) -> Sql:
        found = matches(text, ALWAYS)
        return Sql(f"SELECT s.rowid FROM entry_search AS s WHERE {found.text}", found.values)

    def _has_words(self, words: Words, pk: str) -> Sql:
        found = contains(words)
        its = f"SELECT {found.text} FROM entry_search AS s WHERE s.rowid = {pk}"
        return Sql(f"coalesce(({its}), 0)", found.values)

    def _stop_after(self, connection: Connection, seconds: float) -> None:
        ends = time.monotonic() + seconds
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)

    def _posted(
        self, connection: Connection, asked: Sequence[tuple[int, int]], rows: int
    ) -> Iterator[Sequence[int]]:
        # the driver itself: a dozen short lists for every entry
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        for term, hour in asked:
            yield [pk for (pk,) in driver.execute(_POSTED, (term, hour, rows))]

    def _sharers(
        self, connection: Connection, asked: Sequence[int], rows: int
    ) -> Iterator[Sequence[int]]:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        for mark in asked:
            yield [pk for (pk,) in driver.execute(_SHARERS, (mark, rows))]

    # -- upkeep ----------------------------------------------------------------------------

    def _indexed(self) -> Select[tuple[int]]:
        return select(_search.c.rowid)

    def _misdated(self) -> Select[tuple[int]]:
        return misdated()

    def _damage(self, connection: Connection) -> list[str]:
        found: list[str] = []
        for check, message in _CHECKS.items():
            try:
                rows = connection.exec_driver_sql(check).fetchmany(20)
                found += [message.format(*row) for row in rows if row[0] != "ok"]
            except DBAPIError as error:
                found.append(f"{self.path} is damaged ({error.orig}): restore a backup")
        return found

    def _index_damage(self) -> list[str]:
        try:
            with self.writing(durable=False) as connection:
                connection.exec_driver_sql(
                    "INSERT INTO entry_search (entry_search) VALUES ('integrity-check')"
                )
        except StoreUnavailable:
            raise  # it was not asked
        except StoreError as error:
            return [f"the search index: {error}"]
        return []

    def _after_copy(self, connection: Connection) -> None:
        pass  # SQLite counts on from the largest key there is

    def _size(self, connection: Connection) -> int:
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def _details(self, connection: Connection) -> tuple[tuple[str, str], ...]:
        return (("file", str(self.path)), ("sqlite", sqlite3.sqlite_version))


@cache
def _pairs_statement(table: str, columns: tuple[str, ...], size: int) -> str:
    """Looks pairs up one by one: `IN` with pairs, and joins that may be turned, go through all."""
    names = ", ".join(f"found.{name}" for name in columns)
    return (
        # names of tables and columns are the schema's
        f"WITH asked (of, name) AS (VALUES {', '.join(['(?, ?)'] * size)})"
        f" SELECT {names} FROM asked CROSS JOIN {table} AS found"
        " ON found.source_pk = asked.of AND found.uid_hash = asked.name"
    )
