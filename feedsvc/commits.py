"""Group commit: polls that end at about the same time are written in one transaction.

While the store's thread is busy with one group the next one gathers, so that a quiet service
writes each poll at once and a busy one many together. Each poll keeps its own fence: what one of
them cannot write is its own affair.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from .errors import StoreUnavailable
from .log import get_logger
from .store.base import Claim, Committed, Known, Mark, PollResult, Store

MOST_POLLS = 200
MOST_ENTRIES = 500
_PAUSE = 1.0  # seconds between two attempts at a store that is out of reach

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is known of a source's entries: looked up for the whole group, else when asked.

    `known` are those of the uids `asked`, `alike` those that have any of the `marks`, `forgotten`
    what was pruned at their places.
    """

    store: Store
    source_id: str
    asked: frozenset[str]
    known: Mapping[str, Known]
    marks: frozenset[Mark]
    alike: Sequence[Known]
    forgotten: Mapping[str, Known]

    def __call__(self, uids: Iterable[str]) -> Mapping[str, Known]:
        wanted = set(uids)
        if wanted <= self.asked:
            return {uid: self.known[uid] for uid in wanted & self.known.keys()}
        return self.store.known(self.source_id, wanted)

    def resembling(self, marks: Collection[Mark]) -> Sequence[Known]:
        """The source's entries that have any of these marks, and maybe others."""
        if self.marks.issuperset(marks):
            return self.alike
        return self.store.resembling_many({self.source_id: list(marks)})[self.source_id]


Make = Callable[[Lookup, datetime], PollResult]
Outcome = Committed | Exception


@dataclass(frozen=True, slots=True)
class _End:
    """The end of one poll, waiting to be written."""

    claim: Claim
    uids: Sequence[str]
    make: Make
    marks: Mapping[str, Mark]
    written: asyncio.Future[Committed]


class Commits:
    """Writes the ends of polls in groups. For one event loop; `write` runs work where the store is.

    `clock` tells the moment a group is written at. A `patient` one keeps what it cannot write for
    as long as the store is out of reach, so that nobody need be asked for it again.
    """

    def __init__(
        self,
        store: Store,
        write: Callable[[Callable[[], Sequence[Outcome]]], Awaitable[Sequence[Outcome]]],
        clock: Callable[[], datetime],
        *,
        patient: bool = False,
    ) -> None:
        self._store = store
        self._write = write
        self._clock = clock
        self._patient = patient
        self._waiting: list[_End] = []
        self._task: asyncio.Task[None] | None = None

    async def finish(
        self,
        claim: Claim,
        uids: Sequence[str],
        make: Make,
        marks: Mapping[str, Mark] = MappingProxyType({}),
    ) -> Committed:
        """Ends a poll with what `make` makes of what is known.

        `make` runs where the store is and may look up any uid of the source; `uids` are those it
        will ask for, looked up for the whole group at once, and those that are unknown by their
        `marks`. Raises `ClaimLost` when the source was
        taken over, `StoreError` when it cannot be written, and what `make` raises.
        """
        end = _End(claim, uids, make, marks, asyncio.get_running_loop().create_future())
        self._waiting.append(end)
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="commits")
        return await end.written

    async def _work(self) -> None:
        while self._waiting:
            group = self._next_group()
            outcomes = await self._written(group)
            for end, outcome in zip(group, outcomes, strict=True):
                if end.written.done():
                    continue  # whoever waited was cancelled
                if isinstance(outcome, Committed):
                    end.written.set_result(outcome)
                else:
                    end.written.set_exception(outcome)
        self._task = None

    async def _written(self, group: Sequence[_End]) -> Sequence[Outcome]:
        while True:
            try:
                return await self._write(lambda: self._commit(group))
            except StoreUnavailable as error:
                given_up = all(end.written.done() for end in group)
                if given_up or not self._patient:
                    return [error] * len(group)
                log.error("store in trouble", job="commit", polls=len(group), error=str(error))
                await asyncio.sleep(_PAUSE)
            except Exception as error:
                return [error] * len(group)

    def _next_group(self) -> list[_End]:
        """As many of those that wait as may go into one transaction."""
        entries = 0
        for number, end in enumerate(self._waiting):
            entries += len(end.uids)
            if number and (number == MOST_POLLS or entries > MOST_ENTRIES):
                break
        else:
            number = len(self._waiting)
        group, self._waiting = self._waiting[:number], self._waiting[number:]
        return group

    def _commit(self, group: Sequence[_End]) -> Sequence[Outcome]:
        asked = {end.claim.source.id: end.uids for end in group if end.uids}
        known = self._store.known_many(asked) if asked else {}
        strange = {
            end.claim.source.id: frozenset(
                end.marks[uid]
                for uid in end.marks.keys() - known.get(end.claim.source.id, {}).keys()
            )
            for end in group
        }
        sought = {id: list(marks) for id, marks in strange.items() if marks}
        alike = self._store.resembling_many(sought) if sought else {}
        places = {
            id: some
            for id, marks in sought.items()
            if (some := [mark.place for mark in marks if mark.place])
        }
        forgotten = self._store.known_many(places) if places else {}
        now = self._clock()
        outcomes: dict[int, Outcome] = {}
        polls: dict[int, tuple[Claim, PollResult]] = {}
        for number, end in enumerate(group):
            try:
                id = end.claim.source.id
                lookup = Lookup(
                    self._store,
                    id,
                    frozenset(end.uids),
                    known.get(id, {}),
                    strange[id],
                    alike.get(id, ()),
                    forgotten.get(id, {}),
                )
                polls[number] = end.claim, end.make(lookup, now)
            except StoreUnavailable:
                raise  # it is nobody's own affair
            except Exception as error:
                outcomes[number] = error
        written = self._store.finish_polls(list(polls.values()), now)
        outcomes |= zip(polls, written, strict=True)
        return [outcomes[number] for number in range(len(group))]
