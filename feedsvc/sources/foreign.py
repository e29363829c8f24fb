"""Keeps what stands inside an element that nobody knows out of the entry it stands in.

feedparser looks at names alone: a title, a date, an author within an `activity:object` would
become those of the entry, which only has such an object.
"""

from typing import Any

from ..vocabulary import prefix_of

_Mixin: Any = object


class _Strange(dict[str | None, bool]):
    """Whether a namespace is one that neither feedparser nor we know."""

    def __init__(self, known: dict[str, str]) -> None:
        super().__init__()
        self._known = known

    def __missing__(self, space: str | None) -> bool:
        strange = bool(space and space.lower() not in self._known and prefix_of(space) is None)
        self[space] = strange
        return strange


class ForeignStrict(_Mixin):  # type: ignore[misc]
    """For feedparser's parser of well-formed XML; for it the entry's namespace is never foreign."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._strange = _Strange(self._matchnamespaces)
        self._own: str | None = None
        # how deep the foreign element is that is open
        self._foreign = 0

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:
        """Starts an element; within a foreign one it is as if it stood in another source."""
        space = name[0]
        if self._foreign:
            self.insource = 1
        elif not self.inentry:
            self._own = space
        elif self._strange[space] and space != self._own and not (self.incontent or self.insource):
            self._foreign = self.depth + 1
        super().startElementNS(name, qname, attrs)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:
        """Ends an element."""
        super().endElementNS(name, qname)
        if self._foreign and self.depth <= self._foreign:
            self.insource = 0
            self.sourcedata.clear()
            if self.depth < self._foreign:
                self._foreign = 0
