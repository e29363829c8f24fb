"""The web pages on a real store: what stands on them, where their links lead, what they allow."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from lxml import html
from msgspec.structs import replace as with_fields
from werkzeug.test import Client

from feedsvc.keys import entry_key
from feedsvc.model import Link, Person, PollState, SourceMeta, Tag, Text
from feedsvc.normalise.html import clean
from feedsvc.polls import Move, PollRecord
from feedsvc.store.base import PollResult, RelatedLink
from feedsvc.web import create_app
from tests.weblib import ISTANBUL, START, World, entry, fill, open_world, trouble

BASE = "http://127.0.0.1:8080"
RICH = entry_key("tag:seeds.example.org,2025:istanbul")
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path)
    with world.runtime:
        yield fill(world)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a world that no test changes."""
    world = open_world(tmp_path_factory.mktemp("pages"))
    with world.runtime:
        yield client_of(fill(world))


def client_of(world: World) -> Client:
    world.clock.tick(hours=1)
    return create_app(world.runtime).test_client()


def page(client: Client, path: str, status: int = 200) -> html.HtmlElement:
    reply = client.get(path, headers={"Accept": "text/html"})
    assert reply.status_code == status, path
    return html.document_fromstring(reply.data)


def text(element: html.HtmlElement) -> str:
    return " ".join(str(element.text_content()).split())


def test_every_page_is_sound_and_every_link_leads_somewhere(client: Client) -> None:
    """Walks the site from the front page; Expect sound pages and no dead link of our own."""
    waiting, seen = deque(["/", "/search?q=tag:diplomacy", "/search?q=(broken"]), set()
    while waiting:
        path = waiting.popleft()
        if path in seen:
            continue
        seen.add(path)
        reply = client.get(path, headers={"Accept": "text/html"})
        assert reply.status_code == (400 if path.endswith("(broken") else 200), path
        if not reply.headers["Content-Type"].startswith("text/html"):
            continue
        tree = html.document_fromstring(reply.data)
        assert_sound(tree, path)
        for reference in tree.xpath("//a/@href | //link/@href"):
            target = urljoin(BASE + path, reference)
            if target.startswith(BASE) and not reference.startswith("#"):
                parts = urlsplit(target)
                waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))
    assert {"/tags", "/sources", f"/entries/{RICH}", "/opml", "/feeds/diplomacy"} <= seen
    assert any(path.startswith("/static/style.css") for path in seen)


def assert_sound(tree: html.HtmlElement, path: str) -> None:
    """One h1, headings in order, landmarks, unique ids, labels, nothing that could run."""
    assert tree.get("lang") == "en", path
    assert tree.xpath("count(//h1)") == 1, path
    levels = [int(one.tag[1]) for one in tree.xpath("//h1|//h2|//h3|//h4") if one.tag != "h1"]
    assert all(b - a <= 1 for a, b in zip([1, *levels], levels, strict=False)), (path, levels)
    for landmark in ("header", "nav", "main", "footer"):
        assert tree.xpath(f"//body/{landmark} | //body/*/{landmark}"), (path, landmark)
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids)), path
    assert tree.xpath("//a[@class='skip']/@href") == ["#main"]
    assert tree.xpath("//label/@for") == ["q"]
    assert text(tree.find(".//title"))
    assert not tree.xpath("//script | //style | //@style | //@*[starts-with(name(), 'on')]"), path
    for resource in tree.xpath("//link[@rel='stylesheet' or @rel='icon']/@href"):
        assert resource.startswith("/static/")


def test_pages_bring_a_strict_policy(client: Client) -> None:
    for path in ("/", "/tags", "/sources", f"/entries/{RICH}", "/search", "/feeds/all", "/nothing"):
        headers = client.get(path, headers={"Accept": "text/html"}).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; img-src * data:; style-src 'self'")
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in headers


def test_the_front_page_shows_the_way(client: Client) -> None:
    tree = page(client, "/")
    assert "The Wire" in text(tree.find(".//title"))
    assert text(tree.xpath("//article//a")[0]) == ISTANBUL
    assert len(tree.xpath("//article")) == 13
    found = tree.xpath("//link[@rel='alternate']/@href")
    assert found == ["/feeds/all.atom", "/feeds/all.rss", "/feeds/all.json"]
    assert "/feeds/long-reads" in tree.xpath("//a/@href")
    assert "/tags/diplomacy" in tree.xpath("//a/@href")
    assert tree.xpath("//form[@role='search']/@action") == ["/search"]


