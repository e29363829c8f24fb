"""Drives feedparser: bytes in, its dictionaries out, nothing fetched, guessed away or blown up.

feedparser stays as it is; its parsers are subclassed where they mix things up that we keep apart,
and handed text from an expat that does not split it at every line (a fifth faster, same output).
What the dictionaries mean is for `feedmap`; whether it is a feed at all, for `webfeed`.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax import SAXException, SAXParseException, handler, xmlreader
from xml.sax.expatreader import ExpatParser

import feedparser.api
from feedparser.sanitizer import replace_doctype

from ..errors import ParseError
from .carrying import CarryingLoose, CarryingStrict
from .fields import join, paired, rebased
from .foreign import ForeignStrict
from .quick import NO_ATTRIBUTES, Quick

Raw = Mapping[str, Any]

PERMALINK = "feedsvc_permalink"

_ODD = (AttributeError, LookupError, TypeError, ValueError)
_MAX_EXPANSION = 16 << 20
_LONG_PROLOG = 16 << 10
_BUFFER = 1 << 16
_MAX_ATTRIBUTES = 1000
_MAX_DEPTH = 1000
_MAX_CATEGORIES = 1000
_MAX_SKIPPED = 100
_MAX_DELETED = 20_000
_ELEMENT = re.compile(rb"<\w")
_ENTITY = re.compile(rb"<!ENTITY\s+[^\s>]+\s+(\"[^\"]*\"|'[^']*')")
_DECLARATION = re.compile(rb"\A[\xef\xbb\xbf\xff\xfe\0]*<\0{0,3}\?\0{0,3}x\0{0,3}m\0{0,3}l")
# feedparser looks for these at the beginnings of lines
_DECLARED = re.compile(rb"(?<=[>\[])[ \t]*(?=<!(?:DOCTYPE|ENTITY)\b)")
# an ampersand that begins no reference, and CDATA sections, in which each is one
_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?!(?:#\d+|#[xX][0-9A-Fa-f]+|[A-Za-z_][\w.-]*);)", re.DOTALL
)
_XHTML = "application/xhtml+xml"
_XML_TYPE = re.compile(r"(?<!svg)[/+]xml\Z")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What feedparser made of a document; `error` and `line` are set when it is not well-formed."""

    version: str
    feed: Raw
    entries: tuple[Raw, ...]
    error: str | None = None
    line: int | None = None


def drive(data: bytes, *, base: str, lang: str | None, original: bytes) -> Parsed:
    """Reads a document that `to_utf8` has recoded; falls back on the tolerant parser.

    `base` is the URL that relative ones are resolved against, or empty to leave them. `original`
    is the body as it came, for line numbers. Raises `ParseError` when entities would blow it up.
    """
    data, added = _apart(_calm(paired(data)))
    version, data, entities = replace_doctype(data)
    strict = _Strict(base, lang, "utf-8")
    error, line = None, None
    try:
        _read(strict, data)
        parser = strict
    except SAXException as problem:
        error = problem.getMessage()
        if isinstance(problem, SAXParseException):
            # a document without an XML declaration was given one, on a line of its own
            line = (problem.getLineNumber() or 1) - (not _DECLARATION.match(original)) - added
            line = max(line, 1)
        parser = _Loose(base, lang, "utf-8", entities)
        parser.resolve_relative_uris = parser.sanitize_html = False
        # feedparser takes `AT&T` for a reference without its end, and `&lang=en` for a bracket
        parser.feed(_AMPERSAND.sub(_escaped, data.decode("utf-8", "replace")))
    return Parsed(
        version=version or parser.version,
        feed=parser.feeddata,
        entries=tuple(parser.entries),
        error=error,
        line=line,
    )


def _read(parser: Any, data: bytes) -> None:
    parser.resolve_relative_uris = parser.sanitize_html = False
    reader = BufferedExpat()
    reader.setFeature(handler.feature_namespaces, True)
    reader.setFeature(handler.feature_external_ges, False)
    reader.setContentHandler(parser)
    reader.setErrorHandler(parser)
    source = xmlreader.InputSource()
    source.setByteStream(io.BytesIO(data))
    reader.parse(source)


def _calm(data: bytes) -> bytes:
    """Takes the sting out of a prolog: its blanks, and entities that would expand without end."""
    found = _ELEMENT.search(data)
    end = found.start() if found else len(data)
    prolog = data[:end]
    longest = max((len(value) for value in _ENTITY.findall(prolog)), default=0)
    if longest * data.count(b"&") > _MAX_EXPANSION + len(data):
        raise ParseError("it declares XML entities that would expand to many times its size")
    if end > _LONG_PROLOG:
        # feedparser's patterns take quadratic time over long runs of blanks there
        return re.sub(rb"\s\s+", b"\n", prolog) + data[end:]
    return data


