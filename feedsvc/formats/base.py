"""The contract of an output format: entries become fragments, fragments become a feed.

A fragment depends on its entry alone and may be kept for as long as the entry's fingerprint holds;
a feed is the head joined with its fragments. Formats know links, not relations, stores or requests.
"""

from collections.abc import Sequence
from typing import Protocol

from ..model import FeedDocument, FeedEntry


class Format(Protocol):
    """One way to write a feed: `atom`, `rss` or `json`."""

    suffix: str
    media_type: str

    def fragment(self, entry: FeedEntry) -> bytes:
        """Writes one entry (`entry`, `item` or a JSON object), UTF-8.

        Raises `RenderError` naming the entry when it cannot be written.
        """
        ...

    def assemble(self, document: FeedDocument, fragments: Sequence[bytes]) -> bytes:
        """Writes the feed: the head of `document` joined with `fragments`, UTF-8.

        `document.entries` is not looked at: the caller chooses which fragments stand.
        """
        ...


def render(format: Format, document: FeedDocument) -> bytes:
    """Writes a whole feed in one go."""
    return format.assemble(document, [format.fragment(entry) for entry in document.entries])
