"""How an entry's text becomes words that rules and automatic tags look at.

A word keeps its case (a name is told by it) beside its folded form (phrases are compared by it),
and what stands between two words is kept as one of four kinds, so that a phrase never runs across
a full stop. A text is cut at its spaces first: what stands between two has mostly been met before.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, compress
from typing import Final

from ..memo import Memo

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
# the only words with a space in them, and the character that stands for it till they are cut out
_INITIALS = re.compile(r"(?<![^\W_])[A-Z]\.(?: ?[A-Z]\.)+")
_MAYBE_INITIALS = re.compile(r"\. [A-Z]\.")
_GLUE = "\x1f"
_LINE_END = re.compile(r"\n\s*")
_INVISIBLE = ("\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
_FEW = 50
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
    `marks[i]` that itself (a blank after a line break more or less); `capital[i]` says whether the
    word begins with a capital letter; `ends[s]` is where section `s` ends. The last word of a
    section is followed by a STOP.
    """

    words: list[str]
    folded: list[str]
    gaps: list[int]
    marks: list[str]
    capital: list[bool]
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
            self.capital[:size],
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


_KINDS = Memo(_kind)


def _kind_after(word: str, mark: str) -> int:
    """The kind of what follows a word, which may be an abbreviation."""
    kind = _KINDS[mark]
    if kind != _DOT:
        return kind
    initial = len(word) == 1 and word.isupper() and word != "I"
    return JOIN if initial or fold(word) in _ABBREVIATIONS else STOP


# a word, folded, the kind of what follows it, that itself, whether it begins with a capital
_Row = tuple[str, str, int, str, bool]


def _row(word: str, mark: str) -> _Row:
    key = fold(word)
    if "." in key:
        key = key.replace(" ", "").rstrip(".")
    return word, key, _kind_after(word, mark), mark, word[0].isupper()


def _cut(chunk: str) -> tuple[_Row, ...]:
    """The words of what stands between two spaces; signs before the first are a row without one."""
    chunk = chunk.replace(_GLUE, " ")
    found = _WORD.findall(chunk)
    if not found:
        return (("", "", JOIN, chunk + " ", False),)
    rows = [_row(word, mark) for word, mark in found[:-1]]
    word, mark = found[-1]
    rows.append(_row(word, mark + " "))
    lead = chunk[: chunk.index(found[0][0])]
    return (("", "", JOIN, lead, False), *rows) if lead else tuple(rows)


_CUT = Memo(_cut)


def tokenise(sections: Iterable[str]) -> Tokens:
    """Splits sections into words."""
    tokens = Tokens([], [], [], [], [], ())
    ends: list[int] = []
    for section in sections:
        if section:
            _add(tokens, _chunks(section))
        ends.append(len(tokens.words))
    tokens.ends = tuple(ends)
    return tokens


def _chunks(text: str) -> list[str]:
    """Cuts a text at its spaces and behind its line breaks."""
    if not text.isascii():
        for sign in _INVISIBLE:
            if sign in text:
                text = text.replace(sign, "")
        text = unicodedata.normalize("NFC", text)
    if _MAYBE_INITIALS.search(text):
        text = _INITIALS.sub(lambda found: found[0].replace(" ", _GLUE), text)
    return _LINE_END.sub("\n ", text).split(" ")


def _add(tokens: Tokens, chunks: list[str]) -> None:
    """Adds the words of a section."""
    rows = list(chain.from_iterable(map(_CUT.__getitem__, chunks)))
    columns = [list(column) for column in zip(*rows, strict=True)]
    words, _, gaps, marks, _ = columns
    strays = indexes(words, "")
    if strays:
        _hand_over(strays, words, gaps, marks)
        if len(strays) > _FEW:
            columns = [list(compress(column, words)) for column in columns]
        else:
            for column in columns:
                for at in reversed(strays):
                    del column[at]
    words, folded, gaps, marks, capital = columns
    if words:
        marks[-1] = marks[-1][:-1]
        gaps[-1] = STOP
        tokens.words += words
        tokens.folded += folded
        tokens.gaps += gaps
        tokens.marks += marks
        tokens.capital += capital


def indexes(words: list[str], wanted: str) -> list[int]:
    """Where a word stands."""
    found: list[int] = []
    at = -1
    for _ in range(words.count(wanted)):
        at = words.index(wanted, at + 1)
        found.append(at)
    return found


def _hand_over(strays: list[int], words: list[str], gaps: list[int], marks: list[str]) -> None:
    """Adds signs that belong to no word of their chunk to what follows the word before."""
    parts: dict[int, list[str]] = {}
    owner = previous = -1
    for at in strays:
        if at != previous + 1:
            owner = at - 1
        previous = at
        if owner >= 0:
            parts.setdefault(owner, [marks[owner]]).append(marks[at])
    for owner, found in parts.items():
        marks[owner] = "".join(found)
        gaps[owner] = _kind_after(words[owner], marks[owner])
