"""The tables of stories: entries on one event, gathered."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from .schema import RowId, metadata, of_entry

# `key` is that of the entry that a story began with, and stays; `lead` the pk of the entry that it
# is named after; times in microseconds. One that has `gone` fell apart, or is `part_of` another.
stories = Table(
    "stories",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("lead", RowId, nullable=False),
    Column("size", Integer, nullable=False),
    Column("born", BigInteger, nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("gone", BigInteger),
    Column("part_of", BigInteger),
)
_live, _gone = stories.c.gone.is_(None), stories.c.gone.is_not(None)
Index(
    "ix_stories_updated",
    stories.c.updated,
    stories.c.key,
    sqlite_where=_live,
    postgresql_where=_live,
)
Index("ix_stories_gone", stories.c.gone, sqlite_where=_gone, postgresql_where=_gone)
Index("ix_stories_changed", stories.c.changed)

# which entries are in which story, those that are in one
storied = Table(
    "storied",
    metadata,
    of_entry(),
    Column("story", BigInteger, nullable=False),
)
Index("ix_storied_story", storied.c.story, storied.c.entry_pk)
