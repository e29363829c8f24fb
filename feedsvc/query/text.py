"""How text becomes the tokens that words and phrases are compared by.

One function, used for what is indexed, for what is asked and for matching in memory, so that
SQLite, PostgreSQL and `matches` agree by construction. Not for tagging, which needs the case.
A release that folds otherwise indexes anew what is stored (`store.backlog`).
"""

import html
import re
import unicodedata
from itertools import chain

from ..memo import Memo
from ..model import Text

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_MAX_TOKEN = 100
# characters of all texts; the letters of the living scripts but Chinese are a few thousand
_MOST_KNOWN = 50_000
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


# A letter of Latin script that is another one with a mark on it, or two written as one, by its name
# in Unicode. This gives what CLDR's Latin-ASCII and Lucene's ASCIIFoldingFilter list.
_MARKED = re.compile(
    "LATIN (?:SMALL )?(?:LETTER|LIGATURE) (?:SMALL CAPITAL )?"
    "(?:DOTLESS |LONG |OPEN |BARRED |SCRIPT |INSULAR |MIDDLE-WELSH )?"
    "([A-Z]{1,2}|ENG|ETH|KRA|THORN)(?: BAR| DIGRAPH)?(?: WITH .+)?"
)
_LETTERS_CALLED = {"ENG": "n", "ETH": "d", "KRA": "q", "THORN": "th"}
# what is not seen beside format characters (Default_Ignorable_Code_Point of UAX #44), and the sign
# that stretches Arabic words
_IGNORED = frozenset(
    (0x034F, 0x0640, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10))
) | frozenset(range(0xE0100, 0xE01F0))
# letters by category that serve as apostrophes: `Hawai\u02bbi` is `Hawai'i`
_APOSTROPHES = range(0x02B9, 0x02C0)


class _Simple(dict[int, str]):
    """What stands in a token for a decomposed character: `str.translate` asks for it once."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        found = self[code] = _simple(chr(code))
        return found


def _simple(char: str) -> str:
    code, category = ord(char), unicodedata.category(char)
    if unicodedata.combining(char) or category in ("Cf", "Me") or code in _IGNORED:
        return ""
    if category in ("Mn", "Mc"):
        return char  # a vowel, in the scripts of India and Southeast Asia
    if not char.isalnum() or code in _APOSTROPHES:
        return " "
    marked = _MARKED.fullmatch(unicodedata.name(char, ""))
    return _LETTERS_CALLED.get(marked[1], marked[1].lower()) if marked else char


_SIMPLE = _Simple()


def _decomposed(text: str) -> str:
    # decomposing makes new capitals (`™` → `TM`), hence both steps twice
    once = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKD", once.casefold())


def tokens(text: str) -> list[str]:
    """Splits text into runs of letters and digits, without their case and accents.

    `Élysée` and `ELYSEE` fold alike, as do `Łódź` and `lodz`, `œuvre` and `oeuvre`, and a word with
    soft hyphens or joiners in it and one without. Scripts written without spaces (Chinese,
    Japanese, Thai …) give one token a character, so that a phrase finds any substring of them.
    """
    if not text.isascii():
        for sign in _TYPOGRAPHIC:
            text = text.replace(sign, " ")
    if text.isascii():
        words = text.translate(_ASCII).split()
        long = max(map(len, words), default=0) > _MAX_TOKEN
        return [word[:_MAX_TOKEN] for word in words] if long else words
    return list(chain.from_iterable(map(_CHUNKS.__getitem__, text.split())))


def lasting_tokens(text: str) -> list[str]:
    """The tokens that text had in the first release, for what is kept under a digest of them.

    Nobody can make such a digest anew when words are folded otherwise.
    """
    if text.isascii():
        return tokens(text)
    kept = (c for c in _decomposed(text) if not unicodedata.combining(c))
    runs = "".join(c if c.isalnum() else " " for c in kept).split()
    return list(chain.from_iterable(map(_cut, runs)))


def _chunk(text: str) -> tuple[str, ...]:
    """The tokens of what stands between two spaces: no token reaches across one."""
    return tuple(chain.from_iterable(map(_cut, _decomposed(text).translate(_SIMPLE).split())))


def _cut(run: str) -> list[str]:
    """A run of letters and digits as one token, or character by character."""
    if run.isascii() or not _UNSPACED.search(run):
        return [run[:_MAX_TOKEN]]
    found: list[str] = []
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
    return found


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
