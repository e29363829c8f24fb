"""Every document of every corpus, from its bytes to entries, held against feedparser's own reading.

feedparser with its switches on is the measure of what a document says: what it finds (title, link,
dates, texts, people, categories, enclosures, language) we must have too, but for `DIFFERENCES`. And
whatever a document says, an entry made of it is fit to be stored and shown.
"""

import io
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import feedparser
import pytest

from feedsvc.model import Entry
from feedsvc.normalise.dates import in_future, plausible
from feedsvc.normalise.html import clean, plain, to_text
from feedsvc.normalise.text import clean_text, language
from feedsvc.normalise.urls import SCHEMES, clean_url
from feedsvc.sources.charset import to_utf8
from feedsvc.sources.feedmap import moment

from .corpora_view import ADDRESS, DATA, NOW, Result, documents, read, told

CORPORA = [
    "encodings",
    "feedparser-tests",
    "feeds",
    "feedvalidator-valid",
    "newsboat",
    "node-feedparser",
    "podcast-namespace",
    "reader-jsonfeed",
    "rust-atom",
    "rust-rss",
    "xml-attacks",
]
# feedparser reads no JSON, and takes long over entities that blow up
UNFIT = ("xml-attacks",)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True)
class Pair:
    """An entry as we have it and as feedparser has it, and one field with what it says there."""

    result: Result
    mine: Entry
    other: Any
    field: str
    wanted: Any

    def says(self, text: bytes) -> bool:
        """Whether the document holds this anywhere."""
        return text in (DATA / self.result.source.location.removeprefix(ADDRESS)).read_bytes()


# what we do differently on purpose: the field, the reason, and where it is the reason
DIFFERENCES: list[tuple[str, str, Callable[[Pair], bool]]] = [
    (
        "link",
        "an id is a name: where an entry gives no address, its id is not taken for one",
        lambda pair: pair.mine.link is None and bool(pair.other.get("id")),
    ),
    (
        "link",
        "what RSS gives as a relative address is relative to the site, not to the feed",
        lambda pair: urlsplit(pair.wanted).netloc == urlsplit(ADDRESS).netloc,
    ),
    (
        "link",
        "of several links to pages the first is the entry's own, and never an enclosure",
        lambda pair: pair.mine.link in [one.get("href") for one in pair.other.get("links", ())],
    ),
    (
        "id",
        "an id is kept as it is written, and not as an address is",
        lambda pair: pair.mine.id.casefold() == pair.wanted.casefold(),
    ),
    (
        "text",
        "of several texts for one place the first is shown",
        lambda pair: (
            len(pair.other.get("content", ())) > 1
            or pair.says(b"dc:description")
            or pair.says(b"itunes:summary")
        ),
    ),
    (
        "text",
        "what is neither text nor HTML is not shown",
        lambda pair: any(
            not one.get("type", "text/").startswith(("text/", "application/xhtml"))
            for one in pair.other.get("content", ())
        ),
    ),
    (
        "author",
        "feedparser cuts addresses of long domains in two",
        lambda pair: pair.wanted.startswith("ple ("),
    ),
    (
        "enclosure",
        "an empty reference would be the feed itself, which is no enclosure of its entries",
        lambda pair: pair.wanted == pair.result.source.location,
    ),
    (
        "language",
        "the language of one text among several is not the entry's",
        lambda pair: pair.mine.lang is None,
    ),
]


