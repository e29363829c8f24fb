"""Automatic tags: the places, organisations, people and topics of a text, precise before many.

A name has to carry weight to become a tag: a headline counts three times, the summary and the first
words of the body twice, and what a long text mentions once in passing is left out. Text that is not
English gets only names that are spelt alike everywhere.
"""

from collections.abc import Collection
from dataclasses import dataclass

from ..model import slugify
from .gazetteer import MASK, ORGANISATION, PERSON, PLACE, ROLE, Gazetteer, Mention, gazetteer
from .people import Person, people
from .text import KEY, Tokens, word_set
from .topics import SECTION_WEIGHTS, Found, taxonomy

_WORDS = 3_000  # no automatic tag depends on what comes later
_LEAD = 60  # words of the body that count as much as a summary
_LONG = 120  # words from which a single passing mention is not enough
_NEED = 2.0
_PLACES = 6
_ORGANISATIONS = 6
_PERSONS = 5
_DEMONYM = 0.75
_SPORTS = word_set(
    "sport football american-football basketball baseball ice-hockey boxing golf tennis"
    " cricket rugby motorsport cycling"
)
_HINT = 2
_TEAM_HINT = 3
_WHERE = frozenset(("in", "near", "from", "across", "outside", "of", "around", "throughout"))
_ENGLISH = word_set(
    "the of and to in a is that for on with as was by at from it an be are has have this"
)
_ENGLISH_SHARE = 0.12
_ENOUGH_TO_TELL = 25


@dataclass(frozen=True, slots=True)
class AutoTag:
    """A tag found in a text: how strongly, and by what."""

    slug: str
    label: str
    score: float
    evidence: str


@dataclass(slots=True)
class _Tally:
    """The mentions of one tag."""

    sure: bool = False
    score: float = 0.0
    count: int = 0
    title: bool = False
    first: str = ""
    full: bool = False
    surname: str = ""


def auto_tags(tokens: Tokens, lang: str | None) -> list[AutoTag]:
    """The automatic tags of a text whose sections are title, summary and body, strongest first."""
    tokens = tokens.head(_WORDS)
    if not tokens:
        return []
    names = gazetteer()
    if not _english(tokens, lang):
        return _named(tokens, names, names.exact_mentions(tokens))
    mentions = names.mentions(tokens)
    topics = _topics(tokens, names, mentions)
    sporty = any(topic.slug in _SPORTS for topic in topics)
    persons = people(tokens, mentions, names, taxonomy().lexicon.first)
    others = {person.surname for person in persons}
    tags = _named(tokens, names, mentions, sporty=sporty, others=others)
    tags += _people(tokens, names, persons, {tag.slug for tag in tags})
    tags += [
        AutoTag(topic.slug, topic.label, topic.score, ", ".join(topic.phrases)) for topic in topics
    ]
    best: dict[str, AutoTag] = {}
    for tag in sorted(tags, key=lambda tag: (-tag.score, tag.slug)):
        best.setdefault(tag.slug, tag)
    return list(best.values())


def _english(tokens: Tokens, lang: str | None) -> bool:
    if lang:
        return lang.lower().replace("_", "-").split("-")[0] in ("en", "eng")
    if len(tokens) < _ENOUGH_TO_TELL:
        return True
    return sum(map(_ENGLISH.__contains__, tokens.folded)) >= _ENGLISH_SHARE * len(tokens)


def _weight(tokens: Tokens, place: int) -> float:
    section = min(tokens.section(place), 2)
    if section == 2 and place < tokens.ends[1] + _LEAD:
        return SECTION_WEIGHTS[1]
    return SECTION_WEIGHTS[section]


