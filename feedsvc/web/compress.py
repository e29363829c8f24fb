"""Content codings: which one a client gets (RFC 9110 §12.5.3), and the coding itself.

The choice looks at the request alone, never at the body, because the entity tag of a 304 has to
name the coding before anything is rendered.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass

import brotli  # type: ignore[import-untyped]
import zstandard
from werkzeug.http import parse_accept_header


@dataclass(frozen=True, slots=True)
class Coding:
    """One content coding; `suffix` tells its entity tags from those of the others."""

    name: str
    suffix: str
    encode: Callable[[bytes], bytes]


def _gzip(body: bytes) -> bytes:
    # no time of day in the header: equal bodies give equal bytes
    return gzip.compress(body, compresslevel=6, mtime=0)


def _brotli(body: bytes) -> bytes:
    compressed: bytes = brotli.compress(body, quality=5)
    return compressed


def _zstd(body: bytes) -> bytes:
    # a compressor object must not be shared between threads
    return zstandard.ZstdCompressor(level=3).compress(body)


IDENTITY = Coding("identity", "", bytes)

#: Best first: zstd costs a seventh of what the others do and saves as much.
CODINGS: tuple[Coding, ...] = (
    Coding("zstd", "zst", _zstd),
    Coding("br", "br", _brotli),
    Coding("gzip", "gz", _gzip),
)


def choose(accept_encoding: str | None) -> Coding:
    """Picks the coding of highest quality, ours first among equals.

    Without the header, or where nothing we have is wanted, the body goes out as it is. A coding
    that is only covered by `*` is not taken, gzip excepted, since a client that did not name
    zstd may well not know it.
    """
    if accept_encoding is None:
        return IDENTITY
    asked = dict(reversed(list(parse_accept_header(accept_encoding))))
    qualities = {name.lower(): quality for name, quality in asked.items()}
    if "x-gzip" in qualities:
        qualities.setdefault("gzip", qualities["x-gzip"])
    if "*" in qualities:
        qualities.setdefault("gzip", qualities["*"])
    best, best_quality = IDENTITY, 0.0
    for coding in CODINGS:
        quality = qualities.get(coding.name, 0.0)
        if quality > best_quality:
            best, best_quality = coding, quality
    return IDENTITY if best_quality < qualities.get("identity", 0.0) else best
