"""`feedsvc run` as a user meets it: files and feeds in, feeds out, through all kinds of trouble."""

import html
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import feedparser
import pytest
from lxml import etree

from tests.feedserver import FeedServer
from tests.service import PATIENCE, Service

SEED = "000_b0149e1d855999ec.txt"
TITLE = "Istanbul Diplomacy: U.S. and Russia Seek to Normalize Embassy Operations"
HEADLINES = (
    "Trump's Insight on Russia's Intentions in Ukraine Conflict",
    "Black Sea Ceasefire: US Brokers Historic Truce Between Ukraine and Russia",
    "Historic Maritime Truce: U.S. Secures Ukraine-Russia Agreements",
    "New Era: Alexander Darchiev as Russian Ambassador to the U.S.",
    "U.S. Brokers Collaborative Maritime Truce Between Ukraine and Russia",
)
FEEDS = ("/feeds/all", "/feeds/tags/diplomacy", "/feeds/sources/seeds", "/feeds/query?q=istanbul")
ATOM = "{http://www.w3.org/2005/Atom}"
SCHEMAS = Path(__file__).parent.parent / "data" / "schemas"
Make = Callable[..., Service]

NEWS = """ date 2025-04-11 {title}
A summary of what is dropped in.
A paragraph about {title}.
"""


def with_suffix(path: str, suffix: str) -> str:
    head, _, query = path.partition("?")
    return f"{head}.{suffix}" + (f"?{query}" if query else "")


def settled(service: Service) -> Service:
    """Waits until the seeds are in, their links are resolved, and nothing changes any more."""
    service.wait_for_text("/feeds/all.atom", TITLE)
    service.wait_for_text("/feeds/all.atom", 'rel="related"')
    seen: list[str] = []

    def steady() -> bool:
        seen.append(service.get("/feeds/all.atom").headers["etag"])
        return len(seen) > 8 and len(set(seen[-8:])) == 1

    service.wait(steady, "the links to be resolved")
    return service


def seed_entry(service: Service, path: str = "/feeds/all.atom") -> etree._Element:
    tree = etree.fromstring(service.get(path).body)
    return next(e for e in tree.iter(f"{ATOM}entry") if e.findtext(f"{ATOM}title") == TITLE)


def test_the_seed_article_is_published_whole(make_service: Make) -> None:
    service = settled(make_service().start())
    relaxng = etree.RelaxNG(etree.parse(SCHEMAS / "atom.rng"))
    for path in FEEDS:
        reply = service.get(with_suffix(path, "atom"))
        assert reply.status == 200, path
        relaxng.assertValid(etree.fromstring(reply.body))
        assert feedparser.parse(service.get(with_suffix(path, "rss")).body).bozo == 0
        assert json.loads(service.get(with_suffix(path, "json")).body)["version"].endswith("/1.1")

        entry = seed_entry(service, with_suffix(path, "atom"))
        assert entry.findtext(f"{ATOM}published") == "2025-04-10T00:00:00Z"
        assert "normalizing their diplomatic missions" in entry.findtext(f"{ATOM}summary", "")
        content = entry.findtext(f"{ATOM}content", "")
        assert "departed the Russian consulate after six hours" in content
        assert "(With inputs from agencies.)" in content
        tags = {c.get("term") for c in entry.iter(f"{ATOM}category")}
        assert tags >= {"diplomacy", "russia", "united-states", "ukraine", "istanbul", "seeds"}
        for headline in HEADLINES:
            assert headline in html.unescape(content), headline
        related = [link for link in entry.iter(f"{ATOM}link") if link.get("rel") == "related"]
        assert related
        assert all(link.get("title") and link.get("href") for link in related)
    assert service.stop() == 0


def test_related_links_lead_to_entries(make_service: Make) -> None:
    service = settled(make_service().start())
    entry = seed_entry(service)
    urls = {a.get("href") for a in entry.iter(f"{ATOM}link") if a.get("rel") == "related"}
    own = {url for url in urls if url and url.startswith(service.base_url)}
    assert own, urls
    for url in own:
        assert service.get(url.removeprefix(service.base_url)).status == 200


