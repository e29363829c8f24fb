"""Going through what a query finds in both directions, and month by month.

In a month entries go by `published` too: those that were published in it, then those that are filed
there and were published before (`filing`).
"""

from dataclasses import replace

from ..months import month_of, start_of
from .arms import ALL, LIVE, Arm, Found, Part, Place
from .codec import micros, moment
from .conditions import ENTRY, FOUND_ENTRY, Row
from .search import Search
from .statement import Sql, all_of


class Walk(Search):
    """One question to one state of the database, answered from any place in any direction."""

    def before(self, by: str, limit: int, place: Place | None) -> list[Found]:
        """The entries of a page that stand right above a place, or without one the last of all.

        Newest first, as `page` has them.
        """
        return self._take(self._arms(by), limit, Part(above=place, newest=False))[::-1]

    def month(
        self, month: int, limit: int, *, below: Place | None = None, above: Place | None = None
    ) -> list[Found]:
        """The first entries of a month below a place, or the last above one; newest first."""
        newest = above is None
        part = Part(below=below, above=above, newest=newest)
        own = (self._arms("published"), _own(part, month, month + 1))
        filed = ([self._filed(Sql("e.filed = ?", (month,)))], part)
        found: list[Found] = []
        for arms, some in (own, filed) if newest else (filed, own):
            if len(found) < limit:
                found += self._take(arms, limit - len(found), some)
        return found if newest else found[::-1]

    def month_before(
        self,
        month: int | None,
        below: Place | None = None,
        *,
        own: int | None = None,
        filed: int | None = None,
    ) -> int | None:
        """The last month before another, or of all, with entries below a place.

        `own` is that of them that were published in it, if it is known, and `filed` the last that
        any are filed in that were published before.
        """
        months = [own] if own is not None else []
        if own is None:
            found = self._take(self._arms("published"), 1, _own(Part(below=below), None, month))
            months = [month_of(moment(at)) for _, at, _ in found]
        last = max(months, default=0)
        if filed is not None and filed <= last:
            return max(months, default=None)
        late_ones = [Sql("e.filed > ?", (last,))]
        if month is not None:
            late_ones.append(Sql("e.filed < ?", (month,)))
        late = self._month(all_of(late_ones), below, newest=True)
        return max((each for each in (*months, late) if each is not None), default=None)

    def month_after(self, month: int) -> int | None:
        """The first month after another with entries."""
        part = _own(Part(newest=False), month + 1, None)
        own = self._take(self._arms("published"), 1, part)
        late = self._month(Sql("e.filed > ?", (month,)), None, newest=False)
        months = [*(month_of(moment(at)) for _, at, _ in own), late]
        return min((each for each in months if each is not None), default=None)

    def _filed(self, which: Sql) -> Arm:
        # few, in an index of their own: whatever else is asked is asked of each
        wanted = self._asked.hold(self._terms, FOUND_ENTRY)
        where = all_of([LIVE, which, wanted, self._first_copy(ENTRY)])
        return Arm(ALL, ENTRY, "e.published", "e.key", where, True)

    def _month(self, which: Sql, below: Place | None, *, newest: bool) -> int | None:
        arm = self._filed(which)
        place = [] if below is None else [Sql(f"({arm.at}, {arm.key}) < (?, ?)", below)]
        where = all_of([arm.where, *place])
        way = "DESC" if newest else "ASC"
        text = f"SELECT e.filed FROM {arm.of} WHERE {where.text} ORDER BY e.filed {way} LIMIT 1"
        found = self._limit.run(Sql(text, where.values))
        return int(found[0][0]) if found else None


def _own(part: Part, first: int | None, end: int | None) -> Part:
    """What was published from one month on until another, and is filed nowhere else."""
    start = None if first is None else micros(start_of(first))
    return replace(
        part, start=start, end=None if end is None else micros(start_of(end)), among=_unfiled
    )


def _unfiled(row: Row) -> Sql:
    """That an entry stands in the month it was published in."""
    if row.whole:
        return Sql("e.filed IS NULL")
    # PostgreSQL takes few things to be NULL: asked for one, it would look at all entries
    its = f"SELECT CASE WHEN i.filed IS NULL THEN 1 END FROM entries AS i WHERE i.pk = {row.pk}"
    return Sql(f"({its}) IS NOT NULL")
