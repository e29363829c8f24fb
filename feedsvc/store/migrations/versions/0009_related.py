"""What entries are about, for links by content.

Entries that are there already wait in the outbox, as new ones do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables of terms, and queues all entries for links by content."""
    op.create_table(
        "signatures",
        sa.Column("entry_pk", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("pending", sa.SmallInteger(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entry_pk", name="pk_signatures"),
        sa.ForeignKeyConstraint(
            ["entry_pk"], ["entries.pk"], name="fk_signatures_entry_pk", ondelete="CASCADE"
        ),
    )
    pending = sa.text("pending = 1")
    op.create_index(
        "ix_signatures_pending",
        "signatures",
        ["hour", "entry_pk"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
    op.create_table(
        "postings",
        sa.Column("term", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("hour", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("entry_pk", _ROW_ID, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("term", "hour", "entry_pk", name="pk_postings"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO outbox (consumer, key, change, at)"
        " SELECT 'relate', key, 'new', published FROM entries WHERE withdrawn_at IS NULL"
        " ORDER BY published, key"
    )
