"""How an entry's text becomes words that rules and automatic tags look at.

A word keeps its case (a name is told by it) beside its folded form (phrases are compared by it),
and what stands between two words is kept as one of four kinds, so that a phrase never runs across
a full stop. Markup is merely taken away here; cleaning it for readers is the normaliser's work.
"""

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from ..model import Text

JOIN: Final = 0  # a space or a tight hyphen: the words may be one name
LOOSE: Final = 1  # a possessive, an ampersand, a spaced hyphen: one phrase, but not one name
BREAK: Final = 2  # a comma, a bracket, a dash
STOP: Final = 3  # the end of a sentence, of a heading, of a quotation
_DOT: Final = 4  # a full stop and a space: STOP, unless the word before is an abbreviation

SENTENCE: Final = 0  # capitals mean names
HEADLINE: Final = 1  # Every Word Has One
SHOUT: Final = 2  # EVERY LETTER IS ONE


def word_set(words: str) -> frozenset[str]:
    """A set written as words with spaces between them."""
    return frozenset(words.split())


_WORD = re.compile(
    r"([A-Z]\.(?: ?[A-Z]\.)+|[A-Z](?:\.[A-Z])+\b|[^\W_]+(?:['’][^\W\d_]{2,})*)"
    r"((?:['’]s\b)?[\W_]*)"
)
_TAG = re.compile(r"<(!--.*?(?:-->|\Z)|[^<>]*>)", re.DOTALL)
_TAG_NAME = re.compile(r"/?\s*([a-zA-Z][a-zA-Z0-9]*)")
_HIDDEN = frozenset(("script", "style", "template", "noscript", "svg", "math"))
_INLINE = word_set(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp"
    " small span strike strong sub sup time tt u var wbr"
)
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_MOST_CHARACTERS = 500_000
_JOINERS = frozenset(("", "-", "‐", "‑"))
_LOOSE_JOINERS = frozenset(("-", "&", "/", ".", "'", "’", "+"))
_ABBREVIATIONS = word_set(
    "mr mrs ms dr st mt ft gov sen sens rep reps gen lt col sgt capt cmdr adm maj cpl pvt"
    " brig prof rev hon fr sr jos messrs det supt insp no vs warner bros n.y wm geo"
)
# short words that stay small in headlines; any longer small word says that capitals mean names
_SMALL = word_set(
    "with from over after into than that amid upon their your when what this have been will"
    " near against between before under about around through during without where while"
    " within"
)


def plain(text: Text | None) -> str:
    """The words of a text construct without markup; block elements become line breaks.

    Half a million characters are read at most.
    """
    if text is None:
        return ""
    value = text.value[:_MOST_CHARACTERS]
    if text.type == "text":
        return value
    if "<" not in value:
        return html.unescape(value)
    out: list[str] = []
    hidden = ""
    for index, part in enumerate(_TAG.split(value)):
        if index % 2 == 0:
            if not hidden:
                out.append(part)
            continue
        match = _TAG_NAME.match(part)
        name = match[1].lower() if match else "!"
        if hidden:
            if name == hidden and part.startswith("/"):
                hidden = ""
        elif name in _HIDDEN and not part.startswith("/") and not part.endswith("/>"):
            hidden = name
        elif name not in _INLINE and name != "!":
            out.append("\n")
    return html.unescape("".join(out))


