"""What can lie in a directory source: the registry of document types by suffix.

A new type is one module with a `DocumentReader` and one line here.
"""

from collections.abc import Mapping

from .base import DocumentReader
from .feed import read_feed
from .html import read_html
from .jsondoc import read_json
from .mail import read_mail
from .markdown import read_markdown
from .text import read_text

DOCUMENTS: Mapping[str, DocumentReader] = {
    ".txt": read_text,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".json": read_json,
    ".xml": read_feed,
    ".rss": read_feed,
    ".atom": read_feed,
    ".eml": read_mail,
}
