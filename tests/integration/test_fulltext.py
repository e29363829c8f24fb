"""Full text of entries: pages fetched once, politely, and kept with what the feed says."""

import asyncio
import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from feedsvc.doctor import examine_sources
from feedsvc.model import PollState, Source, StoredEntry
from feedsvc.notes import notes
from feedsvc.query import parse
from feedsvc.round import poll_once
from feedsvc.store.base import PollResult
from tests.badfeeds import Feed, Item, post
from tests.feedserver import Answer, FeedServer
from tests.store import empty_runtime
from tests.storekit import claim, entry

WORDS = "The council of the town decided on {word} after long talks about money and stone. "
PAGE = """<!DOCTYPE html><html lang="en"><head><title>{word} | The Example</title></head><body>
<header><nav><a href="/">Front page</a> <a href="/sport">Sport</a></nav></header>
<main><article><h1>{word}</h1>
<p>{text}</p>
<figure><img src="/pictures/{word}.jpg" alt="A picture"><figcaption>By night</figcaption></figure>
<p onclick="steal()">Read <a href="../more?utm_source=x">more</a>.<script>alert(1)</script></p>
<pre><code class="language-python">print("{word}")</code></pre>
</article></main>
<aside>Ten other stories that nobody asked for</aside><footer>Imprint</footer></body></html>"""


def page(word: str, *, times: int = 8) -> bytes:
    return PAGE.format(word=word, text=WORDS.format(word=word) * times).encode()


def serve(server: FeedServer, word: str, body: bytes | None = None, **answer: object) -> None:
    headers = {"Content-Type": "text/html; charset=utf-8"}
    server.serve(f"/news/{word}", body or page(word), **{"headers": headers, **answer})  # type: ignore[arg-type]


def item(server: FeedServer, word: str, **changes: object) -> Item:
    made = {"link": server.url(f"/news/{word}"), "guid": f"urn:{word}", "title": f"{word} news"}
    return post(1, **{**made, "text": f"A teaser of {word}.", **changes})


@pytest.fixture
def full(tmp_path: Path, feed_server: FeedServer) -> Iterator[Feed]:
    """A source with full text, and pages for three words."""
    for word in ("amber", "basalt", "cedar"):
        serve(feed_server, word)
    with Feed.on(tmp_path, feed_server, source="fulltext = true") as feed:
        yield feed


def content(stored: StoredEntry) -> str:
    return stored.entry.content.value if stored.entry.content else ""


def asked(feed: Feed, word: str) -> int:
    return len(feed.server.requests(f"/news/{word}"))


def trouble(feed: Feed) -> str:
    """What the source says of its pages."""
    status = feed.runtime.store.source("one")
    told = notes(status.state, feed.runtime.store.page_troubles().get("one"))
    return " ".join(note for note in told if note.startswith("full text: "))


def test_a_new_entry_has_the_text_of_its_page(full: Feed) -> None:
    full.poll([item(full.server, "amber")])
    stored = full.entries()["urn:amber"]
    html = content(stored)
    assert stored.entry.fulltext
    assert html.count("decided on amber") == 8
    assert "Ten other stories" not in html
    assert "Front page" not in html
    assert f'<img src="{full.server.url("/pictures/amber.jpg")}"' in html
    assert f'href="{full.server.url("/more")}"' in html
    assert "language-python" in html
    assert not any(word in html for word in ("script", "onclick", "steal", "utm_source"))
    assert stored.entry.summary is not None
    assert stored.entry.summary.value == "A teaser of amber."
    assert stored.entry.updated == stored.entry.published
    assert full.runtime.store.revisions(stored.entry.key) == ()
    assert full.runtime.store.find(parse("decided"), limit=5, now=full.now[0]).entries
    assert trouble(full) == ""


