"""Elements of other vocabularies made fit to go out again: plain texts, absolute addresses, no more
of them than an entry can bear, and nothing that the entry says already.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence

import msgspec

from ..vocabulary import TEXTS, VOLATILE, Extension
from .elements import in_form
from .html import plain
from .places import misplaced, sound_text, sound_value
from .text import clean_lines, clean_text
from .urls import SCHEMES, clean_url

_MAX_ELEMENTS = 500
_MAX_TEXT = 20_000
_MAX_VALUE = 8_000
_NAME = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
_ADDRESSES = frozenset({"accountUrl", "feedUrl", "href", "image", "img", "src", "uri", "url"})
_ADDRESS_TEXTS = frozenset({"wfw:comment", "prism:url"})
_SCRIPT = re.compile(r"[\x00-\x20]*(?:javascript|vbscript|data)\s*:", re.IGNORECASE)
_MARKUP = re.compile(r"<[A-Za-z/!]|&(?:#\d+|#[xX][0-9A-Fa-f]+|[A-Za-z]+\d*);")
_encode = msgspec.json.Encoder().encode


def extensions(
    found: Sequence[Extension], base: str | None, said: Iterable[str] = ()
) -> tuple[Extension, ...]:
    """Cleans what an entry carries of other vocabularies, in its order.

    `base` is what addresses are relative to; `said` are the entry's own texts, in plain text: an
    element that only repeats one of them goes.
    """
    if not found:
        return ()
    known = frozenset(" ".join(text.split()) for text in said)
    left = [_MAX_ELEMENTS]
    return _clean(found, base, known, left, ())


def tells(found: Iterable[Extension]) -> bool:
    """Whether one of the elements is a text that may repeat what the entry says."""
    return any(one.name in TEXTS or (one.children and tells(one.children)) for one in found)


def _clean(
    found: Iterable[Extension],
    base: str | None,
    known: frozenset[str],
    left: list[int],
    within: tuple[str, ...],
) -> tuple[Extension, ...]:
    kept: list[Extension] = []
    for one in found:
        if left[0] <= 0:
            break
        left[0] -= 1
        if misplaced(one, within):
            continue
        text = sound_text(one.name, _text(one, base))
        if one.name in TEXTS and text and " ".join(text.split()) in known:
            text = None
        attributes = tuple(
            (name, clean)
            for name, value in one.attributes
            if _NAME.match(name) and (clean := _value(name, value, base))
        )
        children = _clean(one.children, base, known, left, (*within, one.name))
        # what stands in a text by mistake stands beside it
        inside, beside = ((), children) if one.name in TEXTS else (children, ())
        if inside or text or (attributes and one.name not in TEXTS):
            made = Extension(name=one.name, text=text, attributes=attributes, children=inside)
            if (sound := in_form(made)) is not None:
                kept.append(sound)
        kept.extend(beside)
    return tuple(kept)


def _text(one: Extension, base: str | None) -> str | None:
    if not one.text:
        return None
    if one.text.isalnum() and one.text.isascii() and len(one.text) < 100:
        return one.text  # most are numbers
    if one.name in _ADDRESS_TEXTS:
        return clean_url(one.text, base)
    text = one.text[:_MAX_TEXT]
    return clean_lines(plain(text) if _MARKUP.search(text) else text) or None


def _value(name: str, value: str, base: str | None) -> str | None:
    if name in _ADDRESSES:
        return clean_url(value, base, schemes=SCHEMES)
    if len(value) > _MAX_VALUE or _SCRIPT.match(value):
        return None
    return sound_value(name, clean_text(value)) or None


def imprint(kept: Sequence[Extension], texts: Sequence[str] = ()) -> str:
    """A short digest of what else is to be kept; empty if there is nothing.

    That is the elements, but for counts that change by themselves, and the white space of `texts`.
    """
    lasting = [one for one in kept if one.name not in VOLATILE]
    blanks = [text for text in texts if len(text.split(None, 1)) > 1]
    if not lasting and not blanks:
        return ""
    return hashlib.blake2b(_encode((lasting, blanks)), digest_size=6).hexdigest()
