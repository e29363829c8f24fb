"""Who an entry is: the name its source calls it by, its Atom id, and what to do with namesakes.

An id that upstream gave is kept byte for byte where it is an IRI; where it is not, one is minted
from the source and the upstream name alone (RFC 4151), so that it comes out the same on every
machine, after every restart, and whatever becomes of link and title.
"""

import hashlib
import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, time
from typing import Protocol, TypeVar
from urllib.parse import quote, urlsplit

from ..keys import content_digest, entry_key
from ..model import Entry, ParsedEntry
from .text import legal

_MAX_UID = 800  # fits the index entries of every database
_MAX_MINTED = 400
_MAX_ID = 800
_IRI = re.compile(
    r"""([A-Za-z][A-Za-z0-9+.-]+):"""
    r"""(?:[^\s\x00-\x20<>"{}|\\^`\x7f-\xa0%\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]++"""
    r"""|%[0-9A-Fa-f]{2})+\Z"""
)
_NOT_NAMES = frozenset({"javascript", "vbscript", "data", "file", "about", "blob"})
_PCHAR = "/?:@!$&'()*+,;=-._~"  # RFC 3986 §3.3, what RFC 4151 allows in `specific`


def uid_of(text: str) -> str:
    """The name an entry is remembered by, from its upstream id: at most 800 bytes.

    `http:` and `https:` name the same entry, since sites move from one to the other.
    """
    uid = legal(text).strip()
    if uid[:5].lower() == "http:":
        uid = "https:" + uid[5:]
    raw = uid.encode("utf-8")
    return uid if len(raw) <= _MAX_UID else "sha256:" + hashlib.sha256(raw).hexdigest()


def entry_uid(parsed: ParsedEntry, link: str | None, content: str) -> str:
    """Names an entry: its upstream id, else its `link`, else a digest of title and `content`."""
    upstream = uid_of(parsed.uid or "")
    if upstream:
        return upstream
    if link:
        return uid_of(link)
    return "sha256:" + hashlib.sha256(content.encode("utf-8")).hexdigest()


def sound_id(text: str | None) -> bool:
    """Whether an upstream id can stand as an Atom id: an absolute IRI (RFC 4287 §4.2.6).

    A web address needs a host, a tag URI its authority and date.
    """
    if not text or len(text) > _MAX_ID:
        return False
    match = _IRI.match(text)
    if not match:
        return False
    scheme = match[1].lower()
    if scheme in _NOT_NAMES:
        return False
    if scheme in {"http", "https"}:
        try:
            return bool(urlsplit(text).hostname)
        except ValueError:
            return False
    return scheme != "tag" or bool(_TAG_URI.match(text))


_TAG_URI = re.compile(r"tag:[^,\s:/]+,\d{4}(?:-\d\d){0,2}:", re.IGNORECASE)


def minted(authority: str, source_id: str, uid: str) -> str:
    """Mints a tag URI for an entry of a source: `tag:localhost,2026:seeds/a.txt` (RFC 4151)."""
    specific = quote(uid, safe=_PCHAR)
    if len(specific) > _MAX_MINTED:
        specific = "sha256:" + hashlib.sha256(uid.encode("utf-8")).hexdigest()
    return f"tag:{authority}:{quote(source_id, safe=_PCHAR)}/{specific}"


class Published(Protocol):
    """What telling namesakes apart needs of an entry that is published already."""

    @property
    def digest(self) -> str: ...
    @property
    def published(self) -> datetime: ...
    @property
    def dated(self) -> bool: ...


P = TypeVar("P", bound=Published)


def distinct(
    entries: Iterable[Entry],
    known: Callable[[Iterable[str]], Mapping[str, P]],
    *,
    authority: str,
    other: Callable[[Entry, P], bool] = lambda entry, published: False,
) -> tuple[tuple[Entry, ...], Mapping[str, P]]:
    """Leaves each entry of one reading once, under a uid that no other has; with what is known.

    Entries of one uid that share link and title are one entry told several times, and so are those
    of one link and moment that were updated at different ones: the one updated last stays, else the
    first (RFC 4287 §4.1.1). Others are different entries whose publisher repeats an id. The one
    published under the id keeps it, known by its content or date; the others are named by link and
    title as well. Of entries never seen before the first is called by the id. `known` looks up what
    is published of some uids; `other` says
    whether an entry that alone comes under a known id is another one than is published under it.
    """
    families: dict[str, dict[str, Entry]] = {}
    versions: dict[tuple[str, str | None, datetime], str] = {}
    for entry in entries:
        namesakes = families.setdefault(entry.uid, {})
        name = hashlib.sha256(f"{entry.link}\n{entry.title}".encode()).hexdigest()[:16]
        longer = uid_of(f"{entry.uid}#{name}")
        if entry.dated and entry.published.time() != time.min:
            first = versions.setdefault((entry.uid, entry.link, entry.published), longer)
            if first in namesakes and namesakes[first].updated != entry.updated:
                longer = first
        same = namesakes.get(longer)
        if same is None or entry.updated > same.updated:
            namesakes[longer] = entry
    found = dict(known(families))
    doubtful = [
        family
        for uid, family in families.items()
        if len(family) > 1
        or (uid in found and not any(_same(entry, found[uid]) for entry in family.values()))
    ]
    longer_uids = [longer for family in doubtful for longer in family]
    if longer_uids:
        found |= known(longer_uids)
    named: list[Entry] = []
    for uid, family in families.items():
        bare = _owner(family, found.get(uid), found, other)
        for longer, entry in family.items():
            named.append(entry if longer == bare else _renamed(entry, longer, authority))
    return tuple(named), found


def _same(entry: Entry, published: Published) -> bool:
    return content_digest(entry.digest) == content_digest(published.digest)


def _owner(
    family: Mapping[str, Entry],
    published: P | None,
    known: Container[str],
    other: Callable[[Entry, P], bool],
) -> str | None:
    """Which of the entries of one uid is called by it, if any is."""
    free = [longer for longer in family if longer not in known]
    if not free or published is None:
        return next(iter(free), None)
    for longer in free:
        if _same(family[longer], published):
            return longer
    # a bare day is that of many
    if published.dated and published.published.time() != time.min:
        for longer in free:
            if family[longer].dated and family[longer].published == published.published:
                return longer
    # alone it is an edit; among others a new one, and the one published is no longer in the feed
    return free[0] if len(family) == 1 and not other(family[free[0]], published) else None


def _renamed(entry: Entry, uid: str, authority: str) -> Entry:
    id = minted(authority, entry.source_id, uid)
    return replace(entry, uid=uid, id=id, fallback_id=id, key=entry_key(id))
