"""What can be asked for: a page of a feed in canonical form, and the catalogue of all feeds."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, cast, get_args

from ..config import Config
from ..errors import NotFound, OptionError
from ..model import slugify
from ..months import month_of, month_text, read_month
from ..query import MAX_TERMS, canonical, normalise, parse
from ..query.ast import And, EntryQuery, FromSource, Node, Not, Or, Tagged
from ..store.base import Store
from ..store.cursor import reaches

Content = Literal["full", "summary", "none"]
Dupes = Literal["collapse", "keep"]

MAX_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every feed can be asked: entries a page, the cursor to go on from, how much of each.

    `below`, of archives, is the cursor of where the subscription document ends that led to them.
    """

    limit: int
    before: str | None = None
    below: str | None = None
    content: Content = "full"
    dupes: Dupes = "collapse"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """One page of one feed, in canonical form: equal requests are equal records.

    `path` is without suffix and not percent-encoded (`feeds/tags/a,b`); with `params`, in their
    fixed order, it is the feed's address and that of the web page with the same entries. `month`
    (`months`) makes it an archive document (RFC 5005 §4) of the feed at `feed`. With `stories` it
    is the feed of these, and the query asks for nothing.
    """

    path: str
    feed: str
    params: tuple[tuple[str, str], ...]
    title: str
    query: EntryQuery
    options: Options
    description: str | None = None
    month: int | None = None
    stories: bool = False


