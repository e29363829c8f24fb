"""E-mail: a message or newsletter as a `.eml` file (RFC 5322, MIME).

HTML goes before plain text where a part offers both; parts that follow one another are joined.
Attachments and pictures inside the message are left out. The Message-ID names the entry as a
`mid:` URI (RFC 2392); `Archived-At` (RFC 5064) is its page, `List-Archive` and `List-Post` (RFC
2369) are links, and the name in `List-Id` (RFC 2919) is a tag.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses
from html import escape
from urllib.parse import quote

from ...errors import ParseError
from ...model import Link, ParsedEntry, Person, Text
from .base import Contents, Document, one, one_line, short_title, title_of, unique
from .dates import parse_date
from .decode import decode, decode_markup
from .markup import drop, drop_hidden, inner, parse
from .text import paragraphs

_ADDRESS = re.compile(r"<\s*([^<>\s]+)\s*>")
_WORD = r"=\?[^?\s]+\?[bBqQ]\?[^?]*\?="
_ENCODED = re.compile(rf"{_WORD}(?:\s+{_WORD})*")
_COMMENT = re.compile(r"\s*\([^()]*\)\s*$")
_DEEPEST = 20
_LONGEST = 8192
_MID = "@!$&'()*+,;=-._~"


def read_mail(document: Document) -> Contents:
    """Reads a `.eml` document. Raises `ParseError` when it has none of a message's headers."""
    # the modern policies parse header fields, which raises on real mail and is quadratic
    message = message_from_bytes(document.body)
    subject = one_line(_header(message, "Subject"))
    sender, date = _raw(message, "From"), _header(message, "Date")[:200]
    if not (subject or sender or date):
        raise ParseError("it is no e-mail message: it has neither Subject, From nor Date")
    content = "\n".join(_bodies(message, 0)).strip()
    published = parse_date(_COMMENT.sub("", date))
    problems = () if published or not date else (f"its Date is not one: {date[:60]}",)
    return one(
        ParsedEntry(
            uid=_mid(_header(message, "Message-ID")),
            title=Text(value=short_title(subject) or title_of(document.path)),
            links=tuple(_links(message)),
            content=Text(value=content, type="html") if content else None,
            authors=tuple(_people(sender)),
            tags=tuple((tag, "front-matter") for tag in _tags(message)),
            published=published,
            published_text=date or None,
            lang=_header(message, "Content-Language").partition(",")[0].strip() or None,
        ),
        *problems,
    )


def _raw(message: Message, name: str) -> str:
    """A header field unfolded, its encoded words as they are; empty if there is none."""
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            text = str(value)
            if not text.isascii():
                # bytes that should have been encoded words
                text = decode(text.encode("utf-8", "surrogateescape"))
            return re.sub(r"\r?\n", "", text)[:_LONGEST]
    return ""


def _header(message: Message, name: str) -> str:
    """A header field as people read it (RFC 2047)."""
    return _decoded(_raw(message, name))


def _decoded(raw: str) -> str:
    return _ENCODED.sub(_decode_words, raw).strip()


def _decode_words(match: re.Match[str]) -> str:
    try:
        parts = decode_header(match[0])
    except (HeaderParseError, ValueError):
        return match[0]
    return "".join(x if isinstance(x, str) else decode(x, charset) for x, charset in parts)


def _people(field: str) -> Iterator[Person]:
    """The people of an address field; one that breaks the rules is a name as a whole."""
    found = False
    try:
        parsed = getaddresses([field])
    except RecursionError:
        # comments in comments
        parsed = []
    for name, address in parsed:
        said = one_line(_decoded(name)) or address
        if said:
            found = True
            yield Person(name=said, email=address if "@" in address else None)
    if not found and field.strip():
        yield Person(name=one_line(_decoded(field)))


def _mid(field: str) -> str | None:
    match = _ADDRESS.search(field)
    said = match[1] if match else field.strip()
    return f"mid:{quote(said, safe=_MID)}" if said else None


