"""Looks over a set-up and says what to do: store, clock, sources, addresses.

Only reports; mends nothing. Each check answers by itself, so that one failure hides no other.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from .config import Config
from .errors import FeedsvcError
from .runtime import Runtime

_LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at; `remedy` says what to do unless all is well."""

    state: Literal["ok", "warning", "failed"]
    subject: str
    message: str
    remedy: str = ""


def examine_store(runtime: Runtime) -> Iterator[Finding]:
    """The database: sound, current, and not ahead of our clock."""
    try:
        damage = runtime.store.check()
        counts = runtime.store.stats()
    except FeedsvcError as error:
        yield Finding(
            state="failed", subject="store", message=str(error), remedy="see docs/operations.md"
        )
        return
    for finding in damage:
        yield Finding(
            state="failed",
            subject="store",
            message=finding,
            remedy="restore the last backup: feedsvc store restore FILE",
        )
    if not damage:
        yield Finding(
            state="ok",
            subject="store",
            message=f"{counts.backend}, {counts.entries} entries, schema {counts.schema}",
        )
    ahead = [s for s in runtime.store.sources() if (s.state.last_at or s.added) > runtime.clock()]
    if ahead:
        yield Finding(
            state="warning",
            subject="clock",
            message=f"source {ahead[0].source.id} was last polled in the future",
            remedy="set the clock (timedatectl); polling goes on when it has caught up",
        )
    else:
        yield Finding(state="ok", subject="clock", message=f"{runtime.clock():%Y-%m-%d %H:%M} UTC")


def examine_sources(runtime: Runtime) -> Iterator[Finding]:
    """The sources: there are some, directories are readable, polls succeed and are on time."""
    statuses = runtime.store.sources()
    if not statuses:
        yield Finding(
            state="warning",
            subject="sources",
            message="there are none",
            remedy="feedsvc source add URL_OR_PATH, or [[sources]] in the configuration",
        )
    for status in statuses:
        source, state = status.source, status.state
        subject = f"source {source.id}"
        if source.kind == "directory" and not os.access(source.location, os.R_OK | os.X_OK):
            there = Path(source.location).exists()
            yield Finding(
                state="failed",
                subject=subject,
                message=f"{source.location} {'cannot be read' if there else 'does not exist'}",
                remedy="make it readable to this user"
                if there
                else "create it, or correct the path",
            )
        elif not source.enabled:
            yield Finding(
                state="warning",
                subject=subject,
                message=f"disabled{': ' + state.error if state.error else ''}",
                remedy=f"feedsvc source remove {source.id}, if it is gone for good",
            )
        elif state.error:
            yield Finding(
                state="failed",
                subject=subject,
                message=f"{state.error} ({state.failures} times)",
                remedy=f"open {source.location} yourself; it is tried again by itself",
            )
        for problem in state.problems:
            yield Finding(
                state="warning",
                subject=subject,
                message=f"{problem.name}: {problem.message}",
                remedy="mend or remove the document; the others are served",
            )
    healthy = [s for s in statuses if s.source.enabled and not s.state.error]
    if healthy:
        yield Finding(state="ok", subject="sources", message=f"{len(healthy)} in order")
    lag = runtime.store.lag(runtime.clock())
    if lag > _LATE:
        yield Finding(
            state="warning",
            subject="poller",
            message=f"polling is {lag} behind",
            remedy="is `feedsvc run` or `feedsvc poll` running?",
        )


async def examine_address(runtime: Runtime) -> Finding:
    """Whether a reader reaches us under `site.base_url`."""
    config = runtime.config
    url = f"{config.site.base_url}/healthz"
    try:
        # our own address may well be private: it is the one we configured ourselves
        async with runtime.http(allow=(_own_address(config),)) as http:
            response = await http.get(url)
    except FeedsvcError as error:
        return Finding(
            state="warning",
            subject="base_url",
            message=str(error),
            remedy="start `feedsvc run`, or set site.base_url to the address readers use",
        )
    if response.status != 200 or not response.body.startswith(b"ok"):
        return Finding(
            state="failed",
            subject="base_url",
            message=f"{url} is answered by something else (status {response.status})",
            remedy="set site.base_url to the address readers use, or correct the proxy",
        )
    return Finding(state="ok", subject="base_url", message=f"{url} answers")


def _own_address(config: Config) -> str:
    parts = urlsplit(config.site.base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
