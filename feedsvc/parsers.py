"""The parser processes: where documents are digested, and killed if they must be.

As many pools of one process as there may be, each started when it is first needed: a small set-up
keeps one, and no process is ever stopped half-way through its start. What happens inside is
`digest`'s.
"""

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from .config import Config
from .digest import start
from .errors import ParseError
from .runtime import tagger

T = TypeVar("T")

_TASKS = 1000  # after so many a process is replaced, with whatever memory a library lost
# a process may be killed for reasons of others: a document is to blame if all of so many died on it
_DEATHS = 3


class Parsers:
    """Up to `count` processes with the tag rules of a configuration, for one event loop."""

    def __init__(self, config: Config, count: int) -> None:
        self._rules = tagger(config), config.site.authority
        # the last one used comes first, so that the others need not start at all
        self._idle: asyncio.LifoQueue[ProcessPool] = asyncio.LifoQueue()
        self._pools = {self._new() for _ in range(count)}
        for pool in self._pools:
            self._idle.put_nowait(pool)

    async def run(self, work: Callable[..., T], *arguments: Any, seconds: float) -> T:
        """Runs a function on picklable arguments in a parser process.

        Raises what it raises, and `ParseError` when it takes longer than `seconds` or the process
        dies of it, whenever it is tried; the process is replaced then.
        """
        deaths = 0
        while True:
            try:
                return await self._run(work, *arguments, seconds=seconds)
            except TimeoutError as error:
                took = f"reading the document took longer than {seconds:.0f} s"
                raise ParseError(took) from error
            except (ProcessExpired, BrokenProcessPool) as error:
                deaths += 1
                if deaths == _DEATHS:
                    raise ParseError(
                        "the parser process died on this document (out of memory, or a fault in "
                        "a library)"
                    ) from error

    async def _run(self, work: Callable[..., T], *arguments: Any, seconds: float) -> T:
        pool = await self._idle.get()
        try:
            try:
                future = pool.schedule(work, args=arguments, timeout=seconds)
            except RuntimeError:
                # its process died while it had nothing to do, and pebble gives such a pool up
                pool = self._replace(pool)
                future = pool.schedule(work, args=arguments, timeout=seconds)
            return await asyncio.wrap_future(future)
        finally:
            self._idle.put_nowait(pool)

    def close(self) -> None:
        """Ends the processes; what they are doing is lost."""
        for pool in self._pools:
            pool.stop()  # type: ignore[no-untyped-call]
        for pool in self._pools:
            pool.join()

    def _new(self) -> ProcessPool:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([start.__module__])
        return ProcessPool(
            1, max_tasks=_TASKS, initializer=start, initargs=self._rules, context=context
        )

    def _replace(self, broken: ProcessPool) -> ProcessPool:
        broken.stop()  # type: ignore[no-untyped-call]
        self._pools.discard(broken)
        fresh = self._new()
        self._pools.add(fresh)
        return fresh
