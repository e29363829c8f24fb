"""Sources over the JSON API: reading what is polled, and writing it with the admin token.

Writing goes the way the command line goes (`subscribe`). A source that the configuration declares
is changed there and nowhere else.
"""

import re
from dataclasses import replace
from datetime import timedelta

import msgspec

from ... import subscribe
from ...config import duration
from ...errors import (
    ConfigError,
    FetchError,
    QueryError,
    SourceError,
    StoreError,
    StoreUnavailable,
)
from ...model import Source, slugify
from ...query import parse
from ...runtime import Runtime
from ..errors import HttpError, place_of
from ..message import Answer
from ..respond import Representation, digest
from ..site import Site
from . import models, replies
from .asking import invalid
from .endpoint import ROOT, Call, Endpoint
from .questions import AddSource, ChangeSource, ListSources, RemoveSource
from .showing import Showing, version

_TRIES = 5
_STRONG = re.compile(r'(?<!W/)"([^"]*)"')


class Sources:
    """The endpoints below `/sources`."""

    def __init__(self, runtime: Runtime, site: Site) -> None:
        self._runtime = runtime
        self._store = runtime.store
        self._site = site
        self._showing = Showing(site)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What can be asked."""
        return (
            Endpoint(
                name="listSources",
                method="GET",
                path="/sources",
                about="sources",
                handler=self.list,
                query=ListSources,
                answers={200: models.SourcePage},
                conditional=True,
            ),
            Endpoint(
                name="addSource",
                method="POST",
                path="/sources",
                about="sources",
                handler=self.add,
                body=AddSource,
                answers={201: models.AddedSource},
                problems=(409, 422),
                admin=True,
                costly=lambda query: True,
            ),
            Endpoint(
                name="getSource",
                method="GET",
                path="/sources/{id}",
                about="sources",
                handler=self.one,
                answers={200: models.Source},
                problems=(404,),
                conditional=True,
            ),
            Endpoint(
                name="changeSource",
                method="PATCH",
                path="/sources/{id}",
                about="sources",
                handler=self.change,
                body=ChangeSource,
                answers={200: models.Source},
                problems=(404, 409, 412),
                admin=True,
            ),
            Endpoint(
                name="removeSource",
                method="DELETE",
                path="/sources/{id}",
                about="sources",
                handler=self.remove,
                query=RemoveSource,
                answers={204: None},
                problems=(404, 409, 412),
                admin=True,
            ),
            Endpoint(
                name="getHistory",
                method="GET",
                path="/sources/{id}/history",
                about="sources",
                handler=self.history,
                answers={200: models.History},
                problems=(404,),
                conditional=True,
            ),
            Endpoint(
                name="pollSource",
                method="POST",
                path="/sources/{id}/poll",
                about="sources",
                handler=self.poll,
                answers={202: models.Source},
                problems=(404, 409),
                admin=True,
                costly=lambda query: True,
            ),
        )

    # -- reading ---------------------------------------------------------------------------
    def list(self, call: Call) -> Representation:
        """Lists sources by id, with how they are.

        Goes on with `after=` the `next` of the page before.
        """
        asked: ListSources = call.query
        found = self._store.source_page(
            limit=asked.limit + 1, after=asked.after or None, troubled=asked.state == "trouble"
        )
        counts = self._store.source_counts()
        page = found[: asked.limit]
        following = page[-1].source.id if len(found) > len(page) else None
        next_url = None
        if following is not None:
            state = asked.state if asked.state != "all" else None
            next_url = self._site.absolute(
                f"{ROOT}/sources", limit=str(asked.limit), after=following, state=state
            )
        return replies.reading(
            lambda: models.SourcePage(
                sources=tuple(map(self._showing.source, page)),
                next=following,
                next_url=next_url,
                total=counts.all,
                troubled=counts.troubled,
            )
        )

    def one(self, call: Call) -> Representation:
        """Tells all of one source.

        Its ETag begins with the version of its settings, so that `If-Match` guards a change of them
        and minds no poll that came between.
        """
        status = self._store.source(call.values["id"])
        record = self._showing.source(status)
        return replies.reading(lambda: record, etag=_etag(status.source, record))

    def history(self, call: Call) -> Representation:
        """Tells how the last polls of a source ended, the newest first."""
        status = self._store.source(call.values["id"])
        return replies.reading(lambda: self._showing.history(status))

    # -- writing ---------------------------------------------------------------------------
    def add(self, call: Call) -> Answer:
        """Adds a feed; the address of a web page leads to the feed that it names.

        It is read before it is added, and that is its first poll: this takes as long as its server
        does. One that is busy for the moment (429, 5xx, a timeout) is added and asked again later.
        Directories are added in the configuration or on the command line alone. Counts against the
        rate limit.
        """
        asked: AddSource = call.body
        location = asked.location.strip()
        if not subscribe.is_url(location):
            raise invalid(
                "location",
                "only http and https addresses are added over HTTP; a directory is added in the "
                "configuration ([[sources]]) or by `feedsvc source add`",
            )
        try:
            added = subscribe.add(
                self._runtime,
                location,
                title=_title(asked.title),
                tags=_tags(asked.tags),
                interval=_interval(asked.interval),
                fulltext=asked.fulltext,
                force=asked.force,
            )
        except (subscribe.AlreadyKnown, SourceError, ConfigError, StoreError) as error:
            raise _refused(error) from error
        status = self._store.source(added.source.id)
        record = models.AddedSource(
            source=self._showing.source(status), entries=added.entries, error=added.error
        )
        place = self._site.absolute(f"{ROOT}/sources/{added.source.id}")
        return replies.written(201, record, headers=(("Location", place),))

    def change(self, call: Call) -> Answer:
        """Changes the settings of a source that is kept in the store.

        `If-Match` with an ETag of the source makes sure that nobody else changed them meanwhile
        (412). New tags, `keep` and `drop` hold for what arrives from now on, and `feedsvc retag`
        gives tags to what is there.
        """
        asked: ChangeSource = call.body
        for _ in range(_TRIES):
            before = self._store.source(call.values["id"]).source
            # what cannot be done at all comes before what may not be done now (RFC 9110 §13.2.1)
            after = _changed(before, asked)
            _permit(call, before)
            if self._store.change_source(before, after, self._runtime.clock()):
                status = self._store.source(before.id)
                record = self._showing.source(status)
                etag = ("ETag", _etag(status.source, record))
                return replies.written(200, record, headers=(etag,))
        raise HttpError(409, "Others keep changing this source at the same time; try it again.")

    def remove(self, call: Call) -> Answer:
        """Stops polling a source that is kept in the store; with `purge` its entries go too."""
        asked: RemoveSource = call.query
        source = self._store.source(call.values["id"]).source
        _permit(call, source)
        self._store.remove_source(source.id, purge=asked.purge, now=self._runtime.clock())
        return replies.written(204)

    def poll(self, call: Call) -> Answer:
        """Makes a source due at once, one that was gone for good (410) as well.

        A running poller takes it within seconds; what its server asked for (Retry-After) holds all
        the same, and `next_at` tells it. Counts against the rate limit.
        """
        id = call.values["id"]
        self._store.reenable(id)
        if not self._store.source(id).source.enabled:
            raise HttpError(409, f"Source {id!r} is disabled; enable it before it can be polled.")
        self._store.hasten(id, self._runtime.clock())
        return replies.written(202, self._showing.source(self._store.source(id)))


def _permit(call: Call, source: Source) -> None:
    """Refuses to change a source that is not ours, or is not as it was read.

    Raises `HttpError` (409, 412).
    """
    if source.origin == "config":
        raise HttpError(
            409,
            f"Source {source.id!r} is declared in the configuration: change it there, or it "
            "would come back as it is declared.",
        )
    wanted = call.ask.header("if-match")
    if wanted is not None and wanted.strip() != "*":
        versions = {tag.partition(".")[0] for tag in _STRONG.findall(wanted)}
        if version(source) not in versions:
            raise HttpError(
                412, "The source was changed since it was read: read it again, then change it."
            )


def _etag(source: Source, record: models.Source) -> str:
    rest = digest(replies.write(record)).strip('"')
    return f'"{version(source)}.{rest}"'


def _refused(error: Exception) -> Exception:
    """What could not be added, as a problem."""
    detail = str(error)
    match error:
        case subscribe.AlreadyKnown():
            return HttpError(409, f"{detail}.", members={"id": error.id})
        case subscribe.SeveralFeeds():
            feeds = [{"url": url, "title": title} for url, title in error.feeds]
            return HttpError(422, detail, members={"feeds": feeds})
        case FetchError():
            return HttpError(422, detail, members={"fault": error.fault, "answered": error.status})
        case SourceError():
            return HttpError(422, detail, members={"fault": error.fault})
        case ConfigError():
            return invalid("location", detail)
        case StoreError() if not isinstance(error, StoreUnavailable):
            # somebody else added it while we looked
            return HttpError(409, detail)
    return error


def _changed(before: Source, asked: ChangeSource) -> Source:
    after = before
    if asked.title is not msgspec.UNSET:
        after = replace(after, title=_title(asked.title))
    if asked.tags is not msgspec.UNSET:
        after = replace(after, tags=_tags(asked.tags))
    if asked.interval is not msgspec.UNSET:
        after = replace(after, interval=_interval(asked.interval))
    if asked.enabled is not msgspec.UNSET:
        after = replace(after, enabled=asked.enabled)
    if asked.fulltext is not msgspec.UNSET:
        if asked.fulltext and before.kind == "directory":
            raise invalid("fulltext", "a directory has no pages to read")
        after = replace(after, fulltext=asked.fulltext)
    if asked.max_entries is not msgspec.UNSET:
        after = replace(after, max_entries=asked.max_entries)
    if asked.keep is not msgspec.UNSET:
        after = replace(after, keep=_filter("keep", asked.keep))
    if asked.drop is not msgspec.UNSET:
        after = replace(after, drop=_filter("drop", asked.drop))
    return after


def _title(title: str | None) -> str | None:
    """A title on one line, None where nothing of it can be seen."""
    shown = "".join(c if c.isprintable() else " " for c in title or "")
    return " ".join(shown.split()) or None


def _interval(written: str | None) -> timedelta | None:
    return duration(written) if written else None


def _tags(tags: list[str]) -> tuple[str, ...]:
    slugs = []
    for number, tag in enumerate(tags):
        slugs.append(slugify(tag))
        if not slugs[-1]:
            raise invalid(f"tags[{number}]", "a tag has at least one letter or digit")
    return tuple(dict.fromkeys(slugs))


def _filter(name: str, written: str | None) -> str | None:
    if written is None or not written.strip():
        return None
    try:
        parse(written)
    except QueryError as error:
        raise invalid(name, str(error), place_of(error)) from error
    return written