class Catalogue:
    """Every feed there is, by what it is asked for; makes requests, reads no entries."""

    def __init__(self, *, store: Store, config: Config, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._now = clock
        self._config = config
        self._aliases = {slugify(old): slugify(new) for old, new in config.tags.aliases.items()}

    def options(self, arguments: Mapping[str, str]) -> Options:
        """Reads `limit`, `before`, `content` and `dupes` of a URL's query.

        Raises `OptionError` that names the option and what it may be.
        """
        limit = arguments.get("limit") or str(self._config.site.page_size)
        # nine digits are enough, and more would only be there to get past the check
        if not re.fullmatch("[0-9]{1,9}", limit) or not 1 <= int(limit) <= MAX_LIMIT:
            raise OptionError(f"limit is a whole number from 1 to {MAX_LIMIT}", option="limit")
        return Options(
            limit=int(limit),
            before=arguments.get("before") or None,
            content=cast("Content", _choice(arguments, "content", get_args(Content))),
            dupes=cast("Dupes", _choice(arguments, "dupes", get_args(Dupes))),
        )

    def all(self, options: Options | None = None) -> FeedRequest:
        """Everything."""
        site = self._config.site
        return self._request("feeds/all", site.title, EntryQuery(), options, site.subtitle)

    def stories(self, options: Options | None = None) -> FeedRequest:
        """One entry a story. Raises `NotFound` where entries are not gathered."""
        self.gathers()
        title = f"{self._config.site.title}: stories"
        told = "Events, each with the entries that report it"
        made = self._request("feeds/stories", title, EntryQuery(), options, told)
        return replace(made, stories=True)

    def gathers(self) -> None:
        """Raises `NotFound` where entries are not gathered into stories."""
        related = self._config.related
        if not related.gathers:
            why = "stories is false" if related.max else "max is 0"
            raise NotFound(f"There are no stories: related.{why}")

    def tags(self, slugs: Iterable[str], options: Options | None = None) -> FeedRequest:
        """Entries with all these tags, whatever their case, order or alias.

        A tag that no entry has gives an empty feed. Raises `NotFound` when none of them can
        be a tag, `OptionError` when they are too many or some are to be left out.
        """
        slugs = list(slugs)
        if unwanted := [slug for slug in slugs if slug.strip()[:1] in ("-", "!") and slugify(slug)]:
            raise OptionError(
                "A tag feed has entries with all of its tags; to leave some out, ask"
                f" /feeds/query?q=-tag:{slugify(unwanted[0])}",
                option="tags",
            )
        wanted = sorted({self._alias(slug) for slug in map(slugify, slugs) if slug})
        if not wanted:
            raise NotFound("A tag has at least one letter or digit, as in /feeds/tags/diplomacy")
        if len(wanted) > MAX_TERMS:
            raise OptionError(f"A feed has at most {MAX_TERMS} tags", option="tags")
        where: Node = And(tuple(map(Tagged, wanted))) if len(wanted) > 1 else Tagged(wanted[0])
        names = [slug.replace("-", " ") for slug in wanted]
        return self._request(
            f"feeds/tags/{','.join(wanted)}",
            f"{self._config.site.title}: {', '.join(names)}",
            EntryQuery(where),
            options,
            f"Entries tagged {' and '.join(names)}",
        )

    def source(self, id: str, options: Options | None = None) -> FeedRequest:
        """Entries of one source, removed ones included that left entries. Raises `NotFound`."""
        query = EntryQuery(FromSource(id))
        try:
            status = self._store.source(id)
        except NotFound:
            left = self._store.find(query, limit=1, now=self._now()).entries
            if not left:
                raise
            name = left[0].source_title
        else:
            told = status.meta.title if status.meta else None
            name = status.source.title or told or id
        title = f"{self._config.site.title}: {name}"
        return self._request(f"feeds/sources/{id}", title, query, options, f"Entries from {name}")

    def named(self, name: str, options: Options | None = None) -> FeedRequest:
        """A feed of the configuration's `[[feeds]]`. Raises `NotFound`."""
        for feed in self._config.feeds:
            if feed.name == name:
                query = self._aliased(parse(feed.q))
                told = f"Entries matching {canonical(query)}"
                return self._request(f"feeds/{name}", feed.title or name, query, options, told)
        raise NotFound(f"There is no feed named {name!r}; feeds are declared as [[feeds]]")

    def query(self, text: str, options: Options | None = None) -> FeedRequest:
        """Entries matching a query; one for everything is `all`, one for tags alone is theirs.

        Raises `QueryError`.
        """
        query = self._aliased(parse(text))
        normal = canonical(query)
        if not normal:
            return self.all(options)
        terms = query.where.terms if isinstance(query.where, And) else (query.where,)
        slugs = [term.slug for term in terms if isinstance(term, Tagged)]
        if query.sort == "published" and len(slugs) == len(terms):
            return self.tags(slugs, options)
        title = f"{self._config.site.title}: {normal}"
        told = f"Entries matching {normal}"
        return self._request("feeds/query", title, query, options, told, (("q", normal),))

    def archived(
        self, request: FeedRequest, month: str, arguments: Mapping[str, str]
    ) -> FeedRequest:
        """The archive document of a feed for a month written `2025-04`.

        Reads `below` of a URL's query, and whether it has a `limit`. Raises `OptionError` for what
        is no month or no cursor, `NotFound` for a month that is yet to come.
        """
        if request.stories:
            raise NotFound("Stories have no archives: they grow; each keeps its page")
        number = read_month(month)
        if number is None:
            raise OptionError("a month is written as in archive/2025-04", option="archive")
        if number > month_of(self._now()):
            raise NotFound(f"The month {month} is yet to come; {request.feed} has no archive of it")
        options = replace(request.options, below=arguments.get("below") or None)
        if not arguments.get("limit"):
            options = replace(options, limit=MAX_LIMIT)
        return self._paged(request, options, number)

    def _request(
        self,
        path: str,
        title: str,
        query: EntryQuery,
        options: Options | None,
        description: str | None,
        params: tuple[tuple[str, str], ...] = (),
        month: int | None = None,
    ) -> FeedRequest:
        plain = Options(limit=self._config.site.page_size if month is None else MAX_LIMIT)
        options = options or plain
        if options.below and month is not None and not reaches(options.below, month):
            options = replace(options, below=None)
        given = [
            (name, str(getattr(options, name)))
            for name in ("limit", "before", "below", "dupes", "content")
            if getattr(options, name) != getattr(plain, name)
        ]
        return FeedRequest(
            path=path if month is None else f"{path}/archive/{month_text(month)}",
            feed=path,
            params=(*params, *given),
            title=title,
            query=query,
            options=options,
            description=description,
            month=month,
        )

    def _alias(self, slug: str) -> str:
        return self._aliases.get(slug, slug)

    def _aliased(self, query: EntryQuery) -> EntryQuery:
        """Entries carry the tags that aliases lead to, so a query has to ask for those."""

        def follow(node: Node) -> Node:
            match node:
                case Tagged(slug):
                    return Tagged(self._alias(slug))
                case Not(term):
                    return Not(follow(term))
                case And(terms):
                    return And(tuple(map(follow, terms)))
                case Or(terms):
                    return Or(tuple(map(follow, terms)))
                case _:
                    return node

        if not self._aliases or query.where is None:
            return query
        return normalise(replace(query, where=follow(query.where)))

    def turned(self, request: FeedRequest, before: str | None) -> FeedRequest:
        """Another page of the same feed: the one after a cursor, or with None the first."""
        return self._paged(request, replace(request.options, before=before), request.month)

    def current(self, request: FeedRequest) -> FeedRequest:
        """The subscription document (RFC 5005 §4) of the feed that an archive document is of."""
        options = replace(request.options, before=None, below=None)
        if request.options.limit == MAX_LIMIT:
            options = replace(options, limit=self._config.site.page_size)
        return self._paged(request, options, None)

    def turned_to(self, request: FeedRequest, month: int, below: str | None) -> FeedRequest:
        """The archive document for a month, without what has been shown up to a cursor."""
        options = replace(request.options, before=None, below=below)
        if request.month is None and options.limit == self._config.site.page_size:
            options = replace(options, limit=MAX_LIMIT)
        return self._paged(request, options, month)

    def _paged(self, request: FeedRequest, options: Options, month: int | None) -> FeedRequest:
        own = tuple(pair for pair in request.params if pair[0] == "q")
        title, told = request.title, request.description
        made = self._request(request.feed, title, request.query, options, told, own, month)
        return replace(made, stories=request.stories)


def _choice(arguments: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = arguments.get(name) or choices[0]
    if value not in choices:
        raise OptionError(f"{name} is one of {', '.join(choices)}", option=name)
    return value
