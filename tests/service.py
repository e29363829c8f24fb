"""Runs the real service for a test: `feedsvc run` as a subprocess in a temporary folder."""

import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# a machine that does much else at the same time needs more
PATIENCE = float(os.environ.get("FEEDSVC_TEST_PATIENCE", "60"))


_FIRST_EPHEMERAL = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])


def free_port() -> int:
    """A port nobody listens on, and that nobody is given who connects from any port.

    A service that is started again finds it free again.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, _FIRST_EPHEMERAL)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass(frozen=True)
class Reply:
    """An HTTP response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Service:
    """One running service and its folder; `restart` keeps the folder."""

    folder: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def seeds(self) -> Path:
        return self.folder / "seeds"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def config(self, text: str) -> None:
        (self.folder / "config").mkdir(exist_ok=True)
        (self.folder / "config" / "feedsvc.toml").write_text(text, "utf-8")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs another verb beside the service, in its folder."""
        return subprocess.run(
            [sys.executable, "-m", "feedsvc", *arguments],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("FEEDSVC_")}
        return {
            **clean,
            "PYTHONPATH": str(ROOT),
            "FEEDSVC_WEB__PORT": str(self.port),
            "FEEDSVC_SITE__BASE_URL": self.base_url,
            # of several, one may be a moment behind another: what was seen may be unseen again
            "FEEDSVC_WEB__WORKERS": "1",
            **self.environment,
        }

    def start(self) -> "Service":
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "feedsvc", "run"],
                cwd=self.folder,
                env=self._environment(),
                stdout=log,
                stderr=log,
            )
        self.wait(lambda: self.get("/readyz").status == 200, "the service to be ready")
        return self

    def stop(self) -> int:
        """Ends the service as an operator would; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, names, response.read())
        finally:
            connection.close()

    def listens(self) -> bool:
        """Whether anybody answers at the service's address."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Waits for something to come true; a service that ends meanwhile is a failure."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                pytest.fail(f"the service ended while waiting for {what}:\n{self.log}")
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        pytest.fail(f"waited in vain for {what}:\n{self.log[-4000:]}")

    def answered(self, status: int) -> int:
        """How many requests were answered with this status, as `/metrics` says."""
        lines = self.get("/metrics").body.decode().splitlines()
        name, wanted = "feedsvc_http_requests_total{", f'status="{status}"'
        found = [line for line in lines if line.startswith(name) and wanted in line]
        return int(sum(float(line.rsplit(" ", 1)[1]) for line in found))

    def wait_for_text(self, path: str, text: str) -> Reply:
        """Waits until a page or feed contains a text."""
        self.wait(lambda: text.encode() in self.get(path).body, f"{text!r} in {path}")
        return self.get(path)

    def children(self) -> dict[str, int]:
        """The pids of the supervisor's children by verb (`poll`, `serve`)."""
        assert self.process is not None
        pids = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            # one that has just ended has no words any more
            if int(parent) == self.process.pid and len(words) > 1:
                pids[words[-2].decode()] = int(entry.name)
        return pids


@pytest.fixture
def make_service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Makes services, not yet started, over copies of the seeds; ends them after the test."""
    made: list[Service] = []

    def make(name: str = "service", *, seeds: bool = True, **environment: str) -> Service:
        folder = tmp_path / name
        folder.mkdir()
        if seeds:
            shutil.copytree(ROOT / "seeds", folder / "seeds")
        shutil.copytree(ROOT / "config", folder / "config")
        service = Service(folder, free_port(), environment)
        made.append(service)
        return service

    yield make
    for service in made:
        if service.process is not None:
            service.process.terminate()
            try:
                service.process.wait(15)
            except subprocess.TimeoutExpired:
                service.process.kill()
                service.process.wait()
