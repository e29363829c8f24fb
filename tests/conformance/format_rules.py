"""What makes a feed valid, one checker a format; each returns everything it finds wrong.

Atom: the RELAX NG grammar of RFC 4287 and the rules that its prose adds. RSS: the specification and
the profile of the RSS Advisory Board. JSON Feed: its JSON schema and its prose. `opml_faults` are
those of subscription lists, by the OPML 2.0 specification.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator
from lxml import etree
from referencing import Registry
from referencing.jsonschema import DRAFT4

SCHEMAS = Path(__file__).parent.parent / "data" / "schemas"
ATOM = "{http://www.w3.org/2005/Atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
TOMBSTONES = "{http://purl.org/atompub/tombstones/1.0}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

GRAMMAR = etree.RelaxNG(etree.parse(SCHEMAS / "atom.rng"))
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
RFC822 = re.compile(r"(\w{3}), (\d\d) (\w{3}) (\d{4}) \d\d:[0-5]\d:[0-5]\d (?:GMT|[+-]\d{4})")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
URLS = {"url", "home_page_url", "feed_url", "next_url", "icon", "favicon", "image"}
DATES = {"date_published", "date_modified", "when", "updated"}
# a registered name (RFC 4287 §4.2.7.2, `isegment-nz-nc`), or an IRI
REL = re.compile(r"[^\s:/?#\[\]<>\"{}|\\^`]+")
TONGUE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
# what Unicode and XML leave to nobody, or to be avoided (XML 1.0 §2.2)
UNFIT = re.compile("[\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff]")
MEDIA_TYPE = re.compile(r"[^\s/]+/[^\s/]+.*")


def faults(suffix: str, body: bytes) -> list[str]:
    return list(CHECKERS[suffix](body))


def tree(body: bytes) -> Any:
    """Strict parsing; text of any size."""
    return etree.fromstring(body, etree.XMLParser(resolve_entities=False, huge_tree=True))


def _atom(body: bytes) -> Iterator[str]:
    feed = tree(body)
    if not GRAMMAR.validate(feed):
        yield from (f"grammar: {error.message}" for error in GRAMMAR.error_log)
    yield from _declared_once(feed)
    if len(feed.findall(f"{ATOM}link[@rel='self']")) != 1:
        yield "a feed has one link to itself"
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")]
    if len(set(ids)) != len(ids):
        yield f"ids repeat: {ids}"
    for element in feed.iter(f"{ATOM}id", f"{ATOM}uri", f"{ATOM}icon", f"{ATOM}logo"):
        if not IRI.fullmatch(element.text or ""):
            yield f"{element.tag} is no absolute IRI: {element.text!r}"
    yield from _fit(feed)
    for element in feed.iter(f"{ATOM}updated", f"{ATOM}published"):
        if not _rfc3339(element.text or ""):
            yield f"{element.tag} is no RFC 3339 date: {element.text!r}"
    for element in feed.iter(f"{ATOM}name"):
        if not (element.text or "").strip():
            yield "a person has no name"
    for element in feed.iter(f"{ATOM}category"):
        if not (element.get("term") or "").strip():
            yield "a category has no term"
        if not IRI.fullmatch(element.get("scheme", "x:y")):
            yield f"a category's scheme is no IRI: {element.get('scheme')!r}"
    for element in feed.iter(f"{ATOM}generator"):
        if not (element.text or "").strip() or not IRI.fullmatch(element.get("uri", "x:y")):
            yield f"generator {element.text!r} at {element.get('uri')!r}"
    for parent in feed.iter(f"{ATOM}feed", f"{ATOM}entry"):
        if not (parent.findtext(f"{ATOM}id") or "").strip():
            yield f"{parent.tag} has no id"
    for element in feed.iter(f"{ATOM}content", f"{ATOM}summary"):
        if element.get("type", "text") not in ("text", "html"):
            yield f"type {element.get('type')!r}"
    for parent in feed.iter(f"{ATOM}feed", f"{ATOM}entry", f"{ATOM}source"):
        yield from _atom_links(parent)
    for entry in feed.findall(f"{ATOM}entry"):
        authors = (f"{ATOM}author", f"{ATOM}source/{ATOM}author")
        if feed.find(f"{ATOM}author") is None and all(entry.find(one) is None for one in authors):
            yield "an entry has no author"
        needed = (f"{ATOM}link[@rel='alternate']", f"{ATOM}content")
        if all(entry.find(one) is None for one in needed):
            yield "an entry has neither alternate link nor content"
    yield from _tombstones(feed)


def _atom_links(parent: Any) -> Iterator[str]:
    links = parent.findall(f"{ATOM}link")
    roles = Counter(
        (link.get("type"), link.get("hreflang"))
        for link in links
        if link.get("rel", "alternate") == "alternate"
    )
    for role, count in roles.items():
        if count > 1:
            yield f"{count} alternates of {role}"
    for link in links:
        if not IRI.fullmatch(link.get("href", "")):
            yield f"link to {link.get('href')!r}"
        rel = link.get("rel", "alternate")
        if not REL.fullmatch(rel) and not IRI.fullmatch(rel):
            yield f"relation {rel!r}"
        if not link.get("length", "0").isdigit():
            yield f"length {link.get('length')!r}"


def _tombstones(parent: Any) -> Iterator[str]:
    for gone in parent.iter(f"{TOMBSTONES}deleted-entry"):
        if not IRI.fullmatch(gone.get("ref", "")) or not DATE.fullmatch(gone.get("when", "")):
            yield f"deleted entry {dict(gone.attrib)}"
        if gone.getparent() is not parent:
            yield "a deleted entry stands in the head"


def _fit(root: Any) -> Iterator[str]:
    """No text or attribute holds what XML leaves to nobody; languages are named by RFC 5646."""
    for element in root.iter():
        for text in (element.text, element.tail, *element.attrib.values()):
            if text and UNFIT.search(text):
                yield f"{element.tag} holds {UNFIT.findall(text)[:3]!r}"
        if not TONGUE.fullmatch(element.get(LANG, "en")):
            yield f"language {element.get(LANG)!r}"


def _declared_once(root: Any) -> Iterator[str]:
    for element in root.iter():
        if element.nsmap != root.nsmap:
            yield f"{element.tag} declares a namespace of its own"


def _rss(body: bytes) -> Iterator[str]:
    root = tree(body)
    if root.tag != "rss" or root.get("version") != "2.0" or [c.tag for c in root] != ["channel"]:
        yield "not <rss version=2.0><channel>"
        return
    channel = root[0]
    yield from _declared_once(root)
    yield from _fit(root)
    if not TONGUE.fullmatch(channel.findtext("language") or "en"):
        yield f"language {channel.findtext('language')!r}"
    allowed = {"language", "copyright", "managingEditor", "webMaster", "pubDate", "lastBuildDate"}
    allowed |= {"title", "link", "description", "category", "generator", "docs", "cloud", "ttl"}
    allowed |= {"image", "rating", "textInput", "skipHours", "skipDays", "item"}
    for element in channel:
        if not element.tag.startswith("{") and element.tag not in allowed:
            yield f"channel has {element.tag}"
        if (
            not element.tag.startswith("{")
            and not len(element)
            and not (element.text or "").strip()
        ):
            yield f"channel has an empty {element.tag}"
    for name in ("title", "link", "description"):
        if len(channel.findall(name)) != 1 or not (channel.findtext(name) or "").strip():
            yield f"channel needs one {name}"
    single = ("language", "copyright", "lastBuildDate", "docs", "generator", "image", "ttl")
    yield from _at_most_one(channel, (*single, "managingEditor", "webMaster", "pubDate"))
    if len(channel.findall(f"{ATOM}link[@rel='self']")) != 1:
        yield "channel needs one atom:link to itself"
    image = channel.find("image")
    if image is not None and (
        image.findtext("title") != channel.findtext("title")
        or image.findtext("link") != channel.findtext("link")
    ):
        yield "the image has another title or link than the channel"
    for element in root.iter("pubDate", "lastBuildDate"):
        if not _rfc822(element.text or ""):
            yield f"{element.tag} is no RFC 822 date: {element.text!r}"
    for element in root.iter(f"{ATOM}updated"):
        if not _rfc3339(element.text or ""):
            yield f"atom:updated {element.text!r}"
    for element in root.iter("link", "url", "docs", "comments"):
        if not IRI.fullmatch(element.text or ""):
            yield f"{element.tag} is not absolute: {element.text!r}"
    for link in root.iter(f"{ATOM}link"):
        if not IRI.fullmatch(link.get("href", "")) or not link.get("rel"):
            yield f"atom:link {dict(link.attrib)}"
    for element in root.iter("managingEditor", "author"):
        if not re.fullmatch(r"[^\s@]+@[^\s@]+( \(.+\))?", element.text or ""):
            yield f"{element.tag} {element.text!r}"
    guids = [guid.text for guid in root.iter("guid")]
    if len(set(guids)) != len(guids):
        yield f"guids repeat: {guids}"
    for item in channel.findall("item"):
        yield from _rss_item(item)
    yield from _tombstones(channel)


def _rss_item(item: Any) -> Iterator[str]:
    single = ("title", "link", "description", "author", "guid", "pubDate", "enclosure", "source")
    yield from _at_most_one(item, (*single, "comments", f"{CONTENT}encoded"))
    allowed = {*single, "category", "comments"}
    for element in item:
        if not element.tag.startswith("{") and element.tag not in allowed:
            yield f"an item has {element.tag}"
        if not element.tag.startswith("{") and len(element):
            yield f"{element.tag} has elements in it"
    if not (item.findtext("title") or item.findtext("description")):
        yield "an item needs a title or a description"
    guid = item.find("guid")
    if guid is None or not guid.text:
        yield "an item needs a guid"
    elif guid.get("isPermaLink") == "true" and guid.text != item.findtext("link"):
        yield f"guid {guid.text!r} is no permanent link"
    enclosure = item.find("enclosure")
    if enclosure is not None:
        if sorted(enclosure.attrib) != ["length", "type", "url"]:
            yield f"enclosure {dict(enclosure.attrib)}"
        if not re.match(r"https?://[^/]", enclosure.get("url", ""), re.IGNORECASE):
            yield f"enclosure at {enclosure.get('url')!r}"
        if not enclosure.get("length", "").isdigit() or not MEDIA_TYPE.fullmatch(
            enclosure.get("type", "")
        ):
            yield f"enclosure {dict(enclosure.attrib)}"
    for name in ("category", f"{DC}creator", "source"):
        for element in item.findall(name):
            if not (element.text or "").strip():
                yield f"empty {name}"
    for element in item.findall("source"):
        if not IRI.fullmatch(element.get("url", "")):
            yield f"source at {element.get('url')!r}"


def _at_most_one(parent: Any, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if len(parent.findall(name)) > 1:
            yield f"{parent.tag} has several {name}"


def _rfc822(text: str) -> bool:
    """Whether it is a date with a zone, four digits of the year, and the day that it says it is."""
    found = RFC822.fullmatch(text)
    if found is None:
        return False
    try:
        when = date(int(found[4]), MONTHS.index(found[3]) + 1, int(found[2]))
    except ValueError:
        return False
    return found[1] == DAYS[when.weekday()]


def _rfc3339(text: str) -> bool:
    """Whether it is a date of RFC 3339, and one that the calendar has."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return DATE.fullmatch(text) is not None


