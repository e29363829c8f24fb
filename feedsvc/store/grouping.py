"""Keeps groups of copies in step with entries: those of other sources with one text.

What is a copy of what is decided by `duplicates`; here entries that lead to one page or share marks
are brought together, and what comes of it is written. Nothing of the entries themselves is touched,
so that a group that falls apart leaves them as they were.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from ..duplicates import MOST, groups
from .codec import page_hash
from .engine import chunks, insert_all
from .families import Member, Pair, by_page, by_text, may_be_copies
from .marking import Marked, Marking, Marks
from .schema import contents, duplicates, entries

_PAGES = update(entries).where(entries.c.pk == bindparam("of"))
_FILL = 5_000
# the first schema that knows of copies
_COPIES = "0004"
# entries that hang together by being copies of copies; of more not all are looked at
_FAMILY = 400
_live = entries.c.withdrawn_at.is_(None)
_mine, _other = duplicates.alias(), duplicates.alias()
_TOGETHER = select(_other).join_from(_mine, _other, _other.c.lead == _mine.c.lead).distinct()
_MEMBER = (
    entries.c.pk,
    entries.c.key,
    entries.c.source_pk,
    entries.c.page_hash,
    entries.c.published,
    entries.c.title,
    entries.c.link,
)

Rows = Mapping[int, Mapping[str, int]]


@dataclass(slots=True)
class Touched:
    """Entries whose copies are to be found anew, what is known of their marks, and their groups."""

    marked: Marked = field(default_factory=lambda: Marked({}))
    pks: set[int] = field(default_factory=set)
    before: Rows = field(default_factory=dict)


class Grouping(Marking):
    """Which entries are copies of each other."""

    def touch(
        self, connection: Connection, marks: Mapping[int, Marks], fresh: Collection[int] = ()
    ) -> Touched:
        """Writes the marks of entries that were written, none of those that go; some are fresh.

        To be called while those that go are there, and followed by `regroup` when they have gone.
        """
        marked, pks = self.put_marks(connection, marks, fresh)
        before = self._together(connection, sorted(pks.union(marks).difference(fresh)))
        pks.update(before, (pk for pk in marks if marked.sharing(pk)))
        return Touched(marked, pks, before)

    def regroup(
        self,
        connection: Connection,
        pages: Iterable[int | None],
        now: datetime,
        touched: Touched | None = None,
    ) -> bool:
        """Finds copies anew; whether that may concern entries elsewhere.

        To be called with every page that an entry came to, left, or changed at.
        """
        touched = touched or Touched()
        busy = self._busy(connection, sorted({page for page in pages if page is not None}))
        before = {**touched.before, **self._together_at(connection, busy)}
        pks = sorted(touched.pks.union(before))
        concerned = False
        for at in range(0, max(len(busy), len(pks)), self.tuning.batch):
            until = at + self.tuning.batch
            concerned |= self._settle(
                connection, busy[at:until], pks[at:until], touched.marked, before, now
            )
        return concerned

    def retell(self, connection: Connection, source_pks: Collection[int], now: datetime) -> None:
        """Brings entries up to date whose copies are of sources that look otherwise now."""
        wanted = select(_other.c.entry_pk).join_from(_mine, _other, _other.c.lead == _mine.c.lead)
        for some in chunks(sorted(source_pks), self.tuning.batch):
            pks = connection.scalars(wanted.where(_mine.c.source_pk.in_(some))).all()
            self.refresh(connection, set(pks), now)

    # -- groups ----------------------------------------------------------------------------

    def _settle(
        self,
        connection: Connection,
        pages: Sequence[int],
        pks: Sequence[int],
        marked: Marked,
        had: Rows,
        now: datetime,
    ) -> bool:
        """Writes the groups of these entries, and of those at these pages, anew."""
        members, pairs = self._family(connection, pages, set(pks), marked)
        order = sorted(members.values(), key=lambda each: (each.published, each.key))
        places = {member.pk: at for at, member in enumerate(order)}
        found = groups(len(order), ((places[one], places[other]) for one, other in pairs))
        after = {
            order[at].pk: {
                "entry_pk": order[at].pk,
                "lead": order[group[0]].key,
                "published": order[at].published,
                "key": order[at].key,
                "source_pk": order[at].source_pk,
            }
            for group in found
            for at in group
        }
        before = {pk: had[pk] for pk in pks if pk in had}
        before |= self._together(connection, sorted(members))
        gone = [pk for pk, row in before.items() if after.get(pk) != row]
        for few in chunks(gone, self.tuning.batch):
            connection.execute(delete(duplicates).where(duplicates.c.entry_pk.in_(few)))
        new = [row for pk, row in after.items() if before.get(pk) != row]
        insert_all(connection, duplicates, new)
        self.refile(connection, _shown_anew(before, after), now)
        self.relink_copies(connection, {row["lead"] for row in new})
        concerned = before.keys() | after.keys()
        self.refresh(connection, concerned, now)
        return bool(concerned)

    def _together(self, connection: Connection, pks: Sequence[int]) -> Rows:
        """The rows of all copies in the groups of these entries, by pk."""
        return {
            row.entry_pk: dict(row._mapping)
            for some in chunks(pks, self.tuning.batch)
            for row in connection.execute(_TOGETHER.where(_mine.c.entry_pk.in_(some)))
        }

    def _together_at(self, connection: Connection, pages: Sequence[int]) -> Rows:
        """The rows of all copies in the groups of entries at these pages, by pk."""
        at_page = _TOGETHER.join(entries, entries.c.pk == _mine.c.entry_pk)
        return {
            row.entry_pk: dict(row._mapping)
            for some in chunks(pages, self.tuning.batch)
            for row in connection.execute(at_page.where(entries.c.page_hash.in_(some)))
        }

    # -- who may be a copy of whom ---------------------------------------------------------

    def _family(
        self, connection: Connection, pages: Sequence[int], pks: set[int], marked: Marked
    ) -> tuple[dict[int, Member], set[Pair]]:
        """Copies of these entries and at these pages, and copies of those, and so on; which of
        which."""
        members = {each.pk: each for each in self._at_pages(connection, pages)}
        pairs = set(by_page(members.values()))
        seen_pages, asked = set(pages), set[Pair]()
        family: set[int] = set()
        new = pks | members.keys()
        while new and len(family) < _FAMILY:
            family |= new
            close, found_pages = self._close(connection, new, marked)
            close -= asked
            asked |= close
            missing = {pk for pair in close for pk in pair} - members.keys()
            members |= self._members(connection, missing)
            pairs.update(by_text((members[one], members[other]) for one, other in close))
            busy = self._busy(connection, sorted(found_pages - seen_pages))
            seen_pages |= found_pages
            here = self._at_pages(connection, busy)
            members |= {each.pk: each for each in here}
            pairs.update(by_page(here))
            new = {pk for pair in pairs for pk in pair} - family
        joined = {pk for pair in pairs for pk in pair}
        return {pk: members[pk] for pk in joined}, pairs

    def _close(
        self, connection: Connection, pks: Collection[int], marked: Marked
    ) -> tuple[set[Pair], set[int]]:
        """Which entries share marks with these and may be copies; and the pages of these."""
        unknown = [pk for pk in pks if pk not in marked.marks]
        marked.marks |= self.read_marks(connection, unknown)
        wanted = (mark for pk in pks for mark in marked.marks.get(pk, ()))
        self.read_sharers(connection, marked, wanted)
        sharing = {pk: marked.sharing(pk) for pk in pks}
        columns = (entries.c.pk, entries.c.source_pk, entries.c.published, entries.c.page_hash)
        rows = {
            row.pk: row
            for some in chunks(sorted({*pks}.union(*sharing.values())), self.tuning.batch)
            for row in connection.execute(select(*columns).where(_live, entries.c.pk.in_(some)))
        }
        told = {pk: (row.source_pk, row.published) for pk, row in rows.items()}
        close = {
            (min(pk, other), max(pk, other))
            for pk, others in sharing.items()
            for other in others
            if pk in told and other in told and may_be_copies(told[pk], told[other])
        }
        found = (rows[pk].page_hash for pk in pks if pk in rows)
        return close, {page for page in found if page is not None}

    def _members(self, connection: Connection, pks: Collection[int]) -> dict[int, Member]:
        wanted = select(*_MEMBER, contents.c.payload).join_from(
            entries, contents, contents.c.entry_pk == entries.c.pk
        )
        return {
            each.pk: each
            for some in chunks(sorted(pks), self.tuning.batch)
            for each in _read(connection, wanted.where(entries.c.pk.in_(some)))
        }

    def _busy(self, connection: Connection, pages: Sequence[int]) -> list[int]:
        """Those of these pages that have several entries."""
        shared = (
            select(entries.c.page_hash)
            .where(_live)
            .group_by(entries.c.page_hash)
            .having(func.count() > 1)
        )
        return sorted(
            page
            for some in chunks(pages, self.tuning.batch)
            for page in connection.scalars(shared.where(entries.c.page_hash.in_(some)))
        )

    def _at_pages(self, connection: Connection, pages: Sequence[int]) -> list[Member]:
        """The entries at some pages that may be copies, page by page and the first first."""
        columns = entries.c
        found: list[Member] = []
        for some in chunks(pages, self.tuning.batch):
            # a link that several entries of a source share names none: it may be thousands
            single = (
                select(func.min(columns.pk).label("pk"))
                .where(columns.page_hash.in_(some), _live)
                .group_by(columns.page_hash, columns.source_pk)
                .having(func.count() == 1)
                .subquery()
            )
            place = func.row_number().over(
                partition_by=columns.page_hash, order_by=(columns.published, columns.key)
            )
            first = (
                select(*_MEMBER, place.label("place"))
                .join_from(single, entries, columns.pk == single.c.pk)
                .subquery()
            )
            wanted = (
                select(*(first.c[column.name] for column in _MEMBER), contents.c.payload)
                .join_from(first, contents, contents.c.entry_pk == first.c.pk)
                .where(first.c.place <= MOST)
                .order_by(first.c.page_hash, first.c.place)
            )
            found += _read(connection, wanted)
        return found

    # -- stores of earlier versions ----------------------------------------------------------

    def _catch_up(self, connection: Connection, before: str, now: datetime) -> None:
        """Finds the page of every entry, and copies there, in a store that did not know of them."""
        if before >= _COPIES:
            return
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


def _read(connection: Connection, wanted: Select[Any]) -> list[Member]:
    return [Member(**row) for row in connection.execute(wanted).mappings()]


def _shown_anew(before: Rows, after: Rows) -> list[int]:
    """The entries that an earlier copy no longer stands for."""

    had, have = _earlier(before), _earlier(after)
    return [pk for pk in before if had[pk] - have.get(pk, set())]


def _earlier(rows: Rows) -> dict[int, set[int]]:
    """The copies of each entry that were published before it."""
    found: dict[int, set[int]] = {}
    groups: dict[int, set[int]] = {}
    for pk, row in sorted(rows.items(), key=lambda each: (each[1]["published"], each[1]["key"])):
        group = groups.setdefault(row["lead"], set())
        found[pk] = set(group)
        group.add(pk)
    return found
