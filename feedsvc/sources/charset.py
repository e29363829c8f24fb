"""What characters a document is written in: its bytes recoded to UTF-8, whatever they say of it.

feedparser decides for most documents; here is what it takes for something else than it is.
"""

import codecs
import re
from collections.abc import Mapping

from feedparser.encodings import convert_to_utf8

from ..errors import ParseError

_CHARSET = re.compile(rb"\A[^>]{0,200}?\b(?:encoding|charset)\s*=\s*[\"']?([\w.:-]+)")
# what is written under these names is often of the wider repertoire (Encoding Standard §4.2)
_WIDER = {
    "shift-jis": "cp932",
    "euc-jp": "euc_jis_2004",
    "euc-kr": "cp949",
    "big5": "big5hkscs",
    "gb2312": "gb18030",
    "gbk": "gb18030",
}
_MOST_STRAY = 0.01
_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WIDE = {
    b"<\0\0\0": "utf-32-le",
    b"\0\0\0<": "utf-32-be",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
_XML = re.compile(r"\A<\?xml[^>]*\?>\s*")
_UTF8 = b"<?xml version='1.0' encoding='utf-8'?>\n"
# Python knows these as encodings, but no document is written in them; decoding some never ends
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})


def to_utf8(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Recodes a document to UTF-8 with a declaration that says so (RFC 7303 §3).

    Header names in lower case; only Content-Type counts. Raises `ParseError` when the encoding is
    not one of documents.
    """
    content_type = headers.get("content-type")
    for place in ((content_type or "").encode("ascii", "replace"), body[:400].replace(b"\0", b"")):
        match = _CHARSET.match(place)
        if match and _codec(match[1].decode("ascii", "replace")) in _NO_CHARSETS:
            raise ParseError(f"its encoding {match[1].decode('ascii')!r} is not one for documents")
    wider = _wider(body, content_type or "")
    if wider is not None:
        body, content_type = wider, "application/xml; charset=utf-8"
    try:
        known = {"content-type": content_type} if content_type else {}
        data = bytes(convert_to_utf8(known, body, {}))
        # where it says that it is in one encoding and its very first bytes show that it is not
        return (b"\0" in data[:100] and _wide(body)) or data
    except (UnicodeError, ValueError) as error:
        raise ParseError(f"its encoding cannot be made out: {error}") from error


def _wider(body: bytes, content_type: str) -> bytes | None:
    """A document as UTF-8 that declares an East Asian charset and does not keep to it quite.

    Or one under a name that only browsers know (`x-sjis`); None for every other. One stray byte
    must not have all of it read in another charset.
    """
    places = (content_type.encode("ascii", "replace"), body[:400])
    names = (match[1].decode("ascii", "replace") for match in map(_CHARSET.match, places) if match)
    name = next(names, "")
    plain = name.lower().removeprefix("x-")
    codec = _codec(plain)
    if codec not in _WIDER and (plain == name.lower() or not codec):
        return None
    try:
        if plain == name.lower():
            body.decode(codec)
            return None
    except UnicodeDecodeError:
        pass
    text = body.decode(_WIDER.get(codec, codec), "replace")
    stray = text.count("\N{REPLACEMENT CHARACTER}")
    return text.encode() if stray <= len(text) * _MOST_STRAY else None


def _wide(body: bytes) -> bytes | None:
    """A document whose characters are of two or four bytes, as its first ones show."""
    for bom in _BOMS:
        if body.startswith(bom):
            body = body[len(bom) :]
            break
    for start, encoding in _WIDE.items():
        if body.startswith(start):
            text = _XML.sub("", body.decode(encoding, "replace"))
            return _UTF8 + text.encode("utf-8", "replace")
    return None


def _codec(name: str) -> str:
    try:
        return codecs.lookup(name).name.replace("_", "-")
    except (LookupError, ValueError):
        return ""
