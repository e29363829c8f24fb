"""Serving: feedsvc beside nginx, which sends the same bytes as static files.

Both have two workers and are asked over loopback by wrk, in short turns one after the other, so
that what else the machine does hits both. On a machine with nothing else to do the ratio of
requests a second is the one that counts; where other programs take turns on the cores it is that of
CPU time a request, the client's included, as both ends have to share the cores.
"""

import http.client
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feedsvc.model import PollState, Source
from feedsvc.store import open_store
from feedsvc.store.base import PollResult

from .store import article
from .tree import cpu

ROOT = Path(__file__).parent.parent
# a feed of 110 kB, 25 kB when compressed
_FEED = "/feeds/all.atom?limit=29"
_FEEDS = 40
_ENTRIES = 30
_CONNECTIONS = 32
_PATIENCE = 30.0
_HOUR = timedelta(hours=1)

_NGINX = """
daemon off; user root; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; etag on;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  types {{ application/atom+xml atom; }}
  server {{ listen 127.0.0.1:{port}; root {folder}/www; gzip_static on; gzip_vary on; }}
}}
"""


@dataclass
class _Case:
    """One kind of request: its headers for each server, and the figures of each turn."""

    name: str
    headers: dict[str, Mapping[str, str]]
    turns: dict[str, list[list[float]]] = field(default_factory=lambda: {"nginx": [], "ours": []})

    def figures(self, which: int) -> tuple[float, float, float]:
        """Medians of ours and nginx', and of their ratios turn by turn."""
        pairs = [
            (ours[which], nginx[which])
            for ours, nginx in zip(self.turns["ours"], self.turns["nginx"], strict=True)
        ]
        ours, nginx = (statistics.median(side) for side in zip(*pairs, strict=True))
        return ours, nginx, statistics.median(a / b for a, b in pairs)


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise SystemExit(f"serve needs {name}; on Debian: apt-get install {name}")
    return found


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def fill(folder: Path) -> None:
    """Makes a store of 40 feeds, none of them due, and 1,200 articles."""
    now = datetime.now(UTC).replace(microsecond=0)
    store = open_store(f"sqlite:///{folder}/store.db")
    store.migrate()
    ids = [f"feed-{feed}" for feed in range(_FEEDS)]
    store.add_sources(
        [Source(id=id, kind="feed", location=f"https://{id}.example/feed") for id in ids], now
    )
    claims = store.claim_due(now=now, owner="bench", lease=_HOUR, limit=_FEEDS)
    state = PollState(next_at=now + 24 * _HOUR, last_at=now, last_ok_at=now, status=200)
    polls = [
        (
            claim,
            PollResult(
                state=state,
                entries=tuple(
                    article(int(claim.source.id.removeprefix("feed-")), number)
                    for number in range(_ENTRIES)
                ),
            ),
        )
        for claim in claims
    ]
    store.finish_polls(polls, now)
    store.close()


@contextmanager
def running(command: list[str], port: int, **more: object) -> Iterator[int]:
    """A server while it listens on a port; yields its pid."""
    process = subprocess.Popen(command, **more)  # type: ignore[call-overload]
    try:
        until = time.monotonic() + _PATIENCE
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{command[0]} does not listen")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_PATIENCE)


