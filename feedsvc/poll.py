"""The way in: claim a source, fetch it, digest what came, and commit it in one transaction.

Fetching is asynchronous, digesting (parse, normalise, tag) runs in parser processes, the store is
written by one thread. Every error ends here, on the source it belongs to: one bad source stops
nobody. When to come again is decided in `pacing`, what counts as new in `normalise`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Any, Literal, Self, TypeVar

from .claims import Claims
from .commits import Commits
from .digest import Digest, digest, joined
from .errors import ClaimLost, FeedsvcError, FetchError, ParseError, SourceError, SourceGone
from .log import get_logger
from .metrics import ENTRIES, FETCHED_BYTES, POLL_SECONDS, POLLS, PROBLEMS
from .model import PollState, Problem, Source
from .normalise.entry import reconcile
from .normalise.identity import distinct
from .pacing import Outcome, next_state
from .parsers import Parsers
from .runtime import Runtime
from .sources import KINDS
from .sources.base import Fetched, FetchTools, SourceReader
from .store.base import Claim, Committed, Known, PollResult

_PARSE_SECONDS = 60.0
_PART_SECONDS = 20.0
_SECONDS_PER_BYTE = 1 / 100_000

T = TypeVar("T")
Result = Literal["new", "updated", "unchanged", "failed", "lost"]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport:
    """How one poll went, for people; with `more` there is something left that it did not take."""

    source: str
    result: Result
    new: int = 0
    updated: int = 0
    withdrawn: int = 0
    problems: tuple[Problem, ...] = ()
    error: str | None = None
    more: bool = False

    def followed_by(self, then: "PollReport") -> "PollReport":
        """This and the next poll of the same source as one."""
        news = self.result if then.result == "unchanged" else then.result
        counts = {n: getattr(self, n) + getattr(then, n) for n in ("new", "updated", "withdrawn")}
        return replace(then, result=news, **counts)


@dataclass(slots=True)
class Summary:
    """A run of polls added up; `left_alone` are sources it was asked for, each with the reason."""

    reports: list[PollReport] = field(default_factory=list)
    left_alone: Mapping[str, str] = field(default_factory=dict)
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
        self._stack = AsyncExitStack()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._slots = asyncio.Semaphore(runtime.config.poll.concurrency)
        self.claims = Claims(runtime, self.write)
        self._commits = Commits(runtime.store, self.write, runtime.clock)

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.claims)
        self._http = await self._stack.enter_async_context(self.runtime.http())
        poll = self.runtime.config.poll
        self._parsers = Parsers(self.runtime.config, poll.workers or os.cpu_count() or 1)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._parsers.close)
        await self._stack.aclose()
        self._writer.shutdown()

    async def write(self, work: Callable[[], T]) -> T:
        """Runs something on the one thread that uses the store."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    async def look(self, source: Source) -> tuple[Fetched, Digest | ParseError]:
        """Fetches a source that is not stored yet and reads it, or says why it is no feed.

        Raises `FetchError`. What it brings is the first poll, if the source is added: `first`.
        """
        tools = FetchTools(http=self._http, now=self.runtime.clock())
        fetched = await KINDS[source.kind].fetch(source, PollState(), tools)
        try:
            now = self.runtime.clock()
            return fetched, await self.read(digest, source, None, fetched, now, size=fetched.bytes)
        except ParseError as error:
            return fetched, error

    async def first(self, claim: Claim, fetched: Fetched, found: Digest) -> PollReport:
        """Commits what a look brought as the first poll of a source."""
        try:
            return await self._commit(claim, fetched, found)
        finally:
            self.claims.done(claim)

    async def read(
        self, work: Callable[..., T], *arguments: Any, size: int, seconds: float = _PARSE_SECONDS
    ) -> T:
        """Runs a function in a parser process, in `seconds` and more for the bytes it reads.

        Raises what it raises, and `ParseError` when it takes too long or too much memory.
        """
        seconds += size * _SECONDS_PER_BYTE
        return await self._parsers.run(work, *arguments, seconds=seconds)

    async def poll(self, claim: Claim) -> PollReport:
        """Polls one claimed source to its end, whatever happens on the way."""
        started = perf_counter()
        try:
            async with self._slots:
                report = await self._guarded(claim)
        finally:
            self.claims.done(claim)
        POLL_SECONDS.observe(perf_counter() - started)
        POLLS.labels(outcome=report.result).inc()
        return report

    async def _guarded(self, claim: Claim) -> PollReport:
        try:
            return await self._poll(claim)
        except ClaimLost:
            log.warning("claim lost", source=claim.source.id)
            return PollReport(source=claim.source.id, result="lost")
        except SourceError as error:
            return await self._failed(claim, error)
        except FeedsvcError:
            raise
        except Exception as error:
            log.exception("poll broke", source=claim.source.id)
            return await self._failed(claim, SourceError(f"{type(error).__name__}: {error}"))

    async def _poll(self, claim: Claim) -> PollReport:
        source, state = claim.source, claim.state
        reader: SourceReader = KINDS[source.kind]
        tools = FetchTools(http=self._http, now=self.runtime.clock())
        fetched = await reader.fetch(source, state, tools)
        FETCHED_BYTES.inc(fetched.bytes)
        if fetched.unchanged:
            return await self._unchanged(claim, fetched)
        found = await self._digest(claim, fetched)
        return await self._commit(claim, fetched, found)

    async def _digest(
        self, claim: Claim, fetched: Fetched, seconds: float = _PARSE_SECONDS
    ) -> Digest:
        told = claim.source, claim.meta, fetched, self.runtime.clock()
        try:
            return await self.read(digest, *told, size=fetched.bytes, seconds=seconds)
        except Exception as error:
            # a document that takes its process with it must cost no other one
            said = "" if isinstance(error, FeedsvcError) else f"{type(error).__name__}: "
            parts = fetched.parts(f"{said}{error}")
            if not parts:
                raise
        found: list[Digest] = []
        for part in parts:
            with_cursor = replace(part, cursor=found[-1].cursor) if found else part
            found.append(await self._digest(claim, with_cursor, _PART_SECONDS))
        return joined(found)

    async def _unchanged(self, claim: Claim, fetched: Fetched) -> PollReport:
        state = self._next(
            _remember(claim.state, fetched, None),
            Outcome(kind="ok", min_wait=fetched.min_wait, status=fetched.status),
            claim.source,
        )
        # what could not be read before is still there: an unchanged listing does not mend it
        state = replace(state, problems=claim.state.problems)
        await self._finish(claim, PollResult(state=state))
        return PollReport(source=claim.source.id, result="unchanged", problems=state.problems)

    async def _commit(self, claim: Claim, fetched: Fetched, found: Digest) -> PollReport:
        def result(known: Mapping[str, Known], now: datetime) -> PollResult:
            more_known = partial(self.runtime.store.known, claim.source.id)
            authority = self.runtime.config.site.authority
            entries, known = distinct(found.entries, known, more_known, authority=authority)
            changed = [reconcile(known.get(entry.uid), entry, now) for entry in entries]
            return PollResult(
                state=replace(
                    state,
                    problems=found.problems,
                    next_at=now if fetched.more else state.next_at,
                ),
                entries=tuple(entry for entry in changed if entry is not None),
                removed=found.removed,
                meta=found.meta,
            )

        waits = [wait for wait in (fetched.min_wait, found.min_wait) if wait is not None]
        state = self._next(
            _remember(claim.state, fetched, found.cursor),
            Outcome(kind="ok", min_wait=max(waits, default=None), status=fetched.status),
            claim.source,
        )
        uids = [entry.uid for entry in found.entries]
        committed = await self._commits.finish(claim, uids, result)
        _log_problems(claim, found.problems)
        return replace(_report(claim, committed, found.problems), more=fetched.more)

    async def _finish(self, claim: Claim, result: PollResult) -> None:
        """Ends a poll that brought no entries."""
        await self._commits.finish(claim, (), lambda known, now: result)

    async def _failed(self, claim: Claim, error: SourceError) -> PollReport:
        outcome = Outcome(
            kind="gone" if isinstance(error, SourceGone) else "failed",
            retry_after=error.retry_after if isinstance(error, FetchError) else None,
            status=error.status if isinstance(error, FetchError) else None,
            error=str(error),
        )
        log.warning("poll failed", source=claim.source.id, error=str(error))
        state = self._next(claim.state, outcome, claim.source)
        result = PollResult(state=state, enabled=False if outcome.kind == "gone" else None)
        try:
            await self._finish(claim, result)
        except ClaimLost:
            return PollReport(source=claim.source.id, result="lost")
        return PollReport(source=claim.source.id, result="failed", error=str(error))

    def _next(self, state: PollState, outcome: Outcome, source: Source) -> PollState:
        return next_state(
            state, outcome, source=source, bounds=self.runtime.bounds, now=self.runtime.clock()
        )


