"""What a query asks of a row, as SQL: one look at an index for each thing asked.

Lookups are written as scalar subqueries, not as EXISTS: what a planner cannot make a join of is
asked of the rows that are met, and of no others.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from ..keys import parse_key
from ..query import moment
from ..query.ast import (
    And,
    FromSource,
    Has,
    InLanguage,
    InStory,
    Leaf,
    Node,
    Not,
    OfKind,
    Or,
    Since,
    Tagged,
    Until,
    Words,
)
from .codec import Flag, micros, storable
from .dates import Window
from .engine import Tuning
from .paces import Paces
from .statement import FALSE, Hits, Sql, all_of, any_of, negated, within

_FLAGS = {
    "enclosure": Flag.ENCLOSURE,
    "link": Flag.LINK,
    "author": Flag.AUTHOR,
    "related": Flag.RELATED,
    "credit": Flag.CREDIT,
}


class Matching(Protocol):
    """How a backend looks words up; `s` is its search index, a row for every entry.

    A text is one `Words`, or several put together by `And` and `Or`.
    """

    tuning: Tuning
    paces: Paces
    # to the entries that are found, and only as far as their time and key
    _hits_first: Hits
    _hits_dated: Hits
    # whether it takes little to know that few entries have some words
    _counts_words: bool

    def _matches(self, text: Node, window: Window) -> Sql: ...

    def _hits(self, text: Node) -> Sql: ...

    def _has_words(self, words: Words, pk: str) -> Sql: ...

    def _stop_after(self, connection: Connection, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Row:
    """The row of an entry or of its tag: how its pk and time are named, and if `e` is its entry.

    It is met through an index of what is asked of it if that `leads`, else through another. A `key`
    is that of rows of live entries that are met in order of time.
    """

    pk: str
    published: str
    whole: bool = False
    leads: bool = False
    key: str | None = None

    def __call__(self, column: str) -> str:
        """A column of the entry."""
        if self.whole:
            return f"e.{column}"
        return f"(SELECT i.{column} FROM entries AS i WHERE i.pk = {self.pk})"

    def number(self, column: str) -> str:
        """A column of numbers, which a planner goes by only where it leads."""
        return self(column) if self.leads else f"({self(column)} + 0)"

    def name(self, column: str) -> str:
        """The same of names."""
        return self(column) if self.leads else f"({self(column)} || '')"


ENTRY = Row("e.pk", "e.published", whole=True)
LEAD = Row("e.pk", "e.published", whole=True, leads=True)
# of which the planner is to look at nothing until it has found it another way
FOUND_ENTRY = Row("e.pk", "(e.published + 0)")
# the same, whatever a set holds that its pk is to be in
GONE = Row("(e.pk + 0)", "(e.published + 0)")
TAG = Row("t.entry_pk", "t.published", key="t.key")
HIT = Row("h.pk", "h.at")
# of those in another order than that of time
SORTED_HIT = Row("h.pk", "(SELECT i.published FROM entries AS i WHERE i.pk = h.pk)")
COPY = Row("other.entry_pk", "other.published")
# of which very many may be asked
_MANY = (TAG, GONE)
GONE_OF_TAG = "SELECT w.entry_pk FROM entry_tags AS w WHERE w.tag_pk = ? AND w.live = 0"


class Conditions:
    """The terms of a query, as SQL and as numbers of entries, in one state of the database."""

    def __init__(
        self,
        run: Callable[[Sql], Sequence[tuple[Any, ...]]],
        matching: Matching,
        where: Node | None,
        now: datetime,
    ) -> None:
        self._run = run
        self._matching = matching
        self._now = now
        slugs = {term.slug for term in leaves(where) if isinstance(term, Tagged)}
        ids = {term.id for term in leaves(where) if isinstance(term, FromSource)}
        found = self._named("SELECT slug, pk, count FROM tags", "slug", slugs)
        self.tags: Mapping[str, tuple[int, int]] = {row[0]: (row[1], row[2]) for row in found}
        found = self._named("SELECT id, pk FROM sources", "id", ids)
        self.sources: Mapping[str, int] = {row[0]: row[1] for row in found}
        self.stories = self._stories(where)
        # words whose entries are all looked up at once, not one by one
        self.looked_up: set[Node] = set()
        # tags whose withdrawn entries are
        self._gone: Container[int] = ()
        self._counted: dict[str, int] = {}

    def _stories(self, where: Node | None) -> Mapping[str, tuple[int, int]]:
        """The key of each story asked for, or of what it is part of now, and its members."""
        found: dict[str, tuple[int, int]] = {}
        for id in {term.id for term in leaves(where) if isinstance(term, InStory)}:
            if (key := parse_key(id)) is not None:
                its = Sql(
                    "SELECT s.key, s.size FROM stories AS s JOIN stories AS asked"
                    " ON s.key = coalesce(asked.part_of, asked.key) WHERE asked.key = ?",
                    (key,),
                )
                found.update((id, (row[0], row[1])) for row in self._run(its))
        return found

    def _named(self, of: str, column: str, names: set[str]) -> Iterator[tuple[Any, ...]]:
        asked = tuple(sorted(map(storable, names)))
        size = self._matching.tuning.batch
        for at in range(0, len(asked), size):
            some = asked[at : at + size]
            marks = ", ".join("?" * len(some))
            yield from self._run(Sql(f"{of} WHERE {column} IN ({marks})", some))

    def members(self, story: InStory) -> Sql:
        """The members of a story that there is."""
        told = "SELECT m.entry_pk FROM storied AS m WHERE m.story = ?"
        return Sql(told, (self.stories[story.id][0],))

    # -- how many --------------------------------------------------------------------------

    def few(self, text: Node, most: int) -> bool:
        """Whether no more than `most` entries have these words."""
        return self.up_to(self._matching._hits(text), most + 1) <= most

    def few_of(self, leaf: FromSource | InLanguage, most: int) -> int | None:
        """How many live entries a source or language has, None if more than `most`."""
        where = self._of_entry(leaf, LEAD)
        text = f"SELECT e.pk FROM entries AS e WHERE e.withdrawn_at IS NULL AND {where.text}"
        found = self.up_to(Sql(text, where.values), most + 1)
        return None if found > most else found

    def up_to(self, rows: Sql, most: int) -> int:
        """How many rows there are, counted up to `most`."""
        counted = Sql(
            f"SELECT count(*) FROM ({rows.text} LIMIT ?) AS counted",
            (*rows.values, most),
        )
        key = repr(counted)
        if key not in self._counted:
            self._counted[key] = self._run(counted)[0][0]
        return self._counted[key]

    # -- what must hold --------------------------------------------------------------------

    def hold(self, terms: Sequence[Node], row: Row) -> Sql:
        """That a row meets all of these terms."""
        return all_of(self.holds(term, row) for term in terms)

    def hold_at_once(
        self, terms: Sequence[Node], row: Row, texts: Iterable[Words], gone: Container[int]
    ) -> Sql:
        """The same for very many rows: entries with some words are looked up unless too many.

        So are those that are `gone` of some tags.
        """
        most, before = self._matching.tuning.hits, self.looked_up
        self._gone = gone
        if self._matching._counts_words:
            self.looked_up = before | {words for words in texts if self.few(words, most)}
        try:
            return self.hold(terms, row)
        finally:
            self.looked_up, self._gone = before, ()

    def holds(self, node: Node, row: Row) -> Sql:
        """That a row meets a term; never NULL, so that it can be negated."""
        if row in _MANY and node in self.looked_up:
            found = within(row.pk, self._matching._hits(node))
            # not a join, for which the order of rows would be given up
            return Sql(f"({found.text}) IS TRUE", found.values)
        match node:
            case And(terms):
                return self.hold(terms, row)
            case Or(terms):
                return any_of(self.holds(term, row) for term in terms)
            case Not(term):
                return negated(self.holds(term, row))
            case Since(at):
                return Sql(f"{row.published} >= ?", (micros(moment(at, self._now)),))
            case Until(at):
                return Sql(f"{row.published} < ?", (micros(moment(at, self._now)),))
            case Tagged(slug):
                if slug not in self.tags:
                    return FALSE
                pk, _ = self.tags[slug]
                if pk in self._gone:
                    found = within(row.pk, Sql(GONE_OF_TAG, (pk,)))
                    return Sql(f"({found.text}) IS TRUE", found.values)
                its = f"c.entry_pk = {row.pk}"
                if row.key is not None:
                    # in the order of what is met, and so mostly close to what was found before
                    its = f"c.live = 1 AND c.published = {row.published} AND c.key = {row.key}"
                carried = f"SELECT 1 FROM entry_tags AS c WHERE c.tag_pk = ? AND {its}"
                return Sql(f"({carried}) IS NOT NULL", (pk,))
            case InStory(id):
                if id not in self.stories:
                    return FALSE
                told = f"SELECT m.story FROM storied AS m WHERE m.entry_pk = {row.pk}"
                return Sql(f"coalesce(({told}) = ?, FALSE)", (self.stories[id][0],))
            case Words(tokens):
                return self._words(node, row) if tokens else FALSE
        return self._of_entry(node, row)

    def _words(self, words: Words, row: Row) -> Sql:
        tuning = self._matching.tuning
        # copies are few: to count what has the words would take longer
        if row is not COPY and self._matching._counts_words and self.few(words, tuning.few):
            return within(row.pk, self._matching._hits(words))
        return self._matching._has_words(words, row.pk)

    def _of_entry(self, leaf: Leaf, row: Row) -> Sql:
        """What a leaf asks of columns of `entries`."""
        match leaf:
            case FromSource(id):
                if id not in self.sources:
                    return FALSE
                return Sql(f"{row.number('source_pk')} = ?", (self.sources[id],))
            case OfKind(kind):
                its = Sql("SELECT k.pk FROM sources AS k WHERE k.kind = ?", (kind,))
                return within(row.number("source_pk"), its)
            case Has(what):
                return Sql(f"({row('flags')} & ?) != 0", (int(_FLAGS[what]),))
            case InLanguage(lang) if "-" not in lang:
                return Sql(f"{row.name('tongue')} = ?", (storable(lang),))
            case InLanguage(lang):
                lang, own = storable(lang), row("lang")
                # `.` is what follows `-`: all that begins with the tag and a hyphen
                text = f"{own} = ? OR ({own} >= ? AND {own} < ?)"
                return Sql(text, (lang, f"{lang}-", f"{lang}."))
        return FALSE


def leaves(node: Node | None) -> Iterator[Leaf]:
    """The terms that a query is made of."""
    match node:
        case None:
            return
        case And(terms) | Or(terms):
            for term in terms:
                yield from leaves(term)
        case Not(term):
            yield from leaves(term)
        case _:
            yield node


def is_text(node: Node) -> bool:
    """Whether a term asks for words and nothing else, so that the search index can answer it."""
    match node:
        case Words(tokens):
            return bool(tokens)
        case And(terms) | Or(terms):
            return all(map(is_text, terms))
    return False
