"""What the JSON API says: the records that stand in its answers, as their schema describes them.

Every field is always there; what is unknown is null. Times are UTC (RFC 3339).
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ...model import RelatedKind, SourceKind, SourceOrigin, TagOrigin
from ...polls import PollOutcome

Key = Annotated[str, Meta(description="The entry's name in addresses.", examples=["3k9wq1zt0c2vd"])]
Slug = Annotated[str, Meta(description="The tag as queries have it.", examples=["united-states"])]
SourceId = Annotated[str, Meta(description="The source's name in addresses and queries.")]
Cursor = Annotated[
    str, Meta(description="Where the next page begins: its `before` or `after`. Opaque.")
]
State = Annotated[
    Literal["ok", "trouble", "off"],
    Meta(description="`trouble`: something is to be done; `off`: disabled or not polled yet."),
]


class Person(Struct, frozen=True):
    """An author or contributor."""

    name: str
    email: str | None
    url: str | None


class Text(Struct, frozen=True):
    """A text; HTML is sanitised, its addresses are absolute."""

    value: str
    type: Literal["text", "html"]


class File(Struct, frozen=True):
    """A file that belongs to an entry: its bytes, and its seconds if it plays."""

    url: str
    type: str | None
    title: str | None
    length: int | None
    duration: int | None


class EntryTag(Struct, frozen=True):
    """A tag of an entry, where it came from, and on what evidence."""

    tag: Slug
    label: str
    origin: TagOrigin
    evidence: str | None


class Origin(Struct, frozen=True):
    """The source that an entry is from."""

    id: SourceId
    title: str


class Copy(Struct, frozen=True):
    """The same article as another source has it."""

    key: Key
    id: str
    title: str
    link: str | None
    source: Origin


class Entry(Struct, frozen=True):
    """An entry as its publisher last said it."""

    key: Key
    id: Annotated[str, Meta(description="Its id in every feed; it never changes.")]
    url: Annotated[str, Meta(description="Its page here.")]
    link: Annotated[str | None, Meta(description="Its page at the publisher's.")]
    title: str
    published: datetime
    updated: datetime
    dated: Annotated[bool, Meta(description="False where `published` is merely our first sight.")]
    source: Origin
    authors: tuple[Person, ...]
    contributors: tuple[Person, ...]
    tags: tuple[EntryTag, ...]
    summary: Text | None
    content: Text | None
    credit: str | None
    rights: str | None
    language: str | None
    files: tuple[File, ...]
    duplicates: tuple[Copy, ...]


class EntryPage(Struct, frozen=True):
    """A page of entries. `q` is the canonical form of the query."""

    q: str
    entries: tuple[Entry, ...]
    next: Cursor | None
    next_url: str | None


class Revision(Struct, frozen=True):
    """An entry as it was until `at`; of one too large to keep only title and link are told."""

    at: datetime
    whole: bool
    title: str
    link: str | None
    summary: Text | None
    content: Text | None
    authors: tuple[Person, ...]


class Revisions(Struct, frozen=True):
    """What an entry was before its content changed, the latest first."""

    key: Key
    revisions: tuple[Revision, ...]


class RelatedEntry(Struct, frozen=True):
    """An entry that another one is linked to: how sure that is (0 to 1), and why."""

    key: Key
    id: str
    url: str
    link: str | None
    title: str
    published: datetime
    kind: RelatedKind
    score: float
    reason: str
    reference: Annotated[str | None, Meta(description="The headline that named it.")]


class RelatedEntries(Struct, frozen=True):
    """What an entry is linked to; `unresolved` are headlines whose entry has not come yet."""

    key: Key
    related: tuple[RelatedEntry, ...]
    unresolved: tuple[str, ...]


class StoryEntry(Struct, frozen=True):
    """An entry that reports a story."""

    key: Key
    id: str
    url: str
    link: str | None
    title: str
    published: datetime
    source: Origin


class Story(Struct, frozen=True):
    """Entries on one event, the latest first; it has the title of the one most like the others."""

    story: Annotated[str, Meta(description="The story's name in addresses and in `story:`.")]
    id: Annotated[str, Meta(description="Its id in the feed of stories; it never changes.")]
    url: Annotated[str, Meta(description="Its page here.")]
    title: str
    published: datetime
    updated: Annotated[datetime, Meta(description="When an entry last came, went or changed.")]
    entries: tuple[StoryEntry, ...]


class StoryPage(Struct, frozen=True):
    """A page of stories."""

    stories: tuple[Story, ...]
    next: Cursor | None
    next_url: str | None


class TagEntry(Struct, frozen=True):
    """A tag, how many entries have it, and where they are."""

    tag: Slug
    label: str
    entries: int
    url: str
    feed: str


class Tags(Struct, frozen=True):
    """Tags, the most used first."""

    tags: tuple[TagEntry, ...]


class TagMonth(Struct, frozen=True):
    """A month, such as `2025-04`, and how many entries with the tag were published in it."""

    month: str
    entries: int


class TagBeside(Struct, frozen=True):
    """A tag beside the other, and how many of the other's 1,000 newest entries have both."""

    tag: Slug
    label: str
    together: int


