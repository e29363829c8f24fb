"""Coverage-guided fuzzing of the way through: any bytes → feed reader → entries → every format.

`make fuzz` runs it; it is no part of `make test`. What it holds: bytes end in entries or in an
error that says why, cleaning an entry's HTML once is enough, and what every format writes of the
entries is valid and read by feedparser. The first input to break it in some way is left as
`fuzz/broken-…`, for a test to be made of it, and the run goes on. The first line of an input is its
Content-Type field.
"""

import hashlib
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["feedsvc.sources", "feedsvc.normalise", "feedsvc.formats", "feedparser"]
):
    import feedparser

    from feedsvc.compose.addresses import Addresses
    from feedsvc.compose.entries import EntryComposer
    from feedsvc.compose.request import Options
    from feedsvc.errors import FeedsvcError, ParseError
    from feedsvc.formats import FORMATS, render
    from feedsvc.model import Entry, FeedDocument, Person, Source, SourceMeta, StoredEntry
    from feedsvc.normalise.entry import normalise
    from feedsvc.normalise.html import clean
    from feedsvc.normalise.people import source_meta
    from feedsvc.sources.webfeed import parse_feed

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from tests.conformance.format_rules import faults  # noqa: E402

URL = "https://publisher.example/blog/feed"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE = Source(id="fuzz", kind="feed", location=URL)
SUFFIXES = frozenset({".atom", ".html", ".json", ".opml", ".rss", ".xml"})
# more bytes take long and show nothing new
SMALL = 8_000
MOST = 8
FOLDER = Path("fuzz")
broken: set[str] = set()
COMPOSER = EntryComposer(
    Addresses(base_url="https://feeds.example", authority="feeds.example,2026"),
    author=None,
    most=5,
    stop=(),
    listed=True,
    settings="",
)


def one_input(data: bytes) -> None:
    """Tries an input; what breaks is told once for each place where something does."""
    try:
        through(data)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[-2:]
        place = repr([(frame.filename, frame.lineno) for frame in frames])
        if place not in broken:
            broken.add(place)
            name = hashlib.sha256(data).hexdigest()[:12]
            (FOLDER / f"broken-{name}").write_bytes(data)
            print(f"broken-{name}", traceback.format_exc(), sep="\n", flush=True)


def through(data: bytes) -> None:
    """Takes one input through everything; raises where a promise is broken."""
    head, _, body = data.partition(b"\n")
    headers = {"content-type": head.decode("latin-1")}
    try:
        reading = parse_feed(body, url=URL, headers=headers)
    except ParseError as error:
        if len(str(error)) < 10:
            raise ValueError("an error that says nothing") from error
        return
    assert all(problem.name and problem.message for problem in reading.problems)
    meta = source_meta(reading.meta, base=URL) if reading.meta else SourceMeta()
    entries: dict[str, Entry] = {}
    for parsed in reading.entries[:MOST]:
        try:
            entry = normalise(
                parsed, source=SOURCE, meta=meta, authority="feeds.example,2026", now=NOW
            )
        except (ValueError, FeedsvcError):
            continue  # what a poll reports as a problem of the one entry
        entries.setdefault(entry.id, entry)
        for text in (entry.summary, entry.content):
            if text and text.type == "html":
                assert clean(text.value) == text.value, text.value
    published(tuple(entries.values()), meta)


def published(entries: tuple[Entry, ...], meta: SourceMeta) -> None:
    """Holds what every format makes of entries to its rules."""
    options = Options(limit=MOST)
    document = FeedDocument(
        id="tag:feeds.example,2026:feeds/all",
        title=meta.title or "All",
        updated=NOW,
        self_url="https://feeds.example/feeds/all",
        home_url="https://feeds.example/",
        entries=tuple(
            COMPOSER.compose(
                StoredEntry(entry=entry, source=meta, source_title=meta.title or "fuzz"), options
            )
            for entry in entries
        ),
        authors=(Person(name="All"),),
    )
    for suffix, format in FORMATS.items():
        body = render(format, document)
        found = faults(suffix, body)
        assert not found, found
        if suffix != "json":
            again = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
            assert not again.bozo, again.bozo_exception
            assert len(again.entries) == len(entries)


def seeds(folder: Path) -> None:
    """Writes the documents of the corpora as inputs to begin with."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "tests" / "data").rglob("*")):
        if path.suffix in SUFFIXES and path.stat().st_size < SMALL:
            kind = "application/feed+json" if path.suffix == ".json" else "application/xml"
            name = path.relative_to(ROOT).as_posix().replace("/", "_")
            (folder / name).write_bytes(kind.encode() + b"\n" + path.read_bytes())


def main() -> None:
    """Runs libFuzzer; its options are `atheris`' own (`-max_total_time=600`)."""
    seeds(FOLDER / "seeds")
    (FOLDER / "found").mkdir(exist_ok=True)
    options = [f"-max_len={SMALL}", f"-artifact_prefix={FOLDER}/", "-timeout=20"]
    folders = [f"{FOLDER}/found", f"{FOLDER}/seeds"]
    atheris.Setup([sys.argv[0], *options, "-rss_limit_mb=2048", *sys.argv[1:], *folders], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
