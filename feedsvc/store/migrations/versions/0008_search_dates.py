"""The search index knows when entries were published, so that the newest are found first."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# an hour, and spans of eight times as much each
_WIDTHS = {name: 3_600_000_000 * 8**level for level, name in enumerate("abcde")}
_BATCH = 1_000


def upgrade() -> None:
    """Indexes every entry under the spans it was published in."""
    if op.get_bind().dialect.name == "sqlite":
        _sqlite(op.get_bind())
    else:
        _postgresql()


def _sqlite(connection: sa.Connection) -> None:
    """Copies the index, since FTS5 tables cannot be given another column."""
    op.execute("ALTER TABLE entry_search RENAME TO entry_search_before")
    op.execute(
        "CREATE VIRTUAL TABLE entry_search USING fts5"
        " (title, summary, body, author, dates, tokenize='ascii')"
    )
    for rows in _batches(connection):
        connection.exec_driver_sql(
            "INSERT INTO entry_search (rowid, title, summary, body, author, dates)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(*row[:-1], _tokens(row[-1])) for row in rows],
        )
    op.execute("DROP TABLE entry_search_before")


def _batches(connection: sa.Connection) -> Iterator[list[tuple[int, str, str, str, str, int]]]:
    last = 0
    while True:
        found = connection.exec_driver_sql(
            "SELECT s.rowid, s.title, s.summary, s.body, s.author, e.published"
            " FROM entry_search_before AS s JOIN entries AS e ON e.pk = s.rowid"
            " WHERE s.rowid > ? ORDER BY s.rowid LIMIT ?",
            (last, _BATCH),
        )
        rows = [tuple(row) for row in found]
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _tokens(published: int) -> str:
    at = max(published, 0)
    return f" {' '.join(f'{name}{at // width}' for name, width in _WIDTHS.items())} "


def _postgresql() -> None:
    spans = ", ".join(
        f"'d:{name}' || greatest(e.published, 0) / {width}" for name, width in _WIDTHS.items()
    )
    # names and numbers are from here
    dated = f"UPDATE entry_search SET words = words || ARRAY[{spans}]"  # noqa: S608
    op.execute(f"{dated} FROM entries AS e WHERE e.pk = entry_search.entry_pk")
