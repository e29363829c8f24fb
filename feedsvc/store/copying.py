"""Backups: one SQLite file, whatever the store runs on, so that it can be restored into any."""

import os
import sqlite3
import tempfile
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Table, delete, insert, select, update

from ..errors import SchemaMismatch, StoreError
from .engine import chunks
from .life import Life, known_revisions, newest_revision
from .page_schema import pages
from .schema import entries, meta, metadata, poll_state

_ROWS = 1_000


class Copying(Life):
    """Copies of everything."""

    @abstractmethod
    def _sqlite(self, path: Path) -> "Copying":
        """Opens a store in an SQLite file."""

    def backup(self, path: Path) -> None:
        """Writes a consistent copy while others read and write."""
        self.require_current()
        with new_file(path) as temporary:
            with self._sqlite(temporary).opened() as target:
                target.migrate()
                with self.reading() as source, target.writing() as connection:
                    target.fill(connection, self, source)
            finish_file(temporary)

    def restore(self, path: Path) -> None:
        """Replaces all content by that of a backup, in one transaction.

        Raises `StoreError` for a file that is not a backup, `SchemaMismatch` for a newer one.
        """
        self.require_current()
        if not path.is_file():
            raise StoreError(f"there is no file {path} to restore")
        with tempfile.TemporaryDirectory(prefix="feedsvc-restore-") as folder:
            # an older backup is migrated in a copy: the file itself stays what it is
            mine = Path(folder) / "restore.db"
            _copy_file(path, mine)
            with self._sqlite(mine).opened() as backup:
                backup.require_backup(path)
                backup.migrate()
                with backup.reading() as source, self.writing() as connection:
                    self._lift_limits(connection)
                    self.fill(connection, backup, source)

    @contextmanager
    def opened(self) -> Iterator[Self]:
        """Closes the store in the end."""
        try:
            yield self
        finally:
            self.close()

    def require_backup(self, path: Path) -> None:
        """Raises unless this is feedsvc's, and of a schema that this program knows."""
        with self.reading() as connection:
            revision = self._found_revision(connection)
        if revision is None:
            raise StoreError(f"{path} is not a backup of feedsvc")
        if revision not in known_revisions():
            raise SchemaMismatch(
                f"{path} has schema {revision}, this program knows up to {newest_revision()}: "
                "restore it with the version that made it, or upgrade feedsvc"
            )

    def fill(self, connection: Connection, other: "Copying", source: Connection) -> None:
        """Replaces all content by that of another store; nobody holds a claim afterwards."""
        change = meta.c.key == "change"
        before = connection.scalar(select(meta.c.value).where(change)) or 0
        self._clear_text(connection)
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
        for table in metadata.sorted_tables:
            _copy_rows(connection, table, source)
        for some in chunks(source.scalars(select(entries.c.pk)).all(), _ROWS):
            self._put_text(connection, other._texts(source, some))
        state = poll_state.c
        freed = {"claim_owner": None, "claim_until": None, "claim_epoch": state.claim_epoch + 1}
        connection.execute(update(poll_state).values(freed))
        connection.execute(update(pages).values(owner=None, until=None))
        # whoever remembers the number must see that everything may have changed
        newer = max(before, connection.scalar(select(meta.c.value).where(change)) or 0) + 1
        connection.execute(update(meta).where(change).values(value=newer))
        self._after_copy(connection)


def _copy_rows(connection: Connection, table: Table, source: Connection) -> None:
    ordered = select(table).order_by(*table.primary_key)
    rows = source.execute(ordered, execution_options={"yield_per": _ROWS}).mappings()
    for some in rows.partitions():
        connection.execute(insert(table), [dict(row) for row in some])


def _copy_file(path: Path, target: Path) -> None:
    """Copies an SQLite file, with what another program may have written but not yet merged."""
    try:
        with (
            closing(sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
    except sqlite3.Error as error:
        raise StoreError(f"{path} is not a backup of feedsvc: {error}") from error


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A file that takes its place only when it is complete, replacing one that is there.

    Raises `StoreError` if it cannot be written, or is anything but a file.
    """
    try:
        path = path.resolve()
        if path.exists() and not path.is_file():
            raise StoreError(f"{path} is not a file that could be replaced; name another one")
        number, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    os.close(number)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def finish_file(path: Path) -> None:
    """Makes an SQLite file complete in itself, with no other beside it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
