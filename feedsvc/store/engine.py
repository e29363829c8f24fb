"""The connection to a database: transactions, and the library's exceptions turned into ours.

What is the same for all backends is here, what differs is declared here and filled in by `sqlite`
and `postgres`. Nothing here knows of a table but `meta`.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    Insert,
    Pool,
    Row,
    Select,
    Table,
    Transaction,
    Update,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.compiler import SQLCompiler

from ..errors import SchemaMismatch, StoreError, StoreUnavailable
from ..query.ast import Node, Words
from .codec import micros
from .dates import Window
from .paces import Paces
from .schema import meta
from .statement import Hits, Sql
from .words import SearchText

T = TypeVar("T")
InsertRows = Callable[[Connection, str, Sequence[str], Iterable[Sequence[object]]], None]


class Collision(StoreUnavailable):
    """Two transactions stood in each other's way, and this one gave way: the same again works."""


MIGRATE = "run `feedsvc store migrate`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """When a query is answered which way; none of these changes an answer.

    Fewer than `hits` entries found by a word or tag are sorted for an order other than the date,
    more are met often enough when entries are gone through in order. Fewer than `few` of a tag or
    word are gone through whatever else is asked. Up to `set` with some words are looked up at once
    to go along a tag, where to look at one after another would cost `dear` times each. `ranked`
    newest hits are put in order of relevance. Of very many tombstones the newest `withdrawn` are
    looked at. `postings` rows are looked at for entries that share words. A query takes no more
    than `seconds`.
    """

    hits: int = 5_000
    few: int = 500
    seconds: float = 5.0
    withdrawn: int = 1_000
    set: int = 50_000
    dear: int = 40
    ranked: int = 500
    postings: int = 4
    batch: int = 500


class Database(ABC):
    """A database that transactions can be opened on, by any thread and after a fork."""

    tuning = Tuning()
    # from the search index `s` to the entries that are found, and only as far as their time and key
    _hits_first: Hits
    _hits_dated: Hits
    # whether it takes little to know that few entries have some words
    _counts_words: bool

    def __init__(self, url: URL, *, pool: int, wait: float) -> None:
        self.url = url
        self.wait = wait
        self._engine = self._make_engine(url, pool)
        self._pid = os.getpid()
        self._inherited: list[Pool] = []
        self.paces = Paces()

    @property
    def engine(self) -> Engine:
        """The engine; a forked child leaves its parent's connections alone."""
        if self._pid != os.getpid():
            self._inherited.append(self._engine.pool)
            self._engine.dispose(close=False)
            self._pid = os.getpid()
        return self._engine

    @property
    def name(self) -> str:
        """The database as messages name it, without a password."""
        return self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Returns every connection."""
        self.engine.dispose()

    @contextmanager
    def reading(self, *, often: bool = False) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout.

        What is asked `often` is planned once and for all: only for statements that are answered
        best in the same way whatever their values.
        """
        with (
            self._wrapped(),
            self.engine.connect() as connection,
            # without a commit it is undone, which is as good
            closing(self._read_only(connection, often=often).begin()) as transaction,
        ):
            yield connection
            self._read(transaction)

    @contextmanager
    def writing(self, *, durable: bool = True, ordered: bool = True) -> Iterator[Connection]:
        """A transaction that writes, all or nothing.

        `durable` ones survive a power cut once they are over; the others (claims, links, polls that
        found nothing) may be lost to one, because they would only be done again. `ordered` ones run
        one after another: what they write depends on what others wrote.
        """
        with self._wrapped(), self.engine.connect() as connection:
            connection = self._for_writing(connection, durable=durable)
            with connection.begin():
                self._begin_writing(connection, durable=durable, ordered=ordered)
                yield connection

    def bump(self, connection: Connection, *, membership: datetime | None = None) -> None:
        """Counts a commit that may change a feed; call it once, last.

        `membership` is now if an entry that was there before changed.
        """
        change = meta.c.key == "change"
        connection.execute(update(meta).where(change).values(value=meta.c.value + 1))
        if membership is not None:
            at = micros(membership)
            older = (meta.c.key == "membership") & (meta.c.value < at)
            connection.execute(update(meta).where(older).values(value=at))

    def change(self) -> int:
        """A number that grows with every commit that may change any feed."""
        with self.reading() as connection:
            found = connection.scalar(select(meta.c.value).where(meta.c.key == "change"))
            return int(found or 0)

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise self._ours(error) from error
        except msgspec.MsgspecError as error:
            raise StoreError(f"{self.name}: a row cannot be read: {error}") from error
        except (OverflowError, UnicodeError) as error:
            raise StoreError(f"{self.name}: a value cannot be stored: {error}") from error

    def _unmigrated(self) -> SchemaMismatch:
        return SchemaMismatch(f"{self.name} has no feedsvc schema, or an older one: {MIGRATE}")

    # -- what differs ----------------------------------------------------------------------

    @abstractmethod
    def _make_engine(self, url: URL, pool: int) -> Engine:
        """Makes an engine that connects when it is first used."""

    @abstractmethod
    def _ours(self, error: SQLAlchemyError) -> StoreError:
        """The error of ours that stands for one of the library's."""

    @abstractmethod
    def _read_only(self, connection: Connection, *, often: bool) -> Connection:
        """Prepares a connection for reading, before its transaction begins."""

    @abstractmethod
    def _read(self, transaction: Transaction) -> None:
        """Ends a transaction that has read all it wanted."""

    @abstractmethod
    def _for_writing(self, connection: Connection, *, durable: bool) -> Connection:
        """Prepares a connection for writing, before its transaction begins."""

    @abstractmethod
    def _begin_writing(self, connection: Connection, *, durable: bool, ordered: bool) -> None:
        """Takes what locks a writing transaction needs, first of all in it."""

    @abstractmethod
    def _lift_limits(self, connection: Connection) -> None:
        """Lets this transaction take as long as it needs."""

    @abstractmethod
    def _prepare_file(self) -> None:
        """Does what must be done before the first migration and outside any transaction."""

    @abstractmethod
    def _other_tables(self, connection: Connection) -> bool:
        """Whether the database has tables that are not ours."""

    @abstractmethod
    def _new_pks(self, connection: Connection, number: int) -> Sequence[int]:
        """Keys for so many entries that are about to be inserted, rising."""

    @abstractmethod
    def _of_pairs(
        self,
        connection: Connection,
        table: Table,
        columns: Sequence[str],
        pairs: Sequence[tuple[int, bytes]],
    ) -> Iterator[Row[*tuple[Any, ...]]]:
        """The rows of a table with any of these pairs of `source_pk` and `uid_hash`.

        Values are the driver's own: truths may be numbers.
        """

    @abstractmethod
    def _put_text(self, connection: Connection, texts: Mapping[int, SearchText]) -> None:
        """Writes the search text of entries by their pk."""

    @abstractmethod
    def _drop_text(self, connection: Connection, pks: Sequence[int]) -> None:
        """Removes the search text of entries."""

    @abstractmethod
    def _clear_text(self, connection: Connection) -> None:
        """Removes all search text."""

    @abstractmethod
    def _texts(self, connection: Connection, pks: Iterable[int]) -> dict[int, SearchText]:
        """The search text of entries."""

    @abstractmethod
    def _matches(self, text: Node, window: Window) -> Sql:
        """That `s`, a row of the search index, has some words and may be of a window."""

    @abstractmethod
    def _hits(self, text: Node) -> Sql:
        """Selects the pk of every entry, withdrawn or not, that has these words."""

    @abstractmethod
    def _has_words(self, words: Words, pk: str) -> Sql:
        """That one entry has these words, asked entry by entry."""

    @abstractmethod
    def _stop_after(self, connection: Connection, seconds: float) -> None:
        """Stops what this transaction asks from now on when it takes longer."""

    @abstractmethod
    def _posted(
        self, connection: Connection, asked: Sequence[tuple[int, int]], rows: int
    ) -> Iterator[Sequence[int]]:
        """For each term and hour the newest entries posted under it until then, at most so many."""

    @abstractmethod
    def _sharers(
        self, connection: Connection, asked: Sequence[int], rows: int
    ) -> Iterator[Sequence[int]]:
        """For each mark the entries that have it, at most so many."""

    @abstractmethod
    def _indexed(self) -> Select[tuple[int]]:
        """Selects the pk of every entry in the search index."""

    @abstractmethod
    def _misdated(self) -> Select[tuple[int]]:
        """Selects the pk of every entry that the search index takes to be of another time."""

    @abstractmethod
    def _damage(self, connection: Connection) -> list[str]:
        """What is wrong with the database as such."""

    @abstractmethod
    def _index_damage(self) -> list[str]:
        """What is wrong with the search index, which takes a transaction of its own to say."""

    @abstractmethod
    def _after_copy(self, connection: Connection) -> None:
        """Puts the counters behind automatic keys past the rows that were copied in."""

    @abstractmethod
    def _size(self, connection: Connection) -> int:
        """Bytes that the store takes."""

    @abstractmethod
    def _details(self, connection: Connection) -> tuple[tuple[str, str], ...]:
        """What else is worth knowing about this database."""


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cuts a sequence into pieces of at most `size`: a statement takes only so many parameters."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows of numbers, texts and bytes, or nothing for none.

    Such values need no conversion and go to the driver as they are: the terms and tags of entries
    are many times as many as the entries. A backend that has a quicker way than INSERT names it as
    the connection's option `insert_rows`.
    """
    quick: InsertRows | None = connection.get_execution_options().get("insert_rows")
    if quick is None:
        run_all(connection, _insert_into(table), rows)
    elif rows:
        names = tuple(rows[0])
        quick(connection, table.name, names, map(itemgetter(*names), rows))


def insert_tuples(connection: Connection, table: Table, rows: Sequence[tuple[int, ...]]) -> None:
    """`insert_all` of what there are dozens of an entry: rows with all columns, as they are listed.

    They are put in order first, so that those that are stored side by side come together.
    """
    quick: InsertRows | None = connection.get_execution_options().get("insert_rows")
    names = tuple(table.columns.keys())
    if not rows:
        return
    if quick is not None:
        quick(connection, table.name, names, sorted(rows))
        return
    sql, order = _driver_statement(connection.dialect, _insert_into(table), names)
    assert order is not None
    assert tuple(order) == names
    connection.exec_driver_sql(sql, sorted(rows))


def run_all(
    connection: Connection, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Runs a statement, kept in a module, once for each row of values that need no conversion.

    What of a row is named like a column is inserted or set.
    """
    if rows:
        sql, names = _driver_statement(connection.dialect, statement, tuple(rows[0]))
        if names is None:
            connection.exec_driver_sql(sql, [dict(row) for row in rows])
        else:
            # no statement has fewer than two parameters, so that this gives tuples
            connection.exec_driver_sql(sql, list(map(itemgetter(*names), rows)))


@cache
def _insert_into(table: Table) -> Insert:
    return insert(table)


@lru_cache(maxsize=64)
def _driver_statement(
    dialect: Dialect, statement: Insert | Update, names: tuple[str, ...]
) -> tuple[str, Sequence[str] | None]:
    """The driver's own statement, and the order of its parameters if they have no names."""
    columns = [name for name in names if name in statement.table.c]
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    assert isinstance(compiled, SQLCompiler)
    return compiled.string, compiled.positiontup
