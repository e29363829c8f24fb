"""`any`: at least one of the phrases stands in the text."""

from dataclasses import dataclass

from ..phrase import Phrase
from ..rule import Example, Sample, View


@dataclass(frozen=True, slots=True)
class _Any:
    phrases: tuple[Phrase, ...]
    title_only: bool

    def evidence(self, view: View) -> str | None:
        index = view.index(self.title_only)
        for phrase in self.phrases:
            found = index.find(phrase)
            if found is not None:
                return found
        return None


class AnyPhrase:
    """One phrase of several."""

    name = "any"
    about = "at least one of these phrases stands in the text"
    example = Example(
        ("oil price", "OPEC"),
        Sample(title="Oil price falls"),
        Sample(title="Olive oil at any price"),
    )

    def compile(self, values: tuple[str, ...], title_only: bool) -> _Any:
        """Makes the condition. Raises `ValueError` for a phrase without a word."""
        return _Any(tuple(Phrase.of(value) for value in values), title_only)
