"""How values and entries become rows and rows entries again; nothing here touches a database.

Everything that is written is canonical: equal records give equal rows and equal fingerprints, in
every store and on every machine. Sources and their poll states are in `source_codec`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntFlag
from typing import Any

import msgspec
from sqlalchemy import RowMapping

from ..duplicates import marks, own_words, page_of
from ..keys import key_number, key_text
from ..model import Category, Duplicate, Entry, Link, Person, Related, SourceMeta, Tag, Text
from ..query.text import lasting_tokens
from ..vocabulary import Extension
from .words import SearchText, search_text, terms

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Flag(IntFlag):
    """What `has:` can ask for."""

    ENCLOSURE = 1
    LINK = 2
    AUTHOR = 4
    RELATED = 8
    CREDIT = 16


_ENCLOSURE, _LINK, _AUTHOR, _CREDIT = map(
    int, (Flag.ENCLOSURE, Flag.LINK, Flag.AUTHOR, Flag.CREDIT)
)


class Payload(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of an entry no query needs to look at."""

    fallback_id: str
    links: tuple[Link, ...] = ()
    summary: Text | None = None
    content: Text | None = None
    credit: str | None = None
    authors: tuple[Person, ...] = ()
    contributors: tuple[Person, ...] = ()
    categories: tuple[Category, ...] = ()
    published_text: str | None = None
    rights: str | None = None
    lang: str | None = None
    source: SourceMeta | None = None
    extensions: tuple[Extension, ...] = ()
    fulltext: bool = False


_payload = msgspec.json.Decoder(Payload)
_tags = msgspec.json.Decoder(tuple[Tag, ...])
_names = msgspec.json.Decoder(tuple[str, ...])


def micros(moment: datetime) -> int:
    """An aware time as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def maybe_micros(moment: datetime | None) -> int | None:
    """`micros`, or None for None."""
    return None if moment is None else micros(moment)


def moment(number: int) -> datetime:
    """The time that `micros` wrote, in UTC."""
    return _EPOCH + timedelta(0, 0, number)


def maybe_moment(number: int | None) -> datetime | None:
    """`moment`, or None for None."""
    return None if number is None else moment(number)


def storable(text: str) -> str:
    """A text that every database takes: without NUL, and without halves of surrogate pairs."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def uid_hash(uid: str) -> bytes:
    """The name of a uid in the index; uids may be longer than a btree row."""
    return hashlib.sha256(uid.encode("utf-8", "surrogatepass")).digest()[:16]


def place_of(link: str | None, title: str) -> str | None:
    """What a pruned entry is remembered by beside its uid: page and title, if it has both.

    No uid, since uids begin with no line end.
    """
    page, words = page_of(link), lasting_tokens(title)
    return f"\n{page}\n{' '.join(words)}" if page and words else None


def encode(value: object) -> str:
    """A record as JSON text."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_cleaned(msgspec.to_builtins(value))).decode()


def pack(value: object) -> bytes:
    """A record as MessagePack, which is smaller than JSON and reads faster."""
    try:
        return msgspec.msgpack.encode(value)
    except UnicodeEncodeError:
        return msgspec.msgpack.encode(
            _cleaned(msgspec.to_builtins(value, builtin_types=(datetime,)))
        )


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case dict():
            return {key: _cleaned(item) for key, item in value.items()}
        case list() | tuple():
            return [_cleaned(item) for item in value]
    return value


def digest_of(*parts: object) -> str:
    """32 hexadecimal digits that stand for these values."""
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()


# -- entries -------------------------------------------------------------------------------------


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """An entry ready to be written: all that can be worked out before the transaction begins.

    `row` are columns of `entries` but for the keys, times of the store's own, and fingerprint.
    """

    uid_hash: bytes
    id: str
    key: int
    fallback_id: str
    row: Mapping[str, Any]
    payload: str
    slugs: Mapping[str, str]
    names: tuple[str, ...]
    text: SearchText
    title_terms: frozenset[int]
    marks: tuple[int, ...]


def prepare(entry: Entry) -> Prepared:
    """Works out an entry's rows."""
    id, title, link = storable(entry.id), storable(entry.title), entry.link and storable(entry.link)
    lang = storable((entry.lang or "").lower().replace("_", "-"))
    payload = encode(
        Payload(
            fallback_id=entry.fallback_id,
            links=entry.links,
            summary=entry.summary,
            content=entry.content,
            credit=entry.credit,
            authors=entry.authors,
            contributors=entry.contributors,
            categories=entry.categories,
            published_text=entry.published_text,
            rights=entry.rights,
            lang=entry.lang,
            source=entry.source,
            extensions=entry.extensions,
            fulltext=entry.fulltext,
        )
    )
    published, updated = micros(entry.published), micros(entry.updated)
    names = tuple(map(storable, entry.references))
    text = search_text(entry, published)
    return Prepared(
        uid_hash=uid_hash(entry.uid),
        id=id,
        key=key_number(id),
        fallback_id=storable(entry.fallback_id),
        row={
            "uid": storable(entry.uid),
            "published": published,
            "updated": updated,
            "dated": entry.dated,
            "flags": flags(entry),
            "link": link,
            "link_hash": key_number(link) if link else None,
            "page_hash": page_hash(link),
            "lang": lang,
            "tongue": lang.partition("-")[0],
            "title": title,
            "digest": entry.digest,
            "own_print": digest_of(title, published, updated, entry.dated, link, payload),
            "tags": encode_tags(entry.tags),
            "names": encode(names) if names else None,
            "modified": maybe_micros(entry.modified),
        },
        payload=payload,
        slugs=labels(entry.tags),
        names=names,
        text=text,
        title_terms=terms(title),
        marks=marks(own_words(entry.summary, entry.content, (text.summary, text.body))),
    )