def _topics(tokens: Tokens, names: Gazetteer, mentions: list[Mention]) -> list[Found]:
    covered: dict[int, tuple[int, int]] = {}
    hints: list[tuple[str, str, int, int]] = []
    for mention in mentions:
        kind = mention.name.kind
        if kind == MASK or (kind == PERSON and mention.sure):
            for at in range(mention.start, mention.end):
                covered[at] = (mention.start, mention.end)
        elif kind == ORGANISATION and mention.sure:
            known = names.tags[mention.name.slug]
            for topic in known.topics:
                weight = _TEAM_HINT if topic in _SPORTS else _HINT
                hints.append((topic, known.label, weight, mention.start))
                if topic in _SPORTS and topic != "sport":
                    hints.append(("sport", known.label, weight, mention.start))
    return taxonomy().find(tokens, covered, hints)


def _named(
    tokens: Tokens,
    names: Gazetteer,
    mentions: list[Mention],
    *,
    sporty: bool = False,
    others: Collection[str] = (),
) -> list[AutoTag]:
    """Tags of names from the lists.

    In a text on sport American places are mostly teams; `others` are surnames of persons whom the
    lists do not know.
    """
    tallies: dict[str, _Tally] = {}
    for mention in mentions:
        name = mention.name
        if name.kind in (MASK, ROLE):
            continue
        if sporty and name.kind == PLACE and name.local and not _is_where(tokens, mention.start):
            continue
        tally = tallies.setdefault(name.slug, _Tally())
        weight = _weight(tokens, mention.start)
        tally.sure = tally.sure or mention.sure
        tally.full = tally.full or mention.end - mention.start > 1
        tally.surname = tokens.rows[mention.end - 1][KEY]
        tally.score += weight * (_DEMONYM if name.demonym else 1.0)
        tally.count += 1
        tally.title = tally.title or mention.start < tokens.ends[0]
        if not tally.first:
            tally.first = tokens.written(mention.start, mention.end)
    need = _NEED if len(tokens) >= _LONG else 0.7
    kept: dict[str, list[AutoTag]] = {PLACE: [], ORGANISATION: [], PERSON: []}
    for slug, tally in tallies.items():
        known = names.tags[slug]
        if tally.score < need:
            continue
        if not tally.sure and not any(map(set(tokens.folded).issuperset, known.cues)):
            continue
        if known.kind == PERSON and not tally.full and tally.surname in others:
            continue
        kept[known.kind].append(
            AutoTag(
                slug, known.label, tally.score, _evidence(tally.first, tally.count, tally.title)
            )
        )
    limits = {PLACE: _PLACES, ORGANISATION: _ORGANISATIONS, PERSON: _PERSONS}
    tags: list[AutoTag] = []
    for kind, found in kept.items():
        tags += sorted(found, key=lambda tag: (-tag.score, tag.slug))[: limits[kind]]
    return tags


def _is_where(tokens: Tokens, start: int) -> bool:
    return start > 0 and tokens.rows[start - 1][KEY] in _WHERE


def _people(
    tokens: Tokens, names: Gazetteer, found: list[Person], taken: set[str]
) -> list[AutoTag]:
    """Tags of persons told by the shape of their names."""
    need = _NEED if len(tokens) >= _LONG else 0.7
    tags: list[AutoTag] = []
    for person in found:
        slug, label = _known(names, person.name)
        score = sum(_weight(tokens, place) for place in person.places)
        if not slug or slug in taken or (score < need and not person.introduced):
            continue
        title = any(place < tokens.ends[0] for place in person.places)
        evidence = _evidence(person.name, len(person.places), title)
        tags.append(AutoTag(slug, label, max(score, 1.0), evidence))
    return sorted(tags, key=lambda tag: (-tag.score, tag.slug))[:_PERSONS]


def _known(names: Gazetteer, name: str) -> tuple[str, str]:
    """Slug and label of a person; a middle initial does not make another of somebody known."""
    short = " ".join(word for word in name.split() if len(word) > 1)
    known = names.tags.get(slugify(short))
    if known is not None and known.kind == PERSON:
        return slugify(short), known.label
    return slugify(name), name


def _evidence(first: str, count: int, title: bool) -> str:
    times = f" ×{count}" if count > 1 else ""
    return f"{first}{times}{' (title)' if title else ''}"
