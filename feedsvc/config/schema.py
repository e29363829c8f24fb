"""Every key of the configuration: its name, type, default and meaning, each once.

Attribute names are the keys of the file. The models are frozen and know nothing of files or
variables: where values come from is the business of `reading` and `load`. A field that is left out
of `repr` is a secret and masked wherever it is shown.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from . import values
from .layers import Layer, LayerSource

Duration = Annotated[timedelta, BeforeValidator(values.read_duration)]
SomeDuration = Annotated[timedelta, BeforeValidator(values.read_some_duration)]
Size = Annotated[int, BeforeValidator(values.read_size)]
Share = Annotated[str, BeforeValidator(values.share)]
Number = Annotated[int, BeforeValidator(values.whole_number)]
Slug = Annotated[str, AfterValidator(values.slug)]
TagName = Annotated[str, AfterValidator(values.tag)]
HttpUrl = Annotated[str, AfterValidator(values.http_url)]
SomeText = Annotated[str, Field(min_length=1)]
Regex = Annotated[str, AfterValidator(values.regex)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class SiteConfig(_Section):
    """`[site]`: what the service says of itself."""

    title: SomeText = Field(default="My newswire", description="Title of the feed of everything.")
    subtitle: str | None = Field(default=None, description="A line below the title.")
    author: str | None = Field(
        default=None,
        description="Author of the feeds, and of entries for which neither they nor their source"
        " name one. Without it Atom, which needs an author, names the source.",
    )
    language: Annotated[str, AfterValidator(values.language)] | None = Field(
        default=None, description="Language of the feeds as a whole, such as `en`."
    )
    icon: HttpUrl | None = Field(default=None, description="URL of a small square picture.")
    logo: HttpUrl | None = Field(default=None, description="URL of a picture twice as wide.")
    rights: str | None = Field(default=None, description="Copyright notice of the feeds.")
    base_url: Annotated[str, AfterValidator(values.base_url)] = Field(
        default="http://127.0.0.1:8080",
        description="Where readers reach the service; all absolute URLs begin with it. "
        "While it is not set it follows `web.host` and `web.port`.",
    )
    authority: Annotated[str, AfterValidator(values.authority)] = Field(
        default="localhost,2026",
        description="Authority (RFC 4151) of the ids minted for entries that bring none: a host "
        "name of yours and a date on which it was yours. Set it once and leave it: another one "
        "makes those entries new to every reader.",
    )
    page_size: Number = Field(
        default=50, ge=1, le=500, description="Entries on a page of a feed, up to 500."
    )
    share: Share = Field(
        default="100%",
        description="How much of a page one source may fill while others have entries to give, "
        "`5%` to `100%`.",
    )


class StoreConfig(_Section):
    """`[store]`: where everything is kept."""

    url: Annotated[str, AfterValidator(values.store_url)] = Field(
        default="sqlite:///data/feedsvc.db",
        repr=False,
        description="The database: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`.",
    )
    retention: Duration = Field(
        default=timedelta(0),
        description="How long entries are kept after publication; `0d` keeps everything. "
        "What is pruned never comes back as new.",
    )
    revisions: Number = Field(
        default=10,
        ge=0,
        le=1000,
        description="Earlier versions kept of an entry whose content changed; the oldest makes "
        "room. 0 keeps none.",
    )
    revision_bytes: Size = Field(
        default=256 * 2**10,
        description="Of a version larger than this only title and link are kept.",
    )


class PollConfig(_Section):
    """`[poll]`: how often and how politely sources are asked."""

    interval: SomeDuration = Field(
        default=timedelta(minutes=30),
        description="First guess for a new feed; then it adapts between the two bounds.",
    )
    min_interval: SomeDuration = Field(
        default=timedelta(minutes=5), description="No feed is polled more often than this."
    )
    max_interval: SomeDuration = Field(
        default=timedelta(hours=24),
        description="No feed waits longer than this, unless its server asks for it.",
    )
    directory_interval: SomeDuration = Field(
        default=timedelta(seconds=2), description="How often directories are scanned."
    )
    concurrency: Number = Field(
        default=64, ge=1, le=10_000, description="Polls that run at the same time."
    )
    per_host: Number = Field(default=2, ge=1, description="Requests to one host at the same time.")
    host_delay: Duration = Field(
        default=timedelta(0), description="Pause between two requests to one host."
    )
    timeout: SomeDuration = Field(
        default=timedelta(seconds=20),
        description="Limit of a whole request, also against a server that drips.",
    )
    max_bytes: Size = Field(
        default=16 * 2**20,
        description="Largest document that is read, measured after decompression.",
    )
    allow_private: tuple[Annotated[str, AfterValidator(values.address)], ...] = Field(
        default=(),
        description="Exact exceptions to the refusal of private networks: host names and "
        "addresses, with or without a port, and networks.",
    )
    churn_after: Number = Field(
        default=5,
        ge=1,
        description="A feed is churning when so many polls in a row rewrite two thirds of its "
        "entries or more.",
    )
    churn_interval: Duration = Field(
        default=timedelta(hours=6),
        description="How often changes of a churning feed are taken; at once when it says the "
        "same twice.",
    )
    workers: Number = Field(default=0, ge=0, description="Parser processes; 0 is one per core.")
    user_agent: Annotated[str, AfterValidator(values.user_agent)] = Field(
        default="feedsvc/{version} (+{base_url})",
        description="How requests introduce themselves; `{version}` and `{base_url}` are filled "
        "in.",
    )


class WebConfig(_Section):
    """`[web]`: the server."""

    host: Annotated[str, AfterValidator(values.host)] = Field(
        default="127.0.0.1", description="Address to listen on; `0.0.0.0` is every one."
    )
    port: Number = Field(
        default=8080, ge=0, le=65_535, description="Port to listen on; 0 takes a free one."
    )
    workers: Number = Field(
        default=0, ge=0, description="Web processes; 0 is one per core, at most four."
    )
    ready_lag: SomeDuration = Field(
        default=timedelta(minutes=2),
        description="How long due sources may go unpolled before `/readyz` says 503.",
    )
    deltas: bool = Field(
        default=True,
        description="Answer clients that send `A-IM: feed` with what is new or changed (RFC 3229).",
    )
    no_deltas_for: tuple[SomeText, ...] = Field(
        default=("feedparser", "rss2email"),
        description="Clients that send `A-IM: feed` but do not understand the answer: words of "
        "their `User-Agent`. They get whole feeds.",
    )
    admin_token: Annotated[str, AfterValidator(values.token)] = Field(
        default="",
        repr=False,
        description="Bearer token for writing over HTTP. Empty: all writing is off.",
    )
    feed_tokens: tuple[Annotated[str, AfterValidator(values.some_token)], ...] = Field(
        default=(),
        repr=False,
        description="If there are any, feeds need one of them, as `?token=` or bearer token.",
    )
    rate_limit: Number = Field(
        default=120,
        ge=0,
        description="Costly API requests (search, polls, additions) a minute from one address, in "
        "each web process; 0 is no limit.",
    )


Several = Annotated[tuple[SomeText, ...], BeforeValidator(values.one_or_many)]


class TagRuleConfig(_Section):
    """`[[tags.rules]]`: when to give a tag; every condition that is written must hold."""

    tag: TagName = Field(description="The tag to give.")
    any: Several = Field(default=(), description="Phrases of which one must stand in the text.")
    all: Several = Field(default=(), description="Phrases that must all stand in the text.")
    regex: Annotated[tuple[Regex, ...], BeforeValidator(values.one_or_many)] = Field(
        default=(), description="Regular expressions of which one must match."
    )
    source: Several = Field(
        default=(), description="Sources (ids, `*` for anything) of which it must be one."
    )
    author: Several = Field(default=(), description="Authors of which one must be the entry's.")
    title_only: bool = Field(
        default=False, description="Look for `any`, `all` and `regex` in the title alone."
    )


class TagsConfig(_Section):
    """`[tags]`: which tags entries get beside those they bring."""

    aliases: dict[str, TagName] = Field(
        default={}, description='Table of tags and what they are written as: `USA = "us"`.'
    )
    stop: tuple[TagName, ...] = Field(default=(), description="Tags that are never given.")
    auto: bool = Field(
        default=True, description="Name people, places, organisations and topics of the text."
    )
    rules: tuple[TagRuleConfig, ...] = Field(default=(), description="Tables, one a rule.")


class RelatedConfig(_Section):
    """`[related]`: links between entries."""

    max: Number = Field(
        default=5,
        ge=0,
        le=50,
        description="Most related entries found by content; those that an entry names come on top.",
    )
    stories: bool = Field(
        default=True,
        description="Gather entries on one event into stories; needs `related.max` above 0.",
    )
    list: bool = Field(
        default=True,
        description='End the content of entries with a visible "Related" list, '
        'and an "Also at" line where other sources have it too.',
    )

    @property
    def gathers(self) -> bool:
        """Whether there are stories: they go by links."""
        return self.stories and self.max > 0


class WebSubConfig(_Section):
    """`[websub]`: push beside polling (W3C WebSub)."""

    hub: bool = Field(
        default=True,
        description="Tell subscribers of our feeds what is new; not in effect yet.",
    )
    subscribe: bool = Field(
        default=True,
        description="Subscribe at the hubs of polled feeds; not in effect yet.",
    )


class SourceConfig(_Section):
    """`[[sources]]`: one thing to poll."""

    id: Slug | None = Field(
        default=None,
        description="Name in URLs and queries; made from the location if it is left out.",
    )
    location: Annotated[str, AfterValidator(values.location)] = Field(
        description="A path: a directory. A URL: a feed."
    )
    title: SomeText | None = Field(default=None, description="Title instead of the source's own.")
    tags: tuple[TagName, ...] = Field(default=(), description="Tags for all its entries.")
    interval: SomeDuration | None = Field(
        default=None, description="Polling interval instead of the adaptive one."
    )
    enabled: bool = Field(default=True, description="Whether it is polled.")
    headers: dict[
        Annotated[str, AfterValidator(values.header_name)],
        Annotated[str, AfterValidator(values.header_value)],
    ] = Field(default={}, repr=False, description="Table of headers to send with each request.")
    auth: Annotated[str, AfterValidator(values.credentials)] | None = Field(
        default=None, repr=False, description="`user:password`, or a scheme as in `Bearer TOKEN`."
    )
    fulltext: bool = Field(
        default=False,
        description="Read the page of each new entry for its full text.",
    )
    max_entries: Number | None = Field(
        default=None, ge=1, description="Take only so many entries of a feed, the newest."
    )
    share: Share | None = Field(
        default=None, description="How much of a page it may fill, instead of `site.share`."
    )
    keep: Annotated[str, AfterValidator(values.query)] | None = Field(
        default=None,
        description="Take only entries that this query finds; see [query.md](query.md).",
    )
    drop: Annotated[str, AfterValidator(values.query)] | None = Field(
        default=None, description="Take no entries that this query finds."
    )


class FeedConfig(_Section):
    """`[[feeds]]`: one named feed."""

    name: Annotated[str, AfterValidator(values.feed_name)] = Field(
        description="Its address, `/feeds/NAME`."
    )
    title: SomeText | None = Field(default=None, description="Its title; else its name.")
    q: Annotated[str, AfterValidator(values.query)] = Field(
        description="The query it answers; see [query.md](query.md)."
    )


class Config(BaseSettings):
    """The whole configuration. Made by `load`; `Config()` is all defaults."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=True)

    site: SiteConfig = SiteConfig()
    store: StoreConfig = StoreConfig()
    poll: PollConfig = PollConfig()
    web: WebConfig = WebConfig()
    tags: TagsConfig = TagsConfig()
    related: RelatedConfig = RelatedConfig()
    websub: WebSubConfig = WebSubConfig()
    sources: tuple[SourceConfig, ...] = Field(default=(), description="Tables, one a source.")
    feeds: tuple[FeedConfig, ...] = Field(default=(), description="Tables, one a named feed.")
    opml: tuple[SomeText, ...] = Field(
        default=(), description="OPML files; every subscription in them is a declared source."
    )

    _layers: tuple[Layer, ...] = PrivateAttr(())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Takes values from the layers that `load` has read, and from nothing else."""
        given: Mapping[str, Any] = init_settings()
        layers = given.get("layers")
        if layers is None:
            return (init_settings,)
        return tuple(LayerSource(settings_cls, layer) for layer in layers)
