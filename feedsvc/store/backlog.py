"""Entries of a store of an earlier version: their texts get marks, and they their copies.

They wait in the outbox, where a migration has put them.
"""

from datetime import datetime

from sqlalchemy import Connection, select

from ..duplicates import marks, own_words
from ..keys import parse_key
from .codec import payload_of
from .engine import chunks
from .grouping import Grouping
from .linking import Linking
from .marking import Marks
from .named import LIVE
from .schema import contents, entries

MARK = "mark"


class Backlog(Linking, Grouping):
    """What is still to be found out of what was there before."""

    def find_copies(self, limit: int, now: datetime) -> int:
        """Finds the copies of so many entries that wait for it, the newest first; how many.

        What is stopped is done again: an entry leaves the outbox with what came of it.
        """
        tasks = self.tasks(MARK, limit, newest=True)
        if not tasks:
            return 0
        keys = [number for task in tasks if (number := parse_key(task.key)) is not None]
        with self.writing(durable=False) as connection:
            touched = self.touch(connection, self._read_marks(connection, keys))
            if self.regroup(connection, (), now, touched):
                self.bump(connection, membership=now)
            self._take_out(connection, MARK, [task.seq for task in tasks])
        return len(tasks)

    def _read_marks(self, connection: Connection, keys: list[int]) -> dict[int, Marks]:
        """The marks of the texts of those of these entries that are live."""
        wanted = select(entries.c.pk, contents.c.payload).join_from(
            entries, contents, contents.c.entry_pk == entries.c.pk
        )
        found: dict[int, Marks] = {}
        for some in chunks(keys, self.tuning.batch):
            for pk, payload in connection.execute(wanted.where(LIVE, entries.c.key.in_(some))):
                said = payload_of(payload)
                found[pk] = marks(own_words(said.summary, said.content))
        return found
