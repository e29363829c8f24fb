"""The pages of entries whose source wants their full text, and what hosts say in robots.txt."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Makes the tables; entries that are there already have no page to be read."""
    op.create_table(
        "pages",
        sa.Column("entry_pk", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("source_pk", _ROW_ID, nullable=False),
        sa.Column("host", _NAME),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("owner", sa.Text()),
        sa.Column("until", sa.BigInteger()),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("entry_pk", name="pk_pages"),
        sa.ForeignKeyConstraint(
            ["entry_pk"], ["entries.pk"], name="fk_pages_entry_pk", ondelete="CASCADE"
        ),
    )
    for name, columns, where in (
        ("ix_pages_due", ["due_at"], "due_at IS NOT NULL"),
        ("ix_pages_claimed", ["host", "until"], "until IS NOT NULL"),
        ("ix_pages_failed", ["source_pk", "read_at"], "error IS NOT NULL"),
    ):
        op.create_index(
            name, "pages", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
    op.create_table(
        "robots",
        sa.Column("host", _NAME, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_robots"),
    )
