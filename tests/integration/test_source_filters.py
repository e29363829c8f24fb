"""Which entries of a source are taken: `keep` and `drop`, from the document to the store."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from feedsvc.config import load
from feedsvc.errors import ConfigError
from feedsvc.model import Source
from feedsvc.round import poll_once
from tests.badfeeds import START, Feed, post
from tests.feedserver import FeedServer
from tests.store import empty_runtime

POSTS = [post(number) for number in range(6)]  # amber, basalt, cedar, dune, ember, fjord


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        ("keep = 'title:cedar OR dune03'", "Cedar Dune"),
        ("drop = 'title:cedar OR title:amber'", "Basalt Dune Ember Fjord"),
        ("keep = 'title:cedar OR title:dune'\ndrop = 'title:dune'", "Cedar"),
        ("tags = ['x']\nkeep = 'tag:x -basalt01 has:link'", "Amber Cedar Dune Ember Fjord"),
        ("keep = 'has:related'", ""),
        ("keep = 'source:one kind:feed since:2026-01-30T15:00:00Z'", "Dune Ember Fjord"),
    ],
)
def test_only_what_is_wanted_is_stored(
    tmp_path: Path, feed_server: FeedServer, table: str, kept: str
) -> None:
    with Feed.on(tmp_path, feed_server, source=table) as feed:
        for _ in range(2):
            feed.poll(POSTS)
            assert sorted(title.split()[0] for title in feed.titles()) == kept.split()


def test_an_entry_is_taken_when_it_is_wanted_at_last(
    tmp_path: Path, feed_server: FeedServer
) -> None:
    with Feed.on(tmp_path, feed_server, source="keep = 'title:rises'\ndrop = 'draft'") as feed:
        draft = replace(POSTS[1], text="This is a draft.")
        feed.poll([POSTS[0], draft])
        assert feed.titles() == ["Amber 0 rises"]
        feed.poll([POSTS[0], POSTS[1]])
        assert feed.titles() == ["Basalt 1 rises", "Amber 0 rises"]
        # what is stored stays, as it was when it was wanted
        feed.poll([POSTS[0], draft])
        assert feed.titles() == ["Basalt 1 rises", "Amber 0 rises"]


def test_a_changed_query_looks_at_a_feed_again_that_did_not_change(
    tmp_path: Path, feed_server: FeedServer
) -> None:
    table = "keep = 'title:cedar'"
    with Feed.on(tmp_path, feed_server, source=table) as feed:
        feed.poll(POSTS)
        assert len(feed.titles()) == 1
    (tmp_path / "feedsvc.toml").write_text(
        (tmp_path / "feedsvc.toml").read_text().replace("cedar", "rises"), "utf-8"
    )
    with empty_runtime(tmp_path, POLL__ALLOW_PRIVATE=feed_server.address) as runtime:
        runtime.declare()
        again = Feed(replace(runtime, clock=lambda: again.now[0]), feed_server)
        again.tick(hours=5)
        again.poll(POSTS)
        assert len(again.titles()) == 6


def test_documents_are_filtered_too(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "a.md").write_text("# Alpha\n\nText.")
    (folder / "b.md").write_text("# Beta\n\nText.")
    with empty_runtime(tmp_path) as runtime:
        source = Source(id="d", kind="directory", location=str(folder), drop="title:beta")
        runtime.store.add_source(source, START)
        asyncio.run(poll_once(runtime, ignore_schedule=True))
        assert runtime.store.stats().entries == 1


def test_a_query_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    file = tmp_path / "feedsvc.toml"
    file.write_text('[[sources]]\nlocation = "x"\nkeep = "tag:(a"\n', "utf-8")
    with pytest.raises(ConfigError, match="keep"):
        load(file, environ={})
