"""The web pages: lists of entries, one entry, tags, sources, search. HTML without scripts.

A list is the page of a feed: it shows what the feed of the same address holds, and its validators
are those of the feed and of the templates. What the words on a page are is decided in `views`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..compose import FeedRequest, Options
from ..errors import NotFound, QueryError, QueryTooCostly
from ..keys import parse_key
from ..model import StoredEntry
from ..months import start_of
from ..query import canonical
from ..runtime import Runtime
from ..store.base import Head, Page
from ..suggest import suggestions
from . import views
from .changes import changes
from .errors import BadRequest, Gone, Moved
from .message import Ask
from .respond import HTML_TYPE, Rendered, Representation, digest, whole
from .security import PAGE_POLICY
from .site import Site
from .templating import Templates
from .watch import lasts

_HOME_TAGS = 16
_ALL_TAGS = 2000

_EXAMPLES = (
    ("istanbul embassy", "Both words, in title, summary or text, whatever their case or accents."),
    ('"embassy operations"', "These words next to each other."),
    ("title:istanbul", "In the title. author: looks for who wrote it."),
    ("tag:russia tag:diplomacy -tag:sports", "Both tags, but not the third."),
    ("tag:energy OR tag:climate", "Either of them. Brackets group."),
    ("source:seeds kind:directory", "From one source, or from sources of one kind."),
    ("since:7d lang:en", "Of the last seven days, in English. Dates are written 2025-04-01."),
    ("has:enclosure", "With a file; also link, author, related, credit."),
    ("sort:updated", "Last changed first; also published, relevance."),
)


@dataclass(frozen=True, slots=True)
class _Listing:
    """A list page: its template, where it lives, and what stands beside the entries."""

    template: str
    path: str
    context: dict[str, object]


class Pages:
    """Describes every page; nothing is rendered until it is known to be needed."""

    def __init__(self, runtime: Runtime, templates: Templates, site: Site, cache: str) -> None:
        self._runtime = runtime
        self._store = runtime.store
        self._composer = runtime.composer
        self._templates = templates
        self._site = site
        self._cache = cache

    # -- lists -----------------------------------------------------------------------------
    def home(self, ask: Ask) -> Representation:
        """The newest entries of all, the tags most used, the feeds there are."""
        request = self._composer.all(self._options(ask))
        tags = self._store.tags(limit=_HOME_TAGS)
        named = [
            {"name": feed.name, "title": feed.title or feed.name}
            for feed in self._runtime.config.feeds
        ]
        context: dict[str, object] = {"here": "/", "tags": tags, "named": named}
        return self._list(request, _Listing("home.html", "/", context))

    def tag(self, slugs: str, ask: Ask) -> Representation:
        """Entries with a tag, or with several. Raises `Moved` for another spelling of them."""
        request = self._composer.tags(slugs.split(","), self._options(ask))
        path = "/" + request.path.removeprefix("feeds/")
        page = self._list(
            request, _Listing("feed.html", path, {"beside": self._store.beside(slugs)})
        )
        if path == f"/tags/{slugs}":
            return page
        if ask.token is None:
            raise Moved(self._site.link(path) + (f"?{ask.query}" if ask.query else ""))
        # one who came with a token is not sent where it would be missing
        return replace(page, lasts=None)

    def feed(self, request: FeedRequest) -> Representation:
        """The page of any feed."""
        listing = _Listing("feed.html", f"/{request.path}", {"beside": ()})
        return replace(self._list(request, listing, dated=True), vary=("Accept",))

    def search(self, ask: Ask) -> Representation:
        """What a query finds, or where it cannot be read, or what can be asked."""
        q = ask.arguments.get("q", "").strip()
        options = self._options(ask)
        context: dict[str, object] = {"here": "/search", "q": q, "problem": None}
        nothing: dict[str, object] = {"path": None, "older": None, "examples": _EXAMPLES}
        if not q:
            return self._page("search.html", {**context, **nothing})
        try:
            request = self._composer.query(q, options)
        except QueryError as error:
            problem = {"message": str(error), "pointer": error.pointer()}
            return self._page("search.html", {**context, **nothing, "problem": problem}, status=400)
        asked = canonical(request.query) or "everything"
        listing = _Listing("search.html", "/search", {**context, "asked": asked})
        try:
            return self._list(request, listing, q=q)
        except QueryTooCostly as error:
            problem = {"message": str(error), "pointer": ""}
            return self._page("search.html", {**context, **nothing, "problem": problem}, status=503)

    def _options(self, ask: Ask) -> Options:
        return self._composer.options(ask.arguments)

    def _list(
        self,
        request: FeedRequest,
        listing: _Listing,
        *,
        q: str | None = None,
        dated: bool = False,
    ) -> Representation:
        head = self._composer.head(request)
        meant = () if head.marks else suggestions(self._store, request.query)
        extra = repr((listing.template, listing.path, listing.context, meant)).encode()

        def etag(head: Head) -> str:
            feed = self._composer.etag(request, "html", head)
            return digest(self._templates.digest, extra, feed.encode())

        def render() -> Rendered:
            page = self._composer.page(request)
            marks = tuple((one.entry.key, one.fingerprint) for one in page.entries)
            # a commit may have come since: the entity tag is that of what is shown
            shown = replace(head, marks=marks, next=page.next)
            body = self._templates.render(
                listing.template, **self._context(request, listing, page, q=q), meant=meant
            )
            return Rendered(body=body, etag=etag(shown), last_modified=modified)

        modified = self._composer.last_modified(head) if dated else None
        html = self._html(render, etag=etag(head))
        return replace(html, last_modified=modified, lasts=lasts(request.query))

    def _context(
        self, request: FeedRequest, listing: _Listing, page: Page, *, q: str | None
    ) -> dict[str, object]:
        keep = request.options.dupes == "keep"
        items = [views.card(one, alone=keep) for one in page.entries]
        first = self._composer.turned(request, None)

        def turn(request: FeedRequest) -> str:
            arguments = dict(request.params) if q is None else {**dict(request.params), "q": q}
            return self._site.link(listing.path, **arguments)

        older = self._composer.turned(request, page.next) if page.next else None
        feed = self._site.address(self._composer.url(first))
        path, mark, query = feed.partition("?")
        return {
            "title": self._title(request, items),
            "items": items,
            "path": path,
            "query": mark + query,
            "canonical": self._composer.url(request),
            "before": request.options.before,
            "older": turn(older) if older else None,
            "newest": turn(first) if request.options.before else None,
            **listing.context,
        }

    def _title(self, request: FeedRequest, items: list[views.Card]) -> str:
        """A feed's title as a heading below the site's own; tags as people write them."""
        site = self._runtime.config.site.title
        if request.month is not None:
            live = self._composer.current(request)
            return f"{self._title(live, items)}, {start_of(request.month):%B %Y}"
        if request.path.startswith("feeds/tags/"):
            labels = {tag.slug: tag.label for item in items for tag in item.tags}
            slugs = request.path.removeprefix("feeds/tags/").split(",")
            return ", ".join(labels.get(slug, slug.replace("-", " ")) for slug in slugs)
        if request.path == "feeds/all":
            return "Everything"
        return request.title.removeprefix(f"{site}: ")

    # -- the rest --------------------------------------------------------------------------
    def tags(self) -> Representation:
        """All tags, the most used first."""
        tags = self._store.tags(limit=_ALL_TAGS)
        example = ",".join(sorted(tag.slug for tag in tags[:2]))
        return self._page("tags.html", {"here": "/tags", "tags": tags, "example": example})

    def sources(self, ask: Ask) -> Representation:
        """What is polled, how that goes, and what to do where it does not; by id, page by page."""
        after = ask.arguments.get("after") or None
        state = _choice(ask, "state", ("all", "trouble"))
        most = self._options(ask).limit
        found = self._store.source_page(limit=most + 1, after=after, troubled=state == "trouble")
        page, more = found[:most], len(found) > most
        unread = self._store.page_troubles([status.source.id for status in page])
        counts = self._store.source_counts()
        given = {"limit": ask.arguments.get("limit"), "state": ask.arguments.get("state")}
        following = self._site.link("/sources", after=page[-1].source.id, **given) if more else None
        context = {
            "here": "/sources",
            "sources": [views.source(status, unread.get(status.source.id)) for status in page],
            "counts": counts,
            "state": state,
            "more": following,
            "first": self._site.link("/sources", **given) if after else None,
        }
        return self._page("sources.html", context)

    def source(self, id: str) -> Representation:
        """One source with the history of its polls. Raises `NotFound`."""
        unread = self._store.page_troubles([id])
        source = views.source(self._store.source(id), unread.get(id))
        return self._page("source.html", {"here": "/sources", "source": source})

    def entry(self, key: str) -> Representation:
        """One entry, whole. Raises `NotFound`, and `Gone` if it has been withdrawn."""
        stored = self._live(key)
        entry = stored.entry
        versions, changed = self._store.changes(key)
        shown = self._composer.entry(stored, self._composer.options({}))
        story = self._store.story_of(key) if self._runtime.config.related.gathers else None
        context = {
            "item": views.card(stored),
            "canonical": self._composer.entry_url(key),
            "summary": views.lead(entry),
            "content": views.body(entry.content),
            "credit": entry.credit,
            "rights": entry.rights,
            "enclosures": views.enclosures(entry),
            "tags": views.tag_reasons(entry),
            "story": story.key if story else None,
            "covered": views.covered(story, stored) if story else (),
            "related": shown.related,
            "unresolved": stored.unresolved,
            "versions": versions,
            "changed": changed,
        }
        return self._page("entry.html", context)

    def revisions(self, key: str) -> Representation:
        """What changed of an entry and when. Raises `NotFound`, and `Gone` if it is withdrawn."""
        stored = self._live(key)
        found = changes(stored.entry, self._store.revisions(key))
        return self._page("revisions.html", {"item": views.card(stored), "changes": found})

    def _live(self, key: str) -> StoredEntry:
        if parse_key(key) is None:
            raise NotFound(f"There is no entry {key!r}.")
        stored = self._store.entry(key)
        if stored.withdrawn is not None:
            raise Gone(f"This entry was withdrawn on {stored.withdrawn:%-d %B %Y}.")
        return stored

    def _page(
        self, template: str, context: dict[str, object], *, status: int = 200
    ) -> Representation:
        def render() -> Rendered:
            return whole(self._templates.render(template, **context))

        return self._html(render, status=status)

    def _html(
        self, render: Callable[[], Rendered], *, etag: str | None = None, status: int = 200
    ) -> Representation:
        return Representation(
            media_type=HTML_TYPE,
            render=render,
            etag=etag,
            cache=self._cache,
            headers=(("Content-Security-Policy", PAGE_POLICY),),
            status=status,
        )


def _choice(ask: Ask, name: str, choices: tuple[str, ...]) -> str:
    value = ask.arguments.get(name) or choices[0]
    if value not in choices:
        raise BadRequest(f"{name} is one of {', '.join(choices)}.")
    return value
