"""An entry and the text of its page: put together, and kept together when its feed comes again.

The entry stays what its feed made it: id, dates and `digest` are the feed's, so that an unchanged
feed changes nothing, and the text of the page is no new version. Pure.
"""

from dataclasses import replace

from ..model import Entry, Tag, Text
from .html import clean, to_text
from .text import language

# origins of tags that depend on what the text says
_READ = frozenset({"auto", "rule"})


def with_page(entry: Entry, html: str, *, base: str, lang: str | None = None) -> Entry | None:
    """The entry with the article of its page as content; None where the feed gives as much.

    `html` is cleaned; its URLs are relative to `base`. What the feed gave as content becomes the
    summary, unless there is one.
    """
    value = clean(html, base=base, page=entry.link)
    given = (entry.summary,) if entry.fulltext else (entry.summary, entry.content)
    most = max((len(_text(text)) for text in given if text), default=0)
    if len(to_text(value)) <= most:
        return None
    tongue = language(lang)
    return replace(
        entry,
        content=Text(value=value, type="html", lang=tongue if tongue != entry.lang else None),
        summary=entry.summary or (None if entry.fulltext else entry.content),
        fulltext=True,
    )


def kept(stored: Entry, entry: Entry) -> Entry:
    """An entry as its feed has it now, with what was read of its page before.

    A feed that has come to give more than the page keeps its own text.
    """
    page = stored.content
    if not stored.fulltext or page is None or entry.link is None:
        return entry
    if entry.content is not None and len(_text(entry.content)) >= len(_text(page)):
        return entry
    tags: dict[str, Tag] = {tag.slug: tag for tag in entry.tags if tag.origin not in _READ}
    for tag in stored.tags:
        if tag.origin in _READ:
            tags.setdefault(tag.slug, tag)
    return replace(
        entry,
        content=page,
        summary=entry.summary or entry.content,
        tags=tuple(tags.values()),
        fulltext=True,
    )


def _text(text: Text) -> str:
    return to_text(text.value) if text.type == "html" else text.value