def test_entries_on_one_matter_are_linked_as_they_arrive(make_service: Make) -> None:
    service = settled(make_service().start())

    def related(title: str) -> list[tuple[str, str]]:
        items = json.loads(service.get("/feeds/all.json").body)["items"]
        found = [item["_feedsvc"].get("related", ()) for item in items if item["title"] == title]
        return [(one["title"], one["kind"]) for some in found for one in some]

    titles = ("Quake shakes Qeshm villages", "Qeshm villages count quake damage")
    for at, title in enumerate(titles):
        (service.seeds / f"quake-{at}.md").write_text(f"# {title}\n\nNothing more is known.\n")
    linked = [[(other, "content")] for other in titles[::-1]]
    service.wait(lambda: [related(one) for one in titles] == linked, "links by content")

    def stories() -> list[set[str]]:
        items = json.loads(service.get("/feeds/stories.json").body)["items"]
        return [{one["title"] for one in item["_feedsvc"]["members"]} for item in items]

    service.wait(lambda: set(titles) in stories(), "the story of both")
    (found,) = service.command("query", "title:shakes qeshm", "--json").stdout.splitlines()
    shown = service.command("related", json.loads(found)["key"]).stdout
    assert "2 entries" in shown
    assert titles[1] in shown.partition("  story ")[2]
    (service.seeds / "quake-1.md").unlink()
    service.wait(lambda: related(titles[0]) == [], "the link to be taken back")
    assert set(titles) not in stories()
    assert not any(titles[0] in story for story in stories())


def test_files_that_come_change_move_and_go(make_service: Make) -> None:
    service = settled(make_service().start())
    file = service.seeds / "dropped.txt"
    file.write_text(NEWS.format(title="Dropped in"), "utf-8")
    service.wait_for_text("/feeds/all.json", "Dropped in")

    def find(title: str) -> dict[str, object] | None:
        items = json.loads(service.get("/feeds/all.json").body)["items"]
        return next((item for item in items if item["title"] == title), None)

    first = find("Dropped in")
    assert first is not None
    file.write_text(NEWS.format(title="Changed after all"), "utf-8")
    service.wait_for_text("/feeds/all.json", "Changed after all")
    second = find("Changed after all")
    assert second is not None
    assert second["id"] == first["id"]
    assert find("Dropped in") is None

    (service.seeds / "elsewhere").mkdir()
    file.rename(service.seeds / "elsewhere" / "renamed.txt")
    service.wait_for_text("/feeds/tags/elsewhere.json", "Changed after all")
    third = find("Changed after all")
    assert third is not None
    assert third["id"] == first["id"]
    assert third["date_modified"] == second["date_modified"]

    (service.seeds / "elsewhere" / "renamed.txt").unlink()
    service.wait(lambda: find("Changed after all") is None, "the entry to leave the feed")
    atom = etree.fromstring(service.get("/feeds/all.atom").body)
    deleted = [
        e.get("ref") for e in atom.iter("{http://purl.org/atompub/tombstones/1.0}deleted-entry")
    ]
    assert deleted == [first["id"]]


def test_a_broken_file_is_reported_and_harms_nothing(make_service: Make) -> None:
    service = settled(make_service().start())
    before = service.get("/feeds/all.atom").headers["etag"]
    (service.seeds / "broken.json").write_text('{"title": "never closed', "utf-8")
    service.wait_for_text("/sources", "broken.json")
    assert service.get("/feeds/all.atom").headers["etag"] == before
    doctor = service.command("doctor")
    assert "broken.json" in doctor.stdout


def test_bytes_and_etags_survive_a_restart(make_service: Make) -> None:
    service = settled(make_service().start())
    paths = [with_suffix(path, suffix) for path in FEEDS for suffix in ("atom", "rss", "json")]
    before = {path: service.get(path) for path in paths}
    assert service.stop() == 0
    service.start()
    for path in paths:
        reply = service.get(path)
        assert reply.body == before[path].body, path
        assert reply.headers["etag"] == before[path].headers["etag"], path
        again = service.get(path, {"If-None-Match": before[path].headers["etag"]})
        assert (again.status, again.body) == (304, b"")


def test_postgresql_publishes_the_same_bytes(make_service: Make, postgres_url: str) -> None:
    one = make_service("sqlite")
    two = make_service("postgres", FEEDSVC_STORE__URL=postgres_url)
    # the same public address, as behind a proxy, so that links are equal
    for service in (one, two):
        service.environment["FEEDSVC_SITE__BASE_URL"] = "https://news.example.org"
        settled(service.start())
    for path in FEEDS:
        for suffix in ("atom", "rss", "json"):
            first, second = (s.get(with_suffix(path, suffix)) for s in (one, two))
            assert first.body == second.body, path
            assert first.headers["etag"] == second.headers["etag"]


@pytest.mark.parametrize("verb", ["poll", "serve"])
def test_a_killed_process_comes_back(make_service: Make, verb: str) -> None:
    service = settled(make_service().start())
    os.kill(service.children()[verb], signal.SIGKILL)
    service.wait(lambda: "process died" in service.log, "the supervisor to notice")
    (service.seeds / "after.txt").write_text(NEWS.format(title="After the crash"), "utf-8")
    service.wait_for_text("/feeds/all.atom", "After the crash")
    assert service.stop() == 0


