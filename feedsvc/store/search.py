"""Answers to a query: pages in order of time, how many there are, what has been withdrawn."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import sqrt
from typing import NamedTuple

from sqlalchemy import Connection

from ..query.ast import And, InStory, Node, Or, Tagged, Words
from .arms import ALL, ALL_HITS, Among, Arm, Found, Part, Place, any_rows, first_rows
from .conditions import GONE, GONE_OF_TAG, Matching, leaves
from .dates import Window
from .paces import EVERYTHING
from .planning import Planning
from .statement import Sql, all_of, within

# windows grow at most by so much, and are so many times too long when nothing was in the last
_GROWTH, _UNSURE = 64.0, 1.5
_ALL = Part()
# withdrawn entries of a tag that are all looked at
_RARE = 100


_LAST = "SELECT max(withdrawn_at) FROM entries WHERE withdrawn_at IS NOT NULL"
_TOLD = (
    "SELECT (SELECT value FROM meta WHERE key = 'membership' AND value > 0),"
    f" ({_LAST} AND withdrawn_at <= ?), ({_LAST}),"
    " (SELECT max(filed) FROM entries WHERE withdrawn_at IS NULL AND filed IS NOT NULL)"
)


class Told(NamedTuple):
    """When entries last changed what they belong to, and when the last were withdrawn.

    `ended` is the last until a time, `last` that of all; `filed` the last month that entries are
    filed in that were published before; `gone` has how many withdrawn entries have each tag, by its
    pk, those aside that very many have.
    """

    membership: int | None
    ended: int | None
    last: int | None
    filed: int | None
    gone: Mapping[int, int]


class Search(Planning):
    """One question to one state of the database."""

    def __init__(
        self,
        connection: Connection,
        matching: Matching,
        where: Node | None,
        now: datetime,
        *,
        collapse: bool = False,
    ) -> None:
        super().__init__(connection, matching, where, now, collapse=collapse)
        self._told: dict[int, Told] = {}

    # -- answers ---------------------------------------------------------------------------

    def page(
        self,
        by: str,
        limit: int,
        after: Place | None = None,
        *,
        including: bool = False,
        among: Among | None = None,
    ) -> list[Found]:
        """The first entries by `published` or `updated`, newest first: (pk, time, key).

        Only those after a place, or that place `including`; `among` says more of them.
        """
        below = (after[0], after[1] + 1) if after and including else after
        return self._take(self._arms(by), limit, Part(below=below, among=among))

    def count(self) -> int:
        """How many live entries match."""
        arms = self._arms("published")
        if not arms:
            return 0
        ever = Window(None, None)
        each, values = any_rows(
            [first_rows(arm, self._matching, ALL_HITS, Part(), ever) for arm in arms]
        )
        found = self._limit.run(Sql(f"SELECT count(*) FROM ({each}) AS found", values))
        return int(found[0][0])

    def withdrawn(self, since: int, limit: int) -> list[tuple[str, int, int]]:
        """The newest tombstones that match: (id, key, time).

        Where there are very many they are looked for among the newest `Tuning.withdrawn` of all,
        unless a tag that few of them carry leads to all of its own.
        """
        told = self.told(since)
        if (told.last or 0) <= since or 0 in map(told.gone.get, self._tags()):
            return []
        wanted = f"FROM {ALL} WHERE e.withdrawn_at > ?"
        newest = "ORDER BY e.withdrawn_at DESC, e.key DESC LIMIT ?"
        where, most = [Sql("e.withdrawn_at > ?", (since,)), *self._rare(since)], 0
        texts = {leaf for leaf in leaves(self._where) if isinstance(leaf, Words) and leaf.tokens}
        if texts or len(where) == 1:
            most = self._tuning.withdrawn
        last = most and self._limit.run(
            Sql(f"SELECT e.withdrawn_at, e.key {wanted} {newest} OFFSET ?", (since, 1, most - 1))
        )
        if last:
            # two bounds of one column: SQLite would go by the first
            where[0] = Sql("e.withdrawn_at IS NOT NULL")
            where.append(Sql("(e.withdrawn_at, e.key) >= (?, ?)", tuple(last[0])))
        asked = all_of([*where, self._asked.hold_at_once(self._terms, GONE, texts, told.gone)])
        text = f"SELECT e.id, e.key, e.withdrawn_at FROM {ALL} WHERE {asked.text} {newest}"
        rows = self._limit.run(Sql(text, (*asked.values, limit)))
        return [(id, key, at) for id, key, at in rows]

    def told(self, since: int) -> Told:
        """What is to be known beside entries, all in one look."""
        if since not in self._told:
            tags, most = [pk for pk, _ in self._asked.tags.values()], 2 * self._tuning.withdrawn
            counted = f", (SELECT count(*) FROM ({GONE_OF_TAG} LIMIT {most}) AS counted)"
            text = _TOLD + counted * len(tags)
            ((membership, ended, last, filed, *gone),) = self._limit.run(Sql(text, (since, *tags)))
            known = {pk: many for pk, many in zip(tags, gone, strict=True) if many < most}
            self._told[since] = Told(membership, ended, last, filed, known)
        return self._told[since]

    def _rare(self, since: int) -> list[Sql]:
        """The pks of withdrawn entries with a tag that all must have and few of them do."""
        gone = self.told(since).gone
        rare = [pk for pk in self._tags() if gone.get(pk, _RARE) < _RARE]
        return [within("e.pk", Sql(GONE_OF_TAG, (pk,))) for pk in rare[:1]]

    def gathered(self) -> int | None:
        """When any story last changed, if one is asked for."""
        if not any(isinstance(leaf, InStory) for leaf in leaves(self._where)):
            return None
        found: int | None = self._limit.run(Sql("SELECT max(changed) FROM stories"))[0][0]
        return found

    def _tags(self) -> list[int]:
        """The pks of tags that every entry has to have."""
        of = self._asked.tags
        return [of[t.slug][0] for t in self._terms if isinstance(t, Tagged) and t.slug in of]

    def words(self) -> list[Words]:
        """The words that are asked for, not those that must be missing."""
        found: list[Words] = []

        def visit(node: Node) -> None:
            if isinstance(node, Words) and node.tokens:
                found.append(node)
            elif isinstance(node, And | Or):
                for term in node.terms:
                    visit(term)

        for term in self._terms:
            visit(term)
        return found

    # -- pages -----------------------------------------------------------------------------

    def _take(self, arms: Sequence[Arm], limit: int, part: Part) -> list[Found]:
        """The first rows of a part of what some arms meet, in the order of that part."""
        if not arms:
            return []
        dated = all(arm.at.endswith(".published") for arm in arms)
        if not dated or all(arm.text is None for arm in arms):
            return self._select(arms, limit, part, Window(part.start, part.end))
        asked = And(tuple(self._terms))
        pace = self._matching.paces.get(asked) if part.newest else None
        few = self._all_few(arms)
        if pace is None and few:
            pace = self._reach(arms, limit) if part == _ALL else EVERYTHING
        found = self._in_windows(arms, limit, part, pace, dated=not few)
        full = len(found) == limit
        pace = (found[0][1] - found[-1][1]) / (limit - 1 or 1) if full else EVERYTHING
        if part == _ALL and limit > 1:
            self._matching.paces.put(asked, pace)
        return found

    def _reach(self, arms: Sequence[Arm], limit: int) -> float:
        """How often the entries with few words that came last were published, about."""
        paces = [0.0]
        for text in (arm.text for arm in arms if arm.text is not None):
            hits = self._matching._hits(text)
            came = Sql(f"{hits.text} ORDER BY 1 DESC LIMIT ?", (*hits.values, limit))
            its = within("e.pk", came)
            told = (
                f"SELECT count(*), max(e.published) - min(e.published) FROM {ALL} WHERE {its.text}"
            )
            ((number, span),) = self._limit.run(Sql(told, its.values))
            paces.append(span / limit if number == limit else EVERYTHING)
        return max(paces)

    def _in_windows(
        self, arms: Sequence[Arm], limit: int, part: Part, pace: float | None, *, dated: bool
    ) -> list[Found]:
        """The first rows of one window after the other; few are found without their dates."""
        found: list[Found] = []
        windows, growth = self._windows(limit, part, pace), 1.0
        while len(found) < limit and (window := windows.next(growth)):
            if not dated:
                window = replace(window, tokens=())
            new = self._select(arms, limit - len(found), part, window)
            found += new
            # as long as the rest takes, and the longer the less is known of that
            spare = 1 + _UNSURE / sqrt(len(new) + 1)
            growth = min(_GROWTH, spare * (limit - len(found)) / (len(new) + 0.5))
        return found

    def _select(self, arms: Sequence[Arm], limit: int, part: Part, window: Window) -> list[Found]:
        """The first rows of a window."""
        selects = [first_rows(arm, self._matching, limit, part, window) for arm in arms]
        if len(selects) == 1:
            found = self._limit.run(selects[0])
        else:
            each, values = any_rows(selects)
            order = f"ORDER BY at {part.way}, key {part.way} LIMIT ?"
            found = self._limit.run(Sql(f"{each} {order}", (*values, limit)))
        return [(pk, at, key) for pk, at, key in found]

    def _all_few(self, arms: Sequence[Arm]) -> bool:
        """Whether words find so little that all of it may be sorted, as far as is known."""
        texts = [arm.text for arm in arms if arm.text is not None]
        return self._matching._counts_words and all(
            self._asked.few(text, self._tuning.few) for text in texts
        )
