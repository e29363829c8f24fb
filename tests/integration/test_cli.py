"""The command line over real stores and files: what is printed, what is refused, exit codes."""

import json
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lxml import etree

from feedsvc.cli import cli
from tests.feedserver import FeedServer

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
    assert "1 new" in shell("source", "poll", feed["id"]).stdout
    shown = shell("source", "show", feed["id"]).stdout
    assert "entries    1" in shown
    assert "why        every " in shown
    assert "200  1 new" in shown
    facts = json.loads(shell("source", "show", feed["id"], "--json").stdout)
    assert facts["why"].startswith("every ")
    (record,) = facts["history"]
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


def test_adding_what_is_no_feed_is_refused(shell: Shell, feed_server: FeedServer) -> None:
    shell.set("POLL__ALLOW_PRIVATE", json.dumps([feed_server.address]))
    feed_server.serve("/page", b"<html><body>nothing</body></html>")
    feed_server.serve("/gone", b"", status=404)
    assert "HTML" in shell("source", "add", feed_server.url("/page"), code=1).stderr
    assert "404" in shell("source", "add", feed_server.url("/gone"), code=1).stderr
    assert "not a directory" in shell("source", "add", "nowhere", code=2).stderr
    assert "not a directory" in shell("source", "add", "", code=2).stderr
    assert "known already" in shell("source", "add", "./seeds", code=2).stderr
    assert "seeds" in shell("source", "list").stdout


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


def test_a_wrong_key_is_named_with_its_line_and_neighbour(shell: Shell) -> None:
    shell.config(CONFIG + "[poll]\nintervall = '1h'\n")
    message = shell("config", "check", code=2).stderr
    assert "poll.intervall" in message
    assert "interval" in message.replace("intervall", "")
    assert ":5" in message or "line 5" in message
    assert len(message.strip().splitlines()) == 1


def test_config_shows_where_a_value_came_from(shell: Shell) -> None:
    shell.set("WEB__ADMIN_TOKEN", "hidden-secret")
    shell.set("POLL__INTERVAL", "45m")
    shown = shell("config", "show").stdout
    assert "hidden-secret" not in shown
    row = next(line for line in shown.splitlines() if line.startswith("poll.interval "))
    assert "45m" in row
    assert "FEEDSVC_POLL__INTERVAL" in row
    assert "the configuration is right" in shell("config", "check").stdout


def test_a_bad_query_points_at_the_place(shell: Shell) -> None:
    message = shell("query", 'tag:a (title:"b"', code=2).stderr
    assert message.splitlines()[-1].strip() == "^"
    assert "sauce" in shell("query", "sauce:x", code=2).stderr


def test_an_unreadable_directory_is_told(shell: Shell) -> None:
    shell("poll", "--once")
    shutil.move(shell.folder / "seeds", shell.folder / "away")
    polled = shell("poll", "--once", "--all", code=1)
    assert "seeds" in polled.stderr
    assert "Istanbul" in shell("query", "").stdout
    assert "does not exist" in shell("doctor", code=1).stdout


def test_a_broken_document_is_skipped_and_told(shell: Shell) -> None:
    (shell.folder / "seeds" / "bad.json").write_text("{", "utf-8")
    polled = shell("poll", "--once")
    assert "1 new" in polled.stdout
    assert "bad.json" in polled.stderr
    assert "bad.json" in shell("source", "show", "seeds").stdout
    assert "bad.json" in shell("doctor").stdout


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
