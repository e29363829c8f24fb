"""From a request to a feed: validators, document, bytes."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .. import __version__
from ..config import Config
from ..errors import NotFound
from ..formats import FORMATS, Format
from ..model import FeedDocument, FeedEntry, Link, Person, StoredEntry
from ..store.base import Head, Page, Store
from .addresses import Addresses
from .entries import EntryComposer
from .request import Catalogue, FeedRequest, Options
from .shelf import Shelf

# of a feed without entries: any date would do that is the same everywhere and always
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A feed's bytes with the validators of exactly these bytes."""

    body: bytes
    etag: str
    last_modified: datetime | None


class Composer(Catalogue):
    """Makes feeds of what the store holds. Thread-safe; holds nothing that could grow stale."""

    def __init__(self, *, store: Store, config: Config, clock: Callable[[], datetime]) -> None:
        super().__init__(store=store, config=config, clock=clock)
        site, related = config.site, config.related
        self._at = Addresses(site.base_url, site.authority)
        # whatever shows in a feed beside entries: program, site and related settings
        self._settings = _digest((__version__, site.model_dump(), related.max, related.list))
        self._entries = EntryComposer(
            self._at,
            author=site.author,
            most=related.max,
            listed=related.list,
            settings=self._settings,
        )
        self._shelf = Shelf()

    def url(self, request: FeedRequest, suffix: str | None = None) -> str:
        """The canonical address of a page of a feed; without a suffix that of its web page."""
        return self._at.feed(request.path, request.params, suffix)

    def entry_url(self, key: str) -> str:
        """The address of an entry's own page."""
        return self._at.entry(key)

    def entry(self, stored: StoredEntry, options: Options) -> FeedEntry:
        """An entry as a feed with these options shows it."""
        return self._entries.compose(stored, options)

    def head(self, request: FeedRequest) -> Head:
        """What decides a page's validators, read without its content.

        Raises `QueryError` for a bad cursor.
        """
        options = request.options
        return self._store.head(
            request.query, limit=options.limit, now=self._now(), before=options.before
        )

    def etag(self, request: FeedRequest, suffix: str, head: Head) -> str:
        """The strong entity tag, quoted (RFC 9110 §8.8.3): equal exactly when the bytes are."""
        parts = (
            self._settings,
            self.url(request, suffix),
            request.title,
            request.description,
            request.options.limit,
            head.marks,
            [(one.id, one.when.isoformat()) for one in head.deleted],
            head.newest.isoformat() if head.newest else None,
            head.next,
        )
        return f'"{_digest(parts)}"'

    def last_modified(self, head: Head) -> datetime | None:
        """When anything that shows in this page, or is missing from it, last changed."""
        return head.changed

    def document(self, request: FeedRequest, suffix: str) -> FeedDocument:
        """The feed as a record. Raises `QueryError` for a bad cursor, `NotFound` for the suffix."""
        head, page = self._read(request)
        entries = tuple(self.entry(stored, request.options) for stored in page.entries)
        return replace(self._without_entries(request, suffix, head), entries=entries)

    def render(self, request: FeedRequest, suffix: str) -> bytes:
        """The feed's bytes. Raises what `document` raises, and `RenderError`."""
        return self.rendering(request, suffix).body

    def rendering(self, request: FeedRequest, suffix: str) -> Rendering:
        """The feed's bytes with validators that are sure to be theirs.

        An entity tag made from an earlier `head` may be a commit older than the bytes. Entries that
        have been written before are not read again. Raises what `render` raises.
        """
        format, content = _format(suffix), request.options.content
        head = self.head(request)
        fragments = [self._shelf.get((suffix, content, *mark)) or b"" for mark in head.marks]
        if not all(fragments):
            head, page = self._read(request)
            fragments = [self._fragment(suffix, one, request.options) for one in page.entries]
        document = self._without_entries(request, suffix, head)
        return Rendering(
            body=format.assemble(document, fragments),
            etag=self.etag(request, suffix, head),
            last_modified=self.last_modified(head),
        )

    def _fragment(self, suffix: str, stored: StoredEntry, options: Options) -> bytes:
        key = (suffix, options.content, stored.entry.key, stored.fingerprint)
        fragment = self._shelf.get(key)
        if fragment is None:
            fragment = _format(suffix).fragment(self.entry(stored, options))
            self._shelf.put(key, fragment)
        return fragment

    def _read(self, request: FeedRequest) -> tuple[Head, Page]:
        """A page, and the head that belongs to it even if a commit came between."""
        options, now = request.options, self._now()
        head = self._store.head(request.query, limit=options.limit, now=now, before=options.before)
        page = self._store.find(request.query, limit=options.limit, now=now, before=options.before)
        shown = {stored.entry.key for stored in page.entries}
        head = replace(
            head,
            marks=tuple((stored.entry.key, stored.fingerprint) for stored in page.entries),
            deleted=tuple(gone for gone in head.deleted if gone.key not in shown),
            newest=max((stored.entry.updated for stored in page.entries), default=None),
            next=page.next,
        )
        return head, page

    def _without_entries(self, request: FeedRequest, suffix: str, head: Head) -> FeedDocument:
        """The document without entries (RFC 4287 §4.1.1, paged by RFC 5005 §3)."""
        site, media_type = self._config.site, _format(suffix).media_type
        links = []
        if head.next or request.options.before:
            first = self.url(self.turned(request, None), suffix)
            links.append(Link(href=first, rel="first", type=media_type))
        if head.next:
            following = self.url(self.turned(request, head.next), suffix)
            links.append(Link(href=following, rel="next", type=media_type))
        for other, format in FORMATS.items():
            if other != suffix:
                links.append(Link(href=self.url(request, other), type=format.media_type))
        return FeedDocument(
            id=self._at.feed_id(
                request.path, (pair for pair in request.params if pair[0] != "before")
            ),
            title=request.title,
            subtitle=request.description,
            updated=head.newest or _EPOCH,
            self_url=self.url(request, suffix),
            home_url=self.url(request),
            links=tuple(links),
            authors=(Person(name=site.author),) if site.author else (),
            generator_version=__version__,
            generator_url=self._at.home(),
            icon=site.icon,
            logo=site.logo,
            rights=site.rights,
            lang=site.language,
            deleted=head.deleted,
        )


def _format(suffix: str) -> Format:
    try:
        return FORMATS[suffix]
    except KeyError:
        known = ", ".join(FORMATS)
        raise NotFound(f"There is no format {suffix!r}; there are {known}") from None


def _digest(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]
