"""RSS 2.0 by the profile of the RSS Advisory Board, with Atom, content and Dublin Core elements."""

from collections.abc import Sequence
from datetime import UTC
from html import escape
from typing import Any

from feedgen.entry import FeedEntry as Entry
from feedgen.feed import FeedGenerator

from ..errors import RenderError
from ..model import FeedDocument, FeedEntry
from .extension import (
    RSS_NAMESPACES,
    EntryExtension,
    RssFeedExtension,
    Unwritten,
    as_dicts,
    rss_author,
    without_namespaces,
)
from .fit import fit_entry, fit_head, web_address
from .plain import as_html

_DOCS = "https://www.rssboard.org/rss-specification"
_END = b"</channel></rss>"
_UNWRITTEN = Unwritten(1970, 1, 1, tzinfo=UTC)


class RssFormat:
    """Writes `application/rss+xml`."""

    suffix = "rss"
    media_type = "application/rss+xml"

    def fragment(self, entry: FeedEntry) -> bytes:
        """Writes one `item` without namespace declarations of its own."""
        try:
            return without_namespaces(build_entry(entry).rss_entry(), RSS_NAMESPACES)
        except (ValueError, TypeError) as error:
            raise RenderError(f"Entry {entry.id!r} cannot be written as RSS: {error}") from error

    def assemble(self, document: FeedDocument, fragments: Sequence[bytes]) -> bytes:
        """Writes the feed: its channel's head, then the fragments as they come."""
        try:
            head: bytes = build_head(document).rss_str()
        except (ValueError, TypeError) as error:
            raise RenderError(f"Feed {document.id!r} cannot be written as RSS: {error}") from error
        return b"".join((head.removesuffix(_END), *fragments, _END))


def build_entry(entry: FeedEntry) -> Any:
    """Gives feedgen an entry, complete with its repairs.

    `description` is the summary where there is content beside it (then `content:encoded`), and the
    content otherwise. Both are HTML, as RSS readers take them to be.
    """
    entry = fit_entry(entry)
    made = Entry()
    # a permanent link is one that can be followed, so only an id that is the page's own address is
    made.guid(entry.id, permalink=entry.id == entry.url and web_address(entry.id) is not None)
    if entry.title:
        made.title(entry.title)
    if entry.url:
        made.link(href=entry.url)
    if entry.content:
        made.content(as_html(entry.content))
    if entry.summary:
        made.description(as_html(entry.summary), isSummary=True)
    if not (entry.title or entry.content or entry.summary):
        made.description(entry.url or entry.id, isSummary=True)  # RSS 2.0: one of the two
    made.category(as_dicts(entry.categories))
    made.register_extension("feedsvc", EntryExtension)
    made.feedsvc.entry = entry
    return made


def build_head(document: FeedDocument) -> Any:
    """Gives feedgen a feed without entries, complete with its repairs."""
    document = fit_head(document, RssFormat.media_type)
    made = FeedGenerator()
    made.title(document.title)
    # readers take a description for HTML, and ours is text
    made.description(escape(document.subtitle or document.title, quote=False))
    made.link(href=document.home_url)
    made.updated(_UNWRITTEN)
    made.generator(" ".join(filter(None, (document.generator, document.generator_version))))
    made.docs(_DOCS)
    made.language(document.lang)
    made.rights(document.rights)
    made.managingEditor(rss_author(document.authors))
    if document.logo:
        made.image(document.logo, title=document.title, link=document.home_url)
    made.register_extension("feedsvc", RssFeedExtension, EntryExtension)
    made.feedsvc.document = document
    return made
