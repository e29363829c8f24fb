"""How feeds go out: one module a format, found by its suffix.

A new format is a module with a class that keeps the contract of `base.py`, and a line in `FORMATS`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from .atom import AtomFormat
from .base import Format, render
from .jsonfeed import JsonFeedFormat
from .rss import RssFormat

FORMATS: Mapping[str, Format] = MappingProxyType(
    {format.suffix: format for format in (AtomFormat(), RssFormat(), JsonFeedFormat())}
)

__all__ = ["FORMATS", "Format", "render"]
