"""The JSON API: the endpoints there are, and from a request to its answer.

What is told sits in `models`, what is asked in `questions`, how both are described in `describe`;
`entries`, `stories`, `tags`, `sources` and `service` answer.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...runtime import Runtime
from ..door import Door, check
from ..message import Answer, Ask
from ..respond import HTML_TYPE, JSON_TYPE, Representation, respond, whole
from ..security import PAGE_POLICY
from . import asking
from .describe import describe
from .endpoint import ROOT, Call, Endpoint
from .entries import Entries
from .guard import Guard
from .manual import manual
from .service import Service
from .sources import Sources
from .stories import Stories
from .tags import Tags

__all__ = ["ROOT", "Api", "Endpoint"]

_DESCRIPTION_CACHE = "public, no-cache"


class Api:
    """Everything below `/api/v1`, made once for a runtime."""

    def __init__(self, runtime: Runtime, door: Door) -> None:
        self._config = runtime.config
        self._clock = runtime.clock
        self._templates, self._errors = door.templates, door.errors
        self._access, self._watch = door.access, door.watch
        self._guard = Guard(runtime.config.web, door.access)
        self._descriptions: dict[bool, tuple[bytes, bytes]] = {}
        self.endpoints: tuple[Endpoint, ...] = (
            *Entries(runtime, door.site).endpoints(),
            *Stories(runtime, door.site).endpoints(),
            *Tags(runtime).endpoints(),
            *Sources(runtime, door.site).endpoints(),
            *Service(runtime).endpoints(),
        )

    def answer(
        self, endpoint: Endpoint, ask: Ask, values: Mapping[str, str], read: Callable[[], bytes]
    ) -> Answer:
        """Answers a request, whatever happens; `read` gives its body, if that is wanted."""
        try:
            check(ask, most=endpoint.most)
            self._access.follow(self._watch.look())
            self._guard.admit(ask, endpoint)
            query = asking.read_query(ask, endpoint)
            if endpoint.costly(query):
                self._guard.charge(ask)
            body = asking.read_body(ask, endpoint, read)
            found = endpoint.handler(Call(ask, values, query, body))
            if isinstance(found, Answer):
                return found
            alone = self._guard.restricted or ask.token is not None
            scope = "private" if alone else "public"
            return respond(ask, replace(found, cache=f"{scope}, {found.cache}"), self._clock())
        except Exception as error:
            return self._errors.answer(ask, error)

    def openapi(self, ask: Ask) -> Answer:
        """The description of all this, in OpenAPI 3.1."""
        return self._open(ask, JSON_TYPE, lambda: self._told[0])

    def manual(self, ask: Ask) -> Answer:
        """The same for people, as a page."""
        return self._open(ask, HTML_TYPE, lambda: self._told[1])

    def _open(self, ask: Ask, media_type: str, body: Callable[[], bytes]) -> Answer:
        # it says nothing of what is in the store, and so needs no token
        try:
            check(ask)
            content = Representation(
                media_type=media_type,
                render=lambda: whole(body()),
                cache=_DESCRIPTION_CACHE,
                headers=(("Content-Security-Policy", PAGE_POLICY),),
            )
            return respond(ask, content, self._clock())
        except Exception as error:
            return self._errors.answer(ask, error)

    @property
    def description(self) -> dict[str, Any]:
        """The OpenAPI document: whether reading needs a token is as it is in this moment."""
        site = self._config.site
        return describe(
            self.endpoints,
            title=site.title,
            base_url=site.base_url,
            restricted=self._guard.restricted,
        )

    @property
    def _told(self) -> tuple[bytes, bytes]:
        """The description as JSON and as a page; tokens come and go, so that there are two."""
        restricted = self._guard.restricted
        if restricted not in self._descriptions:
            document = self.description
            page = self._templates.render(
                "api.html",
                manual=manual(document),
                root=ROOT,
                writable=self._guard.writable,
            )
            openapi = json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
            self._descriptions[restricted] = (openapi, page)
        return self._descriptions[restricted]