def _schema() -> Draft4Validator:
    feed, first = (
        json.loads((SCHEMAS / name).read_text()) for name in ("feed.json", "feed-1.json")
    )
    registry: Registry[Any] = Registry().with_resources(
        (f"https://json.schemastore.org/{name}", DRAFT4.create_resource(schema))
        for name, schema in (("feed.json", feed), ("feed-1", first))
    )
    return Draft4Validator(feed, registry=registry)


SCHEMA = _schema()


def _json(body: bytes) -> Iterator[str]:
    feed = json.loads(body.decode("utf-8"))
    yield from (f"schema: {error.message}" for error in SCHEMA.iter_errors(feed))
    if feed["version"] != "https://jsonfeed.org/version/1.1" or next(iter(feed)) != "version":
        yield "version comes first"
    if feed.get("next_url") == feed["feed_url"]:
        yield "the next page is this page"
    ids = [item["id"] for item in feed["items"]]
    if len(set(ids)) != len(ids):
        yield f"ids repeat: {ids}"
    for key, value in _walk(feed):
        if key in URLS and not IRI.fullmatch(value):
            yield f"{key} is not absolute: {value!r}"
        if key in DATES and not _rfc3339(value):
            yield f"{key} {value!r}"
        if UNFIT.search(value):
            yield f"{key} holds {UNFIT.findall(value)[:3]!r}"
        if key == "language" and not TONGUE.fullmatch(value):
            yield f"language {value!r}"
    for person in (
        *feed.get("authors", ()),
        *(a for i in feed["items"] for a in i.get("authors", ())),
    ):
        if not any(person.get(name) for name in ("name", "url", "avatar")):
            yield f"an author with none of name, url, avatar: {person}"
    for item in feed["items"]:
        if "content_html" not in item and "content_text" not in item:
            yield f"{item['id']} has no content"
        if not isinstance(item["id"], str) or not item["id"]:
            yield f"id {item['id']!r}"
        if not all(tag.strip() for tag in item.get("tags", ())):
            yield f"{item['id']} has an empty tag"
        for one in item.get("attachments", ()):
            if not IRI.fullmatch(one["url"]) or not MEDIA_TYPE.fullmatch(one["mime_type"]):
                yield f"attachment {one}"


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                yield key, inner
            yield from _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner)


