"""Every store: what a noisy headline means is among its candidates, and the other way round."""

import json
import random

from feedsvc.relate.titles import Candidate, best, normal
from feedsvc.store import SqlStore
from feedsvc.store.base import Sought
from tests.storekit import NOW, entry, poll
from tests.unit.test_relate_titles import HEADLINES, noisy

_LIMIT = 20


def cases(number: int) -> list[tuple[str, str]]:
    """Titles with noisy references that mean them if nothing else does."""
    chance = random.Random(5)
    rows = map(json.loads, HEADLINES.read_text("utf-8").splitlines())
    titles = list({normal(row["title"]): row["title"] for row in rows}.values())
    found = []
    for title in chance.sample(titles, number):
        reference = noisy(title, chance)
        candidate = Candidate(
            key="", title=title, same_source=True, published=NOW, reference_published=NOW
        )
        if best(reference, [candidate]) is not None:
            found.append((title, reference))
    return found


def test_the_title_that_a_headline_means_is_among_its_candidates(any_store: SqlStore) -> None:
    pairs = cases(800)
    poll(any_store, *(entry(str(number), title=title) for number, (title, _) in enumerate(pairs)))
    sought = [Sought(text=normal(name) or name, also=(name,)) for _, name in pairs]
    found = any_store.titled(sought, _LIMIT)
    hits = sum(
        title in {each.title for each in some}
        for (title, _), some in zip(pairs, found, strict=True)
    )
    assert len(pairs) > 700
    assert hits >= 0.995 * len(pairs), (hits, len(pairs))


def test_the_headline_that_means_a_title_is_among_its_candidates(any_store: SqlStore) -> None:
    pairs = cases(800)
    poll(
        any_store,
        *(entry(str(n), title="", references=(name,)) for n, (_, name) in enumerate(pairs)),
    )
    sought = [Sought(text=title, also=(normal(title),)) for title, _ in pairs]
    found = any_store.waiting(sought, _LIMIT)
    hits = sum(
        name in {each.title for each in some} for (_, name), some in zip(pairs, found, strict=True)
    )
    assert hits >= 0.995 * len(pairs), (hits, len(pairs))
