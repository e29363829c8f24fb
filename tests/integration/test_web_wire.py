"""The bytes on the wire, as the real server sends them: what Flask's test client cannot see."""

import gzip
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard

from feedsvc.config import Config
from feedsvc.web.server import check_address
from tests.service import ROOT, free_port
from tests.weblib import fill, open_world

PATIENCE = 30.0
DECODE = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": zstandard.ZstdDecompressor().decompress,
}
PATHS = ("/feeds/all.atom", "/feeds/all.rss", "/feeds/all.json", "/feeds/all", "/", "/opml")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A port on which `feedsvc serve` serves a filled store."""
    folder = tmp_path_factory.mktemp("wire")
    port = free_port()
    world = open_world(folder, web=f"port = {port}\nworkers = 1")
    with world.runtime:
        fill(world)
    command = [sys.executable, "-m", "feedsvc", "--config", str(folder / "feedsvc.toml"), "serve"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FEEDSVC_")}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + PATIENCE
        while not _listens(port):
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        assert server.wait(PATIENCE) == 0, (folder / "log").read_text()


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


@pytest.fixture
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    yield connection
    connection.close()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers={"Accept-Encoding": "identity", **fields})
    response = connection.getresponse()
    return response, response.read()


@pytest.mark.parametrize("path", PATHS)
def test_codings_carry_the_same_bytes(connection: http.client.HTTPConnection, path: str) -> None:
    plain, body = ask(connection, "GET", path)
    assert plain.status == 200
    assert plain.getheader("Content-Length") == str(len(body))
    assert plain.getheader("Date")
    tags = {plain.getheader("ETag")}
    for coding, decode in DECODE.items():
        packed, packed_body = ask(connection, "GET", path, Accept_Encoding=coding)
        assert packed.getheader("Content-Encoding") == coding
        assert packed.getheader("Content-Length") == str(len(packed_body))
        assert decode(packed_body) == body
        tags.add(packed.getheader("ETag"))
    assert len(tags) == 1 + len(DECODE)


@pytest.mark.parametrize("path", PATHS)
def test_head_and_304_have_no_body_and_keep_the_connection(port: int, path: str) -> None:
    """Reads the connection byte by byte; Expect nothing after the headers but the next answer."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw:
        stream = raw.makefile("rb")
        head = f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        raw.sendall(head)
        status, first = headers_of(stream)
        assert status == 200
        assert int(first["content-length"]) > 0
        assert first["etag"]

        condition = f"If-None-Match: {first['etag']}\r\n"
        for method in ("GET", "HEAD"):
            raw.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{condition}\r\n".encode())
            status, again = headers_of(stream)
            assert status == 304
            for name in ("etag", "cache-control", "vary", "last-modified"):
                assert again.get(name) == first.get(name), name
            assert "transfer-encoding" not in again
            assert "content-type" not in again
            assert again.get("content-length") in (None, first["content-length"])
        # the next byte on the connection is the next status line
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        status, last = headers_of(stream)
        assert status == 200
        assert len(stream.read()) == int(last["content-length"])


def headers_of(stream: object) -> tuple[int, dict[str, str]]:
    line = stream.readline()  # type: ignore[attr-defined]
    assert line.startswith(b"HTTP/1.1 "), line
    fields = http.client.parse_headers(stream)  # type: ignore[arg-type]
    return int(line.split()[1]), {name.lower(): value for name, value in fields.items()}


def test_addresses_arrive_as_they_were_sent(connection: http.client.HTTPConnection) -> None:
    reply, _ = ask(connection, "GET", "/feeds/tags/caf%C3%A9,%E6%97%A5%E6%9C%AC.atom?limit=2")
    assert reply.status == 301
    assert reply.getheader("Location") == "/feeds/tags/cafe,%E6%97%A5%E6%9C%AC.atom?limit=2"
    reply, _ = ask(connection, "GET", reply.getheader("Location") or "")
    assert reply.status == 200
    reply, body = ask(connection, "GET", "/feeds/query.json?q=%22embassy+operations%22")
    assert reply.status == 200
    assert b"Istanbul" in body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/feeds/all.atom", 405),
        ("OPTIONS", "/", 204),
        ("OPTIONS", "*", 204),
        ("OPTIONS", "/nothing", 404),
        ("GET", "*", 404),
        ("HEAD", "/feeds/nothing.atom", 404),
        ("GET", "/feeds/all.atom?limit=0", 400),
        ("GET", "/feeds/sources/%00", 400),
        ("GET", "/feeds/query?q=" + 9000 * "a", 414),
    ],
)
def test_refusals_leave_the_connection_usable(
    connection: http.client.HTTPConnection, method: str, path: str, status: int
) -> None:
    reply, _ = ask(connection, method, path)
    assert reply.status == status
    reply, body = ask(connection, "GET", "/healthz")
    assert (reply.status, body[:1]) == (200, b"{")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"", 400),
        (b"Host: a\r\nHost: b\r\n", 400),
        (b"Host: a b\r\n", 400),
        (b"Host: http://a\r\n", 400),
        (b"Host:\r\n", 400),
        (b"Host: [::1]:80\r\n", 200),
        (b"Host: xn--caf-dma.example:\r\n", 200),
        (b'Host: a\r\nIf-None-Match: "\xe9", *\r\nAuthorization: Basic \xe9\r\n', 200),
        (b"Host: a\r\nIf-None-Match: *\r\n", 304),
        (b'Host: a\r\nIf-Match: "other"\r\n', 412),
        (b"Host: a\r\nIf-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT\r\n", 412),
    ],
)
def test_headers_are_judged_as_they_arrive(port: int, fields: bytes, status: int) -> None:
    # twice, for what was answered before is answered from memory
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw:
            raw.sendall(b"GET /feeds/all.atom HTTP/1.1\r\nConnection: close\r\n" + fields + b"\r\n")
            got, _headers = headers_of(raw.makefile("rb"))
            assert got == status


def test_answers_to_requests_sent_at_once_come_in_order(port: int) -> None:
    asked = (b"GET /feeds/all.atom HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n", 304)
    missing = (b"GET /feeds/none.atom HTTP/1.1\r\nHost: a\r\n\r\n", 404)
    order = [asked, asked, missing, asked, missing]
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw:
        raw.sendall(b"".join(line for line, _ in order))
        stream = raw.makefile("rb")
        for _, status in order:
            got, fields = headers_of(stream)
            assert got == status
            if status != 304:
                stream.read(int(fields["content-length"]))


def test_a_port_that_is_about_to_be_free_is_waited_for() -> None:
    config = Config()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = config.model_copy(update={"web": config.web.model_copy(update={"port": port})})
        release = threading.Timer(0.5, taken.close)
        release.start()
        assert check_address(config).web.port == port
        release.join()
