"""When a source is polled next: a pure decision from what we know and how the poll ended.

No I/O and no clock of its own, so that every rule can be tested by table. How a poll is made lives
in `poll`, what HTTP said about waiting in `httpclient`.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from .model import PollState, Source

_FIRST_BACKOFF = timedelta(minutes=1)
_JITTER = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The `[poll]` intervals of the configuration."""

    interval: timedelta
    min_interval: timedelta
    max_interval: timedelta
    directory_interval: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one poll ended, as far as the next one depends on it.

    `ok`: the source answered, changed or not. `failed`: it did not, or not with a feed. `gone`: it
    said that it never will again. `min_wait` is the earliest the server lets us come back,
    `retry_after` how long it told us to stay away (RFC 9110 §10.2.3), counted from now.
    """

    kind: Literal["ok", "failed", "gone"]
    min_wait: timedelta | None = None
    retry_after: timedelta | None = None
    error: str | None = None
    status: int | None = None


def usual_interval(source: Source, bounds: Bounds) -> timedelta:
    """How long this source rests between polls when all is well."""
    if source.kind == "directory":
        return source.interval or bounds.directory_interval
    return min(max(source.interval or bounds.interval, bounds.min_interval), bounds.max_interval)


def next_state(
    state: PollState, outcome: Outcome, *, source: Source, bounds: Bounds, now: datetime
) -> PollState:
    """The poll state after a poll: when to come again, how often it failed, and why.

    Validators, digest and cursor are the caller's to set: they belong to a body, not to a moment.
    """
    usual = usual_interval(source, bounds)
    retry_after = now + outcome.retry_after if outcome.retry_after else None
    if outcome.kind == "ok":
        wait = usual
        if source.kind == "feed":
            wait = max(_spread(source.id, usual, _JITTER), outcome.min_wait or timedelta(0))
        return replace(
            state,
            next_at=now + wait,
            last_at=now,
            last_ok_at=now,
            status=outcome.status,
            error=None,
            problems=(),
            failures=0,
            retry_after=None,
        )
    failures = state.failures + 1
    wait = usual
    if source.kind == "feed":
        # a passing error is looked at again soon, a lasting one ever less often, but always again
        backoff = _FIRST_BACKOFF * 2 ** min(failures - 1, 30)
        wait = _spread(
            source.id, min(max(backoff, bounds.min_interval), bounds.max_interval), _JITTER
        )
    if outcome.kind == "gone":
        wait = bounds.max_interval
    next_at = max(now + wait, retry_after or now)
    return replace(
        state,
        next_at=next_at,
        last_at=now,
        status=outcome.status,
        error=outcome.error,
        failures=failures,
        retry_after=retry_after,
    )


def _spread(source_id: str, wait: timedelta, share: float) -> timedelta:
    """Lengthens a wait by up to `share` of it, always the same for one source."""
    digest = hashlib.sha256(source_id.encode()).digest()
    return wait * (1 + share * int.from_bytes(digest[:4]) / 2**32)
