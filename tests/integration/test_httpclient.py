"""The HTTP client against real servers on loopback: what it sends, follows, refuses and says."""

import asyncio
import gzip
import itertools
import pickle
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard

from feedsvc.errors import ConfigError, FetchError, SourceGone
from feedsvc.httpclient import HttpClient, Response
from tests.feedserver import Answer, FeedServer, Request

TLS = Path(__file__).parent.parent / "data" / "tls"
LIMIT = 1 << 20
BODY = b"<rss>" + b"some feed, long enough to compress. " * 50 + b"</rss>"

Servers = Callable[..., FeedServer]


def client(
    *allow: str,
    timeout: float = 20,
    per_host: int = 2,
    concurrency: int = 8,
    host_delay: float = 0,
) -> HttpClient:
    return HttpClient(
        host_delay=timedelta(seconds=host_delay),
        user_agent="feedsvc/test (+http://localhost/)",
        timeout=timedelta(seconds=timeout),
        max_bytes=LIMIT,
        allow_private=allow,
        per_host=per_host,
        concurrency=concurrency,
    )


def get(url: str, *allow: str, timeout: float = 20, **request: Any) -> Response:
    async def run() -> Response:
        async with client(*allow, timeout=timeout) as http:
            return await http.get(url, **request)

    return asyncio.run(run())


def fetch(server: FeedServer, path: str = "/feed.xml", **options: Any) -> Response:
    return get(server.url(path), server.address, **options)


