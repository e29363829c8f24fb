"""Which format and which coding a client gets, by what programs send (RFC 9110 §12.5)."""

import gzip
import zlib

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard

from feedsvc.web import compress, negotiate
from feedsvc.web.feeds import OFFERS

BROWSERS = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
)
READERS = {
    "feedparser": "application/atom+xml,application/rdf+xml,application/rss+xml,"
    "application/x-netcdf,application/xml;q=0.9,text/xml;q=0.2,*/*;q=0.1",
    "simplepie": "application/atom+xml, application/rss+xml, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, text/html;q=0.7, unknown/unknown;q=0.1, "
    "application/unknown;q=0.1, */*;q=0.1",
    "curl": "*/*",
    "none": "",
    "blank": "  ",
}


@pytest.mark.parametrize("accept", BROWSERS)
def test_browsers_get_the_page(accept: str) -> None:
    assert negotiate.choose(accept, OFFERS) == "html"


@pytest.mark.parametrize("accept", list(READERS.values()), ids=list(READERS))
def test_readers_get_atom(accept: str) -> None:
    assert negotiate.choose(accept, OFFERS) == "atom"


def test_no_header_is_atom() -> None:
    assert negotiate.choose(None, OFFERS) == "atom"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/rss+xml", "rss"),
        ("application/rdf+xml", "rss"),
        ("application/feed+json", "json"),
        ("application/json", "json"),
        ("APPLICATION/JSON", "json"),
        ("application/xml", "atom"),
        ("text/xml", "atom"),
        ("text/*", "html"),
        ("application/*", "atom"),
        ("application/rss+xml;q=0.5, application/atom+xml;q=0.4", "rss"),
        ("application/rss+xml, application/atom+xml", "atom"),
        ("*/*, application/rss+xml;q=0.1", "atom"),
        ("*/*, application/rss+xml", "rss"),
        ("application/atom+xml;q=0, */*", "rss"),
        ("application/atom+xml;q=0, application/rss+xml;q=0, */*;q=0.3", "json"),
        ("application/json;q=0.9, text/html;q=0.8, */*;q=0.1", "json"),
        ("application/atom+xml;type=feed;q=0.9, text/html;q=0.5", "atom"),
        ("text/html;level=1, */*;q=0.5", "html"),
        ("image/png", "atom"),
        ("text/html;q=0", "atom"),
        ("garbage", "atom"),
        (";;;,,,", "atom"),
        ("application/rss+xml;q=nonsense, application/json;q=0.5", "json"),
    ],
)
def test_qualities_decide(accept: str, expected: str) -> None:
    assert negotiate.choose(accept, OFFERS) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "json"),
        ("*/*", "json"),
        (BROWSERS[0], "html"),
        ("application/problem+json", "json"),
        ("application/atom+xml", "json"),
        ("text/html;q=0.4, application/json;q=0.5", "json"),
    ],
)
def test_errors_are_json_but_for_browsers(accept: str | None, expected: str) -> None:
    assert negotiate.choose(accept, negotiate.ERROR_OFFERS) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, br;q=0.5, zstd;q=0.1", "gzip"),
        ("br;q=0.8, gzip;q=0.8", "br"),
        ("zstd;q=0, br;q=0, gzip", "gzip"),
        ("gzip;q=0", "identity"),
        ("identity", "identity"),
        ("identity, gzip", "gzip"),
        ("identity;q=1, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip;q=0.6", "gzip"),
        ("identity;q=0", "identity"),
        ("*", "gzip"),
        ("*;q=0", "identity"),
        ("gzip;q=0, *", "identity"),
        ("br, *;q=0.1", "br"),
        ("deflate, compress", "identity"),
        ("gzip;q=oops", "identity"),
        (",,;;", "identity"),
    ],
)
def test_codings(header: str | None, expected: str) -> None:
    assert compress.choose(header).name == expected


def test_codings_decode_to_the_same_bytes() -> None:
    body = b"<entry>\xc3\xa9</entry>" * 500
    decode = {
        "gzip": gzip.decompress,
        "br": brotli.decompress,
        "zstd": zstandard.ZstdDecompressor().decompress,
    }
    assert {coding.name for coding in compress.CODINGS} == set(decode)
    for coding in compress.CODINGS:
        packed = coding.encode(body)
        assert decode[coding.name](packed) == body
        assert len(packed) < len(body) / 10
        assert coding.encode(body) == packed
        assert decode[coding.name](coding.encode(b"")) == b""


def test_gzip_tells_no_time() -> None:
    packed = next(c for c in compress.CODINGS if c.name == "gzip").encode(b"x" * 100)
    assert packed[4:8] == b"\0\0\0\0"
    assert zlib.decompress(packed, wbits=31) == b"x" * 100
