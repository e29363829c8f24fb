"""What the JSON API is asked with: parameters of addresses, and bodies of what writes.

Nothing else is taken, so that a typing error is told and not passed over.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from ...compose.request import MAX_LIMIT
from ...query import MAX_LENGTH

# addresses hold no control characters
_PLAIN = r"^[^\x00-\x1f\x7f-\x9f]*$"

# names of formats for programs that make up examples; JSON Schema lets everyone define some
Query = Annotated[
    str,
    Meta(
        description="A query of the query language.",
        examples=["tag:diplomacy -tag:sports"],
        # one that is too long is refused where it is read, with the place
        extra_json_schema={"format": "feedsvc-query", "maxLength": MAX_LENGTH},
    ),
]
Before = Annotated[
    str,
    Meta(
        max_length=500,
        description="The cursor of the page before, from its `next`.",
        extra_json_schema={"format": "feedsvc-cursor", "pattern": "^[A-Za-z0-9_-]*$"},
    ),
]
Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="How many a page has.")]
Interval = Annotated[
    str,
    Meta(
        pattern="^[1-9][0-9]{0,3}[smhd]$",
        description="A number with its unit: s, m, h or d.",
        examples=["1h"],
    ),
]
Title = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        description="Instead of the title that the feed gives itself.",
    ),
]
TagName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=80,
        description="A tag for all its entries: it has a letter or digit.",
        extra_json_schema={"format": "feedsvc-tag"},
    ),
]
TagNames = Annotated[list[TagName], Meta(max_length=50)]
Fulltext = Annotated[
    bool, Meta(description="Read the page of each new entry of a feed for its full text.")
]


class NoParameters(Struct, forbid_unknown_fields=True):
    """None."""


class ListEntries(Struct, forbid_unknown_fields=True):
    """Which entries."""

    q: Query = ""
    limit: Limit | UnsetType = UNSET
    before: Before | UnsetType = UNSET
    content: Annotated[
        Literal["full", "summary", "none"],
        Meta(description="How much of each: `summary` is without content, `none` without both."),
    ] = "full"
    dupes: Annotated[
        Literal["collapse", "keep"],
        Meta(description="An article that several sources have: once, or every copy."),
    ] = "collapse"


class ListStories(Struct, forbid_unknown_fields=True):
    """Which stories."""

    limit: Limit | UnsetType = UNSET
    before: Before | UnsetType = UNSET


class ListTags(Struct, forbid_unknown_fields=True):
    """Which tags."""

    prefix: Annotated[
        str,
        Meta(
            max_length=80,
            pattern=_PLAIN,
            description="Only tags that begin with it.",
            examples=["unit"],
        ),
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=5000, description="How many at most.")] = 100


class SuggestTags(Struct, forbid_unknown_fields=True):
    """What somebody wrote for a tag."""

    q: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=80,
            pattern=_PLAIN,
            description="As written.",
            examples=["diplomcy"],
        ),
    ]
    limit: Annotated[int, Meta(ge=1, le=50, description="How many at most.")] = 5


class ListSources(Struct, forbid_unknown_fields=True):
    """Which sources."""

    after: Annotated[
        str,
        Meta(
            max_length=500,
            pattern=_PLAIN,
            description="The cursor of the page before, from its `next`.",
            extra_json_schema={"format": "feedsvc-source"},
        ),
    ] = ""
    limit: Limit = 100
    state: Annotated[
        Literal["all", "trouble"],
        Meta(description="`trouble`: only those that fail or are partly unreadable."),
    ] = "all"


class RemoveSource(Struct, forbid_unknown_fields=True):
    """Whether its entries go too."""

    purge: Annotated[bool, Meta(description="Withdraw its entries as well.")] = False


class AddSource(Struct, forbid_unknown_fields=True):
    """A feed, or a web page that leads to one."""

    location: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=2000,
            description="The http or https address of a feed, or of a page that names its feed.",
            examples=["https://example.org/"],
            extra_json_schema={
                "format": "feedsvc-location",
                "pattern": r"^\s*[Hh][Tt][Tt][Pp][Ss]?://",
            },
        ),
    ]
    title: Title | None = None
    tags: TagNames = []
    interval: Interval | None = None
    fulltext: Fulltext = False
    force: Annotated[bool, Meta(description="Even if it is no feed now, or cannot be had.")] = False


class ChangeSource(Struct, forbid_unknown_fields=True):
    """What is to be different; null takes a setting back, what is left out stays."""

    title: Title | UnsetType | None = UNSET
    tags: TagNames | UnsetType = UNSET
    interval: Interval | UnsetType | None = UNSET
    enabled: Annotated[bool, Meta(description="Whether it is polled.")] | UnsetType = UNSET
    fulltext: Fulltext | UnsetType = UNSET
    max_entries: (
        Annotated[int, Meta(ge=1, le=1_000_000, description="Take only so many, the newest.")]
        | UnsetType
        | None
    ) = UNSET
    keep: Query | UnsetType | None = UNSET
    drop: Query | UnsetType | None = UNSET