def failure(server: FeedServer, path: str = "/feed.xml", **options: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetch(server, path, **options)
    return caught.value


# -- what is sent and what comes back ------------------------------------------------------


def test_a_plain_get(feed_server: FeedServer) -> None:
    feed_server.serve(
        "/feed.xml",
        BODY,
        headers=[
            ("Content-Type", "application/rss+xml"),
            ("ETag", 'W/"a, b"'),
            ("Link", "<https://hub.example/>; rel=hub"),
            ("Link", "<https://example.org/feed>; rel=self"),
            ("X-Once", "1"),
            ("Content-Type", "application/atom+xml"),
        ],
    )
    response = fetch(feed_server)
    assert (response.status, response.body) == (200, BODY)
    assert response.url == feed_server.url("/feed.xml")
    assert response.permanent_url is None
    assert response.headers["ETAG"] == response.headers["etag"] == 'W/"a, b"'
    assert response.headers["content-type"] == "application/atom+xml"
    assert response.headers["link"].count("rel=") == 2
    assert response.headers.get("x-absent") is None
    assert "X-ONCE" in response.headers
    copy = pickle.loads(pickle.dumps(response.headers))
    assert copy == response.headers
    assert copy["ETag"] == 'W/"a, b"'


def test_the_request_is_polite(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", BODY, headers={"Set-Cookie": "track=1"})

    async def run() -> None:
        async with client(feed_server.address) as http:
            await http.get(feed_server.url("/feed.xml?b=2&a=%7Eone%2fx+y"))
            await http.get(feed_server.url("/feed.xml?b=2&a=%7Eone%2fx+y#part"))

    asyncio.run(run())
    first, second = feed_server.requests()
    assert first.path == second.path == "/feed.xml?b=2&a=%7Eone%2fx+y"
    assert first.headers["User-Agent"] == "feedsvc/test (+http://localhost/)"
    assert first.headers["Accept-Encoding"] == "gzip, deflate, br, zstd"
    for name in ("Cookie", "Referer", "If-None-Match", "If-Modified-Since", "Authorization"):
        assert first.headers[name] is None
        assert second.headers[name] is None
    assert first.peer == second.peer  # one connection for both


def test_validators_go_back_byte_for_byte_and_304_is_an_answer(feed_server: FeedServer) -> None:
    etag, modified = 'W/"33a64df5/é,x"', "Thu,  10 Apr 2025 9:00:00 +0000"
    feed_server.serve("/feed.xml", BODY, headers={"ETag": 'W/"33"', "Cache-Control": "max-age=60"})
    response = fetch(feed_server, etag='W/"33"', last_modified=modified)
    assert (response.status, response.body) == (304, b"")
    assert response.headers["cache-control"] == "max-age=60"
    assert fetch(feed_server, etag=etag, last_modified=modified).status == 200
    sent = feed_server.requests()[-1].headers
    assert sent["If-None-Match"].encode("latin-1", "surrogateescape").decode("utf-8") == etag
    assert sent["If-Modified-Since"] == modified


def test_304_without_being_asked_is_an_error(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", status=304)
    assert str(failure(feed_server)) == f"{feed_server.address} answered 304 Not Modified"


def test_a_sources_own_headers_are_sent(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", BODY)
    fetch(feed_server, headers={"X-Key": "k", "Accept": "application/atom+xml"}, auth="me:pä:ss")
    sent = feed_server.requests()[-1].headers
    assert sent["X-Key"] == "k"
    assert sent["Accept"] == "application/atom+xml"
    assert sent["Authorization"] == "Basic bWU6cMOkOnNz"
    fetch(feed_server, auth="Bearer abc.def")
    assert feed_server.requests()[-1].headers["Authorization"] == "Bearer abc.def"


def test_credentials_in_the_url_become_a_header_and_stay_secret(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", BODY)
    url = feed_server.url("/feed.xml").replace("//", "//user:s%40cret@")
    response = get(url, feed_server.address)
    assert response.url == feed_server.url("/feed.xml")
    assert feed_server.requests()[-1].headers["Authorization"] == "Basic dXNlcjpzQGNyZXQ="
    for bad in (url.replace("http:", "ftp:"), url + "x"):
        with pytest.raises(FetchError) as caught:
            get(bad, feed_server.address)
        assert "cret" not in str(caught.value)


def test_an_auth_that_is_none_says_what_is_wanted(feed_server: FeedServer) -> None:
    assert 'auth must be "user:password" or "Bearer TOKEN"' in str(failure(feed_server, auth="x"))


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param((name, function), id=f"{name}-{index}")
        for index, (name, function) in enumerate(
            [
                ("gzip", gzip.compress),
                ("x-gzip", lambda body: gzip.compress(body[:100]) + gzip.compress(body[100:])),
                ("GZIP", lambda body: gzip.compress(body) + b"\0" * 9),
                ("deflate", zlib.compress),
                ("deflate", lambda body: zlib.compress(body)[2:-4]),
                ("br", brotli.compress),
                ("zstd", zstandard.compress),
                (
                    "zstd",
                    lambda body: zstandard.compress(body[:99]) + zstandard.compress(body[99:]),
                ),
                ("identity", bytes),
            ]
        )
    ],
)
@pytest.mark.parametrize("drip", [None, (1, 0.0)], ids=["whole", "bytewise"])
def test_content_codings(
    feed_server: FeedServer,
    encode: tuple[str, Callable[[bytes], bytes]],
    drip: tuple[int, float] | None,
) -> None:
    name, function = encode
    headers = {"Content-Encoding": name}
    feed_server.serve("/feed.xml", function(BODY), headers=headers, drip=drip)
    assert fetch(feed_server).body == BODY


def test_an_empty_coded_body_is_empty(feed_server: FeedServer) -> None:
    for name in ("gzip", "deflate", "br", "zstd"):
        feed_server.serve("/feed.xml", b"", headers={"Content-Encoding": name})
        assert fetch(feed_server).body == b""


def test_a_chunked_body(feed_server: FeedServer) -> None:
    chunks = b"5\r\n<rss>\r\n6\r\n</rss>\r\n0\r\n\r\n"
    feed_server.serve("/feed.xml", chunks, headers={"Transfer-Encoding": "chunked"})
    assert fetch(feed_server).body == b"<rss></rss>"


# -- redirects -----------------------------------------------------------------------------


def test_permanent_redirects_are_told_temporary_ones_not(feed_server: FeedServer) -> None:
    feed_server.redirect("/a", "/b", status=301)
    feed_server.redirect("/b", feed_server.url("/feed.xml"), status=308)
    feed_server.redirect("/t", "a", status=307)
    feed_server.redirect("/s", "./a", status=301)
    feed_server.redirect("/x", "?q=1", status=302)
    feed_server.serve("/x?q=1", b"query")
    feed_server.serve("/feed.xml", BODY)
    assert fetch(feed_server, "/a").permanent_url == feed_server.url("/feed.xml")
    assert fetch(feed_server, "/s").permanent_url == feed_server.url("/feed.xml")
    temporary = fetch(feed_server, "/t")
    assert temporary.permanent_url is None
    assert temporary.url == feed_server.url("/feed.xml")
    assert fetch(feed_server, "/x").body == b"query"


def test_validators_follow_a_redirect(feed_server: FeedServer) -> None:
    feed_server.redirect("/a", "/feed.xml", status=301)
    feed_server.serve("/feed.xml", BODY, headers={"ETag": '"1"'})
    response = fetch(feed_server, "/a", etag='"1"')
    assert response.status == 304
    assert response.permanent_url == feed_server.url("/feed.xml")


def test_five_redirects_are_followed_and_no_sixth(feed_server: FeedServer) -> None:
    for number in range(6):
        feed_server.redirect(f"/{number}", f"/{number + 1}")
    feed_server.serve("/6", BODY)
    assert fetch(feed_server, "/1").body == BODY
    error = failure(feed_server, "/0")
    assert str(error) == f"{feed_server.address} redirects more than 5 times"
    feed_server.redirect("/loop", "/loop")
    assert "more than 5 times" in str(failure(feed_server, "/loop"))
    assert len(feed_server.requests("/loop")) == 6


@pytest.mark.parametrize(
    "location",
    ["ftp://example.org/", "file:///etc/passwd", "javascript:x", "http://a:0x/", "http://[x"],
)
def test_redirects_stay_with_http(feed_server: FeedServer, location: str) -> None:
    feed_server.redirect("/feed.xml", location)
    assert "which is not an http(s) URL" in str(failure(feed_server))


def test_a_redirect_that_is_raw_utf8_or_has_blanks(feed_server: FeedServer) -> None:
    feed_server.redirect("/feed.xml", "/é feed")
    feed_server.serve("/%C3%A9%20feed", BODY)
    assert fetch(feed_server).body == BODY


def test_a_redirect_without_a_location(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", status=302)
    assert str(failure(feed_server)) == f"{feed_server.address} answered 302 Found"


def test_credentials_and_headers_stay_with_their_origin(feed_servers: Servers) -> None:
    here, there = feed_servers(), feed_servers()
    here.redirect("/feed.xml", "/next")
    here.redirect("/next", there.url("/feed.xml").replace("//", "//evil:pw@"))
    there.redirect("/feed.xml", here.url("/back"))
    here.serve("/back", BODY)
    get(
        here.url("/feed.xml"),
        here.address,
        there.address,
        headers={"X-Key": "secret", "Accept": "text/xml", "Cookie": "a=b", "User-Agent": "mine"},
        etag='"1"',
        auth="me:secret",
    )
    for path in ("/feed.xml", "/next"):
        own = here.requests(path)[0].headers
        assert (own["X-Key"], own["User-Agent"]) == ("secret", "mine")
        assert own["Authorization"].startswith("Basic ")
    for foreign in (there.requests()[0].headers, here.requests("/back")[0].headers):
        assert foreign["Accept"] == "text/xml"
        assert foreign["If-None-Match"] == '"1"'
        assert foreign["User-Agent"] == "feedsvc/test (+http://localhost/)"
        for name in ("Authorization", "X-Key", "Cookie", "Referer"):
            assert foreign[name] is None


# -- private networks ----------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_private_addresses_are_refused_by_literal_and_name(
    feed_servers: Servers, host: str
) -> None:
    server = feed_servers("::1" if host == "[::1]" else "127.0.0.1")
    with pytest.raises(FetchError) as caught:
        get(f"http://{host}:{server.port}/feed.xml")
    message = str(caught.value)
    assert "is not on the public Internet" in message
    assert f'add "{host.lower()}:{server.port}" to poll.allow_private' in message
    assert server.requests() == []


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]",
             "[64:ff9b::7f00:1]", "[fe80::1]", "[fd00::1]", "[2002:7f00:1::]", "224.0.0.1"]
)  # fmt: skip
def test_what_is_not_global_is_refused_before_anything_is_sent(host: str) -> None:
    with pytest.raises(FetchError, match="is not on the public Internet"):
        get(f"http://{host}/feed.xml")


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
def test_odd_spellings_of_loopback_lead_nowhere(feed_server: FeedServer, host: str) -> None:
    feed_server.serve("/feed.xml", BODY)
    with pytest.raises(FetchError):
        get(f"http://{host}:{feed_server.port}/feed.xml")
    assert feed_server.requests() == []


