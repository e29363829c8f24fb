"""Phrases that users write in rules, and how a text is asked for them.

A phrase is found on word boundaries, whatever its case and accents; a word of two to five capital
letters (`US`, `IT`, `OPEC`) is an acronym and matches only in capitals. Punctuation between words
does not matter. A phrase with signs that are no punctuation (`C++`, `.NET`) or in a script without
spaces is looked for letter by letter instead.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .text import Tokens, fold, tokenise

_PLAIN = re.compile(r"[\w\s.,;:!?'’\"“”()&/‐‑–—-]*")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


def is_acronym(word: str) -> bool:
    """Whether a word of two to five letters is all capitals, to be told from an ordinary one."""
    letters = word.replace(".", "").replace(" ", "")
    return 2 <= len(letters) <= 5 and letters.isalpha() and letters.isupper()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase, ready to be looked for.

    `keys` are its folded words, `exact` for each the spelling that is demanded (acronyms) or "".
    `literal` is set instead for what does not consist of words.
    """

    text: str
    keys: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    literal: str = ""

    @classmethod
    def of(cls, text: str) -> "Phrase":
        """Reads a phrase. Raises `ValueError` when nothing in it can be looked for."""
        text = " ".join(text.split())
        tokens = tokenise([text])
        if text.startswith(".") or _UNSPACED.search(text) or not _PLAIN.fullmatch(text):
            literal = fold(text)
            if not literal:
                raise ValueError("an empty phrase matches nothing; remove it")
            return cls(text, literal=literal)
        if not tokens.words:
            raise ValueError(f"the phrase {text!r} has no letter or digit to look for")
        exact = tuple(word if is_acronym(word) and "." not in word else "" for word in tokens.words)
        return cls(text, keys=tuple(tokens.folded), exact=exact)


class Index:
    """Sections of text that can be asked for many phrases; built once for an entry."""

    def __init__(self, sections: Sequence[str], tokens: Tokens) -> None:
        self._sections = sections
        self._tokens = tokens

    def head(self, sections: int) -> "Index":
        """An index of the first sections alone."""
        tokens = self._tokens.head(self._tokens.ends[sections - 1])
        return Index(self._sections[:sections], tokens)

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for place, key in enumerate(self._tokens.folded):
            if key in places:
                places[key].append(place)
            else:
                places[key] = [place]
        return places

    @cached_property
    def _flat(self) -> str:
        return "\n".join(" ".join(fold(section).split()) for section in self._sections)

    def find(self, phrase: Phrase) -> str | None:
        """The first occurrence of a phrase as it is written in the text, or None."""
        if phrase.literal:
            return self._find_literal(phrase)
        places = self._places.get(phrase.keys[0])
        if places is None:
            return None
        folded, words, size = self._tokens.folded, self._tokens.words, len(phrase.keys)
        for place in places:
            if size > 1 and tuple(folded[place : place + size]) != phrase.keys:
                continue
            end = place + size
            if any(place < cut < end for cut in self._tokens.ends):
                continue
            if all(
                not exact or exact == word
                for exact, word in zip(phrase.exact, words[place:end], strict=True)
            ):
                return " ".join(words[place:end])
        return None

    def _find_literal(self, phrase: Phrase) -> str | None:
        text, literal = self._flat, phrase.literal
        at = text.find(literal)
        while at >= 0:
            end = at + len(literal)
            if _edge(text, at) and _edge(text, end):
                return phrase.text
            at = text.find(literal, at + 1)
        return None


def _edge(text: str, at: int) -> bool:
    """Whether no word of a script with spaces runs on across this position."""
    if at == 0 or at == len(text):
        return True
    before, after = text[at - 1], text[at]
    if not (before.isalnum() and after.isalnum()):
        return True
    return bool(_UNSPACED.match(before) or _UNSPACED.match(after))