def test_nothing_flips_and_no_page_is_asked_for_twice(tmp_path: Path, full: Feed) -> None:
    first = [item(full.server, "amber")]
    full.poll(first)
    before = full.entries()["urn:amber"]
    full.poll(first)
    more = [item(full.server, "basalt"), *first]
    full.poll(more)
    # a store that is opened again, and a feed that must be read from its first to its last byte
    table = (tmp_path / "feedsvc.toml").read_text("utf-8")
    (tmp_path / "feedsvc.toml").write_text(f"{table}max_entries = 20\n", "utf-8")
    settings = {"POLL__ALLOW_PRIVATE": full.server.address}
    with empty_runtime(tmp_path, **settings) as runtime:
        runtime.declare()
        again = Feed(replace(runtime, clock=lambda: full.now[0]), full.server, now=full.now)
        again.poll(more)
        again.poll([item(full.server, "cedar"), *more])
        after = again.entries()
        assert after["urn:amber"].entry == before.entry
        assert all(stored.entry.fulltext for stored in after.values())
    assert [asked(full, word) for word in ("amber", "basalt", "cedar")] == [1, 1, 1]
    assert len(full.server.requests("/robots.txt")) == 1


def test_an_edit_keeps_the_text_and_has_the_page_read_again_in_its_time(full: Feed) -> None:
    full.poll([item(full.server, "amber")])
    was = full.entries()["urn:amber"]
    serve(full.server, "amber", page("amber", times=12))
    edited = item(full.server, "amber", title="amber news, corrected")
    full.poll([edited], hours=0.25)
    stored = full.entries()["urn:amber"]
    assert stored.entry.title == "amber news, corrected"
    assert stored.entry.updated > was.entry.updated
    assert content(stored) == content(was)
    assert asked(full, "amber") == 1
    # an hour after the first time it is read again, two hours after that once more
    moved = stored.entry.updated
    full.poll([edited], hours=1)
    stored = full.entries()["urn:amber"]
    assert content(stored).count("decided on amber") == 12
    assert stored.entry.updated == moved
    assert len(full.runtime.store.revisions(stored.entry.key)) == 1
    full.poll([item(full.server, "amber", title="amber, once more")], hours=1.5)
    assert asked(full, "amber") == 2
    full.poll([item(full.server, "amber", title="amber, once more")], hours=1)
    assert asked(full, "amber") == 3


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(status=404), "answered 404"),
        (Answer(status=410), "answered 410 Gone"),
        (Answer(body=b"%PDF-1.7", headers={"Content-Type": "application/pdf"}), "no web page but"),
        (Answer(body=b"<html></html>", headers={"Content-Type": "text/html"}), "no text that"),
        (Answer(body=b"x" * (9 << 20), headers={"Content-Type": "text/html"}), "8 MiB"),
        (Answer(status=302, headers={"Location": "http://127.0.0.1:9/"}), "not on the public"),
        (Answer(status=302, headers={"Location": "file:///etc/passwd"}), "not an http(s) URL"),
    ],
    ids=["404", "410", "pdf", "empty", "large", "private", "scheme"],
)
def test_a_page_that_fails_costs_its_own_text_only(full: Feed, answer: Answer, says: str) -> None:
    full.server.script("/news/basalt", answer)
    items = [item(full.server, "amber"), item(full.server, "basalt")]
    full.poll(items)
    found = full.entries()
    assert found["urn:amber"].entry.fulltext
    assert not found["urn:basalt"].entry.fulltext
    assert found["urn:basalt"].entry.summary is not None
    assert found["urn:basalt"].entry.summary.value == "A teaser of basalt."
    assert says in trouble(full)
    assert "1 page could not be read" in trouble(full)
    assert full.server.url("/news/basalt") in trouble(full)
    full.poll([item(full.server, "cedar"), *items], hours=30)
    assert asked(full, "basalt") == 1
    assert says in trouble(full)


