"""Which entry a quoted headline means: by equal titles first, then by very similar ones.

"Also read" lists quote titles of their own site, mostly word for word, sometimes shortened or
edited since. A wrong link is worse than none: what could mean two different titles means neither.
Candidates are brought by the caller, who finds them by the telling words they share.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from rapidfuzz import fuzz

from ..query.telling import stem, stem_weight
from ..query.text import tokens

ACCEPT = 0.81
MARGIN = 0.03
_SHORTEST_PREFIX = 4  # tokens

_LABEL = re.compile(
    r"""\s*(?:[\[(]\s*)?
    (?:live(?:\s+(?:updates?|blog|now))?|breaking(?:\s+news)?|just\s+in|developing|alert|watch|video
    |exclusive|updated?(?:\s*\d+)?|wrapup(?:\s*\d+)?|corrected|refile|rpt|read(?:\s+also|\s+more)?
    |also\s+read|see\s+also)
    \s*(?:[\])]\s*[:|–—-]?|:|\s[|–—-](?=\s)
    |(?-i:(?<=UPDATE\ \d)|(?<=WRAPUP\ \d)|(?<=REFILE)|(?<=RPT)|(?<=EXCLUSIVE)|(?<=CORRECTED))-)
    \s*(?=\S)""",
    re.IGNORECASE | re.VERBOSE,
)
_TRAILING_LABEL = re.compile(
    r"\s*[\[(]\s*(?:video|watch|photos?|pics?|pictures|live|updated?|gallery)\s*[\])]\s*\Z",
    re.IGNORECASE,
)
_SITE = re.compile(r"\s+(?:[-–—|·•»]|::)\s+([^|–—·•»]{2,40})\Z")
_SITE_WORD = re.compile(
    r"""\b(?:news|times|post|herald|tribune|guardian|reuters|bbc|cnn|cnbc|npr|afp|gazette|telegraph
    |journal|chronicle|observer|mirror|independent|daily|weekly|magazine|press|wire|blog|tv|radio
    |online|today|express|standard|examiner|inquirer|economist|bloomberg|aljazeera|al\ jazeera
    |le\ monde|der\ spiegel|die\ zeit|el\ pa[ií]s)\b|\.\s?(?:com|org|net|co\.\w\w|de|fr|in|uk)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}")
