"""The tables that links by content are found with; what links there are is in `schema`."""

from sqlalchemy import Column, Index, Integer, LargeBinary, SmallInteger, Table

from .schema import RowId, metadata, of_entry

# what entries are about, for links by content: their terms by falling weight, four bytes each,
# little-endian, and a byte for the weight of each. Links are to be looked for while `pending` is 1,
# the story of the entry while it is 2
signatures = Table(
    "signatures",
    metadata,
    of_entry(),
    # whole hours since 1970
    Column("hour", Integer, nullable=False),
    Column("pending", SmallInteger, nullable=False),
    Column("terms", LargeBinary, nullable=False),
    Column("weights", LargeBinary, nullable=False),
)
for _name, _state in (("ix_signatures_pending", 1), ("ix_signatures_apart", 2)):
    _waiting = signatures.c.pending == _state
    Index(
        _name,
        signatures.c.hour,
        signatures.c.entry_pk,
        sqlite_where=_waiting,
        postgresql_where=_waiting,
    )

# where the first of an entry's terms stand, newest last; no foreign keys, as for titles
postings = Table(
    "postings",
    metadata,
    Column("term", Integer, primary_key=True, autoincrement=False),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("entry_pk", RowId, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
