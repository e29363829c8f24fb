"""Opens a configuration into the things that work: store, readers, rules, composer, clock.

Everything is passed in or made here once; there are no globals. Nothing here polls or serves.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from . import __version__
from .config import Config, declared_sources, source_id
from .log import get_logger
from .model import Source, SourceOrigin, slugify
from .pacing import Bounds

# each verb needs some of these, and none of them all: they are imported when they are opened
if TYPE_CHECKING:
    from .compose import Composer
    from .httpclient import HttpClient
    from .linking import Linker
    from .opml import Subscription
    from .relating import Relater
    from .store.base import Store
    from .tagging import Tagger

log = get_logger(__name__)


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Runtime:
    """One process's view of the service. `close` it, or use it as a context."""

    config: Config
    store: "Store"
    clock: Callable[[], datetime] = utc_now

    def __enter__(self) -> "Runtime":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Returns the store's connections."""
        self.store.close()

    @cached_property
    def composer(self) -> "Composer":
        """Makes feeds of what the store holds."""
        from .compose import Composer

        return Composer(store=self.store, config=self.config, clock=self.clock)

    @cached_property
    def linker(self) -> "Linker":
        """Connects entries."""
        from .linking import Linker

        return Linker(self.store, self.clock)

    @cached_property
    def relater(self) -> "Relater":
        """Connects entries on the same matter."""
        from .relating import Relater

        related = self.config.related
        return Relater(self.store, self.clock, most=related.max, stories=related.gathers)

    @cached_property
    def tagger(self) -> "Tagger":
        """Tags entries by the rules of the configuration."""
        return tagger(self.config)

    @cached_property
    def bounds(self) -> Bounds:
        """How often sources may be polled."""
        poll = self.config.poll
        return Bounds(
            interval=poll.interval,
            min_interval=poll.min_interval,
            max_interval=poll.max_interval,
            directory_interval=poll.directory_interval,
        )

    def http(self, *, allow: Sequence[str] = (), private: bool = True) -> "HttpClient":
        """A new HTTP client with the configured limits; the caller enters and leaves it.

        `allow` are private addresses it may use beside the configured ones, which it may not use
        unless `private`.
        """
        from .httpclient import HttpClient

        poll = self.config.poll
        return HttpClient(
            user_agent=poll.user_agent.format(
                version=__version__, base_url=self.config.site.base_url
            ),
            timeout=poll.timeout,
            max_bytes=poll.max_bytes,
            allow_private=(*(poll.allow_private if private else ()), *allow),
            per_host=poll.per_host,
            concurrency=poll.concurrency,
            host_delay=poll.host_delay,
        )

    def declare(self) -> None:
        """Brings the store's declared sources in step with the configuration.

        Raises `ConfigError` when a subscription list named there cannot be read.
        """
        sources = list(declared_sources(self.config))
        ids = {source.id for source in sources}
        known = {source.location for source in sources}
        for subscription in self._subscriptions():
            if subscription.url not in known:
                source = subscribed(subscription, taken=ids, origin="config")
                ids.add(source.id)
                known.add(source.location)
                sources.append(source)
        self.store.declare_sources(sources, self.clock(), spread=self.bounds.interval)

    def _subscriptions(self) -> Iterator["Subscription"]:
        if not self.config.opml:
            return
        from .config.lists import subscription_lists

        for name, outlines in subscription_lists(self.config):
            for bad in outlines.bad:
                log.warning("outline skipped", file=name, error=str(bad))
            yield from outlines.subscriptions


def subscribed(
    subscription: "Subscription", *, taken: Container[str], origin: SourceOrigin
) -> Source:
    """The source that a subscription becomes; its folders and categories become tags.

    Its id is the one it had where it was exported, unless that is taken or none.
    """
    own = subscription.id
    named = own and own not in taken and slugify(own) == own
    return Source(
        id=own if own and named else source_id(subscription.url, taken),
        kind="feed",
        location=subscription.url,
        title=subscription.title or None,
        tags=tuple(dict.fromkeys(filter(None, map(slugify, subscription.tags)))),
        origin=origin,
    )


def tagger(config: Config) -> "Tagger":
    """Builds the tagger that `[tags]` describes."""
    from .tagging import Tagger, TagRule

    tags = config.tags
    return Tagger(
        rules=[TagRule(**rule.model_dump()) for rule in tags.rules],
        aliases=tags.aliases,
        stop=tags.stop,
        auto=tags.auto,
    )


def open_runtime(
    config: Config, *, migrate: bool = True, clock: Callable[[], datetime] = utc_now
) -> Runtime:
    """Opens the store and, unless told not to, brings its schema up to date.

    Raises `StoreUnavailable` or `SchemaMismatch` with what to do.
    """
    from .store import Kept, open_store

    kept = Kept(versions=config.store.revisions, bytes=config.store.revision_bytes)
    store = open_store(config.store.url, kept=kept)
    try:
        if migrate:
            store.migrate()
    except BaseException:
        store.close()
        raise
    return Runtime(config=config, store=store, clock=clock)
