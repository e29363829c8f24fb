"""`all`: every one of the phrases stands in the text, anywhere and in any order."""

from dataclasses import dataclass

from ..phrase import Phrase
from ..rule import Example, Sample, View


@dataclass(frozen=True, slots=True)
class _All:
    phrases: tuple[Phrase, ...]
    title_only: bool

    def evidence(self, view: View) -> str | None:
        index = view.index(self.title_only)
        found: list[str] = []
        for phrase in self.phrases:
            hit = index.find(phrase)
            if hit is None:
                return None
            found.append(hit)
        return " + ".join(found)


class AllPhrases:
    """Each phrase of several."""

    name = "all"
    about = "every one of these phrases stands in the text"
    example = Example(
        ("embassy", "Russia"),
        Sample(title="Russia agrees", body="Its embassy reopens."),
        Sample(title="Embassy opens in Istanbul"),
    )

    def compile(self, values: tuple[str, ...], title_only: bool) -> _All:
        """Makes the condition. Raises `ValueError` for a phrase without a word."""
        return _All(tuple(Phrase.of(value) for value in values), title_only)
