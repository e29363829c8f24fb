"""What a tag rule is: conditions an entry has to meet to get a tag.

Each kind of condition has a file of its own under `rules/` and a line in `rules.RULES`; a rule
holds when all its conditions do. Here are the rule as the configuration gives it, the view of an
entry that conditions look at, and the contract of a kind.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from ..model import Entry, Source
from .markup import plain
from .phrase import Index
from .sorts import sorted_words
from .text import tokenise


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRule:
    """A rule of `[[tags.rules]]`: every condition given must hold (two rules make an "or").

    `any` and `all` are phrases, `regex` are regular expressions of which one must match, `source`
    and `author` are names of which one must fit. `title_only` restricts `any`, `all` and `regex`
    to the title.
    """

    tag: str
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    regex: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    title_only: bool = False


class View:
    """An entry as conditions see it: sections of plain text, indexed once for all rules and only if
    one asks.

    `sections` are title, summary and body, `tokens` their words.
    """

    def __init__(self, entry: Entry, source: Source) -> None:
        self._authors = entry.authors
        self.source = source
        self.sections = (entry.title, plain(entry.summary), plain(entry.content))
        self.tokens = sorted_words(self.sections)

    @cached_property
    def text(self) -> Index:
        """Where phrases are looked for."""
        return Index(self.sections, self.tokens)

    @cached_property
    def title(self) -> Index:
        """The title alone."""
        return self.text.head(1)

    @cached_property
    def people(self) -> Index:
        """The names and addresses of the authors."""
        people = [p for a in self._authors for p in (a.name, a.email, a.uri) if p]
        return Index(people, tokenise(people))

    def index(self, title_only: bool) -> Index:
        """Where phrases are looked for."""
        return self.title if title_only else self.text

    def texts(self, title_only: bool) -> tuple[str, ...]:
        """Where regular expressions are looked for."""
        return self.sections[:1] if title_only else self.sections


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An entry in a nutshell."""

    title: str = ""
    body: str = ""
    author: str = ""
    source: str = "example"


@dataclass(frozen=True, slots=True)
class Example:
    """A condition with an entry that meets it and one that does not: documentation and test."""

    values: tuple[str, ...]
    meets: Sample
    fails: Sample


class Condition(Protocol):
    """One compiled condition; pure, picklable."""

    def evidence(self, view: View) -> str | None:
        """What in the entry meets the condition, in a few words; None when it does not."""
        ...


class RuleKind(Protocol):
    """One kind of condition, named by its key in a rule."""

    name: str
    about: str
    example: Example

    def compile(self, values: tuple[str, ...], title_only: bool) -> Condition:
        """Makes the condition. Raises `ValueError` saying what is wrong with the values."""
        ...
