"""What entries of documents are called: one uid each, for as long as the file lives.

A document that is one entry is called by the id it gives itself (front matter, Message-ID, JSON
`id`), else by its path when first seen. Entries of a file that holds many are called by their own
ids where these are names in all the world (`https:`, `urn:`, `tag:`), else by the file's name and
their own.
"""

import hashlib
import re
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from ..model import ParsedEntry

_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_WORLDWIDE = re.compile(r"(?:https?://|urn:|tag:)", re.IGNORECASE)
_MAX_UID = 800
_MARK = re.compile(r"#[0-9a-f]{16}\Z")


class Named(NamedTuple):
    """What an entry is called, and the mark by which it is known among others of its id."""

    uid: str
    mark: str


def canonical(uid: str) -> str:
    """A uid as the store keeps it, which is what a removal must name.

    Without blanks around it and characters XML forbids, `http:` as `https:`, at most 800 bytes.
    """
    uid = _FORBIDDEN.sub("", uid).strip()
    if uid[:5].lower() == "http:":
        uid = "https:" + uid[5:]
    raw = uid.encode("utf-8")
    return uid if len(raw) <= _MAX_UID else "sha256:" + hashlib.sha256(raw).hexdigest()


def file_title(path: str, digest: str, taken: Container[str]) -> str:
    """Names a file seen for the first time: its path, or with its digest if that is another's."""
    title = canonical(path)
    if title and title not in taken:
        return title
    number = 1
    while (title := canonical(f"{path}#{digest[:8]}{'' if number == 1 else number}")) in taken:
        number += 1
    return title


def entry_uids(
    title: str,
    entries: Sequence[ParsedEntry],
    known: Mapping[str, str],
    *,
    unique: bool = False,
) -> list[Named]:
    """Names the entries of a file of many; `known` are its uids so far, each with its mark.

    Entries that share an id are told apart by link and title, their mark; those that share these
    too are one. Each keeps the uid it has; of new ones the first is called by the id alone. With
    `unique` an id names one entry, however often it is told.
    """
    wanted = [_uid(title, entry, known) for entry in entries]
    bases = set(wanted)
    families: dict[str, dict[str, str]] = {}
    for uid, mark in known.items():
        families.setdefault(uid if uid in bases else _MARK.sub("", uid), {})[mark] = uid
    marks = [_mark(entry) for entry in entries]
    groups: dict[str, list[str]] = {}
    for base, mark, entry in zip(wanted, marks, entries, strict=True):
        group = groups.setdefault(base, [])
        if mark not in group and not (unique and entry.uid):
            group.append(mark)
    names = {base: _family(base, group, families.get(base, {})) for base, group in groups.items()}
    return [
        Named(names[base].get(mark, base), mark) for base, mark in zip(wanted, marks, strict=True)
    ]


def _family(base: str, marks: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """The uids of entries of one id, by their marks."""
    found = {mark: known[mark] for mark in marks if mark in known}
    left = [mark for mark in marks if mark not in found]
    free = [uid for uid in known.values() if uid not in found.values()]
    if len(left) == 1 and len(free) == 1:
        # one is missing and one is new: an edit
        return found | {left[0]: free[0]}
    for mark in left:
        uid, salt = base, mark
        while uid in found.values():
            uid = canonical(f"{base}#{salt}")
            # an edited one may have the name that belongs to this mark
            salt = _hashed(salt)
        found[mark] = uid
    return found


def _uid(title: str, entry: ParsedEntry, known: Container[str]) -> str:
    said = canonical(entry.uid or "")
    # an id alone is the name only of a document that was this one entry before
    if _WORLDWIDE.match(said) or said in known:
        return said
    link = next((link.href for link in entry.links if link.rel == "alternate"), None)
    return canonical(f"{title}#{said or link or _mark(entry)}")


def _mark(entry: ParsedEntry) -> str:
    link = next((link.href for link in entry.links if link.rel == "alternate"), "")
    said = [text.value if text else "" for text in (entry.title, entry.summary, entry.content)]
    parts = [link, said[0]] if link or said[0] else said
    return _hashed("\n".join(parts))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
