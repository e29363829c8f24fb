"""Looks over a set-up and says what to do: configuration, store, clock, sources, pollers, address.

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
from .config.lists import check_lists
from .errors import FeedsvcError
from .log import mask
from .notes import spoken_pages
from .process import is_dead, spoken
from .runtime import Runtime
from .store.base import SourceStatus

_LATE = timedelta(minutes=10)
_NAMED = 5


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


def examine_configuration(config: Config, path: Path) -> Iterator[Finding]:
    """The configuration file and the subscription lists it names."""
    if path.exists():
        told = str(path)
    else:
        told = f"there is no {path}: everything has its default, or comes from the environment"
    try:
        check_lists(config)
    except FeedsvcError as error:
        yield Finding(
            state="warning",
            subject="configuration",
            message=str(error),
            remedy="correct the file, or take it out of opml; then feedsvc config check",
        )
        return
    yield Finding(state="ok", subject="configuration", message=told)


def examine_sources(runtime: Runtime) -> Iterator[Finding]:
    """The sources: there are some, directories are readable, polls succeed."""
    statuses = runtime.store.sources()
    if not statuses:
        yield Finding(
            state="warning",
            subject="sources",
            message="there are none",
            remedy="feedsvc source add URL_OR_PATH, or [[sources]] in the configuration",
        )
        return
    well = waiting = 0
    unread = runtime.store.page_troubles()
    for status in statuses:
        state = status.state
        finding = _trouble(status)
        if finding is not None:
            yield finding
        elif state.last_at is None:
            waiting += 1
        else:
            well += 1
        for problem in state.problems:
            yield Finding(
                state="warning",
                subject=f"source {status.source.id}",
                message=f"{problem.name}: {problem.message}",
                remedy="mend or remove the document; the others are served",
            )
        if troubles := unread.get(status.source.id):
            yield Finding(
                state="warning",
                subject=f"source {status.source.id}",
                message=spoken_pages(troubles),
                remedy="nothing if few: those entries have what their feed gave; if most, its "
                "pages refuse us or hold no article: take fulltext off",
            )
    trouble = len(statuses) - well - waiting
    told = f"{well} in order"
    told += f", {waiting} not polled yet" if waiting else ""
    told += f", {trouble} not" if trouble else ""
    yield Finding(state="warning" if trouble else "ok", subject="sources", message=told)


def examine_pollers(runtime: Runtime) -> Iterator[Finding]:
    """Who polls what, the living and the dead, and whether all is on time."""
    now = runtime.clock()
    claims: dict[str, list[SourceStatus]] = {}
    for status in runtime.store.sources():
        if status.owner and status.until and status.until > now:
            claims.setdefault(status.owner, []).append(status)
    for owner, held in sorted(claims.items()):
        ids = ", ".join(status.source.id for status in held[:_NAMED])
        more = f" and {len(held) - _NAMED} more" if len(held) > _NAMED else ""
        until = max(status.until for status in held if status.until)
        gone = is_dead(owner)
        yield Finding(
            state="warning" if gone else "ok",
            subject="poller",
            message=f"{spoken(owner)} {'died while it polled' if gone else 'polls'} {ids}{more}; "
            f"claimed until {until:%H:%M:%S} UTC",
            remedy="start `feedsvc run` or `feedsvc poll`, which frees them at once",
        )
    lag = runtime.store.lag(now)
    if lag > _LATE:
        yield Finding(
            state="warning",
            subject="poller",
            message=f"polling is {str(lag).partition('.')[0]} behind",
            remedy="is `feedsvc run` or `feedsvc poll` running, and not stopped?",
        )


def _trouble(status: SourceStatus) -> Finding | None:
    """What is wrong with a source as a whole, and what to do about it."""
    source, state = status.source, status.state
    kind: Literal["warning", "failed"] = "failed"
    if not source.enabled:
        kind = "warning"
        message = f"disabled{': ' + state.error if state.error else ''}"
        remedy = f"feedsvc source remove {source.id}, if it is gone for good"
    elif source.kind == "directory" and not os.access(source.location, os.R_OK | os.X_OK):
        there = Path(source.location).exists()
        message = f"{source.location} {'cannot be read' if there else 'does not exist'}"
        remedy = "make it readable to this user" if there else "create it, or correct the path"
    elif state.error:
        message = f"{state.error} ({state.failures} times in a row)"
        remedy = _remedy(status)
    else:
        return None
    return Finding(state=kind, subject=f"source {source.id}", message=message, remedy=remedy)


def _remedy(status: SourceStatus) -> str:
    source, state = status.source, status.state
    match state.status:
        case 401 | 403:
            todo = "give it auth or headers in the configuration, if it wants to know who asks"
        case 404:
            todo = f"look for its new address; feedsvc source remove {source.id} drops this one"
        case 429 | 503:
            todo = "nothing: its server is busy"
        case _:
            todo = f"open {mask(source.location)} yourself"
    again = f"{state.next_at:%Y-%m-%d %H:%M} UTC" if state.next_at else "the next round"
    return f"{todo}; it is tried again by itself at {again}"


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