def test_older_leads_through_everything(client: Client) -> None:
    for start in (
        "/?limit=5",
        "/tags/world?limit=5",
        "/search?q=report&limit=5",
        "/feeds/all?limit=5",
    ):
        seen: list[str] = []
        path: str | None = start
        while path:
            tree = page(client, path)
            assert len(tree.xpath("//article")) <= 5
            seen += [text(one) for one in tree.xpath("//article//h2 | //article//h3")]
            following = tree.xpath("//a[@rel='next']/@href")
            assert following == tree.xpath("//link[@rel='next']/@href")
            path = following[0] if following else None
        assert len(seen) == len(set(seen))
        assert len(seen) >= 12, start


def test_an_entry_tells_all_there_is(client: Client) -> None:
    tree = page(client, f"/entries/{RICH}")
    assert text(tree.find(".//h1")) == ISTANBUL
    article = tree.find(".//article")
    assert article.get("lang") == "en"
    assert tree.xpath("//article//time/@datetime")[0] == "2025-04-20T09:00:00Z"
    words = text(tree.find(".//main"))
    for part in (
        "Delegations met in Istanbul.",
        "delegations convened",
        "(With inputs from agencies.)",
        "A. Correspondent",
        "Seeds",
        "talk.mp3",
        "audio/mpeg, 1.2 MB",
        "A headline that never came",
    ):
        assert part in words, part
    assert tree.xpath("//audio/@src") == ["https://cdn.example.org/talk.mp3"]
    assert tree.xpath("//div[@class='content']//em")
    titles = tree.xpath("//a[@href='/tags/united-states']/@title")
    assert titles == ["given by a rule of the configuration (U.S.)"]
    assert "A headline that never came" not in tree.xpath("//a/text()")


def test_related_entries_are_linked_with_a_reason(world: World) -> None:
    other = entry_key("tag:bbc.example.org,2025:n3")
    link = RelatedLink(
        target=other, kind="content", score=0.7, reason="both name Istanbul", position=0
    )
    world.runtime.store.put_related(RICH, [link], kind="content", now=world.clock())
    tree = page(client_of(world), f"/entries/{RICH}")
    item = next(one for one in tree.xpath("//ul[@class='related']/li") if one.xpath(".//a"))
    assert item.xpath(".//a/@href") == [f"/entries/{other}"]
    assert "both name Istanbul" in text(item)
    assert "Report number 3" in text(item)


def test_a_withdrawn_entry_is_gone_and_an_unknown_one_not_found(world: World) -> None:
    world.poll("seeds", removed=["istanbul"])
    client = client_of(world)
    gone = page(client, f"/entries/{RICH}", 410)
    assert "withdrawn" in text(gone.find(".//main"))
    assert ISTANBUL not in text(gone)
    for key in (entry_key("tag:nobody"), "short", "%00" * 13, RICH.upper(), "a/b"):
        assert client.get(f"/entries/{key}").status_code in (400, 404), key


def test_an_entry_shows_what_changed_of_it(world: World) -> None:
    world.source("edited")
    first = entry("edited", "one", f"Old {ATTACK}", content=Text(value="Rain on Monday."))
    world.poll("edited", [first])
    world.clock.tick(hours=1)
    second = replace(
        first, title="New", digest="2", content=Text(value="Rain on Tuesday, and more rain.")
    )
    world.poll("edited", [second])
    seen = f"{world.clock():%-d %B %Y, %H:%M} UTC"
    client = client_of(world)
    found = page(client, f"/entries/{first.key}")
    assert f"What changed: 1 time, last on {seen}." in text(found)
    found = page(client, f"/entries/{first.key}/revisions")
    assert [text(one) for one in found.xpath("//main//h2 | //main//h3")] == [seen, "Title", "Text"]
    assert [one.text for one in found.xpath("//main//del")][1:] == [f"Old {ATTACK}", "Monday"]
    assert [one.text for one in found.xpath("//main//ins")][1:] == [
        "New",
        "Tuesday, and more rain",
    ]
    assert not found.xpath("//main//script | //main//img")
    unchanged = page(client, f"/entries/{RICH}/revisions")
    assert "No earlier version is kept" in text(unchanged)
    page(client, "/entries/nothing/revisions", 404)


