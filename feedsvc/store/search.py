"""Queries as SQL: which entries, in which order, by the cheapest way that is sure to be cheap.

A plan has one or more arms. Each goes through one index in order (all entries, a tag's, a
source's) or sorts a small set (a rare word's, a rare tag's), and asks the rest of each entry it
meets. Nothing here is dialect: how words are matched is passed in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeGuard

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
    tuple_,
    union,
)

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
from .engine import Tuning
from .schema import entries, entry_tags, sources, tags

_FLAGS = {
    "enclosure": Flag.ENCLOSURE,
    "link": Flag.LINK,
    "author": Flag.AUTHOR,
    "related": Flag.RELATED,
    "credit": Flag.CREDIT,
}
_ARMS = 100


class Matching(Protocol):
    """How a backend looks words up."""

    tuning: Tuning

    def _hits(self, words: Words) -> Select[tuple[int]]: ...

    def _has_words(self, words: Words, pk: ColumnElement[int]) -> ColumnElement[bool]: ...


@dataclass(frozen=True, slots=True)
class Arm:
    """One index to go through: pk, time and key of its rows, what must hold, if it is in order."""

    pk: ColumnElement[int]
    at: ColumnElement[int]
    key: ColumnElement[int]
    where: ColumnElement[bool]
    ordered: bool


class Search:
    """One question to one state of the database."""

    def __init__(
        self, connection: Connection, matching: Matching, where: Node | None, now: datetime
    ) -> None:
        self._connection = connection
        self._matching = matching
        self._tuning = matching.tuning
        self._where = where
        self._now = now
        self._tags = self._find_tags()
        self._sources = self._find_sources()
        self._counts: dict[Words | FromSource | InLanguage, int] = {}

    # -- answers ---------------------------------------------------------------------------

    def page(
        self, by: str, limit: int, after: tuple[int, int] | None = None, *, including: bool = False
    ) -> list[tuple[int, int, int]]:
        """The first entries by `published` or `updated`, newest first: (pk, time, key).

        Only those after a place, or that place `including`.
        """
        selects = []
        for arm in self._arms(by):
            place = tuple_(arm.at, arm.key)
            chosen = select(arm.pk.label("pk"), arm.at.label("at"), arm.key.label("key"))
            chosen = chosen.where(arm.where)
            if after is not None:
                chosen = chosen.where(place <= after if including else place < after)
            # adding nothing keeps a planner from going through the index in order after all
            order = (arm.at, arm.key) if arm.ordered else (arm.at + 0, arm.key)
            selects.append(chosen.order_by(*(column.desc() for column in order)).limit(limit))
        if not selects:
            return []
        if len(selects) == 1:
            found = self._connection.execute(selects[0])
        else:
            merged = union(*(select(each.subquery()) for each in selects)).subquery()
            newest = (merged.c.at.desc(), merged.c.key.desc())
            found = self._connection.execute(select(merged).order_by(*newest).limit(limit))
        return [(pk, at, key) for pk, at, key in found]

    def count(self) -> int:
        """How many live entries match."""
        selects = [select(arm.pk.label("pk")).where(arm.where) for arm in self._arms("published")]
        if not selects:
            return 0
        each = selects[0] if len(selects) == 1 else union(*selects)
        return self._connection.scalar(select(func.count()).select_from(each.subquery())) or 0

    def withdrawn(self, since: int, limit: int) -> list[tuple[str, int, int]]:
        """The newest tombstones that match: (id, key, time)."""
        columns = entries.alias().c
        # these are few: no other index shall lead, which adding nothing keeps planners from
        pk = columns.pk + 0
        found = (
            select(columns.id, columns.key, columns.withdrawn_at)
            .where(columns.withdrawn_at.is_not(None), columns.withdrawn_at > since)
            .where(self._condition(self._where, _Lookup(pk), pk, columns.published))
            .order_by(columns.withdrawn_at.desc(), columns.key.desc())
            .limit(limit)
        )
        return [(id, key, at) for id, key, at in self._connection.execute(found)]

    def words(self) -> list[Words]:
        """The words that are asked for, not those that must be missing."""
        found: list[Words] = []

        def visit(node: Node | None) -> None:
            if isinstance(node, Words) and node.tokens:
                found.append(node)
            elif isinstance(node, And | Or):
                for term in node.terms:
                    visit(term)

        visit(self._where)
        return found

    # -- the way ---------------------------------------------------------------------------

    def _arms(self, by: str) -> list[Arm]:
        """What to go through; together they meet every matching live entry."""
        return self._ways([] if self._where is None else [self._where], by)

    def _ways(self, terms: Sequence[Node], by: str) -> list[Arm]:
        """The arms for entries that meet all of these terms."""
        terms = _flat(terms)
        sizes = [
            (size, at) for at, term in enumerate(terms) if (size := self._size(term)) is not None
        ]
        for size, at in sorted(sizes):
            if size == 0:
                return []
            rest = [*terms[:at], *terms[at + 1 :]]
            arms = self._through(terms[at], size, rest, by)
            if arms is not None:
                return arms
        return [self._over_entries(true(), terms, by, ordered=True)]

    def _through(self, term: Node, size: int, rest: Sequence[Node], by: str) -> list[Arm] | None:
        """The arms that one term leads, or None if it should not lead."""
        small = size < self._tuning.hits
        pk = entries.c.pk
        match term:
            case Or(terms):
                few = len(terms) <= _ARMS and size * self._tuning.share < self._total()
                return [arm for t in terms for arm in self._ways([t, *rest], by)] if few else None
            case Tagged(slug) if by == "published":
                return [self._over_tag(self._tags[slug][0], rest)]
            case Tagged(slug) if small:
                carrying = select(entry_tags.c.entry_pk).where(
                    entry_tags.c.tag_pk == self._tags[slug][0], entry_tags.c.live == 1
                )
                return [self._over_entries(pk.in_(carrying), rest, by, ordered=False)]
            case Words():
                hits = self._matching._hits(term)
                return [self._over_entries(pk.in_(hits), rest, by, ordered=False)]
            case FromSource() | InLanguage() if small or by == "published":
                its = self._of_entry(term, _Lookup(None))
                return [self._over_entries(its, rest, by, ordered=by == "published")]
        return None

    def _over_entries(
        self, first: ColumnElement[bool], rest: Sequence[Node], by: str, *, ordered: bool
    ) -> Arm:
        columns = entries.c
        conditions = [self._condition(t, None, columns.pk, columns.published) for t in rest]
        where = and_(columns.withdrawn_at.is_(None), first, *conditions)
        return Arm(columns.pk, columns[by], columns.key, where, ordered)

    def _over_tag(self, tag_pk: int, rest: Sequence[Node]) -> Arm:
        columns = entry_tags.alias().c
        lookup = _Lookup(columns.entry_pk)
        conditions = [self._condition(t, lookup, columns.entry_pk, columns.published) for t in rest]
        where = and_(columns.tag_pk == tag_pk, columns.live == 1, *conditions)
        return Arm(columns.entry_pk, columns.published, columns.key, where, True)

    # -- how many --------------------------------------------------------------------------

    def _size(self, term: Node) -> int | None:
        """At most how many live entries meet a term; 0 is certain, None may be anything."""
        match term:
            case Tagged(slug):
                return self._tags[slug][1] if slug in self._tags else 0
            case FromSource(id):
                return self._bounded(term) if id in self._sources else 0
            case Words(tokens):
                size = self._bounded(term) if tokens else 0
                return size if size < self._tuning.hits else None
            case InLanguage(lang) if "-" not in lang:
                return self._bounded(term)
            case InStory():
                return 0
            case And(terms):
                return min(filter(_known, map(self._size, terms)), default=None)
            case Or(terms):
                sizes = list(map(self._size, terms))
                return None if None in sizes else sum(filter(None, sizes))
        return None

    def _bounded(self, term: Words | FromSource | InLanguage) -> int:
        """How many entries there are of a source, a language or with words, counted so far only."""
        if term not in self._counts:
            if isinstance(term, Words):
                them = self._matching._hits(term)
            else:
                its = self._of_entry(term, _Lookup(None))
                them = select(entries.c.pk).where(its, entries.c.withdrawn_at.is_(None))
            some = them.limit(self._tuning.hits).subquery()
            counted = self._connection.scalar(select(func.count()).select_from(some))
            self._counts[term] = counted or 0
        return self._counts[term]

    def _total(self) -> int:
        return self._connection.scalar(select(func.max(entries.c.pk))) or 0

    def _find_tags(self) -> dict[str, tuple[int, int]]:
        slugs = {term.slug for term in _leaves(self._where) if isinstance(term, Tagged)}
        if not slugs:
            return {}
        wanted = select(tags.c.slug, tags.c.pk, tags.c.count).where(
            tags.c.slug.in_(sorted(map(storable, slugs)))
        )
        return {slug: (pk, number) for slug, pk, number in self._connection.execute(wanted)}

    def _find_sources(self) -> dict[str, int]:
        ids = {term.id for term in _leaves(self._where) if isinstance(term, FromSource)}
        if not ids:
            return {}
        wanted = select(sources.c.id, sources.c.pk).where(
            sources.c.id.in_(sorted(map(storable, ids)))
        )
        return dict(self._connection.execute(wanted).all())

    # -- what must hold --------------------------------------------------------------------

    def _condition(
        self,
        node: Node | None,
        lookup: "_Lookup | None",
        pk: ColumnElement[int],
        published: ColumnElement[int],
    ) -> ColumnElement[bool]:
        match node:
            case None:
                return true()
            case And(terms):
                return and_(*(self._condition(t, lookup, pk, published) for t in terms))
            case Or(terms):
                return or_(*(self._condition(t, lookup, pk, published) for t in terms))
            case Not(term):
                return not_(self._condition(term, lookup, pk, published))
            case Since(at):
                return published >= micros(moment(at, self._now))
            case Until(at):
                return published < micros(moment(at, self._now))
            case Tagged(slug):
                carried = entry_tags.alias().c
                tag_pk = self._tags.get(slug, (0, 0))[0]
                return exists().where(carried.entry_pk == pk, carried.tag_pk == tag_pk)
            case Words(tokens):
                if not tokens or not self._bounded(node):
                    return false()
                if self._bounded(node) < self._tuning.hits:
                    return pk.in_(self._matching._hits(node))
                return self._matching._has_words(node, pk)
        return self._of_entry(node, lookup or _Lookup(None))

    def _of_entry(self, leaf: Leaf, of: "_Lookup") -> ColumnElement[bool]:
        """What a leaf asks of columns of `entries`; never NULL, so that it can be negated."""
        match leaf:
            case FromSource(id):
                return of("source_pk") == self._sources.get(id, 0)
            case OfKind(kind):
                return of("source_pk").in_(select(sources.c.pk).where(sources.c.kind == kind))
            case Has(what):
                return of("flags").op("&")(int(_FLAGS[what])) != 0
            case InLanguage(lang) if "-" not in lang:
                return of("tongue") == storable(lang)
            case InLanguage(lang):
                lang = storable(lang)
                # `.` is what follows `-`: all that begins with the tag and a hyphen
                own = of("lang")
                return or_(own == lang, and_(own >= f"{lang}-", own < f"{lang}."))
        return false()


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Columns of the entry with this pk, or of the one at hand."""

    pk: ColumnElement[int] | None

    def __call__(self, name: str) -> ColumnElement[Any]:
        column: ColumnElement[Any] = entries.c[name]
        if self.pk is None:
            return column
        return select(column).where(entries.c.pk == self.pk).scalar_subquery()


def _leaves(node: Node | None) -> Iterator[Leaf]:
    match node:
        case None:
            return
        case And(terms) | Or(terms):
            for term in terms:
                yield from _leaves(term)
        case Not(term):
            yield from _leaves(term)
        case _:
            yield node


def _flat(terms: Sequence[Node]) -> list[Node]:
    """Terms that must all hold, without conjunctions inside."""
    found: list[Node] = []
    for term in terms:
        found += _flat(term.terms) if isinstance(term, And) else [term]
    return found


def _known(size: int | None) -> TypeGuard[int]:
    return size is not None
