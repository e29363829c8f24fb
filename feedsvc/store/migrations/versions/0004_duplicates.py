"""Which entries are copies of each other.

Pages and copies of entries that are there already are found by the store once all migrations have
run (`Grouping._catch_up`): what does that knows only today's schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Gives entries the number of their page, and makes the table of copies."""
    op.add_column("entries", sa.Column("page_hash", sa.BigInteger()))
    live = sa.text("withdrawn_at IS NULL")
    op.create_index(
        "ix_entries_page",
        "entries",
        ["page_hash", "source_pk"],
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_table(
        "duplicates",
        sa.Column("entry_pk", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("lead", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("page_hash", sa.BigInteger(), nullable=False),
        sa.Column("source_pk", _ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("entry_pk", name="pk_duplicates"),
        sa.ForeignKeyConstraint(
            ["entry_pk"], ["entries.pk"], name="fk_duplicates_entry_pk", ondelete="CASCADE"
        ),
    )
    columns = ["lead", "published", "key"]
    op.create_index("ix_duplicates_lead_published_key", "duplicates", columns)
    op.create_index("ix_duplicates_page_hash", "duplicates", ["page_hash"])
    op.create_index("ix_duplicates_source_pk", "duplicates", ["source_pk"])
