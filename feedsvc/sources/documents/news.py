"""The news layout of plain text: a dated headline, a summary, a paragraph a line, and blocks.

     date 2025-04-10 HEADLINE
    SUMMARY
    PARAGRAPH …
    (With inputs from agencies.)
    ALSO READ
    RELATED HEADLINE …

A text is in this layout when its first line begins with `date` and a date (or with `date` and the
gap where one is missing), or when it has a block that only this layout has: a line `ALSO READ`,
`READ ALSO`, `SEE ALSO:` or `RELATED:`, a list `READ MORE ON:`, or an agency's credit as its last
line. All other text is `text.py`'s. Every line ends up in the title, the summary, a paragraph, the
credit, the references or the tags; only the blocks' own headings and a lone `Advertisement` go.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ...errors import ParseError
from ...model import ParsedEntry, Text
from .base import Contents, Document, one, one_line, paragraph, short_title, title_of, unique
from .dates import leading_date

_LONGEST_HEADLINE = 200
_LONGEST_NAME = 60
_MOST_WORDS = 6

_DATE = re.compile(r"date\b\s*:?\s*", re.IGNORECASE)
_NO_DATE = re.compile(r"date(?:\s{2,}|\s+(?:none|null|nan|n/a|unknown)\b\s*)", re.IGNORECASE)
_AFTER_DATE = re.compile(r"^[:|–—-]+\s+")

_ALSO = r"(?:also\s+read|read\s+also|see\s+also|related(?:\s+(?:stories|articles|news))?)"
_HEADING = re.compile(rf"[\W_]*{_ALSO}[\W_]*", re.IGNORECASE)
# in lower case and without a colon these two are words of any text
_PLAIN_WORDS = re.compile(r"(?:see\s+also|related)", re.IGNORECASE)
_LINE_REFERENCE = re.compile(
    rf"[\W_]*(?:{_ALSO}\s*[:|]|(?:also\s+read|read\s+also)\s*[–—-])[\W_]*(?=\w)", re.IGNORECASE
)
_BRACKETED = re.compile(
    r"\s*[(\[]\s*(?:also\s+read|read\s+also)\s*[:|–—-]\s*(?P<title>[^()\[\]\w]*+\w[^()\[\]]*+)[)\]]\s*",
    re.IGNORECASE,
)
_INLINE = re.compile(
    r"(?:^|(?<=[.!?…\"'”’)\]])\s+)[*_]*(?:Also [Rr]ead|ALSO READ|Read [Aa]lso|READ ALSO)"
    r"\s*[:|][*_\s]*(?=\S*\w)"
)
_SENTENCE_END = re.compile(r"(?<!\b[A-Z])[.!?][\"”’]?\s+(?=[\"“‘]?[A-Z])")
_TOPICS = re.compile(r"[\W_]*read\s+more\s+on\s*(?::(?P<names>.*)|[\W_]*)", re.IGNORECASE)
_COUNTRIES = re.compile(r"[\W_]*countr(?:y|ies)\s*:(?P<names>.*)", re.IGNORECASE)
_BULLET = re.compile(r"(?:[-–*+]\s+|[•·▪‣»›>]\s*|\(?\d{1,2}[.)]\s+)+")
_ADVERTISEMENT = re.compile(r"[\W_]*advertisements?[\W_]*", re.IGNORECASE)
_AGENCY = re.compile(r"\binputs?\b|\bagenc|\bstory\b|\bsyndicat|\bedited\b|\breport", re.IGNORECASE)
_SEPARATORS = re.compile(r"[,;|•·]")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    gap: bool


@dataclass(slots=True)
class _Sorted:
    """The lines after the headline, each in its place; `text` still holds the credits."""

    text: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def is_news(text: str) -> bool:
    """Whether a text is in the news layout; see the module's rule."""
    lines = [line.text for line in _lines(text)]
    if not lines:
        return False
    dated = _DATE.match(lines[0])
    if (dated and leading_date(lines[0][dated.end() :])) or _NO_DATE.match(lines[0]):
        return True
    if _is_credit(lines[-1]) and _AGENCY.search(lines[-1]):
        return len(lines) > 1
    return any(_is_block(line) for line in lines[1:])


def read_news(document: Document, text: str) -> Contents:
    """Reads a text in the news layout. Raises `ParseError` when there is nothing but blanks."""
    lines = list(_lines(text))
    if not lines:
        raise ParseError("has no text in it")
    moment, wording, headline = _first_line(lines.pop(0).text)
    if not headline and lines and not _is_block(lines[0].text):
        headline = lines.pop(0).text
    sorted_ = _sort(lines)
    credits = _take_credits(sorted_.text)
    body = list(sorted_.text)
    title = short_title(headline)
    if title != headline:
        body.insert(0, headline)
    summary = body.pop(0) if body and title == headline else None
    return one(
        ParsedEntry(
            title=Text(value=title or title_of(document.path)),
            summary=Text(value=summary) if summary else None,
            content=Text(value="\n".join(map(paragraph, body)), type="html") if body else None,
            credit=" ".join(credits) or None,
            references=unique(sorted_.references),
            tags=tuple((tag, "front-matter") for tag in unique(sorted_.tags)),
            published=moment,
            published_text=wording or None,
        )
    )


