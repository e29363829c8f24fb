"""How much of a page may be of one source, by the configuration."""

from ..config import Config, declared_sources
from ..store.base import Shares


def shares_of(config: Config) -> Shares:
    """How much of a page may be of one source, by the configuration."""
    both = zip(config.sources, declared_sources(config), strict=True)
    own = {source.id: _percent(written.share) for written, source in both if written.share}
    return Shares(default=_percent(config.site.share), own=own)


def _percent(share: str) -> int:
    return int(share.removesuffix("%"))
