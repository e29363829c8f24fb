"""Plain text made fit for XML, for one line, and for display beside other text.

Every string that leaves this wing has been through here, sanitised HTML included: none holds a
character that XML 1.0 forbids. Nothing here knows markup; that is `html.py`.
"""

import re

from ..memo import Memo

# XML 1.0 §2.2 Char, and C1 controls, which are Windows-1252 read as Latin-1 more often than not
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_LEGAL_ASCII = bytes((*b"\t\n\r", *range(0x20, 0x7F)))
_BLANKS = re.compile(r"\s+")
_LINE_BLANKS = re.compile(r"[^\S\n]+")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\u2028\u2029]")
_MANY_LINES = re.compile(r" ?\n ?(?:\n ?)+")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_OVERRIDES = re.compile("[\u202a-\u202e]")
_ISOLATES = re.compile("[\u2066-\u2069]")


def _as_windows_1252(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0x80 <= code <= 0x9F:
        return bytes((code,)).decode("cp1252", "ignore")
    return ""


def legal(text: str) -> str:
    """Takes out what XML 1.0 forbids, lone surrogates included; stray C1 become Windows-1252."""
    # what is printable is legal, but looked up letter by letter: ASCII is done with before
    rest = text.encode("utf-8", "surrogatepass").translate(None, _LEGAL_ASCII)
    if not rest or rest.decode("utf-8", "surrogatepass").isprintable():
        return text
    return _FORBIDDEN.sub(_as_windows_1252, text)


def clean_text(text: str | None) -> str:
    """Makes one line of plain text: legal characters, single blanks, no loose bidi controls."""
    if not text:
        return ""
    if text.isascii() and text.isprintable():
        # of such characters only the space needs a look
        return " ".join(text.split()) if "  " in text else text.strip()
    text = legal(_LINE_ENDS.sub("\n", text))
    return _BLANKS.sub(" ", _without_bidi(text)).strip()


def clean_lines(text: str) -> str:
    """Makes plain text of several lines: as `clean_text`, but lines and paragraphs stay apart."""
    text = _without_bidi(legal(_LINE_ENDS.sub("\n", text)))
    text = _LINE_BLANKS.sub(" ", text)
    return _MANY_LINES.sub("\n\n", text).replace(" \n", "\n").replace("\n ", "\n").strip()


def _without_bidi(text: str) -> str:
    # An override turns what stands after the title on a page, and hides extensions; embeddings are
    # long superseded by isolates (UAX #9 §2), which stay when each one is closed.
    if text.isascii() or not _BIDI.search(text):
        return text
    text = _OVERRIDES.sub("", text)
    depth = 0
    for control in _ISOLATES.findall(text):
        depth += -1 if control == "\u2069" else 1
        if depth < 0:
            break
    return text if depth == 0 else _ISOLATES.sub("", text)


def first_words(text: str, limit: int = 80) -> str:
    """The first words of a text, at most `limit` characters including the final ellipsis."""
    text = clean_text(text)
    if len(text) <= limit:
        return text
    cut = text[:limit]
    head, blank, _ = cut.rpartition(" ")
    # a script without blanks, or one endless word, is cut where it is
    short = head if blank and len(head) > limit // 2 else cut[: limit - 1]
    return short.rstrip(" ,;:–—-") + "…"


def language(tag: str | None) -> str | None:
    """Writes a language tag as BCP 47 recommends (`en_us` → `en-US`); None if it is not one."""
    return _LANGUAGES[tag] if tag else None


def _language(tag: str) -> str | None:
    match = _LANGUAGE.match(tag.strip().replace("_", "-"))
    if not match or match[1].lower() in _NO_LANGUAGE:
        return None
    first, *rest = match[0].split("-")
    parts = [first.lower()]
    private = False
    for part in rest:
        if not private and len(part) == 4 and part.isalpha():
            parts.append(part.title())
        elif not private and len(part) == 2 and part.isalpha():
            parts.append(part.upper())
        else:
            parts.append(part.lower())
        private = private or len(part) == 1  # after a singleton all is lower case (RFC 5646 §2.1.1)
    return "-".join(parts)


_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:-[A-Za-z0-9]{1,8})*\Z")
_NO_LANGUAGE = frozenset({"und", "mis", "mul", "zxx"})
_LANGUAGES = Memo(_language)
