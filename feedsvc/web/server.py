"""Runs the Flask application behind granian: one listening socket, several worker processes."""

import errno
import os
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from ..config import Config, follow
from ..errors import ConfigError, FeedsvcError
from ..log import setup
from ..runtime import open_runtime

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_WATCH_SECONDS = 1.0
# how old what is kept in memory may get before a commit is noticed
_LOOK_SECONDS = 0.25
_MOST_WORKERS = 4
_PATIENCE = 5.0


def _bind(probe: socket.socket, address: Any) -> None:
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            return probe.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > ends:
                raise
        time.sleep(0.1)


def check_address(config: Config) -> Config:
    """Makes sure that the configured host and port can be listened on.

    Port 0 becomes a free one, in the configuration that is returned. A port that is taken is waited
    for a few seconds: the workers of a service that was killed may still finish their requests.
    Raises `ConfigError` when the host is none of this machine's addresses, `FeedsvcError` when the
    port stays taken.
    """
    web = config.web
    try:
        found = socket.getaddrinfo(web.host, web.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(
            f"web.host: {web.host!r} is no address of this machine", key="web.host"
        ) from error
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            _bind(probe, address)
        except OSError as error:
            raise FeedsvcError(
                f"cannot listen on {web.host}:{web.port}: {error.strerror}; end the program that "
                "uses it, or set web.port (FEEDSVC_WEB__PORT) to another"
            ) from error
        return config if web.port else follow(config, probe.getsockname()[1])


def serve_web(config: Config) -> None:
    """Serves until SIGTERM or SIGINT; requests under way are finished first."""
    workers = config.web.workers or min(os.cpu_count() or 1, _MOST_WORKERS)
    server = Server(
        "feedsvc.web:create_app",
        address=config.web.host,
        port=config.web.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=1,
        backlog=1024,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        websockets=False,
    )
    server.serve(target_loader=partial(_application, config, os.getpid()), wrap_loader=False)


def _application(config: Config, parent: int, *_: Any) -> "WSGIApplication":
    """Makes the application inside a worker process."""
    from . import front_of

    setup(verbose=False)
    front = front_of(open_runtime(config, migrate=False), every=_LOOK_SECONDS)
    follow = partial(_follow, parent, front.report)
    threading.Thread(target=follow, name="follow-server", daemon=True).start()
    return front


def _follow(parent: int, report: Callable[[], None]) -> None:
    """Reports what was counted, also of the last requests of many.

    Ends a worker whose server was killed: it would go on holding the port unwatched.
    """
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
        report()
    os._exit(1)
