"""Words are folded otherwise: entries that are there already are indexed anew, the newest first.

What titles and headlines are found by is made anew after this migration (`Backlog._catch_up`), the
rest by the poller, which counts down from the number written here (`Backlog.fold_anew`).
"""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Notes up to which entry words are folded as they were."""
    op.execute(
        "INSERT INTO meta (key, value)"
        " SELECT 'folding', max(pk) FROM entries HAVING max(pk) IS NOT NULL"
    )
