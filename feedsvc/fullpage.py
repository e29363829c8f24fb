"""What happens to a page inside a parser process: its article found, cleaned, and the entry tagged.

Pure, so that a process may be killed with the page it hangs on. Fetching it is `fulltext`'s.
"""

from dataclasses import replace

from .digest import tagged
from .errors import ParseError
from .model import Entry, Source
from .normalise.fulltext import with_page
from .sources.pages import read_article
from .tagging import reader_labels


def read_page(
    entry: Entry, source: Source, body: bytes, url: str, content_type: str | None
) -> Entry | None:
    """The entry with the text of its page, tagged; None where its feed gives as much already.

    Raises `ParseError` where there is no article to be found.
    """
    try:
        article = read_article(body, url=url, content_type=content_type)
    except (MemoryError, RecursionError) as error:
        raise ParseError("the page needs more memory than a parser may take") from error
    full = with_page(entry, article.html, base=article.base, lang=article.lang)
    if full is None:
        return None
    return replace(full, tags=tagged(full, reader_labels(entry.tags), source))
