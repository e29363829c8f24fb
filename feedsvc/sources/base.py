"""The contract of a source kind: fetch what is there, then parse it.

`fetch` is the only part that does I/O and runs in the poller; `parse` is pure, takes what `fetch`
brought and may run in a parser process. Both live in one class because how a thing is fetched and
how it is read belong together: a directory has no HTTP, a feed no front matter.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..httpclient import HttpClient
from ..model import ParsedEntry, PollState, Problem, Source, SourceKind, SourceMeta
from ..polls import Demand, Hints


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a fetch brought: picklable, and enough for `parse` to work without any I/O but files.

    `payload` is the kind's own (a response body, a list of changed files). `unchanged` means that
    the source answered and has nothing new (304, equal digest or listing): `parse` is not called.
    `demands` are how long the server tells us to stay away, `moved_to` is where permanent redirects
    led, if nothing but these did.
    """

    payload: Any = None
    unchanged: bool = False
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    cursor: str | None = None
    demands: tuple[Demand, ...] = ()
    bytes: int = 0
    moved_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a document says: its entries, what it says of itself, and what could not be read.

    `removed` are uids that are certainly gone (a file was removed), never merely absent.
    A renamed file keeps its uid. `cursor`, if set, replaces that of `Fetched`. `hints` are what a
    feed says of its own rhythm.
    """

    entries: tuple[ParsedEntry, ...] = ()
    removed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    meta: SourceMeta | None = None
    cursor: str | None = None
    hints: Hints | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchTools:
    """What a fetch may use beside its source and state."""

    http: HttpClient
    now: datetime


class SourceReader(Protocol):
    """One kind of source. Instances hold no state of a source and may be shared by tasks."""

    kind: SourceKind

    async def fetch(self, source: Source, state: PollState, tools: FetchTools) -> Fetched:
        """Fetches a source, conditionally on what `state` remembers.

        Raises `FetchError` (or `SourceGone`) when it cannot be reached or answers with an error.
        """
        ...

    def parse(self, source: Source, fetched: Fetched) -> Reading:
        """Reads what `fetch` brought.

        One bad document of many is a `Problem` of the reading; raises `ParseError` only when the
        whole is unreadable.
        """
        ...
