"""Text out of HTML and HTML out of text, for formats and places that want the other of the two."""

import html
import re
from typing import Any

from lxml import etree

from ..model import Text

_BLOCK = re.compile(
    "address|article|aside|blockquote|br|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|"
    "form|h[1-6]|header|hr|li|main|nav|ol|p|pre|section|summary|table|td|th|tr|ul"
)
_BLANK_LINES = re.compile(r"\n[ \t]*\n")
_SILENT = frozenset({"script", "style", "template"})
_UNWRITABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # XML 1.0 §2.2, less C1
)


def clean(text: str) -> str:
    """Drops what XML cannot carry (control characters, lone surrogates); lines end with LF."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNWRITABLE.sub("", text)


def line(text: str) -> str:
    """Cleans text that stands on one line: runs of white space become one space."""
    return " ".join(clean(text).split())


def as_html(text: Text) -> str:
    """A text construct as HTML: plain text is escaped, its lines and paragraphs stay apart."""
    if text.type == "html":
        return text.value
    escaped = html.escape(text.value.strip(), quote=False)
    paragraphs = [
        part.strip().replace("\n", "<br>") for part in _BLANK_LINES.split(escaped) if part.strip()
    ]
    if len(paragraphs) < 2:
        return "".join(paragraphs)
    return "".join(f"<p>{part}</p>" for part in paragraphs)


def as_text(text: Text) -> str:
    """A text construct as plain text on one line; blocks of HTML are set apart by a space."""
    if text.type == "text":
        return line(text.value)
    markup = clean(text.value)
    if "<" not in markup:
        return line(html.unescape(markup))
    # a fresh parser a call: lxml's parsers are locked while they work
    root = etree.fromstring(f"<body>{markup}</body>", etree.HTMLParser(remove_comments=True))
    return line("".join(_words(root)))


def _words(root: Any) -> list[str]:
    found: list[str] = []
    silent = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        name = element.tag if isinstance(element.tag, str) else ""
        if _BLOCK.fullmatch(name):
            found.append("\n")
        if event == "start":
            silent += name in _SILENT
            if not silent and name:
                found.append(element.text or "")
        else:
            silent -= name in _SILENT
            if not silent and element is not root:
                found.append(element.tail or "")
    return found
