"""Makes feeds: what a request asks for, its ETag, its document, its bytes.

The only place that turns related entries into links and applies the options of a feed; formats know
neither. Equal content gives equal bytes and one ETag on every replica: nothing here looks at a
clock but to say what `since:7d` means.
"""

from .composer import Composer
from .rendering import Delta, Rendering
from .request import MAX_LIMIT, Catalogue, FeedRequest, Options

__all__ = ["MAX_LIMIT", "Catalogue", "Composer", "Delta", "FeedRequest", "Options", "Rendering"]
