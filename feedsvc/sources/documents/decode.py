"""Bytes into text without losing any: byte order marks, declared charsets, UTF-8, UTF-16, a guess.

Text that claims to be UTF-8 and is not quite is read as UTF-8 with each stray byte as
Windows-1252, so that one bad byte spoils one character and not the whole document; only where
most bytes are stray, and nothing else was declared, `charset.py` guesses. Line ends become `\\n`;
control characters go. What is no text at all, such as a picture under the name of one, is told by
how much of it is control characters.
"""

import codecs
import re

from ...errors import ParseError
from .charset import guess

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_XML = re.compile(rb"\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]+)[\"']")
_META = re.compile(
    rb"<meta\b[^>]{0,500}?\bcharset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]+)", re.IGNORECASE
)
_HEAD = 16384
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]")
# what browsers read under these names (Encoding Standard §4.2)
_MEANT = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "tis-620": "cp874"}
_MEANT |= {"gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932"}
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
_LENIENT = "feedsvc-windows-1252"
# line ends, tabs and page breaks, the end mark of DOS, and the escapes of terminals and ISO-2022
_NOT_IN_TEXT = re.compile("[\x00-\x06\x0e-\x19\x1c-\x1f\x7f\ufdd0-\ufdef\ufffe\uffff]")
_SOME, _MOST = 4, 0.02
_LOOK = 100_000


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = error.object[error.start : error.end]
    # the five bytes that Windows-1252 leaves open are C1 controls to browsers too
    return "".join(bytes((b,)).decode("cp1252", "ignore") or chr(b) for b in stray), error.end


codecs.register_error(_LENIENT, _as_windows_1252)


def decode(body: bytes, declared: str | None = None) -> str:
    """Reads bytes as text; a byte order mark goes before `declared`, which goes before a guess.

    Never fails: an unknown or wrong charset falls back to UTF-8, then to a guess, then to
    Windows-1252.
    """
    return tidy(_decoded(body, declared))


def decode_document(body: bytes, *, markup: bool = False) -> str:
    """Reads a document that must be text: as `decode`, or as `decode_markup`.

    Raises `ParseError` for a picture, an archive and the like.
    """
    text = _decoded(body, _declared(body) if markup else None)
    looked = text[:_LOOK]
    strange = len(_NOT_IN_TEXT.findall(looked))
    if strange > max(_SOME, len(looked) * _MOST) or body.startswith(b"%PDF-"):
        raise ParseError(
            "is not text but a picture, an archive or the like; remove it, or give it the suffix "
            "that belongs to it"
        )
    return tidy(text)


def _decoded(body: bytes, declared: str | None) -> str:
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, _fallback(encoding))
    named = _known(declared)
    encoding = named or _wide(body) or ("iso2022_jp" if _is_iso_2022(body) else "utf-8")
    if encoding == "cp1252":
        # what is valid UTF-8 is hardly ever anything else, whatever a careless program declared
        encoding = "utf-8"
    try:
        return body.decode(encoding)
    except UnicodeError:
        wide = _wide(body)
        if wide:
            return body.decode(wide, "replace")
        if named in {None, "utf-8"} and _is_not_utf_8(body):
            return _guessed(body)
        return body.decode("utf-8", _LENIENT)


def _guessed(body: bytes) -> str:
    codec = guess(body)
    if codec is not None:
        text = body.decode(codec, "replace")
        # a guess that does not hold for the rest was none
        if text.count("\ufffd") <= len(text) * _MOST:
            return text
    return body.decode("utf-8", _LENIENT)


def _is_not_utf_8(body: bytes) -> bool:
    """Whether more bytes are stray than belong to characters of UTF-8."""
    text = body.decode("utf-8", "replace")
    stray = text.count("\ufffd")
    return stray > sum(map(len, _NOT_ASCII.findall(text))) - stray


def _is_iso_2022(body: bytes) -> bool:
    return b"\x1b$" in body and body.isascii()


def decode_markup(body: bytes) -> str:
    """Reads HTML or XML: as `decode`, with the charset its head declares."""
    return decode(body, _declared(body))


def _declared(body: bytes) -> str | None:
    match = _XML.search(body[:_HEAD]) or _META.search(body[:_HEAD])
    declared = match[1].decode("ascii") if match else None
    # who writes a declaration in single bytes does not mean UTF-16 (HTML §13.2.3.3)
    if declared and declared.lower().startswith(("utf-16", "utf-32", "utf16", "utf32")):
        declared = None
    return declared


def tidy(text: str) -> str:
    """Text with `\\n` as its line ends and without control characters and lone surrogates."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))


def _fallback(encoding: str) -> str:
    return _LENIENT if encoding == "utf-8" else "replace"


def _known(declared: str | None) -> str | None:
    if not declared:
        return None
    try:
        info = codecs.lookup(declared)
    except (LookupError, ValueError):
        return None
    # codecs also knows rot13, base64 and zip, which are none
    if not getattr(info, "_is_text_encoding", True) or info.name in {
        "idna",
        "punycode",
        "undefined",
    }:
        return None
    return _MEANT.get(info.name, info.name)


def _wide(body: bytes) -> str | None:
    """UTF-16 without a byte order mark, known by its zero bytes."""
    sample = body[:2000]
    if len(sample) < 4 or b"\0" not in sample:
        return None
    half = len(sample) // 2
    if sample[1::2].count(0) > half * 0.6 and sample[0::2].count(0) < half * 0.1:
        return "utf-16-le"
    if sample[0::2].count(0) > half * 0.6 and sample[1::2].count(0) < half * 0.1:
        return "utf-16-be"
    return None
