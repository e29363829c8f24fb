"""The head of a message: header fields by name whatever their case, and credentials."""

import base64
import re
from collections.abc import Iterable

_SCHEME = re.compile(r"(basic|bearer|digest|token|apikey)\s+\S", re.IGNORECASE)
# fields defined as one value although servers repeat them: the last one counts (RFC 9110 §5.3
# lets only list fields be joined)
_SINGLE = frozenset(
    {
        "age",
        "content-encoding",
        "content-length",
        "content-location",
        "content-type",
        "date",
        "etag",
        "expires",
        "last-modified",
        "location",
        "retry-after",
        "set-cookie",
    }
)


class Headers(dict[str, str]):
    """Header fields of a response; names compare without case and are kept in lower case.

    A repeated list field (`Link`, `Cache-Control`) is joined with commas, of any other the last
    value counts. Picklable.
    """

    @classmethod
    def collect(cls, fields: Iterable[tuple[str, str]]) -> "Headers":
        """Builds the mapping from fields in the order received."""
        headers = cls()
        for name, value in fields:
            name = name.lower()
            if name in headers and name not in _SINGLE:
                value = f"{headers[name]}, {value}"
            headers[name] = value
        return headers

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name.lower(), value)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """The value of a field, or `default`."""
        return super().get(name.lower(), default)


def authorization(auth: str) -> str:
    """Turns a source's `auth` into an Authorization value (RFC 7617, RFC 6750).

    `user:password` becomes Basic; a value that names its scheme (`Bearer …`) is sent as it is.
    Raises `ValueError` saying which forms there are.
    """
    if _SCHEME.match(auth):
        return auth
    if ":" not in auth:
        raise ValueError('auth must be "user:password" or "Bearer TOKEN"')
    return "Basic " + base64.b64encode(auth.encode("utf-8")).decode("ascii")