def _lines(text: str) -> Iterator[_Line]:
    """The lines that hold anything; a gap is a blank line before, unless all lines have one."""
    found: list[_Line] = []
    gap = False
    for raw in text.split("\n"):
        line = raw.strip()
        if line:
            found.append(_Line(line, gap))
        gap = not line
    spaced = sum(line.gap for line in found) >= 0.8 * max(len(found) - 1, 1)
    return (_Line(line.text, line.gap and not spaced) for line in found)


def _first_line(line: str) -> tuple[datetime | None, str, str]:
    match = _DATE.match(line)
    found = leading_date(line[match.end() :]) if match else None
    if found:
        moment, wording, headline = found
        return moment, wording, _AFTER_DATE.sub("", headline, count=1)
    missing = _NO_DATE.match(line)
    return None, "", line[missing.end() :] if missing else line


def _is_block(line: str) -> bool:
    """Whether a line begins a block that no other text has."""
    if _TOPICS.fullmatch(line):
        return True
    if not _HEADING.fullmatch(line):
        return False
    plain = _PLAIN_WORDS.fullmatch(line)
    return plain is None or line.isupper()


def _is_credit(line: str) -> bool:
    """Whether a line is one or more parentheses and nothing else but a full stop."""
    depth = 0
    for char in line:
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth < 0:
                return False
        elif depth == 0 and char not in " .":
            return False
    return depth == 0 and line.startswith("(") and any(map(str.isalnum, line))


def _take_credits(text: list[str]) -> list[str]:
    """Takes the parenthesised lines off the end of the text."""
    credits: list[str] = []
    while text and _is_credit(text[-1]):
        credits.insert(0, text.pop())
    return credits


def _sort(lines: list[_Line]) -> _Sorted:
    found = _Sorted()
    block: str | None = None
    bulleted = items = 0
    for line in lines:
        text = line.text
        if _ADVERTISEMENT.fullmatch(text):
            continue
        if _HEADING.fullmatch(text):
            block, bulleted, items = "references", 0, 0
            continue
        names = _TOPICS.fullmatch(text) or _COUNTRIES.fullmatch(text)
        if names:
            listed = _names(names["names"] or "")
            if listed is not None:
                found.tags += listed
                block, bulleted, items = None if listed else "tags", 0, 0
                continue
        text, references = _split_references(text)
        found.references += references
        if references and not text:
            # the list may go on, but only where it shows that it does
            block, bulleted, items = "references", 1, 1
            continue
        if _is_credit(text):
            found.text.append(text)
            continue
        bullet = _BULLET.match(text)
        ended = items > 0 and not bullet and (bulleted > 0 or (block == "tags" and line.gap))
        listed = (
            None if ended or not block else _items(block, text[bullet.end() :] if bullet else text)
        )
        if listed is None:
            block = None
            found.text.append(text)
            continue
        items += 1
        bulleted += bullet is not None
        (found.references if block == "references" else found.tags).extend(listed)
    return found


def _items(block: str, text: str) -> list[str] | None:
    """What a line adds to a block's list; None if it is a paragraph that ends it."""
    if block == "tags":
        return _names(text) or None
    return [text] if text and len(text) <= _LONGEST_HEADLINE else None


def _names(text: str) -> list[str] | None:
    """The names of a list; None if a part of it is no name but a sentence."""
    parts = [one_line(part.strip(" \t*_-–")) for part in _SEPARATORS.split(text)]
    parts = [part for part in parts if part]
    if parts:
        last = parts[-1]
        # a full stop that ends the list, unless it is an abbreviation's
        if last.endswith(".") and "." not in last[:-1]:
            parts[-1] = last[:-1]
    if any(len(p) > _LONGEST_NAME or len(p.split()) > _MOST_WORDS for p in parts):
        return None
    return [part for part in parts if part]


def _split_references(line: str) -> tuple[str, list[str]]:
    """Takes `Also Read: HEADLINE` out of a line: what remains of it, and the headlines."""
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        found.append(match["title"])
        return "" if match.string[match.end() :].startswith((".", ",", ";", "!", "?")) else " "

    line = _BRACKETED.sub(take, line).strip()
    start = _LINE_REFERENCE.match(line)
    if start and not _INLINE.match(line):
        head, rest = "", line[start.end() :]
    else:
        head, *rests = _INLINE.split(line)
        if not rests:
            return line, found
        found += rests[:-1]
        rest = rests[-1]
    title, remainder = _headline(rest)
    found.append(title)
    return " ".join(filter(None, (head.strip(), remainder))), found


def _headline(rest: str) -> tuple[str, str]:
    """Parts a headline from sentences of the paragraph that follow it in the same line."""
    if rest.endswith((".", "!", "?", "”", '"')) or len(rest) > _LONGEST_HEADLINE:
        end = _SENTENCE_END.search(rest)
        if end:
            title = rest[: end.start()] + rest[end.start()].replace(".", "")
            return title, rest[end.start() + 1 :].strip()
    return rest, ""
