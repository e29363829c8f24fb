"""Every format of the registry: valid for any input, same as the whole, true to its golden file."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from feedsvc.errors import RenderError
from feedsvc.formats import FORMATS, Format, atom, render, rss
from feedsvc.formats.fit import fit_entry, rfc3339
from feedsvc.model import FeedDocument, FeedEntry

from .format_documents import DOCUMENT, HOSTILE, HUGE, PLAIN, RICH, documents, ordinary
from .format_rules import ATOM, CHECKERS, faults, tree

GOLDEN = Path(__file__).parent.parent / "data" / "golden"

ENTRY = (f"{ATOM}entry", f"{ATOM}id", f"{ATOM}title")

formats = pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
slowly = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def test_the_registry_goes_by_suffix() -> None:
    assert {suffix: format.suffix for suffix, format in FORMATS.items()} == {
        "atom": "atom",
        "rss": "rss",
        "json": "json",
    }
    assert [format.media_type for format in FORMATS.values()] == [
        "application/atom+xml",
        "application/rss+xml",
        "application/feed+json",
    ]
    assert set(CHECKERS) == set(FORMATS)


@formats
def test_golden(format: Format) -> None:
    body = render(format, DOCUMENT)
    path = GOLDEN / f"feed.{format.suffix}"
    if os.environ.get("FEEDSVC_UPDATE_GOLDEN") == "1":
        path.write_bytes(body)
    assert body == path.read_bytes(), "if this is meant: FEEDSVC_UPDATE_GOLDEN=1 pytest …"


@formats
def test_the_golden_file_is_valid(format: Format) -> None:
    assert faults(format.suffix, (GOLDEN / f"feed.{format.suffix}").read_bytes()) == []


@formats
def test_an_empty_feed_is_valid(format: Format) -> None:
    bare = FeedDocument(
        id="tag:localhost,2026:feeds/all",
        title="All",
        updated=DOCUMENT.updated,
        self_url="http://127.0.0.1:8080/feeds/all",
        home_url="http://127.0.0.1:8080/",
    )
    body = render(format, bare)
    assert faults(format.suffix, body) == []
    assert parsed(body)["entries"] == []


@formats
@slowly
@given(document=documents)
def test_anything_becomes_a_valid_feed(format: Format, document: FeedDocument) -> None:
    body = render(format, document)
    assert faults(format.suffix, body) == []
    wanted = [fit_entry(entry) for entry in document.entries]
    assert exact(format.suffix, body) == [(one.id, one.title) for one in wanted]
    assert len(parsed(body)["entries"]) == len(wanted)


def exact(suffix: str, body: bytes) -> list[tuple[str, str]]:
    """Ids and titles to the letter; feedparser mends what it takes to be encoded twice."""
    if suffix == "json":
        return [(item["id"], item.get("title", "")) for item in json.loads(body)["items"]]
    name, id, title = ("item", "guid", "title") if suffix == "rss" else ENTRY
    return [(entry.findtext(id), entry.findtext(title) or "") for entry in tree(body).iter(name)]


@pytest.mark.parametrize("value", [*HOSTILE, HUGE], ids=lambda value: repr(value)[:20])
@formats
def test_a_hostile_value_in_every_place(format: Format, value: str) -> None:
    entry = spoilt(RICH, value)
    document = replace(
        spoilt(DOCUMENT, value),
        self_url=DOCUMENT.self_url,
        home_url=DOCUMENT.home_url,
        entries=(entry, PLAIN),
    )
    body = render(format, document)
    assert faults(format.suffix, body) == []
    assert len(exact(format.suffix, body)) == 2
    if value is not HUGE:  # feedparser looks for an e-mail address in it for minutes
        assert len(parsed(body)["entries"]) == 2


def spoilt(record: Any, value: str) -> Any:
    """The record with a value in place of every string of it, at any depth."""
    if isinstance(record, str):
        return value
    if isinstance(record, tuple):
        return tuple(spoilt(one, value) for one in record)
    if hasattr(record, "__dataclass_fields__"):
        kept = {"kind", "type"} if type(record).__name__ in ("Related", "Text") else set()
        return replace(
            record,
            **{
                name: spoilt(getattr(record, name), value)
                for name in record.__dataclass_fields__
                if name not in kept
            },
        )
    return record


@formats
@slowly
@given(document=documents)
def test_equal_documents_give_equal_bytes(format: Format, document: FeedDocument) -> None:
    twin = type(format)()
    assert render(format, document) == render(twin, replace(document))


@formats
def test_a_feed_is_its_head_and_its_fragments_as_they_come(format: Format) -> None:
    fragments = [format.fragment(entry) for entry in DOCUMENT.entries]
    body = format.assemble(replace(DOCUMENT, entries=()), fragments[::-1])
    ids = [one["id"] for one in parsed(body)["entries"]]
    assert ids == [entry.id for entry in reversed(DOCUMENT.entries)]
    assert len(format.assemble(DOCUMENT, [])) + sum(map(len, fragments)) <= len(body) + 2


@pytest.mark.parametrize("suffix", ["atom", "rss"])
@slowly
@given(document=documents)
def test_spliced_equals_whole(suffix: str, document: FeedDocument) -> None:
    module: Any = {"atom": atom, "rss": rss}[suffix]
    whole = module.build_head(document)
    for entry in document.entries:
        whole.add_entry(module.build_entry(entry), order="append")
    written = whole.atom_str() if suffix == "atom" else whole.rss_str()
    assert canonical(render(FORMATS[suffix], document)) == canonical(written)


def canonical(body: bytes) -> bytes:
    return etree.tostring(tree(body), method="c14n")


def test_a_json_feed_spliced_equals_whole() -> None:
    body = render(FORMATS["json"], DOCUMENT)
    items = [json.loads(FORMATS["json"].fragment(entry)) for entry in DOCUMENT.entries]
    head = json.loads(FORMATS["json"].assemble(DOCUMENT, []))
    assert json.loads(body) == head | {"items": items}


@formats
@slowly
@given(entry=ordinary)
def test_what_goes_in_comes_out(format: Format, entry: FeedEntry) -> None:
    body = render(format, replace(DOCUMENT, entries=(entry,)))
    assert faults(format.suffix, body) == []
    [found] = parsed(body)["entries"]
    assert found["id"] == entry.id
    assert found["title"] == entry.title
    assert found["link"] == entry.url
    assert found["published"] == rfc3339(entry.published)
    assert found["updated"] == rfc3339(entry.updated)
    assert found["content"] == entry.content.value  # type: ignore[union-attr]
    assert found["authors"] == [person.name for person in entry.authors]
    assert found["tags"] == [category.term for category in entry.categories]
    wanted = {(link.rel, link.href) for link in fit_entry(entry).links if link.rel != "via"}
    assert found["links"] >= wanted


@formats
@given(
    when=st.sampled_from(["self_url", "home_url"]), value=st.sampled_from(["", "/feeds", "\x00"])
)
def test_a_feed_without_address_is_refused(format: Format, when: str, value: str) -> None:
    with pytest.raises(RenderError, match="base_url"):
        render(format, replace(DOCUMENT, **{when: value}))


def parsed(body: bytes) -> dict[str, Any]:
    """Entries of a feed as a stranger reads them: feedparser, or JSON Feed by its specification."""
    if body.startswith(b"{"):
        feed = json.loads(body)
        return {"entries": [_json_entry(item) for item in feed["items"]]}
    found = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
    assert not found.bozo, found.get("bozo_exception")
    return {"entries": [_xml_entry(entry) for entry in found.entries]}


def _json_entry(item: dict[str, Any]) -> dict[str, Any]:
    links = {("alternate", item.get("url"))}
    links |= {("enclosure", one["url"]) for one in item.get("attachments", ())}
    extra = item.get("_feedsvc", {})
    links |= {("related", one.get("url")) for one in extra.get("related", ())}
    return {
        "id": item["id"],
        "title": item.get("title", ""),
        "link": item.get("url"),
        "published": item["date_published"],
        "updated": item["date_modified"],
        "content": item.get("content_html") or item.get("content_text"),
        "authors": [author["name"] for author in item.get("authors", ())],
        "tags": item.get("tags", []),
        "links": links,
    }


def _xml_entry(entry: Any) -> dict[str, Any]:
    content = entry.get("content") or [{"value": entry.get("summary", "")}]
    published = _date(entry.get("published_parsed"))
    return {
        "id": entry.get("id"),
        "title": entry.get("title", ""),
        "link": entry.get("link"),
        "published": published,
        "updated": _date(entry.get("updated_parsed")) if "updated" in entry else published,
        "content": content[0]["value"],
        "authors": [author.get("name") for author in entry.get("authors", ())],
        "tags": [tag.term for tag in entry.get("tags", ())],
        "links": {(link.get("rel"), link.get("href")) for link in entry.get("links", ())},
    }


def _date(parts: Any) -> str | None:
    return "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z".format(*parts[:6]) if parts else None
