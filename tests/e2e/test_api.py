"""The API of a running service: schemathesis asks it whatever its description allows, and more."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.apiformats import VARIABLE
from tests.apikit import ADMIN, FEED, TOKEN, publish
from tests.feedserver import FeedServer
from tests.service import Service

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = os.environ.get("FEEDSVC_API_EXAMPLES", "3")
LIST = """<opml version="2.0" xmlns:feedsvc="urn:feedsvc:opml"><body>
<outline text="Wire" xmlUrl="http://127.0.0.1:9/wire" feedsvc:id="wire"/>
<outline text="Post" xmlUrl="http://127.0.0.1:9/post" feedsvc:id="post"/>
</body></opml>"""


def test_the_api_keeps_its_word(
    make_service: Callable[..., Service], feed_server: FeedServer
) -> None:
    publish(feed_server)
    service = make_service(
        FEEDSVC_WEB__ADMIN_TOKEN=TOKEN,
        FEEDSVC_WEB__RATE_LIMIT="0",
        FEEDSVC_POLL__ALLOW_PRIVATE=json.dumps([feed_server.address, "127.0.0.1:9"]),
        FEEDSVC_POLL__WORKERS="1",
    )
    (service.folder / "list.opml").write_text(LIST, "utf-8")
    service.command("opml", "import", "list.opml")
    service.start()
    service.wait_for_text("/feeds/all.atom", "Istanbul")
    entries = json.loads(service.get("/api/v1/entries?limit=5").body)["entries"]
    samples = {
        "feedsvc-source": ["seeds", "wire", "post", "nobody"],
        "feedsvc-story": [*(one["key"] for one in entries), "x"],
        "feedsvc-key": [*(one["key"] for one in entries), "x"],
        "feedsvc-location": [
            feed_server.url(path) for path in ("/feed.xml", "/page", "/pair", "/missing")
        ],
    }
    hooks = {"SCHEMATHESIS_HOOKS": "tests.apiformats", VARIABLE: json.dumps(samples)}
    # as anyone would ask it, and with ids and queries that find something
    for more in ({}, hooks):
        _ask_all(service, more)
    assert "request failed" not in service.log
    assert service.stop() == 0
    checked = service.command("store", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _ask_all(service: Service, more: dict[str, str]) -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(ROOT / "tests" / "schemathesis.toml")),
            *("run", f"{service.base_url}/api/v1/openapi.json", "-c", "all"),
            *("-H", f"Authorization: Bearer {TOKEN}", "--max-examples", EXAMPLES),
            # what a slow machine takes its time for is no failure of the API
            *("--request-timeout", "60", "--max-response-time", "60", "--warnings", "off"),
            *("--generation-deterministic", "--no-color"),
        ],
        cwd=service.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **more},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2000:]
    assert "18/18" in ran.stdout  # all operations


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_the_api_writes_beside_a_running_poller(
    make_service: Callable[..., Service],
    feed_server: FeedServer,
    request: pytest.FixtureRequest,
    backend: str,
) -> None:
    publish(feed_server)
    store = (
        {}
        if backend == "sqlite"
        else {"FEEDSVC_STORE__URL": request.getfixturevalue("postgres_url")}
    )
    service = make_service(
        FEEDSVC_WEB__ADMIN_TOKEN=TOKEN,
        FEEDSVC_POLL__ALLOW_PRIVATE=json.dumps([feed_server.address]),
        **store,
    ).start()

    def ask(method: str, rest: str, body: object = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        try:
            headers = {**ADMIN, "Content-Type": "application/json"}
            data = None if body is None else json.dumps(body)
            connection.request(method, f"/api/v1{rest}", body=data, headers=headers)
            response = connection.getresponse()
            told = response.read()
            return response.status, json.loads(told) if told else None
        finally:
            connection.close()

    status, added = ask("POST", "/sources", {"location": feed_server.url("/page"), "tags": ["x"]})
    assert (status, added["entries"]) == (201, 1)
    id = added["source"]["id"]
    service.wait_for_text("/feeds/tags/x.atom", "The first")
    feed_server.serve(
        "/feed.xml", FEED.replace(b"The first", b"The second").replace(b":one", b":2")
    )
    assert ask("POST", f"/sources/{id}/poll")[0] == 202
    service.wait_for_text("/feeds/tags/x.atom", "The second")
    history = ask("GET", f"/sources/{id}/history")[1]["polls"]
    assert [poll["outcome"] for poll in history] == ["new", "new"]
    # nobody but our two polls and the page's has asked
    assert len(feed_server.requests("/feed.xml")) == 2
    # declared sources stay what the configuration says, whoever has the token
    assert ask("DELETE", "/sources/seeds")[0] == 409
    assert ask("PATCH", f"/sources/{id}", {"title": "Renamed"})[0] == 200
    service.wait_for_text(f"/feeds/sources/{id}.atom", "Renamed")
    assert ask("DELETE", f"/sources/{id}?purge=true")[0] == 204
    service.wait(
        lambda: "The first" not in service.get("/feeds/all.atom").body.decode(), "the purge"
    )
    assert TOKEN not in service.log
    assert service.stop() == 0
