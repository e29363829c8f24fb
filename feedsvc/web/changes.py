"""What changed between two versions of an entry, for people: line by line, and word by word within.

Pure. Everything comes out as plain text in pieces, which a template escapes and marks; markup is
compared by the text it shows, and by the addresses it names.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from html import unescape
from typing import Literal

from ..model import Entry, Link, Person, Text
from ..normalise.html import to_text
from ..store.base import Revision

Mark = Literal["same", "gone", "new"]

# comparing takes time in proportion to the square of what differs
_MOST_LINES = 800
_MOST_WORDS = 600
_ALIKE = 0.4
_AROUND = 1
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_NAMED = re.compile(r"""\s(?:href|src|poster)=(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text of a line, and whether it stayed, went or came."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of both versions or of one; `cut` stands for lines left out because they stayed."""

    pieces: tuple[Piece, ...]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A part of an entry that changed."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an entry: when we saw it, and what it was; no field where it is not kept."""

    at: datetime
    fields: tuple[Field, ...]
    whole: bool


def changes(entry: Entry, past: Sequence[Revision]) -> tuple[Change, ...]:
    """Every change from the versions of the past, the latest first, up to the entry as it is."""
    found: list[Change] = []
    after, whole = entry, True
    for revision in past:
        both = whole and revision.whole
        fields = tuple(_fields(revision.entry, after, both))
        found.append(Change(revision.at, fields, both))
        after, whole = revision.entry, revision.whole
    return tuple(found)


def _fields(before: Entry, after: Entry, whole: bool) -> Iterator[Field]:
    pairs = [
        ("Title", [before.title], [after.title]),
        ("Link", _maybe(before.link), _maybe(after.link)),
    ]
    if whole:
        pairs += [
            (name, told(before), told(after))
            for name, told in (
                ("Summary", lambda entry: _lines(entry.summary)),
                ("Text", lambda entry: _lines(entry.content)),
                ("Links and pictures in the text", _addresses),
                ("Files and links", lambda entry: [_link(link) for link in entry.links]),
                ("Authors", lambda entry: [_person(person) for person in entry.authors]),
                ("Contributors", lambda entry: [_person(one) for one in entry.contributors]),
                ("Credit", lambda entry: _maybe(entry.credit)),
                ("Rights", lambda entry: _maybe(entry.rights)),
            )
        ]
    for name, old, new in pairs:
        if old != new:
            yield Field(name, difference(old, new))


def difference(old: Sequence[str], new: Sequence[str]) -> tuple[Line, ...]:
    """The lines of two versions side by side in one, with a line around each that changed."""
    if len(old) + len(new) > _MOST_LINES:
        # what is the same at both ends costs nothing to find
        head = _shared(old, new)
        tail = _shared(old[head:][::-1], new[head:][::-1])
        gone, came = old[head : len(old) - tail], new[head : len(new) - tail]
        codes = [("equal", 0, head, 0, head)]
        codes += [("replace", head, head + len(gone), head, head + len(came))]
        codes += [("equal", len(old) - tail, len(old), len(new) - tail, len(new))]
    else:
        codes = list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())
    lines: list[Line] = []
    for code, a, b, c, d in codes:
        if code == "equal":
            lines += [Line((Piece("same", line),)) for line in old[a:b]]
        else:
            lines += _replaced(old[a:b], new[c:d])
    return _shortened(lines)


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    paired = min(len(old), len(new))
    for before, after in zip(old, new, strict=False):
        yield from _rewritten(before, after)
    yield from (Line((Piece("gone", line),)) for line in old[paired:])
    yield from (Line((Piece("new", line),)) for line in new[paired:])


def _rewritten(before: str, after: str) -> Iterator[Line]:
    """One line with its words marked; two where the one is not an edit of the other."""
    a, b = _WORDS.findall(before), _WORDS.findall(after)
    matcher = None
    if len(a) + len(b) <= 2 * _MOST_WORDS:
        matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher is None or matcher.ratio() < _ALIKE:
        yield Line((Piece("gone", before),))
        yield Line((Piece("new", after),))
        return
    pieces: list[Piece] = []
    for code, i, j, k, n in matcher.get_opcodes():
        if code == "equal":
            pieces.append(Piece("same", "".join(a[i:j])))
            continue
        pieces += [Piece("gone", "".join(a[i:j]))] if i < j else []
        pieces += [Piece("new", "".join(b[k:n]))] if k < n else []
    yield Line(tuple(pieces))


def _shortened(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Leaves out what stayed but for the lines next to what did not."""
    moved = [at for at, line in enumerate(lines) if any(p.mark != "same" for p in line.pieces)]
    near = {at + by for at in moved for by in range(-_AROUND, _AROUND + 1)}
    shown: list[Line] = []
    for at, line in enumerate(lines):
        if at in near:
            shown.append(line)
        elif not (shown and shown[-1].cut):
            shown.append(Line((), cut=True))
    return tuple(shown)


def _lines(text: Text | None) -> list[str]:
    if text is None:
        return []
    said = to_text(text.value) if text.type == "html" else text.value
    return [line for line in said.split("\n") if line.strip()]


def _addresses(entry: Entry) -> list[str]:
    found: list[str] = []
    for text in (entry.summary, entry.content):
        if text is not None and text.type == "html":
            found += [unescape(a or b) for a, b in _NAMED.findall(text.value)]
    return found


def _link(link: Link) -> str:
    length = f"{link.length:,} bytes" if link.length else None
    notes = ", ".join(filter(None, (link.title, link.type, link.hreflang, length)))
    return f"{link.rel}: {link.href}" + (f" ({notes})" if notes else "")


def _person(person: Person) -> str:
    return " ".join(filter(None, (person.name, person.email, person.uri)))


def _maybe(text: str | None) -> list[str]:
    return [] if text is None else [text]