@pytest.mark.parametrize(
    ("host", "allow"),
    [
        ("127.0.0.1", "127.0.0.1:{port}"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("localhost", "LocalHost:{port}"),
        ("localhost", "127.0.0.1:{port}"),
        ("[::1]", "[::1]:{port}"),
        ("[::1]", "::1"),
        ("[::1]", "[::1]"),
        ("[::1]", "::1/128"),
    ],
)
def test_exceptions(feed_servers: Servers, host: str, allow: str) -> None:
    server = feed_servers("::1" if host == "[::1]" else "127.0.0.1")
    server.serve("/feed.xml", BODY)
    url = f"http://{host}:{server.port}/feed.xml"
    assert get(url, allow.format(port=server.port)).body == BODY


@pytest.mark.parametrize(
    "allow", ["127.0.0.1:{other}", "localhost", "localhost:{port}", "10.0.0.0/8", "127.0.0.2"]
)
def test_exceptions_are_exact(feed_server: FeedServer, allow: str) -> None:
    entry = allow.format(port=feed_server.port, other=feed_server.port + 1)
    with pytest.raises(FetchError, match="not on the public Internet"):
        get(feed_server.url("/feed.xml"), entry)
    assert feed_server.requests() == []


def test_a_redirect_to_a_private_address_is_refused(feed_servers: Servers) -> None:
    public, private = feed_servers(), feed_servers()
    private.serve("/", b"secret")
    for location in (private.url("/"), private.url("/", host="localhost")):
        public.redirect("/feed.xml", location)
        assert "not on the public Internet" in str(failure(public))
    assert private.requests() == []


@pytest.mark.parametrize(
    "entry", ["http://127.0.0.1/", "10.0.0.1/8", "10.0.0.0/33", "*", "", "host:99999", "a b"]
)
def test_an_exception_that_is_none_is_a_configuration_error(entry: str) -> None:
    with pytest.raises(ConfigError) as caught:
        client(entry)
    assert caught.value.key == "poll.allow_private"
    assert "poll.allow_private" in str(caught.value)


# -- refusals by the server ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "message", "seconds"),
    [
        (404, {}, "answered 404 Not Found", None),
        (500, {}, "answered 500 Internal Server Error", None),
        (503, {"Retry-After": "120"}, "503 Service Unavailable and asks us to wait 2 min", 120),
        (429, {"Retry-After": "7"}, "answered 429 Too Many Requests and asks us to wait 7 s", 7),
        (503, {"Retry-After": "soon"}, "answered 503 Service Unavailable", None),
        (401, {}, "answered 401 Unauthorized; set auth for this source", None),
        (599, {}, "answered 599", None),
        (206, {}, "answered 206 Partial Content", None),
    ],
)
def test_error_statuses(
    feed_server: FeedServer,
    status: int,
    headers: dict[str, str],
    message: str,
    seconds: int | None,
) -> None:
    feed_server.serve("/feed.xml", b"no", status=status, headers=headers)
    error = failure(feed_server)
    assert str(error).startswith(feed_server.address)
    assert str(error).endswith(message)
    assert error.status == status
    assert error.retry_after == (None if seconds is None else timedelta(seconds=seconds))


