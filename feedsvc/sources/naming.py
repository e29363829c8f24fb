"""What entries of documents are called: one uid each, for as long as the file lives.

A document that is one entry is called by the id it gives itself (front matter, Message-ID, JSON
`id`), else by its path when first seen. Entries of a file that holds many are called by their own
ids where these are names in all the world (`https:`, `urn:`, `tag:`), else by the file's name and
their own.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Container, Sequence

from ..model import ParsedEntry

_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_WORLDWIDE = re.compile(r"(?:https?://|urn:|tag:)", re.IGNORECASE)
_MAX_UID = 800


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


def entry_uids(title: str, entries: Sequence[ParsedEntry]) -> list[str]:
    """Names the entries of a file of many.

    Entries that share an id are told apart by link and title; those that share these too are one.
    """
    found = [_uid(title, entry) for entry in entries]
    times = Counter(found)
    return [
        canonical(f"{uid}#{_mark(entry)}") if times[uid] > 1 else uid
        for uid, entry in zip(found, entries, strict=True)
    ]


def _uid(title: str, entry: ParsedEntry) -> str:
    said = canonical(entry.uid or "")
    if _WORLDWIDE.match(said):
        return said
    link = next((link.href for link in entry.links if link.rel == "alternate"), None)
    return canonical(f"{title}#{said or link or _mark(entry)}")


def _mark(entry: ParsedEntry) -> str:
    link = next((link.href for link in entry.links if link.rel == "alternate"), "")
    said = [text.value if text else "" for text in (entry.title, entry.summary, entry.content)]
    parts = [link, said[0]] if link or said[0] else said
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:16]
