"""Connects entries on the same matter, as their texts show it; the newest come first.

Works through the store's outbox in two steps: what each entry is about is written down, then links
are looked for among all that is written down, so that it does not matter in which order entries
arrive. An entry links to what was published before it or within two days after; then its links
stay. What counts as alike is decided in `relate`; this module asks and writes.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from time import monotonic

from .gathering import Gatherer, article_of
from .relate.likeness import FLOOR, FRESH, Article, Scored, choose, compare
from .relate.terms import ASKED, signature, words_of, written
from .store.base import Likeness, Relinked, Signed, Store

CONSUMER = "relate"
_SECONDS = 0.2
_SMALLEST, _LARGEST = 32, 256  # entries a batch
_AT_ONCE = 20_000  # entries of an earlier version
_LISTED = 250  # the newest entries that are looked at for a term
_CANDIDATES = 60  # of those that share the most telling terms, so many are compared


class Relater:
    """Looks for links by content, at most `most` an entry; with none, nothing is looked for.

    With `stories` it gathers what is linked into stories.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        *,
        most: int,
        stories: bool = True,
    ) -> None:
        self._store = store
        self._clock = clock
        self._most = most
        self._gatherer = Gatherer(store, clock) if stories else None
        self._batch = _SMALLEST

    def run(self) -> int:
        """Does one batch of work; 0 if there is none.

        Takes a moment only, so that whoever shares its thread with polling holds nothing up. Safe
        beside others at the same work and at any moment of being killed.
        """
        started, asked = monotonic(), self._batch
        done = self._fold_anew(asked) or self._sign(asked) or self._relate(asked)
        done = done or self._gather(asked) or self._find_copies(asked)
        took = monotonic() - started
        if took > _SECONDS:
            self._batch = max(_SMALLEST, asked // 2)
        elif done == asked and took < _SECONDS / 3:
            self._batch = min(_LARGEST, asked * 2)
        return done

    def drain(
        self, progress: Callable[[int], None] = lambda done: None, *, limit: int | None = None
    ) -> int:
        """Works until nothing waits, or for the newest `limit` entries; how many were linked.

        Then it gathers as many into stories.
        """
        if limit is None:
            _repeat(self._fold_anew, None)
            _repeat(self._find_copies, None)
        _repeat(self._sign, limit)
        linked = _repeat(self._relate, limit, progress)
        _repeat(self._gather, limit)
        return linked

    def _gather(self, size: int) -> int:
        """Finds the stories of entries that wait for it."""
        return self._gatherer.gather(size) if self._gatherer else 0

    def index(self) -> int:
        """Indexes some of what an earlier version stored by its words; how many were looked at.

        For who has no poller that runs on, which does it bit by bit.
        """
        return _repeat(self._fold_anew, _AT_ONCE)

    def _find_copies(self, size: int) -> int:
        """Finds copies of what an earlier version stored: a copy is never linked."""
        return self._store.find_copies(size, self._clock())

    def _fold_anew(self, size: int) -> int:
        """Indexes by its words what an earlier version stored: what it says is told by them."""
        return self._store.fold_anew(size, self._clock())

    def _sign(self, size: int) -> int:
        """Writes down what the entries are about that were added or changed last."""
        tasks = self._store.tasks(CONSUMER, size, newest=True)
        if not tasks:
            return 0
        signed: dict[str, Signed] = {}
        if self._most:
            alive = [task.key for task in tasks if task.change != "withdrawn"]
            for key, text in self._store.unsigned(alive).items():
                made = signature(text.title, text.summary, text.body)
                signed[key] = Signed(made.terms, made.weights)
        self._store.sign([task.seq for task in tasks], signed)
        return len(tasks)

    def _relate(self, size: int) -> int:
        """Looks for links of the newest entries that wait for them."""
        looked = self._store.unrelated(size)
        if not looked:
            return 0
        known = {each.pk: article_of(each) for each in looked}
        candidates = self._candidates(list(known.values()))
        others = self._store.likened({pk for some in candidates for pk in some} - known.keys())
        settled = {pk for pk, each in others.items() if not each.pending}
        known |= {pk: article_of(each) for pk, each in others.items()}
        near = {
            each.pk: compare(known[each.pk], [known[pk] for pk in some if pk in known])
            for each, some in zip(looked, candidates, strict=True)
        }
        returned = _returned(near, known, settled)
        before = self._store.likenesses({*near, *returned})
        explain = _Reasons(known, self._store.words(near))
        relinked = {
            pk: Relinked(
                before.get(pk, ()),
                tuple(
                    Likeness(choice.pk, choice.score, explain(pk, choice.pk, choice.terms))
                    for choice in choose(known[pk], scored, self._most)
                ),
            )
            for pk, scored in near.items()
        }
        relinked |= self._in_return(returned, before, known, explain)
        gather = self._gatherer is not None
        self._store.finish_related(looked, relinked, self._clock(), gather=gather)
        return len(looked)

    def _candidates(self, articles: Sequence[Article]) -> list[list[int]]:
        """For each article those that share most of its telling terms, but not itself."""
        asked = [([*each.vector][:ASKED], each.published + FRESH) for each in articles]
        lists = self._store.sharing_terms(asked, _LISTED)
        found: list[list[int]] = []
        for article, listed in zip(articles, lists, strict=True):
            shared: Counter[int] = Counter()
            for weight, pks in zip(article.vector.values(), listed, strict=False):
                worth = weight * weight
                for pk in pks:
                    shared[pk] += worth
            del shared[article.pk]
            found.append([pk for pk, _ in shared.most_common(_CANDIDATES)])
        return found

    def _in_return(
        self,
        returned: Mapping[int, list[Scored]],
        before: Mapping[int, tuple[Likeness, ...]],
        known: Mapping[int, Article],
        explain: "_Reasons",
    ) -> dict[int, Relinked]:
        """The links of earlier entries that have to make room for new ones."""
        moved: dict[int, list[Scored]] = {}
        for pk, new in returned.items():
            had = before.get(pk, ())
            scores = {link.pk: link.score for link in had}
            least = had[-1].score if len(had) >= self._most else 0.0
            if better := [
                (found, other)
                for found, other in new
                if scores.get(other.pk) != found and (found > least or other.pk in scores)
            ]:
                moved[pk] = better
        missing = {link.pk for pk in moved for link in before.get(pk, ())} - known.keys()
        linked = {pk: article_of(each) for pk, each in self._store.likened(missing).items()}
        relinked: dict[int, Relinked] = {}
        for pk, better in moved.items():
            had = before.get(pk, ())
            new_pks = {other.pk for _, other in better}
            kept = [
                (link.score, known.get(link.pk) or linked[link.pk])
                for link in had
                if link.pk not in new_pks and (link.pk in known or link.pk in linked)
            ]
            reasons = {link.pk: link.reason for link in had if link.pk not in new_pks}
            after = tuple(
                Likeness(
                    choice.pk,
                    choice.score,
                    reasons.get(choice.pk) or explain(choice.pk, pk, choice.terms),
                )
                for choice in choose(known[pk], [*kept, *better], self._most)
            )
            relinked[pk] = Relinked(had, after)
        return relinked


def _repeat(
    step: Callable[[int], int],
    limit: int | None,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    total = 0
    while limit is None or total < limit:
        done = step(_LARGEST if limit is None else min(_LARGEST, limit - total))
        if not done:
            break
        total += done
        progress(done)
    return total


class _Reasons:
    """Says in the words of a text why it is like another: the most telling that both have."""

    def __init__(self, known: Mapping[int, Article], texts: Mapping[int, tuple[str, str]]) -> None:
        self._known = known
        self._texts = texts
        self._words: dict[int, dict[int, str]] = {}

    def __call__(self, pk: int, other: int, terms: Sequence[int]) -> str:
        """The words of entry `pk` for these terms, with capitals where a title has them."""
        title, text = self._texts.get(pk, ("", ""))
        if pk not in self._words:
            self._words[pk] = words_of(text)
        own, theirs, folded = written(title), written(self._known[other].title), self._words[pk]
        said = (own.get(each) or theirs.get(each) or folded.get(each) for each in terms)
        return ", ".join(word for word in said if word)


def _returned(
    near: Mapping[int, Sequence[Scored]], known: Mapping[int, Article], settled: Collection[int]
) -> dict[int, list[Scored]]:
    """By entry whose links were looked for before, the new entries that it may link to now.

    Links of what is more than two days older than the new one stay as they are.
    """
    found: dict[int, list[Scored]] = {}
    for pk, scored in near.items():
        new = known[pk]
        for score, other in scored:
            if score >= FLOOR and other.pk in settled and new.published <= other.published + FRESH:
                found.setdefault(other.pk, []).append((score, new))
    return found
