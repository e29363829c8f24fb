"""What operators and programs ask: alive, ready, metrics, and the lists of sources and feeds."""

import json
from collections.abc import Iterable

from .. import opml
from ..compose import FeedRequest
from ..errors import FeedsvcError
from ..log import get_logger, mask
from ..metrics import expose
from ..opml import Subscription
from ..runtime import Runtime
from ..store.base import SourceStatus
from .message import Answer, Headers
from .respond import JSON_TYPE, SECURITY_HEADERS, Representation, whole

OPML_TYPE = "text/x-opml; charset=utf-8"

_FEED_TAGS = 500

log = get_logger(__name__)


class Ops:
    """Answers that are about the service rather than about entries."""

    def __init__(self, runtime: Runtime, cache: str) -> None:
        self._runtime = runtime
        self._store = runtime.store
        self._composer = runtime.composer
        self._cache = cache

    # -- health ----------------------------------------------------------------------------
    def health(self) -> Answer:
        """The process answers. No more is looked at: a restart would not mend a database."""
        return _json(200, {"status": "ok"})

    def ready(self) -> Answer:
        """Whether requests can be served well: store, schema, poller. 503 names what is not."""
        checks: dict[str, dict[str, object]] = {}
        try:
            self._store.change()
            checks["store"] = _check(True)
            current = self._store.schema_current()
            checks["schema"] = _check(
                current, problem="run `feedsvc store migrate` with the version that serves"
            )
            if current:
                checks["poller"] = self._poller()
        except FeedsvcError as error:
            log.warning("not ready", error=str(error))
            name = "store" if "store" not in checks else "schema"
            checks[name] = _check(False, problem="the database cannot be reached")
        ready = all(check["ok"] for check in checks.values())
        return _json(
            200 if ready else 503, {"status": "ok" if ready else "failing", "checks": checks}
        )

    def _poller(self) -> dict[str, object]:
        now, config = self._runtime.clock(), self._runtime.config
        lag, idle = self._store.lag(now), self._store.lag(now, idle=True)
        patience = config.web.ready_lag
        # a round of polling many sources takes its time; polling nothing at all needs none
        bound = max(config.poll.interval, patience)
        problem = f"a source is overdue by more than {bound}: are there enough pollers?"
        if idle > patience:
            problem = (
                f"no poll has ended for more than {patience} though some are due: "
                "is `feedsvc poll` running, and can it write to the store?"
            )
        return _check(
            lag <= bound and idle <= patience,
            problem=problem,
            lag_seconds=round(lag.total_seconds()),
            bound_seconds=round(bound.total_seconds()),
            idle_seconds=round(idle.total_seconds()),
            idle_bound_seconds=round(patience.total_seconds()),
        )

    def metrics(self) -> Answer:
        """All metrics in Prometheus' text format."""
        body, media_type = expose()
        return _answer(200, body, media_type)

    # -- lists -----------------------------------------------------------------------------
    def sources(self) -> Representation:
        """The feeds we poll as OPML 2.0; one whose address holds a secret is left out."""
        site = self._runtime.config.site
        listed = (
            Subscription(
                url=status.source.location,
                title=_title(status),
                html_url=status.meta.link if status.meta else None,
                tags=status.source.tags,
                id=status.source.id,
            )
            for status in self._store.sources()
            if status.source.kind == "feed" and not _secret(status.source.location)
        )
        return self._opml("sources", f"{site.title}: sources", listed)

    def feeds(self) -> Representation:
        """What we publish as OPML 2.0: all, stories, named feeds, then sources and tags by tag."""
        config, composer = self._runtime.config, self._composer
        statuses = self._store.sources()
        listed = [self._subscription(composer.all(), ())]
        if config.related.gathers:
            listed.append(self._subscription(composer.stories(), ()))
        listed.extend(self._subscription(composer.named(feed.name), ()) for feed in config.feeds)
        listed.extend(
            self._subscription(composer.source(status.source.id), status.source.tags)
            for status in statuses
        )
        folders = {tag for status in statuses for tag in status.source.tags[:1]}
        listed.extend(
            self._subscription(
                composer.tags([tag.slug]), (tag.slug if tag.slug in folders else "tags",)
            )
            for tag in self._store.tags(limit=_FEED_TAGS)
        )
        return self._opml("feeds", f"{config.site.title}: feeds", listed)

    def _subscription(self, request: FeedRequest, tags: tuple[str, ...]) -> Subscription:
        return Subscription(
            url=self._composer.url(request, "atom"),
            title=request.title,
            html_url=self._composer.url(request),
            description=request.description,
            tags=tags,
        )

    def _opml(self, name: str, title: str, listed: Iterable[Subscription]) -> Representation:
        owner = self._runtime.config.site.author
        return Representation(
            media_type=OPML_TYPE,
            render=lambda: whole(opml.write(title, listed, owner=owner)),
            cache=self._cache,
            headers=(("Content-Disposition", f'inline; filename="{name}.opml"'),),
        )


def _title(status: SourceStatus) -> str:
    told = status.meta.title if status.meta else None
    return status.source.title or told or status.source.id


def _secret(location: str) -> bool:
    return mask(location) != location


def _check(ok: bool, *, problem: str = "", **facts: object) -> dict[str, object]:
    return {"ok": ok, **facts, **({} if ok else {"problem": problem})}


def _json(status: int, value: object) -> Answer:
    return _answer(status, json.dumps(value, indent=1).encode() + b"\n", JSON_TYPE)


def _answer(status: int, body: bytes, media_type: str) -> Answer:
    headers: Headers = (
        ("Content-Type", media_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *SECURITY_HEADERS,
    )
    return Answer(status, headers, body)