def test_retry_after_as_a_date(feed_server: FeedServer) -> None:
    when = "Fri, 31 Dec 2100 23:59:59 GMT"
    feed_server.serve("/feed.xml", status=503, headers={"Retry-After": when})
    wait = failure(feed_server).retry_after
    assert wait is not None
    assert wait > timedelta(days=365)


def test_gone_is_final_unless_it_is_said_elsewhere(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", status=410)
    feed_server.redirect("/moved", "/feed.xml", status=301)
    feed_server.redirect("/detour", "/feed.xml", status=302)
    assert isinstance(failure(feed_server), SourceGone)
    assert isinstance(failure(feed_server, "/moved"), SourceGone)
    assert not isinstance(failure(feed_server, "/detour"), SourceGone)
    assert failure(feed_server, "/detour").status == 410


def test_401_behind_a_redirect_says_where_auth_goes(feed_servers: Servers) -> None:
    here, there = feed_servers(), feed_servers()
    here.redirect("/feed.xml", there.url("/feed.xml"))
    there.serve("/feed.xml", status=401)
    with pytest.raises(FetchError, match="auth does not follow a redirect to another origin"):
        get(here.url("/feed.xml"), here.address, there.address, auth="a:b")


# -- failures on the way -------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["example.org/feed", "ftp://example.org/", "http://", "http:///x", "http://a:99999/", ""]
)
def test_not_a_url(url: str) -> None:
    with pytest.raises(FetchError, match=re.escape(f"{url!r} is not an http(s) URL")):
        get(url)