def test_a_poller_that_is_stopped_shows_in_readiness(make_service: Make) -> None:
    service = make_service(FEEDSVC_WEB__READY_LAG="3s").start()
    poller = service.children()["poll"]
    os.kill(poller, signal.SIGSTOP)
    service.wait(lambda: service.get("/readyz").status == 503, "the poller to be missed")
    checks = json.loads(service.get("/readyz").body)["checks"]
    assert [name for name, check in checks.items() if not check["ok"]] == ["poller"]
    assert service.get("/healthz").status == service.get("/feeds/all.atom").status == 200
    os.kill(poller, signal.SIGCONT)
    service.wait(lambda: service.get("/readyz").status == 200, "the poller to be back")


def test_children_end_with_their_parent(make_service: Make) -> None:
    service = settled(make_service().start())
    pids = list(service.children().values())
    assert len(pids) == 2
    assert service.process is not None
    service.process.kill()
    service.process.wait()
    service.process = None
    service.wait(lambda: not any(_alive(pid) for pid in pids), "the children to end")
    service.start()
    settled(service)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_real_feed_is_polled_conditionally(make_service: Make, feed_server: FeedServer) -> None:
    service = make_service(FEEDSVC_POLL__ALLOW_PRIVATE=json.dumps([feed_server.address]))
    feed_server.serve(
        "/feed.xml",
        b"""<rss version="2.0"><channel><title>Loopback</title><link>http://example.org/</link>
        <description>d</description><item><title>Over HTTP</title><guid>http://example.org/1</guid>
        <link>http://example.org/1?utm_source=x</link>
        <pubDate>Thu, 10 Apr 2025 09:00:00 GMT</pubDate>
        <category>Loop</category><description>&lt;p&gt;Text&lt;/p&gt;</description></item>
        </channel></rss>""",
        headers={"Content-Type": "application/rss+xml", "ETag": '"v1"'},
    )
    settled(service.start())
    url = feed_server.url("/feed.xml")
    assert service.command("source", "add", url, "--tag", "looped").returncode == 0
    service.wait_for_text("/feeds/tags/loop,looped.atom", "Over HTTP")
    assert b"utm_source" not in service.get("/feeds/all.atom").body
    id = json.loads(service.command("source", "list", "--json").stdout.splitlines()[0])["id"]
    polled = service.command("source", "poll", id)
    assert polled.returncode == 0, polled.stderr
    assert feed_server.requests("/feed.xml")[-1].headers["If-None-Match"] == '"v1"'


def test_a_dead_feed_is_told_and_stops_nobody(make_service: Make) -> None:
    service = make_service()
    text = (service.folder / "config" / "feedsvc.toml").read_text("utf-8")
    dead = '\n[[sources]]\nlocation = "http://127.0.0.1:9/feed.xml"\nid = "dead"\n'
    service.config(text + dead)
    service.environment["FEEDSVC_POLL__ALLOW_PRIVATE"] = '["127.0.0.1:9"]'
    polled = service.command("poll", "--once")
    assert polled.returncode == 1
    assert "failed dead: " in polled.stderr
    assert "127.0.0.1:9" in polled.stderr
    assert "Traceback" not in polled.stderr
    settled(service.start())
    assert b"127.0.0.1:9" in service.get("/sources").body


def test_sigterm_ends_everything_cleanly(make_service: Make) -> None:
    service = settled(make_service().start())
    pids = list(service.children().values())
    assert service.stop() == 0
    assert not any(_alive(pid) for pid in pids)
    assert "Traceback" not in service.log


def test_sigterm_in_the_middle_of_work_ends_cleanly(make_service: Make) -> None:
    service = make_service()
    for number in range(300):
        (service.seeds / f"{number}.txt").write_text(
            NEWS.format(title=f"Report number {number}")
            + f"\n\nALSO READ\n- Report {number + 1}\n",
            "utf-8",
        )
    # the first poll, the linking after it, and whatever a restart finds undone
    for _ in range(4):
        service.start()
        service.wait(lambda: "polling" in service.log, "the poller to begin")
        assert service.stop() == 0
        assert "Traceback" not in service.log
    settled(service.start())
    service.wait_for_text("/feeds/query.atom?q=%22report+number+299%22", "Report number 299")
    assert service.stop() == 0


def test_a_taken_port_is_one_clear_message(make_service: Make) -> None:
    first = settled(make_service("first").start())
    second = make_service("second")
    second.port = first.port
    run = second.command("run")
    assert run.returncode == 1
    assert str(first.port) in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


def test_output_into_a_closed_pipe_is_no_error(make_service: Make) -> None:
    service = make_service()
    assert service.command("poll", "--once").returncode == 0
    command = f"{sys.executable} -m feedsvc render '' --format rss | head -c 10"
    piped = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=service.folder,
        env=service._environment(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert piped.stdout.startswith(b"<?xml")
    assert b"Traceback" not in piped.stderr
