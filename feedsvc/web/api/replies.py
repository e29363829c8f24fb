"""Answers of the JSON API: a record as JSON, cacheable where it was read and nowhere else."""

from collections.abc import Callable

import msgspec

from ..message import Answer, Headers
from ..respond import JSON_TYPE, SECURITY_HEADERS, Rendered, Representation, whole

#: Of what is read: whoever keeps it asks whether it still holds.
CACHE = "no-cache"

_BODYLESS = 204


def write(record: msgspec.Struct) -> bytes:
    """A record as JSON."""
    return msgspec.json.encode(record) + b"\n"


def reading(make: Callable[[], msgspec.Struct], *, etag: str | None = None) -> Representation:
    """What a GET answers. With an `etag` known beforehand a 304 makes nothing."""

    def render() -> Rendered:
        body = write(make())
        return Rendered(body=body, etag=etag) if etag else whole(body)

    return Representation(media_type=JSON_TYPE, render=render, cache=CACHE, etag=etag)


def written(status: int, record: msgspec.Struct | None = None, *, headers: Headers = ()) -> Answer:
    """What a request that writes answers; nobody keeps it."""
    body = b"" if record is None else write(record)
    kind: Headers = () if record is None else (("Content-Type", JSON_TYPE),)
    length: Headers = () if status == _BODYLESS else (("Content-Length", str(len(body))),)
    return Answer(
        status, (*kind, *length, ("Cache-Control", "no-store"), *headers, *SECURITY_HEADERS), body
    )
