"""`show`: every key with its value and origin, and no secret."""

import tomllib
from pathlib import Path

import pytest

from feedsvc.config import KEYS, Config, load, show

SECRETS = ("hunter1", "hunter2", "hunter3", "hunter4", "hunter5", "hunter6", "hunter7")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "web__feed_tokens").write_text("hunter1,hunter2")
    (tmp_path / "config" / "feedsvc.toml").write_text(
        """[store]
url = "postgresql://user:hunter3@host/db"
[web]
admin_token = "hunter4"
port = 81
[[sources]]
location = "https://example.org/feed?token=hunter5&x=1"
headers = { X-Api-Key = "hunter6", Accept = "text/xml" }
auth = "user:hunter7"
interval = "90m"
[[tags.rules]]
tag = "energy"
any = ["oil \\"price\\"", "OPEC"]
"""
    )
    return load(
        environ={"FEEDSVC_SECRETS_DIR": "secrets", "FEEDSVC_POLL__MAX_BYTES": "2048"},
        overrides={"web.port": 82},
    )


def test_every_key_is_shown_with_its_origin(config: Config) -> None:
    rows = {row.key: (row.value, row.origin) for row in show(config)}
    assert rows["poll.interval"] == ('"30m"', "default")
    assert rows["poll.max_bytes"] == ('"2KiB"', "environment FEEDSVC_POLL__MAX_BYTES")
    assert rows["web.port"] == ("82", "command line")
    assert rows["store.url"] == (
        '"postgresql://user:********@host/db"',
        "config/feedsvc.toml:2",
    )
    assert rows["web.admin_token"] == ('"********"', "config/feedsvc.toml:4")
    assert rows["web.feed_tokens"] == (
        '["********", "********"]',
        "secret file secrets/web__feed_tokens",
    )
    assert rows["sources[1].location"] == (
        '"https://example.org/feed?token=********&x=1"',
        "config/feedsvc.toml:7",
    )
    assert rows["sources[1].headers"] == (
        '{"X-Api-Key" = "********", "Accept" = "text/xml"}',
        "config/feedsvc.toml:8",
    )
    assert rows["sources[1].auth"] == ('"********"', "config/feedsvc.toml:9")
    assert rows["sources[1].interval"] == ('"90m"', "config/feedsvc.toml:10")
    assert rows["tags.rules[1].any"][0] == '["oil \\"price\\"", "OPEC"]'
    assert "sources[1].title" not in rows
    assert rows["feeds"] == ("[]", "default")
    single = {key for key in KEYS if not key.startswith(("sources", "feeds.", "tags.rules"))}
    assert single <= set(rows)


def test_no_secret_is_shown(config: Config) -> None:
    text = repr(show(config))
    for secret in SECRETS:
        assert secret not in text


def test_values_are_written_as_toml_reads_them(config: Config) -> None:
    for row in show(config):
        if row.value:
            assert tomllib.loads(f"x = {row.value}")


def test_the_defaults_are_those_of_the_keys() -> None:
    for row in show(Config()):
        assert row.value == (KEYS[row.key].default or ""), row.key
        assert row.origin == "default"
