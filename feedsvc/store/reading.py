"""Reading entries: pages of a query, their marks alone, single entries, and tags."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, func, select

from ..errors import NotFound
from ..model import DeletedEntry, StoredEntry, key_text, parse_key
from ..query.ast import And, EntryQuery, Node, Not, Or, Since, Until
from .base import Head, Page, TagCount
from .codec import digest_of, entry_of, micros, moment, names_of, storable
from .cursor import Cursor, read_cursor
from .engine import Database, chunks
from .links import links_of, show
from .schema import contents, entries, meta, sources, tags
from .search import Search
from .source_codec import meta_of, shown_meta, shown_title
from .words import relevance

TOMBSTONES = timedelta(days=30)

_FULL = (
    select(
        entries,
        contents.c.payload,
        sources.c.id.label("source_id"),
        sources.c.title.label("source_title"),
        sources.c.meta.label("source_meta"),
        sources.c.shown,
    )
    .join_from(entries, contents, contents.c.entry_pk == entries.c.pk)
    .join(sources, sources.c.pk == entries.c.source_pk)
)
_MARK = select(
    entries.c.pk,
    entries.c.key,
    entries.c.fingerprint,
    entries.c.updated,
    entries.c.changed,
    sources.c.shown,
).join_from(entries, sources, sources.c.pk == entries.c.source_pk)


class Reading(Database):
    """Answers to queries. Every method sees one state of the database."""

    def head(
        self, query: EntryQuery, *, limit: int, now: datetime, before: str | None = None
    ) -> Head:
        """Marks of the first `limit` entries. Raises `QueryError` for a bad cursor."""
        after = None if before is None else read_cursor(before, query.sort)
        with self.reading() as connection:
            search = Search(connection, self, query.where, now)
            pks, next = self._page(connection, search, query, limit, after)
            rows = self._rows(connection, _MARK, pks)
            deleted = [] if after else search.withdrawn(micros(now - TOMBSTONES), limit)
            moments = [row["changed"] for row in rows] + [at for _, _, at in deleted]
            moments += self._changes(connection, now, first=after is None)
        if _relative(query.where):
            moments.append(micros(now.astimezone(UTC).replace(second=0, microsecond=0)))
        return Head(
            marks=tuple((key_text(row["key"]), _fingerprint(row)) for row in rows),
            deleted=tuple(
                DeletedEntry(id=id, key=key_text(key), when=moment(at)) for id, key, at in deleted
            ),
            newest=max((moment(row["updated"]) for row in rows), default=None),
            changed=moment(max(moments)) if moments else None,
            next=next,
        )

    def find(
        self, query: EntryQuery, *, limit: int, now: datetime, before: str | None = None
    ) -> Page:
        """The first `limit` live entries, those after cursor `before`; keyset paging."""
        after = None if before is None else read_cursor(before, query.sort)
        with self.reading() as connection:
            search = Search(connection, self, query.where, now)
            pks, next = self._page(connection, search, query, limit, after)
            return Page(entries=self._stored(connection, pks), next=next)

    def count(self, query: EntryQuery, *, now: datetime) -> int:
        """How many live entries match."""
        with self.reading() as connection:
            return Search(connection, self, query.where, now).count()

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
            search = Search(connection, self, None, datetime.now(UTC))
            place = None if cursor is None else (cursor.at, cursor.key)
            found = search.page("published", limit, place)
        next = Cursor("published", *found[-1][1:]).text() if len(found) == limit else None
        return tuple(key_text(key) for _, _, key in found), next

    def tags(self, *, prefix: str = "", limit: int | None = None) -> tuple[TagCount, ...]:
        """Tags of live entries by falling count, then slug."""
        wanted = select(tags.c.slug, tags.c.label, tags.c.count).where(tags.c.count > 0)
        if prefix:
            # as text, not as LIKE sees it: slugs sort by code point
            first, last = storable(prefix), storable(prefix) + chr(sys.maxunicode)
            wanted = wanted.where(tags.c.slug >= first, tags.c.slug < last)
        with self.reading() as connection:
            found = connection.execute(
                wanted.order_by(tags.c.count.desc(), tags.c.slug).limit(limit)
            )
            return tuple(TagCount(slug=row[0], label=row[1], count=row[2]) for row in found)

    # -- pages -----------------------------------------------------------------------------

    def _page(
        self,
        connection: Connection,
        search: Search,
        query: EntryQuery,
        limit: int,
        after: Cursor | None,
    ) -> tuple[list[int], str | None]:
        """The pks of a page in order, and the cursor of the next page if there is one."""
        if query.sort == "relevance":
            found = self._ranked(connection, search, limit + 1, after)
        else:
            place = None if after is None else (after.at, after.key)
            found = [
                (pk, Cursor(query.sort, at, key))
                for pk, at, key in search.page(query.sort, limit + 1, place)
            ]
        page = found[:limit]
        next = page[-1][1].text() if page and len(found) > limit else None
        return [pk for pk, _ in page], next

    def _ranked(
        self, connection: Connection, search: Search, limit: int, after: Cursor | None
    ) -> list[tuple[int, Cursor]]:
        """The most relevant of the newest entries that match, from the first page's anchor on."""
        top = self.tuning.ranked
        anchor = None if after is None else after.anchor
        newest = search.page("published", top, anchor, including=True)
        asked = search.words()
        texts = self._texts(connection, [pk for pk, _, _ in newest]) if asked else {}
        ranked = sorted(
            ((relevance(texts[pk], asked) if pk in texts else 0, at, key, pk))
            for pk, at, key in newest
        )[::-1]
        if after is not None:
            last = (after.score, after.at, after.key)
            ranked = [place for place in ranked if place[:3] < last]
        first = newest[0][1:] if newest and anchor is None else anchor or (0, 0)
        return [
            (pk, Cursor("relevance", at, key, score, first))
            for score, at, key, pk in ranked[:limit]
        ]

    def _changes(self, connection: Connection, now: datetime, *, first: bool) -> list[int]:
        """When what a page lacks may last have changed, though nothing on it did."""
        membership = select(meta.c.value).where(meta.c.key == "membership", meta.c.value > 0)
        found = list(connection.scalars(membership))
        if first:
            # a tombstone that has just ceased to be shown
            ended = entries.c.withdrawn_at <= micros(now - TOMBSTONES)
            newest = select(func.max(entries.c.withdrawn_at)).where(
                and_(entries.c.withdrawn_at.is_not(None), ended)
            )
            last = connection.scalar(newest)
            if last is not None:
                found.append(micros(moment(last) + TOMBSTONES))
        return found

    # -- rows ------------------------------------------------------------------------------

    def _rows(
        self, connection: Connection, wanted: Select[Any], pks: Sequence[int]
    ) -> list[RowMapping]:
        """Rows of entries, in the order of their pks."""
        found: dict[int, RowMapping] = {}
        for some in chunks(pks, self.tuning.batch):
            for row in connection.execute(wanted.where(entries.c.pk.in_(some))).mappings():
                found[row["pk"]] = row
        return [found[pk] for pk in pks]

    def _stored(self, connection: Connection, pks: Sequence[int]) -> tuple[StoredEntry, ...]:
        links = links_of(connection, pks)
        return tuple(self._stored_entry(row, links) for row in self._rows(connection, _FULL, pks))

    def _stored_entry(self, row: RowMapping, links: Any) -> StoredEntry:
        source = meta_of(row["source_meta"])
        related, unresolved = show(names_of(row["names"]), links.get(row["pk"], ()))
        withdrawn = row["withdrawn_at"]
        return StoredEntry(
            entry=entry_of(row),
            source=shown_meta(source),
            source_title=shown_title(row["source_id"], row["source_title"], source),
            related=related,
            unresolved=unresolved,
            fingerprint=_fingerprint(row),
            first_seen=moment(row["first_seen"]),
            changed=moment(row["changed"]),
            withdrawn=None if withdrawn is None else moment(withdrawn),
        )


def _fingerprint(row: RowMapping) -> str:
    """An entry's fingerprint together with what it shows of its source."""
    return digest_of(row["fingerprint"], row["shown"])


def _relative(node: Node | None) -> bool:
    """Whether a query counts back from now: what it finds changes with every minute."""
    match node:
        case Since(at) | Until(at):
            return isinstance(at, timedelta)
        case And(terms) | Or(terms):
            return any(map(_relative, terms))
        case Not(term):
            return _relative(term)
    return False
