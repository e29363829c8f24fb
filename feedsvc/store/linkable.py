"""The records that a store and the linker exchange: entries as they name and are named."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

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


@dataclass(frozen=True, slots=True)
class Signed:
    """What an entry is about: terms by falling weight, and the weight of each as a byte."""

    terms: tuple[int, ...]
    weights: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """A live entry whose signature is to be made, as plain texts."""

    key: str
    title: str
    summary: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Likened:
    """A live entry as links by content see it; copies of one article have one `lead`.

    `pk` is the store's own number for it.
    """

    pk: int
    title: str
    published: datetime
    pending: bool
    lead: int | None
    signed: Signed


@dataclass(frozen=True, slots=True)
class Likeness:
    """A link by content: to which entry, how sure (0 to 1), and why, in words."""

    pk: int
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Relinked:
    """The links by content that an entry is to have, in their order, instead of those it has."""

    before: tuple[Likeness, ...]
    after: tuple[Likeness, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around entries: by pk what is `near` each, and the members of stories by key.

    Stories are in the order in which they began, their members in pks, the newest first.
    """

    near: Mapping[int, Collection[int]]
    members: Mapping[int, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Entries of one story, by pk, one of which it is named after.

    It goes on from one that is there, or is new with None; others may become part of it.
    """

    members: tuple[int, ...]
    lead: int
    story: int | None
    merged: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Regrouping:
    """Stories with the members they had, and what they are to be instead; some are ended.

    `looked` are those of the entries that this was done for.
    """

    looked: frozenset[int]
    before: Mapping[int, frozenset[int]]
    after: tuple[Gathered, ...]
    ended: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One entry waiting for a consumer of the outbox; `seq` is handed back when it is done."""

    seq: int
    key: str
    change: Literal["new", "updated", "withdrawn"]


class Relates(Protocol):
    """What a store does for links by content: the part of `base.Store` that is about them."""

    def unsigned(self, keys: Iterable[str]) -> Mapping[str, Unsigned]:
        """Those of these entries that are live, as plain texts, by key."""
        ...

    def sign(self, seqs: Sequence[int], signed: Mapping[str, Signed]) -> None:
        """Writes what entries are about and takes rows of `relate` out, in one transaction.

        The entries then wait for links by content, and so do those that link to one that is about
        something else now.
        """
        ...

    def find_copies(self, limit: int, now: datetime) -> int:
        """Finds the copies of entries that an earlier version stored; how many were looked at.

        The newest first, at most so many; none waits once this is 0.
        """
        ...

    def fold_anew(self, limit: int, now: datetime) -> int:
        """Indexes entries that an earlier version stored by their words as these are folded now.

        The newest first, at most so many; none waits once this is 0.
        """
        ...

    def unrelated(self, limit: int) -> tuple[Likened, ...]:
        """The newest entries that are signed and wait for links by content."""
        ...

    def sharing_terms(
        self, asked: Sequence[tuple[Sequence[int], datetime]], rows: int
    ) -> tuple[tuple[Sequence[int], ...], ...]:
        """For each list of terms, by term, the newest entries that are found by it, as pks.

        At most so many a term, none published after the hour of the time that is given.
        """
        ...

    def likened(self, pks: Iterable[int]) -> Mapping[int, Likened]:
        """Those of these entries that are live and signed, by pk."""
        ...

    def likenesses(self, pks: Iterable[int]) -> Mapping[int, tuple[Likeness, ...]]:
        """The links by content of these entries, in their order; those without are missing."""
        ...

    def words(self, pks: Iterable[int]) -> Mapping[int, tuple[str, str]]:
        """Of entries the title as it is written, and all words of title and text, folded."""
        ...

    def finish_related(
        self,
        looked: Sequence[Likened],
        relinked: Mapping[int, Relinked],
        now: datetime,
        *,
        gather: bool = False,
    ) -> None:
        """Writes links by content, by pk, and that `looked` wait for them no longer.

        With `gather` they wait for their story from now on.
        Never moves `updated`. Of an entry that changed meanwhile nothing is written: it still
        waits. One whose links are not as they were read waits again. A link to an entry that has
        gone since is left out.
        """
        ...

    def apart(self, limit: int) -> tuple[Likened, ...]:
        """The oldest entries whose links by content are there, and whose story is to be found."""
        ...

    def around(self, pks: Sequence[int]) -> Around:
        """What is linked to entries by content, either way, and the stories of all of these."""
        ...

    def finish_gathered(
        self, looked: Sequence[Likened], changes: Sequence[Regrouping], now: datetime
    ) -> None:
        """Writes stories, and that `looked` wait for theirs no longer.

        Of stories that are not as they were read nothing is written: those entries still wait.
        """
        ...