def reference(body: bytes, name: str, headers: Mapping[str, str]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        known = {**headers, "content-location": ADDRESS + name}
        known.pop("content-type", None)
        # which encoding a document is in, its own tests say
        text = io.BytesIO(to_utf8(body, headers))
        return feedparser.parse(text, response_headers=known, sanitize_html=False)


def compared(result: Result, theirs: Any) -> Iterator[tuple[Pair, bool, object]]:
    """(what feedparser has, whether we have it too, what we have) for every field of each entry."""
    skipped = {one.name for one in result.reading.problems} if result.reading else set()
    shown = [one for n, one in enumerate(theirs.entries, 1) if f"entry {n}" not in skipped]
    for mine, other in zip(result.entries, shown, strict=True):
        for field, wanted, found, same in _fields(result, mine, other):
            if wanted:
                yield Pair(result, mine, other, field, wanted), same, found


def _fields(result: Result, mine: Entry, other: Any) -> Iterator[tuple[str, Any, Any, bool]]:
    base = result.source.location
    said = (other.get("id") or "").strip()
    yield "id", said, mine.id, mine.id in (said, mine.fallback_id)
    title = _title(other)
    yield "title", title, mine.title, mine.title == title
    link = clean_url(other.get("link"), base)
    yield "link", link, mine.link, mine.link == link
    published = moment(other, "published") or moment(other, "created")
    updated = moment(other, "updated")
    first = plausible(published) or plausible(updated)
    if first and not in_future(first, NOW):
        yield "date", first, mine.published, mine.published == first
        last = plausible(updated)
        if last and first <= last and not in_future(last, NOW):
            yield "date", last, mine.updated, mine.updated == last
    texts = [other.get("summary", ""), *(one.get("value", "") for one in other.get("content", ()))]
    best = max(map(_plain, texts), key=len)
    ours = " ".join(_plain(one.value) for one in (mine.summary, mine.content) if one)
    yield "text", best, ours, set(_WORDS.findall(best)) <= set(_WORDS.findall(ours))
    for one in other.get("authors", ()):
        name, names = one.get("name") or "", " ".join(f"{x.name} {x.email}" for x in mine.authors)
        yield "author", name, names, set(_WORDS.findall(name)) <= set(_WORDS.findall(names))
    terms = {x.term.casefold() for x in mine.categories}
    for one in other.get("tags", ()):
        term = clean_text(one.get("term") or one.get("label") or "").casefold()
        yield "category", term, terms, term in terms
    hrefs = {x.href for x in mine.links} | {mine.link}
    for one in other.get("enclosures", ()):
        href = clean_url(one.get("href"), base, schemes=SCHEMES)
        yield "enclosure", href, hrefs, href in hrefs
    tongue = language(other.get("language") or theirs_language(other))
    yield "language", tongue, mine.lang, mine.lang == tongue


def theirs_language(other: Any) -> str | None:
    details = [*other.get("content", ()), other.get("summary_detail", {})]
    return next((one["language"] for one in details if one.get("language")), None)


def _title(other: Any) -> str:
    title, kind = other.get("title", ""), (other.get("title_detail") or {}).get("type")
    readable = not kind or kind.startswith("text/") or kind == "application/xhtml+xml"
    return clean_text(title if kind == "text/plain" else plain(title)) if readable else ""


def _plain(text: str) -> str:
    return to_text(clean(text))


@lru_cache
def outcomes(corpus: str) -> list[tuple[Path, Result, tuple[str, ...], tuple[str, ...]]]:
    """Of each document: its result, the checks that were made of it, and how each failed."""
    found = []
    for path in documents(corpus):
        body, name = path.read_bytes(), str(path.relative_to(DATA))
        headers = told(body)[1] if corpus == "feedparser-tests" else {}
        headers.pop("content-location", None)
        result = read(body, name, headers)
        made: list[str] = []
        failed: list[str] = []
        if not result.error and path.suffix != ".json" and corpus not in UNFIT:
            for pair, same, ours in compared(result, reference(body, name, headers)):
                reasons = [
                    reason
                    for field, reason, applies in DIFFERENCES
                    if not same and field == pair.field and applies(pair)
                ]
                made.append(reasons[0] if reasons else pair.field)
                if not same and not reasons:
                    failed.append(f"{name}: {pair.field} {pair.wanted!r} is {ours!r}")
        found.append((path, result, tuple(made), tuple(failed)))
    return found


@pytest.mark.parametrize("corpus", CORPORA)
def test_entries_hold_what_documents_say(corpus: str) -> None:
    failed = [one for outcome in outcomes(corpus) for one in outcome[3]]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("corpus", CORPORA)
def test_entries_are_fit_to_be_stored_and_shown(corpus: str) -> None:
    for path, result, _, _ in outcomes(corpus):
        for entry in result.entries:
            texts = [entry.title, *(x.value for x in (entry.summary, entry.content) if x)]
            assert entry.title.strip(), path
            assert not any(_ILLEGAL.search(text) for text in texts), path
            assert "\n" not in entry.title, path
            for href in filter(None, (entry.link, *(link.href for link in entry.links))):
                assert clean_url(href, schemes=SCHEMES) == href, path
            assert entry.published <= entry.updated, path
            assert entry.published.utcoffset() == timedelta(0), path
            assert not in_future(entry.updated, NOW), path


def test_every_difference_occurs(record_property: Callable[[str, object], None]) -> None:
    made = Counter(check for one in CORPORA for outcome in outcomes(one) for check in outcome[2])
    reasons = [reason for _, reason, _ in DIFFERENCES]
    assert [reason for reason in reasons if not made[reason]] == []
    results = [outcome for one in CORPORA for outcome in outcomes(one)]
    record_property(
        "figures",
        f"corpora against feedparser: {len(results)} documents, "
        f"{sum(len(result.entries) for _, result, _, _ in results)} entries, "
        f"{made.total()} checks, {len(reasons)} listed differences met "
        f"{sum(made[reason] for reason in reasons)} times",
    )