def fold(word: str) -> str:
    """Lower-cases and drops accents."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).replace("’", "'")


@dataclass(slots=True)
class Tokens:
    """The words of several sections (title, summary, body) in one row.

    `words` are as written, `folded` as compared; `gaps[i]` is the kind of what follows word `i`,
    `marks[i]` that itself; `ends[s]` is where section `s` ends. The last word of a section is
    followed by a STOP.
    """

    words: list[str]
    folded: list[str]
    gaps: list[int]
    marks: list[str]
    ends: tuple[int, ...]
    _stops: list[int] | None = None
    _styles: dict[int, int] = field(default_factory=dict)

    def head(self, size: int) -> "Tokens":
        """The first words alone."""
        if size >= len(self.words):
            return self
        gaps = self.gaps[:size]
        if gaps:
            gaps[-1] = STOP
        return Tokens(
            self.words[:size],
            self.folded[:size],
            gaps,
            self.marks[:size],
            tuple(min(end, size) for end in self.ends),
        )

    def written(self, start: int, end: int) -> str:
        """Words as they stand in the text, hyphens and apostrophes kept."""
        parts: list[str] = []
        for at in range(start, end):
            parts.append(self.words[at])
            if at + 1 < end:
                mark = self.marks[at].strip()
                parts.append(mark if mark == self.marks[at] and mark in _JOINERS else " ")
        return "".join(parts)

    def capital(self, index: int) -> bool:
        """Whether a word begins with a capital letter."""
        return self.words[index][0].isupper()

    def starts_sentence(self, index: int) -> bool:
        """Whether a word is the first of its sentence."""
        return index == 0 or self.gaps[index - 1] == STOP

    def sentence(self, index: int) -> tuple[int, int]:
        """Where the sentence a word stands in begins, and where the next one does."""
        if self._stops is None:
            self._stops = [0, *(at + 1 for at, gap in enumerate(self.gaps) if gap == STOP)]
        number = bisect_right(self._stops, index)
        return self._stops[number - 1], self._stops[number]

    def style(self, index: int) -> int:
        """How capitals are used in the sentence of a word: SENTENCE, HEADLINE or SHOUT."""
        first, last = self.sentence(index)
        style = self._styles.get(first)
        if style is None:
            style = self._styles[first] = _style(self.words[first:last])
        return style

    def section(self, index: int) -> int:
        """The number of the section a word stands in."""
        for number, end in enumerate(self.ends):
            if index < end:
                return number
        return len(self.ends) - 1


def _style(words: list[str]) -> int:
    letters = [w for w in words if w[0].isalpha()]
    long = [w for w in letters if len(w) > 1]
    if len(long) > 2 and all(w.isupper() for w in long):
        return SHOUT
    for word in letters:
        if len(word) > 3 and word.islower() and word not in _SMALL:
            return SENTENCE
    return HEADLINE


@lru_cache(maxsize=4096)
def _kind(gap: str) -> int:
    possessive = gap[:1] in ("'", "’") and gap[1:2] == "s"
    if possessive:
        gap = gap[2:]
    core = gap.strip(" \u00a0\t")
    if not core:
        return LOOSE if possessive else JOIN
    if core == gap and core in _JOINERS:
        return JOIN
    if core in _LOOSE_JOINERS and (core != "." or gap == "."):
        return BREAK if core in "'’" and core != gap else LOOSE
    if core == "." and not possessive:
        return _DOT
    return STOP if any(c in '.!?:;…\n\r\u2028\u2029"“”«»`|•·' for c in core) else BREAK


def tokenise(sections: Iterable[str], limit: int | None = None) -> Tokens:
    """Splits sections into words; each section is cut after `limit` characters, if given."""
    words: list[str] = []
    folded: list[str] = []
    gaps: list[int] = []
    marks: list[str] = []
    ends: list[int] = []
    for section in sections:
        text = section if limit is None else section[:limit]
        if not text.isascii():
            text = unicodedata.normalize("NFC", text.translate(_INVISIBLE))
        found = _WORD.findall(text)
        if found:
            some = [word for word, _ in found]
            between = [gap for _, gap in found]
            kinds = [_kind(gap) for gap in between]
            kinds[-1] = STOP
            words += some
            marks += between
            gaps += kinds
            if text.isascii():
                folded += [word.lower() for word in some]
            else:
                folded += [fold(word) for word in some]
        ends.append(len(words))
    for index, kind in enumerate(gaps):
        if kind == _DOT:
            word = words[index]
            initial = len(word) == 1 and word.isupper() and word != "I"
            gaps[index] = JOIN if initial or folded[index] in _ABBREVIATIONS else STOP
    for index, word in enumerate(folded):
        if "." in word:
            folded[index] = word.replace(" ", "").rstrip(".")
    return Tokens(words, folded, gaps, marks, tuple(ends))
