"""The way in: claim a source, fetch it, digest what came, and commit it in one transaction.

Fetching is asynchronous, digesting (parse, normalise, tag) runs in parser processes, the store is
written by one thread. Every error ends here, on the source it belongs to: one bad source stops
nobody. When to come again is decided in `pacing`, what counts as new in `normalise`.
"""

import asyncio
import gc
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import Any, Self, TypeVar

from msgspec.structs import replace as with_fields

from .arrivals import marks, named, sort_out
from .claims import Claims
from .commits import Commits, Lookup
from .digest import Digest, joined, packed, unpacked
from .errors import ClaimLost, FeedsvcError, FetchError, ParseError, SourceError, SourceGone
from .httpclient import HttpClient
from .log import get_logger
from .metrics import ENTRIES, FETCHED_BYTES, POLL_SECONDS, POLLS, PROBLEMS
from .model import PollState, Problem, Source
from .normalise.learning import rested
from .pacing import Outcome, next_state, settle
from .parsers import Parsers
from .polls import Demand
from .reports import PollReport, Result
from .runtime import Runtime
from .sources import KINDS
from .sources.base import Fetched, FetchTools, SourceReader
from .store.base import Claim, Committed, PollResult

_LONGEST_PAUSE = 3600.0
_SECONDS = 60.0
_PART_SECONDS = 20.0
_SECONDS_PER_BYTE = 1 / 100_000

T = TypeVar("T")

log = get_logger(__name__)


