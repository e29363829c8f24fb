"""docs/configuration.md and config/feedsvc.toml: complete and right, and every example loads."""

import re
import tomllib
from pathlib import Path

import pytest

from feedsvc.config import KEYS, Key, declared_sources, load, show, source_id
from feedsvc.errors import ConfigError

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "configuration.md").read_text("utf-8")
SHIPPED = (ROOT / "config" / "feedsvc.toml").read_text("utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_every_key_is_documented_as_it_is(key: Key) -> None:
    default = f"`{key.default}`" if key.default is not None else "required" * key.required or "–"
    assert f"| `{key.name}` | {key.type} | {default} | {key.description} |\n" in TEXT


def test_no_key_is_documented_that_does_not_exist() -> None:
    documented = re.findall(
        r"^\| `([a-z_.]+)` \| [a-z ]+ \| (?:`.*`|required|–) \|", TEXT, re.MULTILINE
    )
    assert sorted(documented) == sorted(KEYS)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads(example: str, tmp_path: Path) -> None:
    file = tmp_path / "example.toml"
    file.write_text(example, "utf-8")
    assert load(file, environ={}).model_fields_set


def test_ids_are_as_documented() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", TEXT, re.MULTILINE)
    assert len(rows) == 5
    for location, id in rows:
        assert source_id(location) == id


def test_the_mistakes_are_told_as_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    lines = '\n\n[poll]\nintervall = "1h"\nmin_interval = 10\n'
    (tmp_path / "config" / "feedsvc.toml").write_text(lines)
    with pytest.raises(ConfigError) as caught:
        load(environ={})
    assert sorted(str(caught.value).splitlines()) == re.findall(
        r"^config/feedsvc\.toml:.*$", TEXT, re.MULTILINE
    )


def test_origins_are_shown_as_documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "web__admin_token").write_text("a-long-random-text")
    environ = {"FEEDSVC_SECRETS_DIR": "secrets", "FEEDSVC_WEB__PORT": "9000"}
    shown = [f"{row.key} = {row.value}  # {row.origin}" for row in show(load(environ=environ))]
    documented = re.findall(r"^web\.\w+ = .*$", TEXT, re.MULTILINE)
    assert len(documented) == 2
    assert set(documented) <= set(shown)


def test_the_shipped_file_polls_the_seeds() -> None:
    config = load(ROOT / "config" / "feedsvc.toml", environ={})
    (seeds,) = declared_sources(config)
    assert (seeds.id, seeds.kind, seeds.location) == ("seeds", "directory", "seeds")
    assert [feed.name for feed in config.feeds] == ["diplomacy"]
    assert config.site.base_url == "http://127.0.0.1:8080"
    assert config.store.url == "sqlite:///data/feedsvc.db"


def test_whatever_is_commented_out_works_once_it_is_not(tmp_path: Path) -> None:
    text = re.sub(r"^#(?=[a-z_]+ = |\[)", "", SHIPPED, flags=re.MULTILINE)
    assert len(tomllib.loads(text)["sources"]) == 4
    file = tmp_path / "feedsvc.toml"
    file.write_text(text, "utf-8")
    config = load(file, environ={})
    assert [source.id for source in declared_sources(config)] == [
        "seeds",
        "news",
        "example-org",
        "intranet",
    ]
    assert len(config.feeds) == 2
    assert len(config.tags.rules) == 1


def test_more_sources_can_be_appended_to_the_shipped_file(tmp_path: Path) -> None:
    file = tmp_path / "feedsvc.toml"
    file.write_text(SHIPPED + '\n[[sources]]\nlocation = "more"\n', "utf-8")
    assert len(load(file, environ={}).sources) == 2
