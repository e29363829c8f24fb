"""Front matter: what a document says of itself above its text, in YAML (`---`) or TOML (`+++`).

Values keep the spelling they are written with: `lang: no` is Norwegian and `tags: [2024, on]` are
two words, since YAML's guesses at types are not made. Keys: title, date, updated, author, tags,
summary, link, id, related, lang; and what other tools call them.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import yaml

from ...errors import ParseError
from ...model import Link, ParsedEntry, Person, Text
from .base import one_line, unique
from .dates import parse_date

_LIMIT = 65536
_ENDS = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE),
}
_KEY = re.compile(r"\s*[\"']?\w[\w .-]*[\"']?\s*[:=]")
_PERSON = re.compile(r"(?P<name>[^<>]*?)\s*<(?P<address>[^<>\s]+)>\s*")
_TOML_PLACE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_ALIASES = {
    "published": "date",
    "pubdate": "date",
    "lastmod": "updated",
    "modified": "updated",
    "authors": "author",
    "by": "author",
    "keywords": "tags",
    "categories": "tags",
    "category": "tags",
    "description": "summary",
    "url": "link",
    "canonical": "link",
    "language": "lang",
}
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontMatter:
    """The entry that front matter describes, the text below it, and which values were no good."""

    entry: ParsedEntry
    text: str
    problems: tuple[str, ...] = ()


def read_front_matter(text: str) -> FrontMatter:
    """Takes front matter off a text; without any, all of it is the text.

    Raises `ParseError` with the line (of the file) when it is not valid or is never closed.
    """
    first, _, rest = text.partition("\n")
    fence = first.rstrip()
    if fence not in _ENDS:
        return FrontMatter(entry=ParsedEntry(), text=text)
    end = _ENDS[fence].search(rest)
    if not end:
        if _KEY.match(rest):
            raise ParseError(f"its front matter is never closed by a line {fence}", line=1)
        return FrontMatter(entry=ParsedEntry(), text=text)
    if end.start() > _LIMIT:
        raise ParseError(f"its front matter is longer than {_LIMIT} characters", line=1)
    head = rest[: end.start()]
    values = _yaml(head) if fence == "---" else _toml(head)
    if values is None:
        return FrontMatter(entry=ParsedEntry(), text=text)
    problems: list[str] = []
    return FrontMatter(
        entry=_entry(values, problems), text=rest[end.end() :], problems=tuple(problems)
    )


def _yaml(head: str) -> dict[str, object] | None:
    """The mapping; None where it is none, as between two thematic breaks of Markdown."""
    try:
        values = yaml.load(head, Loader=_LOADER)  # noqa: S506 - BaseLoader makes only text of it
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "not valid"
        remedy = ""
        if "mapping values" in what:
            remedy = "; a value with a colon in it must stand in quotes"
        raise ParseError(
            f"its YAML front matter is not valid: {what}{remedy}", line=mark.line + 2 if mark else 1
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ParseError(f"its YAML front matter is not valid: {error}", line=1) from error
    if values is None or values == "":
        return {}
    return _lowered(values) if isinstance(values, dict) else None


def _toml(head: str) -> dict[str, object]:
    try:
        return _lowered(tomllib.loads(head))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = _TOML_PLACE.search(str(error))
        line = int(place[1]) + 1 if place and place[1] else head.count("\n") + 1
        said = _TOML_PLACE.sub("", str(error)).strip()
        raise ParseError(f"its TOML front matter is not valid: {said}", line=line) from error


def _lowered(values: Mapping[str, object]) -> dict[str, object]:
    """Keys in lower case under the names we know; our own name goes before another tool's."""
    found: dict[str, object] = {}
    own: dict[str, object] = {}
    for key, value in values.items():
        name = str(key).strip().lower()
        if name in _ALIASES:
            found.setdefault(_ALIASES[name], value)
        else:
            own[name] = value
    return found | {name: value for name, value in own.items() if _has(value) or name not in found}


def _has(value: object) -> bool:
    return not (value is None or (isinstance(value, str) and value.strip() in _NOTHING))


def _entry(values: dict[str, object], problems: list[str]) -> ParsedEntry:
    def text(key: str) -> str | None:
        value = values.get(key)
        said = _text(value)
        if said is None and _has(value):
            problems.append(f"front matter: `{key}` is not a text")
        return said

    def moment(key: str) -> datetime | None:
        value = values.get(key)
        found = _moment(value)
        if found is None and _has(value):
            problems.append(
                f"front matter: `{key}` is not a date: {one_line(str(value))[:60]}; "
                "write it like 2025-04-10 or 2025-04-10T14:05:00+03:00"
            )
        return found

    title, summary = text("title"), text("summary")
    published = moment("date")
    links = (_url(value) for value in _each(values.get("link")))
    return ParsedEntry(
        uid=text("id"),
        title=Text(value=one_line(title)) if title else None,
        summary=Text(value=summary) if summary else None,
        links=tuple(Link(href=href) for href in links if href),
        authors=tuple(filter(None, map(_person, _each(values.get("author"))))),
        tags=tuple((tag, "front-matter") for tag in _tags(values.get("tags"))),
        references=unique([said for said in map(_reference, _each(values.get("related"))) if said]),
        published=published,
        published_text=_text(values.get("date")) if published else None,
        updated=moment("updated"),
        lang=text("lang"),
    )


def _text(value: object) -> str | None:
    """A scalar as it is written; None for nothing, lists and tables."""
    if not _has(value) or isinstance(value, list | dict):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | time) else str(value).strip()


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return parse_date(value) if isinstance(value, str) else None


def _each(value: object) -> Iterator[object]:
    """A list's elements, or the one value."""
    if isinstance(value, list):
        yield from filter(_has, value)
    elif _has(value):
        yield value


def _tags(value: object) -> tuple[str, ...]:
    found: list[str] = []
    for element in _each(value):
        said = _text(element)
        if said is not None:
            # a comma parts the tags of a text, but belongs to an element of a list
            parts = [said] if isinstance(value, list) else said.split(",")
            found += [part.strip().removeprefix("#") for part in parts]
    return unique(found)


def _person(value: object) -> Person | None:
    if isinstance(value, dict):
        known = {str(key).lower(): _text(said) for key, said in value.items()}
        name, email = known.get("name"), known.get("email")
        uri = known.get("uri") or known.get("url") or known.get("link")
        if not (name or email or uri):
            return None
        return Person(name=one_line(name or email or uri or ""), email=email, uri=uri)
    said = _text(value)
    if not said:
        return None
    match = _PERSON.fullmatch(said)
    if not match:
        return Person(name=one_line(said))
    name, address = one_line(match["name"]).strip("\"'"), match["address"]
    if "://" in address:
        return Person(name=name or address, uri=address)
    return Person(name=name or address, email=address)


def _url(value: object) -> str | None:
    if isinstance(value, dict):
        return _text(value.get("url") or value.get("href") or value.get("link"))
    return _text(value)


def _reference(value: object) -> str | None:
    if not isinstance(value, dict):
        return _text(value)
    for key in ("title", "url", "link", "href", "id"):
        if said := _text(value.get(key)):
            return said
    # YAML takes `- New Era: Somebody as Ambassador` for a mapping; people mean a headline
    if len(value) == 1:
        ((key, said),) = value.items()
        return f"{key}: {said}" if isinstance(said, str) else None
    return None
