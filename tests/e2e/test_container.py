"""The image, built and run by a real Docker engine: answers, keeps its data, needs no root."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.service import free_port

ROOT = Path(__file__).parent.parent.parent
BASE = os.environ.get("BASE_IMAGE", "python:3.13-slim-bookworm")
IMAGE = "feedsvc:test"
# a third of it is for finding the articles of web pages: trafilatura, its dates and locales
MOST_ADDED = 180 * 1000 * 1000
TITLE = b"Istanbul Diplomacy"

pytestmark = pytest.mark.container


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        ["docker", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )
    if check and result.returncode:
        pytest.fail(
            f"docker {' '.join(arguments)}:\n{result.stdout[-3000:]}{result.stderr[-3000:]}"
        )
    return result


def get(url: str) -> tuple[int, dict[str, str], bytes]:
    with urllib.request.urlopen(url, timeout=5) as response:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return response.status, headers, response.read()


def wait(condition: Callable[[], bool], what: str, container: str) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.3)
    logs = docker("logs", container, check=False)
    pytest.fail(f"waited in vain for {what}:\n{logs.stdout[-2000:]}{logs.stderr[-4000:]}")


@pytest.fixture(scope="module")
def image() -> str:
    docker("build", "--build-arg", f"BASE_IMAGE={BASE}", "-t", IMAGE, ".")
    return IMAGE


@pytest.fixture
def container(image: str) -> Iterator[tuple[str, str]]:
    """A running container with a read-only root; yields its name and base URL."""
    port = free_port()
    name, volume = f"feedsvc-test-{port}", f"feedsvc-test-{port}"
    url = f"http://127.0.0.1:{port}"
    docker(
        *("run", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:8080"),
        *("--volume", f"{volume}:/data", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),
        *("--security-opt", "no-new-privileges", "--env", f"FEEDSVC_SITE__BASE_URL={url}", image),
    )
    yield name, url
    docker("rm", "--force", "--volumes", name, check=False)
    docker("volume", "rm", "--force", volume, check=False)


def test_the_image_is_small_and_not_root(image: str) -> None:
    sizes = [int(docker("image", "inspect", "-f", "{{.Size}}", i).stdout) for i in (image, BASE)]
    assert sizes[0] - sizes[1] <= MOST_ADDED, sizes
    config = json.loads(docker("image", "inspect", image).stdout)[0]["Config"]
    assert config["User"] not in ("", "root", "0")
    assert config["Healthcheck"]["Test"]
    assert list(config["Volumes"]) == ["/data"]


def test_it_serves_and_survives_a_restart_with_its_data(container: tuple[str, str]) -> None:
    name, url = container
    feed = f"{url}/feeds/all.atom"
    wait(lambda: TITLE in get(feed)[2] and b'rel="related"' in get(feed)[2], "the seeds", name)
    first = get(feed)

    def healthy() -> bool:
        return docker("inspect", "-f", "{{.State.Health.Status}}", name).stdout.strip() == "healthy"

    wait(healthy, "the health check", name)
    assert docker("exec", name, "id", "-u").stdout.strip() != "0"
    assert docker("exec", name, "touch", "/srv/x", check=False).returncode != 0
    assert docker("exec", name, "feedsvc", "store", "check").returncode == 0

    docker("stop", "--time", "12", name)
    assert docker("inspect", "-f", "{{.State.ExitCode}}", name).stdout.strip() == "0"
    docker("start", name)
    wait(lambda: get(f"{url}/readyz")[0] == 200, "the restart", name)
    again = get(feed)
    assert (again[1]["etag"], again[2]) == (first[1]["etag"], first[2])


def test_compose_brings_it_up(image: str, tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "FEEDSVC_PORT": str(port),
        "FEEDSVC_BASE_URL": f"http://127.0.0.1:{port}",
        "BASE_IMAGE": BASE,
    }
    project = ["docker", "compose", "--project-name", f"feedsvc-test-{port}"]
    try:
        subprocess.run(
            [*project, "up", "--build", "--detach"],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            timeout=900,
        )
        url = f"http://127.0.0.1:{port}/feeds/tags/diplomacy.atom"
        wait(lambda: TITLE in get(url)[2], "the seeds", f"feedsvc-test-{port}-feedsvc-1")
    finally:
        subprocess.run(
            [*project, "down", "--volumes"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            check=False,
        )
