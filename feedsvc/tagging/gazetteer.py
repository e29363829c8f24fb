"""The names that automatic tags know: places, organisations, people, and how they are told apart.

The lists are under `data/` and say there how they are written. A name found in a text is either
sure or doubtful (an ordinary word at the start of a sentence, somebody's surname); a doubtful one
counts only when its tag is sure elsewhere in the same text or a cue speaks for it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Final

from ..model import slugify
from .lexicon import Lexicon
from .phrase import is_acronym
from .text import (
    BREAK,
    GAP,
    IS_CAPITAL,
    JOIN,
    KEY,
    LOOSE,
    MARK,
    NAME,
    SENTENCE,
    SHOUT,
    WORD,
    Tokens,
    fold,
    sorted_as,
    tokenise,
    word_set,
)

PLACE: Final = "place"
ORGANISATION: Final = "organisation"
PERSON: Final = "person"
ROLE: Final = "role"
MASK: Final = "mask"

NO: Final = 0
DOUBTFUL: Final = 1
SURE: Final = 2

_NAMES = re.compile(sorted_as(NAME))
# acronyms that are ordinary words when a whole headline is in capitals
_WORDS_IN_CAPITALS = word_set("us who it ice un rim meta sec gm hp ira pga mit fed ga la nice")
# capitalised words that may stand beside a name without being part of it
_BESIDE = word_set(
    "north south east west northern southern eastern western central greater downtown"
    " mainland upper lower outer inner in near from of the at to for and or but by on with as"
    " mr mrs ms dr sir sen rep gov gen lt col police state city county mayor governor airport"
    " international why how what when who where is are was will can does did has should while"
    " after before if yesterday today both since meanwhile like"
)
_STATES = word_set(
    "ala ariz ark calif colo conn del fla ga ill ind kan ky la md mass mich minn miss mo mont neb"
    " nev ohio okla ont ore pa tenn tex vt va wash wis wyo texas georgia idaho colorado alabama"
    " kentucky maine illinois indiana iowa kansas tennessee virginia ontario massachusetts oregon"
)
_LANGUAGE_VERBS = word_set("in learn learning speak speaks speaking spoke spoken fluent his her")
# words after a surname that make it another thing than the person
_OTHER_THING = word_set(
    "tower towers jr university hotel foundation organization plaza international park museum"
    " library center centre street stadium arena airport avenue medical"
)


@dataclass(frozen=True, slots=True)
class Name:
    """One way to write a tag's name.

    `exact` is the spelling an acronym demands; `proper` says which words need a capital.
    `doubtful`, `word` and `shared` are the marks ~ * ^ of the lists; a `demonym` names a people; a
    `local` place lies in a country whose teams bear its places' names; a `foreign` city has
    namesakes there. A role that `follows` may stand behind a name.
    """

    slug: str
    kind: str
    exact: str = ""
    proper: tuple[int, ...] = ()
    doubtful: bool = False
    word: bool = False
    shared: bool = False
    demonym: bool = False
    local: bool = False
    follows: bool = False
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Topical:
    """What a tag knows beside its names."""

    label: str
    kind: str
    topics: tuple[str, ...] = ()
    cues: tuple[tuple[str, ...], ...] = ()


@dataclass(slots=True)
class Mention:
    """A name in a text, from word `start` to before word `end`."""

    name: Name
    start: int
    end: int
    sure: bool


@dataclass(slots=True)
class Gazetteer:
    """All names, in one lexicon, and all tags they stand for.

    `small` are the words that begin a name without needing a capital.
    """

    lexicon: Lexicon[Name] = field(default_factory=Lexicon)
    small: set[str] = field(default_factory=set)
    tags: dict[str, Topical] = field(default_factory=dict)
    role_words: set[str] = field(default_factory=set)
    first_names: dict[str, bool] = field(default_factory=dict)
    not_persons: frozenset[str] = frozenset()
    surnames_too: frozenset[str] = frozenset()

    def add(self, keys: Sequence[str], name: Name) -> None:
        """Adds a way to write a name, given as its folded words."""
        self.lexicon.add(keys, name)
        if 0 not in name.proper:
            self.small.add(keys[0])

    def may_begin(self, word: str, key: str) -> bool:
        """Whether a word, written and folded, may begin a name: most do so with a capital only."""
        return key in self.lexicon.first and (word[0].isupper() or key in self.small)

    def _places(self, tokens: Tokens) -> list[int]:
        """Where a name may begin: at a word that may, with what can stand behind it."""
        rows, alone, longer = tokens.rows, self.lexicon.alone, self.lexicon.longer
        found: list[int] = []
        for at in tokens.places(_NAMES):
            key = rows[at][KEY]
            if key in alone or (rows[at][GAP] <= LOOSE and rows[at + 1][KEY] in longer[key]):
                found.append(at)
        return found

    def mentions(self, tokens: Tokens) -> list[Mention]:
        """Every name in a text, masks and roles included, from left to right."""
        found: list[Mention] = []
        elsewhere: set[str] = set()

        def accept(name: Name, start: int, end: int) -> bool:
            return _spelled(tokens, name, start, end)

        for start, end, names in self.lexicon.scan(tokens, self._places(tokens), accept):
            for name in names:
                if name.foreign and _namesake(tokens, end):
                    elsewhere.add(name.slug)
                verdict = self._judge(tokens, name, start, end)
                if verdict != NO:
                    found.append(Mention(name, start, end, verdict == SURE))
        return [m for m in found if m.name.slug not in elsewhere] if elsewhere else found

    def exact_mentions(self, tokens: Tokens) -> list[Mention]:
        """The names that mean the same in any language: proper, long, nobody else's."""

        def accept(name: Name, start: int, end: int) -> bool:
            plain = not (name.doubtful or name.word or name.shared or name.demonym)
            long = end - start > 1 or len(tokens.rows[start][WORD]) > 4
            return plain and long and name.kind != ROLE and _spelled(tokens, name, start, end)

        return [
            Mention(name, start, end, True)
            for start, end, names in self.lexicon.scan(tokens, self._places(tokens), accept)
            for name in names
        ]

    def _judge(self, tokens: Tokens, name: Name, start: int, end: int) -> int:
        """How far a well-spelled name means what it says: SURE, DOUBTFUL or not at all (NO)."""
        if name.demonym and _language(tokens, start, end):
            return NO
        if name.exact and _ticker(tokens, start, end):
            return NO
        if not (name.word or name.shared):
            return DOUBTFUL if name.doubtful else SURE
        style = tokens.style(start)
        if name.shared:
            alone = self._alone(tokens, name, start, end, style)
            if alone != SURE:
                return alone
        if name.doubtful:
            return DOUBTFUL
        if name.word and name.demonym and self._of_person(tokens, end):
            return SURE
        if name.word and (
            style != SENTENCE or (tokens.starts_sentence(start) and not _verb_follows(tokens, end))
        ):
            return DOUBTFUL
        return SURE

    def _of_person(self, tokens: Tokens, end: int) -> bool:
        """Whether a title or a person's name follows: "American President", "Polish Prime …"."""
        return (
            end < len(tokens.rows)
            and tokens.rows[end - 1][GAP] == JOIN
            and tokens.rows[end][IS_CAPITAL]
            and (
                tokens.rows[end][KEY] in self.role_words
                or tokens.rows[end][KEY] in self.first_names
            )
        )

    def _alone(self, tokens: Tokens, name: Name, start: int, end: int, style: int) -> int:
        """Whether a name that is part of others stands for itself here."""
        if start > 0 and tokens.rows[start - 1][GAP] == JOIN and tokens.rows[start - 1][IS_CAPITAL]:
            before = tokens.rows[start - 1][KEY]
            if before in self.first_names and before not in _BESIDE:
                return NO
            headline = style != SENTENCE or tokens.starts_sentence(start - 1)
            if not headline and before not in _BESIDE and before not in self.role_words:
                return NO
        if start > 1 and tokens.rows[start - 1][KEY] == "of":
            before = tokens.rows[start - 2][KEY]
            if before in ("university", "bank", "church", "times", "prince", "princess", "duke"):
                return NO
        if (
            end < len(tokens.rows)
            and tokens.rows[end - 1][GAP] == JOIN
            and tokens.rows[end][IS_CAPITAL]
        ):
            after = tokens.rows[end][KEY]
            if name.kind == PERSON:
                return NO if after in _OTHER_THING else SURE
            if name.demonym and self._of_person(tokens, end):
                return SURE
            if after not in _BESIDE:
                return NO if style == SENTENCE else DOUBTFUL
        return SURE


