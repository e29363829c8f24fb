"""The corpora of other projects through the real pipeline, and the result in feedparser's words.

`read` is bytes → sources → normalise → entries, as a poll does it. `view` says what came of it in
the names that feedparser's own test documents use in their `Expect:` lines, and `checks` takes such
a line apart into single expectations.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from feedsvc.errors import ParseError
from feedsvc.model import Entry, Link, Person, Source, SourceMeta, Text
from feedsvc.normalise.entry import normalise
from feedsvc.normalise.people import source_meta
from feedsvc.sources.base import Reading
from feedsvc.sources.charset import to_utf8
from feedsvc.sources.webfeed import parse_feed
from feedsvc.vocabulary import Extension, flat, pictures

DATA = Path(__file__).parent.parent / "data"
# where feedparser's own tests serve their documents
ADDRESS = "http://127.0.0.1:8097/"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SUFFIXES = frozenset({".atom", ".html", ".json", ".opml", ".rss", ".xml", ".xsd"})

_EXPECT = re.compile(r"Expect:\s*(.*?)\s*(?:-->|\*/|\n\s*\n)", re.DOTALL)
_HEADER = re.compile(r"^\s*Header:\s*([^:\s]+):\s*(.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """What came of one document; `error` where it is no feed that can be read."""

    reading: Reading | None
    meta: SourceMeta
    entries: tuple[Entry, ...]
    source: Source
    error: ParseError | None = None


@dataclass(frozen=True)
class Other:
    """The value at another path, where two are expected to be the same."""

    path: tuple[str | int, ...]


@dataclass(frozen=True)
class Check:
    """One expectation: the path to a value (`entries`, 0, `title`) and the value, as `op` says."""

    path: tuple[str | int, ...]
    op: str
    value: object

    @property
    def key(self) -> str:
        """The path without numbers: `entries.title`."""
        return ".".join(part for part in self.path if isinstance(part, str))


def documents(corpus: str) -> list[Path]:
    return [path for path in sorted((DATA / corpus).rglob("*")) if path.suffix in SUFFIXES]


def read(
    body: bytes, name: str, headers: Mapping[str, str] | None = None, *, url: str | None = None
) -> Result:
    """Takes a document through everything that stands between a response and the store."""
    url = url or ADDRESS + name
    source = Source(id="corpus", kind="feed", location=url)
    try:
        reading = parse_feed(body, url=url, headers=headers)
    except ParseError as error:
        return Result(None, SourceMeta(), (), source, error)
    meta = source_meta(reading.meta or SourceMeta(), base=url)
    entries = tuple(
        normalise(one, source=source, meta=meta, authority="example.org,2026", now=NOW)
        for one in reading.entries
    )
    return Result(reading, meta, entries, source)


def told(body: bytes) -> tuple[str, dict[str, str]]:
    """A test document's `Expect:` line, and the header fields it says it is served with."""
    try:
        text = to_utf8(body, {}).decode("utf-8", "replace")
    except ParseError:
        text = body.decode("latin-1")
    found = _EXPECT.search(text) or _EXPECT.search(body.replace(b"\0", b"").decode("latin-1"))
    headers = {name.lower(): value for name, value in _HEADER.findall(text)}
    return (found[1] if found else ""), headers


def checks(expression: str) -> Iterator[Check]:
    """Takes `not bozo and entries[0]['title'] == 'x'` apart into what is expected of values."""
    yield from _checks(ast.parse(expression.strip(), mode="eval").body)


def _checks(node: ast.expr) -> Iterator[Check]:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            for one in values:
                yield from _checks(one)
        case ast.Compare(left=left, ops=[ast.Eq(), ast.Eq()], comparators=[middle, right]):
            yield _comparison(left, ast.Eq(), right)
            yield _comparison(middle, ast.Eq(), right)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            yield _comparison(left, op, right)
        case ast.Call(func=ast.Attribute(value=owner, attr="startswith"), args=[value]):
            yield Check(_path(owner), "startswith", ast.literal_eval(value))
        case ast.UnaryOp(op=ast.Not(), operand=ast.Compare() as inside):
            for one in _checks(inside):
                yield Check(one.path, {"in": "not in"}.get(one.op, f"not {one.op}"), one.value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield Check(_path(operand), "false", None)
        case _:
            yield Check(_path(node), "true", None)


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr) -> Check:
    if isinstance(op, ast.In | ast.NotIn):
        return Check(_path(right), "in" if isinstance(op, ast.In) else "not in", _value(left))
    if isinstance(left, ast.Constant | ast.Tuple | ast.Dict):
        left, right = right, left
    names = {ast.Eq: "==", ast.NotEq: "!=", ast.Is: "==", ast.IsNot: "!="}
    return Check(_path(left), names[type(op)], _value(right))


