"""One round of polling: everything that is due, or is asked for, polled to its end and added up.

Claims are taken in portions while others run, so that memory stays bounded whatever the number of
sources. A single poll is `poll`'s; the service's endless rounds are the scheduler's.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from time import perf_counter

from .errors import FeedsvcError
from .fulltext import PageReader
from .poll import Poller
from .reports import PollReport, Summary
from .runtime import Runtime
from .store.base import Claim

_PORTION = 8  # claims taken at a time, for each poll that may run at a time
_GATHERING = 0.02  # seconds
# more than that is a first poll: links by content can wait for the service or `feedsvc relate`
_RELATED_AT_ONCE = 10_000  # entries


@asynccontextmanager
async def _one_error() -> AsyncIterator[None]:
    """Of the errors that ended several polls at once, raises the first of ours as it is."""
    try:
        yield
    except ExceptionGroup as group:
        error: Exception = group.subgroup(FeedsvcError) or group
        while error is not group and isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        raise error from None


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
    async with Poller(runtime) as poller:
        return await poll_due(poller, only=only, ignore_schedule=ignore_schedule, progress=progress)


async def poll_due(
    poller: Poller,
    *,
    only: Sequence[str] | None = None,
    ignore_schedule: bool = False,
    progress: Callable[[PollReport, int], None] = lambda report, claimed: None,
) -> Summary:
    """Does the work of `poll_once` with a poller that may have polled before."""
    summary = Summary()
    started = perf_counter()
    runtime = poller.runtime
    async with _one_error(), asyncio.TaskGroup() as group:
        await poller.mend_clock()
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
        start = runtime.clock()
        while True:
            claims = await poller.claims.take(
                limit=_PORTION * runtime.config.poll.concurrency,
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
            # more is claimed when half of what runs is done, so that memory stays bounded, or soon
            # after a poll has ended: others may be waiting for its host
            running = claimed - len(summary.reports)
            enough = len(summary.reports) + (running + 1) // 2
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as patience:
                    while len(summary.reports) < enough:
                        summary.reports.append(await finished.get())
                        progress(summary.reports[-1], claimed)
                        if patience.when() is None:
                            patience.reschedule(asyncio.get_running_loop().time() + _GATHERING)
        async with PageReader(poller) as pages:
            await pages.work()
        await poller.write(runtime.linker.drain)
        await poller.write(runtime.relater.index)
        came = summary.total("new") + summary.total("updated") + summary.total("withdrawn")
        if came <= _RELATED_AT_ONCE:
            await poller.write(lambda: runtime.relater.drain(limit=came))
    polled = {report.source for report in summary.reports}
    summary.left_alone = {id: reason for id, reason in left.items() if id not in polled}
    summary.seconds = perf_counter() - started
    return summary
