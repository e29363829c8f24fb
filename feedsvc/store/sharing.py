"""Which titles, or waiting headlines, are or resemble what is sought: lists of terms, put together.

What texts are indexed under is `words`' to say. Terms stand for pairs of telling words, so that
most lists are short; a long one is never read as a whole. All that a batch asks is answered by the
same few statements.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    bindparam,
    cast,
    column,
    func,
    select,
    union_all,
)

from .engine import chunks
from .indexing import Indexing
from .linkable import Sought
from .schema import ref_terms, title_terms
from .words import sought_terms, whole_terms

WHOLE = 100  # a whole text is worth more than all its parts
_UNIONS = 50  # lists a statement

Place = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermIndex:
    """An index of terms: what it lists, and how its lists are ordered, newest first."""

    term: Column[int]
    place: tuple[Column[int], ...]
    newest: tuple[ColumnElement[int], ...]


TITLES = TermIndex(
    term=title_terms.c.term,
    place=(title_terms.c.entry_pk,),
    newest=(title_terms.c.published.desc(), title_terms.c.entry_pk.desc()),
)
HEADLINES = TermIndex(
    term=ref_terms.c.term,
    place=(ref_terms.c.entry_pk, ref_terms.c.position),
    newest=(ref_terms.c.entry_pk.desc(), ref_terms.c.position),
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One `Sought` as terms: those of whole texts, and those of parts."""

    whole: frozenset[int]
    parts: frozenset[int]

    def lists(self, sizes: Mapping[int, int], most: int) -> set[int]:
        """Which lists to read: shortest first, until there are enough rows."""
        chosen, rows = set(self.whole & sizes.keys()), 0
        for size, number in sorted((sizes[part], part) for part in self.parts & sizes.keys()):
            if rows >= most:
                break
            chosen.add(number)
            rows += size
        return chosen

    def places(
        self, lists: Iterable[int], found: Mapping[int, Sequence[Place]], limit: int
    ) -> dict[Place, int]:
        """The places that share most, each with how much."""
        shared: dict[Place, int] = {}
        for number in lists:
            by = WHOLE if number in self.whole else 1
            for place in found[number]:
                shared[place] = shared.get(place, 0) + by
        if len(shared) <= limit:
            return shared
        best = nlargest(limit, shared, key=lambda place: (shared[place], place))
        return {place: shared[place] for place in best}


class Sharing(Indexing):
    """Looking things up by the words they share."""

    def sharing(
        self, connection: Connection, index: TermIndex, sought: Sequence[Sought], limit: int
    ) -> list[dict[Place, int]]:
        """For each, at most `limit` places that are or resemble what is sought, and how much so.

        Of lists longer than a multiple of `limit` the newest rows only are looked at.
        """
        most = self.tuning.postings * limit
        asked = [_asked(each) for each in sought]
        every = {number for each in asked for number in (*each.whole, *each.parts)}
        sizes = self._sizes(connection, index, every, most)
        if not sizes:
            return [{} for _ in asked]
        lists = [each.lists(sizes, most) for each in asked]
        found = self._lists(connection, index, set().union(*lists), sizes, most)
        return [each.places(some, found, limit) for each, some in zip(asked, lists, strict=True)]

    def _sizes(
        self, connection: Connection, index: TermIndex, numbers: Iterable[int], most: int
    ) -> dict[int, int]:
        """How long the lists of these terms are, counted up to `most`; empty ones are left out."""
        asked = func.json_each(bindparam("asked", type_=JSON)).table_valued(column("key"))
        number = cast(asked.c.key, BigInteger)
        some = select(index.term).where(index.term == number).limit(most).correlate(asked)
        size = select(func.count()).select_from(some.subquery()).scalar_subquery()
        named = {"asked": dict.fromkeys(map(str, numbers), 0)}
        if not named["asked"]:
            return {}
        counted = connection.execute(select(number, size), named)
        return {number: size for number, size in counted if size}

    def _lists(
        self,
        connection: Connection,
        index: TermIndex,
        read: Iterable[int],
        sizes: Mapping[int, int],
        most: int,
    ) -> dict[int, list[Place]]:
        """What is listed under these terms; of the long lists only the newest."""
        found: dict[int, list[Place]] = {number: [] for number in read}
        long = {number for number in read if sizes[number] == most}
        columns = (index.term, *index.place)
        statements = [
            select(*columns).where(index.term.in_(some))
            for some in chunks(sorted(found.keys() - long), self.tuning.batch)
        ]
        newest = [
            select(*columns).where(index.term == number).order_by(*index.newest).limit(most)
            for number in sorted(long)
        ]
        for statement in (
            *statements,
            *(
                select(union_all(*(select(each.subquery()) for each in some)).subquery())
                for some in chunks(newest, _UNIONS)
            ),
        ):
            for number, *place in connection.execute(statement):
                found[number].append(tuple(place))
        return found


def _asked(sought: Sought) -> _Asked:
    whole, parts = sought_terms(sought.text)
    return _Asked(whole.union(*(whole_terms(spelling) for spelling in sought.also)), parts)
