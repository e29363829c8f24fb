"""A loopback HTTP server for tests: scripted answers, misbehaviour included, and a full record.

Fixtures (this is a pytest plugin): `feed_server` is one server, `feed_servers()` makes more, each
on a port of its own, closed when the test ends.

    feed_server.serve("/feed.xml", body, headers={"ETag": '"v1"'})      # 304 when asked for it
    feed_server.script("/feed.xml", Answer(status=503), Answer(body=b"x"))  # in turn; last stays
    feed_server.redirect("/old", "/feed.xml", status=301)
    feed_server.serve("/slow", b"x" * 1000, drip=(10, 0.05))            # 10 bytes every 50 ms
    assert feed_server.requests("/feed.xml")[-1].headers["If-None-Match"] == '"v1"'
"""

import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

import pytest


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One scripted response; every bound is in bytes, every time in seconds.

    `delay` passes before the first byte. `drip=(n, pause)` sends the body n bytes at a time.
    `cut` announces the whole body but closes after so many bytes of it. `raw` replaces the whole
    response, head included, after which the connection is closed. Unless `conditional` is switched
    off, a request that repeats our ETag or Last-Modified gets a 304. Content-Length is added
    unless `headers` has it or says `Transfer-Encoding`.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = field(default_factory=dict)
    delay: float = 0.0
    drip: tuple[int, float] | None = None
    cut: int | None = None
    raw: bytes | Iterable[bytes] | None = None
    conditional: bool = True

    def fields(self) -> list[tuple[str, str]]:
        """The header fields in order, repetitions included."""
        pairs = self.headers.items() if isinstance(self.headers, Mapping) else self.headers
        return list(pairs)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it arrived; `headers` compares names without case.

    `path` holds the query too. `at` is on the clock of `time.monotonic`; `peer` is the client's
    port, so that requests over one connection share it.
    """

    method: str
    path: str
    headers: Message
    body: bytes
    at: float
    peer: int


Respond = Callable[[Request], Answer]


class FeedServer:
    """The server: starts when made, answers 404 to what it was not told of, stops at `close`."""

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self._scheme = "https" if tls else "http"
        self._lock = threading.Lock()
        self._scripts: dict[str, list[Answer | Respond]] = {}
        self._requests: list[Request] = []
        self._server = _Listener(self, host, tls)
        self.host = host
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """`host:port`, as `poll.allow_private` wants it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        """The URL of a path, under another name of this host if one is given."""
        return f"{self._scheme}://{f'{host}:{self.port}' if host else self.address}{path}"

    def serve(self, path: str, body: bytes = b"", **answer: Any) -> None:
        """Answers every request for `path` with one `Answer`, replacing what was there."""
        self.script(path, Answer(body=body, **answer))

    def redirect(self, path: str, to: str, *, status: int = 302) -> None:
        """Redirects `path`; `to` is sent as it is."""
        self.serve(path, status=status, headers={"Location": to})

    def script(self, path: str, *answers: Answer | Respond) -> None:
        """Answers requests for `path` in turn; the last answer stays.

        A function in an answer's place makes it from the request.
        """
        with self._lock:
            self._scripts[path] = list(answers)

    def requests(self, path: str | None = None) -> list[Request]:
        """The requests so far, oldest first; those for one path (query aside) if it is given."""
        with self._lock:
            return [
                request
                for request in self._requests
                if path is None or path in (request.path, request.path.partition("?")[0])
            ]

    def close(self) -> None:
        """Ends all connections and threads. Raises what went wrong while answering, if anything."""
        self._server.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()
        if self._server.failures:
            raise self._server.failures[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, request: Request) -> Answer:
        """Records a request and says what is answered to it."""
        with self._lock:
            self._requests.append(request)
            script = self._scripts.get(request.path) or self._scripts.get(
                request.path.partition("?")[0]
            )
            turn = (script.pop(0) if len(script) > 1 else script[0]) if script else None
        if turn is None:
            return Answer(status=404, body=b"not found")
        answer = turn if isinstance(turn, Answer) else turn(request)
        return _not_modified(answer) if _matches(request, answer) else answer


def _matches(request: Request, answer: Answer) -> bool:
    fields = {name.lower(): value for name, value in answer.fields()}
    etag, modified = fields.get("etag"), fields.get("last-modified")
    if not answer.conditional or answer.status != 200 or request.method not in ("GET", "HEAD"):
        return False
    if (known := request.headers["If-None-Match"]) is not None:
        return known == etag
    return modified is not None and request.headers["If-Modified-Since"] == modified


def _not_modified(answer: Answer) -> Answer:
    kept = [pair for pair in answer.fields() if not pair[0].lower().startswith("content-")]
    return replace(answer, status=304, body=b"", headers=kept, cut=None, drip=None)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Listener"

    def respond(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            path=self.path,
            headers=self.headers,
            body=self.rfile.read(length) if length else b"",
            at=time.monotonic(),
            peer=self.client_address[1],
        )
        answer = self.server.owner.answer(request)
        if self.server.stopping.wait(answer.delay):
            self.close_connection = True
            return
        if answer.raw is not None:
            self.close_connection = True
            self._send_pieces([answer.raw] if isinstance(answer.raw, bytes) else answer.raw)
            return
        self._send_head(answer)
        if request.method != "HEAD" and answer.status != 304:
            self._send_pieces(self._body(answer))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = respond

    def _send_head(self, answer: Answer) -> None:
        fields = answer.fields()
        names = {name.lower() for name, _ in fields}
        if not names & {"content-length", "transfer-encoding"} and answer.status != 304:
            fields.append(("Content-Length", str(len(answer.body))))
        phrase = (
            HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else "Unheard Of"
        )
        head = f"HTTP/1.1 {answer.status} {phrase}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields)
        self.wfile.write(f"{head}\r\n".encode("utf-8", "surrogateescape"))

    def _body(self, answer: Answer) -> Iterator[bytes]:
        body = answer.body
        if answer.cut is not None:
            self.close_connection = True
            body = body[: answer.cut]
        if answer.drip is None:
            yield body
            return
        size, pause = answer.drip
        for start in range(0, len(body), size):
            yield body[start : start + size]
            self.server.stopping.wait(pause)

    def _send_pieces(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if self.server.stopping.is_set():
                self.close_connection = True
                return
            self.wfile.write(piece)

    def log_message(self, *_: object) -> None:
        """Says nothing: what happened is in the record."""


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, owner: FeedServer, host: str, tls: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.owner = owner
        self.stopping = threading.Event()
        self.failures: list[BaseException] = []
        self._tls = tls
        self._open: set[socket.socket] = set()
        super().__init__((host, 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, peer = super().get_request()
        if self._tls is not None:
            # the handshake is the handler thread's: a silent client must not hold up the others
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self._open.add(connection)
        return connection, peer

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # gone already

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        # clients hang up as they like; anything else is a bug of the test
        if error is not None and not isinstance(error, OSError):
            self.failures.append(error)


@pytest.fixture
def feed_servers() -> Iterator[Callable[..., FeedServer]]:
    """Makes servers for one test; arguments as for `FeedServer`."""
    made: list[FeedServer] = []

    def make(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> FeedServer:
        made.append(FeedServer(host, tls))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def feed_server(feed_servers: Callable[..., FeedServer]) -> FeedServer:
    """One server on 127.0.0.1."""
    return feed_servers()
