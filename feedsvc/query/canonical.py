"""The one normal form of a query, as a tree and as text.

Two queries that differ only in spacing, case, order, repetition or the way a negation is written
have the same tree and the same text, hence one self URL, one cache entry, one WebSub topic.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from .ast import (
    And,
    EntryQuery,
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

_MINUTE = timedelta(minutes=1)


def canonical(query: EntryQuery) -> str:
    """Writes a query's normal form; `parse` reads it back into exactly `normalise(query)`.

    Everything, newest first, is the empty string.
    """
    query = normalise(query)
    parts = [] if query.where is None else [_write(query.where)]
    if query.sort != "published":
        parts.append(f"sort:{query.sort}")
    return " ".join(parts)


def normalise(query: EntryQuery) -> EntryQuery:
    """Brings a query into normal form.

    Negations are pushed down to single terms, nested groups of one kind flattened, terms sorted
    (what is asked for, then groups, then what is refused) and repetitions dropped. A group that
    always holds (`a OR -a`) goes; one that never does stays as its first contradiction (`a -a`).
    Spans are whole minutes, times are UTC.
    """
    where = None if query.where is None else _normal(query.where, negative=False)
    return EntryQuery(where=None if where is _ALWAYS else where, sort=query.sort)


# An empty conjunction holds for every entry. It exists only while a query is being normalised.
_ALWAYS = And(())


def _normal(node: Node, *, negative: bool) -> Node:
    match node:
        case Not(term):
            return _normal(term, negative=not negative)
        case And(terms) | Or(terms):
            children = [_normal(term, negative=negative) for term in terms]
            # De Morgan: a refused group is the other kind of group of refused terms
            return _all(children) if isinstance(node, And) is not negative else _any(children)
        case Since(timedelta() as span):
            leaf: Leaf = Since(span // _MINUTE * _MINUTE)
        case Until(timedelta() as span):
            leaf = Until(span // _MINUTE * _MINUTE)
        case Since(datetime() as at):
            leaf = Since(at.astimezone(UTC))
        case Until(datetime() as at):
            leaf = Until(at.astimezone(UTC))
        case _:
            leaf = node
    return Not(leaf) if negative else leaf


def _all(children: list[Node]) -> Node:
    terms = _distinct(
        part for child in children for part in (child.terms if isinstance(child, And) else (child,))
    )
    clash = _opposites(terms)
    if clash:
        return And(clash)
    return terms[0] if len(terms) == 1 else And(terms) if terms else _ALWAYS


def _any(children: list[Node]) -> Node:
    terms = _distinct(
        part for child in children for part in (child.terms if isinstance(child, Or) else (child,))
    )
    if _ALWAYS in terms or _opposites(terms):
        return _ALWAYS
    possible = tuple(term for term in terms if not _never(term)) or terms[:1]
    return possible[0] if len(possible) == 1 else Or(possible)


def _distinct(terms: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(sorted(set(terms), key=_order))


def _order(term: Node) -> tuple[int, str]:
    rank = 2 if isinstance(term, Not) else 1 if isinstance(term, And | Or) else 0
    return rank, _write(term)


def _opposites(terms: tuple[Node, ...]) -> tuple[Node, ...]:
    """The first term that stands beside its own negation, with it."""
    present = set(terms)
    for term in terms:
        if not isinstance(term, Not) and Not(term) in present:
            return term, Not(term)
    return ()


def _never(term: Node) -> bool:
    return isinstance(term, And) and bool(_opposites(term.terms))


def _write(node: Node) -> str:
    match node:
        case And(terms):
            return " ".join(_group(term, Or) for term in terms)
        case Or(terms):
            return " OR ".join(_write(term) for term in terms)
        case Not(term):
            return f"-{_group(term, (And, Or))}"
        case _:
            return _leaf(node)


def _group(node: Node, kinds: type[Node] | tuple[type[Node], ...]) -> str:
    return f"({_write(node)})" if isinstance(node, kinds) else _write(node)


def _leaf(leaf: Leaf) -> str:
    match leaf:
        case Tagged(slug):
            return f"tag:{slug}"
        case Words(tokens, field):
            phrase = tokens[0] if len(tokens) == 1 else f'"{" ".join(tokens)}"'
            return phrase if field == "any" else f"{field}:{phrase}"
        case FromSource(id):
            return f"source:{id}"
        case InLanguage(lang):
            return f"lang:{lang}"
        case Since(at):
            return f"since:{_time(at)}"
        case Until(at):
            return f"until:{_time(at)}"
        case Has(what):
            return f"has:{what}"
        case OfKind(kind):
            return f"kind:{kind}"
        case InStory(id):
            return f"story:{id}"


def _time(at: datetime | timedelta) -> str:
    if isinstance(at, timedelta):
        minutes = at // _MINUTE
        for unit, size in (("d", 1440), ("h", 60)):
            if minutes and minutes % size == 0:
                return f"{minutes // size}{unit}"
        return f"{minutes}m"
    text = at.replace(tzinfo=None).isoformat()
    if text.endswith("T00:00:00"):
        return text.removesuffix("T00:00:00")
    return f"{text.removesuffix(':00')}Z"
