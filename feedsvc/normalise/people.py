"""Authors, categories, links and what a feed says of itself, each made clean and told once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import unescape

from ..memo import Memo
from ..model import Category, Link, Person, SourceMeta
from .dates import plausible
from .html import plain
from .text import clean_text, language, legal
from .urls import SCHEMES, clean_url, host

_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+\.[^\s@<>()\[\],;:\".]+\Z")
_MAIL_AND_NAME = re.compile(r"(\S+@\S+)\s*\((.+)\)\s*\Z")
_NAME_AND_MAIL = re.compile(r"(.*?)\s*[<(](?:mailto:)?(\S+@[^\s<>()]+)[>)]\s*\Z")
_LONGEST_NAME = 500  # of longer ones these patterns would make the work of hours
_ENDED = re.compile(r"</([A-Za-z][A-Za-z0-9]*)\s*>")
_BEGUN = re.compile(r"<([A-Za-z][A-Za-z0-9]*)\b[^<>]*>")
_ENDLESS = frozenset({"br", "embed", "hr", "img", "input", "link", "meta", "wbr"})
_REFERENCE = re.compile(r"&(?:#\d+|#[xX][0-9A-Fa-f]+|[A-Za-z]+\d*);")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+\Z", re.ASCII)
_REL_REGISTRY = ("http://www.iana.org/assignments/relation/", "https://www.iana.org/assignments/")
# They speak of the document an entry was read from, not of the entry
_OWN_RELS = frozenset({"edit", "edit-media", "hub", "self", "service"})
_PAGE_TYPES = frozenset({None, "text/html", "application/xhtml+xml"})


def one_line(text: str | None) -> str:
    """One line of plain text from a field that should hold text but may hold markup.

    `List<String>` and `a < b` are text: markup is what is closed again, or need not be.
    """
    if text and "<" in text and _is_markup(text):
        text = plain(text)
    elif text and "&" in text and _REFERENCE.search(text):
        text = unescape(text)
    return clean_text(text)


def _is_markup(text: str) -> bool:
    closed = _ENDLESS.union(name.lower() for name in _ENDED.findall(text))
    return any(name.lower() in closed for name in _BEGUN.findall(text)) or "<!--" in text


def people(persons: Iterable[Person], base: str | None) -> tuple[Person, ...]:
    """Cleans persons (RFC 4287 §3.2); one without any name goes, each is told once."""
    return tuple(dict.fromkeys(filter(None, (_person(person, base) for person in persons))))


def _person(person: Person, base: str | None) -> Person | None:
    name, email = clean_text(person.name), clean_text(person.email).removeprefix("mailto:")
    # RSS writes both into one field, and many an Atom feed does so too
    if len(name) > _LONGEST_NAME:
        pass
    elif match := _MAIL_AND_NAME.match(name):
        name, email = match[2], email or match[1]
    elif match := _NAME_AND_MAIL.match(name):
        name, email = match[1].strip(' "'), email or match[2]
    elif _EMAIL.match(name):
        name, email = name.partition("@")[0], email or name
    name = one_line(name)
    uri = clean_url(person.uri, base, schemes=SCHEMES)
    valid = email if _EMAIL.match(email) else None
    name = name or (valid or "").partition("@")[0] or host(uri)
    return Person(name=name, email=valid, uri=uri) if name else None


def categories(found: Iterable[Category]) -> tuple[Category, ...]:
    """Cleans categories (RFC 4287 §4.2.2): no empty ones, and each once whatever its case."""
    kept: dict[tuple[str, str | None], Category] = {}
    for category in map(_category, found):
        if category.term:
            kept.setdefault((category.term.casefold(), category.scheme), category)
    return tuple(kept.values())


def _category(category: Category) -> Category:
    label = (category.label and _LABELS[category.label]) or None
    return Category(
        term=_LABELS[category.term] or label or "",
        scheme=clean_text(category.scheme) or None,
        label=label,
    )


# every entry of a feed has the same few again
_LABELS = Memo(one_line)


def links(found: Sequence[Link], base: str | None) -> tuple[str | None, tuple[Link, ...]]:
    """Separates the entry's own page, an http(s) URL or None, from its other links.

    All become absolute and free of tracking; what cannot is dropped, as is a second page of the
    same type and language (RFC 4287 §4.1.1). The page is among the others only where its link
    says more than the address.
    """
    cleaned = [link for link in (_link(link, base) for link in found) if link is not None]
    pages = [x for x in cleaned if x.rel == "alternate" and x.href[:4].lower() == "http"]
    page = min(pages, key=lambda link: link.type not in _PAGE_TYPES, default=None)
    kept: dict[tuple[str, ...], Link] = {}
    told = {(page.type or "text/html", page.hreflang or "")} if page else set()
    for link in cleaned:
        if link is page:
            if link.title or link.hreflang or link.type not in _PAGE_TYPES:
                kept[link.rel, link.href] = link
            continue
        if link.rel == "alternate":
            variety = (link.type or "text/html", link.hreflang or "")
            if variety in told or (page and link.href == page.href):
                continue
            told.add(variety)
        kept.setdefault((link.rel, link.href), link)
    return (page.href if page else None), tuple(kept.values())


def _link(link: Link, base: str | None) -> Link | None:
    rel = clean_text(link.rel) or "alternate"
    for registry in _REL_REGISTRY:
        rel = rel.removeprefix(registry)
    rel = rel if ":" in rel else rel.lower()
    href = clean_url(link.href, base, schemes=SCHEMES)
    if href is None or rel in _OWN_RELS:
        return None
    kind = clean_text(link.type).partition(";")[0].strip().lower()
    return Link(
        href=href,
        rel=rel,
        type=kind if _MEDIA_TYPE.match(kind) else None,
        hreflang=language(link.hreflang),
        title=one_line(link.title) or None,
        length=link.length if link.length is not None and link.length >= 0 else None,
        duration=link.duration if link.duration and link.duration > 0 else None,
    )


def source_meta(meta: SourceMeta, *, base: str | None = None) -> SourceMeta:
    """Cleans what a feed says of itself (RFC 4287 §4.2.11): plain texts, absolute URLs.

    Its texts are texts already: a `<b>` in one of them is what its author wrote about.
    """
    return replace(
        meta,
        id=legal(meta.id or "").strip() or None,
        title=clean_text(meta.title) or None,
        subtitle=clean_text(meta.subtitle) or None,
        link=clean_url(meta.link, base),
        self_link=clean_url(meta.self_link, base),
        authors=people(meta.authors, base),
        categories=categories(meta.categories),
        rights=clean_text(meta.rights) or None,
        icon=clean_url(meta.icon, base),
        logo=clean_url(meta.logo, base),
        lang=language(meta.lang),
        updated=plausible(meta.updated),
        hub=clean_url(meta.hub, base),
    )
