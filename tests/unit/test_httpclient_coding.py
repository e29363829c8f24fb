"""Content codings are undone alike however the body is cut into pieces."""

import gzip
import zlib

import brotli
import pytest
import zstandard

from feedsvc.httpclient.coding import decoder

BODY = b"<rss>several members, one body</rss>"
SENT = {
    "gzip": [
        gzip.compress(BODY),
        gzip.compress(BODY[:9]) + gzip.compress(BODY[9:]),
        gzip.compress(BODY) + b"\0\0\0",
        gzip.compress(BODY) + b"\x1f",
        gzip.compress(BODY) + b"\x1f\0\x1f\x8b",
    ],
    "deflate": [zlib.compress(BODY), zlib.compress(BODY)[2:-4], zlib.compress(BODY) + b"\0"],
    "br": [brotli.compress(BODY)],
    "zstd": [
        zstandard.compress(BODY),
        zstandard.compress(BODY[:9]) + zstandard.compress(BODY[9:]),
    ],
}


@pytest.mark.parametrize("sent", [(name, body) for name, bodies in SENT.items() for body in bodies])
def test_where_a_body_is_cut_does_not_matter(sent: tuple[str, bytes]) -> None:
    name, body = sent
    cuts = [[body[:at], body[at:]] for at in range(len(body))]
    for pieces in [*cuts, [body[at : at + 1] for at in range(len(body))]]:
        coding = decoder(name)
        assert b"".join(part for piece in pieces for part in coding.feed(piece)) == BODY
        assert coding.complete()
