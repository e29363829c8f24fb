"""An entry as a whole: put together from what its document says, then held against what is known.

`normalise` looks at one parsed entry only and may run in a parser process; `reconcile` decides,
from what the store remembers of the entry's uid, whether there is anything to write. Tags are
given by others, between the two.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import msgspec

from ..keys import content_digest, entry_key
from ..model import Entry, ParsedEntry, Source, SourceMeta, Tag, Text
from ..vocabulary import Extension
from .dates import moved, settle, told
from .extensions import extensions, imprint, tells
from .html import clean, plain, to_text
from .identity import entry_uid, minted, sound_id
from .people import categories, links, one_line, people, source_meta
from .text import clean_lines, clean_text, first_words, language, legal
from .urls import absolute, clean_url, host

UNTITLED = "Untitled"
_MAX_REFERENCES = 100
_LONG = 500
_BLOCKS = re.compile(
    r"<(?:article|audio|blockquote|details|div|dl|figure|h[1-6]|iframe|math|ol|p|pre|section|table"
    r"|ul|video)\b"
)
_SHOWS = re.compile(
    r"<(?:audio|iframe|img|math|source|video)\b|(?:^|>)(?:\s|&nbsp;)*(?!&nbsp;)[^<\s]"
)
_BESIDE_TAGS = re.compile(r"\s*(<[^<>]*>)\s*")
# In a directory a uid is a path, which may look like an IRI by accident (`memo:2025.txt`)
_DOCUMENT_ID = re.compile(r"(?:https?://|urn:|tag:)")


class KnownEntry(Protocol):
    """What reconciling needs of an entry the store remembers."""

    @property
    def id(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def published(self) -> datetime: ...
    @property
    def updated(self) -> datetime: ...
    @property
    def dated(self) -> bool: ...
    @property
    def withdrawn(self) -> bool: ...
    @property
    def pruned(self) -> bool: ...
    @property
    def tags(self) -> Sequence[Tag]: ...
    @property
    def references(self) -> Sequence[str]: ...


def normalise(
    parsed: ParsedEntry,
    *,
    source: Source,
    meta: SourceMeta | None,
    authority: str,
    now: datetime,
) -> Entry:
    """Makes an entry of what a document says: clean, absolute, dated, named, and not yet tagged.

    The same input always gives the same entry, but for an undated one's `published` (`now`).
    `meta` is what the feed says of itself (its language is the entry's where that has none);
    `authority` is the one of minted ids (RFC 4151 §2.1).
    """
    base = _base(parsed, source, meta)
    link, others = links(parsed.links, base)
    page = link or base
    own_lang = language(parsed.lang)
    content = _body(parsed.content, base, page)
    summary = _body(parsed.summary, base, page)
    if summary and content and summary.value == content.value:
        summary = None
    elif summary and not content and _is_body(summary):
        summary, content = None, summary
    title = _title(parsed.title, summary, content, link)
    credit = one_line(parsed.credit) or None
    rights = clean_text(parsed.rights) or None
    authors = people(parsed.authors, base)
    contributors = people(parsed.contributors, base)
    carried: tuple[Extension, ...] = ()
    if parsed.extensions:
        repeats = tells(parsed.extensions)
        texts = [title, *(_text(text) for text in (summary, content) if text)] if repeats else []
        carried = extensions(parsed.extensions, base, texts)
    dates = settle(parsed.published, parsed.updated, now)
    said = clean_text(parsed.published_text)
    if dates.held is not None and not said:
        said = dates.held.isoformat()
    said_in_full = "\n".join(text.value for text in (summary, content) if text)
    uid = entry_uid(parsed, link, f"{title}\n{said_in_full}")
    fallback_id = minted(authority, source.id, uid)
    id = _upstream_id(parsed, source) or fallback_id
    references = dict.fromkeys(filter(None, map(_reference, parsed.references)))
    entry = Entry(
        id=id,
        fallback_id=fallback_id,
        key=entry_key(id),
        source_id=source.id,
        uid=uid,
        title=title,
        published=dates.published,
        updated=dates.updated,
        dated=dates.dated,
        digest="",
        link=link,
        links=others,
        summary=summary,
        content=content,
        credit=credit,
        authors=authors,
        contributors=contributors,
        categories=categories(parsed.categories),
        references=tuple(references)[:_MAX_REFERENCES],
        published_text=said or None,
        rights=rights,
        lang=own_lang or (language(meta.lang) if meta else None),
        source=source_meta(parsed.source, base=base) if parsed.source else None,
        extensions=carried,
        modified=told(parsed.updated, now),
    )
    digest = _digest(entry, own_lang)
    if kept := imprint(carried, [text.value for text in (summary, content) if text]):
        digest = f"{digest}.{kept}"
    return replace(entry, digest=digest)


def is_content_of(digest: str, stored: Entry) -> bool:
    """Whether a digest is that of a stored entry's content, as digests are made today.

    One that an earlier version made is another. Whether its language is its own or its feed's
    is not stored, and its feed's text is not where there is the full text of its page.
    """
    if stored.fulltext:
        return False
    return content_digest(digest) in {_digest(stored, lang) for lang in (stored.lang, None)}


def reconcile(known: KnownEntry | None, entry: Entry, now: datetime) -> Entry | None:
    """Decides what to write of an entry just read, tags included; None where nothing is.

    What was pruned never returns. A known entry keeps id, key and `published`, whatever upstream
    does to its guid, link, title or date. `updated` moves when the digest changed, to what
    upstream says if that is later and not in the future, else to `now`; other tags, references,
    elements of other vocabularies or a return after withdrawal are written without moving it.
    """
    if known is None:
        return entry
    if known.pruned:
        return None
    # a transcript or a chapter that comes later makes no other entry of it
    changed = content_digest(entry.digest) != content_digest(known.digest)
    same = entry.digest == known.digest and _same_relations(known, entry)
    if same and not known.withdrawn:
        return None
    updated = moved(known.updated, entry.updated, now) if changed else known.updated
    return replace(
        entry,
        id=known.id,
        key=known.key,
        published=known.published,
        updated=updated,
        dated=known.dated,
    )


def _same_relations(known: KnownEntry, entry: Entry) -> bool:
    # labels are shared by all entries with a slug and may be another's; order means nothing
    return tuple(known.references) == entry.references and {
        (tag.slug, tag.origin) for tag in known.tags
    } == {(tag.slug, tag.origin) for tag in entry.tags}


def _base(parsed: ParsedEntry, source: Source, meta: SourceMeta | None) -> str | None:
    # a relative `xml:base` is relative to the feed; a directory source has no URL at all
    feed = absolute(source.location) if source.kind == "feed" else None
    found = absolute(parsed.base, feed)
    return found or (absolute(meta.link, feed) if meta else None) or feed


def _upstream_id(parsed: ParsedEntry, source: Source) -> str | None:
    id = legal(parsed.uid or "").strip()
    if source.kind == "directory" and not _DOCUMENT_ID.match(id):
        return None
    return id if sound_id(id) else None


def _body(text: Text | None, base: str | None, page: str | None) -> Text | None:
    if text is None:
        return None
    lang = language(text.lang)
    if text.type == "text":
        value = clean_lines(text.value)
        return Text(value=value, lang=lang) if value else None
    value = clean(text.value, base=base, page=page)
    if not _SHOWS.search(value):
        return None
    return Text(value=value, type="html", lang=lang)


def _is_body(summary: Text) -> bool:
    """Whether a lone summary is the article itself, as in RSS, which has but `description`.

    It is when longer than 500 characters or, in HTML, made of several blocks.
    """
    if len(summary.value) > _LONG and len(_text(summary)) > _LONG:
        return True
    return summary.type == "html" and len(_BLOCKS.findall(summary.value)) > 1


def _text(text: Text) -> str:
    return to_text(text.value) if text.type == "html" else text.value


def _title(title: Text | None, summary: Text | None, content: Text | None, link: str | None) -> str:
    """The title as one line; without one the first words of the text, else the site's name."""
    if title is not None:
        said = clean_text(plain(title.value) if title.type == "html" else title.value)
        if said:
            return said
    for text in (summary, content):
        said = first_words(_text(text)) if text is not None else ""
        if said:
            return said
    return host(link) or UNTITLED


def _reference(named: str) -> str:
    """A headline in one line, or an address as those of entries are written."""
    named = one_line(named)
    return (clean_url(named) or named) if named.startswith(("http://", "https://")) else named


def _digest(entry: Entry, lang: str | None) -> str:
    """SHA-256 over what counts as content; the feed's language does not, only the entry's own.

    Nor does how much white space there is, or any beside a tag: programs set it now so, now so.
    """
    summary, content = entry.summary, entry.content
    said = (
        entry.title,
        summary and (summary.type, _unspaced(summary), summary.lang),
        content and (content.type, _unspaced(content), content.lang),
        entry.link,
        [(x.href, x.rel, x.type, x.hreflang, x.title, x.length) for x in entry.links],
        [(x.name, x.email, x.uri) for x in entry.authors],
        [(x.name, x.email, x.uri) for x in entry.contributors],
        entry.rights,
        entry.credit,
        lang,
    )
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def _unspaced(text: Text) -> str:
    value = text.value
    if text.type == "html":
        if "<pre" in value:
            return value
        value = _BESIDE_TAGS.sub(r"\1", value)
    return " ".join(value.split())
