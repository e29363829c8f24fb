"""Keeps groups of copies in step with entries: those of other sources at one page with one text.

What is a copy of what is decided by `duplicates`; here entries at a page are brought together, and
what comes of it is written. Nothing of the entries themselves is touched, so that a group that
falls apart leaves them as they were.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, bindparam, delete, func, select, union, update

from ..duplicates import MOST, Copy, groups
from ..query.text import plain
from .codec import Payload, page_hash, payload_of
from .engine import chunks, insert_all
from .schema import contents, duplicates, entries
from .signing import Signing

_PAGES = update(entries).where(entries.c.pk == bindparam("of"))
_FILL = 5_000
_live = entries.c.withdrawn_at.is_(None)


class Grouping(Signing):
    """Which entries are copies of each other."""

    def regroup(self, connection: Connection, pages: Iterable[int | None], now: datetime) -> bool:
        """Finds the copies at these pages anew; whether that may concern entries elsewhere.

        To be called with every page that an entry came to, left, or changed at.
        """
        busy = self._busy(connection, sorted({page for page in pages if page is not None}))
        concerned: set[int] = set()
        for some in chunks(busy, self.tuning.batch):
            had = connection.execute(select(duplicates).where(duplicates.c.page_hash.in_(some)))
            before = {row.entry_pk: dict(row._mapping) for row in had}
            after = self._copies(connection, some)
            gone = [pk for pk, row in before.items() if after.get(pk) != row]
            for few in chunks(gone, self.tuning.batch):
                connection.execute(delete(duplicates).where(duplicates.c.entry_pk.in_(few)))
            new = [row for pk, row in after.items() if before.get(pk) != row]
            insert_all(connection, duplicates, new)
            concerned |= before.keys() | after.keys()
            self.refile(connection, _shown_anew(before, after), now)
        self.refresh(connection, concerned, now)
        return bool(concerned)

    def retell(self, connection: Connection, source_pks: Collection[int], now: datetime) -> None:
        """Brings entries up to date whose copies are of sources that look otherwise now."""
        mine, other = duplicates.alias(), duplicates.alias()
        wanted = select(other.c.entry_pk).join_from(mine, other, other.c.lead == mine.c.lead)
        for some in chunks(sorted(source_pks), self.tuning.batch):
            pks = connection.scalars(wanted.where(mine.c.source_pk.in_(some))).all()
            self.refresh(connection, set(pks), now)

    def _busy(self, connection: Connection, pages: Sequence[int]) -> list[int]:
        """Those of these pages that have entries of several sources, or had copies."""
        found: set[int] = set()
        for some in chunks(pages, self.tuning.batch):
            shared = (
                select(entries.c.page_hash)
                .where(entries.c.page_hash.in_(some), _live)
                .group_by(entries.c.page_hash)
                .having(func.min(entries.c.source_pk) < func.max(entries.c.source_pk))
            )
            had = select(duplicates.c.page_hash).where(duplicates.c.page_hash.in_(some))
            found.update(connection.scalars(union(shared, had)))
        return sorted(found)

    def _copies(self, connection: Connection, pages: Sequence[int]) -> dict[int, Mapping[str, int]]:
        """The rows of all copies at some pages, by pk."""
        columns = entries.c
        # a link that several entries of one source share names none of them: it may be thousands
        single = (
            select(func.min(columns.pk).label("pk"))
            .where(columns.page_hash.in_(pages), _live)
            .group_by(columns.page_hash, columns.source_pk)
            .having(func.count() == 1)
            .subquery()
        )
        place = func.row_number().over(
            partition_by=columns.page_hash, order_by=(columns.published, columns.key)
        )
        first = (
            select(
                columns.pk,
                columns.key,
                columns.source_pk,
                columns.page_hash,
                columns.published,
                columns.title,
                place.label("place"),
            )
            .join_from(single, entries, columns.pk == single.c.pk)
            .subquery()
        )
        wanted = (
            select(first, contents.c.payload)
            .join_from(first, contents, contents.c.entry_pk == first.c.pk)
            .where(first.c.place <= MOST)
            .order_by(first.c.page_hash, first.c.place)
        )
        found: dict[int, Mapping[str, int]] = {}
        rows = connection.execute(wanted)
        for _, at_page in groupby(rows, key=lambda row: row.page_hash):
            here = list(at_page)
            said = [Copy(row.source_pk, row.title, _text(payload_of(row.payload))) for row in here]
            for group in groups(said):
                for row in (here[at] for at in group):
                    found[row.pk] = {
                        "entry_pk": row.pk,
                        "lead": here[group[0]].key,
                        "published": row.published,
                        "key": row.key,
                        "page_hash": row.page_hash,
                        "source_pk": row.source_pk,
                    }
        return found

    # -- stores of earlier versions ----------------------------------------------------------

    def _catch_up(self, connection: Connection, now: datetime) -> None:
        """Finds the page of every entry, and all copies, in a store that did not know of them."""
        links = select(entries.c.pk, entries.c.link).order_by(entries.c.pk).limit(_FILL)
        last = 0
        while rows := connection.execute(links.where(entries.c.pk > last)).all():
            last = rows[-1].pk
            pages = [{"of": row.pk, "page": page_hash(row.link)} for row in rows]
            found = [each for each in pages if each["page"] is not None]
            if found:
                connection.execute(_PAGES.values(page_hash=bindparam("page")), found)
        shared = (
            select(entries.c.page_hash)
            .where(entries.c.page_hash.is_not(None), _live)
            .group_by(entries.c.page_hash)
            .having(func.min(entries.c.source_pk) < func.max(entries.c.source_pk))
        )
        if self.regroup(connection, connection.scalars(shared).all(), now):
            self.bump(connection, membership=now)


def _shown_anew(
    before: Mapping[int, Mapping[str, int]], after: Mapping[int, Mapping[str, int]]
) -> list[int]:
    """The entries that an earlier copy no longer stands for."""

    had, have = _earlier(before), _earlier(after)
    return [pk for pk in before if had[pk] - have.get(pk, set())]


def _earlier(rows: Mapping[int, Mapping[str, int]]) -> dict[int, set[int]]:
    """The copies of each entry that were published before it."""
    found: dict[int, set[int]] = {}
    groups: dict[int, set[int]] = {}
    for pk, row in sorted(rows.items(), key=lambda each: (each[1]["published"], each[1]["key"])):
        group = groups.setdefault(row["lead"], set())
        found[pk] = set(group)
        group.add(pk)
    return found


def _text(payload: Payload) -> str:
    return f"{plain(payload.summary)}\n{plain(payload.content)}"
