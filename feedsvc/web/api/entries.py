"""Entries over the JSON API: what a query finds, one of them, its past, what it is linked to."""

from collections.abc import Mapping
from dataclasses import replace

from ...compose import FeedRequest
from ...errors import NotFound
from ...keys import parse_key
from ...model import Duplicate, Person, Related, StoredEntry, Text
from ...query import canonical
from ...runtime import Runtime
from ...store.base import Head
from ...store.base import Revision as StoredRevision
from ..errors import Gone
from ..respond import JSON_TYPE, Rendered, Representation, digest
from ..site import Site
from . import models, replies
from .endpoint import ROOT, Call, Endpoint
from .questions import ListEntries

_MAKE = b"api entries 1"


class Entries:
    """The endpoints below `/entries`."""

    def __init__(self, runtime: Runtime, site: Site) -> None:
        self._store = runtime.store
        self._composer = runtime.composer
        self._site = site

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What can be asked."""
        return (
            Endpoint(
                name="listEntries",
                method="GET",
                path="/entries",
                about="entries",
                handler=self.list,
                query=ListEntries,
                answers={200: models.EntryPage},
                problems=(404,),
                conditional=True,
                costly=lambda query: bool(query.q),
            ),
            Endpoint(
                name="getEntry",
                method="GET",
                path="/entries/{key}",
                about="entries",
                handler=self.one,
                answers={200: models.Entry},
                problems=(404, 410),
                conditional=True,
            ),
            Endpoint(
                name="getRevisions",
                method="GET",
                path="/entries/{key}/revisions",
                about="entries",
                handler=self.revisions,
                answers={200: models.Revisions},
                problems=(404, 410),
                conditional=True,
            ),
            Endpoint(
                name="getRelated",
                method="GET",
                path="/entries/{key}/related",
                about="entries",
                handler=self.related,
                answers={200: models.RelatedEntries},
                problems=(404, 410),
                conditional=True,
            ),
        )

    def list(self, call: Call) -> Representation:
        """Lists entries, the newest first, or those that a query finds.

        Goes on with `before=` the `next` of the page before: no entry comes twice or is left out
        while others arrive. A query counts against the rate limit.
        """
        asked: ListEntries = call.query
        options = self._composer.options(
            {
                "limit": str(asked.limit) if asked.limit else "",
                "before": asked.before or "",
                "content": asked.content,
                "dupes": asked.dupes,
            }
        )
        request = self._composer.query(asked.q, options)
        head = replies.paged(lambda: self._composer.head(request))

        def render() -> Rendered:
            page = self._composer.page(request)
            marks = tuple((one.entry.key, one.fingerprint) for one in page.entries)
            # a commit may have come since: the entity tag is that of what is told
            told = replace(head, marks=marks, next=page.next)
            older = self._composer.turned(request, page.next) if page.next else None
            record = models.EntryPage(
                q=canonical(request.query),
                entries=tuple(self._shown(one, request) for one in page.entries),
                next=page.next,
                next_url=self._address(older) if older else None,
            )
            return Rendered(body=replies.write(record), etag=self._etag(request, told))

        return Representation(
            media_type=JSON_TYPE,
            render=render,
            cache=replies.CACHE,
            etag=self._etag(request, head),
        )

    def one(self, call: Call) -> Representation:
        """Tells all of one entry; 410 once its publisher has withdrawn it."""
        stored = self._live(call.values)
        return replies.reading(lambda: self._entry(stored))

    def revisions(self, call: Call) -> Representation:
        """Tells what an entry was before its content changed, as far back as is kept."""
        stored = self._live(call.values)
        past = self._store.revisions(stored.entry.key)
        return replies.reading(
            lambda: models.Revisions(stored.entry.key, tuple(map(_revision, past)))
        )

    def related(self, call: Call) -> Representation:
        """Tells what an entry is linked to, how sure that is and why.

        What its publisher named comes first.
        """
        stored = self._live(call.values)
        return replies.reading(
            lambda: models.RelatedEntries(
                key=stored.entry.key,
                related=tuple(map(self._related, stored.related)),
                unresolved=stored.unresolved,
            )
        )

    def _live(self, values: Mapping[str, str]) -> StoredEntry:
        key = values["key"]
        if parse_key(key) is None:
            raise NotFound(f"There is no entry {key!r}; keys are those that {ROOT}/entries tells.")
        stored = self._store.entry(key)
        if stored.withdrawn is not None:
            raise Gone(f"This entry was withdrawn on {stored.withdrawn:%-d %B %Y}.")
        return stored

    def _etag(self, request: FeedRequest, head: Head) -> str:
        return digest(_MAKE, self._composer.etag(request, "json", head).encode())

    def _address(self, request: FeedRequest) -> str:
        q = canonical(request.query) or None
        return self._site.absolute(f"{ROOT}/entries", **{"q": q, **dict(request.params)})

    def _shown(self, stored: StoredEntry, request: FeedRequest) -> models.Entry:
        """An entry as the options of a list show it."""
        entry, options = stored.entry, request.options
        if options.content != "full":
            summary = entry.summary if options.content == "summary" else None
            entry = replace(entry, content=None, summary=summary)
        copies = () if options.dupes == "keep" else stored.duplicates
        return self._entry(replace(stored, entry=entry, duplicates=copies))

    def _entry(self, stored: StoredEntry) -> models.Entry:
        entry = stored.entry
        return models.Entry(
            key=entry.key,
            id=entry.id,
            url=self._composer.entry_url(entry.key),
            link=entry.link,
            title=entry.title,
            published=entry.published,
            updated=entry.updated,
            dated=entry.dated,
            source=models.Origin(entry.source_id, stored.source_title or entry.source_id),
            authors=_people(entry.authors),
            contributors=_people(entry.contributors),
            tags=tuple(
                models.EntryTag(tag.slug, tag.label, tag.origin, tag.evidence) for tag in entry.tags
            ),
            summary=_text(entry.summary),
            content=_text(entry.content),
            credit=entry.credit,
            rights=entry.rights,
            language=entry.lang,
            files=tuple(
                models.File(link.href, link.type, link.title, link.length, link.duration)
                for link in entry.links
                if link.rel == "enclosure"
            ),
            duplicates=tuple(map(_copy, stored.duplicates)),
        )

    def _related(self, one: Related) -> models.RelatedEntry:
        return models.RelatedEntry(
            key=one.key,
            id=one.id,
            url=self._composer.entry_url(one.key),
            link=one.link,
            title=one.title,
            published=one.published,
            kind=one.kind,
            score=round(one.score, 3),
            reason=one.reason,
            reference=one.reference,
        )


def _revision(past: StoredRevision) -> models.Revision:
    entry = past.entry
    return models.Revision(
        at=past.at,
        whole=past.whole,
        title=entry.title,
        link=entry.link,
        summary=_text(entry.summary),
        content=_text(entry.content),
        authors=_people(entry.authors),
    )


def _people(persons: tuple[Person, ...]) -> tuple[models.Person, ...]:
    return tuple(models.Person(one.name, one.email, one.uri) for one in persons)


def _text(text: Text | None) -> models.Text | None:
    return None if text is None else models.Text(text.value, text.type)


def _copy(one: Duplicate) -> models.Copy:
    source = models.Origin(one.source_id, one.source_title)
    return models.Copy(one.key, one.id, one.title, one.link, source)
