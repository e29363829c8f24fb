"""Tokens that open feeds, so that they can be given out and revoked while the service runs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Makes the table; no other one is touched."""
    op.create_table(
        "feed_tokens",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_feed_tokens"),
        sqlite_with_rowid=False,
    )
