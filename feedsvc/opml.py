"""Subscription lists: OPML 2.0 in both directions, and what other lists look like on the way in.

Reading takes OPML 1 and 2, FOAF and iGoogle lists, well-formed or not, and tells of every outline
it leaves out. Folders and categories become tags; writing turns the first tag into a folder and the
others into `category`. Neither fetches anything.
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from html.parser import HTMLParser
from urllib.parse import urlsplit

import listparser
from lxml import etree

from .errors import ParseError
from .model import Source, slugify

_DOCS = "http://opml.org/spec2.opml"
# OPML 2.0 lets attributes of other namespaces stand in outlines
_NAMESPACE = "urn:feedsvc:opml"
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_UNWRITABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WEB = re.compile(r"https?://[^/\s]", re.IGNORECASE)
_LOOSE = re.compile(
    r"""\b(text|title|description)="([^\n]*?)"(?=\s+(?:text|title|description|type|version|category|"""
    r"""language|created|xmlUrl|htmlUrl)="|[ \t]*/?>[ \t]*$)""",
    re.IGNORECASE | re.MULTILINE,
)
_FEED_TYPES = frozenset({"rss", "atom", "rss1", "rss2", "feed", "pie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One feed of a list. `tags` are labels: folders from the outside in, then categories.

    `id` is what feedsvc calls it, in a list that feedsvc wrote: ids of entries may be made from it.
    """

    url: str
    title: str = ""
    html_url: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadOutline:
    """Something in a list that could not be taken: where, what, and what to do. `line` from 1."""

    line: int
    name: str
    message: str

    def __str__(self) -> str:
        name = f" ({self.name})" if self.name else ""
        return f"line {self.line}{name}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlines:
    """A subscription list: its title, its feeds in order, each once, and what was left out.

    `repeated` outlines name a feed that another one names as well.
    """

    title: str | None
    subscriptions: tuple[Subscription, ...]
    bad: tuple[BadOutline, ...]
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class _Tag:
    """An outline's start tag as it stands in the document."""

    line: int
    attributes: dict[str, str]

    @property
    def name(self) -> str:
        return _line(self.attributes.get("text") or self.attributes.get("title") or "")


class _Finder(HTMLParser):
    """Finds every `outline`, in whatever state the document is; attribute names in lower case."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[_Tag] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes an outline and its line."""
        if tag.rpartition(":")[2] == "outline":
            attributes = {key: value or "" for key, value in attrs}
            self.found.append(_Tag(self.getpos()[0], attributes))


def read(body: bytes) -> Outlines:
    """Reads a subscription list.

    A feed listed several times is one subscription with the tags of all its places. Raises
    `ParseError` when the document is no subscription list at all.
    """
    text = _decode(body)
    error = _syntax_error(text)
    if error:
        # real lists have bare tags and quotes in descriptions, which would end their outline early
        text = _LOOSE.sub(lambda found: f'{found[1]}="{_escape(found[2])}"', text)
    # bytes, since listparser would fetch a string that begins with http; ASCII, since its HTML
    # parser guesses encodings
    harvest = listparser.parse(text.encode("ascii", "xmlcharrefreplace"))
    if not harvest.version and not harvest.feeds:
        raise ParseError(
            "This is not a subscription list: there is no <opml> in it; "
            "export the subscriptions as OPML and import that file.",
            line=error.lineno if error else None,
        )
    tags = _Finder(text).found
    bad = [_doubt(error, text)] if error and _may_lack(text, tags) else []
    places: dict[str, list[_Tag]] = {}
    for tag in tags:
        places.setdefault(_line(tag.attributes.get("xmlurl", "")), []).append(tag)
    found: dict[str, Subscription] = {}
    repeated = 0
    for feed in harvest.feeds:
        # listparser tells of an address once, wherever it stands
        tag, *others = places.get(_line(feed.url)) or [_Tag(1, {})]
        url = web_url(feed.url)
        if url is None:
            remedy = "only http and https feeds can be polled; correct its xmlUrl"
            if _WEB.match(feed.url):
                remedy = "its host or port can be neither; correct its xmlUrl"
            bad += [
                BadOutline(
                    line=one.line,
                    name=one.name or _line(feed.get("title", "")),
                    message=f"{feed.url!r}: {remedy}",
                )
                for one in (tag, *others)
            ]
            continue
        repeated += len(others)
        categories = feed.get("categories", [])  # listparser puts the folder last
        title = _line(feed.get("title", ""))
        one = Subscription(
            url=url,
            title=title if title != url else "",
            html_url=web_url(tag.attributes.get("htmlurl", "")),
            description=_line(tag.attributes.get("description", "")) or None,
            tags=_labels((*categories[-1:], *categories[:-1])),
            id=_line(tag.attributes.get("feedsvc:id", "")) or None,
        )
        known = found.setdefault(url, one)
        if known is not one:
            repeated += 1
            found[url] = replace(known, tags=_labels((known.tags, one.tags)))
    bad.extend(_left_out(tags))
    return Outlines(
        title=_line(harvest.meta.get("title", "")) or None,
        subscriptions=tuple(found.values()),
        bad=tuple(sorted(bad, key=lambda one: one.line)),
        repeated=repeated,
    )


def web_url(url: str) -> str | None:
    """An http(s) URL, also where it is written `feed:` (`feed://host`, `feed:https://host`).

    None where it is none, or where what should be a host and port can be neither.
    """
    url = _line(url)
    if url.lower().startswith("feed:"):
        rest = url[5:]
        url = f"http:{rest}" if rest.startswith("//") else rest
    if not _WEB.match(url):
        return None
    try:
        parts = urlsplit(url)
        # a port that is no number shows only when it is asked for
        sound = parts.port != 0 and parts.hostname is not None and " " not in parts.netloc
    except ValueError:
        return None
    return url if sound else None


def write(
    title: str,
    subscriptions: Iterable[Subscription],
    *,
    owner: str | None = None,
    created: datetime | None = None,
) -> bytes:
    """Writes OPML 2.0, UTF-8: a folder for each first tag, in order of first appearance.

    Feeds without tags stand before the folders. `created` is left out when it is None, so that
    equal subscriptions give equal bytes.
    """
    listed = list(subscriptions)
    own = {"feedsvc": _NAMESPACE} if any(one.id for one in listed) else None
    root = etree.Element("opml", version="2.0", nsmap=own)
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = _line(title)
    if created:
        etree.SubElement(head, "dateCreated").text = format_datetime(created)
    if owner and _line(owner):
        etree.SubElement(head, "ownerName").text = _line(owner)
    etree.SubElement(head, "docs").text = _DOCS
    body = etree.SubElement(root, "body")
    folders: dict[str, tuple[str, list[Subscription]]] = {"": ("", [])}
    for one in listed:
        label = _line(one.tags[0]) if one.tags else ""
        folders.setdefault(slugify(label), (label, []))[1].append(one)
    for slug, (label, members) in folders.items():
        parent = etree.SubElement(body, "outline", text=label) if slug else body
        for one in members:
            etree.SubElement(parent, "outline", _attributes(one))
    etree.indent(root)
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written + b"\n"


def subscriptions(title: str, sources: Sequence[Source], *, owner: str | None = None) -> bytes:
    """Writes the feeds among these sources as OPML; directories are no subscriptions."""
    return write(
        title,
        (
            Subscription(
                url=source.location,
                title=source.title or source.id,
                tags=source.tags,
                id=source.id,
            )
            for source in sources
            if source.kind == "feed"
        ),
        owner=owner,
    )


def _attributes(one: Subscription) -> dict[str, str]:
    name = _line(one.title) or one.url
    # a comma or a slash would be read as the end of a category or of a level (OPML 2.0 §category)
    others = [_line(re.sub("[,/]", " ", tag)) for tag in one.tags[1:]]
    attributes = {
        "text": name,
        "title": name,
        "type": "rss",
        "xmlUrl": _line(one.url),
        "htmlUrl": _line(one.html_url or ""),
        "description": _line(one.description or ""),
        "category": ",".join(filter(None, others)),
        f"{{{_NAMESPACE}}}id": _line(one.id or ""),
    }
    return {key: value for key, value in attributes.items() if value}


def _decode(body: bytes) -> str:
    """Text by byte order mark, declaration, UTF-8, or else the encoding of old Windows tools."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    declared = _DECLARED.match(body)
    for encoding in (declared[1].decode("ascii") if declared else "utf-8", "utf-8"):
        try:
            return body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("cp1252", "replace")


def _line(text: str) -> str:
    return " ".join(_UNWRITABLE.sub("", text).split())


def _labels(paths: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Every level of every folder or category is a tag; of labels with one slug the first stays."""
    labels: dict[str, str] = {}
    for path in paths:
        for label in path:
            slug = slugify(label)
            if slug:
                labels.setdefault(slug, _line(label))
    return tuple(labels.values())


def _left_out(tags: Iterable[_Tag]) -> Iterator[BadOutline]:
    """The outlines that are no folder and bring no feed."""
    for tag in tags:
        attributes = tag.attributes
        type = attributes.get("type", "").strip().lower()
        url = attributes.get("url", "").strip()
        page = attributes.get("htmlurl", "").strip()
        if attributes.get("xmlurl", "").strip():
            if type == "source":
                message = f"a list of lists ({attributes['xmlurl'].strip()}); import it by itself"
            else:
                continue
        elif type in ("include", "link") and url:
            message = f"an included list is not followed; download {url} and import it by itself"
        elif page:
            message = f"only a page's address; `feedsvc source add {page}` finds its feed"
        elif "xmlurl" in attributes or type in _FEED_TYPES:
            message = "no feed address; give it an xmlUrl"
        else:
            continue
        yield BadOutline(line=tag.line, name=tag.name, message=message)


def _syntax_error(text: str) -> etree.XMLSyntaxError | None:
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True)
    try:
        etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        return error
    return None


def _escape(text: str) -> str:
    return text.replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _may_lack(text: str, tags: Sequence[_Tag]) -> bool:
    """Whether an ill-formed document is cut off, or names more outlines and feeds than we found."""
    text = re.sub(r"(?s)<!--.*?-->", "", text)
    outlines = len(re.findall(r"(?i)<(?:\w+:)?outline\b", text))
    feeds = len(re.findall(r"(?i)\bxmlurl\s*=", text))
    return _is_cut(text) or (outlines, feeds) != (
        len(tags),
        sum("xmlurl" in tag.attributes for tag in tags),
    )


def _is_cut(text: str) -> bool:
    """Whether a document ends before its root does."""
    text = re.sub(r"(?s)<!--.*?-->", "", text).rstrip()
    root = re.search(r"<([\w.:-]+)", text)
    return root is not None and not re.search(rf"(?i)</{re.escape(root[1])}\s*>\Z", text)


def _doubt(error: etree.XMLSyntaxError, text: str) -> BadOutline:
    told = f"not well-formed XML ({error.msg}); see whether anything below is missing"
    if _is_cut(text):
        told = f"the list breaks off ({error.msg}); what came behind is missing: get it again"
    return BadOutline(line=error.lineno or 1, name="", message=told)
