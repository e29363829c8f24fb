"""From a scan's changes to a reading: which file is which, and what their entries are called.

Files known before keep their names whoever claims them; of two new files with one id the older
has it, and the other is a problem until one of them changes. What a file no longer holds is
removed, unless another file holds it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Self

from msgspec.structs import replace as with_fields

from ..model import ParsedEntry, Problem
from .base import Reading
from .documents.base import Contents
from .documents.dates import name_date
from .intake import Taken, spoilt, take
from .ledger import Ledger, Record, bounded, origins, returned
from .listing import FileStat
from .naming import canonical, entry_uids, file_title

_MAX_PROBLEMS = 500
# few parts make many deaths until the document is found that causes them, many parts many readings
_PARTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a scan found to do: files to read, names that are gone, what could not be looked at.

    `inodes`: the directory is on the same file system as before, so that its inodes mean something.
    `certain`: what is gone is removed unless it is among the files under another name; else it may
    still come back, or be among files that are read later. `missed` is what the ledger notes.
    `spoilt` is a file that is not read since a process died or hung on it, and the error then.
    """

    identity: str
    files: tuple[FileStat, ...]
    gone: tuple[str, ...]
    problems: tuple[Problem, ...]
    inodes: bool
    certain: bool = True
    missed: int = 0
    spoilt: tuple[FileStat, str] | None = None

    @property
    def bytes(self) -> int:
        """The size of the files to read."""
        return sum(file.size for file in self.files)

    def parts(self, error: str) -> tuple[Self, ...]:
        """The same in smaller parts, down to one file, which is reported instead of read."""
        if not self.files:
            return ()
        if len(self.files) == 1:
            return (replace(self, files=(), spoilt=(self.files[0], error)),)
        size = -(-len(self.files) // _PARTS)
        parts = [self.files[at : at + size] for at in range(0, len(self.files), size)]
        return (
            *(replace(self, files=part, certain=False) for part in parts[:-1]),
            replace(self, files=parts[-1]),
        )


@dataclass(slots=True)
class _Names:
    """Which file has which uid, which id of its own, and which title."""

    owners: dict[str, tuple[str, bool]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    titles: set[str] = field(default_factory=set)

    def add(self, name: str, record: Record) -> None:
        self.owners.update(dict.fromkeys(record.names(name), (name, record.many)))
        self.titles.add(record.title or name)
        if record.id:
            self.ids[record.id] = name

    def __contains__(self, title: object) -> bool:
        return title in self.titles or title in self.owners

    def owner(self, uid: str, id: str | None, name: str) -> str | None:
        """The other file that already has this uid or this id of its own."""
        found = (self.owners.get(uid, (name, False))[0], self.ids.get(id or "", name))
        return next((other for other in found if other != name), None)

    def single(self, uid: str, name: str) -> str | None:
        """The other document that is this one entry."""
        owner, many = self.owners.get(uid, (name, False))
        return None if many or owner == name else owner


class Reckoning:
    """One parse: reads the files, finds out which is which, and names their entries."""

    def __init__(self, ledger: Ledger, changes: Changes) -> None:
        self._old = ledger.files
        self._removed = dict(ledger.removed)
        self._changes = changes
        self._gone = {name for name in changes.gone if name in self._old}
        self._records = {n: r for n, r in self._old.items() if n not in self._gone}
        self._names = _Names()
        self._entries: dict[str, ParsedEntry] = {}
        self._left: set[str] = set()
        self._was: dict[str, str] = {}
        self._back: dict[str, str] = {}

    def reading(self) -> Reading:
        """Does it all."""
        taken: dict[str, Taken] = {}
        for found in self._taken():
            if found.same:
                self._records[found.name] = with_fields(
                    self._old[found.name],
                    size=found.size,
                    mtime_ns=found.mtime_ns,
                    inode=found.inode,
                    fresh=found.fresh,
                )
            else:
                taken[found.name] = found
                self._records.pop(found.name, None)
        inodes = self._changes.inodes
        self._was = origins(self._old, taken, self._gone, inodes=inodes)
        new = {name: found for name, found in taken.items() if name not in self._was}
        self._back = returned(self._removed, new, inodes=inodes)
        for name in sorted(self._gone - set(self._was.values())):
            if self._changes.certain:
                self._remove(name)
            else:
                self._records[name] = self._old[name]
        # where another file was put in the place of one, that one is gone
        for name in sorted((taken.keys() & self._old.keys()) - set(self._was.values())):
            self._remove(name)
        for name, record in self._records.items():
            self._names.add(name, record)
        for found in sorted(taken.values(), key=self._order):
            self._settle(found)
        return self._result()

    def _taken(self) -> Iterator[Taken]:
        for file in self._changes.files:
            found = take(file, self._old.get(file.name))
            if found is not None:
                yield found
        if self._changes.spoilt:
            yield spoilt(*self._changes.spoilt)

    def _remove(self, name: str) -> None:
        record = self._old[name]
        self._left.update(record.names(name))
        self._removed.pop(name, None)
        self._removed[name] = with_fields(record, errors=(), fresh=False, retry=False, clash=False)

    def _order(self, found: Taken) -> tuple[bool, bool, int, str]:
        """Who is named first: files known before, those that keep their id, older files."""
        was = self._was.get(found.name)
        if was is None:
            return True, found.name not in self._back, found.mtime_ns, found.name
        said = None
        if found.contents and not found.contents.many:
            said = canonical(found.contents.entries[0].uid or "") or None
        return False, said not in {None, self._old[was].id}, found.mtime_ns, found.name

    def _settle(self, found: Taken) -> None:
        """Names a file's entries and records it."""
        was, before = self._before(found.name)
        uids = before.names(was) if before else ()
        title = before and (before.title or was)
        title = title or file_title(found.name, found.digest, self._names)
        record = with_fields(
            found.record(),
            title=title,
            uids=uids,
            id=before.id if before else None,
            marks=before.marks if before else (),
            many=before.many if before else False,
        )
        if found.contents is None:
            self._keep(found.name, record)
        elif found.contents.many:
            self._many(found, found.contents, record)
        else:
            self._one(found, found.contents, record, before)

    def _before(self, name: str) -> tuple[str, Record | None]:
        """The name and record of a file before; of one that came back, unless another took it."""
        if name in self._was:
            return self._was[name], self._old[self._was[name]]
        was = self._back.get(name)
        if was is None:
            return name, None
        record = self._removed.pop(was)
        taken = any(x in self._names for x in (record.title or was, *record.names(was)))
        return was, None if taken else record

    def _one(self, found: Taken, contents: Contents, record: Record, before: Record | None) -> None:
        entry = contents.entries[0]
        id = canonical(entry.uid or "") or None
        uid = id or record.title or found.name
        if (
            before
            and before.many
            and id
            and (weak := canonical(f"{record.title}#{id}")) in (record.uids or ())
        ):
            uid = weak
        known = before is not None and not before.many and len(record.uids or ()) == 1
        if known and before and record.uids and (before.id is None or id in (None, before.id)):
            uid = record.uids[0]
        owner = self._names.owner(uid, id, found.name)
        if owner is not None:
            error = f"has the id {id or uid}, which {owner} has too; give it one of its own"
            self._keep(found.name, with_fields(record, errors=(error,), clash=True))
            return
        self._left.update(record.uids or ())
        self._entries[uid] = self._finished(entry, uid, found)
        self._keep(
            found.name,
            with_fields(
                record,
                uids=(uid,),
                marks=(),
                id=id or record.id,
                many=False,
                errors=contents.problems,
            ),
        )

    def _many(self, found: Taken, contents: Contents, record: Record) -> None:
        problems = list(contents.problems)
        uids: dict[str, str] = {}
        known = dict(zip_longest(record.uids or (), record.marks, fillvalue=""))
        title, entries = record.title or found.name, contents.entries
        named = entry_uids(title, entries, known, unique=contents.unique)
        for (uid, mark), entry in zip(named, entries, strict=True):
            owner = self._names.single(uid, found.name)
            if owner is not None:
                problems.append(f"an entry has the id {uid}, which {owner} has too")
                continue
            if uid in uids and mark != uids[uid]:
                said = f"two entries have the id {entry.uid}; the one modified last is kept"
                problems.append(f"{said}, give each an id of its own")
            if uid not in uids or _later(entry, self._entries[uid]):
                self._entries[uid] = self._finished(entry, uid, found, many=True)
                uids[uid] = mark
        absent = {uid: mark for uid, mark in known.items() if uid not in uids}
        if contents.complete:
            self._left.update(absent)
        else:
            uids |= absent
        self._keep(
            found.name,
            with_fields(
                record,
                uids=tuple(uids),
                marks=tuple(uids.values()),
                id=None,
                many=True,
                errors=tuple(problems),
            ),
        )

    def _keep(self, name: str, record: Record) -> None:
        """Records a file, in as few words as will do."""
        title = None if record.title == name else record.title
        plain = record.uids == (title or name,)
        record = with_fields(record, title=title, uids=None if plain else record.uids)
        self._records[name] = record
        self._names.add(name, record)

    def _finished(
        self, entry: ParsedEntry, uid: str, found: Taken, *, many: bool = False
    ) -> ParsedEntry:
        """An entry with its uid, its folders as tags, and a date if its document has none."""
        folders = PurePosixPath(found.name).parent.parts
        entry = replace(entry, uid=uid, tags=(*entry.tags, *((name, "folder") for name in folders)))
        if many or entry.published:
            return entry
        published = name_date(found.name)
        if published is None and entry.updated is None:
            published = _moment(found.mtime_ns)
        return replace(entry, published=published)

    def _result(self) -> Reading:
        held = {uid for name, record in self._records.items() for uid in record.names(name)}
        problems = [
            *self._changes.problems,
            *(
                Problem(name=name, message=error)
                for name, record in sorted(self._records.items())
                for error in record.errors
            ),
        ]
        more = len(problems) - _MAX_PROBLEMS
        if more > 0:
            problems[_MAX_PROBLEMS:] = [Problem(name="…", message=f"and {more} problems more")]
        ledger = Ledger(
            identity=self._changes.identity,
            files=self._records,
            problems=tuple((p.name, p.message) for p in self._changes.problems),
            missed=self._changes.missed,
            removed=bounded(self._removed),
        )
        return Reading(
            entries=tuple(self._entries.values()),
            removed=tuple(sorted(self._left - held)),
            problems=tuple(problems),
            cursor=ledger.encode(),
        )


def _later(entry: ParsedEntry, twin: ParsedEntry) -> bool:
    """Whether of an entry told twice in one file this is the later version."""
    one, other = entry.updated or entry.published, twin.updated or twin.published
    return one is not None and (other is None or one > other)


def _moment(mtime_ns: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(mtime_ns // 1_000_000_000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
