"""What a directory source remembers from scan to scan: its cursor, and who was who before.

A record is kept of every file by name: its stat and digest, by which an unchanged file is known
without being read, and the uids of its entries, which stay with the file when it is renamed. A
renamed file is known by its inode, and by a digest equal to that of a file that is gone. An inode
alone is no proof, since file systems give that of a removed file to the next new one at once: with
other content it counts only where the text is still much the same.
"""

import base64
import hashlib
import re
import zlib
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Protocol

import msgspec

_VERSION = 1
_WORD = re.compile(r"[^\W\d_]+")
_MARKUP = re.compile(r"<[^<>]*>")
_SKETCH = 8
_SKETCHED_WORDS = 120
_ALIKE = 0.3
_MOST_REMOVED = 10_000


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file as it was last seen.

    `title` names the file in uids if that is not its path; `id` is the id its document gives
    itself; `uids` are its entries', or None when its only entry is called like the file; `many`
    tells a file of entries, whose `marks` tell entries of one id apart, in the order of `uids`.
    `fresh`: it was written so shortly before it was read that its stat may not tell the next
    change. `sketch` is for `alike`. `errors` are what was wrong with it, `retry` says that it could
    not be opened, `clash` that another file has its id.
    """

    size: int = msgspec.field(name="s")
    mtime_ns: int = msgspec.field(name="t")
    inode: int = msgspec.field(name="i")
    digest: str = msgspec.field(name="d", default="")
    title: str | None = msgspec.field(name="n", default=None)
    id: str | None = msgspec.field(name="x", default=None)
    uids: tuple[str, ...] | None = msgspec.field(name="u", default=None)
    fresh: bool = msgspec.field(name="f", default=False)
    sketch: str = msgspec.field(name="k", default="")
    errors: tuple[str, ...] = msgspec.field(name="e", default=())
    marks: tuple[str, ...] = msgspec.field(name="h", default=())
    many: bool = msgspec.field(name="m", default=False)
    retry: bool = msgspec.field(name="r", default=False)
    clash: bool = msgspec.field(name="c", default=False)

    @property
    def plain(self) -> bool:
        """Whether it is one entry that is called like the file."""
        return self.title is None and self.uids is None

    def names(self, path: str) -> tuple[str, ...]:
        """The uids of its entries."""
        return (self.title or path,) if self.uids is None else self.uids


class Ledger(msgspec.Struct, frozen=True, omit_defaults=True):
    """All records of a directory, its identity, and the problems of its last scan.

    `removed` are the records of files that were removed lately, the latest last. `missed` is when
    the directory was first seen emptied, or another one in its place (Unix time), else 0.
    """

    version: int = msgspec.field(name="v", default=0)
    identity: str = msgspec.field(name="r", default="")
    files: dict[str, Record] = msgspec.field(name="f", default_factory=dict)
    problems: tuple[tuple[str, str], ...] = msgspec.field(name="p", default=())
    missed: int = msgspec.field(name="m", default=0)
    removed: dict[str, Record] = msgspec.field(name="g", default_factory=dict)

    def encode(self) -> str:
        """Writes the cursor, compact JSON."""
        return msgspec.json.encode(msgspec.structs.replace(self, version=_VERSION)).decode()


def bounded(removed: dict[str, Record]) -> dict[str, Record]:
    """The records of removed files that are kept, at most 10,000.

    Those of files called after their path are given up first, since these come back as themselves.
    """
    spare = len(removed) - _MOST_REMOVED
    if spare <= 0:
        return removed
    plain = [name for name, record in removed.items() if record.plain]
    others = [name for name, record in removed.items() if not record.plain]
    dropped = set((plain + others)[:spare])
    return {name: record for name, record in removed.items() if name not in dropped}


def decode(cursor: str | None) -> Ledger:
    """Reads a cursor; one of another version, or none, is an empty ledger: all files are new."""
    if not cursor:
        return Ledger()
    try:
        ledger = msgspec.json.decode(cursor, type=Ledger)
    except msgspec.DecodeError:
        return Ledger()
    return ledger if ledger.version == _VERSION else Ledger()


class Seen(Protocol):
    """What telling a renamed file needs of one just read."""

    @property
    def size(self) -> int: ...
    @property
    def mtime_ns(self) -> int: ...
    @property
    def inode(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def sketch(self) -> str: ...


def origins(
    old: Mapping[str, Record],
    seen: Mapping[str, Seen],
    gone: Collection[str],
    *,
    inodes: bool,
) -> dict[str, str]:
    """Which file of before each file just read is: its name now → its name then.

    `gone` are the names no longer there; with `inodes` False (another file system) inodes say
    nothing. Files not in the answer are new; names of `gone` not in its values are removed.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    lost = {old[name].digest for name in gone if old[name].size}
    if inodes:
        moved = [n for n in sorted(seen) if n not in old or old[n].inode != seen[n].inode]
        # a renamed file may have left its old name to a new one
        left = {old[n].inode: n for n in (*(n for n in moved if n in old), *sorted(gone))}
        for name in moved:
            was = left.get(seen[name].inode)
            # an inode may be used again, and what is on it now may be a copy of another file
            copy = seen[name].digest in lost and was and old[was].digest != seen[name].digest
            if was is None or was in taken or copy:
                continue
            # programs that save a file by replacing it give it the inode of the one before
            own = name in old and _same(old[name], seen[name])
            if (_unchanged if own else _same)(old[was], seen[name]):
                found[name] = was
                taken.add(was)
    for name in seen:
        if name not in found and name in old and name not in taken:
            found[name] = name
            taken.add(name)
    by_digest: dict[str, list[str]] = {}
    for name in sorted(set(gone) - taken):
        if old[name].size:
            by_digest.setdefault(old[name].digest, []).append(name)
    for name in sorted(set(seen) - set(found)):
        candidates = by_digest.get(seen[name].digest) if seen[name].digest else None
        if candidates:
            # of several copies the one that kept its own name
            same = [n for n in candidates if PurePosixPath(n).name == PurePosixPath(name).name]
            found[name] = (same or candidates)[0]
            candidates.remove(found[name])
    return found


