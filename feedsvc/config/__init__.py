"""The configuration: what can be set (`schema`), how values are written (`values`), where they come
from (`reading`), and what they add up to (`load`, `declared_sources`, `show`).
"""

from .keys import KEYS, Key
from .load import DEFAULT_PATH, follow, load
from .reading import VARIABLES
from .schema import (
    Config,
    FeedConfig,
    PollConfig,
    RelatedConfig,
    SiteConfig,
    SourceConfig,
    StoreConfig,
    TagRuleConfig,
    TagsConfig,
    WebConfig,
    WebSubConfig,
)
from .show import Row, show
from .sources import declared_sources, source_id, source_kind
from .values import RESERVED_FEEDS, duration, write_duration, write_size

__all__ = [
    "DEFAULT_PATH",
    "KEYS",
    "RESERVED_FEEDS",
    "VARIABLES",
    "Config",
    "FeedConfig",
    "Key",
    "PollConfig",
    "RelatedConfig",
    "Row",
    "SiteConfig",
    "SourceConfig",
    "StoreConfig",
    "TagRuleConfig",
    "TagsConfig",
    "WebConfig",
    "WebSubConfig",
    "declared_sources",
    "duration",
    "follow",
    "load",
    "show",
    "source_id",
    "source_kind",
    "write_duration",
    "write_size",
]