def test_nothing_from_outside_becomes_markup(world: World) -> None:
    """Hostile text in every field that is text; Expect it to stay text."""
    hostile = entry(
        "evil",
        "1",
        ATTACK,
        published=START,
        summary=Text(value=ATTACK),
        content=Text(value=ATTACK),
        credit=ATTACK,
        rights=ATTACK,
        link="https://evil.example.org/?a=1&b=%22",
        authors=(Person(name=ATTACK),),
        references=(ATTACK,),
        tags=(Tag(slug="attack", label=ATTACK, origin="rule", evidence=ATTACK),),
        links=(Link(href="https://e.example.org/x", rel="enclosure", type=ATTACK, title=ATTACK),),
    )
    world.source("evil", title=ATTACK)
    world.poll(
        "evil",
        [hostile],
        meta=SourceMeta(title=ATTACK),
        error=ATTACK,
        problems=trouble(ATTACK),
    )
    client = client_of(world)
    paths = (
        "/", "/tags", "/tags/attack", "/sources", f"/entries/{hostile.key}", "/feeds/sources/evil",
        "/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/search?q=%22%3Cimg+src=x+onerror=alert(1)%3E",
        "/feeds/%3Cscript%3Ealert(1)%3C/script%3E", "/entries/%3Cscript%3E",
        "/feeds/all?limit=%3Cscript%3E",
    )  # fmt: skip
    for path in paths:
        body = client.get(path, headers={"Accept": "text/html"}).get_data(as_text=True)
        assert "<script" not in body, path
        assert "<img" not in body, path
        assert "onerror=" not in re.sub(r">[^<]*<|\"[^\"]*\"", "><", body), path
    assert ATTACK in text(page(client, f"/entries/{hostile.key}").find(".//h1"))


def test_players_may_play_and_nothing_else(world: World) -> None:
    """Content through the real sanitiser; Expect the policy to let in what it leaves in place."""
    frames = [
        "https://www.youtube-nocookie.com/embed/1",
        "https://player.vimeo.com/video/1",
        "https://open.spotify.com/embed/track/1",
        "https://w.soundcloud.com/player/?url=1",
        "https://bandcamp.com/EmbeddedPlayer/album=1",
        "https://archive.org/embed/1",
        "https://framatube.org/videos/embed/1",
    ]
    hostile = "https://evil.example.org/embed/1"
    source = "".join(f'<iframe src="{url}"></iframe>' for url in [*frames, hostile])
    content = clean(source, base="https://bbc.example.org/")
    made = entry("bbc", "film", "A film", content=Text(value=content, type="html"))
    world.poll("bbc", [made])
    reply = client_of(world).get(f"/entries/{made.key}")
    left = html.document_fromstring(reply.data).xpath("//iframe")
    assert len(left) == len(frames)
    policy = reply.headers["Content-Security-Policy"]
    allowed = re.search(r"frame-src ([^;]*)", policy)
    assert allowed
    for frame in left:
        assert "://".join(urlsplit(frame.get("src"))[:2]) in allowed[1].split()
        assert frame.get("referrerpolicy") == "strict-origin"
    assert "evil.example.org" not in policy


def test_sources_say_how_they_are_and_what_to_do(world: World) -> None:
    world.poll("seeds", problems=trouble("a.txt", "b.txt"))
    tree = page(client_of(world), "/sources")
    by_id = {one.get("id"): one for one in tree.xpath("//ul[@class='sources']/li")}
    assert list(by_id) == ["bbc", "broken", "seeds"]
    assert "BBC News" in text(by_id["bbc"])
    assert by_id["bbc"].xpath(".//span[@class='state ok']")
    assert "HTTP 200" in text(by_id["bbc"])
    broken = text(by_id["broken"])
    assert "404 Not Found" in broken
    assert "3 in a row" in broken
    assert "look for the feed's new address" in broken
    assert "a.txt" in text(by_id["seeds"])
    assert "2 documents could not be read" in text(by_id["seeds"])
    assert "2 with trouble" in text(tree.find(".//main"))
    whole = html.tostring(tree).decode()
    for secret in ("hunter2", "s3cret"):
        assert secret not in whole


def test_a_source_tells_why_it_is_polled_when_and_how_its_polls_went(world: World) -> None:
    record = PollRecord(at=world.clock(), outcome="new", status=200, new=3, bytes=2048)
    move = Move(old="https://a/", new="https://b/", first_at=world.clock(), polls=2)
    state = PollState(
        next_at=world.clock(), last_at=world.clock(), why="every 45 min: x", move=move
    )
    store = world.runtime.store
    (claim,) = store.claim_due(
        now=world.clock(),
        owner="me",
        lease=timedelta(minutes=1),
        limit=1,
        only=["bbc"],
        ignore_schedule=True,
    )
    store.finish_poll(
        claim, PollResult(state=with_fields(state, history=(record,) * 2)), world.clock()
    )
    client = client_of(world)
    listed = page(client, "/sources").get_element_by_id("bbc")
    assert "every 45 min: x" in text(listed)
    assert listed.xpath(".//a/@href")[-1] == "/sources/bbc"
    tree = page(client, "/sources/bbc")
    told = text(tree.find(".//main"))
    assert "every 45 min: x" in told
    assert "moved for good to https://b/ (seen 2 times since" in told
    rows = [[text(cell) for cell in row] for row in tree.xpath("//tbody/tr")]
    assert [row[1:] for row in rows] == [["3 new entries", "200", "0.0 s", "2 kB"]] * 2
    assert "look for the feed's new address" in text(page(client, "/sources/broken"))
    assert client.get("/sources/nobody").status_code == 404
    for secret in ("hunter2", "s3cret"):
        assert secret not in text(page(client, "/sources/broken"))