def _remember(state: PollState, fetched: Fetched, cursor: str | None) -> PollState:
    """What the next fetch needs; validators are kept with the body they came with."""
    return replace(
        state,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        digest=fetched.digest,
        cursor=next((c for c in (cursor, fetched.cursor) if c is not None), state.cursor),
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
                "problem in a document",
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
    """Polls what is due at this moment (or all of `only`), links what came, and adds it up.

    `progress` is told each finished poll and how many have been claimed so far. Raises
    `StoreError` when the store fails; what was committed before stays.
    """
    summary = Summary()
    started = perf_counter()
    async with Poller(runtime) as poller, asyncio.TaskGroup() as group:
        finished: asyncio.Queue[PollReport] = asyncio.Queue()

        async def poll(claim: Claim) -> None:
            report = await poller.poll(claim)
            while report.more:
                rest = await poller.claims.take(limit=1, only=[report.source], ignore_schedule=True)
                if not rest:
                    break  # another poller has it, and takes the rest
                report = report.followed_by(await poller.poll(rest[0]))
            finished.put_nowait(report)

        left = await poller.claims.left_alone(only=only, ignore_schedule=ignore_schedule)
        claimed = 0
        async for claims in _batches(poller, only, ignore_schedule):
            claimed += len(claims)
            for claim in claims:
                group.create_task(poll(claim))
            # the next batch is claimed when half of this one is done, so that memory stays bounded
            while claimed - len(summary.reports) > len(claims) // 2:
                summary.reports.append(await finished.get())
                progress(summary.reports[-1], claimed)
        while len(summary.reports) < claimed:
            summary.reports.append(await finished.get())
            progress(summary.reports[-1], claimed)
        await poller.write(runtime.linker.drain)
    polled = {report.source for report in summary.reports}
    summary.left_alone = {id: reason for id, reason in left.items() if id not in polled}
    summary.seconds = perf_counter() - started
    return summary


async def _batches(
    poller: Poller, only: Sequence[str] | None, ignore_schedule: bool
) -> AsyncIterator[tuple[Claim, ...]]:
    """Claims until nothing that was due at the start is left; each source at most once."""
    room = 2 * poller.runtime.config.poll.concurrency
    start = poller.runtime.clock()
    if ignore_schedule:
        ids = only or [status.source.id for status in poller.runtime.store.sources()]
        for chunk in range(0, len(ids), room):
            part = ids[chunk : chunk + room]
            yield await poller.claims.take(limit=room, only=part, ignore_schedule=True)
        return
    while claims := await poller.claims.take(limit=room, due_at=start, only=only):
        yield claims
