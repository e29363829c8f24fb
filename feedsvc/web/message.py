"""A request and an answer as plain values, so that HTTP is decided without a web framework.

Flask turns its request into an `Ask` and an `Answer` into its response; anything that speaks WSGI
can do the same and skip Flask. Nothing here knows of feeds, pages or the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

Headers = tuple[tuple[str, str], ...]

_MAX_FIELDS = 100


@dataclass(frozen=True)
class Ask:
    """One request: `path` percent-decoded and below the base URL, `query` as it was sent.

    `headers` has lower-case names; a field sent several times stands joined with commas.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def arguments(self) -> Mapping[str, str]:
        """The query's parameters, the first value of each; beyond 100 fields they are ignored."""
        fields = self.query.split("&", _MAX_FIELDS)[:_MAX_FIELDS]
        pairs = parse_qsl("&".join(fields), keep_blank_values=True)
        return dict(reversed(pairs))

    def header(self, name: str) -> str | None:
        """A header field's value, or None if it was not sent; `name` is lower case."""
        return self.headers.get(name)


@dataclass(frozen=True, slots=True)
class Answer:
    """One response, complete: what is not in `headers` is not sent.

    `body` is there for HEAD too (its length is), and is left out on the way to the wire.
    """

    status: int
    headers: Headers
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header field, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)
