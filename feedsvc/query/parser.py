"""Reads a query: recursive descent over the lexemes, one method a level of precedence.

    query    := either                 sequence := negated ([AND] negated)*
    either   := sequence (OR sequence)*   negated  := ("-" | NOT)* atom
    atom     := "(" either ")" | word | phrase | field ":" value

What a field's value may look like is in `values`; the normal form is in `canonical`.
"""

import re
from typing import NoReturn

from ..errors import QueryError
from .ast import And, EntryQuery, Node, Not, Or, Sort
from .canonical import canonical, normalise
from .lexer import Lexeme, lex
from .values import FIELDS, SortBy, words

MAX_LENGTH = 2000
MAX_TERMS = 64
MAX_DEPTH = 16
# fields whose value may be thought to take a `-`
_NEGATED = frozenset(FIELDS) - {"since", "until", "story", "sort"}
# control characters, and what stands for octets that are no UTF-8
_STRANGE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")


def parse(text: str) -> EntryQuery:
    """Reads a query into its normal form; an empty one asks for everything.

    Equal queries give equal results. Raises `QueryError` with the position of the trouble, also
    for a query of more than 2,000 characters (as written or in canonical form), more than 64 terms
    or more than 16 parentheses inside one another, and for one that is no text.
    """
    # white space becomes blanks: a line break would tear the caret of an error away from its place
    text = "".join(" " if char.isspace() else char for char in text)
    if strange := _STRANGE.search(text):
        _refuse(text, strange.start())
    _check_length(text, text, "")
    query = normalise(_Parser(text).query())
    _check_length(canonical(query), text, " in its canonical form")
    return query


def _refuse(text: str, at: int) -> NoReturn:
    """Says what is wrong with a character that no query holds."""
    what = "a query holds no control characters, and here is U+{:04X}: take it out"
    if text[at] >= "\ud800":
        what = "what stands here could not be read: write the query in UTF-8"
    readable = _STRANGE.sub("\ufffd", text)
    raise QueryError(what.format(ord(text[at])), query=readable, position=at)


def _check_length(measured: str, text: str, form: str) -> None:
    if len(measured) > MAX_LENGTH:
        raise QueryError(
            f"the query has {len(measured):,} characters{form}, {MAX_LENGTH:,} are allowed",
            query=text,
            position=min(len(text), MAX_LENGTH),
        )


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.lexemes = lex(text)
        self.at = 0
        self.terms = 0
        self.sort: Sort | None = None

    def query(self) -> EntryQuery:
        where = self.either(0)
        if self.peek().kind == "close":
            raise self.error("this parenthesis was never opened", self.peek())
        return EntryQuery(where=where, sort=self.sort or "published")

    def either(self, depth: int) -> Node | None:
        """`a OR b OR c`; None where there is no term at all."""
        first = self.sequence(depth)
        if self.peek().kind != "or":
            return first
        terms = [first]
        while self.peek().kind == "or":
            operator = self.take()
            if terms[-1] is None:
                raise self.error("OR needs a term on its left", operator)
            terms.append(self.sequence(depth))
            if terms[-1] is None:
                raise self.error("OR needs a term on its right", operator)
        return Or(tuple(term for term in terms if term is not None))

    def sequence(self, depth: int) -> Node | None:
        """Terms side by side, all of which must hold; None where there is none."""
        terms: list[Node] = []
        while self.peek().kind not in ("or", "close", "end"):
            if self.peek().kind == "and":
                self.joint(self.take(), bool(terms))
            term = self.negated(depth)
            if term is not None:
                terms.append(term)
        return And(tuple(terms)) if len(terms) > 1 else terms[0] if terms else None

    def joint(self, operator: Lexeme, left: bool) -> None:
        """AND may be written where it is implied, between two terms and nowhere else."""
        if not left:
            raise self.error("AND needs a term on its left", operator)
        if self.peek().kind in ("and", "or", "close", "end"):
            raise self.error("AND needs a term on its right", operator)

    def negated(self, depth: int) -> Node | None:
        operator: Lexeme | None = None
        negative = False
        while self.peek().kind in ("minus", "not"):
            operator, negative = self.take(), not negative
        if operator is not None and self.peek().kind in ("and", "or", "close", "end"):
            raise self.error(f"{operator.text} needs a term after it", operator)
        if operator is not None and self.peek().field == "sort":
            raise self.error("sort: orders the result, it cannot be negated", operator)
        term = self.group(depth + 1) if self.peek().kind == "open" else self.term(depth)
        return Not(term) if negative and term is not None else term

    def group(self, depth: int) -> Node:
        opening = self.take()
        if depth > MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} parentheses inside one another", opening)
        node = self.either(depth)
        if self.peek().kind != "close":
            raise self.error("this parenthesis is never closed", opening)
        self.take()
        if node is None:
            raise self.error("there is nothing between these parentheses", opening)
        return node

    def term(self, depth: int) -> Node | None:
        """One leaf of the tree; None for `sort:`, which is a property of the whole query."""
        lexeme = self.take()
        self.refuse(lexeme)
        try:
            found = FIELDS[lexeme.field](lexeme.text) if lexeme.field else words(lexeme.text)
        except ValueError as error:
            raise QueryError(str(error), query=self.text, position=lexeme.text_at) from error
        if not isinstance(found, SortBy):
            self.terms += 1
            if self.terms > MAX_TERMS:
                raise self.error(f"more than {MAX_TERMS} terms", lexeme)
            return found
        if depth:
            raise self.error("sort: orders the whole result, it stands outside parentheses", lexeme)
        if self.sort not in (None, found.by):
            raise self.error(f"sort: is {self.sort} already", lexeme)
        self.sort = found.by
        return None

    def refuse(self, lexeme: Lexeme) -> None:
        """Catches what would otherwise be read as something its writer did not mean."""
        if lexeme.field and lexeme.kind == "word" and not lexeme.text:
            grouped = self.peek().kind == "open" and self.peek().at == lexeme.text_at
            remedy = (
                f"repeat it inside: ({lexeme.field}:… OR {lexeme.field}:…)"
                if grouped
                else f"write it right after the colon, {lexeme.field}:…"
            )
            raise self.error(f"{lexeme.field}: has no value, {remedy}", lexeme)
        refused = lexeme.text.lstrip("-")
        if lexeme.kind == "word" and lexeme.field in _NEGATED and lexeme.text != refused != "":
            raise self.error(f"a - stands before the field: -{lexeme.field}:{refused}", lexeme)
        if lexeme.field == "tag" and lexeme.kind == "word" and "," in lexeme.text:
            raise self.error(
                "tag: takes one tag, write tag:a tag:b for both or tag:a OR tag:b for either",
                lexeme,
            )

    def peek(self) -> Lexeme:
        return self.lexemes[self.at]

    def take(self) -> Lexeme:
        self.at += 1
        return self.lexemes[self.at - 1]

    def error(self, message: str, lexeme: Lexeme) -> QueryError:
        return QueryError(message, query=self.text, position=lexeme.at)
