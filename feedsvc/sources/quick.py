"""feedparser's busiest methods, written for what nearly every element is.

feedparser works out for each element anew what it is called, what it is relative to and who takes
care of it, and copies what it knows of a text deeply. Here that is remembered, and whatever is out
of the ordinary (XHTML in line, Base64, a scope of its own) goes to feedparser itself: what comes
out is the same to the last byte, for a third of the time.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any
from xml.sax.expatreader import AttributesNSImpl

from feedparser.html import _cp1252 as cp1252
from feedparser.urls import make_safe_absolute_uri
from feedparser.util import FeedParserDict

_XHTML = "application/xhtml+xml"
_ENTITY_OF_QUERY = re.compile("&([A-Za-z0-9_]+);")
_DRAWN = frozenset({"math", "svg"})
_SCOPES = frozenset({"base", "lang"})
_KEEP_TEXT_INPUT = frozenset({"title", "link", "description", "name"})
_KEEP_IMAGE = frozenset({"title", "link", "description", "url", "href", "width", "height"})
_TOLD_BY_END = frozenset({"category", "tags", "itunes_keywords"})
_LANGUAGE_OF_FEED = frozenset({"feed", "rss", "rdf:RDF"})

NO_ATTRIBUTES = AttributesNSImpl({}, {})


class _Params(FeedParserDict):  # type: ignore[misc]
    """What is known of the text that is open; none of its keys has another name."""

    __getitem__: Any = dict.__getitem__
    __setitem__: Any = dict.__setitem__
    __contains__: Any = dict.__contains__
    get: Any = dict.get
    setdefault: Any = dict.setdefault

    def told(self, value: str) -> FeedParserDict:
        """A copy with the text itself."""
        return FeedParserDict(self, value=value)


_Mixin: Any = object


class Quick(_Mixin):  # type: ignore[misc]
    """For feedparser's parser of well-formed XML, with nothing sanitised or resolved in texts."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.contentparams = _Params()
        self._opening: dict[tuple[str | None, str], str] = {}
        self._closing: dict[tuple[str | None, str], str] = {}
        self._handlers: dict[str, tuple[str, bool]] = {}
        self._bases: dict[str, str] = {}
        self._tag = ""

    def track_namespace(self, prefix: str | None, uri: str) -> None:
        """Takes note of a namespace: elements may be called otherwise from now on."""
        for names in (self._opening, self._closing, self._handlers):
            names.clear()
        super().track_namespace(prefix, uri)

    def startElementNS(
        self, name: tuple[str | None, str], qname: str | None, attrs: AttributesNSImpl
    ) -> None:
        """Starts an element under the name it has for feedparser."""
        tag = self._opening.get(name)
        if tag is not None and not self.decls:
            if attrs is NO_ATTRIBUTES:
                self.unknown_starttag(tag, ())
                return
            found = attrs.items()
            if not any(space for (space, _), _ in found):
                self.unknown_starttag(tag, [(local.lower(), value) for (_, local), value in found])
                return
        self._tag = ""
        super().startElementNS(name, qname, attrs)
        if self._tag and name[1].lower() not in _DRAWN:
            self._opening[name] = self._tag

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:
        """Ends an element."""
        tag = self._closing.get(name)
        if tag is not None:
            self.unknown_endtag(tag)
            return
        self._tag = ""
        super().endElementNS(name, qname)
        if self._tag:
            self._closing[name] = self._tag

    def unknown_starttag(self, tag: str, attrs: Iterable[tuple[str, str]]) -> None:
        """Starts an element whose name and attributes are lower case."""
        if not self._tag:
            self._tag = tag
        if self.incontent:
            super().unknown_starttag(tag, attrs)
            return
        attributes = dict(map(self._normalize_attributes, attrs)) if attrs else {}
        if attributes and any(name in _SCOPES or name[:3] == "xml" for name in attributes):
            super().unknown_starttag(tag, attrs)
            return
        self.depth += 1
        self._open_scope(tag)
        handler, plain = self._handlers.get(tag) or self._handler(tag)
        if plain:
            if tag not in _KEEP_TEXT_INPUT:
                self.intextinput = 0
            if tag not in _KEEP_IMAGE:
                self.inimage = 0
        try:
            getattr(self, f"_start_{handler}")(attributes)
        except AttributeError:
            # nobody takes care of it, or whoever does has stumbled: feedparser's own way
            if attributes:
                self._get_context()[handler] = attributes
            else:
                self.push(handler, 1)

    def unknown_endtag(self, tag: str) -> None:
        """Ends an element."""
        if not self._tag:
            self._tag = tag
        if self.svgOK:
            super().unknown_endtag(tag)
            return
        handler, _ = self._handlers.get(tag) or self._handler(tag)
        try:
            getattr(self, f"_end_{handler}")()
        except AttributeError:
            self.pop(handler)
        if self.incontent and self._ended_inside(tag):
            return
        bases, langs = self.basestack, self.langstack
        if bases:
            bases.pop()
            if bases and bases[-1]:
                self.baseuri = bases[-1]
        if langs:
            langs.pop()
            if langs:
                self.lang = langs[-1]
        self.depth -= 1

    def _ended_inside(self, tag: str) -> bool:
        """Writes the end of an element inside a text; whether it is one that does not count."""
        params = self.contentparams
        if not params.get("type", "xml").endswith("xml"):
            if tag in ("xhtml:div", "div"):
                return True
            params["type"] = _XHTML
        if params.get("type") == _XHTML:
            self.handle_data(f"</{tag.rpartition(':')[2]}>", escape=0)
        return False

    def _open_scope(self, tag: str) -> None:
        """Notes base and language of an element that says nothing of either."""
        base = self._bases.get(self.baseuri)
        if base is None:
            base = make_safe_absolute_uri(self.baseuri, self.baseuri) or self.baseuri
            self._bases[self.baseuri] = base
        self.baseuri = base
        self.basestack.append(base)
        lang = self.lang
        if lang and tag in _LANGUAGE_OF_FEED:
            self.feeddata["language"] = lang.replace("_", "-")
        self.langstack.append(lang)

    def _handler(self, tag: str) -> tuple[str, bool]:
        """What the methods for a tag are named after, and whether it has no prefix."""
        prefix, colon, suffix = tag.partition(":")
        if not colon:
            prefix, suffix = "", tag
        prefix = self.namespacemap.get(prefix, prefix)
        found = self._handlers[tag] = (f"{prefix}_{suffix}" if prefix else suffix), not prefix
        return found

    def resolve_uri(self, uri: str) -> str:
        """Makes a URL absolute, which one without a base is already."""
        if not self.baseuri and ":///" not in uri:
            return uri
        return str(super().resolve_uri(uri))

    def push_content(
        self, tag: str, attrs_d: Mapping[str, str], default_content_type: str, expecting_text: int
    ) -> None:
        """Begins a text."""
        super().push_content(tag, attrs_d, default_content_type, expecting_text)
        self.contentparams = _Params(self.contentparams)

    def pop(self, element: str, strip_whitespace: int = 1) -> str | None:
        """Ends an element and puts its text where it belongs."""
        stack, params = self.elementstack, self.contentparams
        if not stack or stack[-1][0] != element:
            return None
        kind = params.get("type")
        if kind == _XHTML or params.get("base64"):
            return super().pop(element, strip_whitespace)  # type: ignore[no-any-return]
        _, expecting_text, pieces = stack.pop()
        text = "".join(pieces)
        if strip_whitespace:
            text = text.strip()
        if not expecting_text:
            return text
        if text and element in self.can_be_relative_uri:
            text = self.resolve_uri(text)
        if (
            kind == "text/plain"
            and not self.version.startswith("atom")
            and ("</" in text or "&" in text)
            and self.looks_like_html(text)
        ):
            params["type"] = "text/html"
        params.pop("mode", None)
        params.pop("base64", None)
        text = _mended(text)
        if element not in _TOLD_BY_END and not (
            element == "title" and -1 < self.title_depth <= self.depth
        ):
            if self.inentry and not self.insource:
                self._put_in_entry(element, text)
            elif self.infeed or self.insource:
                self._put_in_feed(element, text)
        return text

    def _put_in_entry(self, element: str, text: str) -> None:
        entry = self.entries[-1]
        if element == "content":
            entry.setdefault(element, []).append(self.contentparams.told(text))
        elif element == "link":
            if not self.inimage:
                text = _ENTITY_OF_QUERY.sub(r"&\g<1>", text.replace("&amp;", "&"))
                entry[element] = text
                if text:
                    entry["links"][-1]["href"] = text
        else:
            if element == "description":
                element = "summary"
            depths = self.property_depth_map.setdefault(entry, {})
            before = depths.get(element)
            if before is None or self.depth <= before:
                depths[element] = self.depth
                entry[element] = text
            if self.incontent:
                entry[f"{element}_detail"] = self.contentparams.told(text)

    def _put_in_feed(self, element: str, text: str) -> None:
        context = self._get_context()
        if element == "description":
            element = "subtitle"
        context[element] = text
        if element == "link":
            text = _ENTITY_OF_QUERY.sub(r"&\g<1>", text)
            context[element] = text
            context["links"][-1]["href"] = text
        elif self.incontent:
            context[f"{element}_detail"] = self.contentparams.told(text)


def _mended(text: str) -> str:
    """Puts right what was taken for Latin-1 but is UTF-8, and Windows-1252 taken for Latin-1."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(cp1252)
