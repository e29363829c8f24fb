"""Which entries are in which story.

Entries that are there already wait for it: those with links by content are marked so.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables of stories, and has all entries with links by content gathered."""
    op.create_table(
        "stories",
        sa.Column("key", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("lead", _ROW_ID, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("born", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("gone", sa.BigInteger(), nullable=True),
        sa.Column("part_of", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_stories"),
    )
    live, gone = sa.text("gone IS NULL"), sa.text("gone IS NOT NULL")
    op.create_index(
        "ix_stories_updated",
        "stories",
        ["updated", "key"],
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_index(
        "ix_stories_gone", "stories", ["gone"], sqlite_where=gone, postgresql_where=gone
    )
    op.create_index("ix_stories_changed", "stories", ["changed"])
    op.create_table(
        "storied",
        sa.Column("entry_pk", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("story", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry_pk", name="pk_storied"),
        sa.ForeignKeyConstraint(
            ["entry_pk"], ["entries.pk"], name="fk_storied_entry_pk", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_storied_story", "storied", ["story", "entry_pk"])
    op.execute("UPDATE signatures SET pending = 2 WHERE pending = 0")
    apart = sa.text("pending = 2")
    op.create_index(
        "ix_signatures_apart",
        "signatures",
        ["hour", "entry_pk"],
        sqlite_where=apart,
        postgresql_where=apart,
    )
