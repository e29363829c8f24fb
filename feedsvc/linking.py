"""Connects entries: named headlines ("ALSO READ") to the entries they name, whichever came first.

Works through the store's outbox, so that a link is never lost to a crash and needs no order of
arrival. What counts as a match is decided in `relate`; this module only asks and writes.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from time import monotonic

from .errors import NotFound
from .model import Entry
from .normalise.urls import host
from .query.text import tokens
from .relate.titles import Candidate, best, search_tokens
from .store.base import Reference, RelatedLink, Store, Task, Titled

CONSUMER = "link"
_BATCH = 200
_CANDIDATES = 60
_WAITING = 200
_SECONDS = 0.2


class Linker:
    """Resolves the references of new and changed entries, in both directions."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def run(self, *, limit: int = _BATCH) -> int:
        """Works off at most `limit` waiting entries; returns how many were done.

        Stops after a moment, so that whoever shares its thread with polling holds nothing up.
        Safe beside other linkers and at any moment of being killed: a task stays until it is done.
        """
        finished: list[int] = []
        until = monotonic() + _SECONDS
        for task in self._store.tasks(CONSUMER, limit):
            self._link(task)
            finished.append(task.seq)
            if monotonic() > until:
                break
        if finished:
            self._store.done(CONSUMER, finished)
        return len(finished)

    def drain(self, progress: Callable[[int], None] = lambda done: None) -> int:
        """Works until the outbox is empty; returns how many entries were done."""
        total = 0
        while done := self.run():
            total += done
            progress(done)
        return total

    def _link(self, task: Task) -> None:
        if task.change == "withdrawn":
            return  # the store made links to it waiting references again when it was withdrawn
        try:
            stored = self._store.entry(task.key)
        except NotFound:
            return
        if stored.withdrawn is None:
            self._resolve(stored.entry)
            self._adopt(stored.entry)

    def _resolve(self, entry: Entry) -> None:
        """Resolves the headlines that this entry names; those it no longer names are dropped."""
        if not entry.references:
            return  # the store dropped links from headlines that an edit took away
        links: list[RelatedLink] = []
        for reference in self._store.references(entry.key):
            link = self._target(reference, entry, {entry.key, *(link.target for link in links)})
            if link is not None:
                links.append(link)
        self._store.put_related(entry.key, links, kind="explicit", now=self._clock())

    def _target(
        self, reference: Reference, entry: Entry, excluded: Collection[str]
    ) -> RelatedLink | None:
        direct = self._store.lookup(reference.title)
        if direct is not None:
            if direct in excluded:
                return None
            return _link(reference, direct, 1.0, "named by its address")
        found = self._store.titled(search_tokens(reference.title), _CANDIDATES)
        candidates = [_candidate(t, entry, reference) for t in found if t.key not in excluded]
        match = best(reference.title, candidates)
        return _link(reference, match.key, match.score, match.reason) if match else None

    def _adopt(self, entry: Entry) -> None:
        """Resolves the waiting headlines of other entries that may name this one."""
        names = dict.fromkeys(
            [*search_tokens(entry.title), *tokens(entry.link or ""), *tokens(entry.id)]
        )
        waiting = self._store.waiting(tuple(names), _WAITING)
        # most share a word and no more: only the owners of those that match are looked at again
        owners = {reference.key for reference in waiting if _names(reference, entry)} - {entry.key}
        for owner in sorted(owners):
            stored = self._store.entry(owner)
            if stored.withdrawn is None:
                self._resolve(stored.entry)


def _candidate(titled: Titled, entry: Entry, reference: Reference) -> Candidate:
    return Candidate(
        key=titled.key,
        title=titled.title,
        same_source=_same_publisher(titled, entry, reference),
        published=titled.published,
        reference_published=entry.published,
    )


def _names(reference: Reference, entry: Entry) -> bool:
    """Whether a waiting reference may mean this entry, by its address or its title."""
    if reference.title in (entry.key, entry.id, entry.link):
        return True
    candidate = Candidate(
        key=entry.key,
        title=entry.title,
        same_source=True,
        published=entry.published,
        reference_published=entry.published,
    )
    return best(reference.title, [candidate]) is not None


def _same_publisher(titled: Titled, entry: Entry, reference: Reference) -> bool:
    """Whether two entries are of one site: publishers quote their own headlines.

    Told by the host of their links, because one source may carry many sites and one site have many
    feeds; documents without links are of one publisher if they are of one source.
    """
    if titled.link and entry.link:
        return host(titled.link) == host(entry.link)
    return titled.source_id == reference.source_id


def _link(reference: Reference, target: str, score: float, reason: str) -> RelatedLink:
    return RelatedLink(
        target=target, kind="explicit", score=score, reason=reason, position=reference.position
    )
