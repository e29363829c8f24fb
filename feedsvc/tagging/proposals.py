"""What tag rules and aliases an operator may want: phrases that recur, tags that are one.

Pure: entries in, proposals out. A phrase is proposed if it stands in many titles, oftener than in
news at large, and no tag stands for it already. Titles say what entries are about, and are what the
background frequencies were counted from. Nothing here changes a tag.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import compress, islice

from ..model import Entry, slugify
from ..query.telling import weight
from .text import GAP, JOIN, KEY, LOOSE, Tokens, tokenise

_LONGEST = 3  # words of a phrase
_EXAMPLES = 3
_TELLS = 4.2  # what a word must tell to begin or end a phrase (`query.telling`)
_OFTENER = 4  # times as often as in news at large, or it is no matter of these entries
_TOO_COMMON = 0.3  # of all entries
_COVERED = 0.6  # of a phrase's entries and a tag's, as their Jaccard index
_SAME = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleProposal:
    """A rule `tag = "…", any = ["phrase"]`: in how many titles, on how many days, for example."""

    tag: str
    phrase: str
    entries: int
    days: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasProposal:
    """An alias `slug = "tag"`, of two spellings of one tag; how many entries have either."""

    slug: str
    tag: str
    entries: int
    of_tag: int


def rule_proposals(entries: Sequence[Entry], *, most: int, fewest: int) -> tuple[RuleProposal, ...]:
    """At most so many rules, the weightiest first, for phrases of `fewest` entries or more."""
    found: dict[tuple[str, ...], set[int]] = defaultdict(set)
    written: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for number, entry in enumerate(entries):
        tokens = tokenise([entry.title])
        for start, end in _phrases(tokens):
            keys = tuple(row[KEY] for row in tokens.rows[start:end])
            found[keys].add(number)
            written[keys][tokens.written(start, end)] += 1
    tagged = _tagged(entries)
    ranked = sorted(
        (-weighs, keys)
        for keys, held in found.items()
        if fewest <= len(held) <= _TOO_COMMON * len(entries)
        and (weighs := _weight(keys, held, entries))
    )
    taken: list[tuple[tuple[str, ...], set[int]]] = []
    proposals: list[RuleProposal] = []
    for _, keys in ranked:
        held = found[keys]
        if any(_overlap(keys, held, other) for other in taken) or _covered(held, entries, tagged):
            continue
        taken.append((keys, held))
        phrase = written[keys].most_common(1)[0][0]
        proposals.append(
            RuleProposal(
                tag=slugify(phrase),
                phrase=phrase,
                entries=len(held),
                days=len(_days(held, entries)),
                examples=tuple(entries[n].title for n in islice(sorted(held), _EXAMPLES)),
            )
        )
        if len(proposals) == most:
            break
    return tuple(proposals)


def alias_proposals(counts: Mapping[str, int], *, most: int) -> tuple[AliasProposal, ...]:
    """Tags that differ in hyphens, a plural or an article alone: the rarer as the commoner."""
    alike: dict[str, list[str]] = defaultdict(list)
    for slug in counts:
        alike[_bare(slug)].append(slug)
    proposals = []
    for slugs in alike.values():
        best, *others = sorted(slugs, key=lambda slug: (-counts[slug], slug))
        proposals += [
            AliasProposal(slug=slug, tag=best, entries=counts[slug], of_tag=counts[best])
            for slug in others
        ]
    proposals.sort(key=lambda one: (-one.entries, one.slug))
    return tuple(proposals[:most])


def _phrases(tokens: Tokens) -> Iterator[tuple[int, int]]:
    """Where phrases of one to three words begin and end: no comma within, no small word outside."""
    keys = [row[KEY] for row in tokens.rows]
    tells = [weight(key) >= _TELLS and len(key) > 1 and not key.isdecimal() for key in keys]
    for start in compress(range(len(tells)), tells):
        for end in range(start + 1, min(start + _LONGEST, len(tells)) + 1):
            if tells[end - 1]:
                yield start, end
            if tokens.rows[end - 1][GAP] not in (JOIN, LOOSE):
                break


def _weight(keys: tuple[str, ...], held: set[int], entries: Sequence[Entry]) -> float:
    """How much a phrase is a matter of these entries; zero where it is not.

    It is by how much oftener it stands there than its rarest word does in news at large, on how
    many days (what comes all at once is one event), and in how many words.
    """
    oftener = math.log(len(held) / len(entries)) + max(map(weight, keys))
    if oftener < math.log(_OFTENER):
        return 0.0
    return oftener * len(keys) * math.sqrt(len(held) * len(_days(held, entries)))


def _days(held: Iterable[int], entries: Sequence[Entry]) -> set[date]:
    return {entries[number].published.date() for number in held}


def _overlap(
    keys: tuple[str, ...], held: set[int], other: tuple[tuple[str, ...], set[int]]
) -> bool:
    """Whether a phrase is mostly another one that shares a word with it."""
    words, there = other
    shared = len(held & there)
    return not set(keys).isdisjoint(words) and shared >= _SAME * min(len(held), len(there))


def _tagged(entries: Sequence[Entry]) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for number, entry in enumerate(entries):
        for tag in entry.tags:
            found[tag.slug].add(number)
    return found


def _covered(held: set[int], entries: Sequence[Entry], tagged: Mapping[str, set[int]]) -> bool:
    """Whether a tag is on much the same entries."""
    near = {tag.slug for number in held for tag in entries[number].tags}
    return any(
        len(held & tagged[slug]) >= _COVERED * len(held | tagged[slug]) for slug in sorted(near)
    )


def _bare(slug: str) -> str:
    words = slug.removeprefix("the-").split("-")
    return "".join(word[:-1] if len(word) > 4 and word[-1] == "s" else word for word in words)
