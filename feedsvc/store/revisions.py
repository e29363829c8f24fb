"""The versions that entries had before their publishers changed them.

An entry's versions take turns in a fixed number of slots, so that keeping one more is a single
statement for all entries of a batch, whether one makes room or not. They go with their entry.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, TextClause, bindparam, func, select, text

from ..errors import NotFound
from ..keys import parse_key
from .codec import Payload, encode, entry_of, micros, moment
from .engine import Database, chunks
from .history import Kept, Revision
from .schema import entries, revisions, sources

_KEEP = """
INSERT INTO revisions (entry_pk, slot, at, updated, title, link, payload)
SELECT e.pk,
       CASE WHEN COALESCE(past.versions, 0) < :most THEN COALESCE(past.last + 1, 0)
            ELSE (SELECT slot FROM revisions r WHERE r.entry_pk = e.pk AND r.at = past.oldest) END,
       CASE WHEN past.newest >= :at THEN past.newest + 1 ELSE :at END,
       e.updated, e.title, e.link,
       CASE WHEN {octets} <= :bytes THEN c.payload END
FROM entries e
JOIN contents c ON c.entry_pk = e.pk
LEFT JOIN (SELECT entry_pk, count(*) AS versions, max(slot) AS last, min(at) AS oldest,
                  max(at) AS newest
           FROM revisions WHERE entry_pk IN :pks GROUP BY entry_pk) past ON past.entry_pk = e.pk
WHERE e.pk IN :pks
ON CONFLICT (entry_pk, slot) DO UPDATE
SET at = excluded.at, updated = excluded.updated, title = excluded.title, link = excluded.link,
    payload = excluded.payload
"""
_OCTETS = {
    "sqlite": "length(CAST(c.payload AS BLOB))",
    "postgresql": "octet_length(c.payload)",
}


class Revisions(Database):
    """Past versions of entries."""

    kept = Kept()

    def keep_versions(self, connection: Connection, pks: Sequence[int], now: datetime) -> None:
        """Keeps these entries as they are at this moment, before they are rewritten."""
        if not self.kept.versions:
            return
        bounds = {"most": self.kept.versions, "bytes": self.kept.bytes, "at": micros(now)}
        for some in chunks(pks, self.tuning.batch):
            keep = _keep(connection.dialect.name)
            connection.execute(keep, {**bounds, "pks": list(some)})

    def revisions(self, key: str) -> tuple[Revision, ...]:
        """What an entry was before it became what it is, the latest version first.

        Raises `NotFound`.
        """
        number = parse_key(key)
        mine = select(entries, sources.c.id.label("source_id")).join_from(entries, sources)
        with self.reading() as connection:
            row = connection.execute(mine.where(entries.c.key == number)).mappings().first()
            if number is None or row is None:
                raise NotFound(f"there is no entry “{key}”")
            past = connection.execute(
                select(revisions)
                .where(revisions.c.entry_pk == row["pk"])
                .order_by(revisions.c.at.desc())
                .limit(self.kept.versions)
            )
            return tuple(
                Revision(
                    entry=entry_of(
                        {
                            **row,
                            "title": version.title,
                            "link": version.link,
                            "updated": version.updated,
                            "payload": version.payload or _NO_PAYLOAD,
                        }
                    ),
                    at=moment(version.at),
                    whole=version.payload is not None,
                )
                for version in past
            )

    def changes(self, key: str) -> tuple[int, datetime | None]:
        """How many versions an entry had before today's, as far as kept; when it last changed."""
        number = parse_key(key)
        asked = (
            select(func.count(), func.max(revisions.c.at))
            .join_from(revisions, entries, entries.c.pk == revisions.c.entry_pk)
            .where(entries.c.key == number)
        )
        with self.reading() as connection:
            count, last = connection.execute(asked).one()
        return min(count, self.kept.versions), None if last is None else moment(last)


_NO_PAYLOAD = encode(Payload(fallback_id=""))


@lru_cache(maxsize=4)
def _keep(dialect: str) -> TextClause:
    statement = text(_KEEP.format(octets=_OCTETS[dialect]))
    return statement.bindparams(bindparam("pks", expanding=True))
