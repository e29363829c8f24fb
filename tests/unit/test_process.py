"""Names of processes: who is dead, and who only cannot be told apart."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from feedsvc.process import is_dead, own_name, spoken

TELL = "from feedsvc.process import own_name; print(own_name(), flush=True); input()"


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A living process and its name."""
    with subprocess.Popen(
        [sys.executable, "-c", TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def test_the_living_are_not_dead(other: tuple[subprocess.Popen[str], str]) -> None:
    process, name = other
    assert spoken(name).endswith(f":{process.pid}")
    assert not is_dead(own_name())
    assert not is_dead(name)
    process.send_signal(signal.SIGSTOP)
    assert not is_dead(name)


def test_the_dead_are_dead_before_and_after_their_parent_noticed(
    other: tuple[subprocess.Popen[str], str],
) -> None:
    process, name = other
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(name)
    process.wait()
    assert is_dead(name)


def test_a_number_given_again_is_another_process() -> None:
    host, pid, mark = own_name().split(":")
    place, _, start = mark.rpartition("-")
    assert is_dead(f"{host}:{pid}:{place}-{int(start) - 1}")


@pytest.mark.parametrize("dead", [True, False])
def test_other_hosts_boots_and_containers_are_left_alone(
    other: tuple[subprocess.Popen[str], str], dead: bool
) -> None:
    process, name = other
    if dead:
        process.kill()
        process.wait()
    host, pid, mark = name.split(":")
    boot, namespace, start = mark.split("-")
    assert not is_dead(f"elsewhere:{pid}:{mark}")
    assert not is_dead(f"{host}:{pid}:{'0' * 12}-{namespace}-{start}")
    assert not is_dead(f"{host}:{pid}:{boot}-1-{start}")


@pytest.mark.parametrize(
    "name", ["", "me", "a:b", "a:b:c", "::", f"{os.uname().nodename}:99999999"]
)
def test_what_is_no_full_name_is_not_judged(name: str) -> None:
    assert not is_dead(name)
