"""The versions that entries had before they changed. An upgraded store begins with none."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the table; no other one is touched."""
    op.create_table(
        "revisions",
        sa.Column("entry_pk", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("link", sa.Text()),
        sa.Column("payload", sa.Text()),
        sa.PrimaryKeyConstraint("entry_pk", "slot", name="pk_revisions"),
        sa.ForeignKeyConstraint(
            ["entry_pk"], ["entries.pk"], name="fk_revisions_entry_pk", ondelete="CASCADE"
        ),
    )
