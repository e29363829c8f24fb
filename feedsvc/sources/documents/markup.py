"""HTML as a tree: parsing it leniently, and cutting out of it what is no text for people.

Shared by pages and by mail. Nothing here makes HTML safe; that is the sanitiser's work.
"""

import re
from collections.abc import Iterator
from html import escape
from itertools import dropwhile

from lxml import etree, html

from ...errors import ParseError
from .base import one_line

_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE
)
# libxml2 is quadratic in the attributes of one element
_LONG_TAG = re.compile(r"<[A-Za-z][^<>]{20000,}")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_MAX_TAG = 20_000
_HEAD = frozenset({"title", "meta", "link", "base", "style", "script", "noscript", "template"})


def parse(text: str) -> html.HtmlElement | None:
    """Parses any HTML, document or fragment, into its root; None where there is nothing in it.

    Raises `ParseError` for markup nested or attributed beyond all reason.
    """
    for tag in _LONG_TAG.finditer(text):
        if len(_QUOTED.sub("", tag[0])) > _MAX_TAG:
            raise ParseError("an element has thousands of attributes")
    parser = html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True, no_network=True
    )
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        # lxml's word for an empty document
        return None
    # the parser goes on without what lies deeper, and only its log says so
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise ParseError("its elements are nested too deeply")
    _mend(root)
    return root


def _mend(root: html.HtmlElement) -> None:
    """Moves what is no part of a head from there to the body.

    Where a page leaves out `<body>`, the parser, which knows no elements of HTML 5, lets an
    `<article>` stand in the head.
    """
    head = root.find("head")
    if head is None:
        return
    stray = list(dropwhile(lambda element: element.tag in _HEAD, head))
    if not stray:
        return
    body = root.find("body")
    if body is None:
        body = etree.SubElement(root, "body")
    first, body.text = body.text, None
    stray[-1].tail = (stray[-1].tail or "") + (first or "")
    body[:0] = stray


def drop(elements: Iterator[html.HtmlElement] | list[html.HtmlElement]) -> None:
    """Takes elements out with all that is in them; the text behind them stays."""
    for element in list(elements):
        if element.getparent() is not None:
            element.drop_tree()


def drop_hidden(root: html.HtmlElement) -> None:
    """Takes out what a browser does not show: scripts, styles, heads, hidden elements."""
    drop(list(root.iter("script", "style", "template", "head", "title", "meta", "link")))
    hidden = [e for e in root.iter() if "hidden" in e.attrib or _HIDDEN.search(e.get("style", ""))]
    drop(hidden)


def words(element: html.HtmlElement) -> str:
    """The text of an element as one line."""
    return one_line("".join(element.itertext()))


def inner(element: html.HtmlElement) -> str:
    """What stands inside an element, as HTML."""
    parts = [escape(element.text or "", quote=False)]
    parts += [html.tostring(child, encoding="unicode", method="html") for child in element]
    return "".join(parts).strip()
