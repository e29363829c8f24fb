"""Undoes content codings (RFC 9110 §8.4.1, RFC 9659) piece by piece, so that a bomb is met early.

A decoder never holds more than a few megabytes that nobody has looked at: whoever reads the pieces
may stop at any of them.
"""

import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

ACCEPTED = "gzip, deflate, br, zstd"
_MEMBER = b"\x1f\x8b"
_PIECE = 1 << 16
_ZSTD_WINDOW = 8 << 20  # RFC 9659 §3: no more is needed to read what is sent over HTTP
_ZSTD_SLICE = 256  # one slice expands to 8 MiB at worst; the library sets no bound of its own


class CodingError(ValueError):
    """A body is not what its Content-Encoding says."""


class Decoder(Protocol):
    """One content coding being undone."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields what `data` expands to. Raises `CodingError`."""
        ...

    def complete(self) -> bool:
        """Whether the coded data came to its end."""
        ...


def decoder(coding: str | None) -> Decoder:
    """The decoder for a Content-Encoding value. Raises `CodingError` for one never asked for."""
    name = (coding or "identity").strip().lower()
    if name in ("identity", ""):
        return _Identity()
    if name in ("gzip", "x-gzip"):
        return _Zlib(31)
    if name == "deflate":
        return _Deflate()
    if name == "br":
        return _Brotli()
    if name == "zstd":
        return _Zstandard()
    raise CodingError(f"its Content-Encoding {name!r} is not one we accept ({ACCEPTED})")


class _Identity:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def complete(self) -> bool:
        return True


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._zlib = zlib.decompressobj(wbits)
        self._begun = False
        self._after = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while data:
                if self._zlib.eof:
                    # another gzip member (RFC 1952 §2.2); anything else after the end is padding
                    self._after = data = self._after + data
                    if self._wbits != 31 or not data.startswith(_MEMBER):
                        self._after = self._after[: len(_MEMBER)]
                        return
                    self._after = b""
                    self._zlib = zlib.decompressobj(self._wbits)
                self._begun = True
                yield self._zlib.decompress(data, _PIECE)
                data = self._zlib.unconsumed_tail or self._zlib.unused_data
        except zlib.error as error:
            raise CodingError("its compressed body is damaged") from error

    def complete(self) -> bool:
        return self._zlib.eof or not self._begun


class _Deflate:
    """`deflate` is zlib (RFC 9110 §8.4.1.2), but some servers send it bare: the start tells."""

    def __init__(self) -> None:
        self._start = b""
        self._inner: _Zlib | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inner is None:
            self._start += data
            if len(self._start) < 2:
                return
            data = self._start
            zlib_header = data[0] & 15 == 8 and int.from_bytes(data[:2]) % 31 == 0
            self._inner = _Zlib(15 if zlib_header else -15)
        yield from self._inner.feed(data)

    def complete(self) -> bool:
        return self._inner.complete() if self._inner else not self._start


class _Brotli:
    def __init__(self) -> None:
        self._brotli = brotli.Decompressor()
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while not self._brotli.is_finished():
                self._begun = self._begun or bool(data)
                piece = self._brotli.process(data, output_buffer_limit=_PIECE)
                yield piece
                # it may hold back output even after it has taken all its input
                if not piece and self._brotli.can_accept_more_data():
                    break
                data = b""
        except brotli.error as error:
            raise CodingError("its compressed body is damaged") from error

    def complete(self) -> bool:
        return self._brotli.is_finished() or not self._begun


class _Zstandard:
    def __init__(self) -> None:
        self._context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame = self._context.decompressobj()
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            for start in range(0, len(data), _ZSTD_SLICE):
                part = data[start : start + _ZSTD_SLICE]
                while part:
                    if self._frame.eof:
                        self._frame = self._context.decompressobj()
                    self._begun = True
                    yield self._frame.decompress(part)
                    part = self._frame.unused_data if self._frame.eof else b""
        except zstandard.ZstdError as error:
            raise CodingError("its compressed body is damaged") from error

    def complete(self) -> bool:
        return self._frame.eof or not self._begun
