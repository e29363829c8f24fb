"""Notices that the store's content has changed: what was made of it can be kept till then."""

import time
from collections.abc import Callable
from datetime import timedelta

from ..query.ast import EntryQuery, relative
from ..store.base import Store

# nothing but time ends what is shown of withdrawn entries, to name one
_LONGEST = timedelta(seconds=10)
_MOMENT = timedelta(seconds=0.5)


def lasts(query: EntryQuery) -> timedelta:
    """How long an answer to a query may be given again unless the store changes."""
    return _MOMENT if relative(query.where) else _LONGEST


class Watch:
    """Numbers the states of a store's content, looking at most every `every` seconds.

    The store's own number may stay the same where content was put back (a restored backup, a file
    that was exchanged): whatever it turns into counts as a new generation.
    """

    def __init__(
        self, store: Store, *, every: float = 0.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._every = every
        #: The clock of `due`.
        self.clock = monotonic
        self._change: int | None = None
        self.generation = 0
        #: When it has to be looked again, by the monotonic clock.
        self.due = monotonic()

    def look(self) -> int:
        """The generation of the content now, or a moment ago. Raises what the store raises.

        Whoever asks before reading the store reads that generation or a later one.
        """
        if self.clock() >= self.due:
            try:
                change = self._store.change()
            except BaseException:
                # what is kept may be outdated by the time the store answers again
                self.generation += 1
                raise
            # counted from now: what is committed while we ask waits no longer than all else
            self.due = self.clock() + self._every
            if change != self._change:
                self._change = change
                self.generation += 1
        return self.generation
