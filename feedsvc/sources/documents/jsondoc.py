"""JSON: one JSON Feed item, a list of items, or a whole JSON Feed.

An item may name related entries in an extension of ours: `"_feedsvc": {"related": ["HEADLINE"]}`.
"""

from dataclasses import replace

from ...errors import ParseError
from ...model import ParsedEntry
from ..jsonfeed import load, parse_item, parse_jsonfeed
from .base import Contents, Document, one, unique
from .feed import of_feed


def read_json(document: Document) -> Contents:
    """Reads a `.json` document. Raises `ParseError` with the line when it is none of the three."""
    said = load(document.body)
    if isinstance(said, list):
        return _items(said)
    if isinstance(said, dict) and ("items" in said or "version" in said):
        return of_feed(parse_jsonfeed(document.body), unique=True)
    try:
        return one(_item(said))
    except ParseError as error:
        raise ParseError(
            f"it is JSON, but neither a JSON Feed nor an item of one: {error}"
        ) from error


def _items(said: list[object]) -> Contents:
    entries: list[ParsedEntry] = []
    problems: list[str] = []
    for number, item in enumerate(said, 1):
        try:
            entries.append(_item(item))
        except ParseError as error:
            problems.append(f"item {number}: {error}")
    if problems and not entries:
        raise ParseError(f"it is a list in JSON, but none of JSON Feed items; {problems[0]}")
    return Contents(entries=tuple(entries), many=True, unique=True, problems=tuple(problems))


def _item(item: object) -> ParsedEntry:
    entry = parse_item(item)
    extension = item.get("_feedsvc") if isinstance(item, dict) else None
    related = extension.get("related") if isinstance(extension, dict) else None
    if not isinstance(related, list):
        return entry
    return replace(entry, references=unique([said for said in related if isinstance(said, str)]))
