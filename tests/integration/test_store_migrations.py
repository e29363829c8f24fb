"""Migrations lead to exactly the schema that the program works with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, inspect, text

from feedsvc.store import SqlStore, open_store
from feedsvc.store.life import VERSION_TABLE
from feedsvc.store.postgres_search import postgres_metadata
from feedsvc.store.schema import metadata
from feedsvc.store.sqlite_search import CREATE_SEARCH, sqlite_metadata


def ours(backend: str) -> list[MetaData]:
    return [metadata, sqlite_metadata if backend == "sqlite" else postgres_metadata]


def listed(store: SqlStore, statement: str) -> list[tuple[object, ...]]:
    with store.reading() as connection:
        return sorted(tuple(row) for row in connection.execute(text(statement)))


def test_nothing_is_left_to_migrate(any_store: SqlStore) -> None:
    with any_store.reading() as connection:
        wanted: Any = ours(any_store.backend)
        tables = {name for each in wanted for name in each.tables}
        known = {*tables, "entry_search", VERSION_TABLE}
        found = set(inspect(connection).get_table_names())
        # FTS5 keeps its rows in tables of its own
        assert {name for name in found if not name.startswith("entry_search_")} == known
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, _: kind != "table" or name in tables,
                # expressions, which PostgreSQL writes in its own way: compared below
                "include_object": lambda _, name, *__: name != "ix_entry_search_words",
            },
        )
        # Alembic compares with several as well as with one
        assert compare_metadata(context, wanted) == []


def test_sqlite_tables_are_word_for_word_the_same(
    open_fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    statement = (
        "SELECT type, name, tbl_name, replace(replace(sql, ' ', ''), char(9), '')"
        " FROM sqlite_master"
        f" WHERE name NOT LIKE '%{VERSION_TABLE}%' AND name NOT LIKE 'entry_search_%'"
    )
    fresh = open_store(f"sqlite:///{tmp_path}/made.db")
    try:
        with fresh.engine.begin() as connection:
            for each in ours("sqlite"):
                each.create_all(connection)
            connection.exec_driver_sql(CREATE_SEARCH)
        # the order of constraints within a table is nobody's business
        made, migrated = (
            [
                (*row[:3], sorted(str(row[3]).replace("\n", "").strip(")").split(",")))
                for row in listed(store, statement)
            ]
            for store in (fresh, open_fresh("sqlite"))
        )
        assert migrated == made
    finally:
        fresh.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
        f" AND tablename != '{VERSION_TABLE}'",
        "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name"
        " FROM information_schema.columns WHERE table_schema = current_schema()"
        f" AND table_name != '{VERSION_TABLE}'",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = current_schema()::regnamespace"
        f" AND conrelid::regclass::text != '{VERSION_TABLE}'",
    ],
    ids=["indexes", "columns", "constraints"],
)
def test_postgresql_tables_are_word_for_word_the_same(
    open_fresh: Callable[[str], SqlStore], postgres_url: str, statement: str
) -> None:
    fresh = open_store(postgres_url)
    try:
        with fresh.engine.begin() as connection:
            for each in ours("postgresql"):
                each.create_all(connection)
        assert listed(open_fresh("postgresql"), statement) == listed(fresh, statement)
    finally:
        fresh.close()
