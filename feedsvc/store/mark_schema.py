"""The tables that copies at other addresses are found with; the copies are in `schema`."""

from sqlalchemy import Column, Integer, LargeBinary, Table

from .schema import RowId, metadata, of_entry

# the marks of each live entry that has any (`duplicates.marks`): four bytes each, little-endian
marked = Table(
    "marked",
    metadata,
    of_entry(),
    Column("marks", LargeBinary, nullable=False),
)

# which entries have a mark; no foreign keys, as for titles
marks = Table(
    "marks",
    metadata,
    Column("mark", Integer, primary_key=True, autoincrement=False),
    Column("entry_pk", RowId, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
