"""Gathers entries into stories: whatever is linked by content is looked at again, a few at a time.

Around the entries whose links are new stand those they are linked to, and the stories of all of
these. Small stories are taken apart and put together anew, so that they can part; large ones stay
whole and may grow, or become one. What belongs together is decided in `relate`; this module asks
and writes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .relate.likeness import Article
from .relate.stories import IDLE, SAMPLE, Told, gather, is_one_text, succession
from .relate.terms import Signature
from .store.base import Around, Gathered, Likened, Regrouping, Store

MOST = 64  # entries that are looked at together
_SMALL = 64  # members of a story that may be taken apart
_APART = 128  # entries that are put together anew at a time


class Gatherer:
    """Finds the stories of entries whose links are there."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def gather(self, size: int) -> int:
        """Finds the stories of at most so many entries, the oldest that wait; how many."""
        looked = self._store.apart(min(size, MOST))
        if not looked:
            return 0
        around = self._store.around([each.pk for each in looked])
        samples = {key: pks[:: -(-len(pks) // SAMPLE)] for key, pks in around.members.items()}
        known = {each.pk: each for each in looked}
        wanted = {pk for near in around.near.values() for pk in near}
        wanted.update(pk for pks in samples.values() for pk in pks)
        known |= self._store.likened(wanted - known.keys())
        told = self._told(known)
        changes = [
            change
            for cluster in _clusters(looked, around, known)
            if (change := _regrouping(cluster, around, samples, told)) is not None
        ]
        self._store.finish_gathered(looked, changes, self._clock())
        return len(looked)

    def _told(self, known: Mapping[int, Likened]) -> dict[int, Told]:
        links = self._store.likenesses(known)
        return {
            pk: Told(article_of(each), {link.pk: link.score for link in links.get(pk, ())})
            for pk, each in known.items()
        }


@dataclass(frozen=True, slots=True)
class _Cluster:
    """What hangs together: entries looked at, entries in no story, and stories."""

    looked: frozenset[int]
    single: tuple[int, ...]
    stories: tuple[int, ...]


def article_of(likened: Likened) -> Article:
    """A stored entry as others are compared with it."""
    signed = Signature(likened.signed.terms, likened.signed.weights)
    return Article(
        pk=likened.pk,
        title=likened.title,
        published=likened.published,
        vector=signed.vector(),
        lead=likened.lead,
    )


def _clusters(
    looked: Sequence[Likened], around: Around, known: Mapping[int, Likened]
) -> list[_Cluster]:
    """What the links of entries join, and stories their members; each entry is in one."""
    story = {pk: key for key, pks in around.members.items() for pk in pks}
    joined: dict[tuple[str, int], tuple[str, int]] = {}

    def place(pk: int) -> tuple[str, int]:
        return ("story", story[pk]) if pk in story else ("entry", pk)

    def root(at: tuple[str, int]) -> tuple[str, int]:
        while joined.setdefault(at, at) != at:
            at = joined[at]
        return at

    for each in looked:
        mine = root(place(each.pk))
        for pk in sorted(around.near[each.pk]):
            if pk in known and abs(known[pk].published - each.published) <= IDLE:
                joined[root(place(pk))] = mine
    found: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for at in joined:
        found.setdefault(root(at), []).append(at)
    own = {each.pk for each in looked}
    ages = {key: at for at, key in enumerate(around.members)}
    clusters = []
    for places in found.values():
        single = sorted(number for kind, number in places if kind == "entry")
        stories = sorted((n for kind, n in places if kind == "story"), key=ages.__getitem__)
        members = (pk for key in stories for pk in around.members[key])
        mine_looked = own.intersection(single) | own.intersection(members)
        clusters.append(_Cluster(frozenset(mine_looked), tuple(single), tuple(stories)))
    return clusters


def _regrouping(
    cluster: _Cluster,
    around: Around,
    samples: Mapping[int, Sequence[int]],
    told: Mapping[int, Told],
) -> Regrouping | None:
    """What is to become of entries and stories that hang together; None if nothing else."""
    before = {key: frozenset(around.members[key]) for key in cluster.stories}
    free, whole, room = list(cluster.single), [], _APART - len(cluster.single)
    for key in sorted(cluster.stories, key=lambda key: len(before[key])):
        if len(before[key]) <= min(_SMALL, room):
            free += before[key]
            room -= len(before[key])
        else:
            whole.append(key)
    free = [pk for pk in free if pk in told]
    free.sort(key=lambda pk: (told[pk].article.published, pk))
    groups: list[tuple[int, ...]] = [(pk,) for pk in free]
    parts = [[told[pk]] for pk in free]
    for key in whole:
        if sample := [told[pk] for pk in samples[key] if pk in told]:
            groups.append(tuple(around.members[key]))
            parts.append(sample)
    found = []
    for story in gather(parts):
        members = tuple(sorted(pk for at in story.parts for pk in groups[at]))
        texts = [each for at in story.parts for each in parts[at]]
        if len(members) > 1 and not is_one_text(texts):
            found.append((members, parts[story.centre][0].article.pk))
    heirs, ended = succession([members for members, _ in found], before)
    after = tuple(
        Gathered(members, lead, keys[0] if keys else None, tuple(keys[1:]))
        for (members, lead), keys in zip(found, heirs, strict=True)
    )
    same = not ended and all(
        each.story is not None and not each.merged and before[each.story] == set(each.members)
        for each in after
    )
    return None if same else Regrouping(cluster.looked, before, after, tuple(ended))