def _links(message: Message) -> Iterator[Link]:
    for name, rel in (
        ("Archived-At", "alternate"),
        ("List-Archive", "archives"),
        ("List-Post", "replies"),
    ):
        for href in _ADDRESS.findall(_header(message, name)):
            if href.lower().startswith(("http://", "https://", "mailto:")):
                yield Link(href=href, rel=rel)
                break


def _tags(message: Message) -> tuple[str, ...]:
    """The list's name, and the message's own keywords."""
    name = _ADDRESS.sub("", _header(message, "List-Id")).strip().strip('"')
    return unique([name, *_header(message, "Keywords").split(",")])


# -- the text ----------------------------------------------------------------------------


def _bodies(part: Message, depth: int) -> Iterator[str]:
    """The texts of a message part for people to read, as HTML."""
    if depth > _DEEPEST or part.get_content_disposition() == "attachment":
        return
    kind = part.get_content_type()
    children = part.get_payload() if part.is_multipart() else None
    if isinstance(children, list):
        parts = [child for child in children if isinstance(child, Message)]
        if kind == "message/rfc822":
            yield from _forwarded(parts, depth)
        elif kind == "multipart/alternative":
            yield from _best(parts, depth)
        elif kind == "multipart/related":
            # what follows the first part are the pictures it shows
            yield from next(filter(None, (list(_bodies(p, depth + 1)) for p in parts)), [])
        else:
            for child in parts:
                yield from _bodies(child, depth + 1)
    else:
        yield from filter(None, [_leaf(part, kind)])


def _leaf(part: Message, kind: str) -> str:
    if kind in {"text/html", "application/xhtml+xml"}:
        return _html(_text(part, markup=True))
    return _plain(part) if kind in {"text/plain", "text/markdown", "text/enriched"} else ""


def _best(parts: list[Message], depth: int) -> list[str]:
    """The alternative to show: HTML before plain text, and either only if it says something."""
    found = [(part, list(_bodies(part, depth + 1))) for part in parts]
    said = [(part, bodies) for part, bodies in found if bodies]
    for part, bodies in said:
        if part.get_content_type() != "text/plain":
            return bodies
    return said[0][1] if said else []


def _forwarded(messages: list[Message], depth: int) -> Iterator[str]:
    for message in messages:
        subject = escape(one_line(_header(message, "Subject")), quote=False)
        heading = f"<p><strong>{subject}</strong></p>\n" if subject else ""
        text = "\n".join(_bodies(message, depth + 1))
        if heading or text:
            yield f"<blockquote>{heading}{text}</blockquote>"


def _text(part: Message, *, markup: bool = False) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset()
    return decode_markup(payload) if markup and not charset else decode(payload, charset)


def _html(text: str) -> str:
    """The body of an HTML part without what is hidden, and without pictures sent along."""
    root = parse(text)
    if root is None:
        return ""
    bodies = root.xpath("//body")
    body = bodies[0] if bodies else root
    drop_hidden(body)
    for image in list(body.iter("img")):
        if (image.get("src") or "").strip().lower().startswith("cid:"):
            image.tail = (image.get("alt") or "") + (image.tail or "")
            drop([image])
    return inner(body)


def _plain(part: Message) -> str:
    text = _text(part)
    if part.get_param("format") == "flowed":
        text = _unflowed(text, del_space=str(part.get_param("delsp")).lower() == "yes")
    # what follows is a signature (RFC 3676 §4.3); it is text all the same
    return paragraphs(text.replace("\n-- \n", "\n\n-- \n"))


def _unflowed(text: str, *, del_space: bool) -> str:
    """Joins the lines that format=flowed wrapped (RFC 3676 §4.2); quoted ones stay apart."""
    lines: list[str] = []
    open_ = False
    for raw in text.split("\n"):
        quoted = raw.startswith(">")
        line = raw.removeprefix(" ") if not quoted else raw
        if open_ and not quoted and raw:
            lines[-1] += line
        else:
            lines.append(line)
        open_ = line.endswith(" ") and not quoted and line != "-- "
        if open_ and del_space:
            lines[-1] = lines[-1].removesuffix(" ")
    return "\n".join(lines)
