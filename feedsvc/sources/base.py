"""The contract of a source kind: fetch what is there, then parse it.

`fetch` is the only part that does I/O and runs in the poller; `parse` is pure, takes what `fetch`
brought and may run in a parser process. Both live in one class because how a thing is fetched and
how it is read belong together: a directory has no HTTP, a feed no front matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from ..model import ParsedEntry, PollState, Problem, Source, SourceKind, SourceMeta
from ..polls import Demand, Hints
from .cutting import Memory, Outline

if TYPE_CHECKING:
    # parser processes read and do not fetch: they start in a third of the time without a client
    from ..httpclient import HttpClient


@runtime_checkable
class Divisible(Protocol):
    """A payload of several documents, one of which may be the ruin of the process that reads it."""

    @property
    def bytes(self) -> int:
        """How much there is to read."""
        ...

    def parts(self, error: str) -> Sequence[Self]:
        """What to read instead, one after the other, after the whole failed with `error`.

        A single document comes as a payload that reports it as a problem and reads nothing;
        where there is no document to blame, nothing comes.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a fetch brought: picklable, and enough for `parse` to work without any I/O but files.

    `payload` is the kind's own (a response body, a list of changed files). `unchanged` means that
    the source answered and has nothing new (304, equal digest or listing): `parse` is not called.
    `demands` are how long the server tells us to stay away, `moved_to` is where permanent redirects
    led, if nothing but these did. `memory` is of the entries stored before: a reader may leave
    those out that come again byte for byte. `cursor` None keeps the one that is stored. `more`:
    there is more than one poll takes, so come again at once.
    """

    payload: Any = None
    memory: Memory | None = None
    unchanged: bool = False
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    cursor: str | None = None
    demands: tuple[Demand, ...] = ()
    bytes: int = 0
    moved_to: str | None = None
    more: bool = False

    def parts(self, error: str) -> tuple["Fetched", ...]:
        """What to digest instead, in this order and each with the cursor of the one before.

        Empty where there is but one document, so that `error` is the whole source's.
        """
        if not isinstance(self.payload, Divisible):
            return ()
        return tuple(
            replace(self, payload=part, bytes=part.bytes) for part in self.payload.parts(error)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a document says: its entries, what it says of itself, and what could not be read.

    `removed` are uids that are certainly gone (a file was removed, a feed says so), never merely
    absent.
    A renamed file keeps its uid. `cursor`, if set, replaces that of `Fetched`. `hints` are what a
    feed says of its own rhythm. `outline`, where a reader can give it, is what its memory is made
    of once the entries have their uids.
    """

    entries: tuple[ParsedEntry, ...] = ()
    removed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    meta: SourceMeta | None = None
    cursor: str | None = None
    hints: Hints | None = None
    outline: Outline | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchTools:
    """What a fetch may use beside its source and state."""

    http: "HttpClient"
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