def test_a_name_that_cannot_be_found() -> None:
    # longer than any name may be, so that the resolver itself says no and asks nobody
    with pytest.raises(FetchError, match=r"the host name aaa.* cannot be found: \w"):
        get("http://" + ("a" * 60 + ".") * 5 + "test/")


def test_a_name_that_is_none() -> None:
    with pytest.raises(FetchError, match="is not a valid host name"):
        get("http://" + "a" * 70 + ".test/")


def test_connection_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(FetchError, match=rf"^{address} refused the connection$"):
            get(f"http://{address}/", address)


def test_a_header_that_cannot_be_sent(feed_server: FeedServer) -> None:
    assert "no request to" in str(failure(feed_server, headers={"X-Key": "a\r\nX-Evil: b"}))
    assert feed_server.requests() == []


def test_timed_out_before_the_first_byte(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", BODY, delay=30)
    error = failure(feed_server, timeout=0.2)
    assert str(error) == f"{feed_server.address} timed out after 0.2 s (poll.timeout)"


def test_timed_out_against_a_slow_drip(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", b"x" * 100_000, drip=(1, 0.01))
    assert "timed out after 0.3 s" in str(failure(feed_server, timeout=0.3))


def test_headers_that_never_end(feed_server: FeedServer) -> None:
    def drip() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        while True:
            yield b"X: y\r\n"

    feed_server.script("/feed.xml", lambda _: Answer(raw=drip()))
    assert "did not answer in proper HTTP" in str(failure(feed_server))


def test_timed_out_against_a_flood_of_100_continue(feed_server: FeedServer) -> None:
    def flood() -> Iterator[bytes]:
        while True:
            yield b"HTTP/1.1 100 Continue\r\n\r\n" * 100

    feed_server.script("/feed.xml", lambda _: Answer(raw=flood()))
    assert "timed out after 0.3 s" in str(failure(feed_server, timeout=0.3))


def test_the_time_of_all_redirects_counts_together(feed_server: FeedServer) -> None:
    for number in range(5):
        feed_server.serve(
            f"/{number}", status=302, headers={"Location": f"/{number + 1}"}, delay=0.2
        )
    feed_server.serve("/5", BODY)
    assert "timed out after 0.5 s" in str(failure(feed_server, "/0", timeout=0.5))
    assert feed_server.requests("/5") == []


def test_waiting_for_a_slot_does_not_count(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", BODY, delay=0.2)

    async def run() -> list[Response]:
        async with client(feed_server.address, timeout=0.7, per_host=1) as http:
            return await asyncio.gather(*(http.get(feed_server.url("/feed.xml")) for _ in range(4)))

    assert [response.status for response in asyncio.run(run())] == [200] * 4


def test_a_body_that_ends_too_early(feed_server: FeedServer) -> None:
    expected = f"{feed_server.address} broke the connection off in the middle of the body"
    feed_server.serve("/feed.xml", BODY, cut=len(BODY) - 1)
    assert str(failure(feed_server)) == expected
    chunked = {"Transfer-Encoding": "chunked"}
    feed_server.serve("/feed.xml", b"5\r\n<rss>\r\n6\r\n</r", headers=chunked, cut=16)
    assert str(failure(feed_server)) == expected


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
    ],
)
def test_a_compressed_body_that_is_cut_or_damaged(
    feed_server: FeedServer, name: str, function: Callable[[bytes], bytes]
) -> None:
    whole = function(BODY)
    feed_server.serve("/feed.xml", whole[:-3], headers={"Content-Encoding": name})
    assert "its compressed body ends too early" in str(failure(feed_server))
    feed_server.serve("/feed.xml", b"<rss></rss>", headers={"Content-Encoding": name})
    assert "its compressed body is damaged" in str(failure(feed_server))


def test_an_unknown_coding(feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", BODY, headers={"Content-Encoding": "compress"})
    assert "its Content-Encoding 'compress' is not one we accept" in str(failure(feed_server))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", lambda body: brotli.compress(body, quality=1)),
        ("zstd", zstandard.compress),
    ],
)
def test_a_body_that_is_too_large_once_decoded(
    feed_server: FeedServer, name: str, function: Callable[[bytes], bytes]
) -> None:
    headers = {"Content-Encoding": name}
    feed_server.serve("/feed.xml", function(b"\0" * LIMIT), headers=headers)
    assert len(fetch(feed_server).body) == LIMIT
    feed_server.serve("/feed.xml", function(b"\0" * (LIMIT + 1)), headers=headers)
    assert str(failure(feed_server)) == (
        f"{feed_server.address} sent more than 1,048,576 bytes; "
        "raise poll.max_bytes if that is as it should be"
    )


