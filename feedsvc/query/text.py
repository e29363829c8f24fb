"""How text becomes the tokens that words and phrases are compared by.

One function, used for what is indexed, for what is asked and for matching in memory, so that
SQLite, PostgreSQL and `matches` agree by construction. Not for tagging, which needs the case.
"""

import html
import re
import unicodedata
from itertools import chain

from ..memo import Memo
from ..model import Text

_RUN = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_MAX_TOKEN = 100
# In sanitised HTML every `<` outside a comment opens a tag and every attribute value is quoted.
_MARKUP = re.compile(
    r"""<!--.*?-->|</?([a-zA-Z][a-zA-Z0-9]*)(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""", re.DOTALL
)
_INLINE = frozenset(
    (
        *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "del", "em", "font", "i"),
        *(
            "ins",
            "kbd",
            "mark",
            "q",
            "s",
            "samp",
            "small",
            "span",
            "strike",
            "strong",
            "sub",
            "sup",
        ),
        *("time", "tt", "u", "var", "wbr"),
    )
)
# most text is ASCII, where looking letters up is five times as fast as matching them
# and most of the rest has but these that are not
_TYPOGRAPHIC = "\xa0‘’“”–—…"
_ASCII = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}


def fold(text: str) -> str:
    """Lower-cases and drops accents: `Élysée` and `ELYSEE` fold alike."""
    if text.isascii():
        return text.lower()
    # decomposing makes new capitals (`™` → `TM`), hence both steps twice
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    decomposed = unicodedata.normalize("NFKD", decomposed.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def tokens(text: str) -> list[str]:
    """Splits text into folded runs of letters and digits.

    Scripts written without spaces (Chinese, Japanese, Thai …) give one token a character, so that
    a phrase finds any substring of them.
    """
    if not text.isascii():
        for sign in _TYPOGRAPHIC:
            text = text.replace(sign, " ")
    if text.isascii():
        words = text.translate(_ASCII).split()
        long = max(map(len, words), default=0) > _MAX_TOKEN
        return [word[:_MAX_TOKEN] for word in words] if long else words
    return list(chain.from_iterable(map(_CHUNKS.__getitem__, text.split())))


def _chunk(text: str) -> tuple[str, ...]:
    """The tokens of what stands between two spaces: no token reaches across one."""
    found: list[str] = []
    for run in _RUN.findall(fold(text)):
        if run.isascii() or not _UNSPACED.search(run):
            found.append(run[:_MAX_TOKEN])
            continue
        word = ""
        for char in run:
            if _UNSPACED.match(char):
                if word:
                    found.append(word[:_MAX_TOKEN])
                    word = ""
                found.append(char)
            else:
                word += char
        if word:
            found.append(word[:_MAX_TOKEN])
    return tuple(found)


_CHUNKS = Memo(_chunk)


def plain(text: Text | None) -> str:
    """The words of a text construct without their markup; empty for None.

    Tags that begin a new block part words, those within a line do not (`<b>I</b>stanbul`). The
    HTML is sanitised: scripts and styles are gone.
    """
    if text is None:
        return ""
    if text.type == "text":
        return text.value
    # texts, and between them the names of the tags (None: a comment)
    parts = _MARKUP.split(text.value)
    parts[1::2] = ["" if name and name.lower() in _INLINE else " " for name in parts[1::2]]
    return html.unescape("".join(parts))