def test_a_busy_server_is_left_alone_as_it_asks_and_tried_three_times(full: Feed) -> None:
    full.server.script(
        "/news/amber",
        Answer(status=503, headers={"Retry-After": "7200"}),
        Answer(status=500),
        Answer(status=500),
    )
    items = [item(full.server, "amber"), item(full.server, "basalt")]
    full.poll(items)
    assert asked(full, "amber") == 1
    assert "503" in trouble(full)
    assert full.entries()["urn:basalt"].entry.fulltext
    # all of that host rests, its feed included
    full.tick(hours=1)
    summary = asyncio.run(poll_once(full.runtime, ignore_schedule=True))
    assert "asked to be left alone" in summary.left_alone["one"]
    assert asked(full, "amber") == 1
    full.poll(items, hours=1.1)
    assert asked(full, "amber") == 2
    full.poll(items, hours=3.9)
    assert asked(full, "amber") == 2
    full.poll(items, hours=0.2)
    assert asked(full, "amber") == 3
    full.poll(items, hours=100)
    assert asked(full, "amber") == 3
    assert not full.entries()["urn:amber"].entry.fulltext


def test_a_page_that_was_busy_gets_its_text_later(full: Feed) -> None:
    good = Answer(body=page("amber"), headers={"Content-Type": "text/html"})
    full.server.script("/news/amber", Answer(status=502), good)
    full.poll([item(full.server, "amber")])
    assert "502" in trouble(full)
    full.poll([item(full.server, "amber")])
    assert full.entries()["urn:amber"].entry.fulltext
    assert trouble(full) == ""


def test_credentials_and_headers_go_to_the_feeds_own_origin_alone(
    tmp_path: Path, feed_servers: Callable[[], FeedServer]
) -> None:
    mine, other = feed_servers(), feed_servers()
    serve(mine, "amber")
    serve(other, "basalt")
    mine.redirect("/news/cedar", other.url("/news/cedar"))
    serve(other, "cedar")
    allowed = f'["{mine.address}", "{other.address}"]'
    table = 'fulltext = true\nauth = "me:secret"\nheaders = { X-Key = "k", Accept = "text/x-feed" }'
    with Feed.on(tmp_path, mine, source=table, POLL__ALLOW_PRIVATE=allowed) as feed:
        feed.poll([item(mine, "amber"), item(other, "basalt"), item(mine, "cedar")])
        assert all(stored.entry.fulltext for stored in feed.entries().values())
    secret = "Basic " + base64.b64encode(b"me:secret").decode()
    for word in ("amber", "cedar"):
        (request,) = mine.requests(f"/news/{word}")
        assert (request.headers["Authorization"], request.headers["X-Key"]) == (secret, "k")
        assert request.headers["Accept"].startswith("text/html")
        assert request.headers["User-Agent"].startswith("feedsvc/")
    for request in (*other.requests(), *mine.requests("/robots.txt")):
        assert request.headers["Authorization"] is None
        assert request.headers["X-Key"] is None
        assert request.headers["Cookie"] is None
        assert request.headers["Referer"] is None


def test_pages_of_a_public_feed_may_not_be_private(tmp_path: Path, feed_server: FeedServer) -> None:
    serve(feed_server, "amber")
    with Feed.on(tmp_path, feed_server) as feed:
        store, now = feed.runtime.store, feed.now[0]
        # a stranger's feed, whose address is a public one
        stranger = Source(id="s", kind="feed", location="https://93.184.215.14/f", fulltext=True)
        store.add_source(stranger, now)
        link = feed_server.url("/news/amber")
        brought = PollResult(
            state=PollState(next_at=now + timedelta(days=9)),
            entries=(entry("x", source="s", link=link),),
            pages=("x",),
        )
        store.finish_poll(claim(store, "s", now=now), brought, now)
        # nobody asks the stranger itself
        asyncio.run(poll_once(feed.runtime, only=["one"], ignore_schedule=True))
        assert feed_server.requests("/news/amber") == []
        assert feed_server.requests("/robots.txt") == []
        told = store.page_troubles()["s"]
        assert (told.failed, told.link) == (1, link)
        assert "only sources on private networks have pages read there" in told.error
        found = [one for one in examine_sources(feed.runtime) if one.subject == "source s"]
        assert [one.state for one in found] == ["warning"]
        assert link in found[0].message
        assert "take fulltext off" in found[0].remedy


