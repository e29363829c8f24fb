"""Elements of other vocabularies, taken whole out of an entry while feedparser reads the rest.

feedparser knows some of them by half and drops others; here they stay as they are, with the case of
their names, their attributes and what is inside them. A feed that declares none of the vocabularies
is read as if this did not exist.
"""

from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any

from ..vocabulary import VOCABULARIES, Extension, prefix_of

CARRIED = "feedsvc_extensions"

_MAX_ELEMENTS = 500
_MAX_DEPTH = 8
# what feedparser reads of these is what we understand of an entry; all others it need not see
_READ = frozenset({"dc", "dcterms", "itunes", "media", "wfw"})
# these say what the entry itself says: its people, dates, categories, rights, replies
_OWN = {
    "itunes": frozenset({"author", "category", "keywords", "new-feed-url", "owner"}),
    "media": frozenset({"category", "keywords"}),
    "dc": frozenset(
        {
            "author",
            "contributor",
            "contributors",
            "creator",
            "date",
            "description",
            "language",
            "rights",
            "subject",
            "title",
        }
    ),
    "wfw": frozenset({"commentrss"}),
    "dcterms": frozenset(
        {"created", "creator", "date", "issued", "modified", "rights", "subject", "title"}
    ),
}
# tolerant parsing sees lower case only
_TRUE_NAMES = {
    name.lower(): name
    for name in """podcast:alternateEnclosure podcast:contentLink podcast:liveItem
    podcast:remoteItem podcast:socialInteract podcast:valueRecipient podcast:valueTimeSplit
    itunes:episodeType itunes:isClosedCaptioned georss:featureName geo:Point gml:Point
    gml:LineString gml:posList
    gml:Polygon gml:LinearRing gml:Envelope gml:lowerCorner gml:upperCorner media:backLinks
    media:peerLink media:starRating media:subTitle media:sceneTitle media:sceneDescription
    media:sceneStartTime media:sceneEndTime wfw:comment yt:videoId yt:channelId fileSize
    isDefault startTime endTime feedGuid feedUrl itemGuid accountId accountUrl customKey customValue
    remotePercentage remoteStartTime srsName""".split()  # noqa: SIM905
}


class _Node:
    """An element that is still open."""

    __slots__ = ("attributes", "children", "name", "texts")

    def __init__(self, name: str, attributes: Iterable[tuple[str, str]]) -> None:
        self.name = name
        self.attributes = tuple(attributes)
        self.children: list[Extension] = []
        self.texts: list[str] = []

    def closed(self) -> Extension:
        text = "".join(self.texts).strip()
        return Extension(
            name=self.name,
            text=text or None,
            attributes=self.attributes,
            children=tuple(self.children),
        )


class Carrier:
    """Collects the elements of one document. `parser` is feedparser's, to ask where it is.

    `depth` tells how many elements that are carried are open, one in the other.
    """

    def __init__(self, parser: Any) -> None:
        self._parser = parser
        self._open: list[_Node] = []
        self.depth = 0
        self._seen = False

    @property
    def passing(self) -> bool:
        """Whether feedparser is to see what stands inside the element that is open."""
        return self._seen

    def wants(self, prefix: str | None, local: str) -> bool:
        """Whether an element that begins now is one to carry, or inside one."""
        if self.depth:
            return True
        parser = self._parser
        return not (
            prefix is None
            or not parser.inentry
            or parser.incontent
            or parser.insource
            or (prefix in _OWN and local.lower() in _OWN[prefix])
            or len(parser.entries[-1].get(CARRIED, ())) >= _MAX_ELEMENTS
        )

    def start(self, prefix: str | None, local: str, attributes: Mapping[str, str]) -> None:
        """Begins an element that it wants."""
        if not self.depth:
            self._seen = prefix in _READ
        self.depth += 1
        if prefix is not None and self.depth <= _MAX_DEPTH:
            self._open.append(_Node(f"{prefix}:{local}", attributes.items()))
        else:
            # what is inside an element nobody knows goes with it
            self._open.append(_Node("", ()))

    def data(self, text: str) -> None:
        """Text inside the element that is open."""
        self._open[-1].texts.append(text)

    def end(self) -> bool:
        """Ends the element that is open; tells whether it was the outermost."""
        self.depth -= 1
        node = self._open.pop()
        if node.name and self._open:
            if len(self._open[-1].children) < _MAX_ELEMENTS:
                self._open[-1].children.append(node.closed())
        elif node.name and self._parser.entries:
            self._parser.entries[-1].setdefault(CARRIED, []).append(node.closed())
        return not self.depth


