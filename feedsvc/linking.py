"""Connects entries: named headlines ("ALSO READ") to the entries they name, whichever came first.

Works through the store's outbox, batch by batch, so that a link is never lost to a crash and needs
no order of arrival. What counts as a match is decided in `relate`; this module asks and writes.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic

from .normalise.urls import host
from .relate.titles import Candidate, best, normal
from .store.base import Linkable, Linked, Reference, RelatedLink, Sought, Store, Task, Titled

CONSUMER = "link"
_SECONDS = 0.2
_SMALLEST, _LARGEST = 8, 400  # entries a batch
_REFERENCES = 200  # a batch
_CANDIDATES = 20
_WAITING = 25
_KEPT = " when linked"


class Linker:
    """Resolves the references of new and changed entries, in both directions."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._batch = _LARGEST // 8

    def run(self) -> int:
        """Works off one batch of waiting entries; returns how many were done, 0 when none waits.

        Takes a moment only, so that whoever shares its thread with polling holds nothing up. Safe
        beside other linkers and at any moment of being killed: a task stays until it is done. An
        entry that very many headlines wait for takes several batches, each counted as one.
        """
        while tasks := self._store.tasks(CONSUMER, self._batch):
            started = monotonic()
            works = self._gather(tasks)
            linked, finished = self._resolve(works, started + _SECONDS)
            written = self._store.finish_links(CONSUMER, finished, linked, self._clock())
            self._pace(len(tasks), len(finished), monotonic() - started)
            if written:
                return max(1, len(finished))
            # someone else has linked or changed one of these entries meanwhile: look again
        return 0

    def drain(self, progress: Callable[[int], None] = lambda done: None) -> int:
        """Works until the outbox is empty; returns how many entries were done."""
        total = 0
        while done := self.run():
            total += done
            progress(done)
        return total

    def _pace(self, asked: int, done: int, took: float) -> None:
        """Adapts the size of the next batch to how much of this one was done, and how fast."""
        if done < asked or took > _SECONDS:
            self._batch = max(_SMALLEST, min(asked // 2, done * 2))
        elif took < _SECONDS / 4:
            self._batch = min(_LARGEST, asked * 2)

    def _gather(self, tasks: Sequence[Task]) -> list["_Work"]:
        """Which references have to be looked at for these tasks, or for the first of them."""
        # the store made links to withdrawn ones waiting references again when they were withdrawn
        alive = dict.fromkeys(task.key for task in tasks if task.change != "withdrawn")
        entries = self._store.linkable(alive)
        works: dict[str, _Work] = {}
        room = _REFERENCES
        for task in tasks:
            work = works.get(task.key)
            if work is None:
                entry = entries.get(task.key)
                named = range(len(entry.references) if entry else 0)
                if works and len(named) > room:
                    break
                room -= len(named)
                work = works[task.key] = _Work(entry=entry)
                if entry is not None and named:
                    work.wanted[entry.key] = set(named)
            work.seqs.append(task.seq)
        return self._adopt(list(works.values()))

    def _adopt(self, works: list["_Work"]) -> list["_Work"]:
        """Adds the waiting headlines of other entries that may name one of these.

        Returns the first of these works for whose references there is room, at least one.
        """
        entries = [work.entry for work in works if work.entry is not None]
        if not entries or not self._store.waits():
            return works
        found = self._store.waiting(list(map(_title, entries)), _WAITING)
        waiting = {entry.key: some for entry, some in zip(entries, found, strict=True)}
        room = _REFERENCES
        for number, work in enumerate(works):
            if number and room < 0:
                return works[:number]
            if work.entry is None:
                continue
            work.more = len(waiting[work.entry.key]) == _WAITING
            for reference in waiting[work.entry.key]:
                # those of this batch are looked at anyhow
                if reference.key not in waiting and _names(reference, work.entry):
                    work.wanted.setdefault(reference.key, set()).add(reference.position)
                    room -= 1
        return works

    def _resolve(self, works: Sequence["_Work"], until: float) -> tuple[list[Linked], list[int]]:
        """What references resolve to, and which tasks are done with that."""
        wanted: dict[str, set[int]] = {}
        for work in works:
            for key, positions in work.wanted.items():
                wanted.setdefault(key, set()).update(positions)
        owners = {work.entry.key: work.entry for work in works if work.entry is not None}
        owners |= self._store.linkable(wanted.keys() - owners.keys())
        answers = self._ask(
            [
                (owner, reference)
                for key, positions in wanted.items()
                if (owner := owners.get(key))
                for reference in owner.references
                if reference.position in positions
            ]
        )
        linked: dict[str, Linked] = {}
        finished: list[int] = []
        for number, work in enumerate(works):
            if number and monotonic() > until:
                break
            changed = False
            for key in work.wanted:
                if key in owners and key not in linked:
                    links = tuple(_links(owners[key], wanted[key], answers))
                    linked[key] = Linked(entry=owners[key], links=links)
                changed |= key in linked and _moved(linked[key])
            # a headline that is resolved waits no more, and makes room for the next
            if not (work.more and changed):
                finished += work.seqs
        return [each for each in linked.values() if _moved(each)], finished

    def _ask(self, pairs: Sequence[tuple[Linkable, Reference]]) -> "_Answers":
        """All that the store has to say of some references and of the entries that name them."""
        if not pairs:
            return _Answers()
        direct = self._store.lookups({reference.title for _, reference in pairs})
        sought = {
            (reference.title, owner.source_id): _headline(reference, owner)
            for owner, reference in pairs
            if reference.title not in direct
        }
        found = self._store.titled(list(sought.values()), _CANDIDATES) if sought else ()
        targets = {reference.target for _, reference in pairs if reference.target is not None}
        return _Answers(
            direct=direct,
            titled=dict(zip(sought, found, strict=True)),
            targets=self._store.linkable(targets),
        )


@dataclass(slots=True)
class _Work:
    """One entry to be linked: its tasks, and by entry the positions of references to look at."""

    entry: Linkable | None
    seqs: list[int] = field(default_factory=list)
    wanted: dict[str, set[int]] = field(default_factory=dict)
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    """What a batch of references may mean: by address, by title and source, and until now."""

    direct: Mapping[str, str] = field(default_factory=dict)
    titled: Mapping[tuple[str, str], Sequence[Titled]] = field(default_factory=dict)
    targets: Mapping[str, Titled] = field(default_factory=dict)

    def candidates(
        self, entry: Linkable, reference: Reference, taken: Collection[str]
    ) -> list[Candidate]:
        found = self.titled.get((reference.title, entry.source_id), ())
        return [_candidate(each, entry) for each in found if each.key not in taken]

    def until_now(self, entry: Linkable, reference: Reference) -> Candidate | None:
        """What the reference is linked to, if that is still there."""
        titled = self.targets.get(reference.target or "")
        return None if titled is None else _candidate(titled, entry)


def _links(entry: Linkable, positions: Collection[int], answers: _Answers) -> Iterator[RelatedLink]:
    """What an entry's headlines resolve to, never two to one target; the others stay as they are.

    What is sure comes before what was linked earlier, and that before what is only similar.
    """
    taken = {entry.key}
    todo: list[Reference] = []
    for reference in entry.references:
        if reference.position in positions:
            todo.append(reference)
        elif reference.target is not None:
            taken.add(reference.target)
            yield _link(reference, reference.target, reference.score, reference.reason)
    for rule in (_named, _equal, _kept, _similar):
        left: list[Reference] = []
        for reference in todo:
            link = rule(reference, entry, taken, answers)
            if link is None:
                left.append(reference)
            elif link.target not in taken:
                taken.add(link.target)
                yield link
        todo = left


def _named(
    reference: Reference, entry: Linkable, taken: Collection[str], answers: _Answers
) -> RelatedLink | None:
    direct = answers.direct.get(reference.title)
    return (direct and _link(reference, direct, 1.0, "named by its address")) or None


def _equal(
    reference: Reference, entry: Linkable, taken: Collection[str], answers: _Answers
) -> RelatedLink | None:
    candidates = answers.candidates(entry, reference, taken)
    match = best(reference.title, candidates)
    if match is None or not match.exact:
        return None
    kept = answers.until_now(entry, reference)
    if kept is not None and not match.same_source:
        # an entry of another publisher is no better than one that had this title when it was linked
        still = best(reference.title, [kept])
        if still is None or not still.exact:
            return None
    return _link(reference, match.key, match.score, match.reason)


def _kept(
    reference: Reference, entry: Linkable, taken: Collection[str], answers: _Answers
) -> RelatedLink | None:
    kept = answers.until_now(entry, reference)
    if kept is None or kept.key in taken:
        return None
    match = best(reference.title, [kept])
    if match is not None and match.score >= reference.score:
        return _link(reference, match.key, match.score, match.reason)
    reason = reference.reason.removesuffix(_KEPT) + _KEPT
    return _link(reference, kept.key, reference.score, reason)


def _similar(
    reference: Reference, entry: Linkable, taken: Collection[str], answers: _Answers
) -> RelatedLink | None:
    match = best(reference.title, answers.candidates(entry, reference, taken))
    return _link(reference, match.key, match.score, match.reason) if match else None


def _link(reference: Reference, target: str, score: float, reason: str) -> RelatedLink:
    return RelatedLink(
        target=target, kind="explicit", score=score, reason=reason, position=reference.position
    )


def _moved(linked: Linked) -> bool:
    """Whether an entry's links are other than they were."""
    before = {
        _link(reference, reference.target, reference.score, reference.reason)
        for reference in linked.entry.references
        if reference.target is not None
    }
    return before != set(linked.links)


def _title(entry: Titled) -> Sought:
    """What an entry is looked for by among waiting headlines."""
    return Sought(
        text=entry.title,
        also=(normal(entry.title), entry.link or "", entry.id, entry.key),
        source_id=entry.source_id,
    )


def _headline(reference: Reference, owner: Linkable) -> Sought:
    """What a headline is looked for by among titles."""
    return Sought(
        text=normal(reference.title) or reference.title,
        also=(reference.title,),
        source_id=owner.source_id,
    )


def _names(reference: Reference, entry: Linkable) -> bool:
    """Whether a waiting reference may mean this entry, by its address or its title."""
    if reference.title in (entry.key, entry.id, entry.link):
        return True
    candidate = replace(_candidate(entry, entry), same_source=True)
    return best(reference.title, [candidate]) is not None


def _candidate(titled: Titled, entry: Titled) -> Candidate:
    return Candidate(
        key=titled.key,
        title=titled.title,
        same_source=_same_publisher(titled, entry),
        published=titled.published,
        reference_published=entry.published,
    )


def _same_publisher(one: Titled, other: Titled) -> bool:
    """Whether two entries are of one site: publishers quote their own headlines.

    Told by the host of their links, because one source may carry many sites and one site have many
    feeds; documents without links are of one publisher if they are of one source.
    """
    if one.link and other.link:
        return host(one.link) == host(other.link)
    return one.source_id == other.source_id
