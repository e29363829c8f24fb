"""Persons who are in no list: names told by their shape and by what stands around them.

In running text a row of two to four capitalised words is a person's name when a title or role
introduces it ("ambassador to Washington, Alexander Darchiev"), when an age or a role follows, or
when it starts with a known first name. Headlines That Capitalise Everything give a name only where
it is fenced in, and never one out of their ordinary words.
"""

import re
from collections.abc import Container
from dataclasses import dataclass

from .gazetteer import ORGANISATION, PERSON, PLACE, ROLE, Gazetteer, Mention
from .text import (
    BREAK,
    CAPITAL,
    GAP,
    IS_CAPITAL,
    JOIN,
    KEY,
    LOOSE,
    MARK,
    PARTICLE,
    SENTENCE,
    WORD,
    Tokens,
    indexes,
    sorted_as,
    word_set,
)

PARTICLES = word_set("de del della der den di da dos du la le van von bin ibn al el ben ter ten")
# most capitalised words just begin a sentence
_FIRST_OF_SEVERAL = re.compile(f"{sorted_as(CAPITAL)}(?={sorted_as(CAPITAL | PARTICLE)})")
_SUFFIXES = frozenset(("jr", "sr", "ii", "iii", "iv"))
_SPEAKS = frozenset(("said", "says", "told", "who", "wrote", "testified", "tweeted"))
_THING_AFTER = word_set(
    "boutique boutiques store stores hotel hotels clinic jewellers jewelers brand label award prize"
)
_MOST_WORDS = 4
_MOST_PERSONS = 40
_APPOSITION = 7  # how many words a role may stand before the comma that introduces a name


@dataclass(frozen=True, slots=True)
class Person:
    """A person's name in a text: where it stands, alone or with a first name, and how it was told.

    `surname` is folded; its places are those of the first person of that name.
    """

    name: str
    surname: str
    places: tuple[int, ...]
    introduced: bool


@dataclass(slots=True)
class _Candidate:
    start: int
    end: int
    introduced: bool
    first_name: int  # 0 unknown, 1 also an ordinary word, 2 sure
    follows: int  # 0 nothing that tells, 1 a role or a verb of speech, 2 an age
    loud: bool  # the sentence capitalises everything


def people(
    tokens: Tokens, mentions: list[Mention], names: Gazetteer, common: Container[str]
) -> list[Person]:
    """The persons of a text whom `mentions` do not know, in order of appearance.

    `common` are ordinary words, which no headline turns into a surname.
    """
    kinds: dict[int, str] = {}
    roles: dict[int, bool] = {}
    for mention in mentions:
        for at in range(mention.start, mention.end):
            kinds[at] = mention.name.kind
            if mention.name.kind == ROLE:
                roles[at] = mention.name.follows
            elif not mention.sure:
                kinds.pop(at)
    found: dict[str, list[_Candidate]] = {}
    after = 0
    for at in tokens.places(_FIRST_OF_SEVERAL):
        if at < after or at in kinds or at + 1 in kinds or tokens.rows[at][GAP] != JOIN:
            continue
        after = _run(tokens, kinds, at)
        candidate = _candidate(tokens, names, kinds, roles, at, after)
        if candidate and not (candidate.loud and tokens.rows[candidate.end - 1][KEY] in common):
            key = " ".join(tokens.folded[candidate.start : candidate.end])
            found.setdefault(key, []).append(candidate)
    if not found:
        return []
    surnames = {
        tokens.rows[m.end - 1][KEY]
        for m in mentions
        if m.name.kind == PERSON and m.end - m.start > 1
    }
    persons: list[Person] = []
    for candidates in found.values():
        if len(persons) < _MOST_PERSONS and _accept(candidates, tokens):
            person = _person(tokens, candidates, surnames)
            surnames.add(person.surname)
            persons.append(person)
    return persons


def _run(tokens: Tokens, kinds: dict[int, str], start: int) -> int:
    """Where the row of capitalised words that begins at `start` ends."""
    end, size = start + 1, len(tokens.rows)
    while end < size and tokens.rows[end - 1][GAP] == JOIN and end not in kinds:
        if tokens.rows[end][IS_CAPITAL]:
            end += 1
        else:
            after = end
            while (
                after < size
                and tokens.rows[after][WORD] in PARTICLES
                and tokens.rows[after][GAP] == JOIN
            ):
                after += 1
            if not end < after < size or not tokens.rows[after][IS_CAPITAL]:
                break
            end = after + 1
    return end


