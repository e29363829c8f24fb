"""The command line over real stores and files: what is printed, what is refused, exit codes."""

import json
import shutil
import socket
import sqlite3
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lxml import etree

import feedsvc.round
from feedsvc.cli import cli
from feedsvc.config import load
from feedsvc.process import own_name, spoken
from feedsvc.runtime import open_runtime
from feedsvc.store.sqlite import SqliteStore
from tests.feedserver import Answer, FeedServer

ROOT = Path(__file__).parent.parent.parent
SEED = "000_b0149e1d855999ec.txt"
CONFIG = '[[sources]]\nlocation = "seeds"\ntags = ["seeds"]\n'
RSS = b"""<rss version="2.0"><channel><title>Loopback</title><link>http://example.org/</link>
<description>d</description><item><title>One</title><guid>http://example.org/1</guid></item>
</channel></rss>"""


class Shell:
    """Runs verbs in one folder, as a user would."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._environment = monkeypatch
        monkeypatch.chdir(folder)
        (folder / "config").mkdir()
        (folder / "seeds").mkdir()
        shutil.copy(ROOT / "seeds" / SEED, folder / "seeds")
        self.config(CONFIG)

    def config(self, text: str) -> None:
        (self.folder / "config" / "feedsvc.toml").write_text(text, "utf-8")

    def set(self, name: str, value: str) -> None:
        self._environment.setenv(f"FEEDSVC_{name}", value)

    def __call__(self, *arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == code, (result.output, result.exception)
        assert "Traceback" not in result.output
        return result


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, monkeypatch)


def test_from_files_to_feeds(shell: Shell) -> None:
    assert "1 new" in shell("poll", "--once").stdout
    assert "1 unchanged" in shell("poll", "--once", "--all").stdout
    summary = json.loads(shell("poll", "--once", "--all", "--json").stdout)
    assert (summary["polled"], summary["unchanged"], summary["failed"]) == (1, 1, [])

    listed = shell("query", "tag:diplomacy istanbul").stdout
    assert "Istanbul Diplomacy" in listed
    found = json.loads(shell("query", "--json", "").stdout)
    assert found["id"] == f"tag:localhost,2026:seeds/{SEED}"
    assert shell("query", "tag:sports").stdout == ""

    atom = etree.fromstring(shell("render", "tag:russia").stdout_bytes)
    assert atom.find("{http://www.w3.org/2005/Atom}entry") is not None
    assert json.loads(shell("render", "", "--format", "json", "--limit", "1").stdout)["items"]
    shown = shell("related", found["key"]).stdout
    assert "waiting" in shown
    assert "New Era: Alexander Darchiev" in shown


def test_sources_come_and_go(shell: Shell, feed_server: FeedServer) -> None:
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    feed_server.serve("/feed.xml", RSS, headers={"Content-Type": "application/rss+xml"})
    feed_server.serve(
        "/page",
        b'<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml">'
        b"</head><body>A page</body></html>",
        headers={"Content-Type": "text/html"},
    )
    added = shell("source", "add", feed_server.url("/page"), "--tag", "Loop", "--interval", "1h")
    assert feed_server.url("/feed.xml") in added.stdout
    rows = [json.loads(line) for line in shell("source", "list", "--json").stdout.splitlines()]
    feed = next(row for row in rows if row["kind"] == "feed")
    assert (feed["title"], feed["tags"], feed["interval"]) == ("Loopback", ["loop"], 3600.0)
    assert feed["origin"] == "store"
    assert "known already" in shell("source", "add", feed_server.url("/page"), code=2).stderr
    assert "1 unchanged" in shell("source", "poll", feed["id"]).stdout
    shown = shell("source", "show", feed["id"]).stdout
    assert "entries    1" in shown
    assert "why        every " in shown
    assert "200  1 new" in shown
    facts = json.loads(shell("source", "show", feed["id"], "--json").stdout)
    assert facts["why"].startswith("every ")
    record, _ = facts["history"]
    assert (record["outcome"], record["status"], record["new"]) == ("new", 200, 1)
    assert (facts["remedy"], facts["moved"]) == (None, None)
    exported = shell("opml", "export").stdout
    assert feed_server.url("/feed.xml") in exported
    shell("source", "remove", feed["id"])
    assert feed["id"] not in shell("source", "list").stdout
    assert "One" in shell("query", "").stdout
    (shell.folder / "list.opml").write_text(exported, "utf-8")
    assert "added 1 sources" in shell("opml", "import", "list.opml").stdout
    shell("source", "remove", feed["id"], "--purge")
    assert "One" not in shell("query", "").stdout


def test_a_list_that_is_imported_in_part_fails(shell: Shell) -> None:
    path = shell.folder / "list.opml"
    good = '<outline text="{0}" xmlUrl="https://{0}.example/feed"/>\n'
    body = good.format("a") + good.format("b") + good.format("a")
    whole = f'<opml version="2.0"><body>\n{body}</body></opml>'
    path.write_text(whole, "utf-8")
    assert shell("opml", "import", "list.opml").stdout == (
        "added 2 sources, 0 known, 0 skipped, 1 repeated\n"
    )
    assert "0 sources, 2 known" in shell("opml", "import", "list.opml").stdout
    path.write_text(whole.replace("</body>", good.format("c") + '<outline text="D"')[:-7], "utf-8")
    ran = shell("opml", "import", "list.opml", code=1)
    assert ran.stdout == "added 1 sources, 2 known, 1 skipped, 1 repeated\n"
    assert "  skipped line 6: the list breaks off" in ran.stderr
    path.write_text(
        whole.replace("</body>", '<outline xmlUrl="ftp://d.example/"/></body>'), "utf-8"
    )
    ran = shell("opml", "import", "list.opml", code=1)
    assert "skipped line 5: 'ftp://d.example/'" in ran.stderr
    path.write_text("<html><p>Moved</p></html>", "utf-8")
    assert "not a subscription list" in shell("opml", "import", "list.opml", code=1).stderr
    shell("opml", "import", "missing.opml", code=2)


@pytest.mark.parametrize(
    ("page", "place", "asked"),
    [
        (b"<html><body><a href='news/all.rss'>Subscribe</a></body></html>", "/news/all.rss", 2),
        (b"<html><body><p><a href='/x?id=1'>Our <b>RSS</b></a></p></body></html>", "/x?id=1", 2),
        (b"<!DOCTYPE html><html><p>Nothing at all</p></html>", "/atom.xml", 5),
    ],
    ids=["address", "words", "usual place"],
)
def test_a_page_that_names_no_feed_is_searched(
    shell: Shell, feed_server: FeedServer, page: bytes, place: str, asked: int
) -> None:
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    feed_server.serve("/", page, headers={"Content-Type": "text/html"})
    feed_server.serve(place, RSS)
    added = shell("source", "add", feed_server.url("/")).stdout
    assert feed_server.url(place) in added
    assert "(1 entries)" in added
    # each place once, and what was read there was the first poll
    paths = [request.path for request in feed_server.requests()]
    assert len(paths) == len(set(paths)) == asked


def test_a_server_that_has_enough_is_searched_no_further(
    shell: Shell, feed_server: FeedServer
) -> None:
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    feed_server.serve("/", b"<html></html>", headers={"Content-Type": "text/html"})
    feed_server.serve("/feed.xml", status=429)
    assert "HTML" in shell("source", "add", feed_server.url("/"), code=1).stderr
    assert [request.path for request in feed_server.requests()] == ["/", "/feed", "/feed.xml"]


def test_adding_what_is_no_feed_is_refused(shell: Shell, feed_server: FeedServer) -> None:
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    feed_server.serve("/page", b"<html><body>nothing</body></html>")
    feed_server.serve("/lost", b"", status=404)
    feed_server.serve("/gone", b"", status=410)
    for path, reason in (("/page", "HTML"), ("/lost", "404"), ("/gone", "410")):
        assert reason in shell("source", "add", feed_server.url(path), code=1).stderr
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address, address]))
        assert "refused" in shell("source", "add", f"http://{address}/", code=1).stderr
    assert "127-0-0-1" not in shell("source", "list").stdout
    assert "not a directory" in shell("source", "add", "nowhere", code=2).stderr
    assert "not a directory" in shell("source", "add", "", code=2).stderr
    assert "known already" in shell("source", "add", "./seeds", code=2).stderr
    assert "seeds" in shell("source", "list").stdout


def test_a_feed_that_was_gone_by_mistake_is_asked_once_more(
    shell: Shell, feed_server: FeedServer
) -> None:
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    shell.set("POLL__HOST_DELAY", "0s")
    feed_server.serve("/feed.xml", RSS)
    added = shell("source", "add", feed_server.url("/feed.xml")).stdout
    id = added.split()[1].rstrip(":")
    feed_server.serve("/feed.xml", b"", status=410)
    for _ in range(2):  # the second time it is asked again, and is gone again
        assert "410" in shell("source", "poll", id, code=1).output
        shown = json.loads(shell("source", "show", id, "--json").stdout)
        assert not shown["enabled"]
        assert "feedsvc source poll" in shown["remedy"]
    shell("poll", "--once", "--all")
    assert len(feed_server.requests("/feed.xml")) == 3, "a disabled source is left alone"
    feed_server.serve("/feed.xml", RSS.replace(b"One", b"Two").replace(b"/1", b"/2"))
    assert "1 new" in shell("source", "poll", id).stdout
    shown = json.loads(shell("source", "show", id, "--json").stdout)
    assert (shown["enabled"], shown["remedy"]) == (True, None)


def test_what_looks_at_a_feed_is_its_first_poll(shell: Shell, feed_server: FeedServer) -> None:
    """The server of a feed that is added sees one request that is not conditional, ever."""
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    validators = {"ETag": '"v1"', "Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT"}
    feed_server.serve("/feed.xml", RSS, headers=validators)
    link = b'<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
    feed_server.serve("/page", b"<html><head>" + link + b"</head></html>")
    assert "(1 entries)" in shell("source", "add", feed_server.url("/page")).stdout
    assert "One" in shell("query", "").stdout
    shell("poll", "--once")
    assert "2 unchanged" in shell("poll", "--once", "--all").stdout
    looked, polled = feed_server.requests("/feed.xml")
    assert looked.headers["If-None-Match"] is None
    assert polled.headers["If-None-Match"] == '"v1"'
    assert polled.headers["If-Modified-Since"] == validators["Last-Modified"]
    assert len(feed_server.requests("/page")) == 1

    shell("source", "add", feed_server.url("/feed.xml"), code=2)
    assert len(feed_server.requests("/feed.xml")) == 2
    feed_server.redirect("/old", feed_server.url("/feed.xml"), status=301)
    assert "known already" in shell("source", "add", feed_server.url("/old"), code=2).stderr


def test_a_busy_server_is_asked_again_when_it_said(shell: Shell, feed_server: FeedServer) -> None:
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    shell.set("POLL__TIMEOUT", "1s")
    busy = Answer(status=503, headers={"Retry-After": "7200"})
    feed_server.script("/busy", busy, Answer(body=RSS))
    added = shell("source", "add", feed_server.url("/busy"), "--title", "Busy")
    assert added.stdout.startswith("added ")
    assert "wait 2 h; the next poll is due at 20" in added.stderr
    feed_server.serve("/slow", RSS, drip=(1, 1.0))
    assert "timed out" in shell("source", "add", feed_server.url("/slow")).stderr
    rows = [json.loads(line) for line in shell("source", "list", "--json").stdout.splitlines()]
    row = next(row for row in rows if row["title"] == "Busy")
    assert (row["status"], row["failures"], row["entries"]) == (503, 1, 0)
    wait = datetime.fromisoformat(row["next"]) - datetime.fromisoformat(row["last"])
    assert wait >= timedelta(hours=2)
    assert "asked to be left alone until" in shell("poll", "--once", "--all", code=1).stderr
    assert len(feed_server.requests("/busy")) == 1


def test_a_page_of_several_feeds_lists_them(shell: Shell, feed_server: FeedServer) -> None:
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    links = (
        b'<link rel="alternate" type="application/rss+xml" title="%s" href="/%s">' % (name, name)
        for name in (b"one", b"two")
    )
    feed_server.serve("/page", b"<html><head>" + b"".join(links) + b"</head></html>")
    told = shell("source", "add", feed_server.url("/page"), code=1).stderr
    assert feed_server.url("/one") in told
    assert feed_server.url("/two") in told
    assert [request.path for request in feed_server.requests()] == ["/page"]


def test_force_adds_what_is_no_feed_yet(shell: Shell, feed_server: FeedServer) -> None:
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    feed_server.serve("/soon", b"", status=404)
    feed_server.serve("/page", b"<html><body>nothing</body></html>")
    for path, reason in (("/soon", "404"), ("/page", "HTML")):
        added = shell("source", "add", feed_server.url(path), "--force")
        assert feed_server.url(path) in added.stdout
        assert reason in added.stderr
        feed_server.serve(path, RSS, headers={"ETag": '"v1"'})
    assert "3 new" in shell("poll", "--once", "--all").stdout


def test_nothing_from_outside_is_parsed_in_the_process_of_the_verb(
    shell: Shell, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(*arguments: object, **more: object) -> None:
        pytest.fail("parsed without the limits of a parser process")

    monkeypatch.setattr("feedsvc.sources.webfeed.parse_feed", here)
    monkeypatch.setattr("feedsvc.sources.discovery.etree.fromstring", here)
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    feed_server.serve("/feed.xml", RSS)
    feed_server.serve(
        "/page", b'<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
    )
    assert "(1 entries)" in shell("source", "add", feed_server.url("/page")).stdout


def test_private_networks_are_refused_unless_named(shell: Shell, feed_server: FeedServer) -> None:
    feed_server.serve("/feed.xml", RSS)
    refused = shell("source", "add", feed_server.url("/feed.xml"), code=1)
    assert "allow_private" in refused.stderr
    assert feed_server.requests("/feed.xml") == []


def test_backup_restore_and_upkeep(shell: Shell) -> None:
    shell("poll", "--once")
    before = shell("render", "").stdout_bytes
    shell("store", "backup", "copy")
    shell("source", "remove", "seeds", "--purge")
    assert shell("query", "").stdout == ""
    shell("store", "restore", "copy", "--yes")
    assert shell("render", "").stdout_bytes == before
    assert "sound" in shell("store", "check").stdout
    assert "entries               1" in shell("store", "stats").stdout
    assert "linked 1 entries" in shell("relate", "--rebuild").stdout
    assert "looked at 1 entries, changed the tags of 0" in shell("retag").stdout
    assert "pruned 1 entries" in shell("store", "prune", "--older-than", "30d").stdout
    assert "0 new" in shell("poll", "--once", "--all").stdout
    (shell.folder / "seeds" / SEED).touch()
    assert "0 new" in shell("poll", "--once", "--all").stdout


def test_new_rules_reach_old_entries_without_moving_updated(shell: Shell) -> None:
    shell("poll", "--once")
    before = json.loads(shell("query", "--json", "").stdout)
    shell.config(CONFIG + '[[tags.rules]]\ntag = "Missions"\nany = ["diplomatic missions"]\n')
    assert "changed the tags of 1" in shell("retag").stdout
    after = json.loads(shell("query", "--json", "tag:missions").stdout)
    assert after["updated"] == before["updated"]
    assert "seeds" in after["tags"]


def test_what_a_document_says_of_its_tags_outlives_the_rules(shell: Shell) -> None:
    seeds = shell.folder / "seeds"
    (seeds / "t.txt").write_text("Tea harvest begins\n\nREAD MORE ON: tkey\nCountry: Peru\n")
    (seeds / "h.html").write_text("<meta name=keywords content=hkey><h1>H</h1><p>Words</p>")
    (seeds / "m.eml").write_text("Subject: M\nKeywords: mkey\n\nWords\n")
    shell("poll", "--once")
    before = [shell("query", f"tag:{tag}").stdout for tag in ("tkey", "peru", "hkey", "mkey")]
    assert all(before)
    assert "changed the tags of 0" in shell("retag").stdout
    assert before == [
        shell("query", f"tag:{tag}").stdout for tag in ("tkey", "peru", "hkey", "mkey")
    ]


def test_a_headline_finds_the_other_entry_of_its_title(shell: Shell) -> None:
    seeds = shell.folder / "seeds"
    for name in ("t1.md", "t2.md"):
        (seeds / name).write_text(f"# Tea harvest begins in the hills\n\n{name}\n")
    (seeds / "p.md").write_text(
        "---\nrelated: [Tea harvest begins in the hills]\n---\n# Prices\n\nUp\n"
    )
    shell("poll", "--once")
    first = named(shell)
    (seeds / first.rpartition("/")[2]).unlink()
    assert "1 withdrawn" in shell("poll", "--once", "--all").stdout
    assert {first, named(shell)} == {f"tag:localhost,2026:seeds/{n}" for n in ("t1.md", "t2.md")}


def test_entries_on_one_matter_are_linked_and_say_why(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shell.folder / "seeds" / SEED).unlink()
    told = (
        "Envoys Darchiev and Coulter met in Istanbul",
        "Istanbul: Darchiev, Coulter discuss visas",
    )
    for at, title in enumerate((*told, "Tea harvest begins")):
        (shell.folder / "seeds" / f"{at}.md").write_text(f"# {title}\n\nOn Thursday.\n")
    # a first poll of very many leaves them to the service, or to `relate`
    monkeypatch.setattr(feedsvc.round, "_RELATED_AT_ONCE", 2)
    shell("poll", "--once")
    assert "  by content          3" in shell("store", "stats").stdout
    before = shell("query", "--json", "istanbul").stdout
    assert "linked 3 entries" in shell("relate").stdout
    assert shell("query", "--json", "istanbul").stdout == before
    one = json.loads(before.splitlines()[0])
    shown = shell("related", one["key"]).stdout
    assert "content" in shown
    assert "Darchiev" in shown.splitlines()[2]
    rendered = json.loads(shell("render", "istanbul", "--format", "json").stdout)
    for item, other in zip(rendered["items"], reversed(rendered["items"]), strict=True):
        (related,) = item["_feedsvc"]["related"]
        assert (related["id"], related["kind"]) == (other["id"], "content")
        assert 0.16 < related["score"] < 1
        assert "Istanbul" in related["reason"]
    (shell.folder / "seeds" / "3.md").write_text("# Coulter and Darchiev leave Istanbul\n\nBye.\n")
    shell("poll", "--once", "--all")
    links, _, story = shell("related", one["key"]).stdout.partition("  story ")
    assert len(links.splitlines()) == 5
    assert story.splitlines()[0].endswith(", 3 entries")
    assert "Coulter and Darchiev leave Istanbul (seeds)" in story
    assert "  by content          0" in shell("store", "stats").stdout


def named(shell: Shell) -> str:
    """The id of the one entry that another names."""
    found = json.loads(shell("render", "title:prices", "--format", "json").stdout)
    (related,) = found["items"][0]["_feedsvc"]["related"]
    return str(related["id"])


def test_a_locked_store_is_told_in_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell("poll", "--once")
    monkeypatch.setitem(SqliteStore.__init__.__kwdefaults__, "wait", 0.05)
    holder = sqlite3.connect(shell.folder / "data" / "feedsvc.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    said = shell("poll", "--once", "--all", code=1).stderr
    holder.close()
    assert "stayed locked" in said
    assert len(said.strip().splitlines()) == 1


def test_a_wrong_key_is_named_with_its_line_and_neighbour(shell: Shell) -> None:
    shell.config(CONFIG + "[poll]\nintervall = '1h'\n")
    message = shell("config", "check", code=2).stderr
    assert "poll.intervall" in message
    assert "interval" in message.replace("intervall", "")
    assert ":5" in message or "line 5" in message
    assert len(message.strip().splitlines()) == 1


def test_config_check_knows_the_stores_there_are(shell: Shell) -> None:
    shell.config(CONFIG + '[store]\nurl = "mysql://root:hidden@db/news"\n')
    message = shell("config", "check", code=2).stderr
    assert "config/feedsvc.toml:5: store.url" in message
    assert "postgresql://USER" in message
    assert "hidden" not in message


def test_config_check_reads_the_subscription_lists(shell: Shell) -> None:
    shell.config('opml = [\n"good.opml",\n"bad.opml",\n"none.opml",\n"seeds",\n"x.html"]\n')
    outline = '<outline text="A" xmlUrl="https://a.example/feed"/>'
    (shell.folder / "good.opml").write_text(f'<opml version="2.0"><body>{outline}</body></opml>')
    (shell.folder / "bad.opml").write_text(
        f'<opml version="2.0"><body>\n{outline}\n<outline text="F" xmlUrl="ftp://a.example/f"/>\n'
        f"{outline[:-2]}\n"
    )
    (shell.folder / "x.html").write_text("<html><p>\nno list</html>")
    lines = shell("config", "check", code=2).stderr.splitlines()
    told = "\n".join(lines)
    assert "config/feedsvc.toml:4: opml: none.opml: no such file" in told
    assert "config/feedsvc.toml:5: opml: seeds: is a directory" in told
    assert "config/feedsvc.toml:3: opml: bad.opml:3: F: " in told
    assert "config/feedsvc.toml:3: opml: bad.opml:5: the list breaks off" in told
    assert "config/feedsvc.toml:6: opml: x.html:2: This is not a subscription list" in told
    assert "good.opml" not in told

    shell.config('opml = ["good.opml"]\n')
    assert "0 sources and 1 in subscription lists" in shell("config", "check").stdout


def test_config_shows_where_a_value_came_from(shell: Shell) -> None:
    shell.set("WEB__ADMIN_TOKEN", "hidden-secret")
    shell.set("POLL__INTERVAL", "45m")
    shown = shell("config", "show").stdout
    assert "hidden-secret" not in shown
    row = next(line for line in shown.splitlines() if line.startswith("poll.interval "))
    assert "45m" in row
    assert "FEEDSVC_POLL__INTERVAL" in row
    assert "the configuration is right" in shell("config", "check").stdout


def test_a_query_may_begin_with_a_minus(shell: Shell) -> None:
    shell("poll", "--once")
    # the seed is about an embassy: what refuses that word finds nothing, any other finds it
    assert shell("query", "-embassy").stdout == ""
    everything = shell("query", "").stdout
    for arguments in (("-hello",), ("--limit", "5", "-tag:hello"), ("-hello", "--limit", "5")):
        assert shell("query", *arguments).stdout == everything
    assert shell("query", "--", "-hello").stdout == everything
    assert json.loads(shell("query", "--json", "-hello").stdout)["source"] == "seeds"
    assert json.loads(shell("render", "-embassy", "--format", "json").stdout)["items"] == []
    assert shell("query", "-h").stdout.startswith("Usage:")
    assert "--limt" in shell("query", "--limt", "5", code=2).stderr


def test_a_bad_query_points_at_the_place(shell: Shell) -> None:
    message = shell("query", 'tag:a (title:"b"', code=2).stderr
    assert message.splitlines()[-1].strip() == "^"
    assert "sauce" in shell("query", "sauce:x", code=2).stderr
    shell("poll", "--once")
    nothing = shell("query", "tag:diplomcy")
    assert nothing.stdout == ""
    assert nothing.stderr == "no entry has the tag diplomcy: did you mean tag:diplomacy?\n"


def test_an_unreadable_directory_is_told(shell: Shell) -> None:
    shell("poll", "--once")
    shutil.move(shell.folder / "seeds", shell.folder / "away")
    polled = shell("poll", "--once", "--all", code=1)
    assert "seeds" in polled.stderr
    assert "Istanbul" in shell("query", "").stdout
    assert "does not exist" in shell("doctor", code=1).stdout


def test_a_broken_document_is_told(shell: Shell) -> None:
    (shell.folder / "seeds" / "bad.json").write_text("{", "utf-8")
    polled = shell("poll", "--once")
    assert "1 new" in polled.stdout
    assert "bad.json" in polled.stderr
    assert "bad.json" in shell("source", "show", "seeds").stdout
    assert "bad.json" in shell("doctor").stdout


def test_the_doctor_tells_what_is_true(shell: Shell, feed_server: FeedServer) -> None:
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    fresh = shell("doctor").stdout
    assert "ok       configuration: config/feedsvc.toml" in fresh
    assert "ok       sources: 0 in order, 1 not polled yet" in fresh

    feed_server.serve("/busy", status=503, headers={"Retry-After": "7200"})
    feed_server.serve("/lost", status=404)
    shell.config(
        CONFIG
        + "".join(
            f'[[sources]]\nid = "{id}"\nlocation = "{feed_server.url(f"/{id}")}"\n'
            for id in ("busy", "lost")
        )
    )
    shell("poll", "--once", code=1)
    told = shell("doctor", code=1).stdout
    assert "warning  sources: 1 in order, 2 not" in told
    assert "ok       sources" not in told
    rows = told.splitlines()
    for id, remedy in (("busy", "nothing: its server is busy"), ("lost", "source remove lost")):
        place = next(i for i, row in enumerate(rows) if row.startswith(f"failed   source {id}:"))
        assert remedy in rows[place + 1]
        assert "tried again by itself at 20" in rows[place + 1]

    shell.config("opml = ['none.opml']\n")
    assert "failed   configuration" in shell("doctor", code=1).stdout
    shell.config("[poll]\nintervall = '1h'\n")
    assert "failed   configuration" in shell("doctor", code=1).stdout
    (shell.folder / "config" / "feedsvc.toml").unlink()
    assert "there is no config/feedsvc.toml" in shell("doctor").stdout


def test_the_doctor_tells_who_polls_and_who_died(shell: Shell) -> None:
    shell("source", "list")
    host, pid, mark = own_name().split(":")
    place, _, start = mark.rpartition("-")
    dead = f"{host}:{pid}:{place}-{int(start) - 1}"
    config = load(shell.folder / "config" / "feedsvc.toml", environ={})
    with open_runtime(config) as runtime:
        now = runtime.clock()
        runtime.store.claim_due(now=now, owner=dead, lease=timedelta(hours=1), limit=9)
    assert f"warning  poller: {host}:{pid} died while it polled seeds" in shell("doctor").stdout
    assert "1 new" in shell("poll", "--once").stdout


def test_what_went_wrong_is_told_once_and_in_words(shell: Shell, feed_server: FeedServer) -> None:
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    (shell.folder / "seeds" / "bad.json").write_text("{", "utf-8")
    feed_server.serve("/down", status=500)
    down = feed_server.url("/down")
    shell.config(f'{CONFIG}[[sources]]\nid = "down"\nlocation = "{down}"\n')
    for options in ((), ("--all",)):
        told = shell("poll", "--once", *options, code=1).stderr
        assert told.count("bad.json") == 1
        assert told.count("500") == 1
        assert "{" not in told.replace("bad.json", "")
    summary = shell("poll", "--once", "--all", "--json", code=1)
    assert json.loads(summary.stdout)["failed"][0]["source"] == "down"
    assert summary.stderr == ""
    verbose = shell("-v", "poll", "--once", "--all", code=1).stderr
    assert "poll failed" in verbose


def test_sources_polled_by_a_running_service_are_named(shell: Shell) -> None:
    shell("source", "list")
    config = load(shell.folder / "config" / "feedsvc.toml", environ={})
    with open_runtime(config) as runtime:
        now = runtime.clock()
        runtime.store.claim_due(now=now, owner=own_name(), lease=timedelta(hours=1), limit=9)
    host_and_pid = spoken(own_name())
    told = shell("poll", "--once")
    assert "polled 0 sources" in told.stdout
    assert f"left alone seeds: {host_and_pid}, a running feedsvc, is polling it" in told.stderr
    summary = json.loads(shell("poll", "--once", "--all", "--json").stdout)
    assert host_and_pid in summary["left_alone"]["seeds"]
    assert host_and_pid in shell("source", "poll", "seeds", code=1).stderr
    assert host_and_pid in shell("doctor").stdout
    shown = shell("source", "show", "seeds", "--json").stdout
    assert json.loads(shown)["polled_by"] == host_and_pid


def test_a_document_read_in_part_is_not_called_skipped(shell: Shell) -> None:
    good = {"id": "1", "title": "Taken", "content_text": "x"}
    (shell.folder / "seeds" / "bad.json").write_text(json.dumps([good, 5]), "utf-8")
    polled = shell("poll", "--once")
    assert "2 new" in polled.stdout
    assert "item 2" in polled.stderr
    said = polled.stderr + shell("source", "show", "seeds").stdout + shell("source", "list").stdout
    assert "skipped" not in said


def test_a_newer_schema_is_refused(shell: Shell) -> None:
    shell("poll", "--once")
    with sqlite3.connect(shell.folder / "data" / "feedsvc.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    message = shell("query", "", code=1).stderr
    assert "newer" in message
    assert len(message.strip().splitlines()) == 1


def test_what_is_no_database_is_refused(shell: Shell) -> None:
    (shell.folder / "data").mkdir()
    (shell.folder / "data" / "feedsvc.db").write_text("this is a letter to my aunt\n" * 100)
    assert "feedsvc.db" in shell("query", "", code=1).stderr


def test_a_store_in_an_unwritable_place_is_refused(shell: Shell) -> None:
    blocked = shell.folder / "blocked"
    blocked.write_text("a file where a folder should be")
    shell.set("STORE__URL", f"sqlite:///{blocked / 'feedsvc.db'}")
    assert "blocked" in shell("query", "", code=1).stderr
    assert stat.S_ISREG(blocked.stat().st_mode)


def test_unknown_names_are_told(shell: Shell) -> None:
    assert "nobody" in shell("source", "show", "nobody", code=1).stderr
    assert "nobody" in shell("poll", "--once", "nobody", code=1).stderr
    assert "aaaaaaaaaaaaa" in shell("related", "aaaaaaaaaaaaa", code=1).stderr
    assert "--once" in shell("poll", "--all", code=2).stderr
