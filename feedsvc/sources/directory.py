"""A directory of documents as a source: what changed since the last scan, and what it says.

A scan compares names, sizes, times and inodes with the ledger and reads nothing that is unchanged;
only a file written less than two seconds before it was read is compared by its digest once more.
Identity follows the file: an edit, a rename and a move to another folder keep an entry's uid, a new
file under a renamed one's old name gets another. A file that cannot be read any more is a problem
and keeps its entries until it is mended or removed. A removed file is withdrawn at once; but where
all files are gone together, or there is another directory in the place of the one that had them (a
disk that is not mounted), only after a minute. What a removed file was called is remembered, for
when it comes back.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace as with_fields

from ..model import PollState, Source, SourceKind
from .base import Fetched, FetchTools, Reading
from .documents import DOCUMENTS
from .intake import EMPTY_WAIT, is_racy
from .ledger import Ledger, Record, decode, digest
from .listing import MAX_BYTES, FileStat, Listing, Vanished, read, readable, scan
from .reckoning import Changes, Reckoning

# what one poll reads; a larger directory takes several
_BATCH_BYTES = 64 * 2**20
_BATCH_FILES = 1000
_GRACE = timedelta(minutes=1)


class DirectoryReader:
    """The source kind `directory`; `location` is a path."""

    kind: SourceKind = "directory"

    async def fetch(self, source: Source, state: PollState, tools: FetchTools) -> Fetched:
        """Scans the directory, in a thread.

        Raises `FetchError` when there is no such directory or it cannot be read; nothing that was
        in it is withdrawn for that.
        """
        return await asyncio.to_thread(_look, source.location, state.cursor, tools.now)

    def parse(self, source: Source, fetched: Fetched) -> Reading:
        """Reads what changed; a document that cannot be read is a problem of the reading."""
        return Reckoning(decode(fetched.cursor), fetched.payload).reading()


def _look(location: str, cursor: str | None, now: datetime) -> Fetched:
    ledger = decode(cursor)
    listing = scan(location, DOCUMENTS)
    other = bool(ledger.identity) and listing.identity != ledger.identity
    gone = tuple(n for n in ledger.files if n not in listing.files and listing.sees(n))
    missed = _missed(ledger, int(now.timestamp())) if _vanished(listing, gone, other) else 0
    waiting = bool(missed) and now.timestamp() - missed < _GRACE.total_seconds()
    changed, calm = _changed(ledger, listing)
    batch = _batch(changed)
    more = len(batch) < len(changed)
    certain = not waiting and not more
    if not more and (changed or (gone and certain)):
        # an id that two files had may be free by now
        reread = {file.name for file in changed}
        clashing = (n for n, record in ledger.files.items() if record.clash and n not in reread)
        batch += [listing.files[n] for n in clashing if n in listing.files]
    problems = tuple(listing.problems)
    said = tuple((problem.name, problem.message) for problem in problems)
    settled = with_fields(
        ledger,
        identity=ledger.identity if waiting else listing.identity,
        files=ledger.files | calm if calm else ledger.files,
        missed=missed if waiting else 0,
    )
    if not batch and not (gone and certain) and said == ledger.problems:
        news = calm or not cursor or _notes(settled) != _notes(ledger)
        return Fetched(unchanged=True, cursor=settled.encode() if news else None)
    changes = Changes(
        identity=settled.identity,
        files=tuple(batch),
        gone=gone,
        problems=problems,
        inodes=not other,
        certain=certain,
        missed=settled.missed,
    )
    return Fetched(
        payload=changes,
        cursor=settled.encode() if calm else cursor,
        bytes=changes.bytes,
        more=more,
    )


def _vanished(listing: Listing, gone: Sequence[str], other: bool) -> bool:
    """Whether files are gone as they are when a disk is: from another directory, or all at once.

    A single file from the directory it was in is one that somebody removed.
    """
    return bool(gone) and (other or (not listing.files and len(gone) > 1))


def _missed(ledger: Ledger, now: int) -> int:
    """Since when files have been missing that may come back; a clock set back starts anew."""
    return ledger.missed if 0 < ledger.missed <= now else now


def _notes(ledger: Ledger) -> tuple[str, int]:
    return ledger.identity, ledger.missed


def _changed(ledger: Ledger, listing: Listing) -> tuple[list[FileStat], dict[str, Record]]:
    """The files to read, in their order, and the records of those found to be as they were."""
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

    def turn(file: FileStat) -> tuple[bool, bool, int, str]:
        # what never settles must not keep others waiting; then as `Reckoning` names them
        record = ledger.files.get(file.name)
        return record is not None and record.size < 0, record is None, file.mtime_ns, file.name

    return sorted(changed, key=turn), calm


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
    """The files to read now: the first up to a bound on their number and size, at least one."""
    total = 0
    for number, file in enumerate(files[:_BATCH_FILES]):
        total += file.size if file.size <= MAX_BYTES else 0
        if number and total > _BATCH_BYTES:
            return files[:number]
    return files[:_BATCH_FILES]
