"""What short verbs load: a verb that lists sources has no use for a web server."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LOADED = """
import sys
from feedsvc.cli import cli
cli(sys.argv[1:], standalone_mode=False)
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""
SERVING = {"aiohttp", "flask", "granian", "apscheduler"}
READING = {"feedparser", "feedgen", "trafilatura", "listparser", "nh3"}


def loaded(folder: Path, *arguments: str) -> set[str]:
    """The packages that a verb has loaded when it is done."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("verb", "unneeded"),
    [
        (("--version",), SERVING | READING | {"pydantic", "sqlalchemy", "structlog"}),
        (("config", "check"), SERVING | READING | {"sqlalchemy", "alembic"}),
        (("source", "list"), SERVING | READING | {"alembic"}),
        (("query", ""), SERVING | {"feedparser", "trafilatura", "listparser", "alembic"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_short_verb_loads_only_what_it_needs(
    tmp_path: Path, verb: tuple[str, ...], unneeded: set[str]
) -> None:
    if verb != ("--version",):
        loaded(tmp_path, "store", "migrate")
    assert loaded(tmp_path, *verb) & unneeded == set()
