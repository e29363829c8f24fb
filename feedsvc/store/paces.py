"""How often what words find was published, as earlier answers had it.

The first look at a search index then goes about as far back as it takes. Nothing but the way to an
answer depends on it.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from ..query.ast import Node

_MOST, _SECONDS = 5_000, 600.0
# of what was all found before the page was full
EVERYTHING = float("inf")


class Paces:
    """Microseconds from one entry to the next, by query. Thread-safe; forgets after a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[Node, tuple[float, float]] = OrderedDict()

    def get(self, query: Node) -> float | None:
        """The pace of a query, if it is known."""
        pace, at = self._known.get(query, (None, 0.0))
        return pace if self._clock() - at < _SECONDS else None

    def put(self, query: Node, pace: float) -> None:
        """Remembers a pace, and forgets the oldest."""
        self._known.pop(query, None)
        self._known[query] = (pace, self._clock())
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
