"""The rules of the house (ARCHITECTURE.md), read off the syntax trees of all modules."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "feedsvc"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
LONGEST = 400

# floor 0 is the lowest; a module imports lower floors, or its own folder
FLOORS: list[set[str]] = [
    {"__init__", "errors", "keys", "memo", "months", "polls", "tracking", "vocabulary"},
    {"model"},
    {"metrics", "log", "notes", "process", "remedies", "reports"},
    {"query", "opml", "httpclient", "pacing"},
    {"config", "duplicates"},
    {"sources", "normalise", "tagging", "relate", "store", "formats", "websub"},
    {"compose", "deliver", "filters", "gathering", "linking", "suggest"},
    {"relating"},
    {"runtime"},
    {"advice", "digest", "upkeep", "doctor"},
    {"parsers", "claims", "commits", "fullpage"},
    {"arrivals"},
    {"poll"},
    {"fulltext"},
    {"subscribe", "round"},
    {"scheduler", "web", "supervisor"},
    {"cli"},
    {"__main__"},
]
HOMES = {
    "feedparser": {
        "sources/webfeed.py",
        "sources/saxdriver.py",
        "sources/quick.py",
        "sources/charset.py",
    },
    "feedgen": {"formats"},
    "flask": {"web"},
    "apscheduler": {"scheduler.py"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "aiohttp": {"httpclient.py", "httpclient"},
    "click": {"cli"},
    "rich": {"cli"},
    "nh3": {"normalise/html.py"},
    "rapidfuzz": {"relate"},
    "charset_normalizer": {"sources/documents/charset.py"},
    "protego": {"sources/robots.py"},
    "trafilatura": {"sources/pages.py"},
    "markdown_it": {"sources/documents/markdown.py"},
    "prometheus_client": {"metrics.py"},
    "structlog": {"log.py"},
    "pydantic": {"config.py", "config"},
    "pydantic_settings": {"config.py", "config"},
    "granian": {"web/server.py"},
    "pebble": {"parsers.py"},
    "listparser": {"opml.py"},
    "spectree": {"web/api/describe.py"},
}


def name(path: Path) -> str:
    """`feedsvc/store/sql.py` → `store/sql.py`."""
    return path.relative_to(PACKAGE).as_posix()


def room(relative: str) -> str:
    """The top-level room of a module: `store/sql.py` → `store`, `poll.py` → `poll`."""
    return relative.split("/")[0].removesuffix(".py")


def floor(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Yields (room of feedsvc, "") and ("", third-party package) for every import in a module."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            start = base + (node.module.split(".") if node.module else [])
            plain = start == ["feedsvc"]
            targets = [[*start, alias.name] for alias in node.names] if plain else [start]
        else:
            continue
        for parts in targets:
            if parts[0] != "feedsvc":
                yield "", parts[0]
            elif len(parts) > 1:
                yield (parts[1] if any(parts[1] in rooms for rooms in FLOORS) else "__init__"), ""


def test_every_module_has_a_floor() -> None:
    for path in MODULES:
        assert floor(room(name(path))) >= 0, name(path)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_point_down(path: Path) -> None:
    here = room(name(path))
    for target, _ in imports(path):
        if target and target != here:
            assert floor(target) < floor(here), f"{name(path)} imports {target}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_third_party_packages_stay_at_home(path: Path) -> None:
    here = name(path)
    for _, package in imports(path):
        homes = HOMES.get(package)
        if homes is not None:
            assert here in homes or room(here) in homes, f"{here} imports {package}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_file_is_one_noun(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= LONGEST, f"{name(path)} has {lines} lines: it is two things"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_what_lives_in_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))) or not path.read_text().strip()


@pytest.mark.parametrize("one", sorted(p.stem for p in (ROOT / "bench").glob("[!_]*.py")))
def test_a_benchmark_can_be_started(one: str) -> None:
    importlib.import_module(f"bench.{one}")


def test_no_import_circles_inside_a_room() -> None:
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        package = path.relative_to(ROOT).with_suffix("").parts[:-1]
        edges = graph.setdefault(name(path), set())
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            base = ROOT.joinpath(*package[: len(package) - node.level + 1])
            target = base.joinpath(*(node.module or "").split("."))
            for candidate in (
                *(target / f"{alias.name}.py" for alias in node.names),
                target.with_suffix(".py"),
                target / "__init__.py",
            ):
                if candidate.exists() and candidate != path:
                    edges.add(name(candidate))
                    break
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " → ".join([*way, module])
        if module not in done:
            for target in graph.get(module, ()):
                visit(target, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())
