"""Group commit: polls that end together are written together, and fail each by itself."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from feedsvc.commits import MOST_ENTRIES, Commits, Make
from feedsvc.errors import ClaimLost, StoreUnavailable
from feedsvc.model import PollState
from feedsvc.store import SqlStore, open_store
from feedsvc.store.base import Claim, Committed, PollResult
from feedsvc.store.sqlite import SqliteStore
from tests.storekit import HOUR, NOW, add, claim, entry, uids

LATER = PollState(next_at=NOW + HOUR)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(f"sqlite:///{tmp_path}/store.sqlite")
    store.migrate()
    yield store
    store.close()


class Kit:
    """Commits on a store, and a way to hold up its thread."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.thread = ThreadPoolExecutor(1)
        self.attempts = 0
        self.commits = Commits(store, self.write, lambda: NOW)

    async def write(self, work: Callable[[], Any]) -> Any:
        self.attempts += 1
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    async def attempted(self, times: int) -> None:
        """Waits until the store was turned to so many more times."""
        until = self.attempts + times
        async with asyncio.timeout(60):
            while self.attempts < until:
                await asyncio.sleep(0.01)

    async def finish(self, taken: Claim, *names: str, make: Make | None = None) -> Committed:
        source = taken.source.id

        def result(known: object, now: datetime) -> PollResult:
            return PollResult(
                state=LATER, entries=tuple(entry(name, source=source) for name in names)
            )

        return await self.commits.finish(taken, names, make or result)


def transactions(store: SqlStore) -> list[str]:
    """What becomes of every transaction from now on."""
    seen: list[str] = []
    event.listen(store.engine, "commit", lambda connection: seen.append("commit"))
    return seen


def run(store: SqlStore, sources: Sequence[str], **makes: Make) -> tuple[list[Any], int]:
    """Ends a poll of each source, all at once: the outcomes, and how many transactions it took."""
    kit = Kit(store)
    claims = [claim(store, source) for source in sources]
    seen = transactions(store)

    async def main() -> list[Any]:
        return await asyncio.gather(
            *(
                kit.finish(taken, f"of-{taken.source.id}", make=makes.get(taken.source.id))
                for taken in claims
            ),
            return_exceptions=True,
        )

    outcomes = asyncio.run(main())
    kit.thread.shutdown()
    return outcomes, len(seen)


def test_polls_that_end_together_share_a_transaction(store: SqlStore) -> None:
    sources = [f"s{number}" for number in range(60)]
    outcomes, count = run(store, sources)
    assert [len(outcome.new) for outcome in outcomes] == [1] * 60
    # the first poll finds the store idle and goes alone or with whoever is there
    assert count <= 2
    assert sorted(uids(store)) == sorted(f"of-{source}" for source in sources)


def test_each_poll_is_answered_for_itself(store: SqlStore) -> None:
    def fail(known: object, now: datetime) -> PollResult:
        raise ValueError("this one cannot be made")

    add(store, "a", "b", "c")
    kit = Kit(store)
    late = claim(store, "a")
    claim(store, "a", now=NOW + timedelta(hours=1), owner="another")

    async def main() -> list[Any]:
        return await asyncio.gather(
            kit.finish(late, "one"),
            kit.finish(claim(store, "b"), "two"),
            kit.finish(claim(store, "c"), "three", make=fail),
            return_exceptions=True,
        )

    lost, written, failed = asyncio.run(main())
    assert isinstance(lost, ClaimLost)
    assert isinstance(failed, ValueError)
    assert len(written.new) == 1
    assert uids(store) == ["two"]


def test_what_is_known_reaches_the_one_who_decides(store: SqlStore) -> None:
    run(store, ["a", "b"])
    seen: dict[str, list[str]] = {}

    def note(name: str) -> Make:
        def make(known: Any, now: datetime) -> PollResult:
            seen[name] = list(known([f"of-{name}", "other"]))
            return PollResult(state=LATER)

        return make

    run(store, ["a", "b"], a=note("a"), b=note("b"))
    assert seen == {"a": ["of-a"], "b": ["of-b"]}


def test_large_groups_are_cut(store: SqlStore) -> None:
    kit = Kit(store)
    claims = [claim(store, name) for name in "abc"]
    seen = transactions(store)

    async def main() -> None:
        await asyncio.gather(
            *(
                kit.finish(taken, *(f"{taken.source.id}{n}" for n in range(MOST_ENTRIES - 1)))
                for taken in claims
            )
        )

    asyncio.run(main())
    assert len(seen) == 3
    assert len(uids(store, limit=5000)) == 3 * (MOST_ENTRIES - 1)


def test_one_who_no_longer_waits_holds_up_nobody(store: SqlStore) -> None:
    kit = Kit(store)
    first, second = claim(store, "a"), claim(store, "b")

    async def main() -> Committed:
        gone = asyncio.create_task(kit.finish(first, "one"))
        await asyncio.sleep(0)
        gone.cancel()
        return await kit.finish(second, "two")

    assert len(asyncio.run(main()).new) == 1
    assert "two" in uids(store)


def test_a_store_in_trouble_tells_all_and_serves_again(store: SqlStore) -> None:
    hasty = SqliteStore(store.url, wait=0.1)
    claims = [claim(hasty, name) for name in "ab"]
    kit = Kit(hasty)

    async def end() -> Sequence[Any]:
        ends = (kit.finish(taken, taken.source.id) for taken in claims)
        return await asyncio.gather(*ends, return_exceptions=True)

    with store.writing():
        assert all(isinstance(outcome, StoreUnavailable) for outcome in asyncio.run(end()))
    assert [len(outcome.new) for outcome in asyncio.run(end())] == [1, 1]
    hasty.close()


def test_a_patient_one_keeps_what_it_has_until_the_store_is_back(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedsvc.commits._PAUSE", 0.01)
    quick = open_store(f"sqlite:///{tmp_path}/store.sqlite", wait=0.05)
    add(store, "a", "b", "c")
    kit = Kit(quick)
    claims = [claim(store, name) for name in "abc"]

    async def main() -> None:
        with closing(sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await kit.finish(claims[0], "one")
            kit.commits = Commits(quick, kit.write, lambda: NOW, patient=True)
            tasks = [
                asyncio.create_task(kit.finish(taken, f"of-{taken.source.id}")) for taken in claims
            ]
            # one of them is not waited for any more: what it had is not needed, the rest is
            await kit.attempted(3)
            tasks[2].cancel()
            assert not any(task.done() for task in tasks[:2])
            other.execute("ROLLBACK")
        assert [len(done.new) for done in await asyncio.gather(*tasks[:2])] == [1, 1]

    asyncio.run(main())
    assert {"of-a", "of-b"} <= set(uids(store))
    quick.close()


def test_a_patient_one_whom_nobody_waits_for_gives_up(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedsvc.commits._PAUSE", 0.01)
    quick = open_store(f"sqlite:///{tmp_path}/store.sqlite", wait=0.05)
    add(store, "a")
    kit = Kit(quick)
    kit.commits = Commits(quick, kit.write, lambda: NOW, patient=True)
    taken = claim(store, "a")

    async def main() -> None:
        with closing(sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            task = asyncio.create_task(kit.finish(taken, "one"))
            await kit.attempted(2)
            task.cancel()
            async with asyncio.timeout(30):
                while any(one.get_name() == "commits" for one in asyncio.all_tasks()):
                    await asyncio.sleep(0.01)

    asyncio.run(main())
    assert uids(store) == []
    quick.close()
