"""Pages on which no source takes more than its share while others have entries to give.

A page goes through what is newest as any other does, but for entries of sources that have had
their share of it: those are displaced, and come first on the next page. So a cursor tells, beside
the place up to which everything has been looked through, how far each displaced source has come.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from ..query.ast import Sort
from .conditions import Row
from .cursor import Cursor
from .engine import chunks
from .schema import entries, sources
from .search import Search
from .statement import Sql

# so many pages are looked through for entries of others
_DEPTH = 10
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much of a page may be of one source, in percent; `own` by the ids of sources."""

    default: int = 100
    own: Mapping[str, int] = field(default_factory=dict)

    def limited(self) -> bool:
        """Whether any source may take less than all."""
        return min((self.default, *self.own.values())) < 100

    def most(self, source_id: str, limit: int) -> int:
        """How many of a page's entries may be of a source, at least one."""
        return max(1, limit * self.own.get(source_id, self.default) // 100)


@dataclass(frozen=True, slots=True)
class _Row:
    """An entry that may stand on the page: its place in the order, and how many of its source."""

    place: tuple[int, int]
    pk: int
    source_pk: int
    most: int


def fair_page(
    connection: Connection,
    search: Search,
    by: Sort,
    *,
    limit: int,
    after: Cursor | None,
    shares: Shares,
) -> tuple[list[int], Cursor | None]:
    """The pks of a page in order, and where the next one goes on if there is one.

    Every entry stands on exactly one page.
    """
    behind = {pk: (at, key) for pk, at, key in after.behind} if after else {}
    place = (after.at, after.key) if after else None
    late: list[_Row] = []
    for source_pk, come in behind.items():
        found = search.page(by, limit + 1, come, among=_Of((source_pk,)))
        late += _rows(connection, found, limit, shares)
    others = _Of(tuple(behind), others=True) if behind else None
    for depth in (1, _DEPTH):
        most = limit * depth + 1
        found = search.page(by, most, place, among=others)
        main = _rows(connection, found, limit, shares)
        cut = len(main) == most
        rows = sorted(late + main, key=lambda row: row.place, reverse=True)
        if cut:
            # what lies beyond has not been looked through
            rows = [row for row in rows if row.place >= main[-1].place]
        picked = _pick(rows, limit)
        if picked.fair or not cut:
            break
    page = picked.page
    if not page or len(page) == len(late) + len(main):
        return [row.pk for row in page], None
    last = {row.source_pk: row.place for row in page}
    if place is not None and picked.end > place:
        # nothing but what had been displaced, and more of that may be left
        end, displaced = place, behind | {pk: last[pk] for pk in behind if pk in last}
    else:
        end, displaced = picked.end, {row.source_pk: last[row.source_pk] for row in picked.held}
    places = tuple((pk, *come) for pk, come in sorted(displaced.items()))
    return [row.pk for row in page], Cursor(by, *end, behind=places)


@dataclass(frozen=True, slots=True)
class _Picked:
    """A page, what is displaced from it, and the place up to which all has been looked through.

    `fair` if nobody had to have more than their share to fill it.
    """

    page: list[_Row]
    held: list[_Row]
    end: tuple[int, int]
    fair: bool


def _pick(rows: Sequence[_Row], limit: int) -> _Picked:
    """Makes a page of some rows, newest first."""
    page: list[_Row] = []
    held: list[_Row] = []
    taken: Counter[int] = Counter()
    end = (0, 0)
    for row in rows:
        if len(page) == limit:
            break
        end = row.place
        if taken[row.source_pk] < row.most:
            taken[row.source_pk] += 1
            page.append(row)
        else:
            held.append(row)
    free = limit - len(page)
    page = sorted(page + held[:free], key=lambda row: row.place, reverse=True)
    return _Picked(page, held[free:], end, not free)


@dataclass(frozen=True, slots=True)
class _Of:
    """That an entry is of one of these sources, or of `others`."""

    source_pks: tuple[int, ...]
    others: bool = False

    def __call__(self, row: Row) -> Sql:
        marks = ", ".join("?" * len(self.source_pks))
        among = "NOT IN" if self.others else "IN"
        return Sql(f"{row('source_pk')} {among} ({marks})", self.source_pks)


def _rows(
    connection: Connection, found: Iterable[tuple[int, int, int]], limit: int, shares: Shares
) -> list[_Row]:
    """What a search found, with the sources of the entries."""
    listed = list(found)
    of = select(entries.c.pk, sources.c.pk.label("source_pk"), sources.c.id).join_from(
        entries, sources, sources.c.pk == entries.c.source_pk
    )
    known = {
        row.pk: (row.source_pk, shares.most(row.id, limit))
        for some in chunks([pk for pk, _, _ in listed], _BATCH)
        for row in connection.execute(of.where(entries.c.pk.in_(some)))
    }
    return [_Row((at, key), pk, *known[pk]) for pk, at, key in listed]