def _value(node: ast.expr) -> object:
    if isinstance(node, ast.BinOp):  # a text written in several pieces
        return f"{_value(node.left)}{_value(node.right)}"
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "datetime.timedelta":
        return timedelta(*map(ast.literal_eval, node.args))
    if isinstance(node, ast.Subscript):
        return Other(_path(node))
    return ast.literal_eval(node)


def _path(node: ast.expr) -> tuple[str | int, ...]:
    match node:
        case ast.Name(id=name):
            return (name,)
        case ast.Attribute(value=owner, attr=name):
            return (*_path(owner), name)
        case ast.Subscript(value=owner, slice=ast.Constant(value=str() | int() as key)):
            return (*_path(owner), key)
        case ast.Subscript(value=owner, slice=ast.UnaryOp() as last):
            return (*_path(owner), *_path(last))
        case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=key)]):
            return (*_path(owner), str(key))
        case ast.Call(func=ast.Attribute(value=owner, attr="has_key"), args=[key]):
            return (*_path(owner), str(ast.literal_eval(key)))
        case ast.Call(func=ast.Name(id="len" | "ord" as name), args=[owner]):
            return (*_path(owner), f"{name}()")
        case ast.BinOp(left=left):
            return _path(left)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
            return (-number,)
        case ast.Call(func=ast.Name(id=name)):
            return (name,)
        case _:
            return (ast.unparse(node),)


# -- our entries in feedparser's words ---------------------------------------------------


def view(result: Result) -> dict[str, Any]:
    """What came of a document, as feedparser would have put it."""
    raw = result.reading.entries if result.reading else ()
    return {
        "feed": _feed(result.meta),
        "entries": [
            _entry(entry, parsed.lang) for entry, parsed in zip(result.entries, raw, strict=True)
        ],
    }


def _present(**values: object) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, [], {}, "")}


def _detail(value: str | None, lang: str | None, kind: str = "text/plain") -> dict[str, Any]:
    return _present(value=value, language=lang, type=kind)


