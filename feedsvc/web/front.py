"""Before Flask: answers that were given a moment ago are given again from memory.

Finding a route and the way through a framework cost many times what a 304 does. An answer that
nothing but a change of the store's content can alter is kept, with what a 304 in its place would
say, under all that it depends on: address, coding, negotiated type. Whatever is not understood here
passes through. `Watch` and `FeedAccess` are the same that decide behind it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from ..metrics import HTTP_KEPT, HTTP_REQUESTS
from . import compress, conditional, negotiate
from .access import FeedAccess
from .feeds import OFFERS
from .message import Answer, Lasting, plausible_host, split_token
from .watch import Watch

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Where the application leaves the `Answer` it gave, with the route it was found by.
ANSWER = "feedsvc.answer"

# what makes another answer of the same address, or is not for us to judge
_STRANGE = frozenset(
    {
        "CONTENT_LENGTH",
        "HTTP_IF_MATCH",
        "HTTP_IF_UNMODIFIED_SINCE",
        "HTTP_TRANSFER_ENCODING",
        "HTTP_UPGRADE",
    }
)
_SIZE = 32 * 2**20
# what an answer takes beside its body: headers, key
_OVERHEAD = 4096
_LONGEST = 512
_VALUES = 1024


class _Tally:
    """How often answers of a route were given again, and how much of that has been reported."""

    __slots__ = ("content", "reported", "unmodified")

    def __init__(self) -> None:
        # these only grow: whoever reports them takes nothing away from whoever counts
        self.content = self.unmodified = 0
        self.reported = (0, 0)


class _Kept:
    """What is answered as long as its generation lasts: content, if it was asked for, and 304."""

    __slots__ = (
        "body",
        "content",
        "etag",
        "generation",
        "modified",
        "tally",
        "unmodified",
        "until",
    )

    def __init__(self, answer: Answer, lasting: Lasting, generation: int, tally: _Tally) -> None:
        self.generation = generation
        self.until = lasting.until
        self.etag = lasting.etag
        self.modified = lasting.last_modified
        self.unmodified = list(lasting.unmodified)
        self.content = list(answer.headers) if answer.status == 200 else None
        self.body = answer.body
        self.tally = tally

    def content_of(self, other: "_Kept") -> None:
        """Takes over content that is the same."""
        if self.content is None and self.unmodified == other.unmodified:
            self.content, self.body = other.content, other.body


_Key = tuple[str, str, str, str | None, str | None]


class Front:
    """A WSGI application in front of another one, which leaves its answers at `ANSWER`.

    Gives what that would give, to the byte, as it was at most a `Watch`'s time ago. Thread-safe.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        watch: Watch,
        access: FeedAccess,
        clock: Callable[[], datetime],
        *,
        size: int = _SIZE,
    ) -> None:
        """`size`: how many bytes are kept at most."""
        self.application = application
        self.watch = watch
        self._access = access
        self._clock = clock
        self._size = size
        self.used = 0
        self._generation = 0
        self._kept: dict[_Key, _Kept] = {}
        self._tallies: dict[str, _Tally] = {}
        self._lock = Lock()
        self._now = clock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        watch, get = self.watch, environ.get
        if watch.clock() >= watch.due and not self._look():
            return self.application(environ, start_response)
        query = environ["QUERY_STRING"]
        if self._access.restricted:
            query, token = split_token(query)
            if not self._access.admits(token, get("HTTP_AUTHORIZATION")):
                return self.application(environ, start_response)
        aim = get("HTTP_A_IM")
        place = (environ["PATH_INFO"], query, _coding(get("HTTP_ACCEPT_ENCODING")), aim)
        kept = self._kept.get((*place, None)) or self._kept.get((*place, _type(get("HTTP_ACCEPT"))))
        if (
            kept is None
            or kept.generation != watch.generation
            or kept.until <= self._now
            or not _STRANGE.isdisjoint(environ)
            or not plausible_host(get("HTTP_HOST"), environ["SERVER_PROTOCOL"])
        ):
            return self._pass_on(place, environ, start_response)
        method = environ["REQUEST_METHOD"]
        if method != "GET" and method != "HEAD":
            return self.application(environ, start_response)
        tags = get("HTTP_IF_NONE_MATCH")
        if tags is None:
            since = get("HTTP_IF_MODIFIED_SINCE")
            unmodified = since is not None and conditional.not_modified(
                etag=kept.etag,
                last_modified=kept.modified,
                if_none_match=None,
                if_modified_since=since,
            )
        else:
            unmodified = tags == kept.etag or conditional.matches(tags, kept.etag)
        if unmodified:
            kept.tally.unmodified += 1
            start_response("304 NOT MODIFIED", kept.unmodified.copy())
            return ()
        # to one who wants but what is new since a certain state, content may be another
        if kept.content is None or (aim is not None and tags is not None):
            return self._pass_on(place, environ, start_response)
        kept.tally.content += 1
        start_response("200 OK", kept.content.copy())
        return [kept.body] if method == "GET" else ()

    def report(self) -> None:
        """Adds what was answered from memory since the last time to the metrics."""
        with self._lock:
            for route, tally in self._tallies.items():
                now, before = (tally.content, tally.unmodified), tally.reported
                tally.reported = now
                for status, new in (("200", now[0] - before[0]), ("304", now[1] - before[1])):
                    if new:
                        HTTP_REQUESTS.labels(route=route, status=status).inc(new)
                        HTTP_KEPT.inc(new)

    def _look(self) -> bool:
        """Notices what has changed; False where the store cannot say."""
        self.report()
        try:
            self._access.follow(self.watch.look())
        except Exception:
            # the application meets the same, and says it
            return False
        now = self._clock()
        if now < self._now:
            # the clock was set back: what was to end by it would last too long
            with self._lock:
                self._forget()
        self._now = now
        return True

    def _pass_on(
        self,
        place: tuple[str, str, str, str | None],
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        """Lets the application answer, and keeps that if it lasts."""
        accept = environ.get("HTTP_ACCEPT")
        # asked for before the store is read: what is made of it is of this generation or later
        generation = self.watch.generation
        body = self.application(environ, start_response)
        answer: Answer | None
        answer, route = environ.get(ANSWER, (None, ""))
        if answer is not None and answer.lasting is not None:
            vary = (answer.header("Vary") or "").split(", ")
            key = (*place, _type(accept) if "Accept" in vary else None)
            self._keep(key, answer, answer.lasting, generation, route)
        return body

    def _keep(
        self, key: _Key, answer: Answer, lasting: Lasting, generation: int, route: str
    ) -> None:
        with self._lock:
            if generation != self.watch.generation:
                return
            if generation != self._generation:
                self._forget()
                self._generation = generation
            tally = self._tallies.setdefault(route, _Tally())
            kept = _Kept(answer, lasting, generation, tally)
            before = self._kept.pop(key, None)
            if before is not None:
                self.used -= _size(key, before)
                kept.content_of(before)
            self._kept[key] = kept
            self.used += _size(key, kept)
            while self.used > self._size:
                oldest = next(iter(self._kept))
                self.used -= _size(oldest, self._kept.pop(oldest))

    def _forget(self) -> None:
        self._kept.clear()
        self.used = 0


def _size(key: _Key, kept: _Kept) -> int:
    return len(key[0]) + len(key[1]) + len(kept.body) + _OVERHEAD


def _coding(accept_encoding: str | None) -> str:
    """The name of the coding that a request gets."""
    if accept_encoding is not None and len(accept_encoding) > _LONGEST:
        return compress.choose(accept_encoding).name
    return _usual_coding(accept_encoding)


def _type(accept: str | None) -> str:
    """Which of a feed's representations a request gets where its address leaves that open."""
    if accept is not None and len(accept) > _LONGEST:
        return negotiate.choose(accept, OFFERS)
    return _usual_type(accept)


@lru_cache(_VALUES)
def _usual_coding(accept_encoding: str | None) -> str:
    return compress.choose(accept_encoding).name


@lru_cache(_VALUES)
def _usual_type(accept: str | None) -> str:
    return negotiate.choose(accept, OFFERS)
