"""The records that a store and the linker exchange: entries as they name and are named."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..model import RelatedKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """An entry as a candidate for a named headline."""

    key: str
    id: str
    source_id: str
    title: str
    link: str | None
    published: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A headline that entry `key` names as related.

    `target` is the entry it resolved to, if any, and `score` and `reason` say why.
    """

    key: str
    source_id: str
    position: int
    title: str
    target: str | None = None
    score: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkable(Titled):
    """A live entry with the headlines it names, in its order, resolved or not."""

    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What titles or headlines are looked up by.

    `text` finds what has the same letters and digits, or the same beginning, or shares telling
    words; `also` are other spellings, or addresses, that find only what has their letters and
    digits. Of what is equally alike, that of `source_id` comes first.
    """

    text: str
    also: tuple[str, ...] = ()
    source_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedLink:
    """A link to be stored: explicit ones carry the position of their reference."""

    target: str
    kind: RelatedKind
    score: float
    reason: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What an entry's headlines resolve to now: `entry` as it was read, and all its links."""

    entry: Linkable
    links: tuple[RelatedLink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One entry waiting for a consumer of the outbox; `seq` is handed back when it is done."""

    seq: int
    key: str
    change: Literal["new", "updated", "withdrawn"]
