"""Full text: the pages of new entries of sources that ask for it, fetched once and read.

Pages are asked for when their entries are written (`arrivals`), wait in the store, and are fetched
under the same limits as feeds: private networks, size, time, turns at hosts, Retry-After; and under
what a host's robots.txt says. An entry whose page cannot be had stays as its feed gave it. A page
may be fetched again after a crash, but only if nothing of the first time was stored.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from ipaddress import ip_address
from socket import SOCK_STREAM
from typing import Self
from urllib.parse import urlsplit

from .errors import FeedsvcError, FetchError, SourceError
from .fullpage import read_page
from .httpclient import HttpClient, is_global
from .log import get_logger
from .metrics import FETCHED_BYTES, PAGES
from .model import Entry, Source
from .pacing import host_of
from .pacing.pages import next_try
from .poll import Poller
from .sources.pages import ACCEPT, MAX_BYTES, may_be_page
from .sources.robots import MAX_BYTES as MAX_ROBOTS
from .sources.robots import Ruling, ruling
from .store.base import PageClaim, PageResult

LEASE = timedelta(minutes=10)
ROBOTS_FOR = timedelta(days=1)  # no longer may a robots.txt be kept (RFC 9309 §2.4)
_LONGEST_DELAY = 60.0
_SECONDS = 20.0
_SHARE = 4  # of `poll.concurrency`, pages may have a quarter
_PASSING = frozenset({408, 425, 429})
_FAULTS = frozenset({"timeout", "connection", "name"})

log = get_logger(__name__)


class _Busy(Exception):
    """A page cannot be had for the moment, because of this."""

    def __init__(self, error: FetchError) -> None:
        super().__init__(str(error))
        self.error = error


class PageReader:
    """Reads the pages that are due. An asynchronous context around a poller's; one a process."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._runtime = poller.runtime
        self._store = poller.runtime.store
        self._stack = AsyncExitStack()
        self._turns: dict[str, asyncio.Lock] = {}
        self._free_at: dict[str, float] = {}
        agent = self._runtime.config.poll.user_agent
        self._agent = agent.partition("/")[0].strip() or "feedsvc"

    async def __aenter__(self) -> Self:
        self._public: HttpClient = await self._stack.enter_async_context(
            self._runtime.http(private=False)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def work(self, stopping: Callable[[], bool] = lambda: False) -> int:
        """Reads all pages that are due, some at a time; returns how many entries got their text.

        Cancelled or stopped, it gives back what it had not read.
        """
        poll = self._runtime.config.poll
        most = max(poll.concurrency // _SHARE, 1)
        running: dict[asyncio.Task[bool], PageClaim] = {}
        got = 0
        try:
            while True:
                room = most - len(running)
                claims = await self._claim(room) if room and not stopping() else ()
                for claim in claims:
                    running[asyncio.create_task(self._finish(claim), name=claim.entry.key)] = claim
                if not running:
                    return got
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    del running[task]
                    got += task.result()
        finally:
            await self._give_back(running)

    async def _claim(self, room: int) -> tuple[PageClaim, ...]:
        poll, now = self._runtime.config.poll, self._runtime.clock()
        return await self._poller.write(
            lambda: self._store.claim_pages(
                now=now,
                owner=self._poller.claims.owner,
                lease=LEASE,
                limit=room,
                per_host=poll.per_host,
                host_delay=poll.host_delay,
            )
        )

    async def _give_back(self, running: dict[asyncio.Task[bool], PageClaim]) -> None:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if left := list(running.values()):
            await self._poller.write(lambda: self._store.release_pages(left))

    async def _finish(self, claim: PageClaim) -> bool:
        """Reads one page to its end, whatever happens on the way; whether the entry got its text.

        Raises `StoreError`.
        """
        if claim.not_before is not None:
            pause = (claim.not_before - self._runtime.clock()).total_seconds()
            await asyncio.sleep(min(max(pause, 0), LEASE.total_seconds() / 2))
        try:
            result = await self._result(claim)
        except FeedsvcError:
            raise
        except Exception as error:
            log.exception("reading a page broke", source=claim.source.id, page=claim.entry.link)
            result = PageResult(error=f"{type(error).__name__}: {error}")
        if result.error is not None:
            log.warning(
                "page not read", source=claim.source.id, page=claim.entry.link, error=result.error
            )
        now = self._runtime.clock()
        written = await self._poller.write(lambda: self._store.finish_page(claim, result, now))
        PAGES.labels(outcome="failed" if result.error else "read").inc()
        return written

    async def _result(self, claim: PageClaim) -> PageResult:
        source, url = claim.source, claim.entry.link
        if not source.fulltext or url is None or not may_be_page(url):
            return PageResult()
        try:
            http = self._poller.http if await self._is_private(source) else self._public
            rules = await self._ruling(http, url)
            if not rules.allowed:
                return PageResult(error="its host's robots.txt asks robots not to read it")
            entry = await self._read(http, claim, url, rules.delay)
        except _Busy as busy:
            return self._failed(claim, busy.error, passing=True)
        except SourceError as error:
            passing = isinstance(error, FetchError) and _is_passing(error)
            return self._failed(claim, error, passing=passing)
        host, resting = claim.host, None
        if rules.delay:
            resting = self._runtime.clock() + timedelta(seconds=min(rules.delay, _LONGEST_DELAY))
        return PageResult(entry=entry, host=host, resting=resting)

    def _failed(self, claim: PageClaim, error: SourceError, *, passing: bool) -> PageResult:
        now, message = self._runtime.clock(), str(error)
        if error.fault == "private" and self._runtime.config.poll.allow_private:
            message = (
                f"{message.partition(';')[0]}; only sources on private networks have pages read "
                "there, and only at addresses that poll.allow_private names"
            )
        wait = error.retry_after if isinstance(error, FetchError) else None
        host = error.host if isinstance(error, FetchError) else None
        return PageResult(
            error=message.removesuffix(": this feed was removed for good"),
            due=next_try(now, claim.tries, wait) if passing else None,
            host=host if wait else None,
            resting=now + wait if wait else None,
        )

    async def _read(
        self, http: HttpClient, claim: PageClaim, url: str, delay: float
    ) -> Entry | None:
        source = claim.source
        headers, auth = {"accept": ACCEPT}, None
        if _origin(url) == _origin(source.location):
            # what opens the feed may open its pages; nobody else gets to see it
            own = ((name.lower(), value) for name, value in source.headers)
            headers = {**dict(own), **headers}
            auth = source.auth or _userinfo(source.location)
        async with self._turn(claim.host, delay):
            response = await http.get(url, headers=headers, auth=auth)
        FETCHED_BYTES.inc(len(response.body))
        return await self._poller.read(
            read_page,
            claim.entry,
            source,
            response.body[: MAX_BYTES + 1],
            response.url,
            response.headers.get("content-type"),
            size=len(response.body),
            seconds=_SECONDS,
        )

    # -- hosts -----------------------------------------------------------------------------

    async def _ruling(self, http: HttpClient, url: str) -> Ruling:
        """What the host's robots.txt says of a page; a host without one allows everything.

        Raises `_Busy` where that cannot be told for the moment (RFC 9309 §2.3.1.4).
        """
        origin = _origin(url)
        # asked once, however many pages wait for it
        turn = self._turns.setdefault(f"robots.txt of {origin}", asyncio.Lock())
        async with turn:
            since = self._runtime.clock() - ROBOTS_FOR
            said = await self._poller.write(lambda: self._store.robots(origin, since=since))
            if said is None:
                said = await self._robots(http, url)
                kept, now = said, self._runtime.clock()
                await self._poller.write(lambda: self._store.put_robots(origin, kept, now))
        if not said.strip():
            return Ruling()
        size = len(said)
        return await self._poller.read(ruling, said, url, self._agent, size=size, seconds=_SECONDS)

    async def _robots(self, http: HttpClient, url: str) -> str:
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/robots.txt"
        try:
            response = await http.get(place, headers={"accept": "text/plain, */*;q=0.1"})
        except FetchError as error:
            if error.status is not None and error.status < 500 and error.status != 429:
                return ""
            if error.fault == "private":
                raise
            raise _Busy(error) from error
        return response.body[:MAX_ROBOTS].decode("utf-8", "replace")

    def _turn(self, host: str | None, delay: float) -> "_Turn":
        """One page at a time of a host that asks for a delay between them."""
        return _Turn(self._turns, self._free_at, host or "", min(delay, _LONGEST_DELAY))

    async def _is_private(self, source: Source) -> bool:
        """Whether a source is itself on a private network that was allowed.

        Only then its pages may be: a feed of a stranger must not have us read, and publish, what
        stands on a private host that is allowed for another source.
        """
        parts = urlsplit(source.location)
        if not self._runtime.config.poll.allow_private or not parts.hostname:
            return False
        try:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(parts.hostname, None, type=SOCK_STREAM)
        except OSError:
            return False
        addresses = {str(where[0]).partition("%")[0] for *_, where in found}
        return all(not is_global(ip_address(address)) for address in addresses)


class _Turn:
    """A turn at a host: at once, or after the delay it asks for, one at a time."""

    def __init__(
        self, locks: dict[str, asyncio.Lock], free_at: dict[str, float], host: str, delay: float
    ) -> None:
        self._lock = locks.setdefault(host, asyncio.Lock()) if delay else None
        self._free_at, self._host, self._delay = free_at, host, delay

    async def __aenter__(self) -> None:
        if self._lock is None:
            return
        await self._lock.acquire()
        now = asyncio.get_running_loop().time()
        try:
            await asyncio.sleep(max(self._free_at.get(self._host, now) - now, 0))
        except BaseException:
            self._lock.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        if self._lock is not None:
            self._free_at[self._host] = asyncio.get_running_loop().time() + self._delay
            self._lock.release()


def _is_passing(error: FetchError) -> bool:
    if error.status is not None:
        return error.status in _PASSING or error.status >= 500
    return error.fault in _FAULTS


def _origin(url: str) -> str:
    return f"{urlsplit(url).scheme.lower()}://{host_of(url)}"


def _userinfo(url: str) -> str | None:
    parts = urlsplit(url)
    return f"{parts.username}:{parts.password or ''}" if parts.username else None
