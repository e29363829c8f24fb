"""Directories polled through the whole service: entries, problems and removals as published."""

import asyncio
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from feedsvc.model import Source, StoredEntry
from feedsvc.poll import Poller
from feedsvc.query import parse
from feedsvc.reports import PollReport
from feedsvc.round import poll_once
from feedsvc.runtime import Runtime
from tests.store import empty_runtime


@dataclass
class Seeds:
    """A directory source in a store of its own."""

    path: Path
    runtime: Runtime

    def poll(self) -> PollReport:
        """Polls it, due or not."""
        (report,) = asyncio.run(poll_once(self.runtime, ignore_schedule=True)).reports
        return report

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def entries(self) -> dict[str, StoredEntry]:
        """What is published, by uid."""
        found = self.runtime.store.find(parse(""), limit=500, now=self.runtime.clock())
        return {stored.entry.uid: stored for stored in found.entries}

    def titles(self) -> dict[str, str]:
        return {uid: stored.entry.title for uid, stored in self.entries().items()}

    def problems(self) -> dict[str, str]:
        (status,) = self.runtime.store.sources()
        return {problem.name: problem.message for problem in status.state.problems}


@pytest.fixture
def seeds(tmp_path: Path) -> Iterator[Seeds]:
    (tmp_path / "seeds").mkdir()
    with empty_runtime(tmp_path, POLL__WORKERS="1") as runtime:
        source = Source(id="seeds", kind="directory", location=str(tmp_path / "seeds"))
        runtime.store.add_source(source, runtime.clock())
        yield Seeds(tmp_path / "seeds", runtime)


def test_markdowns_relative_links_and_images_are_published(seeds: Seeds) -> None:
    head = "---\nlink: https://example.org/news/a.html\n---\n"
    seeds.write("a.md", f"{head}# T\n\n![x](img/x.png) [b](../b) [c](https://example.com/c)\n")
    seeds.poll()
    (stored,) = seeds.entries().values()
    assert stored.entry.content is not None
    html = stored.entry.content.value
    assert 'src="https://example.org/news/img/x.png"' in html
    assert 'href="https://example.org/b"' in html
    assert 'href="https://example.com/c"' in html


PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82"
)


@pytest.mark.parametrize("suffix", ["txt", "md", "html"])
def test_what_is_no_text_is_a_problem_and_no_entry(seeds: Seeds, suffix: str) -> None:
    noise = random.Random(1).randbytes(5000)
    binary = {
        "png": PNG,
        "zeros": bytes(100),
        "noise": noise,
        "packed": zlib.compress(bytes(noise[:2000])),
        "pdf": b"%PDF-1.7\n1 0 obj <</Type/Catalog>>\nendobj\n%%EOF\n",
    }
    for name, body in binary.items():
        seeds.write(f"{name}.{suffix}", body)
    seeds.write("good.txt", "Good\n\nText.")
    seeds.poll()
    assert seeds.titles() == {"good.txt": "Good"}
    assert sorted(seeds.problems()) == sorted(f"{name}.{suffix}" for name in binary)
    assert all("is not text" in message for message in seeds.problems().values())


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "iso8859-15"],
)
@pytest.mark.parametrize("suffix", ["txt", "md", "html"])
def test_text_in_any_encoding_is_text(seeds: Seeds, encoding: str, suffix: str) -> None:
    text = "Ein Wort über Bäche und Flüsse in der Frühe" + " und noch mehr davon" * 5
    seeds.write(f"a.{suffix}", text.encode(encoding))
    seeds.poll()
    assert seeds.problems() == {}
    (stored,) = seeds.entries().values()
    said = stored.entry.title + (stored.entry.content.value if stored.entry.content else "")
    assert "Bäche und Flüsse" in said


def test_text_with_a_stray_control_character_is_text(seeds: Seeds) -> None:
    seeds.write("a.txt", "Page one\n\nText.\n\x0cPage two\n\nbold \x1b[1mtext\x1b[0m.\n\x1a")
    seeds.write("b.txt", b"A title\n\nA long enough text with a stray \0 in it, " + b"a b c " * 40)
    seeds.poll()
    assert seeds.problems() == {}
    assert set(seeds.titles()) == {"a.txt", "b.txt"}


def test_one_run_takes_a_large_directory_whole(
    seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedsvc.sources.directory._BATCH_FILES", 4)
    for number in range(18):
        seeds.write(f"{number}.txt", f"Title {number}\n\nText.")
    report = seeds.poll()
    assert (report.result, report.new, report.more) == ("new", 18, False)
    assert len(seeds.entries()) == 18
    assert seeds.poll().result == "unchanged"


def test_what_is_left_of_a_large_directory_is_due_at_once(
    seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedsvc.sources.directory._BATCH_FILES", 4)
    for number in range(6):
        seeds.write(f"{number}.txt", f"Title {number}\n\nText.")

    async def run() -> list[PollReport]:
        async with Poller(seeds.runtime) as poller:
            reports = []
            while claims := await poller.claims.take(limit=1):
                reports.append(await poller.poll(claims[0]))
            return reports

    reports = asyncio.run(run())
    assert [(report.new, report.more) for report in reports] == [(4, True), (2, False)]