def _candidate(
    tokens: Tokens,
    names: Gazetteer,
    kinds: dict[int, str],
    roles: dict[int, bool],
    start: int,
    end: int,
) -> _Candidate | None:
    """The name in a row of capitalised words, if it can be one."""
    folded = tokens.folded
    loud = tokens.style(start) != SENTENCE
    introduced = _introduced(tokens, kinds, roles, start)
    # somebody's place or employer may run into the name: "Virginia Tech's", "Boston Mayor X"
    joined_before = start > 0 and tokens.rows[start - 1][GAP] == JOIN and (start - 1) in kinds
    joined_after = (
        end < len(folded)
        and tokens.rows[end - 1][GAP] == JOIN
        and tokens.rows[end][IS_CAPITAL]
        and end in kinds
    )
    if joined_after or (loud and joined_before and kinds[start - 1] != ROLE):
        return None
    if not introduced:
        # begin at a first name: "Unemployed John Smith", "New Details About Neil Young's"
        while start < end - 1 and folded[start] not in names.first_names:
            before_a_name = (
                tokens.starts_sentence(start)
                and end - start > 2
                and folded[start + 1] in names.first_names
            )
            if folded[start] not in names.not_persons and not before_a_name:
                break
            start += 1
        if loud and end - start != 2:
            return None
    capitals = sum(tokens.rows[at][IS_CAPITAL] for at in range(start, end))
    if not 2 <= capitals <= _MOST_WORDS:
        return None
    if end < len(folded):
        if tokens.rows[end - 1][GAP] == JOIN and folded[end] in _THING_AFTER:
            return None
        if tokens.rows[end - 1][MARK] == " - " and tokens.rows[end][IS_CAPITAL]:
            return None  # the name may go on behind a badly set hyphen
    if not _name_like(tokens, names, start, end):
        return None
    first = names.first_names.get(folded[start])
    return _Candidate(
        start,
        end,
        introduced,
        0 if first is None else 2 if first else 1,
        _followed(tokens, roles, end),
        loud,
    )


def _introduced(tokens: Tokens, kinds: dict[int, str], roles: dict[int, bool], start: int) -> bool:
    """Whether a title stands right before, or a role before a comma."""
    if start == 0:
        return False
    before = start - 1
    if tokens.rows[before][GAP] == JOIN:
        return before in roles
    if tokens.rows[before][GAP] not in (BREAK, LOOSE):
        return False
    for at in range(before, max(-1, before - _APPOSITION), -1):
        if at in roles:
            return True
        if at != before and tokens.rows[at][GAP] not in (JOIN, LOOSE):
            return False
        capital = tokens.rows[at][IS_CAPITAL]
        if capital and kinds.get(at) not in (PLACE, ORGANISATION):
            return False
    return False


def _followed(tokens: Tokens, roles: dict[int, bool], end: int) -> int:
    """Whether what follows is said of a person: an age (2), a role or a verb of speech (1)."""
    if end >= len(tokens.rows):
        return 0
    word = tokens.rows[end][KEY]
    if tokens.rows[end - 1][GAP] == JOIN:
        return int(word in _SPEAKS)
    if tokens.rows[end - 1][GAP] != BREAK:
        return 0
    if word.isdigit() and len(word) == 2 and tokens.rows[end][GAP] != JOIN:
        return 2
    if word in _SPEAKS:
        return 1
    told = word in ("a", "an", "the", "his", "her", "their", "former") and any(
        roles.get(at, False) for at in range(end + 1, min(end + 5, len(tokens.rows)))
    )
    return int(told)


def _name_like(tokens: Tokens, names: Gazetteer, start: int, end: int) -> bool:
    last = end - 1
    while last > start + 1 and tokens.rows[last][KEY] in _SUFFIXES:
        last -= 1
    for at in range(start, last + 1):
        word, key = tokens.rows[at][WORD], tokens.rows[at][KEY]
        if not word.replace("'", "").replace("’", "").replace(".", "").replace(" ", "").isalpha():
            return False
        if key in names.not_persons:
            return False
        if key in names.surnames_too and (
            at != last or not names.first_names.get(tokens.rows[start][KEY])
        ):
            return False
        if (
            len(word) > 1
            and word.isupper()
            and not ((at == start and len(word) == 2) or "." in word)
        ):
            return False
        if at < last and tokens.rows[at + 1][WORD][0].islower() and tokens.rows[at][GAP] != JOIN:
            return False
    return len(tokens.rows[last][WORD]) > 1


def _accept(candidates: list[_Candidate], tokens: Tokens) -> bool:
    calm = [c for c in candidates if not c.loud]
    if any(c.introduced or c.follows == 2 or (c.follows and c.first_name) for c in calm):
        return True
    if any(c.follows for c in calm) and len(calm) > 1:
        return True
    if any(c.first_name == 2 for c in calm):
        return True
    if any(c.first_name == 1 for c in calm):
        return tokens.folded.count(tokens.rows[candidates[0].end - 1][KEY]) > 1
    return any(c.first_name == 2 and c.end - c.start == 2 for c in candidates)


def _person(tokens: Tokens, candidates: list[_Candidate], taken: set[str]) -> Person:
    """Gathers where a person stands; a surname alone means the first who bears it."""
    first = candidates[0]
    last = first.end - 1
    if tokens.rows[last][KEY] in _SUFFIXES:
        last -= 1
    surname = tokens.rows[last][KEY]
    places = {candidate.start for candidate in candidates}
    if surname not in taken:
        covered = {at for c in candidates for at in range(c.start, c.end)}
        places |= {
            at
            for at in indexes(tokens.folded, surname)
            if at not in covered and tokens.rows[at][IS_CAPITAL]
        }
    return Person(
        tokens.written(first.start, first.end),
        surname,
        tuple(sorted(places)),
        any(c.introduced for c in candidates),
    )