class _Prefixes(dict[str | None, str | None]):
    """Our prefixes for the namespaces that were met."""

    def __missing__(self, namespace: str | None) -> str | None:
        prefix = self[namespace] = prefix_of(namespace)
        return prefix


_Mixin: Any = object


class CarryingStrict(_Mixin):  # type: ignore[misc]
    """For feedparser's parser of well-formed XML: begins once a vocabulary is declared."""

    def startPrefixMapping(self, prefix: str | None, uri: str | None) -> None:
        """Declares a namespace; the first that is kept has its elements looked at."""
        super().startPrefixMapping(prefix, uri)
        if "startElementNS" not in vars(self) and prefix_of(uri):
            self._carrier = Carrier(self)
            self._prefixes = _Prefixes()
            # on the instance: a feed without any pays nothing
            self._plain_start = super().startElementNS
            self._plain_end = super().endElementNS
            self.startElementNS = self._start_carried
            self.endElementNS = self._end_carried

    def _start_carried(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:
        namespace, local = name
        prefix, carrier = self._prefixes[namespace], self._carrier
        if (prefix is None and not carrier.depth) or not carrier.wants(prefix, local):
            self._plain_start(name, qname, attrs)
            return
        if not carrier.depth:
            self.handle_data = self._carried_data
        carrier.start(
            prefix, local, {each: value for (space, each), value in attrs.items() if not space}
        )
        if carrier.passing:
            self._plain_start(name, qname, attrs)

    def _carried_data(self, text: str, escape: int = 1) -> None:
        self._carrier.data(text)
        if self._carrier.passing:
            super().handle_data(text, escape)

    def _end_carried(self, name: tuple[str | None, str], qname: str | None) -> None:
        carrier = self._carrier
        if not carrier.depth:
            self._plain_end(name, qname)
            return
        if carrier.passing:
            self._plain_end(name, qname)
        if carrier.end():
            del self.handle_data


class CarryingLoose(_Mixin):  # type: ignore[misc]
    """For feedparser's tolerant parser, whose elements may end in any order or never."""

    def _loose_carrier(self) -> Carrier:
        if "_carrier" not in vars(self):
            self._carrier = Carrier(self)
            self._carried_tags: list[str] = []
        carrier: Carrier = self._carrier
        return carrier

    def unknown_starttag(self, tag: str, attrs: Any) -> None:
        """Starts an element; feedparser sees it in any case."""
        super().unknown_starttag(tag, attrs)
        carrier = self._loose_carrier()
        given, colon, _ = tag.partition(":")
        spaces = self.namespaces_in_use
        known = self.namespacemap.get(given, given)
        prefix = prefix_of(spaces.get(known)) if colon else None
        if colon and prefix is None and given in VOCABULARIES and known not in spaces:
            prefix = given  # nobody declared it, and everybody knows it
        if prefix is None and not carrier.depth:
            return
        if tag in ("item", "entry"):
            self._close_carried(None)
            return
        local = tag.rpartition(":")[2]
        true = _TRUE_NAMES.get(f"{prefix}:{local}", f"{prefix}:{local}").partition(":")[2]
        named = {
            _TRUE_NAMES.get(name, name): unescape(value or "")
            for name, value in attrs
            if ":" not in name and name != "xmlns"
        }
        if carrier.wants(prefix, true):
            carrier.start(prefix, true, named)
            self._carried_tags.append(tag)

    def unknown_endtag(self, tag: str) -> None:
        """Ends an element, and those inside it that nobody ended."""
        super().unknown_endtag(tag)
        if self._loose_carrier().depth:
            self._close_carried(tag)

    def _close_carried(self, tag: str | None) -> None:
        outer = tag in (None, "item", "entry", "channel", "feed")
        if not outer and tag not in self._carried_tags:
            return
        while self._carried_tags:
            self._carrier.end()
            if self._carried_tags.pop() == tag:
                return

    def handle_data(self, text: str, escape: int = 1) -> None:
        """Takes text in."""
        if self._loose_carrier().depth:
            self._carrier.data(unescape(text))
        super().handle_data(text, escape)

    def handle_charref(self, ref: str) -> None:
        """Takes a character reference in."""
        if self._loose_carrier().depth:
            self._carrier.data(unescape(f"&#{ref};"))
        super().handle_charref(ref)

    def handle_entityref(self, ref: str) -> None:
        """Takes an entity reference in."""
        if self._loose_carrier().depth:
            self._carrier.data(unescape(f"&{ref};"))
        super().handle_entityref(ref)
