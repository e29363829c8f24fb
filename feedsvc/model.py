"""The nouns: frozen records that travel between the rooms, named after RFC 4287.

Nothing here does I/O or decides anything; every other module may import it. All times are
aware UTC datetimes, all collections tuples, so that a record can be hashed, compared,
pickled to a parser process and trusted not to change.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from .errors import Fault
from .polls import Churn, Hints, Ids, Move, PollRecord
from .vocabulary import Extension

TagOrigin = Literal["source", "feed", "folder", "front-matter", "rule", "auto"]
SourceKind = Literal["feed", "directory"]
SourceOrigin = Literal["config", "store"]
RelatedKind = Literal["explicit", "content"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An author or contributor (RFC 4287 §3.2)."""

    name: str
    email: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text construct (RFC 4287 §3.1, §4.1.3); XHTML has become HTML on the way in."""

    value: str
    type: Literal["text", "html"] = "text"
    lang: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A category as its publisher wrote it (RFC 4287 §4.2.2); its slug is a `Tag`."""

    term: str
    scheme: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link (RFC 4287 §4.2.7). `href` is absolute once normalised.

    `length` is in bytes, `duration`, of an enclosure that plays, in seconds.
    """

    href: str
    rel: str = "alternate"
    type: str | None = None
    hreflang: str | None = None
    title: str | None = None
    length: int | None = None
    duration: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A category's slug (`united-states`), a label for people, and where the tag came from.

    `evidence` says what in the text or configuration made a rule or the automatic tagger give it.
    """

    slug: str
    label: str
    origin: TagOrigin
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMeta:
    """What a feed says of itself: the material of `atom:source` (RFC 4287 §4.2.11)."""

    id: str | None = None
    title: str | None = None
    subtitle: str | None = None
    link: str | None = None
    self_link: str | None = None
    authors: tuple[Person, ...] = ()
    categories: tuple[Category, ...] = ()
    rights: str | None = None
    icon: str | None = None
    logo: str | None = None
    lang: str | None = None
    updated: datetime | None = None
    hub: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What we poll: a directory of documents or a feed.

    `id` is a slug that stands in URLs and queries. `location` is a path or an http(s) URL.
    `origin` tells a declared source (configuration) from one kept in the store. `keep` and `drop`
    are queries that say which of its entries are taken.
    """

    id: str
    kind: SourceKind
    location: str
    title: str | None = None
    tags: tuple[str, ...] = ()
    interval: timedelta | None = None
    enabled: bool = True
    origin: SourceOrigin = "store"
    headers: tuple[tuple[str, str], ...] = ()
    auth: str | None = None
    fulltext: bool = False
    max_entries: int | None = None
    keep: str | None = None
    drop: str | None = None


class PollState(msgspec.Struct, frozen=True, kw_only=True):
    """What a source's last polls left behind for the next one.

    `etag` and `last_modified` are the validators byte for byte; `digest` is that of the last
    body; `cursor` is the source kind's own memory (the directory listing), opaque to others.
    `why` says what decided `next_at`, `fault` what kind of error `error` is. `posts` are the times
    (whole seconds) of the newest entries and `quiet` counts polls since there was a new one: from
    them the source's rhythm is told. `history` ends with the last poll. `ids` and
    `churn` are how far the feed is not taken at its word; `behind` is since when it has been
    showing older versions of entries than it did before.
    """

    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    cursor: str | None = None
    next_at: datetime | None = None
    last_at: datetime | None = None
    last_ok_at: datetime | None = None
    status: int | None = None
    error: str | None = None
    problems: tuple["Problem", ...] = ()
    failures: int = 0
    retry_after: datetime | None = None
    why: str | None = None
    fault: Fault | None = None
    posts: tuple[datetime, ...] = ()
    quiet: int = 0
    hints: Hints | None = None
    move: Move | None = None
    history: tuple[PollRecord, ...] = ()
    ids: Ids | None = None
    churn: Churn | None = None
    behind: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One document or entry that could not be read, or not in full; the rest of its source was."""

    name: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEntry:
    """One entry as its document says it: nothing cleaned, resolved, dated or tagged yet.

    `uid` is the upstream id or guid, or for a document the reader's own name for it; `base` is
    what relative URLs are relative to. `tags` are labels the reader found, each with its origin.
    `references` are headlines, URLs or ids of entries this one names as related.
    `published_text` keeps the original wording of the date.
    """

    uid: str | None = None
    title: Text | None = None
    links: tuple[Link, ...] = ()
    summary: Text | None = None
    content: Text | None = None
    credit: str | None = None
    authors: tuple[Person, ...] = ()
    contributors: tuple[Person, ...] = ()
    categories: tuple[Category, ...] = ()
    tags: tuple[tuple[str, TagOrigin], ...] = ()
    references: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    published_text: str | None = None
    rights: str | None = None
    lang: str | None = None
    base: str | None = None
    source: SourceMeta | None = None
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as the store keeps and every format shows it.

    `id` is the Atom id; `key` the name made from it for URLs; `uid` what its source calls it.
    `fallback_id` is the minted id it takes if another source's entry already holds `id`.
    `title` and `credit` are plain text; `summary` and `content` are sanitised. `link` is the
    alternate URL, or None. `dated` is False while `published` is merely our first sight; `modified`
    is when its source says that it was last updated, which `updated` may be later than.
    `digest` covers what counts as content (not tags, links to other entries, or dates), and after a
    full stop what else is kept. With `fulltext` the `content` is the page's, not the digest.
    """

    id: str
    fallback_id: str
    key: str
    source_id: str
    uid: str
    title: str
    published: datetime
    updated: datetime
    dated: bool
    digest: str
    link: str | None = None
    links: tuple[Link, ...] = ()
    summary: Text | None = None
    content: Text | None = None
    credit: str | None = None
    authors: tuple[Person, ...] = ()
    contributors: tuple[Person, ...] = ()
    categories: tuple[Category, ...] = ()
    tags: tuple[Tag, ...] = ()
    references: tuple[str, ...] = ()
    published_text: str | None = None
    rights: str | None = None
    lang: str | None = None
    source: SourceMeta | None = None
    extensions: tuple[Extension, ...] = ()
    fulltext: bool = False
    modified: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A link from one entry to another: why, and how sure (0 to 1).

    `reference` is the headline that named the target, for an explicit link.
    """

    key: str
    id: str
    title: str
    link: str | None
    published: datetime
    kind: RelatedKind
    score: float
    reason: str
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """The same article again, as another source has it."""

    key: str
    id: str
    title: str
    link: str | None
    source_id: str
    source_title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """An entry with what the store knows beside it.

    `related` are resolved links, explicit ones first; `unresolved` are named headlines whose
    target has not arrived. `fingerprint` changes exactly when something rendered changes and is
    the same on every replica and backend. `withdrawn` is when the entry was removed, if it was.
    """

    entry: Entry
    source: SourceMeta
    source_title: str
    related: tuple[Related, ...] = ()
    unresolved: tuple[str, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    fingerprint: str = ""
    first_seen: datetime | None = None
    changed: datetime | None = None
    withdrawn: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMember(Duplicate):
    """An entry as its story lists it; copies of one article have one `lead`."""

    published: datetime
    tags: tuple[Tag, ...] = ()
    lang: str | None = None
    lead: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Entries on one event, the latest first; `lead` is the one that it is named after.

    `articles` are its members, of copies of an article the first. One that has `gone` fell apart,
    or became part of the story `into`. `updated` moves when a member comes, goes or changes.
    """

    key: str
    published: datetime
    updated: datetime
    members: tuple[StoryMember, ...] = ()
    articles: tuple[StoryMember, ...] = ()
    lead: StoryMember | None = None
    gone: datetime | None = None
    into: str | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedEntry:
    """A removed entry (RFC 6721 §3): its id and when it went."""

    id: str
    key: str
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry as a format sees it: every relation has become a link, every option is applied.

    `content` ends with the "Related" list where that is switched on. `url` is where a reader goes
    (the publisher's page, or ours where there is none). `related` is for JSON Feed's extension.
    `fingerprint` names this rendering: equal fingerprints give equal bytes.
    """

    id: str
    title: str
    url: str
    links: tuple[Link, ...]
    published: datetime
    updated: datetime
    authors: tuple[Person, ...]
    contributors: tuple[Person, ...] = ()
    summary: Text | None = None
    content: Text | None = None
    categories: tuple[Category, ...] = ()
    rights: str | None = None
    lang: str | None = None
    source: SourceMeta | None = None
    related: tuple[Related, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    members: tuple[StoryMember, ...] = ()
    extensions: tuple[Extension, ...] = ()
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDocument:
    """A feed we serve, complete before any format sees it (RFC 4287 §4.1.1, RFC 5005 §3)."""

    id: str
    title: str
    updated: datetime
    self_url: str
    home_url: str
    subtitle: str | None = None
    links: tuple[Link, ...] = ()
    authors: tuple[Person, ...] = ()
    generator: str = "feedsvc"
    generator_version: str = ""
    generator_url: str | None = None
    icon: str | None = None
    logo: str | None = None
    rights: str | None = None
    lang: str | None = None
    entries: tuple[FeedEntry, ...] = ()
    deleted: tuple[DeletedEntry, ...] = ()


def slugify(label: str) -> str:
    """Makes a tag's slug: letters and digits of any script, lower case, joined by single hyphens.

    Accents go (`Café` → `cafe`), an apostrophe or a full stop closes up (`U.S.` → `us`).
    Returns an empty string when nothing is left.
    """
    if label.isascii():
        # most are, and nothing of what follows can happen to them
        plain = re.sub(r"['.]", "", label.lower())
        return re.sub(r"[\W_]+", "-", plain).strip("-")[:80].strip("-")
    # decomposing makes new capitals (`™` → `TM`), hence both steps twice
    folded = unicodedata.normalize("NFKD", label.casefold())
    folded = unicodedata.normalize("NFKD", folded.casefold())
    folded = "".join(c for c in folded if not unicodedata.combining(c))
    folded = re.sub(r"['’.]", "", folded)
    return re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", folded)).strip("-")[:80].strip("-")