def returned(
    removed: Mapping[str, Record], new: Mapping[str, Seen], *, inodes: bool
) -> dict[str, str]:
    """Which removed file each new one is, come back: its name now → its name then."""
    found = origins(removed, new, removed.keys(), inodes=inodes)
    return {
        name: was
        for name, was in found.items()
        # a name alone is no proof where it is not what the entry is called by
        if name != was or removed[was].plain or _same(removed[was], new[name])
    }


def _same(record: Record, seen: Seen) -> bool:
    """Whether two files of one inode are the same file, and not two of which one is gone."""
    return _unchanged(record, seen) or alike(record.sketch, seen.sketch)


def _unchanged(record: Record, seen: Seen) -> bool:
    if record.digest and record.digest == seen.digest:
        return True
    return (record.size, record.mtime_ns) == (seen.size, seen.mtime_ns)


def digest(content: bytes) -> str:
    """Names a content: 96 bits in 16 characters."""
    raw = hashlib.blake2b(content, digest_size=12).digest()
    return base64.urlsafe_b64encode(raw).decode("ascii")


def sketch(texts: Iterable[str]) -> str:
    """A min-hash sketch of the pairs of words in a text: 8 times 24 bits in 32 characters."""
    words: list[str] = []
    for text in texts:
        words += _WORD.findall(_MARKUP.sub(" ", text[:4000]).lower())[:_SKETCHED_WORDS]
    pairs = {f"{a} {b}" for a, b in pairwise(words)} or set(words)
    hashes = sorted({zlib.crc32(pair.encode("utf-8", "replace")) >> 8 for pair in pairs})
    return base64.urlsafe_b64encode(b"".join(h.to_bytes(3) for h in hashes[:_SKETCH])).decode()


def alike(one: str, other: str) -> bool:
    """Whether two sketches are of much the same text (estimated Jaccard index of 0.3 and more)."""
    a, b = _marks(one), _marks(other)
    union = sorted(a | b)[:_SKETCH]
    return bool(union) and len(a & b & set(union)) >= _ALIKE * len(union)


def _marks(sketch: str) -> set[bytes]:
    raw = base64.urlsafe_b64decode(sketch)
    return {raw[at : at + 3] for at in range(0, len(raw), 3)}
