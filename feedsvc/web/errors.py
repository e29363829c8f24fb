"""Errors as answers: RFC 9457 problem details, or an HTML page for who prefers one.

Our own errors say what went wrong in words fit for a user; anything else is logged under a number
and answered without a word about the inside.
"""

import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus

from ..errors import (
    FeedsvcError,
    NotFound,
    OptionError,
    QueryError,
    QueryTooCostly,
    StoreUnavailable,
)
from ..log import get_logger
from . import access, negotiate
from .message import Answer, Ask, Headers
from .message import HttpError as HttpError
from .respond import HTML_TYPE, SECURITY_HEADERS
from .security import PAGE_POLICY
from .site import Site
from .templating import Templates

PROBLEM_TYPE = "application/problem+json; charset=utf-8"

#: How long a client should wait for the database to come back, in seconds.
RETRY_AFTER = 10

log = get_logger(__name__)


class BadRequest(HttpError):
    """A parameter that cannot be read."""

    def __init__(self, detail: str) -> None:
        super().__init__(400, detail)


class Unauthorized(HttpError):
    """No valid feed token."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "This needs a feed token: add ?token=TOKEN to the URL, or send it as a bearer token or "
            "as the password of HTTP Basic.",
            headers=tuple(("WWW-Authenticate", value) for value in access.CHALLENGES),
        )


class Gone(HttpError):
    """Something that was here and has been withdrawn."""

    def __init__(self, detail: str) -> None:
        super().__init__(410, detail)


class Moved(Exception):
    """What was asked for lives at another address for good (RFC 9110 §15.4.2)."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


def place_of(error: QueryError) -> Mapping[str, object]:
    """The members of a problem that point into a query."""
    return {"query": error.query, "position": error.position, "pointer": error.pointer()}


def told_of(error: OptionError) -> Mapping[str, object]:
    """The members of a problem that name an option and what is wrong with it."""
    return {"errors": [{"field": error.option, "detail": str(error)}]}


class Errors:
    """Turns exceptions into answers."""

    def __init__(self, templates: Templates, site: Site) -> None:
        self._templates = templates
        self._site = site

    def answer(self, ask: Ask, error: Exception) -> Answer:
        """Answers a failed request; what nobody foresaw is logged with its traceback."""
        match error:
            case Moved():
                return self._moved(error)
            case HttpError():
                return self._write(
                    ask, error.status, error.detail, members=error.members, headers=error.headers
                )
            case QueryError():
                members = {**place_of(error), "help": self._site.absolute("/search")}
                return self._write(ask, 400, str(error), members=members)
            case OptionError():
                return self._write(ask, 400, str(error), members=told_of(error))
            case NotFound():
                return self._write(ask, 404, str(error))
            case QueryTooCostly():
                return self._write(
                    ask, 503, str(error), members={"help": self._site.absolute("/search")}
                )
            case StoreUnavailable():
                log.error("store unavailable", error=str(error))
                return self._write(
                    ask,
                    503,
                    "The database cannot be reached at the moment. Please try again shortly.",
                    headers=(("Retry-After", str(RETRY_AFTER)),),
                )
        reference = secrets.token_hex(4)
        log.error("request failed", reference=reference, path=ask.path, exc_info=error)
        told = "This could not be answered; the server's log tells why."
        detail = f"{error if isinstance(error, FeedsvcError) else told} (reference {reference})"
        return self._write(ask, 500, detail, members={"reference": reference})

    def _moved(self, error: Moved) -> Answer:
        headers = (
            ("Location", error.location),
            # private: the address may carry a token
            ("Cache-Control", "private, max-age=3600"),
            ("Content-Length", "0"),
        )
        return Answer(301, (*headers, *SECURITY_HEADERS))

    def _write(
        self,
        ask: Ask,
        status: int,
        detail: str,
        *,
        members: Mapping[str, object] | None = None,
        headers: Headers = (),
    ) -> Answer:
        members = members or {}
        title = HTTPStatus(status).phrase
        common = (*headers, ("Cache-Control", "no-store"), ("Vary", "Accept"), *SECURITY_HEADERS)
        if negotiate.choose(ask.header("accept"), negotiate.ERROR_OFFERS) == "html":
            body = self._templates.render(
                "error.html",
                title=title,
                detail=detail,
                pointer=members.get("pointer", ""),
                help=members.get("help"),
            )
            kind: Headers = (("Content-Type", HTML_TYPE), ("Content-Security-Policy", PAGE_POLICY))
        else:
            # RFC 9457 §3.1: without a type of its own a problem means what its status means
            problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
            body = json.dumps({**problem, **members}, ensure_ascii=False, indent=1).encode(
                "utf-8", "replace"
            )
            kind = (("Content-Type", PROBLEM_TYPE),)
        length = ("Content-Length", str(len(body)))
        return Answer(status, (*kind, length, *common), body)
