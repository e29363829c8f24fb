"""A feed in a file (Atom, RSS, RDF): each of its entries, with the feed as its source."""

from dataclasses import replace

from ..base import Reading
from ..webfeed import parse_feed
from .base import Contents, Document


def read_feed(document: Document) -> Contents:
    """Reads an `.atom`, `.rss` or `.xml` document. Raises `ParseError` when it is no feed."""
    return of_feed(parse_feed(document.body))


def of_feed(reading: Reading, *, unique: bool = False) -> Contents:
    """What a feed's reading means for the file it stands in; `unique` as in `Contents`."""
    entries = (
        entry if entry.source or not reading.meta else replace(entry, source=reading.meta)
        for entry in reading.entries
    )
    return Contents(
        entries=tuple(entries),
        many=True,
        unique=unique,
        # ill-formed XML may have ended early: what is not there need not be gone
        complete=not any(problem.name == "feed" for problem in reading.problems),
        problems=tuple(f"{problem.name}: {problem.message}" for problem in reading.problems),
    )
