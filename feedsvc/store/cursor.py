"""Where a page ends: a place in an order of entries, as the opaque text that URLs carry."""

import base64
import struct
from dataclasses import dataclass

from ..errors import OptionError
from ..months import start_of
from ..query.ast import Sort
from .codec import micros

_LAYOUTS: dict[Sort, struct.Struct] = {
    "published": struct.Struct(">cqQ"),
    "updated": struct.Struct(">cqQ"),
    "relevance": struct.Struct(">cqqQqQ"),
}
_BEHIND = struct.Struct(">QqQ")
#: Stands for the page that ends with the last entry, wherever that is.
LAST = "last"
# a page with as many sources at their least share, one entry, has as many entries
_MOST_BEHIND = 40


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last entry of the page before, or with `up` the first of the page after.

    `at` is the time it is ordered by. In order of relevance `score` comes first, and `anchor` is
    the newest entry that was ranked, so that what arrives meanwhile does not shift the pages.
    `behind` are the sources that have come less far (`fairness`): pk, time and key of each.
    """

    sort: Sort
    at: int
    key: int
    score: int = 0
    anchor: tuple[int, int] = (0, 0)
    behind: tuple[tuple[int, int, int], ...] = ()
    up: bool = False

    def text(self) -> str:
        """The cursor for a URL."""
        mark = (self.sort[0].upper() if self.up else self.sort[0]).encode()
        values: tuple[int, ...] = (self.at, self.key)
        if self.sort == "relevance":
            values = (self.score, *values, *self.anchor)
        packed = _LAYOUTS[self.sort].pack(mark, *values)
        packed += b"".join(_BEHIND.pack(*each) for each in self.behind)
        return base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def read_cursor(
    text: str, sort: Sort, *, both_ways: bool = False, option: str = "before"
) -> Cursor:
    """Reads a cursor back, one that leads up only where pages go `both_ways`.

    Raises `OptionError` for one that no page of this order ended with.
    """
    layout = _LAYOUTS[sort]
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        mark, *values = layout.unpack(packed[: layout.size])
        behind = tuple(_BEHIND.iter_unpack(packed[layout.size :]))
    except (ValueError, struct.error):
        raise _bad(text, option) from None
    if sort == "relevance":
        score, at, key, *anchor = values
        cursor = Cursor(sort, at, key, score, (anchor[0], anchor[1]))
    else:
        at, key = values
        up = both_ways and not behind and mark == sort[0].upper().encode()
        cursor = Cursor(sort, at, key, behind=behind, up=up)
    numbers = (cursor.key, cursor.anchor[1], *(pk | key for pk, _, key in behind))
    # the text tells the mark as well
    sound = not max(numbers) >> 63 and len(behind) <= _MOST_BEHIND
    if not sound or cursor.text() != text:
        raise _bad(text, option)
    return cursor


def reaches(text: str, month: int) -> bool:
    """Whether entries published in a month (`months`) may stand before a cursor in that order.

    Raises `OptionError` for what is no such cursor.
    """
    return read_cursor(text, "published", option="below").at < micros(start_of(month + 1))


def _bad(text: str, option: str) -> OptionError:
    return OptionError(
        f"“{text[:80]}” is not where a page of this feed ends: begin again without `{option}`",
        option=option,
    )