def opml_faults(body: bytes) -> list[str]:
    """What is wrong with a subscription list (OPML 2.0)."""
    return list(_opml(body))


def _opml(body: bytes) -> Iterator[str]:
    root = tree(body)
    if root.tag != "opml" or root.get("version") != "2.0":
        yield "not <opml version=2.0>"
    if [child.tag for child in root] != ["head", "body"]:
        yield f"not a head and a body: {[child.tag for child in root]}"
        return
    yield from _fit(root)
    head, listed = root
    for name in ("dateCreated", "dateModified"):
        if head.find(name) is not None and not _rfc822(head.findtext(name)):
            yield f"{name} {head.findtext(name)!r}"
    if not (head.findtext("title") or "").strip():
        yield "no title"
    for outline in listed.iter("outline"):
        if not (outline.get("text") or "").strip():
            yield f"an outline without text: {dict(outline.attrib)}"
        if outline.get("type") == "rss":
            if not re.match(r"https?://[^/\s]+", outline.get("xmlUrl", "")):
                yield f"a subscription to {outline.get('xmlUrl')!r}"
            if len(outline):
                yield "a subscription has outlines in it"
        elif not len(outline):
            yield f"an outline that is neither folder nor feed: {dict(outline.attrib)}"
    strange = {element.tag for element in listed.iter()} - {"body", "outline"}
    if strange:
        yield f"strange elements: {strange}"


CHECKERS: Mapping[str, Callable[[bytes], Iterator[str]]] = {
    "atom": _atom,
    "rss": _rss,
    "json": _json,
}
