"""Which way a query is answered: the cheapest that is sure to be cheap.

A plan has one or more arms. Each goes through one index in order (all entries, a tag's, a
source's), sorts a small set (a rare tag's), or asks the search index for the newest entries with
some words, and then asks the rest of each entry it meets. Nothing here is dialect: how words are
matched is passed in.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from ..query import moment
from ..query.ast import (
    And,
    FromSource,
    InLanguage,
    InStory,
    Node,
    Not,
    Or,
    Since,
    Tagged,
    Until,
    Words,
)
from .arms import ALL, LIVE, LIVE_HIT, Arm, Part, during
from .codec import micros
from .conditions import COPY, ENTRY, HIT, LEAD, SORTED_HIT, TAG, Conditions, Matching, Row, is_text
from .dates import ALWAYS, Windows
from .duplicates import first_copy
from .limits import Limit
from .statement import TRUE, Sql, all_of, within

_ARMS = 100
# the first window holds so many times as many entries as are asked for
_FIRST = 4
# a window at a known pace is so much longer than it should be
_SPARE, _EVER = 1.2, 1 << 62
# words that so many of so many newest entries have are common
_SAMPLE, _COMMON = 400, 20
# and are not counted from so many on
_SURE = 8
# entries of a page
_PAGE = 50
# how many times as many entries as are counted a source or language is taken to have
_LARGE = 4


class Planning:
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
        self._matching = matching
        self._tuning = matching.tuning
        self._limit = Limit(connection, matching)
        self._where = where
        self._terms = flat([] if where is None else [where])
        self._now = now
        self.one_source = any(isinstance(term, FromSource) for term in self._terms)
        # copies are of different sources
        self._collapse = collapse and not self.one_source
        if len(self._terms) > 1 or not all(isinstance(t, Tagged | FromSource) for t in self._terms):
            self._limit.start()
        self._asked = Conditions(self._limit.run, matching, where, now)

    def _arms(self, by: str) -> list[Arm]:
        """What to go through; together they meet every matching live entry."""
        return self._ways(self._terms, by)

    def _ways(self, terms: Sequence[Node], by: str) -> list[Arm]:
        """The arms for entries that meet all of these terms."""
        terms = flat(terms)
        refused = {term.term for term in terms if isinstance(term, Not)}
        if any(term in refused or self._never(term) for term in terms):
            return []
        for led in self._leads(terms, by):
            rest = self._rest([term for term in terms if not any(term is one for one in led)])
            arms = self._through(led, rest, by)
            if arms is not None:
                return arms
        return [self._over_entries([], terms, by)]

    def _never(self, term: Node) -> bool:
        """Whether it is certain that nothing meets a term."""
        match term:
            case Tagged(slug):
                return not self._asked.tags.get(slug, (0, 0))[1]
            case FromSource(id):
                return id not in self._asked.sources
            case Words(tokens):
                return not tokens
            case InStory(id):
                return not self._asked.stories.get(id, (0, 0))[1]
            case And(terms):
                return any(map(self._never, terms))
            case Or(terms):
                return all(map(self._never, terms))
        return False

    def _leads(self, terms: Sequence[Node], by: str) -> list[list[Node]]:
        """Which terms could lead, the best first: the smallest set, or words, or the smallest."""
        text: list[Node] = [term for term in terms if is_text(term)]
        sets: list[Node] = [
            term
            for term in terms
            if isinstance(term, Tagged | FromSource | InLanguage | InStory | Or)
            and not is_text(term)
        ]
        if len(sets) + bool(text) < 2:
            return [text] if text else [[term] for term in sets]
        sized = sorted((self._size(term), at) for at, term in enumerate(sets))
        small = [[sets[at]] for size, at in sized if size < self._tuning.few]
        large = [[sets[at]] for size, at in sized if size >= self._tuning.few]
        if not text:
            return [*small, *large]
        if small or not large or by != "published":
            return [*small, text, *large]
        whole = _together(text)
        if not self._beside(whole, sized[0][0]):
            return [text, *large]
        return [*large, text]

    def _beside(self, text: Node, size: float) -> bool:
        """Whether to go along so large a set, asking for words, not along the words.

        Going along one takes so long until the page is full as the other is rare, or longer where
        the two shun each other. Looking up all entries with the words costs those, and little for
        each of the set.
        """
        often = self._sampled(text)
        if often == _COMMON:
            return True
        newest: int = self._limit.run(Sql("SELECT max(pk) FROM entries"))[0][0] or 1
        hits, most = max(often, 0.5) * newest / _SAMPLE, self._tuning.set
        if often < _SURE and self._matching._counts_words:
            hits = self._asked.up_to(self._matching._hits(text), most + 1)
        # how many of the set, or with the words, are met until the page is full
        along = min(size, _PAGE * newest / (hits + 1))
        met = min(hits, _PAGE * newest / max(size, 1))
        at_once = hits + along if hits <= most else float("inf")
        # texts of a set stand far apart
        each = 2 * self._tuning.dear * along
        if self._tuning.dear * met < min(at_once, each):
            return False
        if at_once <= each:
            self._asked.looked_up.add(text)
        return True

    def _rest(self, terms: Sequence[Node]) -> Sequence[Node]:
        """What else is asked for; words that are looked up at once are so together."""
        text = [term for term in terms if is_text(term)]
        if not text or (whole := _together(text)) not in self._asked.looked_up:
            return terms
        return [whole, *(term for term in terms if not is_text(term))]

    def _sampled(self, text: Node) -> int:
        """How many of the newest entries have these words; from `_COMMON` on they are common."""
        window = self._windows(_SAMPLE // _FIRST, Part()).next(1.0)
        hits = self._matching._matches(text, window or ALWAYS)
        of = f"SELECT 1 FROM entry_search AS s WHERE {hits.text}"
        return self._asked.up_to(Sql(of, hits.values), _COMMON)

    def _size(self, term: Node) -> float:
        """How many live entries meet a term, about; what may be anything is infinite."""
        match term:
            case Tagged(slug):
                return self._asked.tags.get(slug, (0, 0))[1]
            case InStory(id):
                return self._asked.stories.get(id, (0, 0))[1]
            case FromSource() | InLanguage() if self._one_column(term):
                found = self._asked.few_of(term, self._tuning.hits)
                return _LARGE * self._tuning.hits if found is None else found
            case Or(terms):
                return sum(map(self._size, terms))
            case And(terms):
                return min(map(self._size, terms))
        return float("inf")

    def _one_column(self, term: Node) -> bool:
        return isinstance(term, FromSource) or (
            isinstance(term, InLanguage) and "-" not in term.lang
        )

    def _through(self, led: Sequence[Node], rest: Sequence[Node], by: str) -> list[Arm] | None:
        """The arms that one term, or several that are words, lead; None if they should not."""
        dated = by == "published"
        match led:
            case [Or(terms)] if not is_text(led[0]):
                if len(terms) > _ARMS or not all(self._can_lead(term, by) for term in terms):
                    return None
                return [arm for term in terms for arm in self._ways([term, *rest], by)]
            case [Tagged(slug)] if dated:
                return [self._over_tag(self._asked.tags[slug][0], rest)]
            case [Tagged(slug)]:
                pk, number = self._asked.tags[slug]
                if number >= self._tuning.hits:
                    return None
                carrying = Sql(
                    "SELECT w.entry_pk FROM entry_tags AS w WHERE w.tag_pk = ? AND w.live = 1",
                    (pk,),
                )
                few = within("e.pk", carrying)
                return [self._over_entries([few], rest, by, ordered=False)]
            case [InStory() as term]:
                few = within("e.pk", self._asked.members(term))
                return [self._over_entries([few], rest, by, ordered=False)]
            case [FromSource() | InLanguage() as term] if self._one_column(term):
                if not dated and self._asked.few_of(term, self._tuning.hits) is None:
                    return None
                its = self._asked.holds(term, LEAD)
                return [self._over_entries([its], rest, by, ordered=dated)]
        if all(map(is_text, led)):
            text = _together(led)
            if not dated and not self._asked.few(text, self._tuning.hits):
                return None
            return [self._over_hits(text, rest, by)]
        return None

    def _can_lead(self, term: Node, by: str) -> bool:
        """Whether a term has a way of its own that is not through everything."""
        if self._never(term):
            return True
        match term:
            case InStory():
                return True
            case Tagged(slug):
                return by == "published" or self._asked.tags[slug][1] < self._tuning.hits
            case FromSource() | InLanguage():
                return self._one_column(term) and (
                    by == "published" or self._asked.few_of(term, self._tuning.hits) is not None
                )
            case Or(terms) if not is_text(term):
                return all(self._can_lead(each, by) for each in terms)
            case And(terms) if not is_text(term):
                return any(self._can_lead(each, by) for each in terms)
        return is_text(term) and (by == "published" or self._asked.few(term, self._tuning.hits))

    def _over_entries(
        self, first: Sequence[Sql], rest: Sequence[Node], by: str, *, ordered: bool = True
    ) -> Arm:
        where = all_of([LIVE, *first, self._asked.hold(rest, ENTRY), self._first_copy(ENTRY)])
        return Arm(ALL, ENTRY, f"e.{by}", "e.key", where, ordered)

    def _over_tag(self, tag_pk: int, rest: Sequence[Node]) -> Arm:
        its = Sql("t.tag_pk = ? AND t.live = 1", (tag_pk,))
        where = all_of([its, self._asked.hold(rest, TAG), self._first_copy(TAG)])
        return Arm("entry_tags AS t", TAG, TAG.published, "t.key", where, ordered=True)

    def _over_hits(self, text: Node, rest: Sequence[Node], by: str) -> Arm:
        row, hits, at = HIT, self._matching._hits_dated, self._matching._hits_dated.published
        if by != "published":
            row, hits, at = SORTED_HIT, self._matching._hits_first, f"e.{by}"
        live = TRUE if hits.joined else LIVE_HIT
        where = all_of([live, self._asked.hold(rest, row), self._first_copy(row)])
        return Arm(hits.of, row, at, hits.key, where, False, text, hits)

    def _first_copy(self, row: Row) -> Sql:
        """That the query finds no copy of an entry that was published before it."""
        if not self._collapse:
            return TRUE
        return first_copy(row.pk, self._asked.hold(self._terms, COPY))

    # -- time ------------------------------------------------------------------------------

    def _windows(self, limit: int, part: Part, pace: float | None = None) -> Windows:
        """The time to look through; first what a few times as many entries took, or at a pace."""
        starts, ends = self._bounds()
        starts += [] if part.start is None else [part.start]
        starts += [] if part.above is None else [part.above[0]]
        ends += [] if part.end is None else [part.end]
        ends += [] if part.below is None else [part.below[0] + 1]
        start, end = max(starts, default=None), min(ends, default=None)
        live = all_of([LIVE, *during("e.published", start, end)])
        nearest = (
            f"SELECT e.published FROM {ALL} WHERE {live.text}"
            f" ORDER BY e.published {part.way}, e.key {part.way} LIMIT ?"
        )
        told = f"SELECT min(published), max(published) FROM ({nearest}) AS nearest"
        some = _FIRST * limit if pace is None else 1
        ((first, last),) = self._limit.run(Sql(told, (*live.values, some)))
        if last is None:
            return Windows(start, end, 0, newest=part.newest)
        span = last - first if pace is None else int(min(_SPARE * pace * limit, _EVER))
        if part.newest:
            return Windows(start, last + 1, span)
        return Windows(first, end, span, newest=False)

    def _bounds(self) -> tuple[list[int], list[int]]:
        """The times before which, and from which on, nothing can match."""
        starts = [micros(moment(t.at, self._now)) for t in self._terms if isinstance(t, Since)]
        ends = [micros(moment(t.at, self._now)) for t in self._terms if isinstance(t, Until)]
        return starts, ends


def _together(text: Sequence[Node]) -> Node:
    return text[0] if len(text) == 1 else And(tuple(text))


def flat(terms: Sequence[Node]) -> list[Node]:
    """Terms that must all hold, without conjunctions inside."""
    found: list[Node] = []
    for term in terms:
        found += flat(term.terms) if isinstance(term, And) else [term]
    return found