def _get(port: int, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    connection.request("GET", _FEED, headers=dict(headers))
    reply = connection.getresponse()
    found = {name.lower(): value for name, value in reply.getheaders()}
    body = reply.read()
    connection.close()
    return reply.status, found, body


def _turn(wrk: str, port: int, pid: int, headers: Mapping[str, str], seconds: int) -> list[float]:
    """Requests a second; microseconds of CPU time a request, of both ends and of the server."""
    fields = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    server, client = cpu(pid), _client()
    done = subprocess.run(
        [
            wrk,
            *("-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", *fields),
            f"http://127.0.0.1:{port}{_FEED}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=_PATIENCE,
    ).stdout
    if "Non-2xx" in done or "Socket errors" in done:
        raise SystemExit(f"some requests failed:\n{done}")
    number = re.search(r"(\d+) requests in ", done)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done)
    assert number, done
    assert rate, done
    served, asked = cpu(pid) - server, _client() - client
    each = 1e6 / int(number[1])
    return [float(rate[1]), (served + asked) * each, served * each]


def _client() -> float:
    """CPU seconds of clients that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cases(nginx: int, ours: int, folder: Path) -> list[_Case]:
    """The requests to make, after the files for nginx have been made of what feedsvc sends."""
    www = folder / "www" / "feeds"
    www.mkdir(parents=True)
    gzip = {"Accept-Encoding": "gzip"}
    _, _, plain = _get(ours, {})
    _, packed_headers, packed = _get(ours, gzip)
    (www / "all.atom").write_bytes(plain)
    (www / "all.atom.gz").write_bytes(packed)
    status, static_headers, static = _get(nginx, gzip)
    assert (status, static) == (200, packed), "nginx sends other bytes"
    fresh = {
        "ours": {**gzip, "If-None-Match": packed_headers["etag"]},
        "nginx": {**gzip, "If-None-Match": static_headers["etag"]},
    }
    for port, headers in ((ours, fresh["ours"]), (nginx, fresh["nginx"])):
        assert _get(port, headers)[0] == 304
    return [
        _Case("304", dict(fresh)),
        _Case(f"200 gzip, {len(packed) / 1e3:.0f} kB", {"ours": gzip, "nginx": gzip}),
        _Case(f"200 identity, {len(plain) / 1e3:.0f} kB", {"ours": {}, "nginx": {}}),
    ]


def main() -> None:
    """Prints requests a second of both, and the ratios of feedsvc to nginx."""
    rounds, seconds = int(os.environ.get("ROUNDS", "5")), int(os.environ.get("SECONDS", "2"))
    wrk, nginx = _program("wrk"), _program("nginx")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder)
        static, ours = free_port(), free_port()
        (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=static))
        (folder / "feedsvc.toml").write_text(
            f'[store]\nurl = "sqlite:///{folder}/store.db"\n[web]\nport = {ours}\nworkers = 2\n'
            f'[site]\nbase_url = "http://127.0.0.1:{ours}"\n'
        )
        clean = {key: text for key, text in os.environ.items() if not key.startswith("FEEDSVC_")}
        program = [sys.executable, "-m", "feedsvc", "--config", f"{folder}/feedsvc.toml", "serve"]
        environment = {**clean, "PYTHONPATH": str(ROOT)}
        with (
            running(program, ours, cwd=folder, env=environment) as our_pid,
            running([nginx, "-c", f"{folder}/nginx.conf", "-p", name], static) as nginx_pid,
        ):
            cases = _cases(static, ours, folder)
            servers = {"nginx": (static, nginx_pid), "ours": (ours, our_pid)}
            for round in range(rounds):
                for case in cases:
                    order = list(servers.items())
                    for server, (port, pid) in order if round % 2 else order[::-1]:
                        turn = _turn(wrk, port, pid, case.headers[server], seconds)
                        case.turns[server].append(turn)
    print(
        f"serve: {_FEED}, 2 workers each, {_CONNECTIONS} connections, medians of {rounds} turns of "
        f"{seconds} s; ratios to nginx"
    )
    print(
        f"{'':24}{'feedsvc':>12}{'nginx':>12}{'ratio':>7}"
        f"{'CPU us':>12}{'nginx':>7}{'ratio':>7}{'server alone':>17}"
    )
    for case in cases:
        rate, cost, alone = map(case.figures, range(3))
        print(
            f"{case.name:24}{rate[0]:>10,.0f}/s{rate[1]:>10,.0f}/s{rate[2]:>7.2f}"
            f"{cost[0]:>12.1f}{cost[1]:>7.1f}{1 / cost[2]:>7.2f}{alone[0]:>10.1f}{alone[1]:>7.1f}"
        )
