"""The tables of pages that are read for the full text of entries; the others are in `schema`."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from .schema import Name, RowId, metadata, of_entry

# the pages of entries whose source wants their full text (see `pages`): those that wait to be read,
# and how the reading of the others ended
pages = Table(
    "pages",
    metadata,
    of_entry(),
    Column("source_pk", RowId, nullable=False),
    # `pacing.host_of` the page
    Column("host", Name),
    # nothing once it was read, or given up
    Column("due_at", BigInteger),
    Column("owner", Text),
    Column("until", BigInteger),
    Column("epoch", BigInteger, nullable=False),
    # since it was last asked for, and how often it was read in all
    Column("tries", Integer, nullable=False),
    Column("reads", Integer, nullable=False),
    Column("read_at", BigInteger),
    Column("error", Text),
)
Index(
    "ix_pages_due",
    pages.c.due_at,
    sqlite_where=pages.c.due_at.is_not(None),
    postgresql_where=pages.c.due_at.is_not(None),
)
Index(
    "ix_pages_claimed",
    pages.c.host,
    pages.c.until,
    sqlite_where=pages.c.until.is_not(None),
    postgresql_where=pages.c.until.is_not(None),
)
Index(
    "ix_pages_failed",
    pages.c.source_pk,
    pages.c.read_at,
    sqlite_where=pages.c.error.is_not(None),
    postgresql_where=pages.c.error.is_not(None),
)

# what hosts said in their robots.txt (RFC 9309), and when; nothing where they have none
robots = Table(
    "robots",
    metadata,
    Column("host", Name, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
