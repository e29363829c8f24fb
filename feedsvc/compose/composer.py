"""From a request to a feed: validators, document, bytes."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TypedDict

from .. import __version__
from ..config import Config
from ..errors import NotFound
from ..formats import FORMATS, Format
from ..model import DeletedEntry, FeedDocument, FeedEntry, Link, Person, StoredEntry
from ..months import month_of, month_text
from ..store.base import Head, Page, Shares, Store, StoryPage
from ..store.cursor import LAST
from . import sketch
from .addresses import Addresses
from .entries import EntryComposer
from .rendering import Delta, Rendering
from .request import Catalogue, FeedRequest, Options
from .shares import shares_of
from .shelf import Shelf
from .stories import StoryComposer

# of a feed without entries: any date would do that is the same everywhere and always
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# parameters that name a place in a feed or the size of its pages, not a feed
_PLACES = ("before", "below", "limit")
# what is beyond is told again, which does no harm
_FEW_DELETED = 14


# the mark of an entry, and how to make it
_Made = tuple[tuple[str, str], Callable[[], FeedEntry]]


class _Asked(TypedDict):
    limit: int
    before: str | None
    collapse: bool
    shares: Shares


class Composer(Catalogue):
    """Makes feeds of what the store holds. Thread-safe; holds nothing that could grow stale."""

    def __init__(self, *, store: Store, config: Config, clock: Callable[[], datetime]) -> None:
        super().__init__(store=store, config=config, clock=clock)
        site, related = config.site, config.related
        self._at = Addresses(site.base_url, site.authority)
        # whatever shows in a feed beside entries: program, site and related settings
        self._settings = _digest(
            (__version__, site.model_dump(), related.max, related.list, config.tags.stop)
        )
        self._entries = EntryComposer(
            self._at,
            author=site.author,
            most=related.max,
            listed=related.list,
            stop=config.tags.stop,
            settings=self._settings,
        )
        self._stories = StoryComposer(
            self._at, author=site.author or site.title, settings=self._settings
        )
        self._shares = shares_of(config)
        self._deltas = config.web.deltas
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

        Raises `OptionError` for a bad cursor, `NotFound` for the archive of a month that has no
        entries.
        """
        if request.stories:
            return self._stories.head(self.story_page(request))
        if request.month is not None:
            return self._archive(request, request.month, whole=False)[0]
        return self._store.head(request.query, now=self._now(), **self._asked(request))

    def page(self, request: FeedRequest) -> Page:
        """A page's entries as the store has them. Raises what `head` raises."""
        if request.month is not None:
            return self._archive(request, request.month, whole=True)[1]
        return self._store.find(request.query, now=self._now(), **self._asked(request))

    def story_page(self, request: FeedRequest) -> StoryPage:
        """The stories of a page of `stories`. Raises what `head` raises."""
        options = request.options
        return self._store.stories(limit=options.limit, now=self._now(), before=options.before)

    def story_url(self, key: str) -> str:
        """The address of a story's own page."""
        return self._at.story(key)

    def story_id(self, key: str) -> str:
        """The id of a story in every feed."""
        return self._at.story_id(key)

    def closed(self, request: FeedRequest) -> bool:
        """Whether it is an archive document whose month is over."""
        return request.month is not None and request.month < month_of(self._now())

    def etag(self, request: FeedRequest, suffix: str, head: Head) -> str:
        """The strong entity tag, quoted (RFC 9110 §8.8.3): equal exactly when the bytes are.

        Where the next one may be a delta it ends with a `sketch` of what is on the page.
        """
        digest, told = self._digest(request, suffix, head), ""
        if self.has_deltas(request) and suffix in FORMATS:
            told = sketch.write(self._salt(request, suffix), _prints(head))
        return f'"{digest}.{told}"' if told else f'"{digest}"'

    def has_deltas(self, request: FeedRequest) -> bool:
        """Whether `delta` may answer: new entries are looked for where feeds begin."""
        return self._deltas and not request.options.before and request.month is None

    def _salt(self, request: FeedRequest, suffix: str) -> str:
        return _digest((self._settings, self.url(request, suffix)))

    def _digest(self, request: FeedRequest, suffix: str, head: Head) -> str:
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
            head.previous,
            head.earlier,
            head.shown,
            head.later,
            head.both_ways,
        )
        return _digest(parts)

    def around(self, request: FeedRequest, head: Head) -> Iterator[tuple[str, FeedRequest]]:
        """The documents next to a page by their relations (RFC 5005 §3, for archives §4)."""
        before = request.options.before
        if request.month is not None:
            yield "current", self.current(request)
            if head.next:
                yield "prev-archive", self.turned(request, head.next)
            elif head.earlier is not None:
                yield "prev-archive", self.turned_to(request, head.earlier, request.options.below)
            if head.previous is not None:
                yield "next-archive", self.turned(request, head.previous or None)
            elif head.later is not None and not before:
                yield "next-archive", self.turned_to(request, head.later, request.options.below)
            return
        if head.next or before:
            yield "first", self.turned(request, None)
        if head.previous is not None:
            yield "previous", self.turned(request, head.previous or None)
        if head.next:
            yield "next", self.turned(request, head.next)
        if (head.next or before) and head.both_ways:
            yield "last", self.turned(request, LAST)
        if head.earlier is not None:
            yield "prev-archive", self.turned_to(request, head.earlier, head.shown)

    def last_modified(self, head: Head) -> datetime | None:
        """When anything that shows in this page, or is missing from it, last changed."""
        return head.changed

    def document(self, request: FeedRequest, suffix: str) -> FeedDocument:
        """The feed as a record.

        Raises `OptionError` for a bad cursor, `NotFound` for the suffix.
        """
        head, made = self._made(request)
        entries = tuple(make() for _, make in made)
        return replace(self._without_entries(request, suffix, head), entries=entries)

    def render(self, request: FeedRequest, suffix: str) -> bytes:
        """The feed's bytes. Raises what `document` raises, and `RenderError`."""
        return self.rendering(request, suffix).body

    def rendering(self, request: FeedRequest, suffix: str, head: Head | None = None) -> Rendering:
        """The feed's bytes with validators that are sure to be theirs.

        An entity tag made from an earlier `head` may be a commit older than the bytes. Entries that
        have been written before are not read again: then the bytes are those of a given `head`.
        Raises what `render` raises.
        """
        head, fragments = self._fragments(request, suffix, head)
        return self._rendering(request, suffix, head, head, [each for _, each in fragments])

    def delta(self, request: FeedRequest, suffix: str, tags: Iterable[str]) -> Delta | None:
        """What a page has that the instance under one of these entity tags had not (RFC 3229).

        The document has the head of the whole page, those entries that are new or changed and those
        deleted since; the validators are those of the whole page. None where no tag is of an
        instance of this page, or nothing of it is left: then the whole page is the answer.
        """
        if not self.has_deltas(request):
            return None
        salt = self._salt(request, suffix)
        for tag in tags:
            had = sketch.read(salt, tag.strip('"').partition(".")[2])
            if had is None:
                continue
            head, fragments = self._fragments(request, suffix)
            new = [(mark, each) for mark, each in fragments if _print(mark) not in had]
            if len(new) == len(fragments):
                continue
            gone = tuple(one for one in head.deleted if _gone_print(one) not in had)
            part = replace(head, deleted=gone)
            made = self._rendering(request, suffix, head, part, [each for _, each in new])
            return Delta(base=tag, rendering=made)
        return None

    def _fragments(
        self, request: FeedRequest, suffix: str, head: Head | None = None
    ) -> tuple[Head, list[tuple[tuple[str, str], bytes]]]:
        """A page's head, and its entries as they are written, each with its mark."""
        options, head = request.options, head or self.head(request)
        kept = self._shelf.get_all([_place(suffix, options, *mark) for mark in head.marks])
        if not all(kept):
            head, made = self._made(request)
            kept = [self._fragment(suffix, mark, make, options) for mark, make in made]
        return head, [(mark, each or b"") for mark, each in zip(head.marks, kept, strict=True)]

    def _rendering(
        self, request: FeedRequest, suffix: str, whole: Head, shown: Head, fragments: list[bytes]
    ) -> Rendering:
        document = self._without_entries(request, suffix, shown)
        return Rendering(
            body=_format(suffix).assemble(document, fragments),
            etag=self.etag(request, suffix, whole),
            last_modified=self.last_modified(whole),
        )

    def _archive(self, request: FeedRequest, month: int, *, whole: bool) -> tuple[Head, Page]:
        """An archive document's head and entries, of a month that is closed if it is over."""
        options, now = request.options, self._now()
        today = month_of(now)
        if month < today:
            # links lead from one month to others: what is closed is all that is over
            self._store.seal(today - 1)
        head, page = self._store.archive(
            request.query,
            month,
            limit=options.limit,
            now=now,
            before=options.before,
            below=options.below,
            collapse=options.dupes == "collapse",
            whole=whole,
        )
        if not (head.marks or options.before or options.below or month == today):
            raise NotFound(_no_entries(request.feed, month, head))
        # the document of this month is there from its first day on, so that links to it stay
        later = None if month == today else min(head.later or today, today)
        return replace(head, later=later), page

    def _asked(self, request: FeedRequest) -> _Asked:
        """What says which entries are on a page of a query."""
        options = request.options
        return {
            "limit": options.limit,
            "before": options.before,
            "collapse": options.dupes == "collapse",
            "shares": self._shares,
        }

    def _fragment(
        self, suffix: str, mark: tuple[str, str], make: Callable[[], FeedEntry], options: Options
    ) -> bytes:
        key = _place(suffix, options, *mark)
        fragment = self._shelf.get(key)
        if fragment is None:
            fragment = _format(suffix).fragment(make())
            self._shelf.put(key, fragment)
        return fragment

    def _made(self, request: FeedRequest) -> tuple[Head, list[_Made]]:
        """A page's head and, in one state of the store, how to make each of its entries."""
        options = request.options
        if request.stories:
            told = self.story_page(request)
            head, stories = self._stories.head(told), told.stories
            makers = [partial(self._stories.compose, one, options) for one in stories]
        else:
            head, page = self._read(request)
            makers = [partial(self.entry, one, options) for one in page.entries]
        return head, list(zip(head.marks, makers, strict=True))

    def _read(self, request: FeedRequest) -> tuple[Head, Page]:
        """A page, and the head that belongs to it even if a commit came between."""
        if request.month is not None:
            return self._archive(request, request.month, whole=True)
        now, asked = self._now(), self._asked(request)
        head = self._store.head(request.query, now=now, **asked)
        page = self._store.find(request.query, now=now, **asked)
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
        links = [
            Link(href=self.url(turned, suffix), rel=rel, type=media_type)
            for rel, turned in self.around(request, head)
        ]
        for other, format in FORMATS.items():
            if other != suffix:
                links.append(Link(href=self.url(request, other), type=format.media_type))
        return FeedDocument(
            id=self._at.feed_id(
                request.feed, (pair for pair in request.params if pair[0] not in _PLACES)
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


def _place(suffix: str, options: Options, key: str, fingerprint: str) -> tuple[str, ...]:
    """Where on the shelf an entry as these options show it stands."""
    return (suffix, options.content, options.dupes, key, fingerprint)


def _prints(head: Head) -> list[str]:
    """What a sketch says of a page; of what was deleted no more than the last few."""
    return [*map(_print, head.marks), *map(_gone_print, head.deleted[:_FEW_DELETED])]


def _print(mark: tuple[str, str]) -> str:
    return "/".join(mark)


def _gone_print(one: DeletedEntry) -> str:
    return f"{one.key}/{one.when.isoformat()}"


def _no_entries(feed: str, month: int, head: Head) -> str:
    near = [month_text(at) for at in (head.earlier, head.later) if at is not None]
    told = f"the nearest archives are {' and '.join(near)}" if near else "it has no archives"
    return f"{feed} has no entries of {month_text(month)}; {told}"


def _format(suffix: str) -> Format:
    try:
        return FORMATS[suffix]
    except KeyError:
        known = ", ".join(FORMATS)
        raise NotFound(f"There is no format {suffix!r}; there are {known}") from None


def _digest(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]
