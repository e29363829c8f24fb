"""How a text construct becomes plain text for tagging.

Markup is merely taken away here; cleaning it for readers is the normaliser's work.
"""

import html
import re
from typing import Final

from ..memo import Memo
from ..model import Text
from .text import word_set

_MOST_CHARACTERS = 500_000
_TAG = re.compile(
    r"<((?:/?\s*+[a-zA-Z][a-zA-Z0-9]*+)?+)(?:(?<=<)!--.*?(?:-->|\Z)|[^<>]*+>)", re.DOTALL
)
_HIDDEN = frozenset(("script", "style", "template", "noscript", "svg", "math"))
_INLINE = word_set(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp"
    " small span strike strong sub sup time tt u var wbr"
)
_HIDES: Final = "<"


def plain(text: Text | None) -> str:
    """The words of a text construct without markup; block elements become line breaks.

    Half a million characters are read at most.
    """
    if text is None:
        return ""
    value = text.value[:_MOST_CHARACTERS]
    if text.type == "text":
        return value
    if "<" in value:
        parts = _TAG.split(value)
        instead = list(map(_INSTEAD.__getitem__, parts[1::2]))
        if _HIDES in instead:
            value = _shown(value)
        else:
            parts[1::2] = instead
            value = "".join(parts)
    return html.unescape(value)


def _instead(tag: str) -> str:
    """What stands for a tag, given as its name, with a slash before it at an element's end."""
    name = tag.removeprefix("/").strip().lower()
    if name in _HIDDEN and not tag.startswith("/"):
        return _HIDES
    return "" if not name or name in _INLINE else "\n"


_INSTEAD = Memo(_instead)


def _shown(value: str) -> str:
    """Takes tags away together with the elements whose content nobody sees."""
    out: list[str] = []
    hidden = ""
    at = 0
    for match in _TAG.finditer(value):
        tag = match[1]
        if not hidden:
            out.append(value[at : match.start()])
        at = match.end()
        if hidden:
            if tag.startswith("/") and tag[1:].strip().lower() == hidden:
                hidden = ""
        elif _INSTEAD[tag] != _HIDES:
            out.append(_INSTEAD[tag])
        elif match[0].endswith("/>"):
            out.append("\n")
        else:
            hidden = tag.strip().lower()
    if not hidden:
        out.append(value[at:])
    return "".join(out)
