"""Servers that attack: each request ends in a clear error before its time is up, and says why."""

import gzip
import itertools
from collections.abc import Iterator

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard

from tests.feedserver import Answer, FeedServer
from tests.integration.test_httpclient import LIMIT, failure, fetch

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\n\r\n"
ZSTD = OK + b"Content-Encoding: zstd\r\n\r\n"


def coded(name: str, body: bytes) -> bytes:
    return OK + f"Content-Encoding: {name}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("head", "flood"),
    [
        (OK, b"X"),
        (b"", b"\r\n"),
        (CHUNKED + b"5;", b"x" * 1000),
        (CHUNKED, b"1\r\nx\r\n" * 10),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"),
    ],
    ids=["slow-head", "blank-lines", "chunk-extension", "tiny-chunks", "100", "103"],
)
def test_what_never_ends_runs_out_of_time(
    feed_server: FeedServer, head: bytes, flood: bytes
) -> None:
    def drip() -> Iterator[bytes]:
        yield head
        yield from itertools.repeat(flood)

    feed_server.script("/feed.xml", lambda _: Answer(raw=drip()))
    error = failure(feed_server, timeout=0.5)
    # what sends fast enough may come to the limit on bytes or fields before
    assert error.fault in ("timeout", "too large", "protocol")


@pytest.mark.parametrize(
    ("head", "flood"),
    [
        (OK + b"\r\n", b" " * 65536),
        (GZIP, gzip.compress(b"") * 500),
        (GZIP + gzip.compress(b"")[:10], b"\x00\x00\x00\xff\xff" * 5000),
        (ZSTD, zstandard.compress(b"") * 2000),
        (ZSTD, b"\x50\x2a\x4d\x18\x00\x00\x00\x00" * 5000),
        (ZSTD + b"\x28\xb5\x2f\xfd\x00\x58", b"\x02\x00\x10A" * 1000),
    ],
    ids=["blanks", "gzip-members", "gzip-blocks", "zstd-frames", "zstd-skippable", "zstd-runs"],
)
def test_what_never_ends_is_too_large(feed_server: FeedServer, head: bytes, flood: bytes) -> None:
    def pour() -> Iterator[bytes]:
        yield head
        yield from itertools.repeat(flood)

    feed_server.script("/feed.xml", lambda _: Answer(raw=pour()))
    assert failure(feed_server).fault == "too large"


@pytest.mark.parametrize(
    "raw",
    [
        CHUNKED + b"ffffffffffffffffffffff\r\n",
        CHUNKED + b"-5\r\nabc",
        OK + b"Content-Length: -1\r\n\r\nabc",
        OK + b"Content-Length: 99999999999999999999999999\r\n\r\n",
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        OK + b"garbage\r\n\r\n",
        b"<rss></rss>",
        coded("gzip, gzip", gzip.compress(gzip.compress(b"x"))),
        coded("zstd", b"\x28\xb5\x2f\xfd\x00\x88" + b"\0" * 100),
    ],
    ids=[
        "chunk-size", "negative-chunk", "negative-length", "huge-length", "two-framings",
        "no-colon", "http-0.9", "two-codings", "huge-window",
    ],
)  # fmt: skip
def test_what_is_ill_formed_is_told_as_such(feed_server: FeedServer, raw: bytes) -> None:
    feed_server.serve("/feed.xml", raw=raw)
    assert failure(feed_server).fault == "protocol"


@pytest.mark.parametrize("status", [101, 206, 300, 304, 418, 599, 999])
def test_any_other_status_is_an_error(feed_server: FeedServer, status: int) -> None:
    raw = f"HTTP/1.1 {status} Hm\r\nContent-Length: 0\r\n\r\n".encode()
    feed_server.serve("/feed.xml", raw=raw)
    assert failure(feed_server).status == status


def test_only_one_coding_is_undone(feed_server: FeedServer) -> None:
    inner = gzip.compress(b"\0" * (200 << 20), 1)
    feed_server.serve("/feed.xml", raw=coded("br", brotli.compress(inner, quality=1)))
    body = fetch(feed_server).body
    assert body == inner
    assert len(body) < LIMIT


@pytest.mark.parametrize(
    "location",
    [
        "http://[2002:7f00:1::]/",
        "http://[64:ff9b::127.0.0.1]/",
        "http://[64:ff9b:1::7f00:1]/",
        "http://[2001:0:7f00:1::]/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::127.0.0.1]:{port}/",
        "http://[fe80::1%25lo]/",
        "http://[ff02::1]/",
        "http://１２７.0.0.1:{other}/",
        "http://user:secret@10.0.0.1/",
        "http://0.0.0.0:{port}/",
        "//127.1.2.3:{port}/",
    ],
)
def test_no_redirect_leads_into_a_private_network(feed_server: FeedServer, location: str) -> None:
    port = feed_server.port
    feed_server.redirect("/feed.xml", location.format(port=port, other=port + 1))
    error = failure(feed_server)
    assert error.fault == "private"
    assert "secret" not in str(error)
    assert len(feed_server.requests()) == 1
