"""What is found in real articles and feeds stays the same, whichever way it is looked for.

`found.tsv` has, of every text, its tags and a digest of all there is of them: labels, origins,
evidence. Where tagging is meant to find something else, write it anew by running this file.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from feedsvc.model import Entry, Source, Tag, Text
from feedsvc.normalise.entry import normalise
from feedsvc.sources.webfeed import parse_feed
from feedsvc.tagging import Tagger

DATA = Path(__file__).parent.parent / "data"
FOUND = DATA / "tagging" / "found.tsv"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SOURCE = Source(id="x", kind="feed", location="https://feeds.example.com/feed")


def articles() -> Iterator[tuple[str, Entry]]:
    for name in ("linking/ecbplus", "linking/uci_headlines", "tagging/labelled"):
        for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            text = row["text"]
            for lang in ("en", None, "de"):
                yield (
                    f"{row['id']} {lang}",
                    Entry(
                        id="urn:x",
                        fallback_id="urn:x",
                        key="x",
                        source_id="x",
                        uid="x",
                        title=row["title"],
                        published=NOW,
                        updated=NOW,
                        dated=True,
                        digest="",
                        summary=Text(value=text[:200]) if text else None,
                        content=Text(value=text) if text else None,
                        lang=lang,
                    ),
                )


def row(name: str, tags: tuple[Tag, ...]) -> str:
    told = repr([(tag.slug, tag.label, tag.origin, tag.evidence) for tag in tags])
    return "\t".join(
        (name, hashlib.sha256(told.encode()).hexdigest()[:12], " ".join(tag.slug for tag in tags))
    )


def rows() -> Iterator[str]:
    tagger = Tagger()
    for name, entry in articles():
        yield row(name, tagger.tag(entry, (), SOURCE))
    for path in sorted((DATA / "feeds").glob("*.xml")):
        for number, parsed in enumerate(parse_feed(path.read_bytes()).entries):
            entry = normalise(parsed, source=SOURCE, meta=None, authority="x", now=NOW)
            yield row(f"{path.name} {number}", tagger.tag(entry, parsed.tags, SOURCE))


def test_tags_stay_the_same() -> None:
    assert list(rows()) == FOUND.read_text("utf-8").splitlines()


if __name__ == "__main__":
    FOUND.write_text("".join(f"{line}\n" for line in rows()), "utf-8")