def _language(tokens: Tokens, start: int, end: int) -> bool:
    """Whether a people's name means its language here: "in Spanish", "learn Russian"."""
    return (
        start > 0
        and tokens.rows[start - 1][KEY] in _LANGUAGE_VERBS
        and tokens.rows[end - 1][GAP] != JOIN
    )


def _namesake(tokens: Tokens, end: int) -> bool:
    """Whether an American state follows a foreign city's name: "Florence, Colo."."""
    return (
        end < len(tokens.rows)
        and tokens.rows[end - 1][GAP] == BREAK
        and tokens.rows[end][KEY] in _STATES
    )


def _ticker(tokens: Tokens, start: int, end: int) -> bool:
    """Whether a stock exchange merely precedes a company's ticker: "(NYSE: HPQ)"."""
    return (
        start >= tokens.ends[0]
        and end < len(tokens.rows)
        and tokens.rows[end - 1][MARK].startswith(":")
        and is_acronym(tokens.rows[end][WORD])
    )


def _verb_follows(tokens: Tokens, end: int) -> bool:
    """Whether what starts a sentence is followed by what only a name is followed by."""
    return end < len(tokens.rows) and (
        tokens.rows[end][KEY] in ("said", "says", "announced") or tokens.rows[end - 1][GAP] == LOOSE
    )


