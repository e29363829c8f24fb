"""Parser processes that hang, die at work or die at rest: each costs one document at most."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from feedsvc.config import load
from feedsvc.errors import ParseError
from feedsvc.parsers import Parsers

T = TypeVar("T")


def with_parsers(folder: Path, work: Callable[[Parsers], Awaitable[T]], count: int = 1) -> T:
    (folder / "feedsvc.toml").touch()

    async def run() -> T:
        parsers = Parsers(load(folder / "feedsvc.toml", environ={}), count)
        try:
            return await work(parsers)
        finally:
            await asyncio.to_thread(parsers.close)

    return asyncio.run(run())


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_a_process_killed_at_rest_is_replaced(tmp_path: Path) -> None:
    async def work(parsers: Parsers) -> tuple[int, int]:
        first = await parsers.run(os.getpid, seconds=60)
        os.kill(first, signal.SIGKILL)
        while not gone(first):
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)  # long enough for the pool to notice, and to be given up
        return first, await parsers.run(os.getpid, seconds=60)

    first, second = with_parsers(tmp_path, work)
    assert second not in (first, os.getpid())


def test_a_document_that_kills_every_process_costs_that_work(tmp_path: Path) -> None:
    async def work(parsers: Parsers) -> int:
        with pytest.raises(ParseError, match="died"):
            await parsers.run(os._exit, 3, seconds=60)
        return await parsers.run(os.getpid, seconds=60)

    assert with_parsers(tmp_path, work) != os.getpid()


def dies_twice(folder: Path) -> str:
    """Work during which somebody kills the process, once and again."""
    deaths = len(list(folder.iterdir()))
    if deaths < 2:
        (folder / str(deaths)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def test_a_process_that_others_kill_costs_nothing(tmp_path: Path) -> None:
    deaths = tmp_path / "deaths"
    deaths.mkdir()

    async def work(parsers: Parsers) -> str:
        return await parsers.run(dies_twice, deaths, seconds=60)

    assert with_parsers(tmp_path, work) == "done"
    assert len(list(deaths.iterdir())) == 2


def test_work_that_hangs_is_ended(tmp_path: Path) -> None:
    async def work(parsers: Parsers) -> int:
        with pytest.raises(ParseError, match="longer than 1 s"):
            await parsers.run(time.sleep, 600, seconds=1)
        return await parsers.run(os.getpid, seconds=60)

    assert with_parsers(tmp_path, work) != os.getpid()


def test_only_as_many_processes_start_as_are_needed(tmp_path: Path) -> None:
    async def work(parsers: Parsers) -> set[int]:
        return {await parsers.run(os.getpid, seconds=60) for _ in range(5)}

    assert len(with_parsers(tmp_path, work, count=4)) == 1