def test_robots_txt_is_heeded_and_asked_for_once_a_day(full: Feed) -> None:
    rules = b"User-agent: *\nAllow: /\n\nUser-agent: feedsvc\nDisallow: /news/b*t$\n"
    full.server.serve("/robots.txt", rules)
    full.poll([item(full.server, "amber"), item(full.server, "basalt")])
    found = full.entries()
    assert found["urn:amber"].entry.fulltext
    assert not found["urn:basalt"].entry.fulltext
    assert asked(full, "basalt") == 0
    assert "robots.txt asks robots not to read it" in trouble(full)
    full.poll([item(full.server, "cedar")], hours=20)
    assert len(full.server.requests("/robots.txt")) == 1
    serve(full.server, "dune")
    full.poll([item(full.server, "dune")], hours=20)
    assert len(full.server.requests("/robots.txt")) == 2


def test_a_server_that_cannot_tell_its_robots_txt_is_not_read(full: Feed) -> None:
    full.server.script("/robots.txt", Answer(status=503), Answer(status=403))
    full.poll([item(full.server, "amber")])
    assert asked(full, "amber") == 0
    assert "503" in trouble(full)
    full.poll([item(full.server, "amber")])
    assert full.entries()["urn:amber"].entry.fulltext


def test_a_crawl_delay_keeps_pages_apart(full: Feed) -> None:
    full.server.serve("/robots.txt", b"User-agent: *\nCrawl-delay: 0.4\n")
    full.poll([item(full.server, word) for word in ("amber", "basalt")])
    assert all(stored.entry.fulltext for stored in full.entries().values())
    times = [
        one.at for word in ("amber", "basalt") for one in full.server.requests(f"/news/{word}")
    ]
    assert abs(times[0] - times[1]) >= 0.4


def test_what_the_feed_gives_in_full_is_not_replaced(full: Feed) -> None:
    text = f"<p>{WORDS.format(word='amber') * 20}</p><p>The end.</p>"
    full.poll([item(full.server, "amber", text=text), item(full.server, "basalt", link=None)])
    found = full.entries()
    assert content(found["urn:amber"]).endswith("<p>The end.</p>")
    assert not found["urn:amber"].entry.fulltext
    assert trouble(full) == ""


def test_tags_come_from_the_whole_text_and_stay(tmp_path: Path, feed_server: FeedServer) -> None:
    serve(feed_server, "amber", page("amber").replace(b"money", b"petroleum exports of Peru"))
    with Feed.on(tmp_path, feed_server, source='fulltext = true\ntags = ["x"]') as feed:
        feed.poll([item(feed_server, "amber")])
        before = feed.entries()["urn:amber"]
        assert {"x", "peru"} <= {tag.slug for tag in before.entry.tags}
        # another item makes the feed's frame new, so that all of it is read
        feed.poll_body(
            "<rss version='2.0'><channel><title>New</title><link>https://a.example/</link>"
            f"{item(feed_server, 'amber').xml()}</channel></rss>"
        )
        after = feed.entries()["urn:amber"]
        assert after.entry == before.entry


def test_sources_without_the_wish_read_no_page(tmp_path: Path, feed_server: FeedServer) -> None:
    serve(feed_server, "amber")
    with Feed.on(tmp_path, feed_server, source="tags = ['x']") as feed:
        feed.poll([item(feed_server, "amber")])
        assert feed_server.requests("/news/amber") == []
        # asked for later, it is for what comes then
        config = tmp_path / "feedsvc.toml"
        config.write_text(f"{config.read_text('utf-8')}fulltext = true\n", "utf-8")
        settings = {"POLL__ALLOW_PRIVATE": feed_server.address}
        with empty_runtime(tmp_path, **settings) as runtime:
            runtime.declare()
            serve(feed_server, "basalt")
            again = Feed(replace(runtime, clock=lambda: feed.now[0]), feed_server, now=feed.now)
            again.poll([item(feed_server, "amber"), item(feed_server, "basalt")])
        assert feed_server.requests("/news/amber") == []
        assert len(feed_server.requests("/news/basalt")) == 1