def _spelled(tokens: Tokens, name: Name, start: int, end: int) -> bool:
    if name.exact:
        word = tokens.rows[start][WORD]
        if word != name.exact:
            return False
        return not (word.lower() in _WORDS_IN_CAPITALS and tokens.style(start) == SHOUT)
    return all(tokens.rows[start + at][IS_CAPITAL] for at in name.proper)


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """The names shipped with feedsvc; read once a process."""
    made = Gazetteer()
    for row in _rows("places.tsv", 6):
        kind, country, label, names, demonyms, cues = row
        local = country in ("US", "CA", "GB") and kind != "country"
        foreign = kind == "city" and country != "US"
        _add(made, PLACE, label, names, cues, local=local, foreign=foreign)
        slug = _slug(label)
        for demonym in _split(demonyms):
            plural = () if demonym.endswith(("s", "sh", "ch", "ese", "man")) else (demonym + "s",)
            for form in (demonym, *plural):
                _name(made, PLACE, slug, form, demonym=True, local=local)
    for row in _rows("organisations.tsv", 5):
        kind, label, names, topics, cues = row
        if kind == "mask":
            for text in (label, *_split(names)):
                _name(made, MASK, "", text)
        else:
            _add(made, ORGANISATION, label, names, cues, topics=tuple(_split(topics)))
    for label, names in _rows("people.tsv", 2):
        _add(made, PERSON, label, names, "")
    for line in data_lines("roles.txt"):
        for role in line.split("|"):
            keys = tokenise([role.lstrip("+")]).folded
            made.add(keys, Name("", ROLE, follows=role.startswith("+")))
            made.role_words.update((keys[0], keys[-1]))
    for line in data_lines("firstnames.txt"):
        for word in line.split():
            made.first_names[fold(word.lstrip("*"))] = not word.startswith("*")
    words = [word for line in data_lines("nonpersons.txt") for word in line.split()]
    made.not_persons = frozenset(word for word in words if not word.startswith("+"))
    made.surnames_too = frozenset(word[1:] for word in words if word.startswith("+"))
    return made


def _add(
    made: Gazetteer,
    kind: str,
    label: str,
    names: str,
    cues: str,
    *,
    local: bool = False,
    foreign: bool = False,
    topics: tuple[str, ...] = (),
) -> None:
    slug = _slug(label)
    shown = label.lstrip("~*^")
    made.tags[slug] = Topical(
        shown, kind, topics, tuple(tuple(tokenise([cue]).folded) for cue in _split(cues))
    )
    if "(" not in shown:
        _name(made, kind, slug, label, local=local, foreign=foreign)
    for text in _split(names):
        _name(made, kind, slug, text, local=local, foreign=foreign)


def _name(
    made: Gazetteer,
    kind: str,
    slug: str,
    text: str,
    *,
    demonym: bool = False,
    local: bool = False,
    foreign: bool = False,
) -> None:
    spelled = text.lstrip("~*^")
    marks = text[: len(text) - len(spelled)]
    tokens = tokenise([spelled])
    exact = (
        tokens.rows[0][WORD] if len(tokens.rows) == 1 and is_acronym(tokens.rows[0][WORD]) else ""
    )
    if "." in exact:
        exact = ""
    made.add(
        tokens.folded,
        Name(
            slug,
            kind,
            exact=exact,
            proper=tuple(at for at, word in enumerate(tokens.words) if word[0].isupper()),
            doubtful="~" in marks,
            word="*" in marks,
            shared="^" in marks,
            demonym=demonym,
            local=local,
            foreign=foreign,
        ),
    )


def _slug(label: str) -> str:
    return slugify(label.lstrip("~*^"))


def _split(cell: str) -> list[str]:
    return [part for part in cell.split("|") if part]


def data_lines(name: str) -> Iterator[str]:
    """The lines of a file under `data/` that are neither empty nor comments."""
    text = (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def _rows(name: str, columns: int) -> Iterator[list[str]]:
    for line in data_lines(name):
        cells = line.split("\t")
        yield [cell.strip() for cell in cells] + [""] * (columns - len(cells))
