"""Reading entries: pages of a query, their marks alone, single entries."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, select

from ..errors import NotFound
from ..keys import key_text, parse_key
from ..model import DeletedEntry, Duplicate, StoredEntry
from ..months import month_of
from ..query.ast import EntryQuery, relative
from .base import Head, Page
from .codec import digest_of, entry_of, micros, moment, names_of
from .cursor import LAST, Cursor, read_cursor
from .duplicates import duplicates_of
from .engine import Database
from .fairness import Shares, fair_page
from .links import links_of, show
from .schema import contents, duplicates, entries, sources
from .source_codec import meta_of, shown_meta, shown_title
from .statement import rows_of
from .walking import Walk
from .words import relevance

TOMBSTONES = timedelta(days=30)

FULL = (
    select(
        entries,
        contents.c.payload,
        sources.c.id.label("source_id"),
        sources.c.title.label("source_title"),
        sources.c.meta.label("source_meta"),
        sources.c.shown,
        duplicates.c.lead,
    )
    .join_from(entries, contents, contents.c.entry_pk == entries.c.pk)
    .join(sources, sources.c.pk == entries.c.source_pk)
    .outerjoin(duplicates, duplicates.c.entry_pk == entries.c.pk)
)
_MARK = select(
    entries.c.pk,
    entries.c.key,
    entries.c.fingerprint,
    entries.c.published,
    entries.c.updated,
    entries.c.changed,
    entries.c.filed,
    sources.c.shown,
).join_from(entries, sources, sources.c.pk == entries.c.source_pk)


class Reading(Database):
    """Answers to queries. Every method sees one state of the database."""

    def head(
        self,
        query: EntryQuery,
        *,
        limit: int,
        now: datetime,
        before: str | None = None,
        collapse: bool = False,
        shares: Shares | None = None,
    ) -> Head:
        """Marks of the first `limit` entries. Raises `OptionError` for a bad cursor."""
        after = _read(before, query)
        first = before is None
        with self.reading(often=True) as connection:
            search = Walk(connection, self, query.where, now, collapse=collapse)
            pks, next, following = self._page(connection, search, query, limit, before, shares)
            wanted = pks if following is None or not first else [*pks, following]
            rows = self._rows(connection, _MARK, wanted)
            beyond, rows = rows[len(pks) :], rows[: len(pks)]
            deleted = search.withdrawn(micros(now - TOMBSTONES), limit) if first else []
            moments = [row["changed"] for row in rows] + [at for _, _, at in deleted]
            moments += self._changes(search, now, first=first)
            previous = None if first else self._previous(search, query, rows, after, shares)
            both_ways = query.sort != "relevance" and not _fair(search, shares)
            earlier, shown = None, None
            if first and next:
                earlier, shown = self._ended(search, query, now, next, rows, beyond)
        if relative(query.where):
            moments.append(micros(now.astimezone(UTC).replace(second=0, microsecond=0)))
        return Head(
            marks=tuple((key_text(row["key"]), _fingerprint(row)) for row in rows),
            deleted=tuple(
                DeletedEntry(id=id, key=key_text(key), when=moment(at)) for id, key, at in deleted
            ),
            newest=moment(max(row["updated"] for row in rows)) if rows else None,
            changed=moment(max(moments)) if moments else None,
            next=next,
            previous=previous,
            earlier=earlier,
            shown=shown,
            both_ways=both_ways,
        )

    def find(
        self,
        query: EntryQuery,
        *,
        limit: int,
        now: datetime,
        before: str | None = None,
        collapse: bool = False,
        shares: Shares | None = None,
    ) -> Page:
        """The first `limit` live entries, those after cursor `before`; keyset paging."""
        with self.reading(often=True) as connection:
            search = Walk(connection, self, query.where, now, collapse=collapse)
            pks, next, _ = self._page(connection, search, query, limit, before, shares)
            return Page(entries=self._stored(connection, pks), next=next)

    def count(self, query: EntryQuery, *, now: datetime, collapse: bool = False) -> int:
        """How many live entries match."""
        with self.reading() as connection:
            return Walk(connection, self, query.where, now, collapse=collapse).count()

    def entry(self, key: str) -> StoredEntry:
        """One entry, withdrawn or not. Raises `NotFound`."""
        number = parse_key(key)
        if number is not None:
            with self.reading() as connection:
                pk = connection.scalar(select(entries.c.pk).where(entries.c.key == number))
                if pk is not None:
                    return self._stored(connection, [pk])[0]
        raise NotFound(f"there is no entry “{key}”")

    def keys(self, after: str | None, limit: int) -> tuple[tuple[str, ...], str | None]:
        """A batch of live entries' keys, newest first, and where to go on (None at the end)."""
        cursor = None if after is None else read_cursor(after, "published")
        with self.reading() as connection:
            search = Walk(connection, self, None, datetime.now(UTC))
            place = None if cursor is None else (cursor.at, cursor.key)
            found = search.page("published", limit, place)
        next = Cursor("published", *found[-1][1:]).text() if len(found) == limit else None
        return tuple(key_text(key) for _, _, key in found), next

    # -- pages -----------------------------------------------------------------------------

    def _page(
        self,
        connection: Connection,
        search: Walk,
        query: EntryQuery,
        limit: int,
        before: str | None,
        shares: Shares | None,
    ) -> tuple[list[int], str | None, int | None]:
        """The pks of a page in order, the cursor of the next page if there is one, and its first.

        That is left open where the order is another than that of time.
        """
        after = _read(before, query)
        if before == LAST:
            return [pk for pk, _, _ in search.before(query.sort, limit, None)], None, None
        if after is not None and after.up:
            above = search.before(query.sort, limit, (after.at, after.key))
            # without anything above it, the entry that the cursor names is the first
            _, at, key = above[-1] if above else (0, after.at, after.key + 1)
            return [pk for pk, _, _ in above], Cursor(query.sort, at, key).text(), None
        fair = _fair(search, shares)
        if query.sort != "relevance" and (fair or (after and after.behind)):
            given = shares if fair and shares else Shares()
            pks, end = fair_page(
                connection, search, query.sort, limit=limit, after=after, shares=given
            )
            return pks, end.text() if end else None, None
        if query.sort == "relevance":
            found = self._ranked(connection, search, limit + 1, after)
        else:
            place = None if after is None else (after.at, after.key)
            found = [
                (pk, Cursor(query.sort, at, key))
                for pk, at, key in search.page(query.sort, limit + 1, place)
            ]
        page = found[:limit]
        following = found[limit][0] if len(found) > limit else None
        next = None if following is None else page[-1][1].text()
        return [pk for pk, _ in page], next, following

    def _ranked(
        self, connection: Connection, search: Walk, limit: int, after: Cursor | None
    ) -> list[tuple[int, Cursor]]:
        """The most relevant of the newest entries that match, from the first page's anchor on."""
        top = self.tuning.ranked
        anchor = None if after is None else after.anchor
        newest = search.page("published", top, anchor, including=True)
        asked = search.words()
        texts = self._texts(connection, [pk for pk, _, _ in newest]) if asked else {}
        score = relevance(asked)
        ranked = [(score(texts[pk]) if pk in texts else 0, at, key, pk) for pk, at, key in newest]
        ranked.sort(reverse=True)
        if after is not None:
            last = (after.score, after.at, after.key)
            ranked = [place for place in ranked if place[:3] < last]
        first = newest[0][1:] if newest and anchor is None else anchor or (0, 0)
        return [
            (pk, Cursor("relevance", at, key, score, first))
            for score, at, key, pk in ranked[:limit]
        ]

    def _previous(
        self,
        search: Walk,
        query: EntryQuery,
        rows: Sequence[Mapping[str, Any]],
        after: Cursor | None,
        shares: Shares | None,
    ) -> str | None:
        """The cursor of the page right above these entries, whatever comes there meanwhile.

        None where there is none, or where the order of pages goes one way only.
        """
        if query.sort == "relevance" or _fair(search, shares) or (after and after.behind):
            return None
        if rows:
            place = (rows[0][query.sort], rows[0]["key"])
        elif after and not after.up:
            # the entry that the cursor names stands on the page before this empty one
            place = (after.at, after.key - 1)
        else:
            return None
        return (
            Cursor(query.sort, *place, up=True).text()
            if search.before(query.sort, 1, place)
            else None
        )

    def _ended(
        self,
        search: Walk,
        query: EntryQuery,
        now: datetime,
        next: str,
        page: Sequence[Mapping[str, Any]],
        beyond: Sequence[Mapping[str, Any]],
    ) -> tuple[int | None, str | None]:
        """The month in which archives go on after a first page, and from where if that is sure.

        The first entry of the page, or of the next one, mostly tells.
        """
        cursor = read_cursor(next, query.sort)
        filed = search.told(micros(now - TOMBSTONES)).filed or 0
        if query.sort != "published":
            return search.month_before(None, filed=filed), None
        sure = beyond and not cursor.behind
        first = beyond[0] if sure else page[0]
        own = None if first["filed"] else month_of(moment(first["published"]))
        if sure:
            return search.month_before(None, (cursor.at, cursor.key), own=own, filed=filed), next
        return search.month_before(None, own=own, filed=filed), None

    def _changes(self, search: Walk, now: datetime, *, first: bool) -> list[int]:
        """When what a page lacks may last have changed, though nothing on it did."""
        told = search.told(micros(now - TOMBSTONES))
        found = [at for at in (told.membership, search.gathered()) if at is not None]
        if first and told.ended is not None:
            # a tombstone that has just ceased to be shown
            found.append(micros(moment(told.ended) + TOMBSTONES))
        return found

    # -- rows ------------------------------------------------------------------------------

    def _rows(
        self, connection: Connection, wanted: Select[Any], pks: Sequence[int]
    ) -> list[dict[str, Any]]:
        """Rows of entries, in the order of their pks."""
        found = {row["pk"]: row for row in rows_of(connection, wanted, entries.c.pk, pks)}
        return [found[pk] for pk in pks]

    def _stored(self, connection: Connection, pks: Sequence[int]) -> tuple[StoredEntry, ...]:
        links = links_of(connection, pks)
        rows = self._rows(connection, FULL, pks)
        copied = [row["pk"] for row in rows if row["lead"] is not None]
        copies = duplicates_of(connection, copied)
        return tuple(self._stored_entry(row, links, copies.get(row["pk"], ())) for row in rows)

    def _stored_entry(
        self,
        row: Mapping[str, Any],
        links: Any,
        copies: tuple[Duplicate, ...],
        print: str | None = None,
    ) -> StoredEntry:
        source = meta_of(row["source_meta"])
        related, unresolved = show(names_of(row["names"]), links.get(row["pk"], ()))
        withdrawn = row["withdrawn_at"]
        return StoredEntry(
            entry=entry_of(row),
            source=shown_meta(source),
            source_title=shown_title(row["source_id"], row["source_title"], source),
            related=related,
            unresolved=unresolved,
            duplicates=copies,
            fingerprint=print or _fingerprint(row),
            first_seen=moment(row["first_seen"]),
            changed=moment(row["changed"]),
            withdrawn=None if withdrawn is None else moment(withdrawn),
        )


def _read(before: str | None, query: EntryQuery) -> Cursor | None:
    """The place that a page comes after. Raises `OptionError` for a bad cursor."""
    if before is None or (before == LAST and query.sort != "relevance"):
        return None
    return read_cursor(before, query.sort, both_ways=True)


def _fair(search: Walk, shares: Shares | None) -> bool:
    """Whether pages are such that no source fills more of them than its share."""
    return shares is not None and shares.limited() and not search.one_source


def _fingerprint(row: Mapping[str, Any]) -> str:
    """An entry's fingerprint together with what it shows of its source."""
    return _together(row["fingerprint"], row["shown"])


@lru_cache(maxsize=1 << 14)
def _together(fingerprint: str, shown: str) -> str:
    return digest_of(fingerprint, shown)
