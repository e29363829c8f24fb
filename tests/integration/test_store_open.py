"""Opening stores: what URLs mean, and what is said about those that mean nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from feedsvc.config.values import STORE_SCHEMES
from feedsvc.errors import ConfigError, StoreError, StoreUnavailable
from feedsvc.store import BACKENDS, open_store
from feedsvc.store.sqlite import SqliteStore


def test_a_relative_path_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///some/where/feedsvc.db")
    store.migrate()
    store.close()
    assert (tmp_path / "some" / "where" / "feedsvc.db").is_file()


def test_an_absolute_path_may_hold_anything(tmp_path: Path) -> None:
    path = tmp_path / "with blank" / "100% é.db"
    store = open_store(f"sqlite:///{path.as_posix().replace('%', '%25')}")
    assert isinstance(store, SqliteStore)
    store.migrate()
    store.close()
    assert store.path.is_file()


def test_opening_connects_to_nothing(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/feedsvc.db").close()
    assert list(tmp_path.iterdir()) == []
    open_store("postgresql://nobody@127.0.0.1:1/nothing").close()


@pytest.mark.parametrize(
    "url",
    ["postgresql://h/db", "postgres://h/db", "postgresql+psycopg://h/db"],
)
def test_every_spelling_of_postgresql_is_psycopg_3(url: str) -> None:
    store = open_store(url)
    assert store.engine.dialect.driver == "psycopg"
    store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "no store URL"),
        ("data/feedsvc.db", "data/feedsvc.db.*sqlite:///"),
        ("mysql://h/db", "no store for mysql"),
        ("postgresql+asyncpg://h/db", "no store for postgresql\\+asyncpg"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("postgresql://h:port/db", "no store URL"),
    ],
)
def test_a_url_that_names_no_store_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        open_store(url)
    assert raised.value.key == "store.url"


def test_the_configuration_takes_the_schemes_there_are_backends_for(tmp_path: Path) -> None:
    stores = [open_store(f"{scheme}:///{tmp_path}/db") for scheme in STORE_SCHEMES]
    assert {type(store) for store in stores} == set(BACKENDS.values())
    for store in stores:
        store.close()
    assert set(BACKENDS) <= set(STORE_SCHEMES)


@pytest.mark.parametrize("url", ["mysql://u:hidden@h/db", "no url u:hidden@h", "pg://u:hidden@h:x"])
def test_passwords_are_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        open_store(url)
    assert "hidden" not in str(raised.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file/data cannot be made"):
        open_store(f"sqlite:///{tmp_path}/file/data/feedsvc.db")


def test_a_server_that_is_not_there_is_unavailable() -> None:
    store = open_store("postgresql://me:hidden@127.0.0.1:1/nothing", wait=2)
    try:
        for use in (store.migrate, store.schema_current, store.sources, store.change):
            with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/nothing") as raised:
                use()
            assert "hidden" not in str(raised.value)
    finally:
        store.close()


def test_a_store_without_psycopg_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from feedsvc.store import open_store\n"
        "open_store('sqlite:///x.db').close()\n"
        "try: open_store('postgresql://h/db')\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("ConfigError")
    assert "pip install feedsvc[postgres]" in done.stdout


def test_backends_are_registered_by_scheme() -> None:
    assert {name: backend.backend for name, backend in BACKENDS.items()} == {
        name: name for name in BACKENDS
    }
