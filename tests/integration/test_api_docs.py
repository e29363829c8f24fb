"""The examples of docs/api.md answer what the page says they do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from feedsvc.keys import entry_key
from feedsvc.web import create_app
from tests.apikit import TOKEN
from tests.curl import examples, request
from tests.weblib import fill, open_world

PAGE = (Path(__file__).parent.parent.parent / "docs" / "api.md").read_text("utf-8")
KEY = entry_key("tag:bbc.example.org,2025:n1")
# reports that differ in their numbers alone are one, named after the first
STORY = entry_key("tag:bbc.example.org,2025:n0")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    world = open_world(tmp_path, web=f'admin_token = "{TOKEN}"')
    with world.runtime:
        runtime = fill(world).runtime
        runtime.relater.drain()
        yield create_app(runtime).test_client()


@pytest.mark.parametrize("example", examples(PAGE))
def test_examples_answer_what_they_say(client: Client, example: str) -> None:
    command, _, comment = example.partition("  # ")
    command = command.replace("/KEY", f"/{KEY}").replace("TOKEN", TOKEN)
    command = command.replace("/STORY", f"/{STORY}")
    method, path, headers, data = request(command)
    headers = {name: value for name, value in headers.items() if "$etag" not in value}
    reply = client.open(path, method=method, headers=headers, data=data)
    assert reply.status_code == int(comment or 200), reply.data


def test_there_are_examples_for_every_part() -> None:
    assert len(examples(PAGE)) > 25
