"""The marks of texts as rows, and who shares them. What marks are, `duplicates` says."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, select

from .engine import chunks, insert_all
from .mark_schema import marked, marks
from .signing import Signing, packed, unpacked

# entries that one mark tells of; what more of them have is a phrase, a header or a footer
SHARERS = 40
# marks that two texts have in common before they are compared
_SHARED = 2
_UNMARK = delete(marks).where(marks.c.mark == bindparam("of"), marks.c.entry_pk == bindparam("in"))

Marks = Sequence[int]


@dataclass(slots=True)
class Marked:
    """Entries whose marks are known, and the entries that have each mark, as far as they matter.

    Of a mark of more than `SHARERS` entries only some are listed, but more than that.
    """

    marks: dict[int, Marks]
    sharers: dict[int, Sequence[int]] = field(default_factory=dict)

    def sharing(self, pk: int) -> list[int]:
        """The other entries that share enough marks with one."""
        found: Counter[int] = Counter()
        for mark in self.marks.get(pk, ()):
            sharers = self.sharers[mark]
            # most are its own alone
            if 1 < len(sharers) <= SHARERS:
                found.update(sharers)
        return [other for other, shared in found.items() if shared >= _SHARED and other != pk]


class Marking(Signing):
    """Which entries may be copies of each other."""

    def put_marks(
        self, connection: Connection, new: Mapping[int, Marks], fresh: Collection[int] = ()
    ) -> tuple[Marked, set[int]]:
        """Writes the marks of entries by pk, none of those that go; the fresh ones had none yet.

        Also returns the entries that share a mark which tells of something now and did not before,
        or no longer does: what is a copy of what may be otherwise among these.
        """
        had = self.read_marks(connection, [pk for pk in new if pk not in fresh])
        moved = [pk for pk in new if had.get(pk, ()) != tuple(new[pk])]
        change: Counter[int] = Counter()
        gone: list[dict[str, int]] = []
        come: list[tuple[int, int]] = []
        for pk in moved:
            before, after = set(had.get(pk, ())), set(new[pk])
            gone += [{"of": mark, "in": pk} for mark in before - after]
            come += [(mark, pk) for mark in after - before]
            change.update(after - before)
            change.subtract(before - after)
        if gone:
            connection.execute(_UNMARK, gone)
        for some in chunks([pk for pk in moved if pk in had], self.tuning.batch):
            connection.execute(delete(marked).where(marked.c.entry_pk.in_(some)))
        rows = [{"entry_pk": pk, "marks": packed(new[pk])} for pk in moved if new[pk]]
        insert_all(connection, marked, rows)
        # in the order of the index, so that its pages fill up
        rows = [{"mark": mark, "entry_pk": pk} for mark, pk in sorted(come)]
        insert_all(connection, marks, rows)
        found = Marked({pk: marks for pk, marks in new.items() if marks})
        most = SHARERS + 1 + max((0, *change.values()))
        self.read_sharers(connection, found, change, most)
        unsettled: set[int] = set()
        for mark, by in change.items():
            sharers = found.sharers[mark]
            if (len(sharers) > SHARERS) != (len(sharers) - by > SHARERS):
                unsettled.update(sharers)
        wanted = (mark for marks in found.marks.values() for mark in marks)
        self.read_sharers(connection, found, wanted)
        return found, unsettled

    def read_marks(self, connection: Connection, pks: Collection[int]) -> dict[int, Marks]:
        """The marks of entries by pk; those without any are missing."""
        wanted = select(marked.c.entry_pk, marked.c.marks)
        return {
            pk: unpacked(found)
            for some in chunks(list(pks), self.tuning.batch)
            for pk, found in connection.execute(wanted.where(marked.c.entry_pk.in_(some)))
        }

    def read_sharers(
        self,
        connection: Connection,
        found: Marked,
        wanted: Iterable[int],
        most: int = SHARERS + 1,
    ) -> None:
        """Looks up which entries have these marks, as far as it is not known yet."""
        missing = [mark for mark in dict.fromkeys(wanted) if mark not in found.sharers]
        found.sharers.update(zip(missing, self._sharers(connection, missing, most), strict=True))
