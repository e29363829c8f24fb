"""Whether an entry that comes under a new id is one we have, and one of a known id another one.

Feeds give posts new ids at every fetch, move them between `http:` and `https:`, `www.` or not, or
give the id of an old post to a new one. Both mistakes cost: told apart wrongly a post comes twice,
put together wrongly one is lost. So nothing is decided by one likeness alone.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from functools import lru_cache
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from ..keys import content_digest, entry_key
from ..model import Entry
from .identity import minted, uid_of

_WORD = re.compile(r"\w+")
ALIKE = 1 / 3
# so much alike under one title, without any date, is an edit
_EDITED = 0.8


class Stored(Protocol):
    """What recognising needs of an entry that is stored."""

    @property
    def uid(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def link(self) -> str | None: ...
    @property
    def published(self) -> datetime: ...
    @property
    def dated(self) -> bool: ...


S = TypeVar("S", bound=Stored)


@dataclass(frozen=True, slots=True)
class Recognised(Generic[S]):
    """Which stored entry each of some unknown uids is, and which uids only repeat another entry."""

    known: Mapping[str, S] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()


def canonical(link: str | None) -> str | None:
    """A link without what sites change of it: scheme, `www.`, a slash at the end."""
    if not link:
        return None
    try:
        parts = urlsplit(link)
    except ValueError:
        return link
    if parts.scheme not in ("http", "https"):
        return link
    host = parts.netloc.lower().removeprefix("www.")
    rest = parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")
    return f"{host}{rest}" + (f"#{parts.fragment}" if parts.fragment else "")


# each of an entry's is asked for several times on its way into the store
@lru_cache(maxsize=4096)
def spellings(link: str | None) -> tuple[str, ...]:
    """The links with this `canonical` form that a site may have used."""
    if not link:
        return ()
    bare = canonical(link)
    if bare is None or bare == link:
        return (link,)
    end = re.search(r"[?#]", bare)
    at = end.start() if end else len(bare)
    names = (bare, f"{bare[:at]}/{bare[at:]}")
    return tuple(f"{s}://{w}{n}" for s in ("https", "http") for w in ("", "www.") for n in names)


def specific(link: str | None) -> bool:
    """Whether a link leads to a page of its own, and not to a site's front page."""
    bare = canonical(link)
    return bare is not None and any(mark in bare for mark in "/?#")


def recognise(
    unknown: Sequence[Entry],
    candidates: Iterable[S],
    *,
    present: Callable[[str], bool],
    flood: bool,
    likeness: Callable[[Entry, S], float],
) -> Recognised[S]:
    """Finds out which entries of unknown uids are stored ones.

    `candidates` are of the same source. One that is `present` in the feed under its own uid is not
    what another entry of the feed is, unless that repeats it word for word at the same address.
    `flood`: much of the feed is unknown, as when all ids change. `likeness` of texts, from 0 to 1,
    is asked last. An entry that is like several stored ones is none of them, unless all is the
    same.
    """

    def same_page_and_text(entry: Entry, one: S) -> bool:
        same = specific(entry.link) and canonical(entry.link) == canonical(one.link)
        return same and not _differ(entry, one) and likeness(entry, one) >= ALIKE

    def same_day_and_text(entry: Entry, one: S) -> bool:
        if _words(entry.title) != _words(one.title) or _differ(entry, one):
            return False
        # without a date to confirm it, nothing less than nearly the same text will do
        return likeness(entry, one) >= (ALIKE if entry.dated and one.dated else _EDITED)

    stored = sorted(candidates, key=lambda one: (one.published, one.uid))
    free = {one.uid: one for one in stored if not present(one.uid)}
    told = {
        content_digest(one.digest) for one in stored if one.uid not in free and specific(one.link)
    }
    known: dict[str, S] = {}
    repeated: set[str] = set()
    left: list[Entry] = []
    for entry in unknown:
        if specific(entry.link) and content_digest(entry.digest) in told:
            repeated.add(entry.uid)
            continue
        told.add(content_digest(entry.digest))
        left.append(entry)

    def same_page_and_words(entry: Entry, one: S) -> bool:
        # a feed whose program was changed: new ids, new dates, the same posts. One post alone may
        # be news that always stands there
        return (
            flood
            and len(left) > 1
            and specific(entry.link)
            and canonical(entry.link) == canonical(one.link)
            and _words(entry.title) == _words(one.title)
            and likeness(entry, one) >= _EDITED
        )

    rules: tuple[Callable[[Entry, S], bool], ...] = (
        _same_text(flood),
        _same_page,
        _same_page_and_moment,
        _same_words_and_moment,
        same_page_and_text,
        same_day_and_text,
        same_page_and_words,
    )
    for alike in rules:
        for entry in [entry for entry in left if entry.uid not in known]:
            likes = [one for one in free.values() if alike(entry, one)]
            if len({content_digest(one.digest) for one in likes}) == 1:
                known[entry.uid] = free.pop(likes[0].uid)
    return Recognised(known, frozenset(repeated))


