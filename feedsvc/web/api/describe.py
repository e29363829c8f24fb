"""The API described in OpenAPI 3.1, made of its endpoints and the types they take and answer.

spectree makes the document of our own table of endpoints; what is said here beside it is what HTTP
adds: validators, problem details, tokens.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from spectree import Response, SecurityScheme, SpecTree
from spectree.model_adapter.msgspec_adapter import MsgspecModelAdapter
from spectree.models import SecureType, SecuritySchemeData
from spectree.plugins.base import BasePlugin

from ... import __version__
from . import models
from .endpoint import ROOT, Endpoint

_ABOUT = """Entries, tags and sources of this service as JSON.

Reading needs what feeds need: nothing, or a feed token. Writing needs the admin token
(`web.admin_token`). Errors are problem details (RFC 9457). Reads have an `ETag`."""

_TAGS = (
    ("entries", "What has been published."),
    ("stories", "What reports one event."),
    ("tags", "What it is about."),
    ("sources", "What is polled."),
    ("service", "All of it."),
)
_VARIABLES = {
    "key": (
        "The entry's key.",
        {"type": "string", "format": "feedsvc-key", "pattern": "^[a-z2-7]{13}$"},
    ),
    # letters and digits of any script, and hyphens
    "id": (
        "The source's id.",
        {
            "type": "string",
            "format": "feedsvc-source",
            "pattern": r"^[^\x00-,./:-@\[-`{-\x9f]{1,100}$",
        },
    ),
    "tag": ("The tag.", {"type": "string", "maxLength": 80}),
    "story": (
        "The story's name.",
        {"type": "string", "format": "feedsvc-story", "pattern": "^[a-z2-7]{13}$"},
    ),
}
_PROBLEMS = {
    400: "A parameter, a field or the address cannot be taken; `errors` names it.",
    401: "No valid token.",
    403: "Writing over HTTP is off.",
    404: "There is none of that name.",
    409: "It cannot be done to this source as it is.",
    410: "It was withdrawn.",
    412: "It was changed since it was read.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body is of a type that is not taken.",
    422: "It cannot be had, or is no feed; `detail` says what to do.",
    429: "Too many costly requests; `Retry-After` says when to come back.",
    503: "The database cannot be reached, and `Retry-After` says when to come back; or the query "
    "takes it too long, and `detail` says how to ask for less.",
}


class _Table(BasePlugin[Endpoint]):
    """Reads endpoints from our table; they are checked and answered without spectree."""

    def register_route(self, app: Any) -> None:
        """Nothing is routed by it."""

    def find_routes(self) -> Iterable[tuple[Endpoint, Any]]:  # type: ignore[override]
        """The endpoints, each with what describes it."""
        found: Iterable[tuple[Endpoint, Any]] = self.spectree.app
        return found

    def bypass(self, func: Any, method: str) -> bool:
        """All are described."""
        return False

    def parse_func(self, route: Any) -> Iterator[tuple[str, Any]]:
        """The method, and what carries the types."""
        endpoint, described = route
        yield endpoint.method, described

    def parse_path(
        self, route: Any, path_parameter_descriptions: Mapping[str, str] | None
    ) -> tuple[str, list[dict[str, Any]]]:
        """The path, and the variables in it."""
        path = ROOT + route[0].path
        names = re.findall(r"{(\w+)}", path)
        return path, [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": _VARIABLES[name][0],
                "schema": _VARIABLES[name][1],
            }
            for name in names
        ]


def describe(
    endpoints: Sequence[Endpoint], *, title: str, base_url: str, restricted: bool
) -> dict[str, Any]:
    """The description of these endpoints; `restricted` if reading needs a token."""
    bearer = SecuritySchemeData(
        type=SecureType.HTTP, scheme="bearer", description="`web.admin_token`"
    )
    feed = SecuritySchemeData(
        type=SecureType.HTTP, scheme="bearer", description="One of `web.feed_tokens`"
    )
    # it takes the errors of its own library alone, which spectree's types do not allow for
    adapter: Any = MsgspecModelAdapter()
    spec = SpecTree(
        backend=_Table,
        model_adapter=adapter,
        validation_error_status=400,
        validation_error_model=models.Problem,
        naming_strategy=lambda model: model.__name__,
        nested_naming_strategy=lambda parent, child: child,
        annotations=False,
        title=f"{title}: API",
        version=__version__,
        description=_ABOUT,
        security_schemes=[
            SecurityScheme(name="admin", data=bearer),
            *([SecurityScheme(name="feed", data=feed)] if restricted else []),
        ],
    )
    spec.app = [(one, _described(spec, one, restricted)) for one in endpoints]
    document: dict[str, Any] = spec.spec
    document["servers"] = [{"url": base_url.rstrip("/")}]
    document["tags"] = [{"name": name, "description": told} for name, told in _TAGS]
    del document["security"]
    for one in endpoints:
        _complete(document["paths"][ROOT + one.path][one.method.lower()], one)
    return document


def refusals(endpoint: Endpoint) -> tuple[int, ...]:
    """The statuses an endpoint may refuse with."""
    always = {400, 401, 414, 503, 429}
    writing = {403} if endpoint.admin else set()
    body = {413, 415} if endpoint.body else set()
    return tuple(sorted({*always, *writing, *body, *endpoint.problems}))


def _described(spec: SpecTree, endpoint: Endpoint, restricted: bool) -> Any:
    answers: dict[str, Any] = {
        f"HTTP_{status}": (model, HTTPStatus(status).phrase)
        for status, model in endpoint.answers.items()
    }
    answers |= {
        f"HTTP_{status}": (models.Problem, _PROBLEMS[status]) for status in refusals(endpoint)
    }
    security: list[dict[str, list[str]]] = [{"admin": []}]
    if not endpoint.admin:
        security = [{"feed": []}, {"admin": []}] if restricted else []
    return spec.validate(
        query=endpoint.query if endpoint.query.__struct_fields__ else None,
        json=None if isinstance(endpoint.body, tuple) else endpoint.body,
        resp=Response(**answers),
        tags=[endpoint.about],
        security=security,
        operation_id=endpoint.name,
    )(endpoint.handler)


def _complete(operation: dict[str, Any], endpoint: Endpoint) -> None:
    """Adds what HTTP says beside the types."""
    if not operation["description"]:
        del operation["description"]
    if endpoint.admin or operation.get("security"):
        operation["security"] = operation.get("security") or [{"admin": []}]
    for code, answer in operation["responses"].items():
        status = int(code)
        content = answer.get("content", {})
        if status >= 400:
            answer["content"] = {"application/problem+json": content["application/json"]}
        headers = _headers(status, endpoint)
        if headers:
            answer["headers"] = headers
    if endpoint.conditional:
        operation["parameters"].append(
            _header("If-None-Match", "An ETag; if it still holds the answer is 304.")
        )
        operation["responses"]["304"] = {"description": "What the client has is good."}
    if 412 in endpoint.problems:
        operation["parameters"].append(
            _header("If-Match", "An ETag of the source; if it was changed since, 412.")
        )
    if isinstance(endpoint.body, tuple):
        # of what is taken the first is what should be sent
        schema = {"type": "string", "format": "feedsvc-opml", "description": "An OPML document."}
        content = {endpoint.body[0]: {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    elif endpoint.body:
        operation["requestBody"]["required"] = True


def _header(name: str, told: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": told, "schema": {"type": "string"}}


def _headers(status: int, endpoint: Endpoint) -> dict[str, Any]:
    text = {"type": "string"}
    if status == 200 and (endpoint.conditional or 412 in endpoint.problems):
        return {"ETag": {"schema": text, "required": True}}
    if status == 201:
        told = "The address of what was made."
        return {"Location": {"schema": text, "required": True, "description": told}}
    if status in (429, 503):
        return {"Retry-After": {"schema": {"type": "string"}, "required": status == 429}}
    return {}