def _apart(data: bytes) -> tuple[bytes, int]:
    """Puts each declaration of a prolog on a line of its own; how many lines that adds."""
    found = _ELEMENT.search(data)
    end = found.start() if found else 0
    prolog, added = _DECLARED.subn(b"\n", data[:end])
    return (prolog + data[end:], added) if added else (data, 0)


def _escaped(match: re.Match[str]) -> str:
    return "&amp;" if match[0] == "&" else match[0]


class _Names(dict[str, tuple[str | None, str]]):
    """Namespaces and local names of elements, by the names expat gives them."""

    def __missing__(self, name: str) -> tuple[str | None, str]:
        namespace, *local = name.split()
        pair = self[name] = (namespace, local[0]) if local else (None, name)
        return pair


class BufferedExpat(ExpatParser):
    """Expat's SAX driver, told to hand over text in one piece."""

    def reset(self) -> None:
        """Starts afresh, as the base class does."""
        super().reset()
        expat = vars(self)["_parser"]
        expat.buffer_text = True
        expat.buffer_size = _BUFFER
        self._names = _Names()

    def start_namespace_decl(self, prefix: str | None, uri: str | None) -> None:
        """Passes a namespace on; one with a blank in it would be taken apart at that."""
        if uri and len(uri.split()) > 1:
            raise SAXParseException("the name of a namespace has a blank in it", None, self)
        super().start_namespace_decl(prefix, uri or "")

    def start_element_ns(self, name: str, attrs: Mapping[str, str]) -> None:
        """Passes an element on, unless it is made to wear the parser out."""
        if not attrs:
            self.getContentHandler().startElementNS(self._names[name], None, NO_ATTRIBUTES)
            return
        if len(attrs) > _MAX_ATTRIBUTES:
            raise ParseError(f"an element has {len(attrs):,} attributes")
        super().start_element_ns(name, attrs)

    def end_element_ns(self, name: str) -> None:
        """Passes the end of an element on."""
        self.getContentHandler().endElementNS(self._names[name], None)


_Mixin: Any = object


