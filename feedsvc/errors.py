"""Every error feedsvc raises on purpose.

    FeedsvcError
    ├── ConfigError(key)
    ├── QueryError(position)
    ├── OptionError(option)
    ├── NotFound
    ├── SourceError(source_id, fault)
    │   ├── FetchError(status, retry_after, host)
    │   │   └── SourceGone
    │   └── ParseError(line)
    ├── RenderError
    └── StoreError
        ├── StoreUnavailable
        ├── QueryTooCostly
        ├── ClaimLost
        └── SchemaMismatch

A message names the thing and, where there is one, the remedy; it is fit to be shown to a user.
Wings wrap a library's exception in one of these with `from`; only verbs and doors catch them.
"""

import unicodedata
from datetime import timedelta
from typing import Literal

Freshness = Literal["Cache-Control", "Expires"]
# what kind of trouble a source is in, where no HTTP status says it
Fault = Literal[
    "private", "timeout", "too large", "tls", "name", "connection", "protocol", "redirect",
    "credentials", "not a feed",
]  # fmt: skip
# how much of a long query is shown before and after the place of its trouble
_BEFORE, _AFTER = 60, 20


class FeedsvcError(Exception):
    """Base of all errors a user can cause or cure."""

    def __reduce__(self) -> tuple[object, ...]:
        # keyword-only attributes must survive the way back from a parser process
        return (_rebuild, (type(self), self.args, dict(self.__dict__)))


def _rebuild(
    kind: type[FeedsvcError], args: tuple[object, ...], state: dict[str, object]
) -> FeedsvcError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigError(FeedsvcError):
    """The configuration is wrong; `key` is dotted (`poll.interval`), or None for the whole file."""

    def __init__(self, message: str, *, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class QueryError(FeedsvcError):
    """A query does not parse; `position` counts characters of `query` from 0."""

    def __init__(self, message: str, *, query: str = "", position: int = 0) -> None:
        super().__init__(message)
        self.query = query
        self.position = position

    def pointer(self) -> str:
        """The query with a caret under the place, as two lines; of a long one what is around it."""
        start = self.position - _BEFORE if self.position > 2 * _BEFORE else 0
        end = self.position + _AFTER if len(self.query) > self.position + 2 * _BEFORE else None
        before = "…" * (start > 0) + self.query[start : self.position]
        after = self.query[self.position : end] + "…" * (end is not None)
        # what is wide takes two columns, what is written over another none
        blanks = ("\u3000" if unicodedata.east_asian_width(c) in "WF" else " " for c in before)
        seen = (not unicodedata.combining(c) for c in before)
        caret = "".join(blank for blank, shows in zip(blanks, seen, strict=True) if shows)
        return f"{before}{after}\n{caret}^"


class OptionError(FeedsvcError):
    """An option of a feed, or a part of its address, is none it can have; `option` names it."""

    def __init__(self, message: str, *, option: str) -> None:
        super().__init__(message)
        self.option = option


class NotFound(FeedsvcError):
    """No source, entry, tag or feed has this name."""


class SourceError(FeedsvcError):
    """A source could not be read this time; `source_id` says which once it is known.

    `fault` is the kind of trouble, for those who want to advise.
    """

    fault: Fault | None = None

    def __init__(
        self, message: str, *, source_id: str | None = None, fault: Fault | None = None
    ) -> None:
        super().__init__(message)
        self.source_id = source_id
        if fault is not None:
            self.fault = fault


class FetchError(SourceError):
    """HTTP failed; `status` is its code if one came, `retry_after` how long it asked us to wait.

    `host` is the host and port that answered, which a redirect may have led to. `fresh` is for how
    long the answer itself may be kept (RFC 9111 §4.2), and the header field that says so.
    """

    def __init__(
        self,
        message: str,
        *,
        source_id: str | None = None,
        fault: Fault | None = None,
        status: int | None = None,
        retry_after: timedelta | None = None,
        host: str | None = None,
        fresh: tuple[Freshness, timedelta] | None = None,
    ) -> None:
        super().__init__(message, source_id=source_id, fault=fault)
        self.status = status
        self.retry_after = retry_after
        self.host = host
        self.fresh = fresh


class SourceGone(FetchError):
    """The server says the feed is gone for good (410, RFC 9110 §15.5.11)."""


class ParseError(SourceError):
    """A document is not what it claims to be; `line` counts from 1 where it is known."""

    fault = "not a feed"

    def __init__(
        self, message: str, *, source_id: str | None = None, line: int | None = None
    ) -> None:
        super().__init__(message, source_id=source_id)
        self.line = line


class RenderError(FeedsvcError):
    """A feed could not be written in the format asked for."""


class StoreError(FeedsvcError):
    """The store refused."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, or stayed locked for longer than we wait."""


class QueryTooCostly(StoreError):
    """A query that the database was still thinking about when its time was up."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"This query takes the database more than {seconds:g} s and was given up: ask for "
            "less, for instance with since:30d, with a tag or word that fewer entries have, or "
            "with fewer terms beside OR, NOT and -"
        )


class ClaimLost(StoreError):
    """Another poller took the source over while we polled it; nothing was written."""


class SchemaMismatch(StoreError):
    """The database's schema is newer than this program, or not feedsvc's at all."""
