"""From a representation to the answer on the wire: 304 or 200, coding, validators, headers.

Every URL that serves content ends here, so that feeds, pages and OPML treat validators, codings
and caches alike. The body is asked for only once a 304 has been ruled out.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from . import compress, conditional
from .message import Answer, Ask, Headers

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
class Representation:
    """Something to serve, described before it is rendered.

    `etag` and `last_modified` are known without rendering; without an `etag` even a 304 needs the
    body. `headers` go out with the content alone, `cache` and `vary` with a 304 as well.
    """

    media_type: str
    render: Callable[[], Rendered]
    cache: str
    etag: str | None = None
    last_modified: datetime | None = None
    vary: tuple[str, ...] = ()
    headers: Headers = ()
    status: int = 200


def respond(ask: Ask, content: Representation, now: datetime) -> Answer:
    """Answers a GET or HEAD: 304 if the client's copy is good (RFC 9110 §13), else the content.

    A 304 carries what RFC 9110 §15.4.5 asks for and `Last-Modified`; the entity tag names the
    coding that this very request would get. Only a 200 ever turns into a 304.
    """
    coding = compress.choose(ask.header("accept-encoding"))
    rendered = None if content.etag is not None else content.render()
    if rendered is None:
        etag, modified = content.etag or "", content.last_modified
    else:
        etag, modified = rendered.etag, rendered.last_modified
    if content.status == 200 and conditional.not_modified(
        etag=conditional.with_suffix(etag, coding.suffix),
        last_modified=modified,
        if_none_match=ask.header("if-none-match"),
        if_modified_since=ask.header("if-modified-since"),
    ):
        return Answer(304, _headers(content, coding, etag, modified, now))
    if rendered is None:
        # a commit may have come since the validators were read: these are the body's own
        rendered = content.render()
    body = coding.encode(rendered.body)
    headers = [
        *_headers(content, coding, rendered.etag, rendered.last_modified, now),
        ("Content-Type", content.media_type),
        ("Content-Length", str(len(body))),
        *content.headers,
    ]
    if coding is not compress.IDENTITY:
        headers.append(("Content-Encoding", coding.name))
    return Answer(content.status, tuple(headers), body)


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
