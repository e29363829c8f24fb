"""What a supervisor leaves behind in the temporary folder, and what it finds there."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from feedsvc.supervisor import counters_folder

HOLD = """
import subprocess, sys
from feedsvc.supervisor import counters_folder
with counters_folder() as (folder, lock):
    child = subprocess.Popen(["sleep", "600"], pass_fds=(lock,))
    print(folder, child.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@contextmanager
def service() -> Iterator[tuple[subprocess.Popen[str], Path, int]]:
    """Another supervisor with one child: the process, its folder, the child's pid."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder, child = process.stdout.readline().split()
        try:
            yield process, Path(folder), int(child)
        finally:
            process.kill()
            subprocess.run(["kill", "-9", child], check=False, stderr=subprocess.DEVNULL)


def test_a_folder_is_gone_when_its_service_has_ended(place: Path) -> None:
    with counters_folder() as (folder, _):
        assert folder.parent == place
        (folder / "counter_1.db").touch()
    assert list(place.iterdir()) == []


def test_what_a_killed_service_left_goes_once_its_last_child_is_gone(place: Path) -> None:
    with service() as (process, folder, child):
        (folder / "counter_1.db").touch()
        with counters_folder():
            assert folder.is_dir()
        process.kill()
        process.wait()
        with counters_folder():
            assert folder.is_dir(), "its child still counts"
        subprocess.run(["kill", "-9", str(child)], check=True)
        # the lock goes with the process, which goes with its parent: whoever adopted it
        subprocess.run(["tail", f"--pid={child}", "-f", "/dev/null"], check=True, timeout=30)
        with counters_folder():
            assert not folder.exists()


def test_what_others_keep_there_is_left_alone(place: Path) -> None:
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    (place / "feedsvc-metrics-link").symlink_to(elsewhere)
    (place / "feedsvc-metrics-starting").mkdir()
    (place / "feedsvc-metrics-file").touch()
    with counters_folder():
        pass
    assert {path.name for path in place.iterdir()} == {
        "elsewhere",
        "feedsvc-metrics-file",
        "feedsvc-metrics-link",
        "feedsvc-metrics-starting",
    }
    assert elsewhere.is_dir()
