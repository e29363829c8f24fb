"""From a request to its answer, for everything that is feeds or pages, without a framework.

Access, errors and conditional requests are settled here once; who serves sits in `feeds`, `pages`
and `ops`.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote_plus

from ..runtime import Runtime
from .access import FeedAccess
from .errors import Errors, HttpError, Unauthorized
from .feeds import Feeds
from .message import Answer, Ask
from .ops import Ops
from .pages import Pages
from .respond import Representation, respond, whole
from .site import Site
from .templating import Templates

#: How long a client may use a feed without asking again, in seconds.
FEED_AGE = 60

_MAX_TARGET = 8192
_MAX_BODY = 2**20
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Door:
    """Everything a request can be answered with, made once for a runtime."""

    def __init__(self, runtime: Runtime) -> None:
        config = runtime.config
        self._clock = runtime.clock
        self._access = FeedAccess(config.web.feed_tokens)
        scope = "private" if self._access.restricted else "public"
        feed_cache, page_cache = f"{scope}, max-age={FEED_AGE}", f"{scope}, no-cache"
        self.site = Site(config.site.base_url)
        self.templates = Templates(config.site, self.site)
        self.errors = Errors(self.templates, self.site)
        self.pages = Pages(runtime, self.templates, self.site, page_cache)
        self.feeds = Feeds(runtime.composer, self.site, feed_cache, self.pages.feed)
        self.ops = Ops(runtime, page_cache)

    def feed(self, ask: Ask) -> Answer:
        """Answers a GET or HEAD of `/feeds/…`, whatever happens."""
        return self.answer(ask, lambda: self.feeds.represent(ask))

    def answer(self, ask: Ask, represent: Callable[[], Representation]) -> Answer:
        """Answers a GET or HEAD with what may be read only with a feed token, if there are any."""
        try:
            check(ask)
            if not self._access.allows(ask):
                raise Unauthorized
            return respond(ask, represent(), self._clock())
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


def check(ask: Ask) -> None:
    """Refuses what no address of ours can look like. Raises `HttpError`."""
    if len(ask.path) + len(ask.query) > _MAX_TARGET:
        raise HttpError(414, f"An address here has at most {_MAX_TARGET} characters.")
    if not ask.path.isprintable() or not ask.query.isprintable():
        raise HttpError(400, "An address holds no control characters.")
    if _CONTROL.search(unquote_plus(ask.query)):
        raise HttpError(400, "A query holds no control characters.")
    length = ask.header("content-length") or "0"
    if not length.isdigit() or int(length[:12]) > _MAX_BODY:
        raise HttpError(413, f"A request here has at most {_MAX_BODY} bytes.")
