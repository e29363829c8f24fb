"""Which entries of a source are taken: those that its `keep` finds and its `drop` does not."""

from collections.abc import Callable
from datetime import datetime

from .model import Entry, Source
from .query import parse
from .query.ast import EntryQuery
from .query.matches import matches


def wanted(source: Source, now: datetime) -> Callable[[Entry], bool] | None:
    """Tells of each entry of a source, tagged, whether it is taken; None where all are.

    It is asked before the entry is linked to others: `has:related` and `story:` find nothing yet.
    """
    if source.keep is None and source.drop is None:
        return None
    keep = parse(source.keep) if source.keep is not None else None
    drop = parse(source.drop) if source.drop is not None else None

    def takes(entry: Entry) -> bool:
        def found(query: EntryQuery | None) -> bool | None:
            if query is None:
                return None
            return matches(query, entry, source_kind=source.kind, related=False, now=now)

        return found(keep) is not False and found(drop) is not True

    return takes
