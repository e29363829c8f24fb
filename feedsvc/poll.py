"""The way in: claim a source, fetch it, digest what came, and commit it in one transaction.

Fetching is asynchronous, digesting (parse, normalise, tag) runs in parser processes, the store is
written by one thread. Every error ends here, on the source it belongs to: one bad source stops
nobody. When to come again is decided in `pacing`, what counts as new in `normalise`.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import perf_counter
from typing import Literal, Self, TypeVar

from .digest import Digest, digest
from .errors import ClaimLost, FeedsvcError, FetchError, SourceError, SourceGone
from .log import get_logger
from .metrics import ENTRIES, FETCHED_BYTES, POLL_SECONDS, POLLS, PROBLEMS
from .model import PollState, Problem, Source
from .normalise.entry import reconcile
from .pacing import Outcome, next_state, settle
from .parsers import Parsers
from .polls import Demand
from .runtime import Runtime
from .sources import KINDS
from .sources.base import Fetched, FetchTools, SourceReader
from .store.base import Claim, Committed, PollResult

LEASE = timedelta(minutes=1)
_LONGEST_PAUSE = 3600.0
_PARSE_SECONDS = 60.0
_SECONDS_PER_BYTE = 1 / 100_000

T = TypeVar("T")
Result = Literal["new", "updated", "unchanged", "failed", "lost"]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport:
    """How one poll went, for people."""

    source: str
    result: Result
    new: int = 0
    updated: int = 0
    withdrawn: int = 0
    problems: tuple[Problem, ...] = ()
    error: str | None = None


@dataclass(slots=True)
class Summary:
    """A run of polls added up."""

    reports: list[PollReport] = field(default_factory=list)
    seconds: float = 0.0

    def total(self, what: Literal["new", "updated", "withdrawn"]) -> int:
        """How many entries were new, updated or withdrawn."""
        return sum(getattr(report, what) for report in self.reports)

    @property
    def failed(self) -> list[PollReport]:
        """The polls that failed, each with its reason."""
        return [report for report in self.reports if report.result == "failed"]

    @property
    def unchanged(self) -> int:
        """How many sources had nothing new."""
        return sum(report.result == "unchanged" for report in self.reports)


class Poller:
    """Polls claimed sources. An asynchronous context; one a process."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.owner = f"{socket.gethostname()}:{os.getpid()}"
        self._store = runtime.store
        self._stack = AsyncExitStack()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._slots = asyncio.Semaphore(runtime.config.poll.concurrency)

    async def __aenter__(self) -> Self:
        self._http = await self._stack.enter_async_context(self.runtime.http())
        poll = self.runtime.config.poll
        self._parsers = Parsers(self.runtime.config, poll.workers or os.cpu_count() or 1)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._parsers.close)
        self._writer.shutdown()
        await self._stack.aclose()

    async def claim(
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
        now, poll = self.runtime.clock(), self.runtime.config.poll
        return await self.write(
            lambda: self._store.claim_due(
                now=now,
                owner=self.owner,
                lease=LEASE,
                limit=limit,
                due_at=due_at,
                only=only,
                ignore_schedule=ignore_schedule,
                untried=untried,
                per_host=poll.per_host,
                host_delay=poll.host_delay,
            )
        )

    async def mend_clock(self) -> None:
        """Puts schedules right that were made while the clock was ahead."""
        lead = await self.write(lambda: self._store.mend_clock(self.runtime.clock()))
        if lead:
            log.warning("the clock was ahead; schedules moved back", by=str(lead))

    async def write(self, work: Callable[[], T]) -> T:
        """Runs something on the one thread that uses the store."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    async def poll(self, claim: Claim) -> PollReport:
        """Polls one claimed source to its end, whatever happens on the way."""
        if claim.not_before is not None:
            pause = claim.not_before - self.runtime.clock()
            await asyncio.sleep(min(max(pause.total_seconds(), 0), _LONGEST_PAUSE))
        started = perf_counter()
        async with self._slots:
            report = await self._guarded(claim)
        POLL_SECONDS.observe(perf_counter() - started)
        POLLS.labels(outcome=report.result).inc()
        return report

    async def _guarded(self, claim: Claim) -> PollReport:
        started = perf_counter()
        try:
            return await self._poll(claim, started)
        except ClaimLost:
            log.warning("claim lost", source=claim.source.id)
            return PollReport(source=claim.source.id, result="lost")
        except SourceError as error:
            return await self._failed(claim, error, started)
        except FeedsvcError:
            raise
        except Exception as error:
            log.exception("poll broke", source=claim.source.id)
            broken = SourceError(f"{type(error).__name__}: {error}")
            return await self._failed(claim, broken, started)

    async def _poll(self, claim: Claim, started: float) -> PollReport:
        source, state = claim.source, claim.state
        reader: SourceReader = KINDS[source.kind]
        tools = FetchTools(http=self._http, now=self.runtime.clock())
        fetched = await reader.fetch(source, state, tools)
        FETCHED_BYTES.inc(fetched.bytes)
        if fetched.unchanged:
            return await self._unchanged(claim, fetched, started)
        try:
            found = await self._digest(claim, fetched)
        except SourceError as error:
            return await self._failed(claim, error, started, fetched)
        return await self.write(lambda: self._commit(claim, fetched, found, started))

    async def _digest(self, claim: Claim, fetched: Fetched) -> Digest:
        seconds = _PARSE_SECONDS + fetched.bytes * _SECONDS_PER_BYTE
        return await self._parsers.run(
            digest, claim.source, claim.meta, fetched, self.runtime.clock(), seconds=seconds
        )

    async def _unchanged(self, claim: Claim, fetched: Fetched, started: float) -> PollReport:
        state = self._next(
            _remember(claim.state, fetched, None), _answered(fetched, started), claim.source
        )
        # what could not be read before is still there: an unchanged listing does not mend it
        state = replace(state, problems=claim.state.problems)
        await self.write(lambda: self._finish(claim, PollResult(state=state)))
        return PollReport(source=claim.source.id, result="unchanged", problems=state.problems)

    def _commit(self, claim: Claim, fetched: Fetched, found: Digest, started: float) -> PollReport:
        now = self.runtime.clock()
        known = self._store.known(claim.source.id, [entry.uid for entry in found.entries])
        changed = [reconcile(known.get(entry.uid), entry, now) for entry in found.entries]
        fresh = [entry for entry in changed if entry is not None]
        outcome = replace(
            _answered(fetched, started),
            hints=found.hints,
            posted=tuple(entry.published for entry in found.entries if entry.dated),
            new=sum(entry.uid not in known for entry in fresh),
            updated=sum(entry.uid in known for entry in fresh),
        )
        state = self._next(_remember(claim.state, fetched, found.cursor), outcome, claim.source)
        committed = self._finish(
            claim,
            PollResult(
                state=replace(state, problems=found.problems),
                entries=tuple(fresh),
                removed=found.removed,
                meta=found.meta,
            ),
        )
        _log_problems(claim, found.problems)
        return _report(claim, committed, found.problems)

    def _finish(self, claim: Claim, result: PollResult) -> Committed:
        """Writes a poll that succeeded, and the source's new location if it has moved for good."""
        now = self.runtime.clock()
        state, location = settle(result.state, claim.source, self._store.located, now)
        return self._store.finish_poll(claim, replace(result, state=state, location=location), now)

    async def _failed(
        self, claim: Claim, error: SourceError, started: float, fetched: Fetched | None = None
    ) -> PollReport:
        outcome = _answered(fetched or Fetched(), started)
        wait = error.retry_after if isinstance(error, FetchError) else None
        outcome = replace(
            outcome,
            kind="gone" if isinstance(error, SourceGone) else "failed",
            status=error.status if isinstance(error, FetchError) else outcome.status,
            demands=(Demand(wait=wait, by="Retry-After"),) if wait else outcome.demands,
            error=str(error),
            fault=error.fault,
        )
        log.warning("poll failed", source=claim.source.id, error=str(error))
        state = self._next(claim.state, outcome, claim.source)
        result = PollResult(
            state=state,
            enabled=False if outcome.kind == "gone" else None,
            resting=error.host if isinstance(error, FetchError) else None,
        )
        try:
            await self.write(lambda: self._store.finish_poll(claim, result, self.runtime.clock()))
        except ClaimLost:
            return PollReport(source=claim.source.id, result="lost")
        return PollReport(source=claim.source.id, result="failed", error=str(error))

    def _next(self, state: PollState, outcome: Outcome, source: Source) -> PollState:
        return next_state(
            state, outcome, source=source, bounds=self.runtime.bounds, now=self.runtime.clock()
        )


def _answered(fetched: Fetched, started: float) -> Outcome:
    """The outcome of a fetch that brought an answer."""
    return Outcome(
        kind="ok",
        status=fetched.status,
        demands=fetched.demands,
        moved_to=fetched.moved_to,
        bytes=fetched.bytes,
        seconds=perf_counter() - started,
    )


def _remember(state: PollState, fetched: Fetched, cursor: str | None) -> PollState:
    """What the next fetch needs; validators are kept with the body they came with."""
    return replace(
        state,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        digest=fetched.digest,
        cursor=cursor if cursor is not None else fetched.cursor,
    )


def _report(claim: Claim, committed: Committed, problems: tuple[Problem, ...]) -> PollReport:
    for change in ("new", "updated", "withdrawn"):
        ENTRIES.labels(change=change).inc(len(getattr(committed, change)))
    result: Result = "unchanged"
    if committed.new:
        result = "new"
    elif committed.updated or committed.withdrawn:
        result = "updated"
    return PollReport(
        source=claim.source.id,
        result=result,
        new=len(committed.new),
        updated=len(committed.updated),
        withdrawn=len(committed.withdrawn),
        problems=problems,
    )


def _log_problems(claim: Claim, problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        if problem not in claim.state.problems:
            PROBLEMS.inc()
            log.warning(
                "document skipped",
                source=claim.source.id,
                document=problem.name,
                error=problem.message,
            )


async def poll_once(
    runtime: Runtime,
    *,
    only: Sequence[str] | None = None,
    ignore_schedule: bool = False,
    progress: Callable[[PollReport, int], None] = lambda report, claimed: None,
) -> Summary:
    """Polls what is due at this moment or was never polled, links what came, and adds it up.

    `only` restricts that to some sources; with `ignore_schedule` it is all whether due or not.

    `progress` is told each finished poll and how many have been claimed so far. Raises
    `StoreError` when the store fails; what was committed before stays.
    """
    summary = Summary()
    started = perf_counter()
    async with Poller(runtime) as poller, asyncio.TaskGroup() as group:
        await poller.mend_clock()
        finished: asyncio.Queue[PollReport] = asyncio.Queue()

        async def poll(claim: Claim) -> None:
            finished.put_nowait(await poller.poll(claim))

        claimed = 0
        start = runtime.clock()
        while True:
            claims = await poller.claim(
                limit=2 * runtime.config.poll.concurrency,
                due_at=start,
                only=only,
                ignore_schedule=ignore_schedule,
                untried=True,
            )
            claimed += len(claims)
            for claim in claims:
                group.create_task(poll(claim))
            if claimed == len(summary.reports):
                break
            # more is claimed when half of this is done, so that memory stays bounded; what waits
            # for its host is asked for again whenever a poll ends
            enough = claimed - len(claims) // 2 if claims else len(summary.reports) + 1
            while len(summary.reports) < enough:
                summary.reports.append(await finished.get())
                progress(summary.reports[-1], claimed)
        await poller.write(runtime.linker.drain)
    summary.seconds = perf_counter() - started
    return summary