def page_hash(link: str | None) -> int | None:
    """The number of the page that a link leads to; None where it leads to none of its own."""
    page = page_of(link)
    return None if page is None else key_number(page)


def flags(entry: Entry) -> int:
    """The `has:` bits that an entry has by itself, without its links to others."""
    # plain numbers: adding flags up takes ten times as long
    found = 0
    if any(link.rel == "enclosure" for link in entry.links):
        found |= _ENCLOSURE
    if entry.link:
        found |= _LINK
    if entry.authors:
        found |= _AUTHOR
    if entry.credit:
        found |= _CREDIT
    return found


def payload_of(text: str) -> Payload:
    """The rest of an entry, as its row of `contents` keeps it."""
    return _payload.decode(text)


def entry_of(row: Mapping[str, Any] | RowMapping) -> Entry:
    """The entry of a row of `entries` with its `payload` and `source_id`."""
    payload = payload_of(row["payload"])
    return Entry(
        id=row["id"],
        fallback_id=payload.fallback_id,
        key=key_text(row["key"]),
        source_id=row["source_id"],
        uid=row["uid"],
        title=row["title"],
        published=moment(row["published"]),
        updated=moment(row["updated"]),
        dated=bool(row["dated"]),
        digest=row["digest"],
        link=row["link"],
        links=payload.links,
        summary=payload.summary,
        content=payload.content,
        credit=payload.credit,
        authors=payload.authors,
        contributors=payload.contributors,
        categories=payload.categories,
        tags=tags_of(row["tags"]),
        references=names_of(row["names"]),
        published_text=payload.published_text,
        rights=payload.rights,
        lang=payload.lang,
        source=payload.source,
        extensions=payload.extensions,
        fulltext=payload.fulltext,
        modified=maybe_moment(row["modified"]),
    )


def fingerprint(
    own_print: str,
    id: str,
    tags: str | None,
    related: Sequence[Related],
    unresolved: Sequence[str],
    duplicates: Sequence[Duplicate] = (),
) -> str:
    """Stands for everything of an entry that is rendered, but for its source."""
    # most have no copies, and keep the fingerprints they had before copies were known
    others = (duplicates,) if duplicates else ()
    return digest_of(own_print, id, tags, related, unresolved, *others)


def labels(tags: Sequence[Tag]) -> dict[str, str]:
    """Slugs with their labels; the first of a slug's labels wins."""
    found: dict[str, str] = {}
    for tag in tags:
        found.setdefault(storable(tag.slug), storable(tag.label))
    return found


def better_label(one: str, other: str) -> str:
    """Which of two labels of one slug to show: capitals where people write them, none to shout."""
    return min(one, other, key=lambda label: (label.islower(), _shouted(label), label))


def _shouted(label: str) -> bool:
    return label.isupper() and len(label) > 4


def encode_tags(tags: Sequence[Tag]) -> str | None:
    """An entry's tags as its row keeps them."""
    return encode(tuple(tags)) if tags else None


def tags_of(text: str | None) -> tuple[Tag, ...]:
    """The tags of an entry's row."""
    return () if text is None else _tags.decode(text)


def names_of(text: str | None) -> tuple[str, ...]:
    """The headlines of an entry's row."""
    return () if text is None else _names.decode(text)
