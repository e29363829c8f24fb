"""Near-identical texts made from articles: six ways in which sources change what they take over.

Every copy follows from its article, its kind and a seed alone.
"""

import random
import re
from collections.abc import Callable, Sequence

_SENTENCE = re.compile(r"(?<=[.!?…。！？])\s*(?:''|\"|”|’)?\s+|(?<=[。！？])")
_SPELLINGS = {
    "color": "colour",
    "center": "centre",
    "defense": "defence",
    "labor": "labour",
    "program": "programme",
    "organization": "organisation",
    "percent": "per cent",
    "honor": "honour",
    "theater": "theatre",
    "traveled": "travelled",
    "toward": "towards",
    "gray": "grey",
    "license": "licence",
    "realize": "realise",
    "recognized": "recognised",
    "authorities": "the authorities",
    "cell phone": "mobile",
    "gas": "petrol",
    "attorney": "lawyer",
    "sidewalk": "pavement",
    "soccer": "football",
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_DATE = re.compile(rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}})\b")
_TOWNS = (
    "London",
    "Sydney",
    "Dublin",
    "Toronto",
    "Auckland",
    "Delhi",
    "Singapore",
    "Leeds",
    "Perth",
)
_AGENCIES = ("AP", "Reuters", "AFP", "PA", "AAP", "Bloomberg")
_SITES = ("The Daily Courier", "Northern Echo", "Metro Times", "The Evening Post", "Coast Herald")
_HEADERS = (
    "{town}, {month} {day} ({agency}) -",
    "By the staff of {site} and {agency}. Published {month} {day}, updated at {hour}:15.",
    "{site} | News | World. You are reading our free edition. Sign up here for the morning letter"
    " and never miss a story that matters to you.",
    "This story comes from {agency} and was edited by {site}.",
)
_FOOTERS = (
    "Copyright {year} {agency}. All rights reserved. This material may not be published,"
    " broadcast, rewritten or redistributed.",
    "Reporting by the {agency} bureau in {town}; editing by {site}. Our standards: the trust"
    " principles. Follow us on social media and subscribe to our newsletter for more stories.",
    "Read more at {site}.",
    "Like this story? Share it with your friends. {site} depends on readers like you: support our"
    " journalism from 3 pounds a month. Have a tip? Write to the desk at {town}. More from {site}:"
    " weather, sport, culture, travel, opinion.",
)
_LEADINGS = ("Breaking:", "Update:", "LIVE -", "Report:", "Watch:", "")
_ENDINGS = ("- what we know", ", officials say", "| {site}", "({agency})", "")

Copied = tuple[str, str]  # title and text


def sentences(text: str) -> list[str]:
    """The sentences of a text, more or less."""
    return [part for part in _SENTENCE.split(text) if part.strip()]


def boilerplate(title: str, text: str, chance: random.Random, strangers: Sequence[str]) -> Copied:
    """With the header and footer of an agency or a host."""
    header, footer = chance.choice(_HEADERS), chance.choice(_FOOTERS)
    return title, f"{_filled(header, chance)} {text} {_filled(footer, chance)}"


def half(title: str, text: str, chance: random.Random, strangers: Sequence[str]) -> Copied:
    """Its first half only."""
    words = text.split()
    return title, " ".join(words[: (len(words) + 1) // 2])


def lead(title: str, text: str, chance: random.Random, strangers: Sequence[str]) -> Copied:
    """Its first three sentences only."""
    return title, " ".join(sentences(text)[:3])


def edit(title: str, text: str, chance: random.Random, strangers: Sequence[str]) -> Copied:
    """With 5 to 10 % of its words changed, dropped or added."""
    share = chance.uniform(0.05, 0.1)
    words = text.split()
    for at in sorted(chance.sample(range(len(words)), round(share * len(words))), reverse=True):
        match chance.randrange(4):
            case 0:
                del words[at]
            case 1:
                words.insert(at, chance.choice(strangers))
            case _:
                words[at] = chance.choice(strangers)
    return title, " ".join(words)


def local(title: str, text: str, chance: random.Random, strangers: Sequence[str]) -> Copied:
    """With another headline and dateline, and with the spellings of elsewhere."""
    for here, there in _SPELLINGS.items():
        text = re.sub(rf"\b{here}\b", there, text)
    text = re.sub(r"\b(\w{3,})iz(e|ed|ing|ation)\b", r"\1is\2", text)
    text = _DATE.sub(r"\2 \1", text)
    dateline = _filled("{town} ({agency}) —", chance).upper()
    return _reworded(title, chance, strangers), f"{dateline} {text}"


def heavy(title: str, text: str, chance: random.Random, strangers: Sequence[str]) -> Copied:
    """With 30 to 50 % of its sentences rewritten or dropped."""
    found = sentences(text)
    changed = round(chance.uniform(0.3, 0.5) * len(found))
    for at in chance.sample(range(len(found)), changed):
        found[at] = "" if chance.random() < 0.5 else _rewritten(found[at], chance, strangers)
    return title, " ".join(filter(None, found))


KINDS: dict[str, Callable[[str, str, random.Random, Sequence[str]], Copied]] = {
    "boilerplate": boilerplate,
    "half": half,
    "lead": lead,
    "edit": edit,
    "local": local,
    "heavy": heavy,
}


def copied(kind: str, seed: int, id: str, article: Copied, strangers: Sequence[str]) -> Copied:
    """A copy of an article; words that come to it are taken from `strangers`."""
    return KINDS[kind](*article, random.Random(f"{seed} {kind} {id}"), strangers)


def _filled(pattern: str, chance: random.Random) -> str:
    return pattern.format(
        town=chance.choice(_TOWNS),
        agency=chance.choice(_AGENCIES),
        site=chance.choice(_SITES),
        month=chance.choice(_MONTHS),
        day=chance.randint(1, 28),
        hour=chance.randint(1, 23),
        year=chance.randint(2004, 2014),
    )


def _reworded(title: str, chance: random.Random, strangers: Sequence[str]) -> str:
    words = title.split()
    # another number would be another story
    replaceable = [at for at, word in enumerate(words) if word.isalpha()]
    others = [word for word in strangers if word.isalpha()]
    for at in chance.sample(replaceable, min(len(replaceable), len(words) // 3)):
        words[at] = chance.choice(others)
    cut = chance.randint(0, len(words) // 2)
    ending = _filled(chance.choice(_ENDINGS), chance)
    return " ".join([chance.choice(_LEADINGS), *words[cut:], *words[:cut], ending]).strip()


def _rewritten(sentence: str, chance: random.Random, strangers: Sequence[str]) -> str:
    """The parts of a sentence in another order, and half of its words others."""
    words = sentence.split()
    cut = chance.randint(0, len(words))
    words = words[cut:] + words[:cut]
    return " ".join(word if chance.random() < 0.5 else chance.choice(strangers) for word in words)
