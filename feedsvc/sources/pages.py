"""The article on a web page: its text, without what stands round it.

trafilatura tells which text of a page is the article. Where our own reading of pages
(`documents/html.py`), which keeps figures, players, tables and code as they are written, finds the
same text, its markup is used; else trafilatura's. Pure, and run in a parser process.
"""

import codecs
import mimetypes
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import html as lxml_html

from ..errors import ParseError
from .documents.base import Document
from .documents.decode import decode, decode_markup
from .documents.html import read_html
from .documents.markup import parse, words
from .fields import join

ACCEPT = "text/html, application/xhtml+xml, */*;q=0.1"
# pages beyond this are programs or data; an article of this size would be a thick book
MAX_BYTES = 8 * 2**20

_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/xml", "text/xml", ""})
_MEDIA = frozenset({"audio", "font", "image", "video"})
_FILES = frozenset({"application/epub+zip", "application/pdf", "application/zip"})
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]+)", re.IGNORECASE)
_PIECE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article as HTML that nobody has cleaned yet; relative URLs are relative to `base`."""

    html: str
    base: str
    lang: str | None = None


def may_be_page(url: str) -> bool:
    """Whether an address may be that of a page: not if its name is that of a recording or the like.

    Nobody wants to fetch an hour of sound to find that it has no text.
    """
    kind = mimetypes.guess_type(urlsplit(url).path)[0] or ""
    return kind.partition("/")[0] not in _MEDIA and kind not in _FILES


def read_article(body: bytes, *, url: str, content_type: str | None = None) -> Article:
    """Finds the article on a page that came from `url`.

    Raises `ParseError` saying what is there instead.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type not in _HTML_TYPES or body.startswith(b"%PDF-"):
        raise ParseError(f"it is no web page but {media_type or 'something else'}")
    if len(body) > MAX_BYTES:
        raise ParseError(f"the page is larger than {MAX_BYTES >> 20} MiB")
    charset = _CHARSET.search(content_type or "")
    text = decode(body, charset[1]) if charset else decode_markup(body)
    root = parse(text)
    if root is None:
        raise ParseError("the page is empty")
    base = next((join(url, e.get("href")) for e in root.iter("base") if e.get("href")), None) or url
    lang = root.get("lang") or root.get("xml:lang")
    ours, theirs = _ours(text), _theirs(text, url)
    html = ours if ours and (theirs is None or _same(ours, theirs)) else theirs
    if not html:
        raise ParseError("the page holds no text that could be an article")
    return Article(html=html, base=base, lang=lang)


def _ours(text: str) -> str | None:
    # the mark goes before what charset the page declares: it has been read in that already
    body = codecs.BOM_UTF8 + text.encode()
    try:
        (entry,) = read_html(Document(path="page.html", body=body)).entries
    except ParseError:
        return None
    return entry.content.value if entry.content else None


def _theirs(text: str, url: str) -> str | None:
    from trafilatura import extract  # takes its time, and few sources need it

    try:
        found: str | None = extract(
            text,
            url=url,
            output_format="html",
            include_comments=False,
            include_formatting=True,
            include_images=True,
            include_links=True,
            include_tables=True,
        )
    except MemoryError:
        raise
    except Exception:
        # a page it trips over may still be one that we can read
        return None
    root = parse(found) if found else None
    body = root.find("body") if root is not None else None
    if body is None or not words(body):
        return None
    return "".join(lxml_html.tostring(child, encoding="unicode") for child in body)


def _same(ours: str, theirs: str) -> bool:
    """Whether two cuts of a page are one article; ours may have less of what stands round it."""
    mine, other = _pieces(ours), _pieces(theirs)
    common = len(mine & other)
    if common >= 0.8 * len(mine) and common >= 0.5 * len(other):
        return True
    return common >= 0.9 * len(other) and len(mine) <= 1.3 * len(other)


def _pieces(html: str) -> frozenset[str]:
    """The pieces of equal length of a text, which are found alike in any script.

    Each counts once: what stands there twice trafilatura may give once.
    """
    root = parse(html)
    text = "".join(words(root).split()) if root is not None else ""
    return frozenset(text[at : at + _PIECE] for at in range(max(len(text) - _PIECE + 1, 1)))