def _same_text(flood: bool) -> Callable[[Entry, Stored], bool]:
    def alike(entry: Entry, one: Stored) -> bool:
        if content_digest(entry.digest) != content_digest(one.digest):
            return False
        # a text that is published again word for word is news, unless everything is
        return flood or specific(entry.link) or not _differ(entry, one)

    return alike


def _same_page(entry: Entry, one: Stored) -> bool:
    return (
        specific(entry.link)
        and canonical(entry.link) == canonical(one.link)
        and _words(entry.title) == _words(one.title)
        and not _differ(entry, one)
    )


def _same_page_and_moment(entry: Entry, one: Stored) -> bool:
    same = specific(entry.link) and canonical(entry.link) == canonical(one.link)
    return same and same_moment(entry, one)


def _same_words_and_moment(entry: Entry, one: Stored) -> bool:
    return _words(entry.title) == _words(one.title) and same_moment(entry, one)


def same_moment(entry: Entry, one: Stored) -> bool:
    """Whether both say to have been published at one moment; a bare day is that of many."""
    return (
        entry.dated
        and one.dated
        and entry.published == one.published
        and entry.published.time() != time.min
    )


def _differ(entry: Entry, one: Stored) -> bool:
    return entry.dated and one.dated and entry.published != one.published


def another(entry: Entry, one: Stored, likeness: Callable[[], float]) -> bool:
    """Whether an entry can hardly be a new version of the one stored under its id.

    Neither address nor date is the same, and the texts are not alike (`likeness` compares them);
    where one of the two is missing or says nothing, the titles are not alike either.
    """
    links = canonical(entry.link), canonical(one.link)
    if links[0] == links[1] and specific(entry.link):
        return False
    moved = None not in links and links[0] != links[1]
    dates = _differ(entry, one)
    if not (moved or dates) or (entry.dated and one.dated and not dates):
        return False
    if not (moved and dates) and likeness_of(entry.title, one.title) >= ALIKE:
        return False
    return likeness() < ALIKE


def likeness_of(one: str, other: str) -> float:
    """How many of the words of two texts they share (the Jaccard index); 0 where there are none."""
    a, b = _words(one), _words(other)
    return len(a & b) / len(a | b) if a and b else 0.0


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def by_link(entries: Sequence[Entry], authority: str) -> tuple[Entry, ...]:
    """Names entries by their links, for a feed whose ids mean nothing; their ids are minted.

    An entry without a link of its own is named by title and date, without date by its text.
    """
    links = [canonical(entry.link) if specific(entry.link) else None for entry in entries]
    named = []
    for entry, link in zip(entries, links, strict=True):
        if link is not None and links.count(link) == 1:
            uid = uid_of(f"https://{link}")
        else:
            when = entry.published.isoformat() if entry.dated else content_digest(entry.digest)
            said = f"{entry.title}\n{when}"
            uid = "sha256:" + hashlib.sha256(said.encode()).hexdigest()
        id = minted(authority, entry.source_id, uid)
        named.append(replace(entry, uid=uid, id=id, fallback_id=id, key=entry_key(id)))
    return tuple(named)
