"""What one poller holds: sources claimed, their leases renewed while it works, then let go.

Claims of pollers that died on this host are freed when another starts, so that nobody waits for
their leases to end. What they may have asked for is asked for again after `poll.min_interval`, as
after any failure: a service that dies again and again must not ask its publishers as often. How a
claim is taken and fenced is the store's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Self

from .errors import FeedsvcError
from .log import get_logger
from .process import is_dead, own_name, spoken
from .runtime import Runtime
from .store.base import Claim, SourceStatus

LEASE = timedelta(minutes=1)
_TIME = "%Y-%m-%d %H:%M:%S UTC"

log = get_logger(__name__)


class Claims:
    """The claims of one process. An asynchronous context; `write` runs what uses the store."""

    def __init__(
        self,
        runtime: Runtime,
        write: Callable[[Callable[[], Any]], Awaitable[Any]],
        *,
        lease: timedelta = LEASE,
    ) -> None:
        self.owner = own_name()
        self._runtime = runtime
        self._write = write
        self._lease = lease
        self._held: dict[tuple[str, int], Claim] = {}

    async def __aenter__(self) -> Self:
        await self._steadily(self._free)
        self._renewal = asyncio.create_task(self._renew(), name="renew claims")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._renewal.cancel()
        with suppress(asyncio.CancelledError):
            await self._renewal

    async def take(
        self,
        *,
        limit: int,
        due_at: datetime | None = None,
        only: Sequence[str] | None = None,
        ignore_schedule: bool = False,
        untried: bool = False,
    ) -> tuple[Claim, ...]:
        """Claims sources for this process that are due, now or at an earlier `due_at`.

        Of one host no more than `poll.per_host` are claimed at a time; `untried` ones need not wait
        for their first turn.
        """
        now, poll = self._runtime.clock(), self._runtime.config.poll
        taken: tuple[Claim, ...] = await self._write(
            lambda: self._runtime.store.claim_due(
                now=now,
                owner=self.owner,
                lease=self._lease,
                limit=limit,
                due_at=due_at,
                only=only,
                ignore_schedule=ignore_schedule,
                untried=untried,
                per_host=poll.per_host,
                host_delay=poll.host_delay,
                rest=poll.min_interval,
            )
        )
        self._held.update({(claim.source.id, claim.epoch): claim for claim in taken})
        return taken

    def done(self, claim: Claim) -> None:
        """Renews this claim no more: its poll has ended, however."""
        self._held.pop((claim.source.id, claim.epoch), None)

    async def left_alone(
        self, *, only: Sequence[str] | None, ignore_schedule: bool
    ) -> dict[str, str]:
        """The sources that `take` leaves alone now though they were asked for, each with why.

        `only` asks for these; without it those that are not due are not asked for, unless the
        schedule is ignored, and disabled ones never are.
        """
        named = None if only is None else set(only)
        now = self._runtime.clock()
        # of those that are not named only what holds them back matters, and few are
        statuses: tuple[SourceStatus, ...] = await self._write(
            lambda: self._runtime.store.sources(held=now if named is None else None)
        )
        reasons = (
            (status.source.id, self._reason(status, named is not None, ignore_schedule, now))
            for status in statuses
            if named is None or status.source.id in named
        )
        return {id: reason for id, reason in reasons if reason}

    def _reason(
        self, status: SourceStatus, named: bool, ignore_schedule: bool, now: datetime
    ) -> str | None:
        state = status.state
        due = ignore_schedule or state.last_at is None or (state.next_at or now) <= now
        if not status.source.enabled:
            return "it is disabled" if named else None
        told = [at for at in (state.retry_after, status.resting) if at is not None and at > now]
        if told and (named or due):
            return f"its server asked to be left alone until {max(told):{_TIME}}"
        if status.owner and status.until and status.until > now and (named or due):
            return f"{spoken(status.owner)}, a running feedsvc, is polling it"
        if named and not due:
            return f"it is not due before {state.next_at:{_TIME}}; --all does not mind"
        return None

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            await self._steadily(self._extend)

    async def _steadily(self, work: Callable[[], None]) -> None:
        """Runs what may fail with the store for once: a lease that is not renewed only ends."""
        try:
            await self._write(work)
        except FeedsvcError as error:
            log.error("store in trouble", job=work.__name__.strip("_"), error=str(error))

    def _free(self) -> None:
        freed = self._runtime.store.release_dead(
            is_dead,
            now=self._runtime.clock(),
            lease=self._lease,
            rest=self._runtime.config.poll.min_interval,
        )
        if freed:
            log.info("claims of dead pollers freed", owners=[spoken(owner) for owner in freed])

    def _extend(self) -> None:
        if claims := list(self._held.values()):
            self._runtime.store.extend(claims, self._runtime.clock() + self._lease)
