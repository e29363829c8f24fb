"""Looks host names up without letting a dead name server hold anything else up.

Each lookup has a daemon thread of its own: a shared pool would fill with lookups that take the
system's whole patience, and the program could not end before they do.
"""

import asyncio
import socket
import threading
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult


class ThreadPerLookupResolver(AbstractResolver):
    """Resolves through the system (`getaddrinfo`); the caller bounds how many run at once."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The stream addresses of a host. Raises `OSError` when it has none."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Any]] = loop.create_future()
        threading.Thread(
            target=_look_up, args=(loop, answer, host, port, family), daemon=True
        ).start()
        return [
            ResolveResult(
                hostname=host,
                # a link-local address is refused anyway: its zone need not be kept
                host=where[0],
                port=where[1],
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, where in await answer
        ]

    async def close(self) -> None:
        """Nothing to release: a thread ends with its lookup."""


def _look_up(
    loop: asyncio.AbstractEventLoop,
    answer: "asyncio.Future[list[Any]]",
    host: str,
    port: int,
    family: int,
) -> None:
    found: list[Any] = []
    failure: Exception | None = None
    try:
        found = socket.getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
    except (OSError, UnicodeError) as error:
        failure = error

    def deliver() -> None:
        if answer.done():  # the request gave up meanwhile
            return
        if failure is None:
            answer.set_result(found)
        else:
            answer.set_exception(failure)

    try:
        loop.call_soon_threadsafe(deliver)
    except RuntimeError:  # the loop ended meanwhile: nobody waits
        pass
