"""A request and an answer as plain values, so that HTTP is decided without a web framework.

Flask turns its request into an `Ask` and an `Answer` into its response; anything that speaks WSGI
can do the same and skip Flask. Nothing here knows of feeds, pages or the store.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from urllib.parse import parse_qsl

Headers = tuple[tuple[str, str], ...]

_TOKEN = "token"  # noqa: S105
_MAX_FIELDS = 100
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[\w.~!$&'()*+;=%-]{1,255})(?::\d{0,5})?", re.ASCII)


@dataclass(frozen=True)
class Ask:
    """One request: `path` percent-decoded and below the base URL, `query` as it was sent.

    `headers` has lower-case names; a field sent several times stands joined with commas. A `token`
    in the query is taken out of it, so that no address made of the query can hold one. `client`
    is the address that the request came from.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    client: str = ""
    token: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        query, token = split_token(self.query)
        object.__setattr__(self, "query", query)
        object.__setattr__(self, "token", token)

    @cached_property
    def arguments(self) -> Mapping[str, str]:
        """The query's parameters, the first value of each; beyond 100 fields they are ignored."""
        fields = self.query.split("&", _MAX_FIELDS)[:_MAX_FIELDS]
        pairs = parse_qsl("&".join(fields), keep_blank_values=True)
        return dict(reversed(pairs))

    def header(self, name: str) -> str | None:
        """A header field's value, or None if it was not sent; `name` is lower case."""
        return self.headers.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """That an answer will be given again, until then or until the store changes.

    It is the answer to a 200 with these validators (`etag` with its quotes, the time that
    `If-Modified-Since` is compared with), or to a 304 with the headers `unmodified`.
    """

    until: datetime
    etag: str
    last_modified: datetime | None
    unmodified: Headers


@dataclass(frozen=True, slots=True)
class Answer:
    """One response, complete: what is not in `headers` is not sent.

    `body` is there for HEAD too (its length is), and is left out on the way to the wire. An answer
    that is not `lasting` depends on more than the store's content and is to be made each time.
    """

    status: int
    headers: Headers
    body: bytes = b""
    lasting: Lasting | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header field, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class HttpError(Exception):
    """A request that HTTP itself refuses; `detail` is for the user, `members` for programs."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Headers = (),
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.members = members


@lru_cache(256)
def plausible_host(host: str | None, protocol: str) -> bool:
    """Whether the value of a `Host` field names one host, or may be missing (RFC 9112 §3.2).

    Fields of that name that were sent twice arrive joined by a comma. HTTP/1.1 needs one, and an
    empty one, which no web address has (RFC 9110 §4.2.1), arrives like none.
    """
    return bool(_HOST.fullmatch(host)) if host else protocol != "HTTP/1.1"


def split_token(query: str) -> tuple[str, str | None]:
    """Takes a feed token out of a query as it was sent; of several the first one counts.

    The other fields stay as they were, in their order.
    """
    if _TOKEN not in query and "%" not in query:
        return query, None
    found, rest = None, []
    for one in query.split("&"):
        pair = parse_qsl(one, keep_blank_values=True)
        if pair and pair[0][0] == _TOKEN:
            found = pair[0][1] if found is None else found
        else:
            rest.append(one)
    return "&".join(rest), found
