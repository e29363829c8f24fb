"""The copies that entries have in other sources: what is shown of them, which is the first."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from ..keys import key_text
from ..model import Duplicate
from .engine import chunks
from .schema import duplicates, entries, sources
from .source_codec import meta_of, shown_title
from .statement import Sql

_BATCH = 500


def duplicates_of(connection: Connection, pks: Sequence[int]) -> dict[int, tuple[Duplicate, ...]]:
    """The copies of entries by pk, the earliest first; entries without any are missing."""
    mine, other = duplicates.alias(), duplicates.alias()
    wanted = (
        select(
            mine.c.entry_pk.label("of"),
            entries.c.key,
            entries.c.id,
            entries.c.title,
            entries.c.link,
            sources.c.id.label("source_id"),
            sources.c.title.label("source_title"),
            sources.c.meta,
        )
        .join_from(
            mine, other, (other.c.lead == mine.c.lead) & (other.c.entry_pk != mine.c.entry_pk)
        )
        .join(entries, entries.c.pk == other.c.entry_pk)
        .join(sources, sources.c.pk == other.c.source_pk)
        .order_by(other.c.published, other.c.key)
    )
    found: dict[int, tuple[Duplicate, ...]] = {}
    for some in chunks(pks, _BATCH):
        for row in connection.execute(wanted.where(mine.c.entry_pk.in_(some))):
            copy = Duplicate(
                key=key_text(row.key),
                id=row.id,
                title=row.title,
                link=row.link,
                source_id=row.source_id,
                source_title=shown_title(row.source_id, row.source_title, meta_of(row.meta)),
            )
            found[row.of] = (*found.get(row.of, ()), copy)
    return found


def first_copy(pk: str, wanted: Sql) -> Sql:
    """That no copy of an entry was published before it, of those wanted.

    What is wanted is said of `other`, a row of `duplicates`.
    """
    # one look at an index for each entry: an EXISTS might be made a join with all copies there
    # are. PostgreSQL takes few things to be NULL: asked for none, it would look at all entries
    earlier = (
        "SELECT CASE WHEN count(*) = 0 THEN 1 END FROM duplicates AS mine"
        " JOIN duplicates AS other ON other.lead = mine.lead"
        " AND (other.published, other.key) < (mine.published, mine.key)"
        f" WHERE mine.entry_pk = {pk} AND ({wanted.text})"
    )
    return Sql(f"({earlier}) IS NOT NULL", wanted.values)
