"""What must hold between keys, once each value is sound by itself."""

import os
import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlsplit

from ..model import slugify
from .lines import Path
from .schema import Config
from .sources import source_kind
from .values import write_duration


def clashes(config: Config) -> Iterator[tuple[Path, str]]:
    """Yields each contradiction: the path of the key to change, and what is wrong."""
    yield from _intervals(config)
    yield from _tags(config)
    yield from _sources(config)
    yield from _feeds(config)


def _intervals(config: Config) -> Iterator[tuple[Path, str]]:
    """The key told is one that was written: nobody can change a default in a file."""
    poll = config.poll
    names = ("min_interval", "interval", "max_interval")
    for short, long in pairwise(names):
        low, high = getattr(poll, short), getattr(poll, long)
        if low <= high:
            continue
        if long in poll.model_fields_set:
            relation, key, other, value, bound = "shorter", long, short, high, low
        else:
            relation, key, other, value, bound = "longer", short, long, low, high
        yield (
            ("poll", key),
            f'"{write_duration(value)}" is {relation} than poll.{other}, '
            f'"{write_duration(bound)}": change one of them',
        )


def _tags(config: Config) -> Iterator[tuple[Path, str]]:
    for name in config.tags.aliases:
        if not slugify(name):
            yield ("tags", "aliases", name), "is not a tag: it needs a letter or digit"
    for number, rule in enumerate(config.tags.rules):
        if not (rule.any or rule.all or rule.regex or rule.source or rule.author):
            yield (
                ("tags", "rules", number),
                f'would give the tag "{rule.tag}" to every entry: '
                "add any, all, regex, source or author",
            )


def _sources(config: Config) -> Iterator[tuple[Path, str]]:
    ids: set[str] = set()
    places: set[str] = set()
    for number, source in enumerate(config.sources):
        if source.id in ids:
            yield ("sources", number, "id"), f'another source is called "{source.id}" already'
        if source.id:
            ids.add(source.id)
        place = _place(source.location)
        if place in places:
            yield ("sources", number, "location"), f'"{source.location}" is there already'
        places.add(place)
        if source_kind(source.location) == "directory":
            for name in ("headers", "auth", "fulltext"):
                if getattr(source, name):
                    yield ("sources", number, name), "a directory is read without HTTP: remove it"
        elif source.auth and any(name.lower() == "authorization" for name in source.headers):
            yield ("sources", number, "auth"), "headers hold an Authorization too: keep one"


def _feeds(config: Config) -> Iterator[tuple[Path, str]]:
    names: set[str] = set()
    for number, feed in enumerate(config.feeds):
        if feed.name in names:
            yield ("feeds", number, "name"), f'another feed is called "{feed.name}" already'
        names.add(feed.name)


def _place(location: str) -> str:
    """A location in a form in which equal places are equal."""
    if source_kind(location) == "directory":
        return os.path.normpath(location)
    if source_kind(location) != "feed":
        return location
    parts = urlsplit(location)
    port = {"http": 80, "https": 443}[parts.scheme]
    netloc = re.sub(f":{port}$", "", parts.netloc.lower())
    return parts._replace(netloc=netloc, path=parts.path or "/", fragment="").geturl()