class Poller:
    """Polls claimed sources. An asynchronous context; one a process.

    A `patient` one keeps what it fetched while the store is out of reach, and writes it then.
    """

    def __init__(self, runtime: Runtime, *, patient: bool = False) -> None:
        self.runtime = runtime
        self._stack = AsyncExitStack()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._slots = asyncio.Semaphore(runtime.config.poll.concurrency)
        self.claims = Claims(runtime, self.write)
        self._commits = Commits(runtime.store, self.write, runtime.clock, patient=patient)
        self._moved: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.claims)
        self._http = await self._stack.enter_async_context(self.runtime.http())
        poll = self.runtime.config.poll
        self._parsers = Parsers(self.runtime.config, poll.workers or os.cpu_count() or 1)
        # entries on their way into the store are many objects and no circles: looking for them
        # among all there are after every 700 costs a tenth of the time
        gc.set_threshold(20_000)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._parsers.close)
        await self._stack.aclose()
        self._writer.shutdown()

    @property
    def http(self) -> HttpClient:
        """The HTTP client that feeds are fetched with."""
        return self._http

    async def mend_clock(self) -> None:
        """Puts schedules right that were made while the clock was ahead."""
        lead = await self.write(lambda: self.runtime.store.mend_clock(self.runtime.clock()))
        if lead:
            log.warning("the clock was ahead; schedules moved back", by=str(lead))

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
            found = await self.read(packed, source, None, fetched, now, size=fetched.bytes)
            return fetched, unpacked(found)
        except ParseError as error:
            return fetched, error

    async def first(self, claim: Claim, fetched: Fetched, found: Digest) -> PollReport:
        """Commits what a look brought as the first poll of a source."""
        try:
            return await self._commit(claim, fetched, found, perf_counter())
        finally:
            self.claims.done(claim)

    async def read(
        self, work: Callable[..., T], *arguments: Any, size: int, seconds: float = _SECONDS
    ) -> T:
        """Runs a function in a parser process, with time in proportion to the bytes it reads.

        Raises what it raises, and `ParseError` when it takes too long or too much memory.
        """
        seconds += size * _SECONDS_PER_BYTE
        return await self._parsers.run(work, *arguments, seconds=seconds)

    async def poll(self, claim: Claim) -> PollReport:
        """Polls one claimed source to its end, whatever happens on the way."""
        try:
            if claim.not_before is not None:
                pause = (claim.not_before - self.runtime.clock()).total_seconds()
                await asyncio.sleep(min(max(pause, 0), _LONGEST_PAUSE))
            started = perf_counter()
            async with self._slots:
                report = await self._guarded(claim)
        finally:
            self.claims.done(claim)
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
        return await self._commit(claim, fetched, found, started)

    async def _digest(self, claim: Claim, fetched: Fetched, seconds: float = _SECONDS) -> Digest:
        now, size = self.runtime.clock(), fetched.bytes
        arguments = (claim.source, claim.meta, fetched, now)
        try:
            return unpacked(await self.read(packed, *arguments, size=size, seconds=seconds))
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

    async def _unchanged(self, claim: Claim, fetched: Fetched, started: float) -> PollReport:
        outcome = _answered(fetched, started)
        state = self._next(_remember(claim.state, fetched, None), outcome, claim.source)
        # what could not be read before is still there: an unchanged listing does not mend it
        state = with_fields(state, problems=claim.state.problems, churn=rested(claim.state.churn))
        await self._commits.finish(
            claim, (), lambda known, now: self._settled(claim, PollResult(state=state), now)
        )
        return PollReport(source=claim.source.id, result="unchanged", problems=state.problems)

    async def _commit(
        self, claim: Claim, fetched: Fetched, found: Digest, started: float
    ) -> PollReport:
        answered = replace(
            _answered(fetched, started),
            hints=found.hints,
            posted=tuple(entry.published for entry in found.entries if entry.dated),
        )

        def result(known: Lookup, now: datetime) -> PollResult:
            came = sort_out(
                found,
                entries,
                known,
                source=claim.source,
                state=claim.state,
                store=self.runtime.store,
                config=config,
                now=now,
            )
            outcome = replace(answered, new=came.new, updated=len(came.entries) - came.new)
            # what was not taken must be read again, even if it does not change any more: the next
            # request is made with the validators of what was
            remembered = claim.state if came.held else _remember(claim.state, fetched, found.cursor)
            state = self._next(remembered, outcome, claim.source)
            state = with_fields(
                state,
                problems=found.problems,
                next_at=now if fetched.more else state.next_at,
                ids=came.ids,
                churn=came.churn,
                behind=came.behind,
            )
            written = PollResult(
                state=state,
                entries=came.entries,
                removed=found.removed,
                renamed=came.renamed,
                pages=came.pages,
                meta=found.meta,
            )
            return self._settled(claim, written, now)

        config = self.runtime.config
        entries = named(found, claim.source, claim.state, config.site.authority)
        uids = [entry.uid for entry in entries]
        sought = marks(entries, claim.source, claim.state.last_ok_at is not None)
        committed = await self._commits.finish(claim, uids, result, sought)
        _log_problems(claim, found.problems)
        return replace(_report(claim, committed, found.problems), more=fetched.more)

    def _settled(self, claim: Claim, result: PollResult, now: datetime) -> PollResult:
        """The end of a poll that succeeded, with the new location if the source has moved."""

        def holder(location: str) -> str | None:
            # what moves in the same group is not to be found in the store yet
            return self.runtime.store.located(location) or self._moved.get(location)

        state, location = settle(result.state, claim.source, holder, now)
        if location is not None:
            self._moved[location] = claim.source.id
        return replace(result, state=state, location=location)

    async def _failed(
        self, claim: Claim, error: SourceError, started: float, fetched: Fetched | None = None
    ) -> PollReport:
        outcome = _answered(fetched or Fetched(), started)
        if isinstance(error, FetchError):
            outcome = replace(outcome, status=error.status, demands=refusal(error))
        outcome = replace(
            outcome,
            kind="gone" if isinstance(error, SourceGone) else "failed",
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
            await self._commits.finish(claim, (), lambda known, now: result)
        except ClaimLost:
            return PollReport(source=claim.source.id, result="lost")
        return PollReport(source=claim.source.id, result="failed", error=str(error))

    def _next(self, state: PollState, outcome: Outcome, source: Source) -> PollState:
        return next_state(
            state, outcome, source=source, bounds=self.runtime.bounds, now=self.runtime.clock()
        )


def refusal(error: FetchError) -> tuple[Demand, ...]:
    """How long an answer that refused us tells us to stay away, by each field that says so."""
    told = [Demand(wait=error.fresh[1], by=error.fresh[0])] if error.fresh else []
    if error.retry_after:
        told.append(Demand(wait=error.retry_after, by="Retry-After"))
    return tuple(told)


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
    return with_fields(
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
