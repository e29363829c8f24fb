"""One file taken in: read, digested and parsed, or why it could not be.

A file that changes while it is read, or was written just before, is marked so that the next scan
looks at it again. Nothing here knows other files.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from ..errors import ParseError
from .documents import DOCUMENTS
from .documents.base import Contents, Document
from .ledger import Record, digest, sketch
from .listing import MAX_BYTES, FileStat, Vanished, read, reason

EMPTY_WAIT = 5_000_000_000
_RACY = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A file as it was read just now, with its contents or why there are none."""

    name: str
    size: int
    mtime_ns: int
    inode: int
    digest: str = ""
    sketch: str = ""
    fresh: bool = False
    contents: Contents | None = None
    error: str | None = None
    retry: bool = False
    same: bool = False

    def record(self) -> Record:
        """What is remembered of it, but for names."""
        return Record(
            size=self.size,
            mtime_ns=self.mtime_ns,
            inode=self.inode,
            digest=self.digest,
            sketch=self.sketch,
            fresh=self.fresh,
            retry=self.retry,
            errors=(self.error,) if self.error else (),
        )


def take(file: FileStat, record: Record | None) -> Taken | None:
    """Reads one file; None if it has vanished since the scan."""
    found = Taken(name=file.name, size=file.size, mtime_ns=file.mtime_ns, inode=file.inode)
    too_large = f"is larger than {MAX_BYTES // 2**20} MiB; split it, or move it elsewhere"
    if file.size > MAX_BYTES:
        return replace(found, error=too_large)
    try:
        body = read(file)
    except Vanished:
        return None
    except OSError as error:
        return replace(found, error=f"cannot be read: {reason(error)}", retry=True)
    found = replace(
        found,
        # a size that no file has makes the next scan read it again
        size=body.stat.size if body.settled else -1,
        mtime_ns=body.stat.mtime_ns,
        fresh=is_racy(body.stat.mtime_ns),
    )
    if len(body.content) > MAX_BYTES:
        return replace(found, error=too_large)
    found = replace(found, digest=digest(body.content))
    if not body.content:
        waited = time.time_ns() - found.mtime_ns > EMPTY_WAIT
        return replace(found, error="is empty; write it or remove it" if waited else None)
    if record and record.digest == found.digest and not record.clash:
        return replace(found, same=True)
    try:
        contents = _read_document(file.name, body.content)
    except ParseError as error:
        where = f" (line {error.line})" if error.line and "line" not in str(error) else ""
        return replace(found, error=f"{error}{where}")
    return replace(found, contents=contents, sketch=sketch(_texts(contents)))


def spoilt(file: FileStat, error: str) -> Taken:
    """A file that nobody reads again until it changes, since `error` ended the process that did."""
    return Taken(
        name=file.name,
        size=file.size,
        mtime_ns=file.mtime_ns,
        inode=file.inode,
        error=f"{error}; it is left alone until it changes",
    )


def _read_document(name: str, content: bytes) -> Contents:
    reader = DOCUMENTS[PurePosixPath(name).suffix.lower()]
    try:
        return reader(Document(path=name, body=content))
    except ParseError:
        raise
    except MemoryError as error:
        raise ParseError("needs more memory than a parser may take") from error
    except Exception as error:
        # a fault in a library must cost this document and not the whole directory
        said = f"{type(error).__name__}: {error}"
        raise ParseError(f"the parser stumbled over it: {said[:200]}") from error


def _texts(contents: Contents) -> Iterator[str]:
    """What is compared to tell a renamed and edited document: its text, or its entries' titles."""
    for entry in contents.entries[:100]:
        texts = (entry.title,) if contents.many else (entry.title, entry.summary, entry.content)
        yield from (text.value for text in texts if text)


def is_racy(mtime_ns: int) -> bool:
    """Whether a file was written so recently that its next change may not show in its stat."""
    return abs(time.time_ns() - mtime_ns) < _RACY
