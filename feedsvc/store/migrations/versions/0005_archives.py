"""In which month's archive an entry stands, and what closed months show of their sources."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Gives entries the month under which they are filed, and makes the table of looks."""
    op.add_column("entries", sa.Column("filed", sa.Integer()))
    filed = sa.text("withdrawn_at IS NULL AND filed IS NOT NULL")
    op.create_index(
        "ix_entries_filed",
        "entries",
        ["filed", "published", "key"],
        sqlite_where=filed,
        postgresql_where=filed,
    )
    op.create_table(
        "looks",
        sa.Column("source_pk", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("month", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("id", _NAME, nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("meta", sa.Text()),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source_pk", "month", name="pk_looks"),
        sa.ForeignKeyConstraint(["source_pk"], ["sources.pk"], name="fk_looks_source_pk"),
        sqlite_with_rowid=False,
    )
