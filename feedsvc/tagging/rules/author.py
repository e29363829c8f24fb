"""`author`: one of the entry's authors bears this name."""

from dataclasses import dataclass

from ..phrase import Phrase
from ..rule import Example, Sample, View


@dataclass(frozen=True, slots=True)
class _Author:
    names: tuple[Phrase, ...]

    def evidence(self, view: View) -> str | None:
        for name in self.names:
            found = view.people.find(name)
            if found is not None:
                return found
        return None


class FromAuthor:
    """An author by name, part of a name, or e-mail address."""

    name = "author"
    about = "an author has one of these names (whole words; also e-mail addresses)"
    example = Example(("smith",), Sample(author="John Smith"), Sample(author="Jane Smithers"))

    def compile(self, values: tuple[str, ...], title_only: bool) -> _Author:
        """Makes the condition. Raises `ValueError` for a name without a letter."""
        return _Author(tuple(Phrase.of(value) for value in values))
