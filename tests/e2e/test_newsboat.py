"""newsboat, a real feed reader, subscribes to our feeds and shows what a user must see."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import feedparser
import pytest

from tests.service import Service

pytestmark = pytest.mark.reader
TITLE = "Istanbul Diplomacy: U.S. and Russia Seek to Normalize Embassy Operations"

NEW = """ date 2025-04-12 Envoys return to the embassy in Istanbul
Diplomacy resumes.
Envoys of both countries returned to their embassies after the diplomacy of the last weeks.
"""


def subscribe(folder: Path, urls: list[str]) -> sqlite3.Connection:
    """Lets newsboat reload its subscriptions; returns its cache."""
    newsboat = shutil.which("newsboat")
    assert newsboat, "newsboat is not installed: apt-get install newsboat"
    folder.mkdir(exist_ok=True)
    (folder / "urls").write_text("".join(f"{url}\n" for url in urls))
    (folder / "config").write_text("auto-reload no\n")
    done = subprocess.run(
        [
            newsboat,
            *("--url-file", str(folder / "urls"), "--config-file", str(folder / "config")),
            *("--cache-file", str(folder / "cache.db"), "--execute", "reload"),
        ],
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "TERM": "dumb", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return sqlite3.connect(folder / "cache.db")


@pytest.mark.parametrize("suffix", ["atom", "rss"])
def test_newsboat_shows_entries_edits_and_withdrawals(
    make_service: Callable[..., Service], tmp_path: Path, suffix: str
) -> None:
    service = make_service().start()
    feed = f"/feeds/tags/diplomacy.{suffix}"
    service.wait_for_text(feed, TITLE)
    url = service.base_url + feed
    # it keeps the validators of what it fetches from the second time on
    subscribe(tmp_path / "newsboat", [url]).close()
    cache = subscribe(tmp_path / "newsboat", [url])
    rows = dict(cache.execute("SELECT title, content FROM rss_item WHERE deleted = 0"))
    assert TITLE in rows
    assert "Related" in rows[TITLE]
    assert "New Era: Alexander Darchiev" in rows[TITLE]
    before = cache.execute("SELECT count(*) FROM rss_item").fetchone()[0]
    cache.close()

    seed = service.seeds / "000_b0149e1d855999ec.txt"
    seed.write_text(seed.read_text("utf-8").replace("six hours", "seven hours"), "utf-8")
    service.wait_for_text(feed, "seven hours")
    cache = subscribe(tmp_path / "newsboat", [url])
    rows = dict(cache.execute("SELECT title, content FROM rss_item WHERE deleted = 0"))
    assert "seven hours" in rows[TITLE]
    assert cache.execute("SELECT count(*) FROM rss_item").fetchone()[0] == before
    cache.close()

    # it asked for what had changed alone, and put that in its place
    service.wait(lambda: service.answered(226) == 1, "newsboat's 226 to be counted")

    # an unchanged feed costs newsboat a 304, though it asks for a delta (RFC 3229)
    count = service.answered(304)
    subscribe(tmp_path / "newsboat", [url]).close()
    service.wait(lambda: service.answered(304) == count + 1, "newsboat's 304 to be counted")

    # a new entry comes beside those it has, and one that is withdrawn takes nothing else along
    (service.seeds / "zz-new.txt").write_text(NEW, "utf-8")
    service.wait_for_text(feed, "Envoys return")
    seed.unlink()
    service.wait(lambda: TITLE not in entries(service, feed), "the withdrawal")
    cache = subscribe(tmp_path / "newsboat", [url])
    after = dict(cache.execute("SELECT title, content FROM rss_item WHERE deleted = 0"))
    assert after.keys() == rows.keys() | {"Envoys return to the embassy in Istanbul"}
    cache.close()


def entries(service: Service, feed: str) -> set[str]:
    """The titles of the entries that a feed has, whatever else it says of others."""
    return {entry.title for entry in feedparser.parse(service.get(feed).body).entries}
