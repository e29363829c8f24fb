"""A directory of documents as a source: what changed since the last scan, and what it says.

A scan compares names, sizes, times and inodes with the ledger and reads nothing that is unchanged;
only a file written less than two seconds before it was read is compared by its digest once more.
Identity follows the file: an edit, a rename and a move to another folder keep an entry's uid, a new
file under a renamed one's old name gets another. A file that cannot be read any more is a problem
and keeps its entries until it is mended or removed. Should the whole directory be empty and not be
the one it was (its mount is missing), entries are withdrawn only when the next scan sees the same.
"""

import asyncio
import time

from msgspec.structs import replace as with_fields

from ..model import PollState, Source, SourceKind
from .base import Fetched, FetchTools, Reading
from .documents import DOCUMENTS
from .intake import EMPTY_WAIT, is_racy
from .ledger import Record, decode, digest
from .listing import MAX_BYTES, FileStat, Vanished, read, readable, scan
from .reckoning import Changes, Reckoning

# what one poll reads; a larger directory takes several
_BATCH_BYTES = 64 * 2**20


class DirectoryReader:
    """The source kind `directory`; `location` is a path."""

    kind: SourceKind = "directory"

    async def fetch(self, source: Source, state: PollState, tools: FetchTools) -> Fetched:
        """Scans the directory, in a thread.

        Raises `FetchError` when there is no such directory or it cannot be read; nothing that was
        in it is withdrawn for that.
        """
        return await asyncio.to_thread(_look, source.location, state.cursor)

    def parse(self, source: Source, fetched: Fetched) -> Reading:
        """Reads what changed; a document that cannot be read is a problem of the reading."""
        return Reckoning(decode(fetched.cursor), fetched.payload).reading()


def _look(location: str, cursor: str | None) -> Fetched:
    ledger = decode(cursor)
    listing = scan(location, DOCUMENTS)
    other = bool(ledger.identity) and listing.identity != ledger.identity
    gone = [n for n in ledger.files if n not in listing.files and listing.sees(n)]
    if gone and other and not ledger.missed and not listing.files and not listing.blind:
        return Fetched(unchanged=True, cursor=with_fields(ledger, missed=True).encode())
    changed: list[FileStat] = []
    calm: dict[str, Record] = {}
    now = time.time_ns()
    for name, file in listing.files.items():
        record = ledger.files.get(name)
        if record is None or _differs(record, file, now):
            changed.append(file)
        elif record.fresh:
            if _digest(file) == record.digest:
                calm[name] = with_fields(record, fresh=is_racy(file.mtime_ns))
            else:
                changed.append(file)
    if changed or gone:
        # an id that two files had may be free by now
        reread = {file.name for file in changed}
        clashing = (n for n, record in ledger.files.items() if record.clash and n not in reread)
        changed += [listing.files[n] for n in clashing if n in listing.files]
    problems = tuple(listing.problems)
    said = tuple((problem.name, problem.message) for problem in problems)
    if calm:
        ledger = with_fields(ledger, files=ledger.files | calm)
    if not changed and not gone and said == ledger.problems:
        if calm or other or ledger.missed or not cursor:
            settled = with_fields(ledger, identity=listing.identity, missed=False)
            return Fetched(unchanged=True, cursor=settled.encode())
        return Fetched(unchanged=True, cursor=cursor)
    batch = _batch(changed)
    return Fetched(
        payload=Changes(
            identity=listing.identity,
            files=tuple(batch),
            # a file that seems gone may be among those not read yet, under another name
            gone=tuple(gone) if len(batch) == len(changed) else (),
            problems=problems,
            inodes=not other,
        ),
        cursor=ledger.encode() if calm else cursor,
        bytes=sum(file.size for file in batch),
    )


def _differs(record: Record, file: FileStat, now: int) -> bool:
    """Whether a file must be read again, as far as its stat says."""
    if (record.size, record.mtime_ns, record.inode) != (file.size, file.mtime_ns, file.inode):
        return True
    if record.retry:
        return readable(file)
    return not file.size and not record.errors and now - file.mtime_ns > EMPTY_WAIT


def _digest(file: FileStat) -> str | None:
    try:
        return digest(read(file).content)
    except (Vanished, OSError):
        return None


def _batch(files: list[FileStat]) -> list[FileStat]:
    """The files to read now: all, or the first up to a bound on their size, at least one."""
    total = 0
    for number, file in enumerate(files):
        total += file.size if file.size <= MAX_BYTES else 0
        if number and total > _BATCH_BYTES:
            return files[:number]
    return files
