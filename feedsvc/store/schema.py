"""The tables, one SQLAlchemy Core MetaData for every backend; migrations lead to exactly this.

Times are whole microseconds since 1970 UTC, structured values JSON text (see `codec`). The search
index is not here: SQLite keeps it in an FTS5 table and PostgreSQL in a table of its own (see
`sqlite` and `postgres`), and both can be rebuilt from what is here.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    and_,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite makes rowids only of columns that are declared INTEGER
RowId = BigInteger().with_variant(Integer, "sqlite")


def of_entry() -> Column[int]:
    """The key of rows that belong to an entry and go with it; maybe one of several columns."""
    gone = ForeignKey("entries.pk", ondelete="CASCADE")
    return Column("entry_pk", RowId, gone, primary_key=True, autoincrement=False)


# names sort by code point on both backends, whatever the database's locale
Name = Text().with_variant(Text(collation="C"), "postgresql")

meta = Table(
    "meta",
    metadata,
    # `change` counts commits that may change a feed; `membership` is when an entry that was
    # there already last changed in what feeds it belongs to or how it looks; `sealed` is the last
    # month (`months`) whose archive is closed; `folding` is up to which entry words are indexed as
    # an earlier version folded them
    Column("key", Name, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

sources = Table(
    "sources",
    metadata,
    Column("pk", RowId, primary_key=True),
    Column("id", Name, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("title", Text),
    Column("origin", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    # the rest of a Source, and the whole of it as the configuration declared it
    Column("settings", Text, nullable=False),
    Column("declared", Text),
    # what the feed says of itself, and a digest of what entries show of their source
    Column("meta", Text),
    Column("shown", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    sqlite_autoincrement=True,
)

# so that a source that comes back is found among the removed ones, not among all
Index(
    "ix_sources_removed",
    sources.c.removed_at,
    sqlite_where=sources.c.removed_at.is_not(None),
    postgresql_where=sources.c.removed_at.is_not(None),
)

poll_state = Table(
    "poll_state",
    metadata,
    Column("source_pk", RowId, ForeignKey("sources.pk"), primary_key=True, autoincrement=False),
    # enabled and not removed: with `next_at` and `host` all that a tick looks at
    Column("active", SmallInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    # `pacing.host_of` the location; none for directories
    Column("host", Name),
    Column("retry_after", BigInteger),
    Column("claim_owner", Text),
    Column("claim_until", BigInteger),
    Column("claim_epoch", BigInteger, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("digest", Text),
    Column("cursor", Text),
    Column("last_at", BigInteger),
    Column("last_ok_at", BigInteger),
    Column("status", Integer),
    Column("error", Text),
    Column("problems", Text),
    Column("failures", Integer, nullable=False),
    Column("why", Text),
    Column("fault", Text),
    # what is looked at only when the source is polled or shown (`source_codec.Memory`)
    Column("memory", LargeBinary, nullable=False),
    Index(None, "active", "next_at", "host"),
    Index(None, "active", "last_at"),
)
Index(
    "ix_poll_state_claimed",
    poll_state.c.host,
    poll_state.c.claim_until,
    sqlite_where=poll_state.c.claim_until.is_not(None),
    postgresql_where=poll_state.c.claim_until.is_not(None),
)

# what is to be minded of a host and port, whichever source or poller learned it
hosts = Table(
    "hosts",
    metadata,
    Column("host", Name, primary_key=True),
    # when it was told to us, and until when it is not to be asked
    Column("told_at", BigInteger),
    Column("retry_after", BigInteger),
    # when the next request may begin
    Column("free_at", BigInteger),
    sqlite_with_rowid=False,
)
Index(
    "ix_hosts_resting",
    hosts.c.retry_after,
    sqlite_where=hosts.c.retry_after.is_not(None),
    postgresql_where=hosts.c.retry_after.is_not(None),
)

# cursors too long for a row that every claim writes anew: the ledgers of large directories
long_cursors = Table(
    "long_cursors",
    metadata,
    Column("source_pk", RowId, ForeignKey("sources.pk"), primary_key=True, autoincrement=False),
    Column("cursor", Text, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("pk", RowId, primary_key=True),
    # made from `id`, and so what makes ids unique: an index on ids could overflow a btree page
    Column("key", BigInteger, nullable=False, unique=True),
    Column("source_pk", RowId, ForeignKey("sources.pk"), nullable=False),
    Column("uid_hash", LargeBinary, nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("withdrawn_at", BigInteger),
    Column("dated", Boolean, nullable=False),
    # bits of `codec.Flag`, for `has:`
    Column("flags", SmallInteger, nullable=False),
    Column("link_hash", BigInteger),
    # its language or nothing, and the primary subtag of that
    Column("lang", Name, nullable=False),
    Column("tongue", Name, nullable=False),
    Column("id", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("link", Text),
    Column("digest", Text, nullable=False),
    # of the entry alone, and of the entry with its tags and links
    Column("own_print", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("tags", Text),
    # the headlines it names
    Column("names", Text),
    # of the page its link leads to (`duplicates.page_of`)
    Column("page_hash", BigInteger),
    # the month (`months`) of the archive it stands in; none where that is the month of `published`
    Column("filed", Integer),
    # when its source says that it was last updated
    Column("modified", BigInteger),
    Index("uq_entries_source_pk_uid_hash", "source_pk", "uid_hash", unique=True),
    Index(None, "link_hash"),
    sqlite_autoincrement=True,
)

_live = entries.c.withdrawn_at.is_(None)
_gone = entries.c.withdrawn_at.is_not(None)
for _name, _columns, _where in (
    ("ix_entries_published", (entries.c.published, entries.c.key), _live),
    ("ix_entries_updated", (entries.c.updated, entries.c.key), _live),
    ("ix_entries_source", (entries.c.source_pk, entries.c.published, entries.c.key), _live),
    ("ix_entries_tongue", (entries.c.tongue, entries.c.published, entries.c.key), _live),
    ("ix_entries_page", (entries.c.page_hash, entries.c.source_pk), _live),
    ("ix_entries_withdrawn", (entries.c.withdrawn_at, entries.c.key), _gone),
    (
        "ix_entries_filed",
        (entries.c.filed, entries.c.published, entries.c.key),
        and_(_live, entries.c.filed.is_not(None)),
    ),
):
    Index(_name, *_columns, sqlite_where=_where, postgresql_where=_where)

# the bulk of an entry, apart, so that what queries look at stays dense
contents = Table(
    "contents",
    metadata,
    of_entry(),
    Column("payload", Text, nullable=False),
)

# what entries were before their content changed (see `revisions`); the text of a version that is
# too large is not kept
revisions = Table(
    "revisions",
    metadata,
    of_entry(),
    # versions take turns in these; `at` tells their order: it is when this one was replaced
    Column("slot", SmallInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("link", Text),
    Column("payload", Text),
)

tags = Table(
    "tags",
    metadata,
    Column("pk", RowId, primary_key=True),
    Column("slug", Name, nullable=False, unique=True),
    Column("label", Text, nullable=False),
    # live entries that carry it
    Column("count", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

entry_tags = Table(
    "entry_tags",
    metadata,
    # in the order in which a tag's feed is read; `live` is 0 for withdrawn entries
    Column("tag_pk", RowId, ForeignKey("tags.pk"), primary_key=True, autoincrement=False),
    Column("live", SmallInteger, primary_key=True, autoincrement=False),
    Column("published", BigInteger, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    of_entry(),
    Index("uq_entry_tags_entry_pk_tag_pk", "entry_pk", "tag_pk", unique=True),
    sqlite_with_rowid=False,
)

pruned = Table(
    "pruned",
    metadata,
    Column("source_pk", RowId, ForeignKey("sources.pk"), primary_key=True, autoincrement=False),
    Column("uid_hash", LargeBinary, primary_key=True),
    Column("id", Text, nullable=False),
    Column("published", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", RowId, primary_key=True),
    Column("consumer", Name, nullable=False),
    Column("key", BigInteger, nullable=False),
    Column("change", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "consumer", "seq"),
    sqlite_autoincrement=True,
)

related = Table(
    "related",
    metadata,
    of_entry(),
    # 0 explicit, 1 by content; an explicit one's position is that of its headline in `names`
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column(
        "target_pk",
        RowId,
        ForeignKey("entries.pk", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("score", Double, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)

# live entries that have copies in other sources; those of one group have one `lead`, the key of its
# first. None of this is lost with its rows: all of them can be made again
duplicates = Table(
    "duplicates",
    metadata,
    of_entry(),
    Column("lead", BigInteger, nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("key", BigInteger, nullable=False),
    Column("source_pk", RowId, nullable=False),
    Index(None, "lead", "published", "key"),
    Index(None, "source_pk"),
)

# what entries in closed archives show of their source, in months up to this one, where that has
# changed since (see `filing`)
looks = Table(
    "looks",
    metadata,
    Column("source_pk", RowId, ForeignKey("sources.pk"), primary_key=True, autoincrement=False),
    Column("month", Integer, primary_key=True, autoincrement=False),
    Column("id", Name, nullable=False),
    Column("title", Text),
    Column("meta", Text),
    Column("shown", Text, nullable=False),
    sqlite_with_rowid=False,
)

# terms are hashes of tokens; no foreign keys, because their rows are found by term alone
title_terms = Table(
    "title_terms",
    metadata,
    Column("term", BigInteger, primary_key=True, autoincrement=False),
    Column("published", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_pk", RowId, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# of headlines that wait for their entry
ref_terms = Table(
    "ref_terms",
    metadata,
    Column("term", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_pk", RowId, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# of a feed token only its digest is kept: whoever reads the store learns no token
feed_tokens = Table(
    "feed_tokens",
    metadata,
    Column("name", Name, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("added", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
