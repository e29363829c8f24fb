"""Elements that mean something only in their place: what is not sound goes, and harms no reader."""

from dataclasses import replace

import feedparser
import pytest

from feedsvc.formats import FORMATS
from feedsvc.model import Source
from feedsvc.normalise.entry import normalise
from feedsvc.sources.webfeed import parse_feed
from feedsvc.vocabulary import Extension, flat
from tests.conformance.corpora_view import NOW
from tests.conformance.format_documents import DOCUMENT, RICH

FEED = """<rss version="2.0" xmlns:georss="http://www.georss.org/georss"
 xmlns:gml="http://www.opengis.net/gml" xmlns:psc="http://podlove.org/simple-chapters">
<channel><title>T</title><link>https://a.example/</link><item><title>One</title>
<guid isPermaLink="false">urn:1</guid>{}</item></channel></rss>"""
WHERE = "<georss:where>{}</georss:where>"
POINT = '<gml:Point srsName="{}"><gml:pos>45.2 -71.9</gml:pos></gml:Point>'
RING = "<gml:{0}><gml:exterior><gml:LinearRing><gml:posList>{1}</gml:posList></gml:LinearRing>\
</gml:exterior></gml:{0}>"


def carried(markup: str) -> tuple[Extension, ...]:
    """What an entry with this markup carries, after every XML format has been read again."""
    (parsed,) = parse_feed(FEED.format(markup).encode()).entries
    source = Source(id="a", kind="feed", location="https://a.example/feed")
    found = normalise(parsed, source=source, meta=None, authority="x.example,2026", now=NOW)
    shown = replace(RICH, extensions=found.extensions)
    for suffix in ("atom", "rss"):
        format = FORMATS[suffix]
        again = feedparser.parse(format.assemble(DOCUMENT, [format.fragment(shown)]))
        assert not again.bozo, again.get("bozo_exception")
        assert len(again.entries) == 1
    return tuple(flat(found.extensions))


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (WHERE.format(POINT.format("EPSG:4326")), "45.2 -71.9"),
        ("<georss:point>45.256 -71.92</georss:point>", "45.256 -71.92"),
        ("<georss:line>45.256,-110.45 46.46,-1.09e2 .5 -.5</georss:line>", "45.256,-110.45"),
        (WHERE.format(RING.format("Polygon", "1 2 3 4 5 6 1 2")), "1 2 3 4 5 6 1 2"),
    ],
)
def test_sound_places_stay(markup: str, text: str) -> None:
    assert any((one.text or "").startswith(text) for one in carried(markup))


@pytest.mark.parametrize(
    "markup",
    [
        POINT.format("EPSG:4326"),
        "<gml:pos>1 2</gml:pos>",
        RING.format("Polygon", "1 2 3 4"),
        "<georss:point>45.256 north</georss:point>",
        "<georss:box>here and there</georss:box>",
        '<psc:chapter start="00:01:00" title="Stray"/>',
        '<psc:chapters version="1.2"><psc:chapter title="No start"/></psc:chapters>',
    ],
)
def test_what_is_not_sound_goes(markup: str) -> None:
    assert not [one for one in carried(markup) if one.text or one.name == "psc:chapter"]


def test_coordinates_that_are_none_go_and_the_place_around_them() -> None:
    assert carried(WHERE.format(RING.format("Polygon", "1 2 x 4"))) == ()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("EPSG:4326", "urn:ogc:def:crs:EPSG::4326"),
        ("urn:ogc:def:crs:EPSG:6.6:4326", "urn:ogc:def:crs:EPSG::4326"),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "urn:ogc:def:crs:EPSG::4326"),
        (
            "http://www.opengis.net/gml/srs/epsg.xml#4326",
            "http://www.opengis.net/gml/srs/epsg.xml#4326",
        ),
        ("EPSG:497`", None),
        ("EPSG", None),
    ],
)
def test_reference_systems_are_written_in_one_way(said: str, kept: str | None) -> None:
    (point,) = (one for one in carried(WHERE.format(POINT.format(said))) if one.name == "gml:Point")
    assert point.get("srsName") == kept
