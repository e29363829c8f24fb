"""Nothing is lost or doubled, whatever is killed and whenever.

`FEEDSVC_SOAK_KILLS` says how often; with `FEEDSVC_SOAK_SEED` the same is killed again.
"""

import os
import random
import resource
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from feedsvc.store import open_store
from tests.feedserver import FeedServer
from tests.postgres import Postgres
from tests.service import Service
from tests.soak import Publishers, Soak

KILLS = int(os.environ.get("FEEDSVC_SOAK_KILLS", "6"))
SEED = int(os.environ.get("FEEDSVC_SOAK_SEED", "0")) or time.time_ns() % 1_000_000


@pytest.fixture
def soak(
    request: pytest.FixtureRequest,
    backend: str,
    make_service: Callable[..., Service],
    feed_server: FeedServer,
) -> Soak:
    """A service on each backend in turn, with publishers that it has read once."""
    chance = random.Random(SEED)
    service = make_service(backend, seeds=False)
    service.seeds.mkdir()
    url = f"sqlite:///{service.folder}/data/feedsvc.db"
    if backend == "postgresql":
        url = request.getfixturevalue("postgres_url")
        service.environment["FEEDSVC_STORE__URL"] = url
    publishers = Publishers(feed_server, service.seeds, chance)
    service.config(publishers.config())
    service.start()
    return Soak(service, publishers, url, chance)


def test_nothing_is_lost_or_doubled_by_kills(
    soak: Soak, capsys: pytest.CaptureFixture[str]
) -> None:
    killer = soak.kill(KILLS)
    assert soak.service.stop() == 0
    store = open_store(soak.url)
    try:
        assert store.check() == ()
        states = [(status.source.id, status.state) for status in store.sources()]
    finally:
        store.close()
    assert [id for id, state in states if state.error or state.failures] == []
    waits = sorted(soak.resumed)
    with capsys.disabled():
        print(
            f"\n{store.backend}, seed {SEED}: killed {dict(killer.killed)}; resumed after "
            f"{waits[len(waits) // 2]:.1f} s (median), {waits[-1]:.1f} s (longest); "
            f"{sum(map(len, soak.publishers.feeds.values()))} entries of feeds, "
            f"{len(soak.publishers.files)} files, {len(soak.publishers.server.requests())} requests"
        )


def test_a_store_that_takes_nothing_is_waited_for(
    request: pytest.FixtureRequest, soak: Soak
) -> None:
    """A lock held for longer than one is waited for, or a database server that is gone."""
    soak.settle()
    asked = soak.publishers.unconditional.total()
    before = soak.service.children()
    trouble = soak.service.log.count("store in trouble")
    for _ in range(10):
        soak.publishers.publish()

    def troubled() -> bool:
        return soak.service.log.count("store in trouble") > trouble

    if "sqlite" in soak.url:
        path = soak.url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            soak.service.wait(troubled, "the lock to be noticed")
            # readers are not held up
            assert soak.service.get("/feeds/all.atom").status == 200
            requests = len(soak.publishers.server.requests())
            other.execute("ROLLBACK")
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        postgres.crash()
        try:
            soak.service.wait(troubled, "the database to be missed")
            requests = len(soak.publishers.server.requests())
        finally:
            postgres.begin()
    soak.settle()
    # what had been fetched was written and not asked for again, and nobody had to be started anew
    assert soak.publishers.unconditional.total() == asked
    assert len(soak.publishers.server.requests()) > requests
    assert soak.service.children()["poll"] == before["poll"]
    assert soak.service.stop() == 0


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_full_disk_loses_nothing(soak: Soak) -> None:
    soak.settle()
    poller = soak.service.children()["poll"]
    # no file of this process may grow beyond this, as on a disk that has no more room
    full = max(200_000, len(soak.service.log) + 100_000)
    resource.prlimit(poller, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))

    def troubled() -> bool:
        soak.publishers.publish()
        return "is its disk full" in soak.service.log or "disk is full" in soak.service.log

    soak.service.wait(troubled, "the disk to be full")
    assert soak.service.get("/feeds/all.atom").status == 200
    asked = soak.publishers.unconditional.total()
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(poller, resource.RLIMIT_FSIZE, unlimited)
    soak.settle()
    assert soak.publishers.unconditional.total() == asked
    assert soak.service.children()["poll"] == poller
    assert soak.service.stop() == 0
