"""How entries come in: the registry of source kinds.

A new kind is one module with a `SourceReader` and one line here; everything else, conformance tests
included, finds it through `KINDS`.
"""

from collections.abc import Mapping

from ..model import SourceKind
from .base import SourceReader
from .directory import DirectoryReader
from .webfeed import FeedReader

KINDS: Mapping[SourceKind, SourceReader] = {
    "feed": FeedReader(),
    "directory": DirectoryReader(),
}
