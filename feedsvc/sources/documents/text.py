"""Plain text: the news layout where it is that, else a title line and paragraphs.

Paragraphs stand between blank lines; a text without blank lines has one on each line. Line breaks
inside a paragraph stay where lines are short (verse, addresses, lists) and are mere wrapping where
they are long.
"""

import re

from ...errors import ParseError
from ...model import ParsedEntry, Text
from .base import Contents, Document, one, paragraph, short_title
from .decode import decode_document
from .news import is_news, read_news

_UNDERLINE = re.compile(r"[=\-~*_#]{3,}")
_BULLET = re.compile(r"(?:[-–*+•·>|]|\(?\d{1,3}[.)])\s")
_WRAPPED = 50


def read_text(document: Document) -> Contents:
    """Reads a `.txt` document. Raises `ParseError` when there is nothing in it but blanks."""
    text = decode_document(document.body)
    if is_news(text):
        return read_news(document, text)
    first, _, rest = text.strip().partition("\n")
    first = first.strip()
    if not first:
        raise ParseError("has no text in it")
    second, _, after = rest.partition("\n")
    if _UNDERLINE.fullmatch(second.strip()):
        rest = after
    title = short_title(first)
    body = paragraphs(rest if title == first else f"{first}\n\n{rest}")
    return one(
        ParsedEntry(
            title=Text(value=title), content=Text(value=body, type="html") if body else None
        )
    )


def paragraphs(text: str) -> str:
    """The paragraphs of a plain text as HTML."""
    text = "\n".join(map(str.rstrip, text.split("\n"))).strip("\n ")
    blocks = re.split(r"\n{2,}", text) if "\n\n" in text else text.split("\n")
    return "\n".join(paragraph(_unwrapped(block)) for block in blocks if block.strip())


def _unwrapped(block: str) -> str:
    lines = [line.strip() for line in block.strip().split("\n")]
    if max(map(len, lines)) < _WRAPPED or any(_BULLET.match(line) for line in lines):
        return "\n".join(lines)
    return " ".join(lines)
