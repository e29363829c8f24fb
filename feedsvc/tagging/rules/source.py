"""`source`: the entry came from one of these sources."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..rule import Example, Sample, View


@dataclass(frozen=True, slots=True)
class _Source:
    names: tuple[str, ...]

    def evidence(self, view: View) -> str | None:
        source = view.source
        for name in self.names:
            if name == source.location or fnmatchcase(source.id, name):
                return source.id
        return None


class FromSource:
    """A source by its id, in which `*` stands for anything, or by its exact location."""

    name = "source"
    about = "the entry came from one of these sources (id, with * for anything, or location)"
    example = Example(("bbc*",), Sample(source="bbc-world"), Sample(source="world"))

    def compile(self, values: tuple[str, ...], title_only: bool) -> _Source:
        """Makes the condition. Raises `ValueError` for an empty name."""
        if not all(value.strip() for value in values):
            raise ValueError("an empty name names no source; remove it")
        return _Source(tuple(value.strip() for value in values))
