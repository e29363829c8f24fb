"""How an entry's text becomes words that rules and automatic tags look at.

A word keeps its case (a name is told by it) beside its folded form (phrases are compared by it),
and what stands between two words is kept as one of four kinds, so that a phrase never runs across
a full stop. A text is cut at its spaces first: what stands between two has mostly been met before.
Of each word one character tells what of all that is looked for it may be part of, so that a text is
searched for that at once (`sorts`).
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from itertools import chain, compress
from operator import itemgetter
from typing import Final

from ..memo import Memo

JOIN: Final = 0  # a space or a tight hyphen: the words may be one name
LOOSE: Final = 1  # a possessive, an ampersand, a spaced hyphen: one phrase, but not one name
BREAK: Final = 2  # a comma, a bracket, a dash
STOP: Final = 3  # the end of a sentence, of a heading, of a quotation
_DOT: Final = 4  # a full stop and a space: STOP, unless the word before is an abbreviation

# sorts of words, and the sum of those that a word belongs to as one character
CAPITAL: Final = 1  # it begins with a capital
NAME: Final = 2  # it may begin a name of the lists
TOPIC: Final = 4  # it speaks for a topic
LONGER: Final = 8  # it may begin a phrase of several words that does
SECOND: Final = 16  # it may be the second word of one
PARTICLE: Final = 32  # it may stand within a person's name
LAST: Final = 64  # it ends a sentence
_CALM: Final = 128  # no headline would write it so small

# columns of a row
WORD: Final = 0
KEY: Final = 1
GAP: Final = 2
MARK: Final = 3
IS_CAPITAL: Final = 4
_SORT: Final = 5

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


# a word, folded, the kind of what follows it, that itself, whether it begins with a capital, sorts
Row = tuple[str, str, int, str, bool, str]


def any_of(sorts: int) -> frozenset[str]:
    """The characters in `Tokens.sorts` of words that belong to any of some sorts."""
    return frozenset(chr(sum) for sum in range(256) if sum & sorts)


def sorted_as(sorts: int) -> str:
    """`any_of` as a class for regular expressions."""
    return f"[{''.join(map(re.escape, sorted(any_of(sorts))))}]"


_LAST_WORD = re.compile(sorted_as(LAST))
_CALM_WORD = re.compile(sorted_as(_CALM))


class Tokens:
    """The words of several sections (title, summary, body) in one row.

    `words` are as written, `folded` as compared; `gaps[i]` is the kind of what follows word `i`,
    `marks[i]` that itself (a blank after a line break more or less); `capital[i]` says whether the
    word begins with a capital letter; `ends[s]` is where section `s` ends. The last word of a
    section is followed by a STOP. `rows` have all of that word by word: who looks at a few words
    only takes it from there.
    """

    def __init__(self, rows: list[Row], sorts: str, ends: tuple[int, ...]) -> None:
        self.rows = rows
        self.sorts = sorts
        self.ends = ends
        self._styles: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def words(self) -> list[str]:
        return [row[0] for row in self.rows]

    @cached_property
    def folded(self) -> list[str]:
        return [row[1] for row in self.rows]

    @cached_property
    def gaps(self) -> list[int]:
        return [row[2] for row in self.rows]

    @cached_property
    def marks(self) -> list[str]:
        return [row[3] for row in self.rows]

    @cached_property
    def capital(self) -> list[bool]:
        return [row[4] for row in self.rows]

    def head(self, size: int) -> "Tokens":
        """The first words alone."""
        if size >= len(self.rows):
            return self
        rows = self.rows[:size]
        if rows:
            rows[-1] = _followed(rows[-1], rows[-1][MARK], STOP)
        sorts = "".join(map(itemgetter(_SORT), rows))
        return Tokens(rows, sorts, tuple(min(end, size) for end in self.ends))

    def places(self, pattern: re.Pattern[str]) -> list[int]:
        """Where words of some sorts stand, or begin: a pattern made of `sorted_as`."""
        return [match.start() for match in pattern.finditer(self.sorts)]

    def written(self, start: int, end: int) -> str:
        """Words as they stand in the text, hyphens and apostrophes kept."""
        parts: list[str] = []
        for row in self.rows[start:end]:
            mark = row[MARK].strip()
            parts += row[WORD], (mark if mark == row[MARK] and mark in _JOINERS else " ")
        return "".join(parts[:-1])

    def starts_sentence(self, index: int) -> bool:
        """Whether a word is the first of its sentence."""
        return index == 0 or self.rows[index - 1][GAP] == STOP

    def sentence(self, index: int) -> tuple[int, int]:
        """Where the sentence a word stands in begins, and where the next one does."""
        number = bisect_right(self._starts, index)
        return self._starts[number - 1], self._starts[number]

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _LAST_WORD.finditer(self.sorts))]

    def style(self, index: int) -> int:
        """How capitals are used in the sentence of a word: SENTENCE, HEADLINE or SHOUT."""
        first, last = self.sentence(index)
        style = self._styles.get(first)
        if style is None:
            calm = _CALM_WORD.search(self.sorts, first, last)
            style = SENTENCE if calm else _loud_style([row[WORD] for row in self.rows[first:last]])
            self._styles[first] = style
        return style

    def section(self, index: int) -> int:
        """The number of the section a word stands in."""
        for number, end in enumerate(self.ends):
            if index < end:
                return number
        return len(self.ends) - 1


def _is_calm(word: str) -> bool:
    return len(word) > 3 and word[0].isalpha() and word.islower() and word not in _SMALL


def _loud_style(words: list[str]) -> int:
    """The style of a sentence without a calm word."""
    long = [word for word in words if len(word) > 1 and word[0].isalpha()]
    return SHOUT if len(long) > 2 and all(word.isupper() for word in long) else HEADLINE


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


# what a word, written and folded, may be part of: a sum of sorts from NAME to PARTICLE
Sort = Callable[[str, str], int]


def _row(word: str, mark: str, sort: Sort) -> Row:
    key = fold(word)
    if "." in key:
        key = key.replace(" ", "").rstrip(".")
    capital = word[0].isupper()
    gap = _kind_after(word, mark)
    sorts = sort(word, key) | CAPITAL * capital | _CALM * _is_calm(word) | LAST * (gap == STOP)
    return word, key, gap, mark, capital, chr(sorts)


def _followed(row: Row, mark: str, gap: int) -> Row:
    """A word with something else behind it."""
    word, key, _, _, capital, sorts = row
    return word, key, gap, mark, capital, chr(ord(sorts) & ~LAST | LAST * (gap == STOP))


def _stray(mark: str) -> Row:
    """Signs that no word of their chunk stands before."""
    return "", "", JOIN, mark, False, ""


def _cut(sort: Sort, chunk: str) -> tuple[Row, ...]:
    """The words of what stands between two spaces; signs before the first are a row without one."""
    chunk = chunk.replace(_GLUE, " ")
    found = _WORD.findall(chunk)
    if not found:
        return (_stray(chunk + " "),)
    rows = [_row(word, mark, sort) for word, mark in found[:-1]]
    word, mark = found[-1]
    rows.append(_row(word, mark + " ", sort))
    lead = chunk[: chunk.index(found[0][0])]
    return (_stray(lead), *rows) if lead else tuple(rows)


Cut = Memo[tuple[Row, ...]]


def cut_with(sort: Sort) -> Cut:
    """A memory of what chunks consist of, whose words are sorted by a pure function."""
    return Memo(partial(_cut, sort))


_CUT = cut_with(lambda word, key: 0)


def tokenise(sections: Iterable[str], cut: Cut = _CUT) -> Tokens:
    """Splits sections into words."""
    rows: list[Row] = []
    ends: list[int] = []
    for section in sections:
        if section:
            _add(rows, list(chain.from_iterable(map(cut.__getitem__, _chunks(section)))))
        ends.append(len(rows))
    return Tokens(rows, "".join(map(itemgetter(_SORT), rows)), tuple(ends))


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


def _add(rows: list[Row], found: list[Row]) -> None:
    """Adds the words of a section."""
    words = list(map(itemgetter(WORD), found))
    strays = indexes(words, "")
    if strays:
        _hand_over(strays, found)
        if len(strays) > _FEW:
            found = list(compress(found, words))
        else:
            for at in reversed(strays):
                del found[at]
    if found:
        found[-1] = _followed(found[-1], found[-1][MARK][:-1], STOP)
        rows += found


def indexes(words: list[str], wanted: str) -> list[int]:
    """Where a word stands."""
    found: list[int] = []
    at = -1
    for _ in range(words.count(wanted)):
        at = words.index(wanted, at + 1)
        found.append(at)
    return found


def _hand_over(strays: list[int], rows: list[Row]) -> None:
    """Adds signs that belong to no word of their chunk to what follows the word before."""
    parts: dict[int, list[str]] = {}
    owner = previous = -1
    for at in strays:
        if at != previous + 1:
            owner = at - 1
        previous = at
        if owner >= 0:
            parts.setdefault(owner, [rows[owner][MARK]]).append(rows[at][MARK])
    for owner, found in parts.items():
        mark = "".join(found)
        rows[owner] = _followed(rows[owner], mark, _kind_after(rows[owner][WORD], mark))
