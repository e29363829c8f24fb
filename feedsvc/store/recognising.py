"""Stored entries that one of a new uid might be: those of its source at its address or date."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, exists, select, tuple_

from ..keys import key_number
from .claims import Known, Mark
from .codec import micros, storable
from .engine import Database, chunks
from .polling import KEPT, known_of
from .schema import entries, sources

_COLUMNS = [entries.c[name] for name in KEPT]
_FILLED = exists().where(entries.c.source_pk == sources.c.pk)


class Recognising(Database):
    """Looking for entries by other things than their uid."""

    def resembling_many(
        self, asked: Mapping[str, Sequence[Mark]]
    ) -> Mapping[str, tuple[Known, ...]]:
        """For each source its entries at any of the addresses, or live ones of any of the dates."""
        found: dict[str, dict[str, Known]] = {id: {} for id in asked}
        with self.reading() as connection:
            names = self._filled(connection, list(asked))
            if not names:
                return dict.fromkeys(asked, ())
            marks = [(pk, mark) for pk, id in names.items() for mark in asked[id]]
            hashes = sorted({key_number(storable(a)) for _, mark in marks for a in mark.links})
            moments = sorted({(pk, micros(m.published)) for pk, m in marks if m.published})
            rows: list[Row[*tuple[Any, ...]]] = []
            wanted = select(*_COLUMNS)
            for some in chunks(hashes, self.tuning.batch):
                rows += connection.execute(wanted.where(entries.c.link_hash.in_(some))).all()
            at = tuple_(entries.c.source_pk, entries.c.published)
            for places in chunks(moments, self.tuning.batch):
                live = entries.c.withdrawn_at.is_(None)
                rows += connection.execute(wanted.where(live, at.in_(places))).all()
        for row in rows:
            if row.source_pk in names:
                known = known_of(row)
                found[names[row.source_pk]][known.uid] = known
        return {id: tuple(known.values()) for id, known in found.items()}

    def newest(self, source_id: str, limit: int) -> tuple[Known, ...]:
        """The newest live entries of a source."""
        own = select(sources.c.pk).where(sources.c.id == storable(source_id)).scalar_subquery()
        order = (entries.c.published.desc(), entries.c.key.desc())
        wanted = select(*_COLUMNS).where(
            entries.c.source_pk == own, entries.c.withdrawn_at.is_(None)
        )
        with self.reading() as connection:
            return tuple(map(known_of, connection.execute(wanted.order_by(*order).limit(limit))))

    def _filled(self, connection: Connection, ids: Sequence[str]) -> dict[int, str]:
        """The pks of those of these sources that have entries: others need not be looked at."""
        named = {storable(id): id for id in ids}
        found: dict[int, str] = {}
        for some in chunks(list(named), self.tuning.batch):
            wanted = select(sources.c.pk, sources.c.id).where(sources.c.id.in_(some), _FILLED)
            found |= {pk: named[id] for pk, id in connection.execute(wanted)}
        return found
