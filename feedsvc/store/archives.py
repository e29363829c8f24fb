"""Archives by the month: the entries filed in one, as they are without what is computed anew."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from ..keys import key_text
from ..query.ast import EntryQuery
from .answers import Head, Page
from .arms import Place
from .codec import digest_of, moment
from .cursor import Cursor, read_cursor
from .filing import looks_of
from .reading import FULL, Reading
from .schema import entries, sources
from .walking import Walk

_MARK = select(
    entries.c.pk,
    entries.c.key,
    entries.c.source_pk,
    entries.c.id,
    entries.c.own_print,
    entries.c.tags,
    entries.c.names,
    entries.c.published,
    entries.c.updated,
    entries.c.changed,
    sources.c.shown,
).join_from(entries, sources, sources.c.pk == entries.c.source_pk)


class Archives(Reading):
    """Answers to queries, month by month."""

    def archive(
        self,
        query: EntryQuery,
        month: int,
        *,
        limit: int,
        now: datetime,
        before: str | None = None,
        below: str | None = None,
        collapse: bool = False,
        whole: bool = False,
    ) -> tuple[Head, Page]:
        """Marks of the first `limit` entries filed in a month, `whole` the entries as well.

        Raises `OptionError` for a bad cursor.
        """
        after, end = _place(before), _place(below)
        bounds = [place for place in (after, end) if place is not None]
        with self.reading(often=True) as connection:
            search = Walk(connection, self, query.where, now, collapse=collapse)
            found = search.month(month, limit + 1, below=min(bounds, default=None))
            page = found[:limit]
            pks = [pk for pk, _, _ in page]
            rows = self._as_then(connection, _MARK, pks, month)
            previous = None
            if after is not None:
                top = page[0][1:] if page else (after[0], after[1] - 1)
                above = search.month(month, limit + 1, above=top, below=end)
                if above:
                    first = Cursor("published", *above[0][1:]).text()
                    previous = first if len(above) > limit else ""
            head = Head(
                marks=tuple((key_text(row["key"]), _print(row)) for row in rows),
                newest=max((moment(row["updated"]) for row in rows), default=None),
                changed=self._last_change(search, rows, now),
                next=Cursor("published", *page[-1][1:]).text() if len(found) > limit else None,
                previous=previous,
                earlier=search.month_before(month, end),
                later=search.month_after(month),
            )
            full = self._as_then(connection, FULL, pks if whole else (), month)
            stored = tuple(self._stored_entry(row, {}, (), _print(row)) for row in full)
        return head, Page(entries=stored, next=head.next)

    def _as_then(
        self, connection: Connection, wanted: Select[Any], pks: Sequence[int], month: int
    ) -> list[Mapping[str, Any]]:
        """Rows of entries, with their sources as the archive of a month shows them."""
        rows = self._rows(connection, wanted, pks)
        looks = looks_of(connection, month, {row["source_pk"] for row in rows})
        return [{**row, **looks.get(row["source_pk"], {})} for row in rows]

    def _last_change(
        self, search: Walk, rows: Sequence[Mapping[str, Any]], now: datetime
    ) -> datetime | None:
        moments = [row["changed"] for row in rows]
        moments += self._changes(search, now, first=False)
        return moment(max(moments)) if moments else None


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    read = read_cursor(cursor, "published")
    return (read.at, read.key)


def _print(row: Mapping[str, Any]) -> str:
    """Stands for what an archive shows of an entry: nothing that links or copies change."""
    parts = (row["own_print"], row["id"], row["tags"], row["names"], row["shown"])
    return digest_of("archive", *parts)
