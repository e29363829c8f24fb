"""Markdown: CommonMark with tables and strike-through below front matter in YAML or TOML.

The title is that of the front matter, else the first heading (which then leaves the text), else
the file's name. Relative links are relative to the front matter's `link`. HTML in the text stays as
it is; cleaning it is not done here.
"""

from collections.abc import Sequence
from dataclasses import replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ...errors import ParseError
from ...model import Text
from .base import Contents, Document, one, one_line, short_title, title_of
from .decode import decode_document
from .frontmatter import read_front_matter

_PARSER = MarkdownIt("commonmark", {"html": True, "maxNesting": 100}).enable(
    ["table", "strikethrough"]
)
# the parser takes some seconds for each, and is quadratic in brackets
_LONGEST = 2_000_000
_MOST_BRACKETS = 50_000


def read_markdown(document: Document) -> Contents:
    """Reads a `.md` document. Raises `ParseError` when its front matter is not valid."""
    matter = read_front_matter(decode_document(document.body))
    if len(matter.text) > _LONGEST or matter.text.count("[") > _MOST_BRACKETS:
        raise ParseError("is too much Markdown for one document; split it")
    tokens = _PARSER.parse(matter.text)
    entry, said = matter.entry, matter.entry.title
    if not tokens and said is None and entry.summary is None:
        raise ParseError("has no text in it")
    place, heading = _heading(tokens)
    title = said.value if said else short_title(heading) or title_of(document.path)
    # a heading that says the title, or is it, would stand there twice
    if place is not None and one_line(heading) == title and (said is None or place == 0):
        del tokens[place : place + 3]
    html = _PARSER.renderer.render(tokens, _PARSER.options, {}).strip()
    return one(
        replace(
            entry,
            title=Text(value=title),
            content=Text(value=html, type="html") if html else None,
            base=entry.links[0].href if entry.links else None,
        ),
        *matter.problems,
    )


def _heading(tokens: Sequence[Token]) -> tuple[int | None, str]:
    """Where the first heading that has text stands, and its text."""
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0:
            text = one_line(_plain(tokens[place + 1].children or ()))
            if text:
                return place, text
    return None, ""


def _plain(tokens: Sequence[Token]) -> str:
    """The text of inline tokens: images by their description, breaks as blanks."""
    parts: list[str] = []
    for token in tokens:
        if token.type in {"softbreak", "hardbreak"}:
            parts.append(" ")
        elif token.type == "image":
            parts.append(_plain(token.children or ()))
        elif token.type != "html_inline":
            parts.append(token.content)
    return "".join(parts)
