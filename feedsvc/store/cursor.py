"""Where a page ends: a place in an order of entries, as the opaque text that URLs carry."""

import base64
import struct
from dataclasses import dataclass

from ..errors import QueryError
from ..query.ast import Sort

_LAYOUTS: dict[Sort, struct.Struct] = {
    "published": struct.Struct(">cqQ"),
    "updated": struct.Struct(">cqQ"),
    "relevance": struct.Struct(">cqqQqQ"),
}


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last entry of a page.

    `at` is the time it is ordered by. In order of relevance `score` comes first, and `anchor` is
    the newest entry that was ranked, so that what arrives meanwhile does not shift the pages.
    """

    sort: Sort
    at: int
    key: int
    score: int = 0
    anchor: tuple[int, int] = (0, 0)

    def text(self) -> str:
        """The cursor for a URL."""
        mark = self.sort[0].encode()
        values: tuple[int, ...] = (self.at, self.key)
        if self.sort == "relevance":
            values = (self.score, *values, *self.anchor)
        packed = _LAYOUTS[self.sort].pack(mark, *values)
        return base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def read_cursor(text: str, sort: Sort) -> Cursor:
    """Reads a cursor back. Raises `QueryError` for one that no page of this order ended with."""
    layout = _LAYOUTS[sort]
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        mark, *values = layout.unpack(packed)
    except (ValueError, struct.error):
        raise _bad(text) from None
    if sort == "relevance":
        score, at, key, *anchor = values
        cursor = Cursor(sort, at, key, score, (anchor[0], anchor[1]))
    else:
        cursor = Cursor(sort, *values)
    if mark != sort[0].encode() or max(cursor.key, cursor.anchor[1]) >> 63 or cursor.text() != text:
        raise _bad(text)
    return cursor


def _bad(text: str) -> QueryError:
    return QueryError(
        f"“{text[:80]}” is not where a page of this feed ends: begin again without `before`",
        query=text,
    )
