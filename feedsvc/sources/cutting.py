"""Cutting the entries that are known already out of a feed, before the parser sees them.

A feed repeats nearly all of itself at every change. What stands for each entry's own bytes is
remembered with the source; bytes that come again are left out, and only the rest is parsed. Works
on bytes alone, is sure of what it cuts or cuts nothing, and knows no more of XML than where an
`item` or `entry` begins and ends.
"""

import re
from base64 import b85decode, b85encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

_VERSION = "1:"
_FRAME, _MARK = 16, 8
_START = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)(?=[\s>])")
_END = re.compile(rb"</(?:[\w.-]+:)?(?:item|entry)\s*>")
_CLOSED = re.compile(rb"</(?:[\w.-]+:)?(?:item|entry)\s*>\s*\Z")
# what changes in a feed's head without meaning anything to an entry that stays as it is
_VOLATILE = re.compile(
    rb"<!--.*?-->|<(lastBuildDate|pubDate|updated|atom:updated|a10:updated|dc:date)\b[^<]*</\1\s*>"
    rb"|<items\b.*?</items\s*>",
    re.DOTALL,
)
_BRACKETS = ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->"), (b"<?", b"?>"))


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a feed's body: its frame, and each entry's mark with the uid's name."""

    frame: bytes
    names: Mapping[bytes, bytes]

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """Reads what `written` wrote; None for anything else."""
        if text is None or not text.startswith(_VERSION):
            return None
        try:
            data = b85decode(text.removeprefix(_VERSION))
        except ValueError:
            return None
        pairs = range(_FRAME, len(data), 2 * _MARK)
        names = {data[at : at + _MARK]: data[at + _MARK : at + 2 * _MARK] for at in pairs}
        return cls(data[:_FRAME], names)

    def written(self) -> str:
        """As text, 20 characters an entry."""
        pairs = b"".join(mark + name for mark, name in self.names.items())
        return _VERSION + b85encode(self.frame + pairs).decode()


@dataclass(frozen=True, slots=True)
class Outline:
    """Of a reading: the marks of its entries, in their order, and the known ones that were cut."""

    frame: bytes
    marks: tuple[bytes, ...]
    cut: Mapping[bytes, bytes]

    def clashes(self, uids: Sequence[str]) -> bool:
        """Whether an entry that was read may have the uid of one that was cut."""
        names = frozenset(self.cut.values())
        return bool(names) and any(name_of(uid) in names for uid in uids)

    def memory(self, uids: Sequence[str]) -> str | None:
        """What to remember when all entries are stored, `uids` being theirs in order.

        None if some of them were left out on the way, so that they will be read again, or if two
        have one uid: which of those stands for it is decided between them.
        """
        names = [*map(name_of, uids), *self.cut.values()]
        if len(uids) != len(self.marks) or len(set(names)) < len(names):
            return None
        return Memory(self.frame, dict(zip([*self.marks, *self.cut], names, strict=True))).written()


@dataclass(frozen=True, slots=True)
class Slices:
    """A feed's bytes, cut at its entries: `head` + every one of `entries` + `tail` is the whole."""

    head: bytes
    entries: tuple[bytes, ...]
    tail: bytes
    marks: tuple[bytes, ...]

    def without(self, marks: Collection[bytes]) -> bytes:
        """The document without the entries that have these marks."""
        pairs = zip(self.marks, self.entries, strict=True)
        return b"".join((self.head, *(p for mark, p in pairs if mark not in marks), self.tail))

    def outline(self, memory: Memory | None, *context: str | None) -> Outline:
        """What there is to read: all, or what a memory of the same frame does not know.

        `context` is what an entry's meaning may depend on outside the document.
        """
        frame = blake2b(repr(context).encode("utf-8", "backslashreplace"), digest_size=_FRAME)
        frame.update(_VOLATILE.sub(b"", self.head))
        frame.update(_VOLATILE.sub(b"", self.tail))
        same = memory is not None and memory.frame == frame.digest()
        known = memory.names if memory is not None and same else {}
        return Outline(
            frame=frame.digest(),
            marks=tuple(mark for mark in self.marks if mark not in known),
            cut={mark: known[mark] for mark in self.marks if mark in known},
        )


def slices(data: bytes, memory: Memory | None = None) -> Slices | None:
    """Cuts a UTF-8 document at its entries; None where it cannot be told for sure where they are.

    Each slice begins at the start of an entry's tag and ends before the next one's. It is sure
    because a slice must end with an end tag outside any CDATA section, comment or instruction: a
    tag that only looks like an entry's then never stands inside one of those. What is remembered
    was looked at when it was new.
    """
    starts = [match.start() for match in _START.finditer(data)]
    if not starts or b"<!ENTITY" in data[: starts[0]]:
        return None
    head = data[: starts[0]]
    pieces = [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]
    end = max((match.end() for match in _END.finditer(pieces[-1])), default=0)
    pieces[-1], tail = pieces[-1][:end], pieces[-1][end:]
    known = memory.names if memory else {}
    # a mark does not depend on the blanks that happen to follow
    marks = [blake2b(piece.rstrip(), digest_size=_MARK).digest() for piece in pieces]
    new = [piece for mark, piece in zip(marks, pieces, strict=True) if mark not in known]
    if _open(head) or not all(map(_closed, new)):
        return None
    return Slices(head, tuple(pieces), tail, tuple(marks))


def _closed(piece: bytes) -> bool:
    """Whether a piece ends as an entry does."""
    return _CLOSED.search(piece, max(len(piece) - 200, 0)) is not None and not _open(piece)


def _open(piece: bytes) -> bool:
    """Whether a piece may end within a CDATA section, a comment or an instruction."""
    return any(piece.rfind(left) > piece.rfind(right) for left, right in _BRACKETS)


def name_of(uid: str) -> bytes:
    """What stands for a uid in memories and outlines."""
    return blake2b(uid.encode("utf-8", "surrogatepass"), digest_size=_MARK).digest()
