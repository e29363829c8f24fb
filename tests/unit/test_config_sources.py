"""Ids of sources, and the sources that a configuration declares."""

from datetime import timedelta
from pathlib import Path

import pytest

from feedsvc.config import Config, declared_sources, load, source_id, source_kind
from feedsvc.model import Source, slugify


@pytest.mark.parametrize(
    ("location", "id"),
    [
        ("seeds", "seeds"),
        ("seeds/", "seeds"),
        ("./seeds", "seeds"),
        ("/srv/News Desk", "news-desk"),
        ("data/v1.2", "v1-2"),
        ("https://example.org/feed.xml", "example-org"),
        ("https://www.example.org/", "example-org"),
        ("HTTPS://EXAMPLE.ORG/rss", "example-org"),
        ("https://example.org/index.php?feed=rss2", "example-org"),
        ("https://example.org:8443/feed", "example-org-8443"),
        ("http://127.0.0.1:8081/feed.xml", "127-0-0-1-8081"),
        ("http://[::1]:8081/news.atom", "1-8081-news"),
        ("https://blog.example.org/tech/feed/", "blog-example-org-tech"),
        ("https://feeds.bbci.co.uk/news/world/rss.xml", "feeds-bbci-co-uk-news-world"),
        (
            "https://www.youtube.com/feeds/videos.xml?channel_id=UC1234",
            "youtube-com-videos-uc1234",
        ),
        ("https://example.org/caf%C3%A9.rss", "example-org-cafe"),
        ("https://bücher.example/atom.xml", "bucher-example"),
        ("https://日本.example/feed", "日本-example"),
    ],
)
def test_an_id_is_derived_from_the_location(location: str, id: str) -> None:
    assert source_id(location) == id
    assert slugify(id) == id


def test_the_working_directory_has_a_name_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "desk" / "sub").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "desk" / "sub")
    assert source_id(".") == "sub"
    assert source_id("..") == "desk"
    assert source_id("/") == "source"
    assert source_id("…") == "source"


def test_a_taken_id_gets_a_hash_of_the_location() -> None:
    taken = {"example-org"}
    first = source_id("https://example.org/feed.xml", taken)
    second = source_id("https://example.org/atom.xml", taken)
    assert first.startswith("example-org-")
    assert len(first) == len("example-org-") + 6
    assert first != second
    assert first == source_id("https://example.org/feed.xml", taken)
    longer = source_id("https://example.org/feed.xml", taken | {first})
    assert longer.startswith(first)
    assert len(longer) == len(first) + 1
    long = "https://example.org/" + "x" * 200
    assert len(source_id(long, {source_id(long)})) <= 80


def test_kinds_go_by_location() -> None:
    assert source_kind("HTTP://example.org/") == "feed"
    assert source_kind("https://example.org/") == "feed"
    assert source_kind("httpdocs") == "directory"


def test_declared_sources(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        """
        [[sources]]
        location = "seeds"
        tags = ["Seed Documents"]
        [[sources]]
        location = "https://example.org/feed.xml"
        [[sources]]
        location = "https://example.org/atom.xml"
        title = "Another"
        interval = "1h"
        enabled = false
        headers = { Accept = "x/y", X-Key = "k" }
        auth = "Bearer t"
        fulltext = true
        max_entries = 3
        keep = "tag:energy"
        drop = "title:sponsored"
        [[sources]]
        id = "example-org"
        location = "elsewhere"
        """
    )
    config = load(file, environ={})
    seeds, feed, other, named = declared_sources(config)
    assert seeds == Source(
        id="seeds", kind="directory", location="seeds", tags=("Seed Documents",), origin="config"
    )
    # the id that is written down is kept free for its source, wherever that stands
    assert named.id == "example-org"
    assert feed.id == source_id(feed.location, {"example-org"})
    assert other == Source(
        id=source_id(other.location, {"example-org"}),
        kind="feed",
        location="https://example.org/atom.xml",
        title="Another",
        interval=timedelta(hours=1),
        enabled=False,
        origin="config",
        headers=(("Accept", "x/y"), ("X-Key", "k")),
        auth="Bearer t",
        fulltext=True,
        max_entries=3,
        keep="tag:energy",
        drop="title:sponsored",
    )
    assert declared_sources(config) == declared_sources(load(file, environ={}))


def test_no_configuration_declares_no_sources() -> None:
    assert declared_sources(Config()) == ()


@pytest.mark.parametrize(
    "location",
    [
        "https://example.org/feed.xml?token=UPSTREAMSECRET",
        "https://example.org/feed.xml?apikey=upstreamsecret",
        "https://example.org/feed.xml?x=a1b2c3UpstreamSecret",
        "https://example.org/rss/9f8e7d6c5b4aupstreamsecret/rss",
    ],
)
def test_what_gives_access_never_shows_in_an_id(location: str) -> None:
    id = source_id(location)
    assert "secret" not in id
    assert id.startswith("example-org-")
    assert source_id(location) == id
    assert source_id(location.replace("ecret", "ecreu").replace("ECRET", "ECREU")) != id
