"""Answers of the JSON API: a record as JSON, cacheable where it was read and nowhere else."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from ...errors import OptionError
from ..errors import HttpError, told_of
from ..message import Answer, Headers
from ..respond import JSON_TYPE, SECURITY_HEADERS, Rendered, Representation, whole

#: Of what is read: whoever keeps it asks whether it still holds.
CACHE = "no-cache"

_BODYLESS = 204
_T = TypeVar("_T")


def write(record: msgspec.Struct) -> bytes:
    """A record as JSON."""
    return msgspec.json.encode(record) + b"\n"


def reading(make: Callable[[], msgspec.Struct], *, etag: str | None = None) -> Representation:
    """What a GET answers. With an `etag` known beforehand a 304 makes nothing."""

    def render() -> Rendered:
        body = write(make())
        return Rendered(body=body, etag=etag) if etag else whole(body)

    return Representation(media_type=JSON_TYPE, render=render, cache=CACHE, etag=etag)


def paged(read: Callable[[], _T]) -> _T:
    """What is read of a page: 404 for a cursor, which is its address, that leads to none."""
    try:
        return read()
    except OptionError as error:
        raise HttpError(404, str(error), members=told_of(error)) from error


def written(status: int, record: msgspec.Struct | None = None, *, headers: Headers = ()) -> Answer:
    """What a request that writes answers; nobody keeps it."""
    body = b"" if record is None else write(record)
    kind: Headers = () if record is None else (("Content-Type", JSON_TYPE),)
    length: Headers = () if status == _BODYLESS else (("Content-Length", str(len(body))),)
    return Answer(
        status, (*kind, *length, ("Cache-Control", "no-store"), *headers, *SECURITY_HEADERS), body
    )
