"""The first schema that later ones migrate. What each column is for is said in `schema`."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0002"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_LIVE = sa.text("withdrawn_at IS NULL")
_GONE = sa.text("withdrawn_at IS NOT NULL")


def _key(name: str, kind: Any = None) -> sa.Column[Any]:
    return sa.Column(name, kind or _ROW_ID, nullable=False, autoincrement=False)


def _serial(name: str) -> sa.Column[Any]:
    return sa.Column(name, _ROW_ID, primary_key=True, nullable=False)


def _needed(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _optional(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name in names]


def _primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _belongs(table: str, column: str, to: str, ondelete: str | None = None) -> Any:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{to}.pk"], name=name, ondelete=ondelete)


def upgrade() -> None:
    """Makes every table, and the two rows that count changes."""
    _sources()
    _entries()
    _tags()
    _links()
    op.create_table(
        "meta",
        sa.Column("key", _NAME, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        _primary("meta", "key"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO meta VALUES ('change', 0), ('membership', 0)")
    op.create_table(
        "outbox",
        _serial("seq"),
        sa.Column("consumer", _NAME, nullable=False),
        *_needed(sa.BigInteger(), "key"),
        *_needed(sa.Text(), "change"),
        *_needed(sa.BigInteger(), "at"),
        _primary("outbox", "seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_consumer_seq", "outbox", ["consumer", "seq"])
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE entry_search USING fts5"
            " (title, summary, body, author, tokenize='ascii')"
        )
    else:
        op.create_table(
            "entry_search",
            _key("entry_pk"),
            *_needed(sa.Text(), "title", "summary", "body", "author"),
            *_needed(ARRAY(sa.Text()), "words"),
            _primary("entry_search", "entry_pk"),
        )
        op.create_index("ix_entry_search_words", "entry_search", ["words"], postgresql_using="gin")


def _sources() -> None:
    op.create_table(
        "sources",
        _serial("pk"),
        sa.Column("id", _NAME, nullable=False),
        *_needed(sa.Text(), "kind", "location"),
        *_optional(sa.Text(), "title"),
        *_needed(sa.Text(), "origin"),
        *_needed(sa.Boolean(), "enabled"),
        *_needed(sa.Text(), "settings"),
        *_optional(sa.Text(), "declared", "meta"),
        *_needed(sa.Text(), "shown"),
        *_needed(sa.BigInteger(), "added_at"),
        *_optional(sa.BigInteger(), "removed_at"),
        _primary("sources", "pk"),
        sa.UniqueConstraint("id", name="uq_sources_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "poll_state",
        _key("source_pk"),
        *_needed(sa.SmallInteger(), "active"),
        *_needed(sa.BigInteger(), "next_at"),
        *_optional(_NAME, "host"),
        *_optional(sa.BigInteger(), "retry_after"),
        *_optional(sa.Text(), "claim_owner"),
        *_optional(sa.BigInteger(), "claim_until"),
        *_needed(sa.BigInteger(), "claim_epoch"),
        *_optional(sa.Text(), "etag", "last_modified", "digest", "cursor"),
        *_optional(sa.BigInteger(), "last_at", "last_ok_at"),
        *_optional(sa.Integer(), "status"),
        *_optional(sa.Text(), "error", "problems"),
        *_needed(sa.Integer(), "failures"),
        *_optional(sa.Text(), "why", "fault"),
        *_needed(sa.LargeBinary(), "memory"),
        _primary("poll_state", "source_pk"),
        _belongs("poll_state", "source_pk", "sources"),
    )
    for columns in (["active", "next_at", "host"], ["active", "last_at"]):
        op.create_index(f"ix_poll_state_{'_'.join(columns)}", "poll_state", columns)
    op.create_table(
        "hosts",
        sa.Column("host", _NAME, nullable=False),
        *_optional(sa.BigInteger(), "told_at", "retry_after", "free_at"),
        _primary("hosts", "host"),
        sqlite_with_rowid=False,
    )
    for name, table, indexed, where in (
        ("ix_sources_removed", "sources", ["removed_at"], "removed_at"),
        ("ix_poll_state_claimed", "poll_state", ["host", "claim_until"], "claim_until"),
        ("ix_hosts_resting", "hosts", ["retry_after"], "retry_after"),
    ):
        there = sa.text(f"{where} IS NOT NULL")
        op.create_index(name, table, indexed, sqlite_where=there, postgresql_where=there)
    op.create_table(
        "long_cursors",
        _key("source_pk"),
        *_needed(sa.Text(), "cursor"),
        _primary("long_cursors", "source_pk"),
        _belongs("long_cursors", "source_pk", "sources"),
    )
    op.create_table(
        "pruned",
        _key("source_pk"),
        _key("uid_hash", sa.LargeBinary()),
        *_needed(sa.Text(), "id"),
        *_needed(sa.BigInteger(), "published"),
        _primary("pruned", "source_pk", "uid_hash"),
        _belongs("pruned", "source_pk", "sources"),
        sqlite_with_rowid=False,
    )


def _entries() -> None:
    op.create_table(
        "entries",
        _serial("pk"),
        *_needed(sa.BigInteger(), "key"),
        *_needed(_ROW_ID, "source_pk"),
        *_needed(sa.LargeBinary(), "uid_hash"),
        *_needed(sa.BigInteger(), "published", "updated", "first_seen", "changed"),
        *_optional(sa.BigInteger(), "withdrawn_at"),
        *_needed(sa.Boolean(), "dated"),
        *_needed(sa.SmallInteger(), "flags"),
        *_optional(sa.BigInteger(), "link_hash"),
        *_needed(_NAME, "lang", "tongue"),
        *_needed(sa.Text(), "id", "uid", "title"),
        *_optional(sa.Text(), "link"),
        *_needed(sa.Text(), "digest", "own_print", "fingerprint"),
        *_optional(sa.Text(), "tags", "names"),
        _primary("entries", "pk"),
        sa.UniqueConstraint("key", name="uq_entries_key"),
        _belongs("entries", "source_pk", "sources"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_entries_source_pk_uid_hash", "entries", ["source_pk", "uid_hash"], unique=True
    )
    op.create_index("ix_entries_link_hash", "entries", ["link_hash"])
    for name, columns, where in (
        ("ix_entries_published", ["published", "key"], _LIVE),
        ("ix_entries_updated", ["updated", "key"], _LIVE),
        ("ix_entries_source", ["source_pk", "published", "key"], _LIVE),
        ("ix_entries_tongue", ["tongue", "published", "key"], _LIVE),
        ("ix_entries_withdrawn", ["withdrawn_at", "key"], _GONE),
    ):
        op.create_index(name, "entries", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "contents",
        _key("entry_pk"),
        *_needed(sa.Text(), "payload"),
        _primary("contents", "entry_pk"),
        _belongs("contents", "entry_pk", "entries", "CASCADE"),
    )
    op.create_table(
        "title_terms",
        _key("term", sa.BigInteger()),
        _key("published", sa.BigInteger()),
        _key("entry_pk"),
        _primary("title_terms", "term", "published", "entry_pk"),
        sqlite_with_rowid=False,
    )


def _tags() -> None:
    op.create_table(
        "tags",
        _serial("pk"),
        sa.Column("slug", _NAME, nullable=False),
        *_needed(sa.Text(), "label"),
        *_needed(sa.BigInteger(), "count"),
        _primary("tags", "pk"),
        sa.UniqueConstraint("slug", name="uq_tags_slug"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "entry_tags",
        _key("tag_pk"),
        _key("live", sa.SmallInteger()),
        _key("published", sa.BigInteger()),
        _key("key", sa.BigInteger()),
        _key("entry_pk"),
        _primary("entry_tags", "tag_pk", "live", "published", "key", "entry_pk"),
        _belongs("entry_tags", "tag_pk", "tags"),
        _belongs("entry_tags", "entry_pk", "entries", "CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "uq_entry_tags_entry_pk_tag_pk", "entry_tags", ["entry_pk", "tag_pk"], unique=True
    )


def _links() -> None:
    op.create_table(
        "related",
        _key("entry_pk"),
        _key("kind", sa.SmallInteger()),
        _key("position", sa.Integer()),
        *_needed(_ROW_ID, "target_pk"),
        *_needed(sa.Double(), "score"),
        *_needed(sa.Text(), "reason"),
        _primary("related", "entry_pk", "kind", "position"),
        _belongs("related", "entry_pk", "entries", "CASCADE"),
        _belongs("related", "target_pk", "entries", "CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_related_target_pk", "related", ["target_pk"])
    op.create_table(
        "ref_terms",
        _key("term", sa.BigInteger()),
        _key("entry_pk"),
        _key("position", sa.Integer()),
        _primary("ref_terms", "term", "entry_pk", "position"),
        sqlite_with_rowid=False,
    )
