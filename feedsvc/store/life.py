"""The schema's life: is it there, is it ours, is it of today, and bringing it up to date."""

from abc import abstractmethod
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Text, column, inspect, select, table

from ..errors import SchemaMismatch
from .engine import Database

# most of the time there is nothing to migrate, and Alembic takes longer to load than to answer
if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "alembic_version"
# Alembic's table may be another program's: a schema is ours if it has this one too
_OURS = "poll_state"
_FOLDER = Path(__file__).parent / "migrations"


class Life(Database):
    """Migrations."""

    def migrate(self) -> str:
        """Brings the schema up to this program's and returns its revision."""
        head = newest_revision()
        with self.reading() as connection:
            if self._revision(connection) == head:
                return head
        self._prepare_file()
        with self.writing() as connection:
            # another process may have been quicker
            before = self._revision(connection)
            if before != head:
                from alembic import command

                self._lift_limits(connection)
                command.upgrade(alembic_config(connection), "head")
                if before is not None:
                    self._catch_up(connection, before, datetime.now(UTC))
        return head

    @abstractmethod
    def _catch_up(self, connection: Connection, before: str, now: datetime) -> None:
        """Finds out what the schema `before` did not keep, from what it kept."""

    def schema_current(self) -> bool:
        """Whether the schema is this program's, without changing it."""
        with self.reading() as connection:
            try:
                return self._revision(connection) == newest_revision()
            except SchemaMismatch:
                return False

    def require_current(self) -> None:
        """Raises `SchemaMismatch` saying what to do unless the schema is this program's."""
        with self.reading() as connection:
            if self._revision(connection) != newest_revision():
                raise self._unmigrated()

    def _revision(self, connection: Connection) -> str | None:
        """The schema's revision, None for an empty database; raises if it is not for us."""
        revision = self._found_revision(connection)
        ours = inspect(connection).has_table(_OURS)
        if not ours and (revision is not None or self._other_tables(connection)):
            raise SchemaMismatch(
                f"{self.name} holds tables of another program and none of feedsvc's: "
                "give feedsvc a database of its own in store.url"
            )
        if ours and revision is None:
            raise SchemaMismatch(
                f"{self.name} has feedsvc's tables and no schema version: restore a backup"
            )
        if revision is not None and revision < min(known_revisions()):
            raise SchemaMismatch(
                f"{self.name} has the schema {revision}, from before the first release: move it "
                "away, and feedsvc polls everything into a new one"
            )
        if revision is not None and revision not in known_revisions():
            raise SchemaMismatch(
                f"{self.name} has the newer schema {revision}, this program knows up to "
                f"{newest_revision()}: upgrade feedsvc, or restore a backup made by this version"
            )
        return revision

    def _found_revision(self, connection: Connection) -> str | None:
        """The revision that the database says it has; None if it says nothing."""
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        found = select(column("version_num", Text)).select_from(table(VERSION_TABLE))
        return str(connection.scalar(found))


def alembic_config(connection: Connection | None = None) -> "Config":
    """Alembic's settings for our migrations, to be run on this connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@cache
def known_revisions() -> frozenset[str]:
    """Every revision that this program knows: its migrations are numbered files."""
    return frozenset(path.name[:4] for path in _FOLDER.glob("versions/[0-9]*.py"))


@cache
def newest_revision() -> str:
    """The revision of `schema`."""
    return max(known_revisions())
