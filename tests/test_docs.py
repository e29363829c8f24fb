"""The documentation names every verb, option, key, URL and metric, and none that does not exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from feedsvc.cli import cli
from feedsvc.config import KEYS
from feedsvc.metrics import METRICS
from feedsvc.runtime import Runtime
from feedsvc.web import create_app
from feedsvc.web.api import ROOT as API
from tests.curl import examples, request
from tests.store import empty_runtime

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def read(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def verbs(group: click.Group = cli, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from verbs(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


@pytest.mark.parametrize(("verb", "command"), list(verbs()), ids=[v for v, _ in verbs()])
def test_every_verb_and_option_is_documented(verb: str, command: click.Command) -> None:
    text = read("cli.md")
    section = re.search(rf"^### `{re.escape(verb)}\b.*?(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"docs/cli.md has no section for {verb}"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            names = [name for name in parameter.opts if name.startswith("--")]
            assert any(name in section[0] for name in names), f"{verb} {names} is undocumented"


def test_no_verb_is_documented_that_does_not_exist() -> None:
    known = {verb for verb, _ in verbs()}
    for heading in re.findall(r"^### `([a-z ]+)", read("cli.md"), re.MULTILINE):
        assert heading.strip() in known, heading


@pytest.mark.parametrize("key", list(KEYS))
def test_every_configuration_key_is_documented(key: str) -> None:
    assert f"`{key}`" in read("configuration.md")


@pytest.mark.parametrize("metric", list(METRICS))
def test_every_metric_is_documented(metric: str) -> None:
    assert f"`{metric}`" in read("operations.md")


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    with empty_runtime(tmp_path) as runtime:
        yield runtime


def test_every_operation_of_the_api_is_documented_with_an_example(runtime: Runtime) -> None:
    text = read("api.md")
    asked = [request(one.partition("  # ")[0])[:2] for one in examples(text)]
    rules = [rule for rule in create_app(runtime).url_map.iter_rules() if str(rule).startswith(API)]
    assert len(rules) > 15
    for rule in rules:
        path = re.sub(r"<(\w+)>", r"{\1}", str(rule))
        like = re.compile(re.sub(r"<\w+>", r"[^/?]+", re.escape(str(rule))) + r"(\?|$)")
        for method in rule.methods - {"HEAD"}:
            assert f"| `{method} {path}` |" in text, f"docs/api.md says nothing of {method} {path}"
            made = [url for verb, url in asked if verb == method and like.match(url)]
            assert made, f"docs/api.md has no example of {method} {path}"


def test_no_operation_is_documented_that_does_not_exist(runtime: Runtime) -> None:
    rules = {
        f"{method} " + re.sub(r"<(\w+)>", r"{\1}", str(rule))
        for rule in create_app(runtime).url_map.iter_rules()
        for method in rule.methods
    }
    for told in re.findall(r"^\| `([A-Z]+ /[^`]+)` \|", read("api.md"), re.MULTILINE):
        assert told in rules, told


def test_every_url_is_documented(runtime: Runtime) -> None:
    text = read("http.md")
    for rule in create_app(runtime).url_map.iter_rules():
        if rule.endpoint == "static" or str(rule).startswith(API):
            continue
        # `/feeds/tags/<slugs>` is documented as `/feeds/tags/…`
        fixed = re.split(r"<", str(rule))[0]
        assert fixed in text, f"docs/http.md says nothing of {rule}"


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")]), ids=lambda page: page.name
)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
