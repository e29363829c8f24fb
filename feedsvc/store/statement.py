"""Statements written out as text: putting those of a query together anew takes no time to speak of.

Values stand apart from the text, in the order of its question marks; nothing that a user wrote is
ever part of it. Both databases read the text alike.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, Column, Connection, Dialect, Select, bindparam, func
from sqlalchemy.exc import DBAPIError

Value = int | str | list[str] | list[int]
_PKS, _PKS_TYPE = 512, ARRAY(BigInteger)
_NAMED = re.compile(r"%\(\w+\)s")


class Sql(NamedTuple):
    """A piece of a statement, and the values of its question marks."""

    text: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Hits:
    """FROM the search index, and what the pk, time and key of what is found there are called.

    If it is `joined`, to the entries `e` that are found.
    """

    of: str
    pk: str = "e.pk"
    published: str = "e.published"
    key: str = "e.key"
    joined: bool = False


TRUE, FALSE = Sql("1 = 1"), Sql("1 = 0")


def all_of(conditions: Iterable[Sql]) -> Sql:
    """That all of these hold."""
    asked = [each for each in conditions if each != TRUE]
    return FALSE if FALSE in asked else _joined(asked, " AND ", TRUE)


def any_of(conditions: Iterable[Sql]) -> Sql:
    """That any of these holds."""
    asked = [each for each in conditions if each != FALSE]
    return TRUE if TRUE in asked else _joined(asked, " OR ", FALSE)


def negated(condition: Sql) -> Sql:
    """That this does not hold; it must never be NULL."""
    if condition in (TRUE, FALSE):
        return FALSE if condition == TRUE else TRUE
    return Sql(f"NOT ({condition.text})", condition.values)


def within(column: str, pks: Sql) -> Sql:
    """That a column is among what a statement selects."""
    return Sql(f"{column} IN ({pks.text})", pks.values)


def run(connection: Connection, sql: Sql) -> list[tuple[Any, ...]]:
    """All rows of a statement as it is."""
    text = sql.text
    if connection.dialect.paramstyle != "qmark":
        text = text.replace("?", "%s")
    return _executed(connection, text, sql.values)


def tell(connection: Connection, text: str) -> None:
    """Runs statements of the driver's own that give no rows."""
    _executed(connection, text, rows=False)


def _executed(
    connection: Connection, text: str, values: tuple[Any, ...] = (), *, rows: bool = True
) -> list[tuple[Any, ...]]:
    """The rows of a statement that gives any, in an open transaction.

    Past SQLAlchemy, which takes longer to hand rows out than most of ours take to be found; those
    who listen for statements hear of this one all the same.
    """
    for heard in connection.dispatch.before_cursor_execute:
        heard(connection, None, text, values, None, False)
    errors = connection.dialect.loaded_dbapi.Error
    try:
        # to make another each time would be a third of the driver's work
        cursor: Any = connection.info.get("cursor")
        if cursor is None:
            cursor = connection.info["cursor"] = connection.connection.cursor()
        cursor.execute(text, values)
        return cursor.fetchall() if rows else []
    except errors as error:
        raise DBAPIError.instance(text, values, error, errors) from error


def rows_of(
    connection: Connection,
    wanted: Select[*tuple[Any, ...]],
    column: Column[int],
    pks: Sequence[int],
) -> Iterator[dict[str, Any]]:
    """The rows of a statement, kept in a module and without values, that are of some pks.

    Values are the driver's own: truths may be numbers.
    """
    for at in range(0, len(pks), _PKS):
        some = pks[at : at + _PKS]
        # few lengths, so that statements are put together once; nothing has the pk 0
        size = 1 << (len(some) - 1).bit_length()
        values: tuple[Any, ...] = (*some, *(0,) * (size - len(some)))
        if connection.dialect.name == "postgresql":
            # as the server writes arrays, which takes the driver a dozen times as long
            size, values = 0, (f"{{{','.join(map(str, some))}}}",)
        text, names = _of_pks(connection.dialect, wanted, column, size)
        for row in _executed(connection, text, values):
            yield dict(zip(names, row, strict=True))


@lru_cache(maxsize=128)
def _of_pks(
    dialect: Dialect, wanted: Select[*tuple[Any, ...]], column: Column[int], size: int
) -> tuple[str, tuple[str, ...]]:
    """A statement for so many pks, or 0 for an array of them, and the names of its columns."""
    some = column.in_(range(size)) if size else column == func.any(bindparam("pks", [], _PKS_TYPE))
    compiled = wanted.where(some).compile(
        dialect=dialect, compile_kwargs={"render_postcompile": True}
    )
    return _NAMED.sub("%s", compiled.string), tuple(wanted.selected_columns.keys())


def _joined(asked: list[Sql], by: str, none: Sql) -> Sql:
    if len(asked) < 2:
        return asked[0] if asked else none
    values = tuple(value for each in asked for value in each.values)
    return Sql(by.join(f"({each.text})" for each in asked), values)
