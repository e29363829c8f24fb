"""What a query means: a small tree, independent of how it was written or will be answered.

The parser makes it, the store turns it into SQL, `matches` asks it of one entry in memory.
All three read the nodes defined here the same way (CONTRACT: query language).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Field = Literal["any", "title", "author"]
Sort = Literal["published", "updated", "relevance"]


@dataclass(frozen=True, slots=True)
class Tagged:
    """`tag:russia`: the entry carries the tag with this slug."""

    slug: str


@dataclass(frozen=True, slots=True)
class Words:
    """A bare word (one token) or a phrase (several, adjacent), folded by `text.tokens`.

    `any` searches title, summary and body, `title` and `author` only those.
    """

    tokens: tuple[str, ...]
    field: Field = "any"


@dataclass(frozen=True, slots=True)
class FromSource:
    """`source:bbc`: the entry came from the source with this id."""

    id: str


@dataclass(frozen=True, slots=True)
class InLanguage:
    """`lang:en`: the entry's language has this primary subtag, or equals it (RFC 4647 §3.3.1)."""

    lang: str


@dataclass(frozen=True, slots=True)
class Since:
    """`since:2025-04-01` or `since:7d`: published at that time or later."""

    at: datetime | timedelta


@dataclass(frozen=True, slots=True)
class Until:
    """`until:2025-05-01`: published before that time."""

    at: datetime | timedelta


@dataclass(frozen=True, slots=True)
class Has:
    """`has:enclosure`: the entry has at least one of these."""

    what: Literal["enclosure", "link", "author", "related", "credit"]


@dataclass(frozen=True, slots=True)
class OfKind:
    """`kind:directory`: the entry came from a source of this kind."""

    kind: Literal["directory", "feed"]


@dataclass(frozen=True, slots=True)
class InStory:
    """`story:ID`: the entry is a member of this story."""

    id: str


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    term: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more terms."""

    terms: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more terms."""

    terms: tuple["Node", ...]


Leaf = Tagged | Words | FromSource | InLanguage | Since | Until | Has | OfKind | InStory
Node = Leaf | Not | And | Or


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Which entries, in which order. `where` None means all of them."""

    where: Node | None = None
    sort: Sort = "published"


def relative(node: Node | None) -> bool:
    """Whether a query counts back from now: what it finds changes with every minute."""
    match node:
        case Since(at) | Until(at):
            return isinstance(at, timedelta)
        case And(terms) | Or(terms):
            return any(map(relative, terms))
        case Not(term):
            return relative(term)
    return False
