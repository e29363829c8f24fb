"""What every document type has in common: the document, and what reading it gives.

A reader is a function of one document: it gets the bytes and the name and returns `Contents`, or
raises `ParseError`. Which file that is, what its entries are called, and what date a file without
one has, is decided by the directory source, not here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import PurePosixPath

from ...model import ParsedEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file's bytes, and its POSIX path relative to the directory source."""

    path: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a document says.

    `many` tells a file of entries, each with its own name in it, from a document that is one entry;
    `unique` that an id in it names one entry, however often it is told (JSON Feed `id`). `complete`
    is False when entries may be missing at the end (a file still being written), so that absence
    means nothing. `problems` are what could not be read of it.
    """

    entries: tuple[ParsedEntry, ...]
    many: bool = False
    unique: bool = False
    complete: bool = True
    problems: tuple[str, ...] = ()


DocumentReader = Callable[[Document], Contents]

_DATE_PREFIX = re.compile(r"\A\d{4}([-_.]?)\d\d\1\d\d(?!\d)[-_. ]*")
_MAX_TITLE = 300


def one(entry: ParsedEntry, *problems: str) -> Contents:
    """The contents of a document that is a single entry."""
    return Contents(entries=(entry,), problems=problems)


def title_of(path: str) -> str:
    """A title made of a file's name: without suffix and leading date, `-` and `_` as blanks."""
    stem = PurePosixPath(path).stem
    words = re.sub(r"[-_\s]+", " ", _DATE_PREFIX.sub("", stem)).strip()
    return words or stem


def one_line(text: str) -> str:
    """Text with every run of blanks and line breaks as one blank."""
    return " ".join(text.split())


def paragraph(text: str) -> str:
    """A paragraph of plain text as HTML; its line breaks stay."""
    return f"<p>{escape(text.strip(), quote=False).replace(chr(10), '<br>' + chr(10))}</p>"


def short_title(line: str) -> str:
    """A first line as a title: itself, or its beginning where it is a whole paragraph."""
    if len(line) <= _MAX_TITLE:
        return line
    head = line[:120].rpartition(" ")[0] or line[:120]
    return f"{head.rstrip(' ,;:–—-')}…"


def unique(values: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """The values that are not blank, each once, in their order."""
    return tuple(dict.fromkeys(filter(None, map(one_line, values))))
