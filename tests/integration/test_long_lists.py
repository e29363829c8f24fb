"""Lists of tens of thousands of sources: imported, listed and shown page by page."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import html

from feedsvc import subscribe
from feedsvc.model import Source
from feedsvc.runtime import Runtime
from feedsvc.store import SqlStore
from feedsvc.web import create_app
from tests.store import empty_runtime
from tests.storekit import NOW, statements

MANY = 3000
ROOT = Path(__file__).parent.parent.parent


def listing(count: int, *, bad: str = "") -> bytes:
    feeds = "".join(
        f'<outline text="Feed {n}" xmlUrl="https://host{n % 700}.example/{n}/feed.xml"/>\n'
        for n in range(count)
    )
    head = '<opml version="2.0"><body>\n<outline text="All">\n'
    return f"{head}{bad}{feeds}</outline></body></opml>".encode()


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    with empty_runtime(tmp_path) as runtime:
        yield runtime


def test_what_an_import_asks_of_the_store_does_not_grow_with_the_list(
    backend: str, open_fresh: Callable[[str], SqlStore], runtime: Runtime
) -> None:
    def ran(store: SqlStore, count: int) -> int:
        run = Runtime(config=runtime.config, store=store)
        with statements(store) as said:
            assert subscribe.import_opml(run, listing(count)).added == count
        return len(said)

    few = ran(open_fresh(backend), 10)
    store = open_fresh(backend)
    # rows go in batches; nothing is asked for each outline
    assert ran(store, MANY) <= few + 40
    with statements(store) as said:
        again = subscribe.import_opml(Runtime(config=runtime.config, store=store), listing(MANY))
    assert (again.added, again.known) == (0, MANY)
    assert len(said) <= few


def test_an_import_tells_how_far_it_is(runtime: Runtime) -> None:
    told: list[tuple[int, int]] = []
    subscribe.import_opml(runtime, listing(1200), lambda done, of: told.append((done, of)))
    assert told == [(0, 1200), (500, 1200), (1000, 1200), (1200, 1200)]


@pytest.mark.parametrize(
    "address",
    ["http://[::bad/", "http://h:99999/", "http://h:port/", "https://a b/feed", "http://:80/", "x"],
)
def test_an_address_that_is_none_costs_itself_alone(runtime: Runtime, address: str) -> None:
    bad = f'<outline text="Bad" xmlUrl="{address}"/>\n'
    found = subscribe.import_opml(runtime, listing(2, bad=bad))
    assert found.added == 2
    (told,) = found.bad
    assert (told.line, told.name) == (3, "Bad")
    assert "correct its xmlUrl" in told.message


def test_a_terminal_is_shown_the_progress(tmp_path: Path) -> None:
    (tmp_path / "list.opml").write_bytes(listing(50))
    ours, theirs = pty.openpty()
    ran = subprocess.run(
        [sys.executable, "-m", "feedsvc", "opml", "import", "list.opml"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm",
            "FEEDSVC_STORE__URL": f"sqlite:///{tmp_path / 'x.db'}",
        },
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "importing" in shown
    assert "50/50" in shown
    assert ran.stdout == "added 50 sources, 0 known, 0 skipped\n"


def test_sources_are_shown_page_by_page(runtime: Runtime) -> None:
    store = runtime.store
    store.add_sources(
        [Source(id=f"s{n:04}", kind="feed", location=f"https://s.example/{n}") for n in range(120)],
        NOW,
    )
    client = create_app(runtime).test_client()
    seen: list[str] = []
    path: str | None = "/sources"
    while path:
        reply = client.get(path)
        assert reply.status_code == 200
        tree = html.fromstring(reply.data)
        page = [one.get("id") for one in tree.xpath("//ul[@class='sources']/li")]
        assert len(page) <= 50
        assert "120 sources" in tree.text_content()
        seen += page
        path = next(iter(tree.xpath("//a[@rel='next']/@href")), None)
    assert seen == [f"s{n:04}" for n in range(120)]
    last = html.fromstring(client.get("/sources?limit=100&after=s0099").data)
    assert last.xpath("//nav[@class='pager']/a/@href") == ["/sources?limit=100"]
    for bad in ("limit=0", "limit=x", "state=odd"):
        assert client.get(f"/sources?{bad}").status_code == 400


def test_a_page_of_sources_does_not_grow_with_their_number(runtime: Runtime) -> None:
    store = runtime.store
    assert isinstance(store, SqlStore)
    client = create_app(runtime).test_client()

    def page() -> tuple[int, int]:
        with statements(store) as ran:
            reply = client.get("/sources")
        return len(ran), len(reply.data)

    subscribe.import_opml(runtime, listing(60))
    few, size = page()
    subscribe.import_opml(runtime, listing(MANY))
    many, grown = page()
    assert many == few
    assert grown < size + 1000


def test_subscription_lists_of_other_programs_are_imported(runtime: Runtime) -> None:
    token = "sesame-open-sesame"
    folder = ROOT / "tests" / "data" / "opml"
    documents = sorted(one for one in folder.rglob("*") if one.suffix in (".opml", ".xml"))
    assert len(documents) > 20
    web = runtime.config.web.model_copy(update={"admin_token": token, "rate_limit": 0})
    config = runtime.config.model_copy(update={"web": web})
    client = create_app(Runtime(config=config, store=runtime.store)).test_client()
    added = 0
    for document in documents:
        reply = client.post(
            "/api/v1/opml",
            data=document.read_bytes(),
            headers={"Authorization": f"Bearer {token}"},
            content_type="text/x-opml",
        )
        assert reply.status_code in (200, 422), (document, reply.data)
        if reply.status_code == 200:
            told = json.loads(reply.data)
            added += told["added"]
            assert all(one["line"] >= 1 and one["error"] for one in told["skipped"])
    assert added == len(runtime.store.sources()) > 500
