"""Opens the store that a URL names. What a store can do is said in `base`."""

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from ..errors import ConfigError, StoreError
from .base import Store
from .history import Kept
from .postgres import PostgresStore
from .sql import SqlStore
from .sqlite import SqliteStore

BACKENDS: dict[str, type[SqliteStore] | type[PostgresStore]] = {
    "sqlite": SqliteStore,
    "postgresql": PostgresStore,
}
_DRIVERS = {"postgresql+psycopg": "postgresql", "postgres": "postgresql"}

__all__ = ["BACKENDS", "Kept", "SqlStore", "Store", "open_store"]


def open_store(
    url: str, *, pool: int = 8, wait: float = 30.0, kept: Kept | None = None
) -> SqlStore:
    """Opens a store without connecting to it yet.

    A relative SQLite path is relative to the working directory; its folder is made. `pool`
    connections are kept at most, `wait` is how many seconds to wait for a lock or a connection,
    `kept` is how much of their past entries keep.
    Raises `ConfigError` for a URL that names no backend, `StoreError` if the folder cannot be made.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(
            f"“{_masked(url)}” is no store URL: it should look like sqlite:///data/feedsvc.db "
            "or postgresql://user:password@host/database",
            key="store.url",
        ) from error
    scheme = _DRIVERS.get(parsed.drivername, parsed.drivername)
    backend = BACKENDS.get(scheme)
    if backend is None:
        raise ConfigError(
            f"there is no store for {scheme}: (in {parsed.render_as_string()}): "
            f"use {' or '.join(f'{name}:' for name in BACKENDS)}",
            key="store.url",
        )
    store = backend(parsed, pool=pool, wait=wait)
    if kept is not None:
        store.kept = kept
    if isinstance(store, SqliteStore):
        _make_folder(store.path.parent)
    return store


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {folder} cannot be made: {error.strerror}") from error


def _masked(url: str) -> str:
    """A URL that could not be read, without what may be a password in it."""
    return f"{url.partition(':')[0]}:…" if "@" in url else url
