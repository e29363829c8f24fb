"""Cuts a query into lexemes (words, phrases, operators, parentheses), each with its place.

What the pieces mean together is the parser's business; only what can be seen without context (an
unclosed quotation mark, an unknown field) is an error here.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from ..errors import QueryError
from .values import FIELDS

Kind = Literal["word", "phrase", "open", "close", "minus", "not", "and", "or", "end"]

_SINGLE: dict[str, Kind] = {"(": "open", ")": "close"}
_OPERATORS: dict[str, Kind] = {"NOT": "not", "AND": "and", "OR": "or"}
_QUOTES = '"“”„'
_WORD = re.compile(rf"[^\s(){_QUOTES}]+")
_FIELD = re.compile(r"([A-Za-z][A-Za-z_-]*):")


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One piece: `at` is where it begins, `field` the lower-case name before its colon, if any.

    `text` is the word without its field, or the inside of the quotation marks; `text_at` is where
    that begins. A field without a value is a word with empty text.
    """

    kind: Kind
    text: str
    at: int
    text_at: int
    field: str | None = None


def lex(query: str) -> list[Lexeme]:
    """Cuts `query` up; the last lexeme is always `end`.

    Typographic quotation marks count as plain ones. Raises `QueryError` for an unclosed quotation
    mark and for a field nobody knows.
    """
    found: list[Lexeme] = []
    at = 0
    while True:
        while at < len(query) and query[at].isspace():
            at += 1
        if at == len(query):
            found.append(Lexeme("end", "", at, at))
            return found
        lexeme, at = _next(query, at)
        found.append(lexeme)


def _next(query: str, at: int) -> tuple[Lexeme, int]:
    """The lexeme that begins at `at`, and where it ends."""
    char = query[at]
    if char in _SINGLE:
        return Lexeme(_SINGLE[char], char, at, at), at + 1
    if char in _QUOTES:
        return _phrase(query, at, at, None)
    if char == "-" and query[at + 1 : at + 2].strip():
        return Lexeme("minus", char, at, at), at + 1
    end = _word_end(query, at)
    word = query[at:end]
    if word in _OPERATORS:
        return Lexeme(_OPERATORS[word], word, at, at), end
    field = _field(query, at, word)
    if field is None:
        return Lexeme("word", word, at, at), end
    value_at = at + len(field) + 1
    if query[value_at : value_at + 1] and query[value_at] in _QUOTES:
        return _phrase(query, at, value_at, field)
    return Lexeme("word", query[value_at:end], at, value_at, field), end


def _word_end(query: str, at: int) -> int:
    word = _WORD.match(query, at)
    return word.end() if word else at + 1


def _phrase(query: str, at: int, quote_at: int, field: str | None) -> tuple[Lexeme, int]:
    closing = '"' if query[quote_at] == '"' else '"“”'
    end = quote_at + 1
    while end < len(query) and query[end] not in closing:
        end += 1
    if end == len(query):
        raise QueryError(
            'this quotation mark is never closed: add a second "', query=query, position=quote_at
        )
    return Lexeme("phrase", query[quote_at + 1 : end], at, quote_at, field), end + 1


def _field(query: str, at: int, word: str) -> str | None:
    """The field a word begins with, or None where its colon does not belong to one.

    That is so in a URL (`https://…`), after digits (`12:30`) and, where the name is unknown, at
    the end of a word (`Diplomacy:` in a pasted headline).
    """
    found = _FIELD.match(word)
    if found is None or word.startswith("//", found.end()):
        return None
    name = found[1].lower()
    if name in FIELDS:
        return name
    after = query[at + found.end() : at + found.end() + 1]
    if found.end() == len(word) and not (after and after in _QUOTES):
        return None
    near = get_close_matches(name, FIELDS, n=1)
    hint = f"did you mean {near[0]}:?" if near else f"the fields are {', '.join(FIELDS)}."
    raise QueryError(
        f'there is no field {found[1]}: {hint} To search for the words, put them in "…"',
        query=query,
        position=at,
    )
