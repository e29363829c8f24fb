"""From a request to its answer, for everything that is feeds or pages, without a framework.

Access, errors and conditional requests are settled here once; who serves sits in `feeds`, `pages`
and `ops`.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote_plus

from ..compose import FeedRequest
from ..compose.shelf import Shelf
from ..runtime import Runtime
from .access import FeedAccess
from .errors import Errors, HttpError, Unauthorized
from .feeds import Feeds
from .message import Answer, Ask
from .ops import Ops
from .pages import Pages
from .respond import Representation, respond, whole
from .site import Site
from .stories import Stories
from .templating import Templates
from .watch import Watch

#: How long a client may use a feed without asking again, in seconds. Beyond that a cache may give
#: it out once more while it asks, and for a day while we do not answer (RFC 5861).
FEED_AGE = 60
_FEED_CACHE = f"max-age={FEED_AGE}, stale-while-revalidate=60, stale-if-error=86400"
_PAGE_CACHE = "no-cache"
# what speaks of shared caches, or lets others be given what a revoked token opened
_SHARED = re.compile(r"public|s-maxage=.*|stale-.*|private")

# bodies in their codings
_ENCODED = 24 * 2**20
_MAX_TARGET = 8192
_MAX_BODY = 2**20
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SPACES = re.compile(r"[\t\n\r]")


class Door:
    """Everything a request can be answered with, made once for a runtime."""

    def __init__(self, runtime: Runtime, *, every: float = 0.0) -> None:
        """`every`: seconds that may pass until a change of the store, or of tokens, is noticed."""
        config = runtime.config
        self._clock = runtime.clock
        self._encoded = Shelf(_ENCODED)
        self.watch = Watch(runtime.store, every=every)
        self.access = FeedAccess(config.web.feed_tokens, runtime.store.token_digests)
        self.site = Site(config.site.base_url)
        self.templates = Templates(config.site, self.site, stories=config.related.gathers)
        self.errors = Errors(self.templates, self.site)
        self.pages = Pages(runtime, self.templates, self.site, _PAGE_CACHE)
        self.stories = Stories(runtime, self.templates, self.site, _PAGE_CACHE)
        self.feeds = Feeds(
            runtime.composer,
            self.site,
            _FEED_CACHE,
            self._page_of,
            no_deltas_for=config.web.no_deltas_for,
        )
        self.ops = Ops(runtime, _PAGE_CACHE)

    def _page_of(self, request: FeedRequest) -> Representation:
        """The page with what a feed holds."""
        return self.stories.feed(request) if request.stories else self.pages.feed(request)

    def feed(self, ask: Ask) -> Answer:
        """Answers a GET or HEAD of `/feeds/…`, whatever happens."""
        return self.answer(ask, lambda: self.feeds.represent(ask))

    def answer(self, ask: Ask, represent: Callable[[], Representation]) -> Answer:
        """Answers a GET or HEAD with what may be read only with a feed token, if there are any."""
        try:
            check(ask)
            self.access.follow(self.watch.look())
            if not self.access.allows(ask):
                raise Unauthorized
            content = represent()
            if self.access.restricted or ask.token is not None:
                content = replace(content, cache=_private(content.cache))
            return respond(ask, content, self._clock(), self._encoded)
        except Exception as error:
            return self.errors.answer(ask, error)

    def static(self, ask: Ask, name: str) -> Answer:
        """Answers with a file of the pages; under the address that names its content, for good."""
        try:
            check(ask)
            if name not in self.templates.static:
                raise HttpError(404, f"There is nothing at {ask.path}.")
        except HttpError as error:
            return self.errors.answer(ask, error)
        media_type, body = self.templates.static[name]
        pinned = self.templates.asset(name).endswith(f"?{ask.query}")
        return respond(
            ask,
            Representation(
                media_type=media_type,
                render=lambda: whole(body),
                cache="public, max-age=31536000, immutable" if pinned else "public, max-age=3600",
            ),
            self._clock(),
        )


def _private(cache: str) -> str:
    """The same `Cache-Control` for the one who asked alone: nothing in it is for shared caches."""
    own = [one for one in cache.split(", ") if not _SHARED.fullmatch(one)]
    return ", ".join(("private", *own))


def check(ask: Ask, *, most: int = _MAX_BODY) -> None:
    """Refuses what no address of ours can look like. Raises `HttpError`."""
    if len(ask.path) + len(ask.query) > _MAX_TARGET:
        raise HttpError(414, f"An address here has at most {_MAX_TARGET} characters.")
    if _CONTROL.search(ask.path) or _CONTROL.search(ask.query):
        raise HttpError(400, "An address holds no control characters.")
    if _CONTROL.search(_SPACES.sub(" ", unquote_plus(ask.query))):
        for name, value in ask.arguments.items():
            # a query tells itself where in it the trouble is
            if name != "q" and _CONTROL.search(_SPACES.sub(" ", value)):
                raise HttpError(400, f"The parameter {name!r} holds a control character.")
    length = ask.header("content-length") or "0"
    if not length.isdigit() or int(length[:12]) > most:
        raise HttpError(413, f"A request here has at most {most} bytes.")