def test_search_finds_explains_and_points(client: Client) -> None:
    assert "What can be asked" in text(page(client, "/search"))
    tree = page(client, "/search?q=Embassy%20tag:DIPLOMACY")
    assert [text(one) for one in tree.xpath("//article//h2")] == [ISTANBUL]
    assert tree.xpath("//input[@name='q']/@value") == ["Embassy tag:DIPLOMACY"]
    feed = tree.xpath("//link[@type='application/atom+xml']/@href")[0]
    assert feed == "/feeds/query.atom?q=embassy%20tag:diplomacy"
    assert ISTANBUL.encode() in client.get(feed).data

    wrong = page(client, "/search?q=tag:a%20(b", 400)
    lines = str(wrong.xpath("string(//pre)")).split("\n")
    assert lines[0] == "tag:a (b"
    assert re.fullmatch(r" *\^", lines[1])
    assert wrong.xpath("//input[@name='q']/@value") == ["tag:a (b"]
    assert "Nothing matches" in text(page(client, "/search?q=zzzzzz"))

    for path in ("/search?q=tag:diplomcy%20embassy", "/tags/diplomcy"):
        meant = page(client, path).xpath("//main//a[code]")
        assert [text(one) for one in meant] == ["diplomacy"]
        assert page(client, meant[0].get("href")).xpath("//article")


def test_every_example_of_the_search_page_can_be_asked(client: Client) -> None:
    examples = page(client, "/search").xpath("//dl[@class='help']//a/@href")
    assert len(examples) > 5
    for example in examples:
        page(client, example)


def test_a_tag_has_a_page_of_its_own(client: Client) -> None:
    tree = page(client, "/tags/diplomacy,united-states")
    assert text(tree.find(".//h1")) == "Diplomacy, United States"
    assert "/feeds/tags/diplomacy,united-states.rss" in tree.xpath("//a/@href")
    moved = client.get("/tags/usa,Diplomacy?limit=3")
    assert (moved.status_code, moved.headers["Location"]) == (
        301,
        "/tags/diplomacy,united-states?limit=3",
    )
    assert "No entries yet" in text(page(client, "/tags/unheard-of"))
    beside = page(client, "/tags/diplomacy").xpath("//p[@class='beside']")
    assert "/tags/world" in beside[0].xpath("a/@href")
    assert client.get("/tags/,").status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/tags", "/tags/world", "/sources", f"/entries/{RICH}", "/search?q=report"]
)
def test_pages_are_answered_304_until_they_change(world: World, path: str) -> None:
    client = client_of(world)
    first = client.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    condition = {"If-None-Match": first.headers["ETag"]}
    assert client.get(path, headers=condition).status_code == 304
    assert client.get(path, headers=condition | {"Accept-Encoding": "gzip"}).status_code == 200
    changed = entry("seeds", "istanbul", "Another title", published=START, tags=("world",))
    world.poll("seeds", [changed, entry("bbc", "more", "One more report", tags=("world",))])
    assert client.get(path, headers=condition).status_code == 200


def test_static_files_hold_for_good_under_their_own_address(client: Client) -> None:
    style = page(client, "/").xpath("//link[@rel='stylesheet']/@href")[0]
    reply = client.get(style)
    assert reply.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in reply.headers["Cache-Control"]
    assert "immutable" not in client.get("/static/style.css").headers["Cache-Control"]
    assert client.get("/static/style.css?v=").headers["Cache-Control"] == "public, max-age=3600"
    for name in ("nothing.css", "..%2Fpages.py", "%2e%2e/pages.py"):
        assert client.get(f"/static/{name}").status_code == 404


def test_an_empty_service_has_pages_too(tmp_path: Path) -> None:
    world = open_world(tmp_path)
    with world.runtime:
        client = client_of(world)
        assert "Nothing here yet" in text(page(client, "/"))
        assert "No tags yet" in text(page(client, "/tags"))
        assert "No sources yet" in text(page(client, "/sources"))
        assert "No entries yet" in text(page(client, "/feeds/all"))