_APOSTROPHE = re.compile(r"(?<=\w)['’‘`´](?=\w)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_NUMBER = re.compile(
    r".*\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|first|second|third"
    r"|fourth|fifth)\Z"
)
_CUT = re.compile(r"\s*(?:…|\.{3,}|\[…\]|\[\.\.\.\])\s*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry that a headline may mean, with when the naming and the named were published."""

    key: str
    title: str
    same_source: bool
    published: datetime
    reference_published: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The entry a headline means: how sure (0 to 1), whether word for word, and why, in words."""

    key: str
    score: float
    exact: bool
    same_source: bool
    reason: str


@dataclass(frozen=True, slots=True)
class _Title:
    """A title taken apart; `cut` when it ends in an ellipsis."""

    words: tuple[str, ...]
    cut: bool

    @property
    def letters(self) -> str:
        """The title without blanks, so that `eye-catching` is `eyecatching` and `7.1` is `71`."""
        return "".join(self.words)


def normal(title: str) -> str:
    """The form in which equal titles are equal: folded tokens without labels or the site's name.

    `LIVE: U.S. "seeks" talks - Example News` and `US seeks talks` have one. Never empty for a
    title that has a letter or a digit.
    """
    return " ".join(_parse(title).words)


def best(reference: str, candidates: Sequence[Candidate]) -> Match | None:
    """Decides which of the candidates a headline means; None when no or more than one title may be.

    Of equal titles the one of the same source wins, then the nearest in time. A similar title
    must score 0.81 or more and lead any other title by 0.03.
    """
    wanted = _parse(reference)
    if not wanted.words:
        return None
    exact = [c for c in candidates if _means_exactly(wanted, c)]
    if exact:
        chosen = min(exact, key=_distance)
        where = "same title" if chosen.same_source else "same title in another source"
        return Match(
            key=chosen.key,
            score=1.0,
            exact=True,
            same_source=chosen.same_source,
            reason=where,
        )
    # another site's similar title is most often its own report of the same event
    return _most_similar(wanted, [c for c in candidates if c.same_source])


def _means_exactly(wanted: _Title, candidate: Candidate) -> bool:
    # one word is a title often enough, but the same one elsewhere is another's ("Obituaries")
    if len(wanted.words) < 2 and not candidate.same_source:
        return False
    title = _parse(candidate.title)
    return title.letters == wanted.letters and (title.cut or not wanted.cut)


def _distance(candidate: Candidate) -> tuple[bool, timedelta, str]:
    apart = abs(candidate.published - candidate.reference_published)
    return (not candidate.same_source, apart, candidate.key)


def _most_similar(wanted: _Title, candidates: Sequence[Candidate]) -> Match | None:
    by_title: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_title.setdefault(_parse(candidate.title).letters, []).append(candidate)
    scored: list[tuple[float, bool, list[Candidate]]] = []
    for same in by_title.values():
        title = _parse(same[0].title)
        if title.words:
            scored.append((*_compare(wanted, title), same))
    scored.sort(key=lambda found: -found[0])
    if not scored or scored[0][0] < ACCEPT:
        return None
    score, beginning, same = scored[0]
    # the very same words in another order need no lead
    if len(scored) > 1 and score - scored[1][0] < (MARGIN if score < 1 else 1e-9):
        return None
    chosen = min(same, key=_distance)
    reason = "same beginning" if beginning else f"similar title ({score:.2f})"
    return Match(
        key=chosen.key,
        score=round(score, 4),
        exact=False,
        same_source=chosen.same_source,
        reason=reason,
    )


def _compare(wanted: _Title, title: _Title) -> tuple[float, bool]:
    """How similar two titles are; and whether one is the beginning of the other, cut short."""
    if wanted.cut or title.cut:
        short, long = (wanted, title) if wanted.cut else (title, wanted)
        length = len(short.words)
        if _SHORTEST_PREFIX <= length <= len(long.words):
            if long.letters.startswith(short.letters):
                return 0.97, True
            return min(0.96, similarity(short.words, long.words[:length])), False
    return similarity(wanted.words, title.words), False


def similarity(one: Sequence[str], other: Sequence[str]) -> float:
    """How alike two titles are, from 0 to 1, given as folded tokens.

    `.5·idf-Dice + .25·token-sort + .25·coverage − .15·number-conflict`; coverage is the share of
    the shorter one's weight that the longer one has as well.
    """
    a, b = _stems(one), _stems(other)
    weight_a, weight_b = sum(a.values()), sum(b.values())
    common = sum(weight for stem, weight in a.items() if stem in b)
    if not common:
        return 0.0
    dice = 2 * common / (weight_a + weight_b)
    coverage = common / min(weight_a, weight_b)
    sort = fuzz.token_sort_ratio(" ".join(one), " ".join(other)) / 100
    score = 0.5 * dice + 0.25 * sort + 0.25 * coverage
    return min(1.0, max(0.0, score - 0.15 * _numbers_conflict(one, other)))


def _stems(words: Iterable[str]) -> dict[str, float]:
    """Words without the `s` of a plural or genitive, each with how telling it is."""
    return {each: stem_weight(each) for each in map(stem, words)}


def _numbers_conflict(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether each has a number that the other lacks: another part, year or score."""
    a, b = ({word for word in words if _NUMBER.match(word)} for words in (one, other))
    return bool(a - b) and bool(b - a)


def _bare(title: str) -> str:
    """The title without labels before it and the site's name behind it."""
    text = title.strip()
    for _ in range(3):
        stripped = _LABEL.sub("", text, count=1) if _LABEL.match(text) else text
        stripped = _TRAILING_LABEL.sub("", stripped)
        if stripped == text:
            break
        text = stripped
    site = _SITE.search(text)
    if site and _SITE_WORD.search(site[1]) and len(tokens(text[: site.start()])) >= 3:
        text = text[: site.start()]
    return text


@lru_cache(maxsize=4096)
def _parse(title: str) -> _Title:
    cut = _CUT.search(title)
    text = _bare(title[: cut.start()] if cut else title)
    text = _INITIALS.sub(lambda m: m[0].replace(".", ""), text)
    text = _THOUSANDS.sub("", _APOSTROPHE.sub("", text))
    words = tokens(text) or tokens(title)
    return _Title(tuple(words), cut is not None)
