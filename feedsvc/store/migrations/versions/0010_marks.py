"""Which marks the texts of entries have, to find copies at other addresses by.

Entries that are there already wait in the outbox. Groups of copies no longer belong to a page.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables of marks, and queues all entries for them."""
    op.create_table(
        "marked",
        sa.Column("entry_pk", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("marks", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entry_pk", name="pk_marked"),
        sa.ForeignKeyConstraint(
            ["entry_pk"], ["entries.pk"], name="fk_marked_entry_pk", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "marks",
        sa.Column("mark", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("entry_pk", _ROW_ID, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("mark", "entry_pk", name="pk_marks"),
        sqlite_with_rowid=False,
    )
    op.drop_index("ix_duplicates_page_hash", "duplicates")
    op.drop_column("duplicates", "page_hash")
    op.execute(
        "INSERT INTO outbox (consumer, key, change, at)"
        " SELECT 'mark', key, 'new', published FROM entries WHERE withdrawn_at IS NULL"
        " ORDER BY published, key"
    )