class TagStats(Struct, frozen=True):
    """A tag over the last two years, the latest month first, and what it stands beside."""

    tag: Slug
    label: str
    entries: int
    months: tuple[TagMonth, ...]
    beside: tuple[TagBeside, ...]


class Suggestions(Struct, frozen=True):
    """Tags that may be meant, the likeliest first."""

    q: str
    suggestions: tuple[TagEntry, ...]


class Trouble(Struct, frozen=True):
    """A document that could not be read in full."""

    document: str
    error: str


class Source(Struct, frozen=True):
    """What is polled, how its last poll went, when the next one is and why then.

    Passwords and tokens in its location are masked. One of origin `config` is changed in the
    configuration alone.
    """

    id: SourceId
    title: str
    kind: SourceKind
    location: str
    origin: SourceOrigin
    enabled: bool
    tags: tuple[str, ...]
    interval: Annotated[str | None, Meta(description="Null: it adapts to the feed.")]
    fulltext: Annotated[bool, Meta(description="Whether the page of each new entry is read.")]
    max_entries: int | None
    keep: str | None
    drop: str | None
    added: datetime
    entries: int
    url: Annotated[str, Meta(description="Its page.")]
    feed: Annotated[str, Meta(description="The feed of its entries.")]
    state: State
    state_label: str
    status: Annotated[int | None, Meta(description="The last HTTP status.")]
    failures: Annotated[int, Meta(description="Failed polls in a row.")]
    error: str | None
    advice: Annotated[str | None, Meta(description="What to do about the error.")]
    moved: str | None
    notes: tuple[str, ...]
    problems: tuple[Trouble, ...]
    last_at: datetime | None
    last_ok_at: datetime | None
    next_at: datetime | None
    why: str | None


class SourcePage(Struct, frozen=True):
    """A page of sources, by id. `total` and `troubled` count all there are."""

    sources: tuple[Source, ...]
    next: Cursor | None
    next_url: str | None
    total: int
    troubled: int


class Poll(Struct, frozen=True):
    """How one poll ended."""

    at: datetime
    outcome: PollOutcome
    status: int | None
    new: int
    seconds: float
    bytes: int


class History(Struct, frozen=True):
    """The last polls of a source, the newest first."""

    source: SourceId
    polls: tuple[Poll, ...]


class AddedSource(Struct, frozen=True):
    """A source that was added, and what its first poll brought.

    `entries` is null where nothing has been read yet; `error` says why, and the source when the
    next poll is.
    """

    source: Source
    entries: int | None
    error: str | None


class BadOutline(Struct, frozen=True):
    """An outline of a subscription list that could not be taken, with its line from 1."""

    line: int
    name: str
    error: str


class ImportedList(Struct, frozen=True):
    """What came of a subscription list."""

    added: int
    known: int
    repeated: Annotated[int, Meta(description="Outlines of a feed that the list has already.")]
    skipped: tuple[BadOutline, ...]


class Counts(Struct, frozen=True):
    """How much there is, and from when to when entries were published."""

    version: str
    entries: int
    withdrawn: int
    pruned: int
    sources: int
    troubled: Annotated[int, Meta(description="Sources that fail or are partly unreadable.")]
    tags: int
    related: int
    unresolved: int
    waiting: Annotated[int, Meta(description="Entries whose headlines are not linked yet.")]
    unlinked: Annotated[int, Meta(description="Entries not linked by content yet.")]
    revisions: int
    oldest: datetime | None
    newest: datetime | None


class FieldError(Struct, frozen=True):
    """A parameter or a field of the body that cannot be taken, and what it must be."""

    field: str
    detail: str


class Problem(Struct, frozen=True):
    """Problem details (RFC 9457). `detail` says what is wrong and what to do.

    Some have members of their own: `errors` for each field, `position` in a query, `id` of the
    source that is there already, `feeds` to choose from.
    """

    type: str
    title: str
    status: int
    detail: str
