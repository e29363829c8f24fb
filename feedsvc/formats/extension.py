"""What feedgen 1.0.0 loses, repaired: one extension for entries and one for feeds.

feedgen writes entry links in Atom without rel, type, title, hreflang and length, knows five
relations only, dates everything with its own clock and in its own way, lets RSS authors without an
e-mail address and all enclosures but one go, and writes hardly anything of `atom:source`. What it
writes right it writes; these extensions replace or add the rest while it builds the tree. They
expect what `fit.py` returns.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from lxml import etree

from ..model import Category, FeedDocument, FeedEntry, Link, Person, SourceMeta
from ..vocabulary import NAMESPACES, Extension
from .fit import is_archive, rfc822, rfc3339, web_address

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
HISTORY = "http://purl.org/syndication/history/1.0"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

RSS_NAMESPACES = {"atom": ATOM, "content": CONTENT} | NAMESPACES
# any type will do for an enclosure of unknown type, but RSS 2.0 has to have one
UNKNOWN_TYPE = "application/octet-stream"


class Unwritten(datetime):
    """A date that feedgen leaves out of RSS.

    It would write it under a locale switched for the whole process, which threads cannot afford.
    """

    def __bool__(self) -> bool:
        return False


class EntryExtension:
    """Repairs one entry; `entry` is set once feedgen has made the instance."""

    entry: FeedEntry

    def extend_ns(self) -> dict[str, str]:
        """Namespaces of entries are declared by the feed."""
        return {}

    def extend_atom(self, element: Any) -> Any:
        """Completes an `atom:entry` (RFC 4287 §4.1.2)."""
        entry = self.entry
        if entry.lang:
            element.set(XML_LANG, entry.lang)
        element.find("title").text = entry.title
        element.find("updated").text = rfc3339(entry.updated)
        element.find("published").text = rfc3339(entry.published)
        for name, text in (("content", entry.content), ("summary", entry.summary)):
            if text and text.lang and text.lang != entry.lang:
                element.find(name).set(XML_LANG, text.lang)
        _replace_links(element, entry.links)
        if entry.source:
            _source(element, entry.source)
        _extensions(element, entry)
        return element

    def extend_rss(self, element: Any) -> Any:
        """Completes an RSS `item`; what RSS has no element for is written in Atom or Dublin Core.

        The first enclosure is `enclosure` (the RSS Advisory Board lets an item have one only), all
        others and all further links are `atom:link`.
        """
        entry = self.entry
        _add(element, "pubDate", rfc822(entry.published))
        if entry.updated != entry.published:
            _add(element, f"{{{ATOM}}}updated", rfc3339(entry.updated))
        enclosure = main_enclosure(entry)
        if enclosure:
            length, type = str(enclosure.length or 0), enclosure.type or UNKNOWN_TYPE
            _add(element, "enclosure", url=enclosure.href, length=length, type=type)
        rights = entry.rights
        if entry.source:
            # an entry without rights has those of its feed (RFC 4287 §4.2.11), which is not ours
            rights = rights or entry.source.rights
            url = entry.source.self_link or entry.source.link
            if url:
                _add(element, "source", entry.source.title or url, url=url)
            if entry.source.id and entry.source.id != url:
                _add(element, f"{{{DC}}}source", entry.source.id)
        author = rss_author(entry.authors)
        if author:
            _add(element, "author", author)
        for person in entry.authors[1 if author else 0 :]:
            _add(element, f"{{{DC}}}creator", _rss_person(person))
        for person in entry.contributors:
            _add(element, f"{{{DC}}}contributor", _rss_person(person))
        if rights:
            _add(element, f"{{{DC}}}rights", rights)
        if entry.lang:
            _add(element, f"{{{DC}}}language", entry.lang)
        for link in entry.links:
            if link is not enclosure and not (link.rel == "alternate" and link.href == entry.url):
                _link(element, link, f"{{{ATOM}}}link")
        if comments := next(filter(_is_page_of_comments, entry.links), None):
            _add(element, "comments", comments.href)
        if comments := next(filter(_is_feed_of_comments, entry.links), None):
            _extension(element, Extension(name="wfw:commentRss", text=comments.href))
        _extensions(element, entry)
        return element


class FeedExtension:
    """Repairs the head of a feed; `document` is set once feedgen has made the instance."""

    document: FeedDocument

    def extend_ns(self) -> dict[str, str]:
        """Declares what this head and all entries use, once for the whole feed."""
        names = dict(NAMESPACES)
        if self.document.deleted:
            names["at"] = TOMBSTONES
        if is_archive(self.document):
            names["fh"] = HISTORY
        return names

    def extend_atom(self, element: Any) -> Any:
        """Completes an `atom:feed` (RFC 4287 §4.1.1)."""
        element.find("updated").text = rfc3339(self.document.updated)
        _replace_links(element, self.document.links)
        self._history(element)
        return element

    def extend_rss(self, element: Any) -> Any:
        """Completes an RSS `channel`."""
        document, channel = self.document, element.find("channel")
        for link in channel.findall(f"{{{ATOM}}}link"):
            channel.remove(link)
        _add(channel, "lastBuildDate", rfc822(document.updated))
        for person in document.authors[1 if rss_author(document.authors) else 0 :]:
            _add(channel, f"{{{DC}}}creator", _rss_person(person))
        for link in document.links:
            if not (link.rel == "alternate" and link.href == document.home_url):
                _link(channel, link, f"{{{ATOM}}}link")
        self._history(channel)
        return element

    def _history(self, element: Any) -> None:
        if is_archive(self.document):  # RFC 5005 §4
            _add(element, f"{{{HISTORY}}}archive")
        for gone in self.document.deleted:  # RFC 6721 §3
            _add(element, f"{{{TOMBSTONES}}}deleted-entry", ref=gone.id, when=rfc3339(gone.when))


class RssFeedExtension(FeedExtension):
    """As `FeedExtension`, with the namespaces that RSS items need."""

    def extend_ns(self) -> dict[str, str]:
        """Declares what this head and all items use, once for the whole feed."""
        return RSS_NAMESPACES | super().extend_ns()


def as_dicts(records: Sequence[Person | Category]) -> list[dict[str, str]]:
    """Persons or categories as feedgen takes them: dictionaries of what is there."""
    return [
        {field.name: value for field in fields(record) if (value := getattr(record, field.name))}
        for record in records
    ]


def rss_author(authors: tuple[Person, ...]) -> str | None:
    """The one author that RSS can name itself, as `address (name)`: the first, with an e-mail."""
    return _rss_person(authors[0]) if authors and authors[0].email else None


def _rss_person(person: Person) -> str:
    """A person as RSS writes an author, and other elements of a channel do too."""
    if not person.email or person.name == person.email:
        return person.name
    return f"{person.email} ({person.name})"


def main_enclosure(entry: FeedEntry) -> Link | None:
    """The enclosure that RSS shows as such: the first on the web that plays, else the first."""
    links = [link for link in entry.links if link.rel == "enclosure" and web_address(link.href)]
    plays = (link for link in links if (link.type or "").startswith(("audio/", "video/")))
    return next(plays, next(iter(links), None))


def duration_of(entry: FeedEntry) -> str | None:
    """How long its enclosure plays, as podcasts say it, where no element of the entry does."""
    if any(one.name == "itunes:duration" for one in entry.extensions):
        return None
    plays = (link.duration for link in entry.links if link.rel == "enclosure" and link.duration)
    return next((str(duration) for duration in plays), None)


def _is_page_of_comments(link: Link) -> bool:
    return link.rel == "replies" and link.type == "text/html" and bool(web_address(link.href))


def _is_feed_of_comments(link: Link) -> bool:
    return (
        link.rel == "replies"
        and link.type == "application/rss+xml"
        and bool(web_address(link.href))
    )


def _extensions(parent: Any, entry: FeedEntry) -> None:
    """Writes elements of other vocabularies, whose namespaces every head declares."""
    for one in entry.extensions:
        _extension(parent, one)
    if duration := duration_of(entry):
        _extension(parent, Extension(name="itunes:duration", text=duration))


def _extension(parent: Any, one: Extension) -> None:
    prefix, _, local = one.name.partition(":")
    uri = NAMESPACES[prefix]
    element = etree.SubElement(
        parent, f"{{{uri}}}{local}", dict(one.attributes), nsmap={prefix: uri}
    )
    element.text = one.text
    for child in one.children:
        _extension(element, child)


def without_namespaces(element: Any, namespaces: dict[str, str]) -> bytes:
    """Serialises an entry as it stands in a feed, where the namespaces are declared already."""
    wrapper = etree.Element("feed", nsmap=namespaces)
    start = len(etree.tostring(wrapper)) - len(b"/>") + len(b">")
    wrapper.append(element)
    return etree.tostring(wrapper, encoding="UTF-8")[start : -len(b"</feed>")]


def _add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    element = etree.SubElement(parent, name, attributes)
    element.text = text
    return element


def _replace_links(element: Any, links: tuple[Link, ...]) -> None:
    """Puts complete links where feedgen has put crippled ones, before the content."""
    for crippled in element.findall("link"):
        element.remove(crippled)
    made = [_link(element, link, "link") for link in links]
    after = element.index(element.find("updated")) + 1
    element[after:after] = made


def _link(parent: Any, link: Link, name: str) -> Any:
    attributes = {"rel": link.rel, "type": link.type, "hreflang": link.hreflang}
    attributes |= {"title": link.title, "href": link.href}
    if link.length is not None:
        attributes["length"] = str(link.length)
    present = {key: value for key, value in attributes.items() if value}
    return etree.SubElement(parent, name, present)


def _source(entry: Any, source: SourceMeta) -> None:
    """Writes `atom:source` whole (RFC 4287 §4.2.11)."""
    element = etree.SubElement(entry, "source")
    if source.lang:
        element.set(XML_LANG, source.lang)
    if source.id:
        _add(element, "id", source.id)
    if source.title:
        _add(element, "title", source.title)
    if source.updated:
        _add(element, "updated", rfc3339(source.updated))
    if source.self_link:
        _link(element, Link(href=source.self_link, rel="self"), "link")
    if source.link:
        _link(element, Link(href=source.link, type="text/html"), "link")
    for person in as_dicts(source.authors):
        author = _add(element, "author")
        for name, value in person.items():
            _add(author, name, value)
    for category in as_dicts(source.categories):
        _add(element, "category", **category)
    for name in ("subtitle", "icon", "logo", "rights"):
        value = getattr(source, name)
        if value:
            _add(element, name, value)
