"""The request itself: conditional GET with redirects, and bounds on everything.

Redirects are followed by hand because each hop has rules of its own: what may be sent there,
whether it moved for good, whether its address is public. Nothing here retries or waits for a
better time.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from urllib.parse import urljoin
from weakref import WeakValueDictionary

import aiohttp
from yarl import URL

from ..errors import FetchError
from .coding import ACCEPTED, CodingError, decoder
from .failure import connection_failure, status_failure, timed_out, too_large
from .message import Headers, authorization
from .private import AddressGuard, Asked, asking
from .resolver import ThreadPerLookupResolver

MAX_REDIRECTS = 5
_MAX_FIELD = 32 << 10
_MAX_FIELDS = 128
_MANY_HOSTS = 10_000
_KEEP_ALIVE = 1.0  # seconds: enough for feeds of one host in a row, too short to hoard sockets
_FOLLOWED = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
# what another origin may see of a source's own header fields; validators are no secret, and a feed
# behind a redirect needs them
_HARMLESS = ("accept", "accept-language", "if-none-match", "if-modified-since")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A 2xx or 304 answer: where it finally came from, its header and its decoded body.

    `permanent_url` is set when the way there led through permanent redirects only (301, 308).
    """

    status: int
    url: str
    headers: Headers
    body: bytes
    permanent_url: str | None = None


@dataclass(frozen=True, slots=True)
class _Hop:
    """One request on the way; `lasting` says whether only permanent redirects led here, if any."""

    url: URL
    fields: dict[str, str]
    lasting: bool | None = None

    def asked(self) -> Asked:
        return Asked(self.url.host or "", self.url.port or _PORTS[self.url.scheme])


