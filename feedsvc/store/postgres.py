"""The store in PostgreSQL (15 or later, through psycopg 3), for several pollers and web replicas.

How words are found is in `postgres_search`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Row,
    Select,
    Table,
    Transaction,
    create_engine,
    delete,
    event,
    func,
    select,
    text,
)
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
    TimeoutError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from ..errors import ConfigError, QueryTooCostly, StoreError, StoreUnavailable
from ..query.ast import Node, Words
from .dates import Window
from .engine import Collision, chunks
from .postgres_search import TEXT, contains, entry_search, matches, places, texts
from .schema import entries, metadata
from .sql import SqlStore
from .sqlite import SqliteStore
from .statement import Hits, Sql, tell
from .words import SearchText

# any number that nobody else takes; ours spells "feed"
_LOCK = 0x66656564
_CONNECT = (
    "SET TimeZone = 'UTC'",
    # a poller that hangs in a transaction must not stop the others
    "SET idle_in_transaction_session_timeout = '60s'",
    "SET statement_timeout = '5min'",
    # plans depend on how common a tag or word is, and so on the parameters
    "SET plan_cache_mode = force_custom_plan",
    "SET jit = off",
)
# as the protocol numbers them
_BIGINT, _AS_TEXT = 20, 0
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_OFTEN = ";".join(
    (
        _BEGIN,
        "SET LOCAL plan_cache_mode = force_generic_plan",
        "SET LOCAL max_parallel_workers_per_gather = 0",
        "SET LOCAL enable_seqscan = off",
        "SET LOCAL enable_hashjoin = off",
        "SET LOCAL enable_mergejoin = off",
    )
)
_POSTED = """
    SELECT asked.number, found.entry_pk
    FROM unnest(%s::integer[], %s::integer[]) WITH ORDINALITY AS asked (term, hour, number)
    CROSS JOIN LATERAL (
        SELECT hour, entry_pk FROM postings
        WHERE postings.term = asked.term AND postings.hour <= asked.hour
        ORDER BY hour DESC, entry_pk DESC LIMIT %s
    ) AS found
"""
_SHARERS = """
    SELECT asked.number, found.entry_pk
    FROM unnest(%s::integer[]) WITH ORDINALITY AS asked (mark, number)
    CROSS JOIN LATERAL (
        SELECT entry_pk FROM marks WHERE marks.mark = asked.mark LIMIT %s
    ) AS found
