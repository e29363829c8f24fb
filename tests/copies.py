"""Which entries are copies of each other, told from all of them at once: what a store must find."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain, combinations

from feedsvc.duplicates import Copy, alike, groups, joined, marks, own_words, page_of, site_of
from feedsvc.keys import parse_key
from feedsvc.model import Entry
from feedsvc.query.text import plain
from feedsvc.store import marking


def groups_of(entries: Iterable[Entry]) -> set[frozenset[str]]:
    """The groups of copies among these entries, as the ids of each."""
    whole = sorted(entries, key=first_published)
    pairs = chain(_by_page(whole), _by_text(whole))
    return {frozenset(whole[at].id for at in group) for group in groups(len(whole), pairs)}


def first_published(entry: Entry) -> tuple[datetime, int]:
    """What copies are ordered by."""
    return entry.published, parse_key(entry.key) or 0


def _by_page(whole: list[Entry]) -> Iterable[tuple[int, int]]:
    pages: dict[str, list[int]] = {}
    for at, each in enumerate(whole):
        if page := page_of(each.link):
            pages.setdefault(page, []).append(at)
    for here in pages.values():
        said = [
            Copy(one.source_id, one.title, f"{plain(one.summary)}\n{plain(one.content)}")
            for one in (whole[at] for at in here)
        ]
        for a, b in joined(said):
            yield here[a], here[b]


def _by_text(whole: list[Entry]) -> Iterable[tuple[int, int]]:
    words = [own_words(each.summary, each.content) for each in whole]
    marked = [set(marks(each)) for each in words]
    often = Counter(chain.from_iterable(marked))
    said = [
        Copy(each.source_id, each.title, " ".join(own), site_of(each.link))
        for each, own in zip(whole, words, strict=True)
    ]
    for a, b in combinations(range(len(whole)), 2):
        one, other = whole[a], whole[b]
        shared = [mark for mark in marked[a] & marked[b] if often[mark] <= marking.SHARERS]
        near = abs(one.published - other.published) <= timedelta(days=3)
        if (
            len(shared) > 1
            and one.source_id != other.source_id
            and near
            and alike(said[a], said[b])
        ):
            yield a, b
