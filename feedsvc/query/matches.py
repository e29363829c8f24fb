"""Asks a query of one entry in memory, with the meaning the stores give it in SQL.

Also what both must agree on: the text that words are looked for in (`searchable`) and the moment a
relative time means (`moment`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..model import Entry, SourceKind
from .ast import (
    And,
    EntryQuery,
    FromSource,
    Has,
    InLanguage,
    InStory,
    Leaf,
    Node,
    Not,
    OfKind,
    Or,
    Since,
    Tagged,
    Until,
    Words,
)
from .text import plain, tokens


@dataclass(frozen=True, slots=True)
class Searchable:
    """An entry's tokens by the column they are searched in. A phrase never spans two columns."""

    title: tuple[str, ...]
    summary: tuple[str, ...]
    body: tuple[str, ...]
    author: tuple[str, ...]


def searchable(entry: Entry) -> Searchable:
    """What of an entry is searched: no markup, no credit line, names of authors in their order."""
    return Searchable(
        title=tuple(tokens(entry.title)),
        summary=tuple(tokens(plain(entry.summary))),
        body=tuple(tokens(plain(entry.content))),
        author=tuple(tokens(" ".join(person.name for person in entry.authors))),
    )


def moment(at: datetime | timedelta, now: datetime) -> datetime:
    """When a time of a query is: a span counts back from `now`, cut to the whole minute."""
    if isinstance(at, datetime):
        return at
    return now.replace(second=0, microsecond=0) - at


def matches(
    query: EntryQuery,
    entry: Entry,
    *,
    source_kind: SourceKind,
    related: bool,
    now: datetime,
    story: str | None = None,
) -> bool:
    """Whether an entry is one of those a query asks for.

    `source_kind` is that of the entry's source, `related` whether it has links to other entries,
    `story` the id of the story it belongs to.
    """
    asked = _Asked(entry, source_kind, related, now, story)
    return query.where is None or asked.holds(query.where)


class _Asked:
    """One entry under question; its text is cut into tokens once, and only if words are asked."""

    def __init__(
        self, entry: Entry, kind: SourceKind, related: bool, now: datetime, story: str | None
    ) -> None:
        self.entry, self.kind, self.related, self.now, self.story = entry, kind, related, now, story
        self.text: Searchable | None = None

    def holds(self, node: Node) -> bool:
        match node:
            case And(terms):
                return all(self.holds(term) for term in terms)
            case Or(terms):
                return any(self.holds(term) for term in terms)
            case Not(term):
                return not self.holds(term)
            case _:
                return self.leaf(node)

    def leaf(self, leaf: Leaf) -> bool:
        entry = self.entry
        match leaf:
            case Tagged(slug):
                return any(tag.slug == slug for tag in entry.tags)
            case Words(wanted, field):
                text = self.text = self.text or searchable(entry)
                columns = (
                    (text.title, text.summary, text.body)
                    if field == "any"
                    else (text.title if field == "title" else text.author,)
                )
                return any(_contains(column, wanted) for column in columns)
            case FromSource(id):
                return entry.source_id == id
            case InLanguage(lang):
                own = (entry.lang or "").lower().replace("_", "-")
                return own == lang or own.startswith(f"{lang}-")
            case Since(at):
                return entry.published >= moment(at, self.now)
            case Until(at):
                return entry.published < moment(at, self.now)
            case Has(what):
                return self.has(what)
            case OfKind(kind):
                return self.kind == kind
            case InStory(id):
                return self.story == id

    def has(self, what: str) -> bool:
        match what:
            case "enclosure":
                return any(link.rel == "enclosure" for link in self.entry.links)
            case "link":
                return self.entry.link is not None
            case "author":
                return bool(self.entry.authors)
            case "credit":
                return bool(self.entry.credit)
            case _:
                return self.related


def _contains(column: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    size = len(wanted)
    return size > 0 and any(
        column[at : at + size] == wanted for at, token in enumerate(column) if token == wanted[0]
    )
