"""`regex`: a regular expression matches somewhere in the text.

Python's `re`, whatever the case (write `(?-i:…)` where it matters), `^` and `$` at line ends. What
an expression may cost is bounded twice: it sees only the first 20,000 characters of the text, in
pieces of 1,000 that overlap by 200 (so a match longer than 200 characters may be missed), and one
that repeats a repetition, as in `(a+)+`, is refused, because it can take for ever on a few words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..rule import Example, Sample, View

_LIMIT = 20_000
_PIECE = 1_000
_OVERLAP = 200
_EVIDENCE = 80
_SOME = 10  # a repetition of at most this many rounds counts as bounded


@dataclass(frozen=True, slots=True)
class _Matches:
    patterns: tuple[re.Pattern[str], ...]
    title_only: bool

    def evidence(self, view: View) -> str | None:
        budget = _LIMIT
        for text in view.texts(self.title_only):
            for start, end in _pieces(text, budget):
                for pattern in self.patterns:
                    match = pattern.search(text, start, end)
                    if match is not None:
                        return " ".join(match[0].split())[:_EVIDENCE] or pattern.pattern
            budget = max(0, budget - len(text))
        return None


def _pieces(text: str, budget: int) -> Iterator[tuple[int, int]]:
    """Where to look: pieces of the first `budget` characters, none ending inside a word."""
    size = min(len(text), budget)
    start = 0
    while start < size:
        end = min(size, start + _PIECE)
        while end < size and end - start < _PIECE + _OVERLAP and text[end].isalnum():
            end += 1
        yield start, end
        if end >= size:
            return
        start += _PIECE - _OVERLAP


class Regex:
    """A regular expression."""

    name = "regex"
    about = "one of these regular expressions matches"
    example = Example(
        (r"\bG-?(7|20)\b",),
        Sample(title="Leaders of the G20 meet"),
        Sample(title="Leaders of 20 states meet"),
    )

    def compile(self, values: tuple[str, ...], title_only: bool) -> _Matches:
        """Makes the condition. Raises `ValueError` for an expression that is wrong or explosive."""
        patterns: list[re.Pattern[str]] = []
        for value in values:
            if not value.strip():
                raise ValueError("an empty expression matches everything; remove it")
            try:
                pattern = re.compile(value, re.IGNORECASE | re.MULTILINE)
            except (re.error, RecursionError, OverflowError) as error:
                raise ValueError(f"{value!r} is no regular expression: {error}") from error
            if repeats_repetition(value):
                raise ValueError(
                    f"{value!r} repeats a repetition, which can take for ever; make the inner one "
                    "possessive, as in (a++)+, or leave one of them out"
                )
            patterns.append(pattern)
        return _Matches(tuple(patterns), title_only)


def repeats_repetition(pattern: str) -> bool:
    """Whether an unbounded repetition stands inside another: `(a+)+`, `(\\w*\\s?)*`.

    Possessive repetitions (`a++`) and those in atomic groups (`(?>…)`) give nothing back and are
    harmless inside.
    """
    # one entry for each open group: does an unbounded repetition that gives back stand in it
    open_groups: list[tuple[bool, bool]] = []
    inside, atomic = False, False
    at, last_had = 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 2
            last_had = False
        elif char == "[":
            at = _after_set(pattern, at)
            last_had = False
        elif char == "(":
            open_groups.append((inside, atomic))
            inside, atomic = False, pattern.startswith("(?>", at)
            at += 3 if atomic else 2 if pattern.startswith("(?", at) else 1
        elif char == ")":
            last_had = inside and not atomic
            outer, outer_atomic = open_groups.pop() if open_groups else (False, False)
            inside, atomic = outer or last_had, outer_atomic
            at += 1
        else:
            repeat = _REPEAT.match(pattern, at)
            if repeat is None:
                at += 1
                last_had = False
                continue
            at = repeat.end()
            if _unbounded(repeat):
                if last_had:
                    return True
                inside = inside or repeat["mode"] != "+"
            last_had = last_had and repeat["mode"] != "+"
    return False


_REPEAT = re.compile(r"(?:[*+?]|\{(?P<low>\d*)(?P<comma>,?)(?P<high>\d*)\})(?P<mode>[+?]?)")


def _unbounded(repeat: re.Match[str]) -> bool:
    text = repeat[0]
    if text[0] in "*+":
        return True
    if text[0] == "?":
        return False
    if repeat["comma"]:
        return not repeat["high"] or int(repeat["high"]) > _SOME
    return bool(repeat["low"]) and int(repeat["low"]) > _SOME


def _after_set(pattern: str, at: int) -> int:
    """The position after a set of characters such as `[^]a-z]`."""
    at += 1
    if pattern.startswith("^", at):
        at += 1
    if pattern.startswith("]", at):
        at += 1
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at + 1
