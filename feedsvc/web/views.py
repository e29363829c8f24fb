"""What templates are handed: entries and sources in the words of a page, nothing left to decide.

Pure functions from records to records. Plain text stays plain (templates escape it); only content
that was sanitised on its way in becomes `Markup`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from markupsafe import Markup

from ..formats.plain import as_html, as_text
from ..log import mask
from ..model import (
    Duplicate,
    Entry,
    Link,
    Person,
    Problem,
    StoredEntry,
    Story,
    StoryMember,
    Tag,
    Text,
)
from ..normalise.text import first_words
from ..notes import notes
from ..pacing import account, upcoming
from ..polls import PageTroubles, PollRecord
from ..remedies import remedy
from ..store.base import SourceStatus

SourceCondition = Literal["ok", "trouble", "off"]

_EXCERPT = 300
_COVERED = 12

_ORIGINS = {
    "source": "given to everything from this source",
    "feed": "given by the publisher",
    "folder": "named after the folder of the document",
    "front-matter": "written in the document",
    "rule": "given by a rule of the configuration",
    "auto": "found in the text",
}

_OUTCOMES = {
    "new": "new entries",
    "updated": "entries updated",
    "unchanged": "nothing new",
    "failed": "failed",
    "gone": "gone for good",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An entry in a list, and the head of its own page."""

    key: str
    title: str
    published: datetime
    updated: datetime
    dated: bool
    edited: bool
    source_id: str
    source_title: str
    authors: tuple[str, ...]
    excerpt: str
    tags: tuple[Tag, ...]
    lang: str | None
    link: str | None
    host: str
    copies: tuple[Duplicate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagReason:
    """A tag of an entry and why it has it."""

    slug: str
    label: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file beside an entry; `player` is the element that plays it, if one does."""

    href: str
    name: str
    note: str
    player: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PollView:
    """A line of a source's history."""

    at: datetime
    result: str
    status: int | None
    took: str
    size: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source in the listing and on its own page, without its secrets."""

    id: str
    title: str
    kind: str
    location: str
    href: str | None
    origin: str
    entries: int
    tags: tuple[str, ...]
    state: SourceCondition
    state_label: str
    status: int | None
    last_at: datetime | None
    last_ok_at: datetime | None
    next_at: datetime | None
    why: str | None
    moved: str | None
    notes: tuple[str, ...]
    error: str | None
    advice: str | None
    failures: int
    problems: tuple[Problem, ...]
    history: tuple[PollView, ...]


def card(stored: StoredEntry, *, alone: bool = False) -> Card:
    """An entry as lists show it; `alone` where its copies stand in the list as well."""
    entry = stored.entry
    excerpt = _excerpt(entry)
    return Card(
        key=entry.key,
        title=entry.title or first_words(excerpt) or "Untitled",
        published=entry.published,
        updated=entry.updated,
        dated=entry.dated,
        edited=entry.updated > entry.published,
        source_id=entry.source_id,
        source_title=stored.source_title or entry.source_id,
        authors=tuple(filter(None, map(_person, entry.authors))),
        excerpt=excerpt,
        tags=entry.tags,
        lang=entry.lang,
        link=entry.link,
        host=urlsplit(entry.link).hostname or "" if entry.link else "",
        copies=() if alone else stored.duplicates,
    )


def tag_reasons(entry: Entry) -> tuple[TagReason, ...]:
    """Every tag of an entry with where it came from and on what evidence."""
    return tuple(
        TagReason(
            slug=tag.slug,
            label=tag.label,
            why=_ORIGINS[tag.origin] + (f" ({tag.evidence})" if tag.evidence else ""),
        )
        for tag in entry.tags
    )


def body(text: Text | None) -> Markup | None:
    """Sanitised content ready to stand in a page; None where there is none."""
    if text is None or not text.value.strip():
        return None
    markup = as_html(text)
    if text.type == "text" and not markup.startswith("<p>"):
        markup = f"<p>{markup}</p>"
    # players want to know which site they play on; nobody else is told (our pages send no Referer)
    markup = markup.replace("<iframe ", '<iframe referrerpolicy="strict-origin" loading="lazy" ')
    return Markup(markup)  # noqa: S704 - sanitised in normalise, or escaped a line above


def lead(entry: Entry) -> Markup | None:
    """The summary, where it says something the content does not begin with."""
    if entry.summary is None:
        return None
    if entry.content is not None:
        opening = as_text(entry.summary).rstrip(" .…")[:200]
        if as_text(entry.content).startswith(opening):
            return None
    return body(entry.summary)


def enclosures(entry: Entry) -> tuple[Enclosure, ...]:
    """The files that belong to an entry."""
    return tuple(_enclosure(link) for link in entry.links if link.rel == "enclosure")


def covered(story: Story, stored: StoredEntry) -> tuple[StoryMember, ...]:
    """Who else reports what an entry does, the latest first; none of its own copies."""
    own = {stored.entry.key, *(copy.key for copy in stored.duplicates)}
    return tuple(one for one in story.articles if one.key not in own)[:_COVERED]


def source(status: SourceStatus, pages: PageTroubles | None = None) -> SourceView:
    """A source as the listing shows it, with what is wrong with the pages of its entries."""
    source, state = status.source, status.state
    told = status.meta.title if status.meta else None
    location = mask(source.location)
    # an address with a secret in it is shown without, and leads nowhere
    linkable = source.kind == "feed" and location == source.location
    kind, label = _state(status)
    next_at, why = upcoming(state, status.resting)
    return SourceView(
        id=source.id,
        title=source.title or told or source.id,
        kind=source.kind,
        location=location,
        href=source.location if linkable else None,
        origin="the configuration" if source.origin == "config" else "the store",
        entries=status.entries,
        tags=source.tags,
        state=kind,
        state_label=label,
        status=state.status,
        last_at=state.last_at,
        last_ok_at=state.last_ok_at,
        next_at=next_at if source.enabled else None,
        why=why,
        moved=mask(account(state.move)) if state.move else None,
        notes=tuple(map(mask, notes(state, pages))),
        error=mask(state.error) if state.error else None,
        advice=remedy(source, state),
        failures=state.failures,
        problems=state.problems,
        history=tuple(map(_poll, reversed(state.history))),
    )


def _poll(record: PollRecord) -> PollView:
    result = _OUTCOMES[record.outcome]
    if record.new:
        result = f"{record.new} {'new entry' if record.new == 1 else 'new entries'}"
    return PollView(
        at=record.at,
        result=result,
        status=record.status,
        took=f"{record.milliseconds / 1000:.1f} s",
        size=_size(record.bytes),
    )


def _state(status: SourceStatus) -> tuple[SourceCondition, str]:
    state = status.state
    if not status.source.enabled:
        return ("trouble", "disabled after an error") if state.error else ("off", "disabled")
    if state.error:
        return "trouble", "failing"
    if state.problems:
        return "trouble", "partly unreadable"
    if state.churn is not None and state.churn.since is not None:
        return "trouble", "churning"
    if state.last_at is None:
        return "off", "not polled yet"
    return "ok", "fine"


def _excerpt(entry: Entry) -> str:
    text = entry.summary or entry.content
    return first_words(as_text(text), _EXCERPT) if text else ""


def _person(person: Person) -> str:
    return person.name or person.email or ""


def _enclosure(link: Link) -> Enclosure:
    parts = urlsplit(link.href)
    name = link.title or parts.path.rpartition("/")[2] or parts.hostname or link.href
    main = (link.type or "").partition("/")[0].lower()
    notes = [link.type or "", _size(link.length)]
    return Enclosure(
        href=link.href,
        name=name,
        note=", ".join(filter(None, notes)),
        player=main if main in ("audio", "video") else "",
    )


def _size(length: int | None) -> str:
    if not length or length < 0:
        return ""
    size = float(length)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit in ("bytes", "kB") else f"{size:.1f} {unit}"
