"""What feeds say in other vocabularies: read, kept, and there again in every format we write."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest

from feedsvc.formats import FORMATS
from feedsvc.model import Entry, FeedDocument, FeedEntry, Link, Source
from feedsvc.normalise.entry import normalise, reconcile
from feedsvc.sources.webfeed import parse_feed
from feedsvc.store.codec import Payload, encode
from feedsvc.vocabulary import Extension, flat, pictures, seconds, without_texts
from tests.conformance.format_rules import faults

FEED = (Path(__file__).parent.parent / "data" / "feeds" / "vocabularies.xml").read_bytes()
URL = "https://cast.example/feed.xml"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = [
    *("itunes:duration", "itunes:season", "itunes:episode", "itunes:episodeType"),
    *("itunes:explicit", "itunes:image", "podcast:chapters", "podcast:transcript"),
    *("podcast:person", "podcast:soundbite", "podcast:location", "podcast:value", "media:group"),
    *("dc:publisher", "slash:comments", "thr:in-reply-to", "georss:point"),
    *("georss:where", "geo:lat", "geo:long", "psc:chapters"),
]


def entries(body: bytes) -> list[Entry]:
    source = Source(id="cast", kind="feed", location=URL)
    return [
        normalise(one, source=source, meta=None, authority="example.org,2026", now=NOW)
        for one in parse_feed(body, url=URL).entries
    ]


def item(inside: str, body: str = "") -> Entry:
    spaces = (
        'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
        'xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:podcast="https://podcastindex.org/namespace/1.0"'
    )
    text = f"<rss {spaces}><channel><item><title>T</title>{inside}</item>{body}</channel></rss>"
    return entries(text.encode())[0]


def rendered(entry: Entry, suffix: str) -> bytes:
    format = FORMATS[suffix]
    shown = FeedEntry(
        id=entry.id,
        title=entry.title,
        url=entry.link or "https://feeds.example/e",
        links=entry.links,
        published=entry.published,
        updated=entry.updated,
        authors=entry.authors,
        summary=entry.summary,
        content=entry.content,
        extensions=entry.extensions,
    )
    document = FeedDocument(
        id="tag:feeds.example,2026:all",
        title="All",
        updated=entry.updated,
        self_url="https://feeds.example/all",
        home_url="https://feeds.example/",
    )
    return format.assemble(document, [format.fragment(shown)])


def test_elements_are_kept_whole_and_in_order() -> None:
    episode, plain = entries(FEED)
    assert [one.name for one in episode.extensions] == NAMES
    found = {one.name: one for one in flat(episode.extensions)}
    assert found["itunes:image"].get("href") == "https://cast.example/1.jpg"
    assert found["podcast:transcript"].get("url") == "https://cast.example/1.vtt"
    assert found["podcast:person"] == Extension(
        name="podcast:person",
        text="Ann & Bob",
        attributes=(("role", "guest"), ("img", "https://cast.example/ann.jpg")),
    )
    assert found["podcast:soundbite"].get("startTime") == "33.8"
    assert found["podcast:valueRecipient"].get("split") == "50"
    assert found["gml:pos"].text == "45.256 -71.92"
    assert [one.get("title") for one in found["psc:chapters"].children] == ["Welcome", "News"]
    assert plain.extensions == ()
    assert [person.name for person in episode.authors] == ["Ann"]


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_what_goes_out_is_valid(suffix: str) -> None:
    for entry in (
        *entries(FEED),
        item('<itunes:duration>5</itunes:duration><enclosure url="/a"/>'),
    ):
        assert faults(suffix, rendered(entry, suffix)) == []


@pytest.mark.parametrize("suffix", ["atom", "rss"])
def test_what_came_goes_out_and_could_come_again(suffix: str) -> None:
    (episode, _), body = entries(FEED), b""
    body = rendered(episode, suffix)
    (again,) = entries(body)
    assert again.extensions == episode.extensions
    assert [x for x in again.links if x.rel == "enclosure"] == [
        x for x in episode.links if x.rel == "enclosure"
    ]
    theirs = feedparser.parse(body).entries[0]
    assert theirs["itunes_duration"] == "1:02:03"
    assert theirs["slash_comments"] == "17"
    assert theirs["media_thumbnail"][0]["url"] == "https://cast.example/thumb.jpg"
    assert theirs["where"]["coordinates"] == (-71.92, 45.256)
    if suffix == "rss":
        assert theirs["comments"] == "https://cast.example/1#comments"
        assert theirs["wfw_commentrss"] == "https://cast.example/1/feed"


def test_json_feed_has_its_own_words_and_ours() -> None:
    made: dict[str, Any] = json.loads(rendered(entries(FEED)[0], "json"))["items"][0]
    assert made["image"] == "https://cast.example/thumb.jpg"
    assert made["banner_image"] == "https://cast.example/still.jpg"
    files = {one["url"]: one.get("duration_in_seconds") for one in made["attachments"]}
    assert files == {"https://cast.example/1.mp3": 3723, "https://cast.example/1.mp4": 3724}
    carried = made["_feedsvc"]["extensions"]
    assert [one["name"] for one in carried] == NAMES
    assert {"name": "slash:comments", "text": "17"} in carried
    value = next(one for one in carried if one["name"] == "podcast:value")
    assert value["attributes"] == {"type": "lightning", "method": "keysend"}
    assert value["children"][0]["attributes"]["name"] == "Ann"


def test_a_duration_of_a_json_feed_goes_out_as_a_podcasts() -> None:
    body = json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "T",
            "items": [
                {
                    "id": "1",
                    "title": "One",
                    "image": "https://cast.example/i.jpg",
                    "attachments": [
                        {
                            "url": "https://cast.example/1.mp3",
                            "mime_type": "audio/mpeg",
                            "duration_in_seconds": 95,
                        }
                    ],
                }
            ],
        }
    )
    (entry,) = entries(body.encode())
    for suffix in ("atom", "rss"):
        theirs = feedparser.parse(rendered(entry, suffix)).entries[0]
        assert theirs["itunes_duration"] == "95"
        assert theirs["media_thumbnail"] == [{"url": "https://cast.example/i.jpg"}]
        assert faults(suffix, rendered(entry, suffix)) == []
        assert [one["href"] for one in theirs.enclosures] == ["https://cast.example/1.mp3"]
        assert entries(rendered(entry, suffix))[0].links[-1].duration == 95
    made = json.loads(rendered(entry, "json"))["items"][0]
    assert made["attachments"][0]["duration_in_seconds"] == 95
    assert made["image"] == "https://cast.example/i.jpg"


@pytest.mark.parametrize(
    "picture",
    [
        '<media:thumbnail url="https://e.example/p.jpg"/>',
        '<itunes:image href="https://e.example/p.jpg"/>',
        '<media:content url="https://e.example/p.jpg"/>',
        '<media:content url="https://e.example/p.jpg" type="image/jpeg"/>',
        '<media:content url="https://e.example/p.jpg" medium="image"/>',
        '<media:group><media:thumbnail url="https://e.example/p.jpg"/></media:group>',
        '<media:content><media:thumbnail url="https://e.example/p.jpg"/></media:content>',
    ],
)
def test_a_picture_of_an_entry_is_no_enclosure(picture: str) -> None:
    entry = item(f"<link>https://e.example/1</link>{picture}")
    assert entry.links == ()
    assert list(pictures(entry.extensions)) == ["https://e.example/p.jpg"]
    for suffix in FORMATS:
        assert b"enclosure" not in rendered(entry, suffix)


def test_a_picture_that_is_an_enclosure_stays_one() -> None:
    entry = item('<enclosure url="https://e.example/p.jpg" type="image/jpeg" length="9"/>')
    assert entry.links == (
        Link(href="https://e.example/p.jpg", rel="enclosure", type="image/jpeg", length=9),
    )


@pytest.mark.parametrize(
    ("said", "length"),
    [
        ("3600", 3600),
        ("1:00:00", 3600),
        ("01:02:03", 3723),
        ("59:30", 3570),
        (" 62.6 ", 63),
        ("1:02:03.5", 3724),
        ("0", None),
        ("", None),
        ("1h", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1:2:3:4", None),
        ("1e99", None),
    ],
)
def test_durations(said: str, length: int | None) -> None:
    assert seconds(said) == length
    entry = item(
        f'<itunes:duration>{said}</itunes:duration><enclosure url="https://e.example/1.mp3"/>'
    )
    assert [link.duration for link in entry.links] == [length]


def test_texts_that_say_nothing_new_are_not_told_twice() -> None:
    entry = item(
        "<description>&lt;p&gt;Notes &amp;amp; more&lt;/p&gt;</description>"
        "<itunes:title> T </itunes:title><itunes:summary>Notes &amp; more</itunes:summary>"
        "<itunes:subtitle>&lt;b&gt;Sub&lt;/b&gt;</itunes:subtitle>"
    )
    assert entry.extensions == (Extension(name="itunes:subtitle", text="Sub"),)
    assert without_texts(entry.extensions) == ()


@pytest.mark.parametrize(
    "odd",
    [
        "<slash:comments>many</slash:comments>",
        "<itunes:duration>forever</itunes:duration>",
        "<itunes:explicit>maybe</itunes:explicit>",
        "<itunes:episode>five</itunes:episode>",
        "<thr:total>-4</thr:total>",
        '<thr:in-reply-to ref="not an iri"/>',
        '<media:content medium="video"/>',
        '<media:thumbnail width="9"/>',
        '<podcast:chapters type="application/json+chapters"/>',
        '<podcast:chapters url="javascript:x" type="application/json+chapters"/>',
    ],
)
def test_what_has_not_its_form_goes(odd: str) -> None:
    assert item(odd).extensions == ()


def test_what_has_its_form_stays_beside_what_has_not() -> None:
    (content,) = item(
        '<media:content url="https://e.example/v.mp4" type="not a type" width="wide" height="9"/>'
    ).extensions
    assert content.attributes == (("url", "https://e.example/v.mp4"), ("height", "9"))
    sound = item(
        "<slash:comments>0</slash:comments><itunes:duration>1:02:03</itunes:duration>"
        "<itunes:explicit>False</itunes:explicit><podcast:episode>3.5</podcast:episode>"
        '<thr:in-reply-to ref="tag:e.example,2026:1"/>'
    ).extensions
    assert len(sound) == 5


def test_what_stands_in_a_text_by_mistake_stands_beside_it() -> None:
    entry = item('<media:title>Talk<media:player url="https://e.example/p"/></media:title>')
    assert entry.extensions == (
        Extension(name="media:title", text="Talk"),
        Extension(name="media:player", attributes=(("url", "https://e.example/p"),)),
    )


def test_ill_formed_feeds_lose_none_of_it() -> None:
    episode, plain = entries(FEED.replace(b"<title>All of it", b"<title>All & <of> it"))
    sound = entries(FEED)[0]
    assert [one.name for one in episode.extensions] == NAMES
    assert episode.extensions == sound.extensions
    assert plain.extensions == ()


def test_an_element_that_is_never_closed_ends_with_its_entry() -> None:
    first, second = entries(
        b'<rss xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel>'
        b"<item><title>One</title><podcast:person>Ann</item>"
        b"<item><title>Two</title><podcast:season>3</podcast:season></item></channel>"
    )
    assert first.extensions == (Extension(name="podcast:person", text="Ann"),)
    assert second.extensions == (Extension(name="podcast:season", text="3"),)


def test_a_flood_of_elements_is_bounded() -> None:
    many = item("<podcast:season>1</podcast:season>" * 5000)
    assert len(many.extensions) == 500
    deep = item("<podcast:value>" * 300 + "x" + "</podcast:value>" * 300)
    assert len(list(flat(deep.extensions))) <= 8
    wide = item(
        "<podcast:value>" + "<podcast:valueRecipient name='x'/>" * 5000 + "</podcast:value>"
    )
    assert len(list(flat(wide.extensions))) <= 501
    broken = item("<podcast:value>" * 3000, "&")
    assert len(list(flat(broken.extensions))) <= 8


def test_what_comes_later_is_written_without_another_date() -> None:
    before = item("<description>x</description>")
    after = item("<description>x</description><podcast:season>1</podcast:season>")
    counted = item("<description>x</description><slash:comments>1</slash:comments>")

    class Known:
        withdrawn = pruned = False
        tags = references = ()

        def __init__(self, entry: Entry) -> None:
            self.id, self.key, self.digest = entry.id, entry.key, entry.digest
            self.published, self.updated, self.dated = entry.published, entry.updated, entry.dated

    later = datetime(2026, 2, 1, tzinfo=UTC)
    written = reconcile(Known(before), after, later)
    assert written is not None
    assert written.extensions == after.extensions
    assert written.updated == before.updated
    assert reconcile(Known(after), after, later) is None
    assert reconcile(Known(before), counted, later) is None
    changed = reconcile(Known(after), item("<description>y</description>"), later)
    assert changed is not None
    assert changed.updated == later


def test_what_is_stored_without_them_is_as_before() -> None:
    assert encode(Payload(fallback_id="x")) == '{"fallback_id":"x"}'
