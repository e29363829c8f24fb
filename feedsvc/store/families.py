"""Entries as they are compared: which of them are one article, two by two."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import groupby

from ..duplicates import Copy, alike, joined, own_words, site_of
from ..query.text import plain
from .codec import payload_of

# what was published farther apart is a copy only at the same page
APART = timedelta(days=3) // timedelta(microseconds=1)

Pair = tuple[int, int]


@dataclass(frozen=True)
class _OwnText(Copy):
    """What an entry says by itself; its text is read only when it comes to that."""

    payload: str = ""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the text, folded, as far as they are compared."""
        said = payload_of(self.payload)
        return self.compared(own_words(said.summary, said.content))


@dataclass(frozen=True, kw_only=True)
class Member:
    """A live entry that may have copies."""

    pk: int
    key: int
    source_pk: int
    page_hash: int | None
    published: int
    title: str
    link: str | None
    payload: str

    @cached_property
    def at_page(self) -> Copy:
        """As it is compared with others that lead to its page."""
        said = payload_of(self.payload)
        return Copy(self.source_pk, self.title, f"{plain(said.summary)}\n{plain(said.content)}")

    @cached_property
    def elsewhere(self) -> Copy:
        """As it is compared with others at other addresses."""
        return _OwnText(self.source_pk, self.title, "", site_of(self.link), self.payload)


def may_be_copies(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two entries, told by source and date of publication, may be one article."""
    return one[0] != other[0] and abs(one[1] - other[1]) <= APART


def by_text(pairs: Iterable[tuple[Member, Member]]) -> Iterator[Pair]:
    """Those of these that are one article by their texts."""
    return ((one.pk, other.pk) for one, other in pairs if alike(one.elsewhere, other.elsewhere))


def by_page(members: Iterable[Member]) -> Iterator[Pair]:
    """Which of these are one article at one page; each page's come together, the first first."""
    for _, at_page in groupby(members, key=lambda each: each.page_hash):
        here = list(at_page)
        for one, other in joined([each.at_page for each in here]):
            yield here[one].pk, here[other].pk
