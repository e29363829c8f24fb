"""From an entry as the store keeps it to an entry as a feed shows it: relations become links."""

import html
from collections.abc import Collection, Iterable
from dataclasses import replace

from ..formats.plain import as_html, as_text
from ..log import mask
from ..model import (
    Category,
    Duplicate,
    FeedEntry,
    Link,
    Person,
    Related,
    SourceMeta,
    StoredEntry,
    Text,
    slugify,
)
from ..normalise.text import first_words
from ..vocabulary import without_texts
from .addresses import Addresses
from .request import Options

_SUMMARY = 400
# an entry's links to its own place in the feed it came from mean nothing in ours
_FOREIGN_RELS = frozenset(
    {"self", "edit", "edit-media", "hub", "next", "previous", "first", "last"}
)


class EntryComposer:
    """Applies the settings of `[related]` and the options of a feed to entries.

    `author` is that of entries for which nobody names one; `stop` are tags nobody gets. `settings`
    names everything else that shows in an entry; it is part of every fingerprint.
    """

    def __init__(
        self,
        at: Addresses,
        *,
        author: str | None,
        most: int,
        listed: bool,
        stop: Iterable[str],
        settings: str,
    ) -> None:
        self._at = at
        self._stop = frozenset(map(slugify, stop))
        self._author = (Person(name=author),) if author else ()
        self._max = most
        self._list = listed
        self._settings = settings

    def compose(self, stored: StoredEntry, options: Options) -> FeedEntry:
        """An entry as a feed with these options shows it."""
        entry = stored.entry
        source = self._source(stored)
        explicit = [one for one in stored.related if one.kind == "explicit"]
        found = [one for one in stored.related if one.kind == "content"]
        related = tuple(
            replace(one, link=one.link or self._at.entry(one.key))
            for one in explicit + found[: self._max]
        )
        links = [
            Link(href=one.link or "", rel="related", type="text/html", title=_headline(one))
            for one in related
        ]
        copies = self._copies(stored, options)
        links += [
            Link(href=one.link or "", rel="via", type="text/html", title=one.source_title)
            for one in copies
        ]
        links.extend(link for link in entry.links if link.rel not in _FOREIGN_RELS)
        full, summary, extensions = entry.content, entry.summary, entry.extensions
        if options.content == "full":
            full = self._with_ends(stored, related, copies)
        else:
            extensions = without_texts(extensions)
            if options.content == "none":
                summary = None
            elif summary is None and full is not None:
                summary = Text(value=first_words(as_text(full), _SUMMARY), lang=full.lang)
            full = None
        return FeedEntry(
            id=entry.id,
            title=entry.title,
            url=entry.link or self._at.entry(entry.key),
            links=tuple(links),
            published=entry.published,
            updated=entry.updated,
            authors=entry.authors or source.authors or self._author,
            contributors=entry.contributors,
            summary=summary,
            content=full,
            categories=self._categories(stored),
            rights=entry.rights,
            lang=entry.lang,
            source=source,
            related=related,
            duplicates=copies,
            extensions=extensions,
            fingerprint="/".join(
                (stored.fingerprint, options.content, options.dupes, self._settings)
            ),
        )

    def _copies(self, stored: StoredEntry, options: Options) -> tuple[Duplicate, ...]:
        """The copies that an entry stands for, each with where it is to be found.

        Most have the very address of the entry; our own page shows what their source made of it.
        """
        if options.dupes == "keep":
            return ()
        told, found = {stored.entry.link, None}, []
        for one in stored.duplicates:
            link = self._at.entry(one.key) if one.link in told else one.link
            told.add(link)
            found.append(replace(one, link=link))
        return tuple(found)

    def _with_ends(
        self, stored: StoredEntry, related: Iterable[Related], copies: Iterable[Duplicate]
    ) -> Text | None:
        """The content, then the credit, who else has it, and the list of related entries.

        Few readers show `rel="related"` or `rel="via"`, hence these. Where there is no content the
        summary opens it, so that a reader who shows the one instead of the other misses nothing.
        """
        entry = stored.entry
        ends = _credit(entry.credit)
        if self._list:
            ends += _also(copies)
            ends += _list(related, stored.unresolved)
        opening = entry.content or entry.summary
        if not ends or opening is None:
            return Text(value=ends, type="html", lang=entry.lang) if ends else entry.content
        body = as_html(opening)
        if opening.type == "text" and not body.startswith("<p>"):
            body = f"<p>{body}</p>"
        return Text(value=body + ends, type="html", lang=opening.lang)

    def _categories(self, stored: StoredEntry) -> tuple[Category, ...]:
        """Tags under our own scheme, then what of the publisher's categories they do not tell."""
        scheme, tags = self._at.tag_scheme(), stored.entry.tags
        ours = [Category(term=tag.slug, scheme=scheme, label=tag.label) for tag in tags]
        # under an alias it is told in other words, as whoever runs the service wants it
        said = (told for tag in tags for told in (tag.slug, tag.label, tag.evidence) if told)
        known = {told.casefold() for told in said}
        theirs = [
            one
            for one in stored.entry.categories
            if one.scheme != scheme and (one.scheme or not self._is_told(one, known))
        ]
        return (*ours, *theirs)

    def _is_told(self, category: Category, known: Collection[str]) -> bool:
        return category.term.casefold() in known or slugify(category.term) in self._stop

    def _source(self, stored: StoredEntry) -> SourceMeta:
        """Where the entry came from, complete enough for `atom:source` (RFC 4287 §4.2.11).

        What an entry says of its source itself comes first: it came through an aggregator. The date
        is the entry's, since the source's own moves with every poll and would change every entry.
        """
        entry, given = stored.entry, stored.entry.source
        path = f"feeds/sources/{entry.source_id}"
        meta = given or stored.source
        # the feed of a subscriber may be addressed by a secret of theirs
        link, self_link = _public(meta.link), _public(meta.self_link)
        if given:
            return replace(
                given,
                id=given.id or self_link or link or self._at.feed_id(path),
                title=given.title or stored.source_title,
                link=link,
                self_link=self_link,
                updated=given.updated or entry.updated,
            )
        return replace(
            meta,
            id=meta.id or self._at.feed_id(path),
            title=stored.source_title or meta.title,
            link=link or (None if self_link else self._at.feed(path)),
            # RSS must name a feed, and where this one is polled nobody need know
            self_link=self_link or self._at.feed(path, suffix="atom"),
            updated=entry.updated,
        )


def _public(url: str | None) -> str | None:
    return url if url and mask(url) == url else None


def _credit(credit: str | None) -> str:
    if not credit:
        return ""
    return f'<p class="feedsvc-credit"><small>{html.escape(credit, quote=False)}</small></p>'


def _also(copies: Iterable[Duplicate]) -> str:
    places = [
        f'<a href="{html.escape(one.link or "")}">{html.escape(one.source_title, quote=False)}</a>'
        for one in copies
    ]
    if not places:
        return ""
    return f'<p class="feedsvc-also"><small>Also at {", ".join(places)}</small></p>'


def _headline(one: Related) -> str:
    """A link in the words of the entry that named its target, else by the target's title."""
    return one.reference or one.title


def _list(related: Iterable[Related], unresolved: Iterable[str]) -> str:
    items = [
        f'<a href="{html.escape(one.link or "")}">{html.escape(_headline(one), quote=False)}</a>'
        for one in related
    ]
    items.extend(html.escape(headline, quote=False) for headline in unresolved)
    if not items:
        return ""
    listed = "".join(f"<li>{item}</li>" for item in items)
    return f'<section class="feedsvc-related"><h2>Related</h2><ul>{listed}</ul></section>'
