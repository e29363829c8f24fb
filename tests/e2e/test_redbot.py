"""REDbot, a judge of HTTP, asks for every kind of feed address and has nothing to object to."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.service import PATIENCE, ROOT, Service

pytestmark = pytest.mark.reader
PEERS = ROOT / ".venv-bench" / "bin" / "python"
TITLE = "Istanbul Diplomacy: U.S. and Russia Seek to Normalize Embassy Operations"

#: Prints what REDbot notes of each address: of the answer, and of its own further requests.
PROGRAM = """
import json, sys
from configparser import ConfigParser
import thor
from redbot.resource import HttpResource

config = ConfigParser()
config.read_dict({"redbot": {"enable_local_access": "True"}})
address, *headers = json.loads(sys.argv[1])
resource = HttpResource(config["redbot"])
resource.set_request(address, headers=[tuple(header) for header in headers])
thor.events.on(resource)(lambda: None)
resource.on("check_done", thor.stop)
resource.check()
thor.run()
answers = [resource.response, *(check.response for check in resource.subreqs.values() if check)]
notes = [
    [note.level.name, type(note).__name__, str(note.summary)]
    for answer in answers
    for note in answer.notes
]
print(json.dumps([resource.response.status_code, notes]))
"""
ADDRESSES = (
    *(f"/feeds/all.{suffix}" for suffix in ("atom", "rss", "json")),
    "/feeds/tags/diplomacy.atom",
    "/feeds/tags/diplomacy,russia.rss",
    "/feeds/sources/seeds.json",
    "/feeds/query.atom?q=istanbul%20-tag:sports",
    "/feeds/query.atom?q=since:9000d",
    "/feeds/all.atom?limit=2&content=summary&dupes=keep",
    "/feeds/all",
    "/feeds.opml",
)


def judged(service: Service, path: str, *headers: tuple[str, str]) -> tuple[int, list[list[str]]]:
    done = subprocess.run(
        [PEERS, "-c", PROGRAM, json.dumps([service.base_url + path, *headers])],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    status, notes = json.loads(done.stdout)
    return status, notes


def settled(service: Service, path: str) -> bool:
    """Whether nothing has changed in this second: until it is over no date can vouch for a feed."""
    since = service.get(path).headers["last-modified"]
    return service.get(path, {"If-Modified-Since": since}).status == 304


def test_redbot_objects_to_nothing(make_service: Callable[..., Service], tmp_path: Path) -> None:
    assert PEERS.exists(), "there is no .venv-bench: make .venv-bench/.ready"
    service = make_service().start()
    service.wait_for_text("/feeds/tags/diplomacy.atom", TITLE)
    service.wait_for_text("/feeds/all.atom", 'rel="related"')
    # a change while REDbot asks would look like a fault; this one has been counted when it is over
    (service.seeds / "last.md").write_text("---\ntitle: The last one\n---\nText.\n", "utf-8")
    service.wait_for_text("/feeds/all.atom", "The last one")
    service.wait(lambda: settled(service, "/feeds/all.atom"), "a second without a change")
    asked = [(path, ()) for path in ADDRESSES]
    asked += [("/feeds/all", (("Accept", kind),)) for kind in ("text/html", "application/json")]
    for path, headers in asked:
        status, notes = judged(service, path, *headers)
        assert status == 200, path
        names = {name for _, name, _ in notes}
        assert {"INM_304", "CONNEG_GZIP_GOOD"} <= names, (path, names)
        objections = [note for note in notes if note[0] in ("WARN", "BAD")]
        assert objections == [], (path, headers)
