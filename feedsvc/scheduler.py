"""The clock: an APScheduler (memory job store) that ticks the poller and the upkeep.

One tick job claims whatever is due; a source never has a job of its own, so that 50,000 sources
cost no more than one. Which sources are due is the store's to say, how they are polled `poll`'s.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from .errors import FeedsvcError
from .fulltext import PageReader
from .log import get_logger
from .metrics import LINK_QUEUE, POLL_LAG, POLLS_RUNNING, SOURCES, STORE_ENTRIES
from .poll import Poller
from .runtime import Runtime
from .store.base import Claim
from .upkeep import prune

TICK = timedelta(milliseconds=250)
LINK_EVERY = timedelta(seconds=1)
READ_EVERY = timedelta(seconds=1)
MEASURE_EVERY = timedelta(seconds=5)
COUNT_EVERY = timedelta(minutes=1)
UPKEEP_EVERY = timedelta(hours=1)
DRAIN = timedelta(seconds=8)
_SET = timedelta(minutes=1)  # a clock that moves so much otherwise than time does was set

log = get_logger(__name__)


class PollService:
    """Polls until told to stop, then finishes what is under way."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopping = asyncio.Event()
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._jobs: set[asyncio.Task[object]] = set()
        self._began: datetime | None = None
        self._relating = False

    def stop(self) -> None:
        """Asks the service to end; `run` returns when polls under way are done or given back."""
        self._stopping.set()

    async def run(self) -> None:
        """Polls until `stop`. Raises nothing a single source or a busy database can cause."""
        async with (
            Poller(self._runtime, patient=True) as poller,
            PageReader(poller) as self._pages,
        ):
            scheduler = AsyncIOScheduler(timezone="UTC")
            scheduler.add_listener(_job_failed, EVENT_JOB_ERROR)
            for job, every in (
                (self._tick, TICK),
                (self._link, LINK_EVERY),
                (self._read_pages, READ_EVERY),
                (self._measure, MEASURE_EVERY),
                (self._count, COUNT_EVERY),
                (self._upkeep, UPKEEP_EVERY),
            ):
                scheduler.add_job(
                    self._steadily(job, poller),
                    "interval",
                    seconds=every.total_seconds(),
                    name=job.__name__.strip("_"),
                    max_instances=1,
                    coalesce=True,
                    misfire_grace_time=None,
                )
            scheduler.start()
            await self._steadily(self._count, poller)()
            log.info("polling", tick=str(TICK), concurrency=self._runtime.config.poll.concurrency)
            await self._stopping.wait()
            # shutting down cancels the jobs that run, so they come to their end before
            scheduler.pause()
            await self._drain(poller)
            scheduler.shutdown(wait=False)
        log.info("poller stopped")

    async def _tick(self, poller: Poller) -> None:
        await self._mind_clock(poller)
        room = 2 * self._runtime.config.poll.concurrency - len(self._running)
        if room <= 0 or self._stopping.is_set():
            return
        for claim in await poller.claims.take(limit=room):
            task = asyncio.create_task(self._poll(poller, claim), name=claim.source.id)
            self._running[task] = claim
            task.add_done_callback(lambda done: self._running.pop(done, None))

    async def _mind_clock(self, poller: Poller) -> None:
        """Puts schedules right as soon as the clock has been set."""
        running = timedelta(seconds=asyncio.get_running_loop().time())
        began = self._runtime.clock() - running
        if self._began is not None and abs(began - self._began) > _SET:
            log.warning("the clock was set", by=str(began - self._began))
            await poller.mend_clock()
        self._began = began

    async def _poll(self, poller: Poller, claim: Claim) -> None:
        try:
            report = await poller.poll(claim)
        except FeedsvcError as error:
            # the claim's lease ends by itself; a later tick or another poller takes the source up
            log.exception("poll not stored", source=claim.source.id, error=str(error))
            return
        if report.new or report.updated or report.withdrawn:
            log.info(
                "polled",
                source=report.source,
                new=report.new,
                updated=report.updated,
                withdrawn=report.withdrawn,
            )
            await self._steadily(self._link, poller)()

    async def _link(self, poller: Poller) -> None:
        # batch by batch, so that polls are committed in between
        while await poller.write(self._runtime.linker.run) and not self._stopping.is_set():
            pass
        # links by content may take long after a first poll: one batch at a time, whoever asks
        if self._relating:
            return
        self._relating = True
        try:
            while await poller.write(self._runtime.relater.run) and not self._stopping.is_set():
                pass
        finally:
            self._relating = False

    async def _read_pages(self, poller: Poller) -> None:
        if await self._pages.work(self._stopping.is_set):
            await self._link(poller)

    async def _measure(self, poller: Poller) -> None:
        POLLS_RUNNING.set(len(self._running))
        lag = await poller.write(lambda: self._runtime.store.lag(self._runtime.clock()))
        POLL_LAG.set(lag.total_seconds())

    async def _count(self, poller: Poller) -> None:
        await poller.mend_clock()
        counts = await poller.write(self._runtime.store.stats)
        SOURCES.set(counts.sources)
        STORE_ENTRIES.set(counts.entries)
        LINK_QUEUE.set(counts.waiting + counts.unlinked)

    async def _upkeep(self, poller: Poller) -> None:
        await poller.write(lambda: prune(self._runtime))

    async def _drain(self, poller: Poller) -> None:
        """Lets polls and jobs under way end for a moment; what is not done by then is given up."""
        under_way = {*self._running, *self._jobs}
        if under_way:
            await asyncio.wait(under_way, timeout=DRAIN.total_seconds())
        left = dict(self._running)
        unfinished = [*left, *self._jobs]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        if left:
            await poller.write(lambda: self._runtime.store.release(list(left.values())))

    def _steadily(
        self, job: Callable[[Poller], Awaitable[None]], poller: Poller
    ) -> Callable[[], Awaitable[None]]:
        """A job that reports a store in trouble instead of dying of it: the next run tries again.

        Cancelled, it ends without a word: only the end of the service cancels it.
        """

        async def run() -> None:
            task = asyncio.current_task()
            assert task is not None
            self._jobs.add(task)
            try:
                await job(poller)
            except FeedsvcError as error:
                log.error("store in trouble", job=job.__name__.strip("_"), error=str(error))
            except asyncio.CancelledError:
                log.info("job given up", job=job.__name__.strip("_"))
            finally:
                self._jobs.discard(task)

        return run


def _job_failed(event: JobExecutionEvent) -> None:
    log.error("job failed", job=event.job_id, exc_info=event.exception)


def run_poller(runtime: Runtime) -> None:
    """Runs the poll service in this process until SIGTERM or SIGINT."""

    async def main() -> None:
        service = PollService(runtime)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, service.stop)
        await service.run()

    asyncio.run(main())
