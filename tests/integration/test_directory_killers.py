"""Documents that kill or hang the process that reads them: each costs itself and no other.

What they do to the process is real; only their type is made up, since no real document is known
to do it. It is brought into the program and its parser processes by `sitecustomize`.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SITE = """
import os, signal, time
import feedsvc.poll
from feedsvc.sources.documents import DOCUMENTS

def ruin(document):
    said = document.body.decode().split()
    with open("ruins", "a") as ruins:
        print(document.path, file=ruins)
    if said[0] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if said[0] == "hang":
        time.sleep(600)
    if said[0] == "eat":
        hoard = []
        while True:
            hoard.append(bytes(1 << 20))
    return DOCUMENTS[".txt"](document)

DOCUMENTS[".ruin"] = ruin
feedsvc.poll._SECONDS = feedsvc.poll._PART_SECONDS = 3.0
"""


@dataclass
class Program:
    """The real program in a folder with a directory source, and those documents in it."""

    folder: Path

    def run(self, *arguments: str) -> str:
        paths = os.pathsep.join([str(self.folder / "site"), str(ROOT)])
        done = subprocess.run(
            [sys.executable, "-m", "feedsvc", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": paths, "FEEDSVC_CONFIG": "feedsvc.toml"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def poll(self) -> dict[str, str]:
        """Polls once; the problems by document."""
        told = json.loads(self.run("poll", "--once", "--all", "--json"))
        assert told["failed"] == []
        return {problem["document"]: problem["error"] for problem in told["problems"]}

    def titles(self) -> set[str]:
        listed = self.run("query", "", "--json", "--limit", "100").splitlines()
        return {json.loads(line)["title"] for line in listed}

    def ruins(self) -> int:
        """How often such a document was read so far."""
        return len((self.folder / "ruins").read_text().splitlines())


@pytest.fixture
def program(tmp_path: Path) -> Program:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    (tmp_path / "seeds").mkdir()
    (tmp_path / "feedsvc.toml").write_text(
        '[store]\nurl = "sqlite:///test.db"\n[poll]\nworkers = 1\n[[sources]]\nlocation = "seeds"\n'
    )
    for number in range(30):
        (tmp_path / "seeds" / f"{number:02}.txt").write_text(f"Title {number}\n\nText.\n")
    return Program(tmp_path)


def test_a_document_that_ruins_its_process_costs_itself_alone(program: Program) -> None:
    seeds = program.folder / "seeds"
    (seeds / "05.ruin").write_text("Published before\n\nText.")
    assert program.poll() == {}
    deeds = {"die": "process died", "hang": "took longer", "eat": "memory"}
    for name, deed in zip(("05.ruin", "17.ruin", "23.ruin"), deeds, strict=True):
        (seeds / name).write_text(deed)
    (seeds / "new.txt").write_text("New\n\nText.")
    (seeds / "00.txt").unlink()
    problems = program.poll()
    assert sorted(problems) == ["05.ruin", "17.ruin", "23.ruin"]
    for name, message in zip(problems, deeds.values(), strict=True):
        assert message in problems[name]
    everything = {*(f"Title {number}" for number in range(1, 30)), "Published before", "New"}
    assert program.titles() == everything
    # left alone until it changes, and taken in then
    (seeds / "newer.txt").write_text("Newer\n\nText.")
    (seeds / "17.ruin").write_text("Mended\n\nText.")
    before = program.ruins()
    del problems["17.ruin"]
    assert program.poll() == problems
    assert program.ruins() == before + 1
    assert program.titles() == everything | {"Mended", "Newer"}