class _Kept(_Mixin):  # type: ignore[misc]
    """What both parsers keep apart that feedparser mixes up."""

    # a guid is a name, not an address: resolving `12345` or `yt:video:x` would change it
    can_be_relative_uri = feedparser.api.StrictFeedParser.can_be_relative_uri - {"id"}

    # feedparser trips over an element in an odd place or without its attributes
    def unknown_starttag(self, tag: str, attrs: Any) -> None:
        """Starts an element; one that it cannot take costs itself and nothing else."""
        if self.depth > self.deepest:
            # the base URL of each may grow by that of the one around it
            raise ParseError(f"elements are nested more than {self.deepest:,} deep")
        try:
            super().unknown_starttag(tag, self._based(attrs) if attrs and self.incontent else attrs)
        except _ODD:
            pass

    # it resolves what stands in a text against the base of the text as a whole
    def _based(self, attrs: Any) -> Any:
        """Attributes of an element in XHTML, absolute by a base that stands in it (XML Base §3)."""
        base = join(self.baseuri, dict(attrs).get("xml:base"))
        if self.contentparams.get("type") != _XHTML or base == self.contentparams.get("base"):
            return attrs
        return rebased(attrs, base)

    # it also goes on with an element's xml:base after its end when its parent has none
    def unknown_endtag(self, tag: str) -> None:
        """Ends an element, and the scope of its base (XML Base §3)."""
        try:
            super().unknown_endtag(tag)
        except _ODD:
            # what it does last
            for scope in (self.basestack, self.langstack):
                if scope:
                    scope.pop()
            self.depth -= 1
        if self.basestack:
            self.baseuri = self.basestack[-1]

    # whether a guid is an address it forgets where there is a link, if only an empty one
    def _start_guid(self, attributes: dict[str, str]) -> None:
        super()._start_guid(attributes)
        said = attributes.get("ispermalink", "true").strip().lower()
        self._get_context()[PERMALINK] = said == "true"

    # RSS 1.0 has a module of its own for enclosures, in the terms of RDF
    def _start_enc_enclosure(self, attributes: dict[str, str]) -> None:
        self._start_enclosure({"href": attributes.get("rdf:resource", ""), **attributes})

    # nor does it keep the language of an entry apart from those of its texts
    def _start_item(self, attributes: dict[str, str]) -> None:
        super()._start_item(attributes)
        if lang := attributes.get("xml:lang"):
            self.entries[-1]["language"] = lang

    _start_entry = _start_item

    def _start_link(self, attributes: dict[str, str]) -> None:
        # an empty reference would resolve to the feed itself
        if not attributes.get("href", "-").strip():
            return
        # feedparser invents a type for every link without one
        typed = "type" in attributes
        links = self._get_context().setdefault("links", [])
        count = len(links)
        super()._start_link(attributes)
        if not typed and len(links) > count:
            links[-1].pop("type", None)

    # the title and description of a live item would become those of the whole podcast
    def _start_podcast_liveitem(self, attributes: dict[str, str]) -> None:
        self.insource = 1

    def _end_podcast_liveitem(self) -> None:
        self.insource = 0
        self.sourcedata.clear()

    # it loses text and elements of any XML but XHTML (RFC 4287 §4.1.3.3), whose text may be read
    def _start_content(self, attributes: dict[str, str]) -> None:
        super()._start_content(attributes)
        if _XML_TYPE.search(self.contentparams.get("type", "")):
            self.contentparams["type"] = _XHTML

    # what is said of an entry that was removed is nothing about the feed (RFC 6721 §3)
    def _start_deleted_entry(self, attributes: dict[str, str]) -> None:
        ref = attributes.get("ref", "").strip()
        if ref and not self.inentry:
            self.insource = 1
            gone = self.feeddata.setdefault("deleted_entries", [])
            if len(gone) < _MAX_DELETED:
                gone.append({"ref": ref, "when": attributes.get("when", "")})

    def _end_deleted_entry(self) -> None:
        if not self.inentry:
            self.insource = 0
            self.sourcedata.clear()

    # of these feedparser would keep the last hour and day only
    def _start_hour(self, attributes: dict[str, str]) -> None:
        self.push("hour", 1)

    def _end_hour(self) -> None:
        self._skip("hour")

    def _start_day(self, attributes: dict[str, str]) -> None:
        self.push("day", 1)

    def _end_day(self) -> None:
        self._skip("day")

    def _skip(self, name: str) -> None:
        skipped = self.feeddata.setdefault(f"skipped_{name}s", [])
        text = self.pop(name)
        if not self.inentry and isinstance(skipped, list) and len(skipped) < _MAX_SKIPPED:
            skipped.append(text)

    # feedparser compares every category with all before it
    def _add_tag(self, term: str | None, scheme: str | None, label: str | None) -> None:
        if len(self._get_context().get("tags", ())) < _MAX_CATEGORIES:
            super()._add_tag(term, scheme, label)

    # nor do its patterns for addresses know domains like `.museum`; `feedmap` takes them apart
    def _sync_author_detail(self, key: str = "author") -> None:
        context = self._get_context()
        persons = context.get(f"{key}s")
        if isinstance(persons, list) and persons and not persons[-1]:
            persons[-1]["name"] = context.get(key)
        elif persons:
            super()._sync_author_detail(key)


def _set_apart(name: str) -> None:
    def start(parser: Any, attributes: dict[str, str]) -> None:
        parser.push_content(name, attributes, "text/plain", 1)

    def end(parser: Any) -> None:
        parser.pop_content(name)

    setattr(_Kept, f"_start_{name}", start)
    setattr(_Kept, f"_end_{name}", end)


# as the tags are named where the namespace is told by the parser, and where it is not
for _name in ("deleted-entry", "at_deleted-entry"):
    setattr(_Kept, f"_start_{_name}", _Kept._start_deleted_entry)
    setattr(_Kept, f"_end_{_name}", _Kept._end_deleted_entry)

# a caption or a teaser that follows the description would pass for the full text
for _name in ("media_description", "itunes_summary", "itunes_subtitle", "dc_description"):
    _set_apart(_name)


class _Strict(CarryingStrict, ForeignStrict, _Kept, Quick, feedparser.api.StrictFeedParser):  # type: ignore[misc]
    """For well-formed XML."""

    deepest = _MAX_DEPTH


class _Loose(CarryingLoose, _Kept, feedparser.api.LooseFeedParser):  # type: ignore[misc]
    """For all else, such as elements that are never closed: those are no nesting."""

    deepest = 100 * _MAX_DEPTH

    def decode_entities(self, element: str, data: str) -> str:
        """Takes references for characters; a feed's own address would lose part of its `&amp;`."""
        decoded: str = super().decode_entities(element, data)
        return decoded.replace("&amp;", "&") if element == "link" else decoded

    def handle_charref(self, ref: str) -> None:
        """Takes a character reference; one outside Unicode becomes U+FFFD instead of an error."""
        try:
            super().handle_charref(ref)
        except (ValueError, OverflowError):
            self.handle_data("\N{REPLACEMENT CHARACTER}")