class HttpClient:
    """Fetches over one connection pool; an async context manager, for one event loop.

    `timeout` bounds each request with its redirects and body, not the wait for a free slot.
    `max_bytes` bounds a body before and after decompression. `per_host` (host and port) and
    `concurrency` bound requests in flight, `host_delay` is kept between the beginnings of two
    requests to one host. `allow_private` are the exceptions of `AddressGuard`.
    """

    def __init__(
        self,
        user_agent: str,
        timeout: timedelta,
        max_bytes: int,
        allow_private: Sequence[str],
        per_host: int,
        concurrency: int,
        host_delay: timedelta = timedelta(0),
    ) -> None:
        self._user_agent = user_agent
        self._timeout = timeout.total_seconds()
        self._max_bytes = max_bytes
        self._guard = AddressGuard(allow_private)
        self._per_host = per_host
        self._all = asyncio.Semaphore(concurrency)
        self._hosts: WeakValueDictionary[tuple[str, int], asyncio.Semaphore] = WeakValueDictionary()
        self._host_delay = host_delay.total_seconds()
        self._free_at: dict[tuple[str, int], float] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_KEEP_ALIVE,
            resolver=ThreadPerLookupResolver(),
            socket_factory=self._guard.open_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            auto_decompress=False,
            max_line_size=_MAX_FIELD,
            max_field_size=_MAX_FIELD,
            max_headers=_MAX_FIELDS,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
        auth: str | None = None,
    ) -> Response:
        """Gets a URL, following up to five redirects; a 304 is returned like a 200.

        `etag` and `last_modified` are sent back as they came (RFC 9110 §13.1). `headers` and `auth`
        (`user:password` or `Bearer …`) go to the URL's own origin only. Raises `FetchError` with a
        sentence for the user, `SourceGone` for 410; credentials never show in it.
        """
        origin = _parse(url)
        hop = self._first_hop(origin, headers, etag, last_modified, auth)
        left = self._timeout
        clock = asyncio.get_running_loop().time
        for _ in range(MAX_REDIRECTS + 1):
            asked = hop.asked()
            async with self._slot(asked):
                started = clock()
                try:
                    async with asyncio.timeout(left):
                        answer = await self._exchange(hop, asked)
                except TimeoutError as error:
                    raise timed_out(asked, self._timeout) from error
                left = max(left - (clock() - started), 0)
            if isinstance(answer, Response):
                return answer
            hop = answer
        raise FetchError(
            f"{hop.asked()} redirects more than {MAX_REDIRECTS} times", fault="redirect"
        )

    def _first_hop(
        self,
        url: URL,
        headers: Mapping[str, str] | None,
        etag: str | None,
        last_modified: str | None,
        auth: str | None,
    ) -> _Hop:
        fields = self._own_fields()
        if auth is None and url.user is not None:
            auth = f"{url.user}:{url.password or ''}"
        if auth:
            try:
                fields["authorization"] = authorization(auth)
            except ValueError as error:
                raise FetchError(str(error), fault="credentials") from error
        fields |= {name.lower(): value for name, value in (headers or {}).items()}
        if etag:
            fields["if-none-match"] = etag
        if last_modified:
            fields["if-modified-since"] = last_modified
        return _Hop(url.with_user(None), fields)

    def _own_fields(self) -> dict[str, str]:
        return {"accept": "*/*", "accept-encoding": ACCEPTED, "user-agent": self._user_agent}

    @asynccontextmanager
    async def _slot(self, asked: Asked) -> AsyncIterator[None]:
        key = (asked.host, asked.port)
        host = self._hosts.get(key)
        if host is None:
            host = self._hosts[key] = asyncio.Semaphore(self._per_host)
        # the host first: who waits for a slow host must not keep the others waiting
        async with host:
            await self._space_out(key)
            async with self._all:
                yield

    async def _space_out(self, key: tuple[str, int]) -> None:
        """Waits until the host may be asked again, and books that moment."""
        if not self._host_delay:
            return
        now = asyncio.get_running_loop().time()
        turn = max(self._free_at.get(key, now), now)
        if len(self._free_at) > _MANY_HOSTS:
            self._free_at = {host: at for host, at in self._free_at.items() if at > now}
        self._free_at[key] = turn + self._host_delay
        await asyncio.sleep(turn - now)

    async def _exchange(self, hop: _Hop, asked: Asked) -> Response | _Hop:
        if self._session is None:
            raise RuntimeError("HttpClient is used outside its async context")
        token = asking.set(asked)
        try:
            async with self._session.get(
                hop.url, headers=hop.fields, allow_redirects=False
            ) as response:
                return await self._answer(hop, asked, response)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise connection_failure(asked, error) from error
        finally:
            asking.reset(token)

    async def _answer(
        self, hop: _Hop, asked: Asked, response: aiohttp.ClientResponse
    ) -> Response | _Hop:
        headers = Headers.collect(response.headers.items())
        status = response.status
        if status in _FOLLOWED and headers.get("location"):
            return self._next_hop(hop, status, headers["location"])
        conditional = "if-none-match" in hop.fields or "if-modified-since" in hop.fields
        if status == 304 and conditional:
            body = b""
        elif 200 <= status < 300 and status != 206:
            body = await self._read(asked, headers, response)
        else:
            raise status_failure(asked, status, headers, lasting=hop.lasting, now=datetime.now(UTC))
        return Response(
            status=status,
            url=str(hop.url),
            headers=headers,
            body=body,
            permanent_url=str(hop.url) if hop.lasting else None,
        )

    async def _read(
        self, asked: Asked, headers: Headers, response: aiohttp.ClientResponse
    ) -> bytes:
        announced = response.content_length or 0
        decode = decoder(headers.get("content-encoding"))
        received, size = 0, 0
        pieces: list[bytes] = []
        async for chunk in response.content.iter_any():
            received += len(chunk)
            for piece in decode.feed(chunk):
                size += len(piece)
                if max(size, received, announced) > self._max_bytes:
                    raise too_large(asked, self._max_bytes)
                pieces.append(piece)
        if not decode.complete():
            raise CodingError("its compressed body ends too early")
        return b"".join(pieces)

    def _next_hop(self, hop: _Hop, status: int, location: str) -> _Hop:
        # raw bytes in a Location come as surrogates; in practice they are UTF-8
        location = location.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        try:
            url = _parse(urljoin(str(hop.url), location)).with_user(None)
        except (FetchError, ValueError) as error:
            raise FetchError(
                f"{hop.asked()} redirects to {_masked(location)!r}, which is not an http(s) URL",
                fault="redirect",
            ) from error
        fields = hop.fields
        if url.origin() != hop.url.origin():
            kept = {name: fields[name] for name in _HARMLESS if name in fields}
            fields = self._own_fields() | kept
        lasting = status in _PERMANENT and hop.lasting is not False
        return _Hop(url, fields, lasting)


def _parse(text: str) -> URL:
    """Reads an http(s) URL and keeps its wording, so that signed URLs still fit their signature."""
    text = text.strip()
    legal = text.isascii() and text.isprintable() and not set(' "<>\\^`{|}') & set(text)
    try:
        url = URL(text, encoded=legal)
        if url.scheme in _PORTS and url.host and (url.port or 0) < 65536:
            return (url if url.raw_path else url.with_path("/")).with_fragment(None)
    except ValueError:
        pass
    raise FetchError(f"{_masked(text)!r} is not an http(s) URL", fault="name")


def _masked(text: str) -> str:
    return re.sub(r"//[^/?#]*@", "//…@", text)