"""
_PAIRS = 5_000
_MISSING = frozenset({"42P01", "42703"})  # undefined table, undefined column
_COLLIDED = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_UNAVAILABLE = frozenset({"08", "28", "3D", "53", "57", "58"})  # classes of SQLSTATE


class PostgresStore(SqlStore):
    """A store on a server, for any number of machines."""

    backend = "postgresql"
    _hits_first = Hits("entry_search AS s JOIN entries AS e ON e.pk = s.entry_pk", joined=True)
    _hits_dated = Hits("entry_search AS s", "s.entry_pk", "s.published", "s.key")
    _counts_words = False

    def __init__(self, url: URL, *, pool: int = 8, wait: float = 30.0) -> None:
        super().__init__(url, pool=pool, wait=wait)

    def _make_engine(self, url: URL, pool: int) -> Engine:
        try:
            engine = create_engine(
                url.set(drivername="postgresql+psycopg"),
                pool_size=pool,
                max_overflow=pool,
                pool_timeout=self.wait,
                # `begun` begins transactions, in one message with all that goes with them
                isolation_level="AUTOCOMMIT",
                connect_args={"application_name": "feedsvc", "connect_timeout": int(self.wait)},
            )
        except ModuleNotFoundError as error:
            raise ConfigError(
                "a PostgreSQL store needs psycopg 3: pip install feedsvc[postgres]",
                key="store.url",
            ) from error

        renewing = Lock()

        @event.listens_for(engine, "connect")
        def connected(connection: Any, _: ConnectionPoolEntry) -> None:
            # statements are known by the types of their values: all numbers are to have one
            numbers = connection.adapters.get_dumper_by_oid(_BIGINT, _AS_TEXT)
            connection.adapters.register_dumper(int, numbers)
            connection.autocommit = True
            for statement in (*_CONNECT, f"SET lock_timeout = '{self.wait:g}s'"):
                connection.execute(statement)

        @event.listens_for(engine, "begin")
        def begun(connection: Connection) -> None:
            begin = connection.get_execution_options().get("begin", "BEGIN")
            pool = engine.pool
            try:
                tell(connection, begin)
            except DBAPIError:
                driver: Any = connection.connection.driver_connection
                if not driver.closed:
                    raise
                # the server has ended it, and most likely the others: nothing was asked of it yet
                connection.invalidate()
                with renewing:
                    # unless another thread has done so, whose connections are new
                    if engine.pool is pool:
                        engine.dispose()
                tell(connection, begin)

        return engine

    def _ours(self, error: SQLAlchemyError) -> StoreError:
        if isinstance(error, TimeoutError):
            return StoreUnavailable(f"{self.name}: {error}")
        if not isinstance(error, DBAPIError):
            return StoreError(f"{self.name}: {error}")
        state = getattr(error.orig, "sqlstate", None)
        reason = str(error.orig).strip()
        if state in _MISSING:
            return self._unmigrated()
        if state in _COLLIDED:
            return Collision(f"{self.name}: two programs changed the same rows: try again")
        if state == "57014":
            return QueryTooCostly(self.tuning.seconds)
        if state == "55P03":
            return StoreUnavailable(f"{self.name} stayed locked for {self.wait:g} s")
        if state == "53100":
            return StoreUnavailable(
                f"{self.name} cannot be written: the server's disk is full; make room there and "
                "the next poll goes on, nothing stored is lost"
            )
        if (state is None and isinstance(error, OperationalError | InterfaceError)) or (
            state is not None and state[:2] in _UNAVAILABLE
        ):
            return StoreUnavailable(f"{self.name} cannot be reached: {reason}")
        return StoreError(f"{self.name}: {reason}")

    def _read_only(self, connection: Connection, *, often: bool) -> Connection:
        limit = f"{_OFTEN};{_limit(self.tuning.seconds)}"
        return connection.execution_options(begin=limit if often else _BEGIN)

    def _read(self, transaction: Transaction) -> None:
        # a rollback would make the driver forget what it has prepared
        transaction.commit()

    def _for_writing(self, connection: Connection, *, durable: bool) -> Connection:
        # what is read once the lock is held must be what the last holder left
        return connection.execution_options(insert_rows=_copy_in)

    def _begin_writing(self, connection: Connection, *, durable: bool, ordered: bool) -> None:
        if not durable:
            connection.execute(text("SET LOCAL synchronous_commit = off"))
        if ordered:
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))

    def _lift_limits(self, connection: Connection) -> None:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))

    # -- life ------------------------------------------------------------------------------

    def _prepare_file(self) -> None:
        pass  # databases are made by whoever runs the server

    def _other_tables(self, connection: Connection) -> bool:
        found = text(
            "SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND relkind IN ('r', 'p', 'v', 'm', 'f') LIMIT 1"
        )
        return connection.scalar(found) is not None

    def _sqlite(self, path: Path) -> SqliteStore:
        return SqliteStore(URL.create("sqlite", database=str(path)), wait=self.wait)

    # -- entries ---------------------------------------------------------------------------

    def _new_pks(self, connection: Connection, number: int) -> Sequence[int]:
        sequence = func.pg_get_serial_sequence(entries.name, entries.c.pk.name)
        each = select(func.nextval(sequence)).select_from(func.generate_series(1, number))
        return sorted(connection.scalars(each))

    def _of_pairs(
        self,
        connection: Connection,
        table: Table,
        columns: Sequence[str],
        pairs: Sequence[tuple[int, bytes]],
    ) -> Iterator[Row[*tuple[Any, ...]]]:
        names = ", ".join(f"found.{name}" for name in columns)
        sql = (
            # names of tables and columns are the schema's
            f"SELECT {names} FROM {table.name} AS found"
            " JOIN unnest(%s::bigint[], %s::bytea[]) AS asked (source_pk, uid_hash)"
            " USING (source_pk, uid_hash)"
        )
        for some in chunks(pairs, _PAIRS):
            lists = tuple(map(list, zip(*some, strict=True)))
            yield from connection.exec_driver_sql(sql, lists).all()

    # -- words -----------------------------------------------------------------------------

    def _put_text(self, connection: Connection, texts: Mapping[int, SearchText]) -> None:
        if texts:
            at = places(connection, texts)
            rows = ((pk, *at[pk], t.title, t.summary, t.body, t.author) for pk, t in texts.items())
            _copy_in(connection, entry_search.name, TEXT, rows)

    def _drop_text(self, connection: Connection, pks: Sequence[int]) -> None:
        for some in chunks(pks, self.tuning.batch):
            connection.execute(delete(entry_search).where(entry_search.c.entry_pk.in_(some)))

    def _clear_text(self, connection: Connection) -> None:
        connection.execute(delete(entry_search))

    def _texts(self, connection: Connection, pks: Iterable[int]) -> dict[int, SearchText]:
        return texts(connection, pks)

    def _matches(self, text: Node, window: Window) -> Sql:
        return matches(text, window.tokens)

    def _hits(self, text: Node) -> Sql:
        found = matches(text, ())
        return Sql(f"SELECT s.entry_pk FROM entry_search AS s WHERE {found.text}", found.values)

    def _has_words(self, words: Words, pk: str) -> Sql:
        found = contains(words)
        its = f"SELECT {found.text} FROM entry_search AS s WHERE s.entry_pk = {pk}"
        return Sql(f"coalesce(({its}), false)", found.values)

    def _stop_after(self, connection: Connection, seconds: float) -> None:
        if not connection.get_execution_options().get("begin", "").startswith(_OFTEN):
            tell(connection, _limit(seconds))

    def _posted(
        self, connection: Connection, asked: Sequence[tuple[int, int]], rows: int
    ) -> Iterator[Sequence[int]]:
        found: list[list[int]] = [[] for _ in asked]
        lists = tuple(map(list, zip(*asked, strict=True))) if asked else ([], [])
        for number, pk in connection.exec_driver_sql(_POSTED, (*lists, rows)):
            found[number - 1].append(pk)
        yield from found

    def _sharers(
        self, connection: Connection, asked: Sequence[int], rows: int
    ) -> Iterator[Sequence[int]]:
        found: list[list[int]] = [[] for _ in asked]
        if asked:
            for number, pk in connection.exec_driver_sql(_SHARERS, (list(asked), rows)):
                found[number - 1].append(pk)
        yield from found

    # -- upkeep ----------------------------------------------------------------------------

    def _indexed(self) -> Select[tuple[int]]:
        return select(entry_search.c.entry_pk)

    def _misdated(self) -> Select[tuple[int]]:
        mine, its = entry_search.c, entries.c
        moved = (mine.published != its.published) | (mine.key != its.key)
        return select(its.pk).join(entry_search, mine.entry_pk == its.pk).where(moved)

    def _damage(self, connection: Connection) -> list[str]:
        return []  # the server looks after its own pages

    def _index_damage(self) -> list[str]:
        return []

    def _after_copy(self, connection: Connection) -> None:
        for table in metadata.sorted_tables:
            key = table.autoincrement_column
            if key is not None:
                sequence = func.pg_get_serial_sequence(table.name, key.name)
                last = select(func.coalesce(func.max(key), 0) + 1).scalar_subquery()
                connection.execute(select(func.setval(sequence, last, False)))

    def _size(self, connection: Connection) -> int:
        names = [table.name for table in (*metadata.sorted_tables, entry_search)]
        sizes = text(
            "SELECT sum(pg_total_relation_size(n::regclass)) FROM unnest(CAST(:names AS text[])) n"
        )
        return int(connection.scalar(sizes, {"names": names}) or 0)

    def _details(self, connection: Connection) -> tuple[tuple[str, str], ...]:
        version = connection.scalar(text("SHOW server_version"))
        return (("database", self.name), ("postgresql", str(version)))


def _limit(seconds: float) -> str:
    return f"SET LOCAL statement_timeout = {int(seconds * 1000)}"


def _copy_in(
    connection: Connection, table: str, names: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Inserts rows by COPY, which takes a twentieth of the time that INSERT takes."""
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN"
    driver = connection.connection.driver_connection
    assert driver is not None
    errors = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except errors as error:
        raise DBAPIError.instance(statement, None, error, errors) from error
