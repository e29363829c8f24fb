"""The examples of docs/http.md answer what the page says they do."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from feedsvc.web import create_app
from tests.curl import examples, request
from tests.weblib import fill, open_world

PAGE = (Path(__file__).parent.parent.parent / "docs" / "http.md").read_text("utf-8")
EXAMPLES = examples(PAGE)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    world = open_world(tmp_path_factory.mktemp("docs"))
    with world.runtime:
        yield create_app(fill(world).runtime).test_client()


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_answer_what_they_say(client: Client, example: str) -> None:
    command, _, comment = example.partition("  # ")
    method, path, headers, _ = request(command)
    headers = {name: value for name, value in headers.items() if "$etag" not in value}
    reply = client.open(path, method=method, headers=headers)
    assert reply.status_code == int(comment or 200), reply.data


def test_there_are_examples_for_every_part() -> None:
    assert len(EXAMPLES) > 25
    parts = re.split(r"^#{2,3} ", PAGE, flags=re.MULTILINE)[1:]
    without = [part.splitlines()[0] for part in parts if "```sh" not in part]
    assert without == ["Headers of a feed", "Behind a proxy"]
