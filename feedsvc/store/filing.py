"""In which month's archive an entry stands, so that a closed month gains nothing any more.

An entry stands in the month it was published in, unless that month was closed already when it came
or when what its archive shows of it last changed: then it stands in the month when that happened
(column `filed`). Months are closed when a document of one that is over is first handed out. What a
source is called may change later: closed months keep how it looked (table `looks`).
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, exists, insert, literal, select, tuple_, update

from ..months import month_of
from .codec import moment
from .engine import Database, chunks, run_all
from .schema import duplicates, entries, looks, meta, sources

_BATCH = 500
_SEALED = select(meta.c.value).where(meta.c.key == "sealed")
_mine, _other = duplicates.alias(), duplicates.alias()
_LATER = select(_other.c.entry_pk).join_from(
    _mine,
    _other,
    (_other.c.lead == _mine.c.lead)
    & (tuple_(_other.c.published, _other.c.key) > tuple_(_mine.c.published, _mine.c.key)),
)
_FILE = update(entries).where(entries.c.pk == bindparam("of"))


class Filing(Database):
    """Closing months, and finding entries a place in those that are open."""

    def seal(self, month: int) -> None:
        """Closes the archives of this month and all before it, for good."""
        with self.reading() as connection:
            if self.sealed(connection) >= month:
                return
        # ordered: what is being written in this moment still belongs to the month, or comes after
        with self.writing() as connection:
            mine = meta.c.key == "sealed"
            older = update(meta).where(mine, meta.c.value < month).values(value=month)
            if not connection.execute(older).rowcount and connection.scalar(_SEALED) is None:
                connection.execute(insert(meta).values(key="sealed", value=month))

    def sealed(self, connection: Connection) -> int:
        """The last closed month; 0 if none is."""
        return connection.scalar(_SEALED) or 0

    def refile(
        self, connection: Connection, pks: Collection[int], now: datetime, *, copies: bool = False
    ) -> None:
        """Moves entries out of closed months, because what archives show of them has changed.

        `copies`: and those that may show in their place, for a query that no longer finds these.
        """
        sealed = self.sealed(connection)
        if not sealed:
            return
        columns = entries.c
        wanted = select(columns.pk, columns.published, columns.filed)
        rows = []
        for some in chunks(sorted(pks), self.tuning.batch):
            these = list(some)
            if copies:
                these += connection.scalars(_LATER.where(_mine.c.entry_pk.in_(some)))
            for row in connection.execute(wanted.where(columns.pk.in_(these))):
                filed = filed_in(row.published, sealed, now, row.filed)
                if filed != row.filed:
                    rows.append({"of": row.pk, "filed": filed})
        run_all(connection, _FILE, rows)

    def keep_looks(self, connection: Connection, source_pks: Collection[int]) -> None:
        """Keeps what these sources look like in closed months, before it changes elsewhere."""
        sealed = self.sealed(connection)
        if not sealed:
            return
        kept = exists().where(looks.c.source_pk == sources.c.pk, looks.c.month == sealed)
        columns = ("pk", "id", "title", "meta", "shown")
        for some in chunks(sorted(source_pks), self.tuning.batch):
            now = select(*(sources.c[name] for name in columns), literal(sealed))
            now = now.where(sources.c.pk.in_(some), ~kept)
            names = ["source_pk", *columns[1:], "month"]
            connection.execute(insert(looks).from_select(names, now))


def looks_of(
    connection: Connection, month: int, source_pks: Collection[int]
) -> dict[int, Mapping[str, Any]]:
    """What of these sources looks otherwise in a month's archive: columns by their names, by pk."""
    found: dict[int, Mapping[str, Any]] = {}
    # the last one kept before the next month was closed is the one of this month
    wanted = select(looks).where(looks.c.month >= month).order_by(looks.c.month.desc())
    for some in chunks(sorted(source_pks), _BATCH):
        for row in connection.execute(wanted.where(looks.c.source_pk.in_(some))):
            found[row.source_pk] = {
                "source_id": row.id,
                "source_title": row.title,
                "source_meta": row.meta,
                "shown": row.shown,
            }
    return found


def filed_in(published: int, sealed: int, now: datetime, filed: int | None = None) -> int | None:
    """Where an entry is to be filed that is in `filed` so far; None for its own month."""
    if month_of(moment(published)) > sealed:
        return None
    if filed is not None and filed > sealed:
        return filed
    return max(month_of(now), sealed + 1)