@pytest.mark.parametrize(
    ("name", "bomb"),
    [
        ("gzip", gzip.compress(b"\0" * (100 << 20), 1)),
        ("gzip", gzip.compress(b"") * 200_000),
        ("br", brotli.compress(b"\0" * (100 << 20), quality=1)),
        ("zstd", zstandard.compress(b"\0" * (100 << 20))),
    ],
    ids=["gzip", "gzip-members", "br", "zstd"],
)
def test_bombs(feed_server: FeedServer, name: str, bomb: bytes) -> None:
    feed_server.serve("/feed.xml", bomb, headers={"Content-Encoding": name})
    assert "sent more than 1,048,576 bytes" in str(failure(feed_server))


def test_an_announced_length_above_the_limit_is_not_waited_for(feed_server: FeedServer) -> None:
    headers = {"Content-Length": "99999999999"}
    feed_server.serve("/feed.xml", b"x" * 100_000, headers=headers, drip=(1, 0.01))
    assert "sent more than 1,048,576 bytes" in str(failure(feed_server))


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nBad\0Name: y\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ],
    ids=["long-field", "many-fields", "ssh", "nul", "two-lengths"],
)
def test_what_is_not_http(feed_server: FeedServer, raw: bytes) -> None:
    feed_server.serve("/feed.xml", raw=raw)
    assert "did not answer in proper HTTP" in str(failure(feed_server))


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\nX: y"], ids=["nothing", "half-a-head"])
def test_a_connection_closed_without_an_answer(feed_server: FeedServer, raw: bytes) -> None:
    feed_server.serve("/feed.xml", raw=raw)
    expected = f"{feed_server.address} closed the connection without an answer"
    assert str(failure(feed_server)) == expected


