"""The web door: Flask finds the route, `Door` gives the answer, this module carries it across.

No sessions, no cookies, no scripts. Headers are ours alone: nothing is added on the way out, so
that a 304 keeps its validators and HEAD its length.
"""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flask import Flask, Response, g, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as WerkzeugResponse

from ..metrics import HTTP_REQUESTS, HTTP_SECONDS
from ..runtime import Runtime
from .api import ROOT, Api, Endpoint
from .door import Door
from .errors import HttpError
from .front import ANSWER, Front
from .message import Answer, Ask, plausible_host
from .respond import SECURITY_HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["create_app", "front_of"]

# `OPTIONS *` asks of the server as a whole
_SERVER = "*"


class _Wire(Response):
    """Sends an answer's headers as they are."""

    default_mimetype = None
    automatically_set_content_length = False

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Leaves them alone: a 304 would lose `Last-Modified` to werkzeug's idea of one."""
        return self.headers


class _BelowPrefix:
    """Takes the base URL's path off requests that a proxy has passed on with it."""

    def __init__(self, application: "WSGIApplication", prefix: str) -> None:
        self._application = application
        # WSGI hands over the octets of a decoded path as Latin-1 (PEP 3333)
        self._prefix = unquote(prefix).encode("utf-8").decode("latin-1")

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(self._prefix + "/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self._prefix
            environ["PATH_INFO"] = path[len(self._prefix) :] or "/"
        return self._application(environ, start_response)


def front_of(runtime: Runtime, *, every: float) -> Front:
    """Makes the WSGI application that serves a runtime as a whole.

    `every`: seconds that may pass until a change of the store is seen in what is kept of it.
    """
    front = create_app(runtime, every=every).wsgi_app
    assert isinstance(front, Front)
    return front


def create_app(runtime: Runtime, *, every: float = 0.0) -> Flask:
    """Makes the Flask application that serves a runtime, with what stands before it."""
    # templates and static files are the business of `templating`
    app = Flask("feedsvc", static_folder=None, template_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # which addresses are canonical is for `feeds` to say, not for the router
    app.url_map.merge_slashes = False
    door = Door(runtime, every=every)
    if door.site.prefix:
        app.wsgi_app = _BelowPrefix(app.wsgi_app, door.site.prefix)  # type: ignore[method-assign]
    front = Front(app.wsgi_app, door.watch, door.access, runtime.clock)
    app.wsgi_app = front  # type: ignore[method-assign]
    _measure(app)
    _refuse(app)
    _tell_methods(app)
    _route(app, door, front)
    _route_api(app, Api(runtime, door))

    @app.errorhandler(Exception)
    def failed(error: Exception) -> WerkzeugResponse:
        ask = _ask()
        if isinstance(error, HTTPException):
            error = _refusal(ask, error)
        return _wire(door.errors.answer(ask, error))

    return app


def _refuse(app: Flask) -> None:
    @app.before_request
    def check_host() -> None:
        environ = request.environ
        if not plausible_host(environ.get("HTTP_HOST"), environ["SERVER_PROTOCOL"]):
            raise HttpError(400, "A request has one Host header, which names a host.")


def _tell_methods(app: Flask) -> None:
    """Answers OPTIONS (RFC 9110 §9.3.7), which no route takes: the router tells who takes what."""

    @app.before_request
    def options() -> WerkzeugResponse | None:
        refused = request.routing_exception
        if request.method != "OPTIONS":
            return None
        if request.environ.get("PATH_INFO") == _SERVER:
            every = (rule.methods or () for rule in app.url_map.iter_rules())
            return _wire(_methods({method for methods in every for method in methods}))
        if isinstance(refused, MethodNotAllowed):
            return _wire(_methods(refused.valid_methods or ()))
        return None


def _methods(taken: Iterable[str]) -> Answer:
    headers = [("Allow", _allowed(taken))]
    if "PATCH" in taken:
        # RFC 5789 §3.1
        headers.append(("Accept-Patch", "application/json"))
    return Answer(204, (*headers, *SECURITY_HEADERS), b"")


def _allowed(taken: Iterable[str]) -> str:
    return ", ".join(sorted({*taken, "OPTIONS"}))


def _route(app: Flask, door: Door, front: Front) -> None:
    pages, ops = door.pages, door.ops

    def metrics(ask: Ask) -> Answer:
        front.report()
        return ops.metrics()

    def get(rule: str, name: str, view: Callable[..., Answer]) -> None:
        def answer(**values: str) -> WerkzeugResponse:
            return _wire(view(_ask(), **values))

        app.add_url_rule(rule, name, answer, methods=["GET"])

    get("/feeds/<path:feed>", "feeds", lambda ask, feed: door.feed(ask))
    get("/", "home", lambda ask: door.answer(ask, lambda: pages.home(ask)))
    get("/tags", "tags", lambda ask: door.answer(ask, pages.tags))
    get("/tags/<slugs>", "tag", lambda ask, slugs: door.answer(ask, lambda: pages.tag(slugs, ask)))
    get("/sources", "sources", lambda ask: door.answer(ask, lambda: pages.sources(ask)))
    get("/sources/<id>", "source", lambda ask, id: door.answer(ask, lambda: pages.source(id)))
    get("/entries/<key>", "entry", lambda ask, key: door.answer(ask, lambda: pages.entry(key)))
    get(
        "/entries/<key>/revisions",
        "revisions",
        lambda ask, key: door.answer(ask, lambda: pages.revisions(key)),
    )
    get("/stories", "stories", lambda ask: door.answer(ask, lambda: door.stories.list(ask)))
    get(
        "/stories/<id>",
        "story",
        lambda ask, id: door.answer(ask, lambda: door.stories.one(id, ask)),
    )
    get("/search", "search", lambda ask: door.answer(ask, lambda: pages.search(ask)))
    get("/opml", "opml", lambda ask: door.answer(ask, ops.sources))
    get("/feeds.opml", "feeds_opml", lambda ask: door.answer(ask, ops.feeds))
    get("/static/<name>", "static", lambda ask, name: door.static(ask, name))
    get("/healthz", "healthz", lambda ask: ops.health())
    get("/readyz", "readyz", lambda ask: ops.ready())
    get("/metrics", "metrics", metrics)


def _route_api(app: Flask, api: Api) -> None:
    def get(rule: str, name: str, view: Callable[[Ask], Answer]) -> None:
        app.add_url_rule(rule, name, lambda: _wire(view(_ask())), methods=["GET"])

    def add(endpoint: Endpoint) -> None:
        def answer(**values: str) -> WerkzeugResponse:
            request.max_content_length = endpoint.most
            return _wire(api.answer(endpoint, _ask(), values, request.get_data))

        # RFC 6570 writes variables in braces, the router in angle brackets
        rule = ROOT + endpoint.path.replace("{", "<").replace("}", ">")
        app.add_url_rule(rule, endpoint.name, answer, methods=[endpoint.method])

    get(f"{ROOT}/openapi.json", "openapi", api.openapi)
    get(f"{ROOT}/docs", "api_docs", api.manual)
    for endpoint in api.endpoints:
        add(endpoint)


def _measure(app: Flask) -> None:
    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        HTTP_REQUESTS.labels(route=route, status=str(response.status_code)).inc()
        HTTP_SECONDS.labels(route=route).observe(time.perf_counter() - g.started)
        return response


def _refusal(ask: Ask, error: HTTPException) -> HttpError:
    """What the router refused, in our words."""
    if isinstance(error, MethodNotAllowed):
        allowed = _allowed(error.valid_methods or ())
        return HttpError(
            405, f"Only {allowed} can be asked of {ask.path}.", headers=(("Allow", allowed),)
        )
    if error.code == 404:
        return HttpError(404, f"There is nothing at {ask.path}.")
    return HttpError(error.code or 500, error.description or error.name)


def _ask() -> Ask:
    return Ask(
        method=request.method,
        path=request.path,
        query=request.query_string.decode("utf-8", "replace"),
        headers={name.lower(): value for name, value in request.headers.items()},
        client=request.remote_addr or "",
    )


def _wire(answer: Answer) -> WerkzeugResponse:
    request.environ[ANSWER] = (answer, request.url_rule.rule if request.url_rule else "unknown")
    return _Wire([answer.body] if answer.body else [], answer.status, list(answer.headers))
