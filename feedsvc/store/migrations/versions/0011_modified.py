"""When sources say that entries were last updated, so that no older version replaces a newer one.

Of entries that are there already nothing is known; the next version of each tells.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Adds the column."""
    op.add_column("entries", sa.Column("modified", sa.BigInteger(), nullable=True))
