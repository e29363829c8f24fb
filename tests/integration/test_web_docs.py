"""The examples of docs/http.md answer what the page says they do."""

import base64
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from werkzeug.test import Client

from feedsvc.web import create_app
from tests.weblib import fill, open_world

PAGE = (Path(__file__).parent.parent.parent / "docs" / "http.md").read_text("utf-8")
BASE = "http://127.0.0.1:8080"
EXAMPLES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("curl ")
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    world = open_world(tmp_path_factory.mktemp("docs"))
    with world.runtime:
        yield create_app(fill(world).runtime).test_client()


def request(line: str) -> tuple[str, str, dict[str, str]]:
    """Method, path and headers of a curl command line."""
    method, url, headers, data = "GET", "", {}, ""
    words = iter(shlex.split(line)[1:])
    for word in words:
        match word:
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-X":
                method = next(words)
            case "-u":
                secret = base64.b64encode(next(words).encode()).decode()
                headers["Authorization"] = f"Basic {secret}"
            case "--data-urlencode":
                name, _, value = next(words).partition("=")
                data = f"?{name}={quote(value)}"
            case "-o" | "-w" | "-D":
                next(words)
            case "-sI":
                method = "HEAD"
            case "-s" | "-G":
                pass
            case "--compressed":
                headers["Accept-Encoding"] = "deflate, gzip, br, zstd"
            case _:
                assert word.startswith(BASE), word
                url = word.removeprefix(BASE)
    return method, url + data, headers


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_answer_what_they_say(client: Client, example: str) -> None:
    command, _, comment = example.partition("  # ")
    method, path, headers = request(command)
    headers = {name: value for name, value in headers.items() if "$etag" not in value}
    reply = client.open(path, method=method, headers=headers)
    assert reply.status_code == int(comment or 200), reply.data


def test_there_are_examples_for_every_part() -> None:
    assert len(EXAMPLES) > 25
    parts = re.split(r"^#{2,3} ", PAGE, flags=re.MULTILINE)[1:]
    without = [part.splitlines()[0] for part in parts if "```sh" not in part]
    assert without == ["Headers of a feed", "Behind a proxy"]
