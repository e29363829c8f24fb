"""From a representation to the answer on the wire: 304 or 200, coding, validators, headers.

Every URL that serves content ends here, so that feeds, pages and OPML treat validators, codings
and caches alike. The body is asked for only once a 304 has been ruled out.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..compose.shelf import Shelf
from . import compress, conditional
from .message import Answer, Ask, Headers, HttpError, Lasting

#: Sent with everything, errors included.
SECURITY_HEADERS: Headers = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)

HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A body with the validators of exactly these bytes; `etag` is strong and quoted."""

    body: bytes
    etag: str
    last_modified: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a client lacks of a representation it had before, with the validators of the whole.

    `im` names how it was made, `base` the entity tag of what the client has (RFC 3229 §10.5).
    """

    rendered: Rendered
    im: str
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """Something to serve, described before it is rendered.

    `etag` and `last_modified` are known without rendering; without an `etag` even a 304 needs the
    body. `headers` go out with the content alone, `cache`, `vary` and `location` (the address of
    this very representation, where others share the one that was asked) with a 304 as well. `part`
    is asked for less than everything, for a client that can put it together with what it has.
    Content that nothing but a change of the store alters `lasts` for as long as it may go unlooked
    at.
    """

    media_type: str
    render: Callable[[], Rendered]
    cache: str
    etag: str | None = None
    last_modified: datetime | None = None
    vary: tuple[str, ...] = ()
    location: str | None = None
    headers: Headers = ()
    status: int = 200
    part: Callable[[], Part | None] | None = None
    lasts: timedelta | None = None


def respond(
    ask: Ask, content: Representation, now: datetime, encoded: Shelf | None = None
) -> Answer:
    """Answers a GET or HEAD: 304 if the client's copy is good (RFC 9110 §13), else the content.

    A 304 carries what RFC 9110 §15.4.5 asks for and `Last-Modified`; the entity tag names the
    coding that this very request would get. Only a 200 ever turns into a 304, or into the 412 that
    is raised as `HttpError` (RFC 9110 §13.2.2). `encoded` keeps bodies in their codings.
    """
    coding = compress.choose(ask.header("accept-encoding"))
    rendered = None if content.etag is not None else content.render()
    if rendered is None:
        etag, modified = content.etag or "", content.last_modified
    else:
        etag, modified = rendered.etag, rendered.last_modified
    if content.status == 200:
        tag = conditional.with_suffix(etag, coding.suffix)
        if conditional.failed(
            etag=tag,
            last_modified=modified,
            if_match=ask.header("if-match"),
            unmodified_since=ask.header("if-unmodified-since"),
        ):
            raise HttpError(412, "What is here now is not what the request is meant for.")
        if conditional.not_modified(
            etag=tag,
            last_modified=modified,
            if_none_match=ask.header("if-none-match"),
            if_modified_since=ask.header("if-modified-since"),
        ):
            headers = _headers(content, coding, etag, modified, now)
            lasting = _lasting(content, headers, modified, now)
            return Answer(304, headers, lasting=lasting)
    if content.part is not None and (part := content.part()) is not None:
        content = _less(content, part)
        # it bears the entity tag of the whole, whose bytes these are not
        rendered, encoded = part.rendered, None
    if rendered is None:
        # a commit may have come since the validators were read: these are the body's own
        rendered = content.render()
    body = _encode(rendered, coding, encoded)
    common = _headers(content, coding, rendered.etag, rendered.last_modified, now)
    headers = (
        *common,
        ("Content-Type", content.media_type),
        ("Content-Length", str(len(body))),
        *content.headers,
    )
    if coding is not compress.IDENTITY:
        headers = (*headers, ("Content-Encoding", coding.name))
    lasting = _lasting(content, common, rendered.last_modified, now)
    return Answer(content.status, headers, body, lasting)


def _encode(rendered: Rendered, coding: compress.Coding, encoded: Shelf | None) -> bytes:
    """A body in a coding; equal entity tags are equal bytes, which are put into it once."""
    if coding is compress.IDENTITY:
        return rendered.body
    place = (coding.name, rendered.etag)
    body = encoded.get(place) if encoded else None
    if body is None:
        body = coding.encode(rendered.body)
        if encoded:
            encoded.put(place, body)
    return body


def _lasting(
    content: Representation, unmodified: Headers, last_modified: datetime | None, now: datetime
) -> Lasting | None:
    if content.lasts is None or content.status != 200:
        return None
    until = now + content.lasts
    settles = conditional.settles(last_modified, now)
    return Lasting(
        until=min(until, settles) if settles else until,
        etag=dict(unmodified)["ETag"],
        last_modified=last_modified,
        unmodified=unmodified,
    )


def _less(content: Representation, part: Part) -> Representation:
    """The same with a part of itself (RFC 3229 §10.4.1).

    Caches that know nothing of this leave it alone; those that do may keep it (§10.8.2).
    """
    return replace(
        content,
        cache="no-store, im",
        vary=(*content.vary, "If-None-Match"),
        headers=(*content.headers, ("IM", part.im), ("Delta-Base", part.base)),
        status=226,
    )


def _headers(
    content: Representation,
    coding: compress.Coding,
    etag: str,
    last_modified: datetime | None,
    now: datetime,
) -> Headers:
    headers = [
        ("ETag", conditional.with_suffix(etag, coding.suffix)),
        ("Cache-Control", content.cache),
        ("Vary", ", ".join((*content.vary, "Accept-Encoding"))),
        *SECURITY_HEADERS,
    ]
    if content.location is not None:
        headers.append(("Content-Location", content.location))
    if last_modified is not None:
        headers.append(("Last-Modified", conditional.last_modified_value(last_modified, now)))
    return tuple(headers)


def digest(*parts: bytes) -> str:
    """A strong entity tag, quoted, of these parts."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8))
        whole.update(part)
    return f'"{whole.hexdigest()[:32]}"'


def whole(body: bytes) -> Rendered:
    """A body whose entity tag is made from itself."""
    return Rendered(body=body, etag=digest(body))
