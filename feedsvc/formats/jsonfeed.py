"""JSON Feed 1.1, with what it has no words for under `_feedsvc`.

Keys stand in a fixed order, absent values are left out. `_feedsvc` holds, in an item, `related`
(id, url, title, score, reason, kind), `duplicates` (id, url, title, source), of a story `members`
(id, url, title, published, source), `source` (id, title, url, feed_url, rights), `categories`
(term, scheme, label) that say more than their tag,
`contributors`, `rights`, `links` of other relations and `extensions`, the elements of other
vocabularies (name, text, attributes, children); in the feed, `about`, `rights`, `deleted` (id,
when), `links` to the documents around it (RFC 5005) and `archive` if it is one.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from ..errors import RenderError
from ..model import (
    Category,
    Duplicate,
    FeedDocument,
    FeedEntry,
    Link,
    Person,
    Related,
    SourceMeta,
    StoryMember,
)
from ..vocabulary import Extension, banners, pictures
from .extension import UNKNOWN_TYPE
from .fit import fit_entry, fit_head, is_archive, rfc3339, web_address
from .plain import as_text

_AROUND = ("first", "previous", "last", "prev-archive", "next-archive", "current")
_MAIL_CHARS = "@!$'*+:"
_VERSION = "https://jsonfeed.org/version/1.1"


class JsonFeedFormat:
    """Writes `application/feed+json`."""

    suffix = "json"
    media_type = "application/feed+json"

    def fragment(self, entry: FeedEntry) -> bytes:
        """Writes one item as an object."""
        return _encode(_item(fit_entry(entry)))

    def assemble(self, document: FeedDocument, fragments: Sequence[bytes]) -> bytes:
        """Writes the feed: its head, then the fragments as they come, in `items`."""
        head = _encode(_head(fit_head(document, self.media_type)))
        return b"".join((head.removesuffix(b"}"), b',"items":[', b",".join(fragments), b"]}"))


def _encode(value: dict[str, Any]) -> bytes:
    try:
        return json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
    except ValueError as error:
        name = value.get("id") or value.get("feed_url")
        raise RenderError(f"{name!r} cannot be written as JSON Feed: {error}") from error


def _present(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}


def _head(document: FeedDocument) -> dict[str, Any]:
    links, archive = document.links, is_archive(document)
    onward = "prev-archive" if archive else "next"
    return _present(
        version=_VERSION,
        title=document.title,
        home_page_url=document.home_url,
        feed_url=document.self_url,
        description=document.subtitle,
        next_url=next((link.href for link in links if link.rel == onward), None),
        icon=document.logo,
        favicon=document.icon,
        authors=_authors(document.authors),
        language=document.lang,
        hubs=[{"type": "WebSub", "url": link.href} for link in links if link.rel == "hub"],
        _feedsvc=_present(
            about=document.generator_url,
            id=document.id,
            rights=document.rights,
            updated=rfc3339(document.updated),
            archive=archive or None,
            links=[_link(link) for link in links if link.rel in _AROUND],
            deleted=[{"id": one.id, "when": rfc3339(one.when)} for one in document.deleted],
        ),
    )


def _item(entry: FeedEntry) -> dict[str, Any]:
    # an item has one of the two, if only an empty one; readers show it, not the summary
    content = entry.content or entry.summary
    item = _present(id=entry.id, url=entry.url, title=entry.title)
    if content and content.type == "html":
        item["content_html"] = content.value
    else:
        item["content_text"] = content.value if content else ""
    enclosures = [link for link in entry.links if link.rel == "enclosure"]
    told = {entry.url, *(one.link for one in entry.duplicates)}
    others = [link for link in entry.links if link.rel not in ("enclosure", "related")]
    images = [address for one in pictures(entry.extensions) if (address := web_address(one))]
    images += [link.href for link in enclosures if (link.type or "").startswith("image/")]
    elsewhere = (link.href for link in others if link.rel == "via" and link.href not in told)
    banner = (one for one in banners(entry.extensions) if web_address(one) and one != images[0])
    return item | _present(
        external_url=next(elsewhere, None),
        summary=as_text(entry.summary) if entry.summary else None,
        image=next(iter(images), None),
        banner_image=next(banner, None),
        date_published=rfc3339(entry.published),
        date_modified=rfc3339(entry.updated),
        authors=_authors(entry.authors),
        tags=_tags(entry.categories),
        language=entry.lang,
        attachments=[_attachment(link) for link in enclosures],
        _feedsvc=_present(
            related=_related(entry),
            duplicates=[_duplicate(one) for one in entry.duplicates],
            members=[_member(one) for one in entry.members],
            source=_source(entry.source) if entry.source else None,
            categories=_categories(entry.categories),
            contributors=_authors(entry.contributors),
            rights=entry.rights,
            links=[_link(link) for link in others if link.href not in told],
            extensions=[_extension(one) for one in entry.extensions],
        ),
    )


def _authors(persons: Iterable[Person]) -> list[dict[str, Any]]:
    return [
        _present(name=one.name, url=one.uri or (_mailto(one.email) if one.email else None))
        for one in persons
    ]


def _mailto(email: str) -> str:
    """An e-mail address as an address of the Web (RFC 6068 §2)."""
    return f"mailto:{quote(email, safe=_MAIL_CHARS)}"


def _tags(categories: Iterable[Category]) -> list[str]:
    return list(dict.fromkeys(one.label or one.term for one in categories))


def _categories(categories: Iterable[Category], *, all: bool = False) -> list[dict[str, Any]]:
    """Those of which a tag, which is a label, is not the whole, or all."""
    whole = [
        one for one in categories if all or one.scheme or (one.label and one.label != one.term)
    ]
    return [_present(term=one.term, scheme=one.scheme, label=one.label) for one in whole]


def _attachment(link: Link) -> dict[str, Any]:
    return _present(
        url=link.href,
        mime_type=link.type or UNKNOWN_TYPE,
        title=link.title,
        size_in_bytes=link.length,
        duration_in_seconds=link.duration,
    )


def _extension(one: Extension) -> dict[str, Any]:
    return _present(
        name=one.name,
        text=one.text,
        attributes=dict(one.attributes),
        children=[_extension(child) for child in one.children],
    )


def _related(entry: FeedEntry) -> list[dict[str, Any]]:
    """What we link to with score and reason, then what the publisher itself links to."""
    ours = [_ours(one) for one in entry.related]
    known = {*(one.get("url") for one in ours), *(one.link for one in entry.members)}
    theirs = [
        _present(url=link.href, title=link.title, type=link.type)
        for link in entry.links
        if link.rel == "related" and link.href not in known
    ]
    return ours + theirs


def _ours(related: Related) -> dict[str, Any]:
    return _present(
        id=related.id,
        url=related.link,
        title=related.title,
        score=round(related.score, 3),
        reason=related.reason,
        kind=related.kind,
    )


def _member(one: StoryMember) -> dict[str, Any]:
    source = _present(id=one.source_id, title=one.source_title)
    published = rfc3339(one.published)
    return _present(id=one.id, url=one.link, title=one.title, published=published, source=source)


def _duplicate(copy: Duplicate) -> dict[str, Any]:
    source = _present(id=copy.source_id, title=copy.source_title)
    return _present(id=copy.id, url=copy.link, title=copy.title, source=source)


def _source(source: SourceMeta) -> dict[str, Any]:
    return _present(
        id=source.id,
        title=source.title,
        subtitle=source.subtitle,
        url=source.link,
        feed_url=source.self_link,
        rights=source.rights,
        icon=source.icon,
        logo=source.logo,
        authors=_authors(source.authors),
        categories=_categories(source.categories, all=True),
        updated=rfc3339(source.updated) if source.updated else None,
    )


def _link(link: Link) -> dict[str, Any]:
    return _present(
        rel=link.rel, href=link.href, type=link.type, hreflang=link.hreflang, title=link.title
    )
