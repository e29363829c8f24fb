"""Search indexes know more of when entries were published; PostgreSQL's keeps its tokens once.

All in one transaction: an upgrade that is killed leaves everything as it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_NAME = sa.Text(collation="C")
# an hour, and spans of eight times as much each
_SPANS = ", ".join(
    f"'{name}' || (greatest(published, 0) / {3_600_000_000 * 8**level})::text"
    for level, name in enumerate("abcde")
)


def upgrade() -> None:
    """Finds out when entries were published, and writes PostgreSQL's rows anew."""
    if op.get_bind().dialect.name == "sqlite":
        op.create_table(
            "entry_blocks",
            sa.Column("block", sa.Integer(), nullable=False, autoincrement=False),
            sa.Column("latest", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("block", name="pk_entry_blocks"),
        )
        op.execute(
            "INSERT INTO entry_blocks SELECT pk / 4096, max(published) FROM entries GROUP BY 1"
        )
    else:
        _postgresql()


def _postgresql() -> None:
    op.execute(
        "CREATE TEMPORARY TABLE entry_search_before ON COMMIT DROP AS"
        " SELECT s.entry_pk, e.published, e.key, s.title, s.summary, s.body, s.author"
        " FROM entry_search AS s JOIN entries AS e ON e.pk = s.entry_pk"
    )
    op.drop_table("entry_search")
    op.create_table(
        "entry_search",
        sa.Column("entry_pk", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        *(sa.Column(each, _NAME, nullable=False) for each in ("title", "summary", "body")),
        sa.Column("author", _NAME, nullable=False),
        sa.PrimaryKeyConstraint("entry_pk", name="pk_entry_search"),
        postgresql_with={"toast_tuple_target": 128},
    )
    op.execute("INSERT INTO entry_search SELECT * FROM entry_search_before ORDER BY entry_pk")
    op.create_index(
        "ix_entry_search_words",
        "entry_search",
        [
            sa.text("string_to_array(title || summary || body, ' ')"),
            sa.text("string_to_array(title, ' ')"),
            sa.text("string_to_array(author, ' ')"),
            sa.text(f"(ARRAY[{_SPANS}])"),
        ],
        postgresql_using="gin",
    )
