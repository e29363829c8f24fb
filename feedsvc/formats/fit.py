"""What every format does to a feed before it writes it, so that no value can make it invalid.

Entries arrive clean from normalising and composing; this is the last line of defence, and it gives
all formats the same answer to the same odd value: text loses what XML cannot carry, an address that
is none is left out, an id that is no IRI is replaced by one made from it. No order changes.
"""

import re
import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote, urlsplit

from ..errors import RenderError
from ..model import (
    Category,
    DeletedEntry,
    Duplicate,
    FeedDocument,
    FeedEntry,
    Link,
    Person,
    Related,
    SourceMeta,
    StoryMember,
    Text,
)
from ..vocabulary import NAMESPACES, Extension
from .plain import clean, line

# an address that nothing below could change
_PLAIN = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?(?:[/?#][!#-;=?-Z\[\]_a-z~]*)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
_UNSAFE_SCHEME = re.compile(r"(?:javascript|vbscript|data):", re.IGNORECASE)
_NOT_IN_IRI = re.compile(r'[\s<>"{}|\\^`\ufff0-\ufffd]')
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_REL = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;[\x20-\x7e]*)?", re.ASCII)
_LOCAL = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+")


def rfc3339(when: datetime) -> str:
    """A date as Atom and JSON Feed write it, in UTC and whole seconds (RFC 3339)."""
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def rfc822(when: datetime) -> str:
    """A date as RSS writes it, in any locale (RFC 822 with a year of four digits)."""
    return format_datetime(when.astimezone(UTC), usegmt=True)


def address(url: str | None) -> str | None:
    """An absolute IRI (RFC 3987), or None if it is none or would run a script.

    Characters that have no place in an IRI are percent-encoded; nothing is resolved.
    """
    if not url:
        return None
    if _PLAIN.fullmatch(url):
        return url
    text = clean(url).strip().replace("\n", "").replace("\t", "")
    text = _NOT_IN_IRI.sub(lambda found: quote(found[0], safe=""), text)
    if not _SCHEME.match(text) or _UNSAFE_SCHEME.match(text):
        return None
    if text[:4].lower() == "http":
        try:
            if not urlsplit(text).hostname:
                return None
        except ValueError:
            return None
    return text


def web_address(url: str | None) -> str | None:
    """As `address`, for http and https only."""
    found = address(url)
    return found if found and re.match(r"https?:", found, re.IGNORECASE) else None


def identifier(id: str) -> str:
    """An id that may stand in `atom:id` (RFC 4287 §4.2.6): itself, or a URN made from it."""
    if address(id) == id:
        return id
    return uuid.uuid5(uuid.NAMESPACE_URL, id.encode("unicode_escape").decode("ascii")).urn


def language(tag: str | None) -> str | None:
    """A language tag (RFC 5646) that may stand in `xml:lang`, or None."""
    text = (tag or "").strip().replace("_", "-")
    return text if _LANGUAGE.fullmatch(text) else None


def fit_entry(entry: FeedEntry) -> FeedEntry:
    """The entry as formats write it; its links begin with the alternate made from `url`."""
    url = address(entry.url) or ""
    page = next((link for link in entry.links if _is_page(link, entry.url)), Link(href=url))
    page = replace(page, href=url, type=page.type or "text/html")
    return replace(
        entry,
        id=identifier(entry.id),
        title=line(entry.title),
        url=url,
        links=_links((page, *entry.links)),
        authors=_persons(entry.authors),
        contributors=_persons(entry.contributors),
        summary=_text(entry.summary),
        content=_text(entry.content),
        categories=_categories(entry.categories),
        rights=_optional(entry.rights),
        lang=language(entry.lang),
        source=_source(entry.source) if entry.source else None,
        related=tuple(_related(entry.related)),
        members=tuple(map(_member, entry.members)),
        duplicates=tuple(map(_duplicate, entry.duplicates)),
        extensions=fit_extensions(entry.extensions),
    )


def fit_head(document: FeedDocument, media_type: str) -> FeedDocument:
    """The document without entries as formats write it; its links begin with self and home.

    A feed without an author gets its title as one, for entries that have none (RFC 4287 §4.1.1).
    Raises `RenderError` when the feed has no address of its own.
    """
    self_url, home_url = address(document.self_url), address(document.home_url)
    if not self_url or not home_url:
        raise RenderError(
            f"The feed {document.id!r} has no usable address ({document.self_url!r}); "
            "site.base_url must be an absolute URL."
        )
    title = line(document.title) or line(document.generator) or self_url
    own = Link(href=self_url, rel="self", type=media_type)
    home = Link(href=home_url, type="text/html")
    return replace(
        document,
        id=identifier(document.id),
        title=title,
        self_url=self_url,
        home_url=home_url,
        subtitle=_optional(document.subtitle),
        links=_links((own, home, *document.links)),
        authors=_persons(document.authors) or (Person(name=title),),
        generator=line(document.generator) or "feedsvc",
        generator_version=line(document.generator_version),
        generator_url=address(document.generator_url),
        icon=address(document.icon),
        logo=address(document.logo),
        rights=_optional(document.rights),
        lang=language(document.lang),
        entries=(),
        deleted=tuple(_deleted(document.deleted)),
    )


def fit_extensions(extensions: Iterable[Extension]) -> tuple[Extension, ...]:
    """Keeps the elements that can be written: of a vocabulary we know, with names XML can have."""
    return tuple(
        Extension(
            name=one.name,
            text=_optional(one.text),
            attributes=tuple(
                {
                    name: line(value)
                    for name, value in one.attributes
                    if _LOCAL.fullmatch(name) and not _UNSAFE_SCHEME.match(clean(value).strip())
                }.items()
            ),
            children=fit_extensions(one.children),
        )
        for one in extensions
        if one.name.partition(":")[0] in NAMESPACES and _LOCAL.fullmatch(one.name.partition(":")[2])
    )


def is_archive(document: FeedDocument) -> bool:
    """Whether the document is an archive (RFC 5005 §4): it names another one as the current."""
    return any(link.rel == "current" and link.href != document.self_url for link in document.links)


def _is_page(link: Link, url: str) -> bool:
    return link.rel == "alternate" and link.href == url


def _optional(text: str | None) -> str | None:
    return clean(text).strip() or None if text else None


def _text(text: Text | None) -> Text | None:
    if text is None:
        return None
    value = clean(text.value)
    if not value.strip():
        return None
    return Text(value=value, type=text.type, lang=language(text.lang))


def _persons(persons: Iterable[Person]) -> tuple[Person, ...]:
    found: dict[Person, None] = {}
    for person in persons:
        email = line(person.email or "")
        name = line(person.name)
        if name or _EMAIL.fullmatch(email):
            found[
                Person(
                    name=name or email,
                    email=email if _EMAIL.fullmatch(email) else None,
                    uri=address(person.uri),
                )
            ] = None
    return tuple(found)


def _categories(categories: Iterable[Category]) -> tuple[Category, ...]:
    found: dict[tuple[str, str | None], Category] = {}
    for category in categories:
        term, scheme = line(category.term), address(category.scheme)
        if term and (term, scheme) not in found:
            label = line(category.label or "") or None
            found[term, scheme] = Category(term=term, scheme=scheme, label=label)
    return tuple(found.values())


def _links(links: Iterable[Link]) -> tuple[Link, ...]:
    """Keeps links that are sound and different.

    One alternate for each pair of type and language and one self (RFC 4287 §4.1.1, §4.1.2); of
    links with the same relation to the same address, the first.
    """
    found: list[Link] = []
    seen: set[tuple[str, ...]] = set()
    for link in links:
        href = address(link.href)
        rel = line(link.rel) or "alternate"
        if not href or not (_REL.fullmatch(rel) or address(rel) == rel):
            continue
        type = line(link.type or "")
        type = type if _MEDIA_TYPE.fullmatch(type) else ""
        hreflang = language(link.hreflang) or ""
        place = (rel, "to", href, hreflang.lower())
        role = {"alternate": (rel, "as", type.lower(), hreflang.lower()), "self": (rel,)}.get(rel)
        if place in seen or role in seen:
            continue
        seen.update({place, role or place})
        found.append(
            Link(
                href=href,
                rel=rel,
                type=type or None,
                hreflang=hreflang or None,
                title=line(link.title or "") or None,
                length=link.length if link.length is not None and link.length >= 0 else None,
                duration=link.duration if link.duration and link.duration > 0 else None,
            )
        )
    return tuple(found)


def _source(source: SourceMeta) -> SourceMeta:
    links = _links(
        (
            Link(href=source.self_link or "", rel="self"),
            Link(href=source.link or "", type="text/html"),
        )
    )
    by_rel = {link.rel: link.href for link in links}
    return replace(
        source,
        id=identifier(source.id) if source.id else None,
        title=line(source.title or "") or None,
        subtitle=_optional(source.subtitle),
        link=by_rel.get("alternate"),
        self_link=by_rel.get("self"),
        authors=_persons(source.authors),
        categories=_categories(source.categories),
        rights=_optional(source.rights),
        icon=address(source.icon),
        logo=address(source.logo),
        lang=language(source.lang),
    )


def _duplicate(copy: Duplicate) -> Duplicate:
    return replace(
        copy,
        id=identifier(copy.id),
        title=line(copy.title),
        link=web_address(copy.link),
        source_title=line(copy.source_title),
    )


def _member(one: StoryMember) -> StoryMember:
    return replace(
        one,
        id=identifier(one.id),
        title=line(one.title),
        link=address(one.link),
        source_title=line(one.source_title),
    )


def _related(related: Iterable[Related]) -> Iterable[Related]:
    for one in related:
        yield replace(
            one,
            id=identifier(one.id),
            title=line(one.title),
            link=address(one.link),
            reason=line(one.reason),
        )


def _deleted(deleted: Iterable[DeletedEntry]) -> Iterable[DeletedEntry]:
    for one in deleted:
        yield replace(one, id=identifier(one.id))