def _body(text: Text | None, lang: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    return _detail(
        text.value, text.lang or lang, f"text/{'html' if text.type == 'html' else 'plain'}"
    )


def _when(name: str, moment: datetime | None) -> dict[str, Any]:
    return {f"{name}_parsed": moment.utctimetuple()[:8]} if moment else {}


def _people(name: str, persons: Sequence[Person]) -> dict[str, Any]:
    dicts = [_present(name=one.name, email=one.email, href=one.uri, url=one.uri) for one in persons]
    found: dict[str, Any] = {f"{name}s": dicts} if dicts else {}
    if dicts and name == "author":
        first = persons[0]
        found["author_detail"] = dicts[0]
        found["author"] = f"{first.name} ({first.email})" if first.email else first.name
    return found


def _link(link: Link) -> dict[str, Any]:
    return _present(
        href=link.href,
        url=link.href,
        rel=link.rel,
        type=link.type,
        hreflang=link.hreflang,
        title=link.title,
        length=str(link.length) if link.length is not None else None,
    )


def _feed(meta: SourceMeta) -> dict[str, Any]:
    title, subtitle = _detail(meta.title, meta.lang), _detail(meta.subtitle, meta.lang)
    rights = _detail(meta.rights, meta.lang)
    links = [Link(href=meta.link)] if meta.link else []
    links += [Link(href=meta.self_link, rel="self")] if meta.self_link else []
    links += [Link(href=meta.hub, rel="hub")] if meta.hub else []
    found = _present(
        title=meta.title,
        title_detail=title if meta.title else None,
        link=meta.link,
        links=[_link(link) for link in links],
        id=meta.id,
        guid=meta.id,
        language=meta.lang,
        icon=meta.icon,
        logo=meta.logo,
        image=_present(href=meta.logo, url=meta.logo),
        href=meta.self_link,
        category=meta.categories[0].term if meta.categories else None,
        tags=_tags(meta.categories),
    )
    for name in ("subtitle", "tagline", "description", "info"):
        found |= _present(**{name: meta.subtitle, f"{name}_detail": meta.subtitle and subtitle})
    for name in ("rights", "copyright"):
        found |= _present(**{name: meta.rights, f"{name}_detail": meta.rights and rights})
    for name in ("updated", "modified", "published", "created", "date"):
        found |= _when(name, meta.updated)
    return found | _people("author", meta.authors)


def _tags(categories: Sequence[Any]) -> list[dict[str, Any]]:
    return [_present(term=one.term, scheme=one.scheme, label=one.label) for one in categories]


def _entry(entry: Entry, lang: str | None) -> dict[str, Any]:
    links = ([Link(href=entry.link)] if entry.link else []) + list(entry.links)
    content = entry.content or entry.summary
    summary = entry.summary or entry.content
    said = _body(summary, lang)
    found = _present(
        title=entry.title,
        title_detail=_detail(entry.title, lang),
        link=entry.link,
        links=[_link(link) for link in links],
        enclosures=[_link(link) for link in links if link.rel == "enclosure"],
        id=entry.uid if entry.id == entry.fallback_id else entry.id,
        guid=entry.uid if entry.id == entry.fallback_id else entry.id,
        summary=said.get("value"),
        description=said.get("value"),
        summary_detail=said,
        content=[_body(content, lang)] if content else None,
        rights=entry.rights,
        copyright=entry.rights,
        rights_detail=entry.rights and _detail(entry.rights, lang),
        language=lang,
        tags=_tags(entry.categories),
        category=entry.categories[0].term if entry.categories else None,
        comments=next((x.href for x in links if x.rel == "replies"), None),
        wfw_commentrss=next(
            (x.href for x in links if x.rel == "replies" and x.type == "application/rss+xml"), None
        ),
        license=next((x.href for x in links if x.rel == "license"), None),
        source=_feed(entry.source) if entry.source else None,
    )
    if entry.dated:
        for name in ("published", "created", "issued"):
            found |= _when(name, entry.published)
        for name in ("updated", "modified"):
            found |= _when(name, entry.updated)
        for name in ("published", "created", "issued", "updated", "modified"):
            found |= _present(**{name: entry.published_text})
    people = _people("author", entry.authors) | _people("contributor", entry.contributors)
    return _carried(entry) | found | people


# -- other vocabularies ------------------------------------------------------------------


def _carried(entry: Entry) -> dict[str, Any]:
    """The elements of other vocabularies as feedparser has those that it knows."""
    found: dict[str, Any] = {}
    for one in flat(entry.extensions):
        prefix, _, local = one.name.partition(":")
        value = dict(one.attributes) | _present(content=one.text)
        if one.name in ("media:credit", "media:thumbnail"):
            found.setdefault(f"media_{local}", []).append(value)
        elif prefix == "media":
            found.setdefault(f"media_{local}", value)
        elif prefix in ("itunes", "wfw"):
            found.setdefault(f"{prefix}_{local}".lower(), one.text)
        elif prefix == "thr":
            found[f"thr_{local}"] = value
    if "media_restriction" in found:
        found["media_restriction"]["content"] = found["media_restriction"]["content"].split()
    if "media_player" in found:
        found["media_player"]["content"] = found["media_player"].get("content", "")
    if "itunes_explicit" in found:
        said = found["itunes_explicit"].lower()
        answers = {"yes": True, "true": True, "clean": False, "no": False, "false": False}
        found["itunes_explicit"] = answers.get(said)
    if "itunes_block" in found:
        found["itunes_block"] = int(found["itunes_block"].lower() == "yes")
    images = list(pictures(entry.extensions))
    found |= _present(
        image=_present(href=images[0]) if images else None,
        subtitle=found.get("itunes_subtitle") or (entry.summary and entry.summary.value),
        where=_where(entry.extensions),
        psc_chapters=_chapters(entry.extensions),
    )
    publisher = next((one.text for one in entry.extensions if one.name == "dc:publisher"), None)
    if publisher:
        email = re.search(r"[^\s()]+@[^\s()]+", publisher)
        name = re.sub(r"\S+@\S+|[()]", "", publisher).strip()
        found["publisher"] = publisher
        found["publisher_detail"] = _present(name=name, email=email[0] if email else None)
    return found


def _where(extensions: Sequence[Extension]) -> dict[str, Any]:
    """A place as GeoJSON has it, longitude first, the last that an entry names."""
    shapes = {"point": "Point", "pos": "Point", "line": "LineString", "linestring": "LineString"}
    shapes |= {"polygon": "Polygon", "linearring": "Polygon", "box": "Box", "envelope": "Box"}
    where: dict[str, Any] = {}
    shape = ""
    for one in flat(extensions):
        prefix, _, local = one.name.partition(":")
        if prefix not in ("georss", "gml"):
            continue
        shape = shapes.get(local.lower(), shape)
        numbers = re.split(r"[\s,]+", (one.text or "").strip())
        try:
            pairs = [(float(y), float(x)) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        except ValueError:
            continue
        if local in ("lowerCorner", "upperCorner"):
            pairs = [*where.get("coordinates", ()), *pairs]
        nested: Any = {"Point": pairs[0], "Polygon": (tuple(pairs),)}.get(shape, tuple(pairs))
        where = {"type": shape, "coordinates": nested}
    return where


def _chapters(extensions: Sequence[Extension]) -> dict[str, Any]:
    for one in extensions:
        if one.name == "psc:chapters":
            return {
                "version": one.get("version"),
                "chapters": [
                    dict(each.attributes) | {"start_parsed": _since(each.get("start") or "")}
                    for each in one.children
                ],
            }
    return {}


def _since(start: str) -> timedelta:
    parts = reversed(start.split(":"))
    return timedelta(seconds=sum(float(part) * 60**power for power, part in enumerate(parts)))
