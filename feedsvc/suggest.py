"""Which tags a query may have meant that no entry carries."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from .query import canonical, normalise
from .query.ast import And, EntryQuery, Node, Not, Or, Tagged
from .store.base import Store

_BEGINNING, _LIKE, _COMMON, _MOST = 3, 500, 2_000, 3
_CUTOFF = 0.7


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A tag that no entry carries, one that resembles it, and the query with that instead."""

    slug: str
    near: str
    query: str


def suggestions(store: Store, query: EntryQuery) -> tuple[Suggestion, ...]:
    """For each tag of a query that no entry carries, up to three that entries carry."""
    return tuple(
        Suggestion(slug, near, canonical(_instead(query, slug, near)))
        for slug in sorted(set(_slugs(query.where)))
        for near in _near(store, slug)
    )


def _near(store: Store, slug: str) -> list[str]:
    like = [tag.slug for tag in store.tags(prefix=slug[:_BEGINNING], limit=_LIKE)]
    if slug in like or any(tag.slug == slug for tag in store.tags(prefix=slug)):
        return []
    # those that begin alike may be rare, the others are what many entries carry
    known = dict.fromkeys([*like, *(tag.slug for tag in store.tags(limit=_COMMON))])
    return get_close_matches(slug, known, n=_MOST, cutoff=_CUTOFF)


def _slugs(node: Node | None) -> Iterator[str]:
    match node:
        case Tagged(slug):
            yield slug
        case Not(term):
            yield from _slugs(term)
        case And(terms) | Or(terms):
            for term in terms:
                yield from _slugs(term)


def _instead(query: EntryQuery, slug: str, near: str) -> EntryQuery:
    def changed(node: Node) -> Node:
        match node:
            case Tagged(own):
                return Tagged(near) if own == slug else node
            case Not(term):
                return Not(changed(term))
            case And(terms):
                return And(tuple(map(changed, terms)))
            case Or(terms):
                return Or(tuple(map(changed, terms)))
        return node

    where = None if query.where is None else changed(query.where)
    return normalise(replace(query, where=where))
