"""`tags …`: what a tag stands beside, and rules that entries suggest."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from feedsvc.cli import cli

SUBJECTS = ("harvest", "budget", "ferry", "school", "bridge", "museum", "orchard", "glacier")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service that has read fifty documents."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "feedsvc.toml").write_text('[[sources]]\nlocation = "docs"\n')
    titles = [f'"Offshore wind" and the {one}' for one in SUBJECTS]
    titles += [f"Item{number} about topic{number}" for number in range(42)]
    for number, title in enumerate(titles):
        place = tmp_path / "docs" / ("election" if number % 2 else "elections") / f"{number}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f" date 2026-03-{number % 28 + 1:02} {title}\nIn short.\nAt length.\n")
    run("poll", "--once")
    return tmp_path


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def test_what_is_suggested_can_be_pasted_and_works(folder: Path) -> None:
    suggested = run("tags", "suggest").stdout
    config = folder / "config" / "feedsvc.toml"
    config.write_text(f"{config.read_text()}\n{suggested}")
    told = tomllib.loads(config.read_text())["tags"]
    assert told["rules"] == [{"tag": "offshore-wind", "any": ["Offshore wind"]}]
    assert told["aliases"] == {"elections": "election"}
    run("retag")
    shown = json.loads(run("tags", "show", "offshore-wind", "--json").stdout)
    assert (shown["entries"], shown["months"]["2026-03"]) == (8, 8)
    assert json.loads(run("tags", "show", "election", "--json").stdout)["entries"] == 50
    assert "nothing recurs" in run("tags", "suggest").stderr


def test_suggestions_for_a_query_as_json() -> None:
    lines = run("tags", "suggest", "tag:election", "--fewest", "4", "--json").stdout.splitlines()
    rule, alias = map(json.loads, lines)
    assert (rule["kind"], rule["phrase"], rule["entries"]) == ("rule", "Offshore wind", 4)
    assert (alias["kind"], alias["slug"], alias["tag"]) == ("alias", "elections", "election")


def test_a_tag_is_shown_or_not_found() -> None:
    shown = run("tags", "show", "elections").stdout
    assert "(elections): 25 entries" in shown
    assert "no tag “zzz”" in run("tags", "show", "zzz", code=1).stderr
