"""Runtimes over empty stores in a temporary folder, for tests that need no service."""

from pathlib import Path

from feedsvc.config import load
from feedsvc.runtime import Runtime, open_runtime


def empty_runtime(folder: Path, **settings: str) -> Runtime:
    """A runtime on a fresh SQLite store with the default configuration and these settings.

    Settings are named as in the environment, without the prefix: `POLL__INTERVAL="1h"`.
    """
    environment = {
        "FEEDSVC_STORE__URL": f"sqlite:///{folder / 'test.db'}",
        **{f"FEEDSVC_{name}": value for name, value in settings.items()},
    }
    file = folder / "feedsvc.toml"
    file.touch()
    return open_runtime(load(file, environ=environment))
