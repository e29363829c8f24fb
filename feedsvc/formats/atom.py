"""Atom (RFC 4287), with paging and archives (RFC 5005) and deleted entries (RFC 6721)."""

from collections.abc import Sequence
from typing import Any

from feedgen.entry import FeedEntry as Entry
from feedgen.feed import FeedGenerator
from lxml import etree

from ..errors import RenderError
from ..model import FeedDocument, FeedEntry, Person, Text
from ..vocabulary import NAMESPACES
from .extension import EntryExtension, FeedExtension, as_dicts, without_namespaces
from .fit import fit_entry, fit_head

_END = b"</feed>"


class AtomFormat:
    """Writes `application/atom+xml`."""

    suffix = "atom"
    media_type = "application/atom+xml"

    def fragment(self, entry: FeedEntry) -> bytes:
        """Writes one `entry` without namespace declarations of its own."""
        try:
            made = build_entry(entry).atom_entry()
            if entry.extensions or any(link.duration for link in entry.links):
                return without_namespaces(made, NAMESPACES)
            return etree.tostring(made, encoding="UTF-8")
        except (ValueError, TypeError) as error:
            raise RenderError(f"Entry {entry.id!r} cannot be written as Atom: {error}") from error

    def assemble(self, document: FeedDocument, fragments: Sequence[bytes]) -> bytes:
        """Writes the feed: its head, then the fragments as they come."""
        try:
            head: bytes = build_head(document).atom_str()
        except (ValueError, TypeError) as error:
            raise RenderError(f"Feed {document.id!r} cannot be written as Atom: {error}") from error
        return b"".join((head.removesuffix(_END), *fragments, _END))


def _origin(entry: FeedEntry) -> tuple[Person, ...]:
    """Who stands for the author of an entry that has none: its source, before the feed does.

    An entry without an author is one by the feed's (RFC 4287 §4.1.2), which never wrote it.
    """
    return (Person(name=entry.source.title),) if entry.source and entry.source.title else ()


def build_entry(entry: FeedEntry) -> Any:
    """Gives feedgen an entry, complete with its repairs."""
    entry = fit_entry(entry)
    made = Entry()
    made.id(entry.id)
    made.title(
        entry.title or "-"
    )  # feedgen takes no empty title; the extension writes the true one
    made.updated(entry.updated)
    made.published(entry.published)
    made.author(as_dicts(entry.authors or _origin(entry)))
    made.contributor(as_dicts(entry.contributors))
    made.category(as_dicts(entry.categories))
    content = entry.content
    if not content and not entry.url:
        # an entry has an alternate link or content (RFC 4287 §4.1.2)
        content = entry.summary or Text(value=entry.title or entry.id)
    if content:
        made.content(content.value, type=content.type)
    if entry.url:
        made.link(href=entry.url)
    if entry.summary:
        made.summary(entry.summary.value, type=entry.summary.type)
    if entry.rights:
        made.rights(entry.rights)
    made.register_extension("feedsvc", EntryExtension)
    made.feedsvc.entry = entry
    return made


def build_head(document: FeedDocument) -> Any:
    """Gives feedgen a feed without entries, complete with its repairs."""
    document = fit_head(document, AtomFormat.media_type)
    made = FeedGenerator()
    made.id(document.id)
    made.title(document.title)
    made.updated(document.updated)
    made.author(as_dicts(document.authors))
    made.generator(
        document.generator,
        version=document.generator_version or None,
        uri=document.generator_url,
    )
    made.subtitle(document.subtitle)
    made.language(document.lang)
    made.icon(document.icon)
    made.logo(document.logo)
    made.rights(document.rights)
    made.register_extension("feedsvc", FeedExtension, EntryExtension)
    made.feedsvc.document = document
    return made