# -- TLS -----------------------------------------------------------------------------------


def test_an_untrusted_certificate(feed_servers: Servers) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    server = feed_servers(tls=context)
    server.serve("/feed.xml", BODY)
    error = failure(server)
    assert str(error).startswith(f"the TLS certificate of {server.address} cannot be trusted: self")
    assert error.fault == "tls"
    assert server.requests() == []


def test_tls_to_a_server_that_has_none(feed_server: FeedServer) -> None:
    url = feed_server.url("/feed.xml").replace("http:", "https:")
    with pytest.raises(FetchError) as caught:
        get(url, feed_server.address)
    expected = f"{feed_server.address} does not speak TLS; is it an http: address?"
    assert str(caught.value) == expected


# -- many at once --------------------------------------------------------------------------


def test_no_more_requests_at_once_than_allowed(feed_servers: Servers) -> None:
    servers = [feed_servers() for _ in range(3)]
    now, most, lock = [0] * 4, [0] * 4, threading.Lock()

    async def counted(http: HttpClient, index: int) -> None:
        await http.get(servers[index].url("/feed.xml"))

    def enter(index: int) -> Callable[[Request], Answer]:
        def answer(_: Request) -> Answer:
            with lock:
                for slot in (index, 3):
                    now[slot] += 1
                    most[slot] = max(most[slot], now[slot])
            return Answer(raw=leave(index))

        return answer

    def leave(index: int) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"
        time.sleep(0.02)
        with lock:
            for slot in (index, 3):
                now[slot] -= 1
        yield b"k"

    for index, server in enumerate(servers):
        server.script("/feed.xml", enter(index))

    async def run() -> None:
        async with client(*(s.address for s in servers), per_host=2, concurrency=4) as http:
            await asyncio.gather(*(counted(http, n % 3) for n in range(24)))

    asyncio.run(run())
    assert max(most[:3]) == 2
    assert most[3] <= 4


def test_a_cancelled_request_leaves_nothing_behind(feed_server: FeedServer) -> None:
    feed_server.serve("/slow", BODY, delay=30)
    feed_server.serve("/feed.xml", BODY)

    async def run() -> Response:
        async with client(feed_server.address, per_host=1, concurrency=1) as http:
            task = asyncio.create_task(http.get(feed_server.url("/slow")))
            while not feed_server.requests("/slow"):
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await http.get(feed_server.url("/feed.xml"))

    assert asyncio.run(run()).status == 200


def test_requests_to_one_host_are_spaced(feed_servers: Servers) -> None:
    slow, other = feed_servers(), feed_servers()
    for server in (slow, other):
        server.serve("/feed.xml", BODY)

    async def run() -> None:
        async with client(slow.address, other.address, host_delay=0.3) as http:
            urls = [slow.url("/feed.xml")] * 4 + [other.url("/feed.xml")]
            await asyncio.gather(*(http.get(url) for url in urls))

    asyncio.run(run())
    times = sorted(request.at for request in slow.requests())
    gaps = [after - before for before, after in itertools.pairwise(times)]
    # a request may be late on its way, so a gap may be a little short, but four take three gaps
    assert sum(gaps) > 3 * 0.3 * 0.9
    assert other.requests()[0].at < times[1]
