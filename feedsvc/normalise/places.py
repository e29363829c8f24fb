"""Elements of other vocabularies that mean something only in their place and form.

Readers take places and chapters apart; feedparser gives up the whole feed over coordinates outside
a place, a reference system it cannot read, or a chapter without a start. What is not sound goes.
"""

import re

from ..vocabulary import Extension

_COORDINATES = frozenset(
    {
        "geo:alt",
        "geo:lat",
        "geo:long",
        "georss:box",
        "georss:circle",
        "georss:elev",
        "georss:floor",
        "georss:line",
        "georss:point",
        "georss:polygon",
        "georss:radius",
        "gml:coordinates",
        "gml:lowerCorner",
        "gml:pos",
        "gml:posList",
        "gml:radius",
        "gml:upperCorner",
    }
)
_NUMBERS = re.compile(
    r"(?:[-+]?(?:\d{1,20}\.?\d{0,20}|\.\d{1,20})(?:[eE][-+]?\d{1,3})?(?:[\s,]+|\Z))+"
)
# `EPSG:4326`, `urn:ogc:def:crs:EPSG::4326`, `http://www.opengis.net/def/crs/EPSG/0/4326`
_EPSG = re.compile(r"EPSG\b.*?[:/#](\d{1,6})\Z", re.DOTALL)
_START = re.compile(r"(?:\d{1,3}:){0,2}\d{1,5}(?:\.\d{1,9})?")


def misplaced(one: Extension, within: tuple[str, ...]) -> bool:
    """Whether an element stands where it means nothing; `within` are the names around it."""
    if one.name.startswith("gml:"):
        return "georss:where" not in within
    if one.name == "psc:chapter":
        return "psc:chapters" not in within or not _START.fullmatch(one.get("start") or "")
    return False


def sound_text(name: str, text: str | None) -> str | None:
    """An element's text, unless it is to be coordinates and is none."""
    if text is None or name not in _COORDINATES:
        return text
    return text if _NUMBERS.fullmatch(text.strip()) else None


def sound_value(name: str, value: str) -> str | None:
    """An attribute's value; a reference system in the form that all readers know."""
    if name.lower() != "srsname" or "EPSG" not in value:
        return value
    found = _EPSG.search(value)
    return f"urn:ogc:def:crs:EPSG::{found[1]}" if found else None
