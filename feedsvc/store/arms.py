"""What to go through to answer a query, and how that is written as one statement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..query.ast import Node
from .conditions import Matching, Row
from .dates import Window
from .statement import TRUE, Hits, Sql, all_of

ALL = "entries AS e"
LIVE = Sql("e.withdrawn_at IS NULL")
_ITS_ENTRY = "SELECT 1 FROM entries AS i WHERE i.pk = h.pk AND i.withdrawn_at IS NULL"
LIVE_HIT = Sql(f"({_ITS_ENTRY}) IS NOT NULL")
# more than there can be
ALL_HITS = 1 << 40
Among = Callable[[Row], Sql]
Place = tuple[int, int]
# pk, time and key
Found = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Arm:
    """One index to go through: its rows, what must hold, if it is in order.

    `text` is looked up in the search index, which may be asked for a window of time only, and
    knows what it finds as `hits`.
    """

    of: str
    row: Row
    at: str
    key: str
    where: Sql
    ordered: bool
    text: Node | None = None
    hits: Hits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a result is asked for: from the newest down, or from the oldest up.

    Only between two places, or from one time to before another; `among` says more of the rows.
    """

    below: Place | None = None
    above: Place | None = None
    start: int | None = None
    end: int | None = None
    newest: bool = True
    among: Among | None = None

    @property
    def way(self) -> str:
        return "DESC" if self.newest else "ASC"


def first_rows(arm: Arm, matching: Matching, limit: int, part: Part, window: Window) -> Sql:
    """The first rows of a window that an arm meets."""
    # adding nothing keeps a planner from going through the index in order after all
    at = arm.at if arm.ordered else f"({arm.at} + 0)"
    asked = during(at, window.start, window.end)
    for place, compares in ((part.below, "<"), (part.above, ">")):
        if place is not None:
            asked.append(Sql(f"({at}, {arm.key}) {compares} (?, ?)", place))
    among = [] if part.among is None else [part.among(arm.row)]
    order = f" ORDER BY {at} {part.way}, {arm.key} {part.way}"
    if arm.text is None or arm.hits is None:
        found = _met(arm, arm.row.pk, all_of([arm.where, *asked, *among]))
        # written out, for a planner has to know that little is wanted
        return Sql(f"{found.text}{order} LIMIT {limit}", found.values)
    matched = matching._matches(arm.text, window)
    live = LIVE if arm.hits.joined else TRUE
    hits = _met(arm, arm.hits.pk, all_of([matched, live, *asked]))
    where = all_of([arm.where, *among])
    # they are put in order first, so that the rest is asked of no more of them than it takes
    ordered = f"{hits.text}{order} LIMIT {ALL_HITS}"
    text = f"SELECT h.pk, h.at, h.key FROM ({ordered}) AS h WHERE {where.text} LIMIT ?"
    return Sql(text, (*hits.values, *where.values, limit))


def _met(arm: Arm, pk: str, where: Sql) -> Sql:
    text = f"SELECT {pk} AS pk, {arm.at} AS at, {arm.key} AS key FROM {arm.of}"
    return Sql(f"{text} WHERE {where.text}", where.values)


def during(at: str, start: int | None, end: int | None) -> list[Sql]:
    found = [] if start is None else [Sql(f"{at} >= ?", (start,))]
    return found if end is None else [*found, Sql(f"{at} < ?", (end,))]


def any_rows(selects: Sequence[Sql]) -> Sql:
    """What any of these statements select, once."""
    each = (f"SELECT * FROM ({sql.text}) AS arm_{at}" for at, sql in enumerate(selects))
    return Sql(" UNION ".join(each), tuple(value for sql in selects for value in sql.values))
