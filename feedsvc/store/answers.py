"""What a store answers to a query: the marks of a page, or its entries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..model import DeletedEntry, StoredEntry, Story
from ..query.ast import EntryQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """All that a feed's ETag, Last-Modified and `updated` need, without its content.

    `marks` are (key, fingerprint) of the page's entries in order; `changed` is when anything that
    may show in, or be missing from, this page last changed. `newest` is the newest `updated`.
    `next` and `previous` are cursors of the pages around it, an empty `previous` that of the first
    document of an archive.

    `earlier` is the month (`months`) whose archive goes on where this page ends; `shown` the cursor
    of that place, where everything before it is on this page. `later`, of an archive, is the next
    month with entries. `both_ways` if pages can be gone through backwards as well.
    """

    marks: tuple[tuple[str, str], ...] = ()
    deleted: tuple[DeletedEntry, ...] = ()
    newest: datetime | None = None
    changed: datetime | None = None
    next: str | None = None
    previous: str | None = None
    earlier: int | None = None
    shown: str | None = None
    later: int | None = None
    both_ways: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries of one page, newest first; `next` is the cursor of the following page, or None."""

    entries: tuple[StoredEntry, ...] = ()
    next: str | None = None


class ArchiveStore(Protocol):
    """What a store has to offer beside pages: archives by the month (RFC 5005 §4)."""

    def archive(
        self,
        query: EntryQuery,
        month: int,
        *,
        limit: int,
        now: datetime,
        before: str | None = None,
        below: str | None = None,
        collapse: bool = False,
        whole: bool = False,
    ) -> tuple[Head, Page]:
        """Marks of the first `limit` entries filed in a month, `whole` the entries as well.

        Only those after cursor `before`, and after cursor `below`, which ends the subscription
        document that led here. They are as archives show them: without what is computed anew as
        other entries come. Raises `OptionError` for a bad cursor.
        """
        ...

    def seal(self, month: int) -> None:
        """Closes all archives up to this month: nothing is ever filed in them from now on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPage:
    """Stories of one page, the last updated first, and the cursor of the following page, or None.

    `gone` are, of a first page, the stories of the last 30 days that are no more, and since when;
    `changed` is when anything of all that last changed.
    """

    stories: tuple[Story, ...] = ()
    gone: tuple[tuple[str, datetime], ...] = ()
    changed: datetime | None = None
    next: str | None = None


class StoryStore(Protocol):
    """What a store has of stories: entries that were gathered (`finish_gathered`)."""

    def stories(self, *, limit: int, now: datetime, before: str | None = None) -> StoryPage:
        """The first `limit` stories, those after cursor `before`.

        Raises `QueryError` for a bad cursor.
        """
        ...

    def story(self, key: str) -> Story:
        """One story, whatever became of it. Raises `NotFound`."""
        ...

    def story_of(self, entry: str) -> Story | None:
        """The story that an entry is in, by the entry's key."""
        ...
