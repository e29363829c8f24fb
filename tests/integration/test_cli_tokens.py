"""`token …`: shown once, kept as a digest, revoked by name."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from feedsvc.cli import cli
from feedsvc.config import load
from feedsvc.keys import token_digest
from feedsvc.runtime import open_runtime


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "feedsvc.toml").touch()
    return tmp_path


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["token", *arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def digests() -> list[bytes]:
    with open_runtime(load()) as runtime:
        return list(runtime.store.token_digests())


def test_a_token_is_shown_once_and_kept_as_a_digest(folder: Path) -> None:
    added = run("add", "phone")
    token = added.stdout.strip()
    assert len(token) >= 32
    assert digests() == [token_digest(token)]
    assert "only be read with a token from now on" in added.stderr
    assert f"/feeds/all.atom?token={token}" in added.stderr
    assert "from now on" not in run("add", "tablet").stderr
    assert all(token.encode() not in path.read_bytes() for path in (folder / "data").iterdir())
    listed = run("list").output
    assert [line.split()[0] for line in listed.splitlines()] == ["phone", "tablet"]
    assert token not in listed
    assert [one["name"] for one in json.loads(run("list", "--json").stdout)] == ["phone", "tablet"]


def test_revoking_never_opens_feeds_by_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    run("add", "phone")
    assert "“phone” already" in run("add", "phone", code=1).stderr
    assert "everyone may read" in run("remove", "phone", code=1).stderr
    assert len(digests()) == 1
    run("remove", "phone", "--public")
    assert digests() == []
    assert "no token “phone”" in run("remove", "phone", code=1).stderr

    run("add", "phone")
    monkeypatch.setenv("FEEDSVC_WEB__FEED_TOKENS", "another")
    assert "and 1 of web.feed_tokens" in run("list").stderr
    run("remove", "phone")
    assert digests() == []


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "new\nline", "é"])
def test_a_name_is_short_and_plain(name: str) -> None:
    assert "a name has at most" in run("add", name, code=2).output
