"""How long the database may think about a query before it is told to stop."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from .conditions import Matching
from .statement import Sql, run


class Limit:
    """Runs the statements of one query, all of them together within `Tuning.seconds`.

    Raises `QueryTooCostly` through the backend's errors. What cannot take long, because it asks
    one index for one thing, may run before `start`.
    """

    def __init__(self, connection: Connection, matching: Matching) -> None:
        self._connection = connection
        self._matching = matching

    def start(self) -> None:
        """Counts from now on."""
        self._matching._stop_after(self._connection, self._matching.tuning.seconds)

    def run(self, sql: Sql) -> Sequence[tuple[Any, ...]]:
        """All rows of a statement."""
        return run(self._connection, sql)
