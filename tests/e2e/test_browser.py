"""The pages in headless Chromium: what a user sees, not what the template meant."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import html

from feedsvc.keys import entry_key
from tests.chromium import FLAGS, Browser, Seen, program
from tests.feedserver import FeedServer
from tests.service import Service
from tests.xss import VECTORS, atom, documents, jsonfeed, rss

pytestmark = pytest.mark.browser
TITLE = "Istanbul Diplomacy: U.S. and Russia Seek to Normalize Embassy Operations"


def chromium(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [program(), *FLAGS, f"--user-data-dir={folder}", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Content Security Policy" not in done.stderr
    return done.stdout


def look(folder: Path, url: str) -> html.HtmlElement:
    """The page's document as the browser holds it after loading."""
    return html.document_fromstring(chromium(folder, "--enable-logging=stderr", "--dump-dom", url))


def test_a_reader_finds_the_way(make_service: Callable[..., Service], tmp_path: Path) -> None:
    service = make_service().start()
    service.wait_for_text("/feeds/all.atom", 'rel="related"')
    profile = tmp_path / "profile"
    home = look(profile, service.base_url + "/")
    feeds = home.xpath("//link[@rel='alternate']/@type")
    assert "application/atom+xml" in feeds
    link = next(a for a in home.iter("a") if TITLE in a.text_content())

    href = link.get("href")
    assert href
    entry = look(profile, href if "://" in href else service.base_url + href)
    text = entry.text_content()
    assert TITLE in text
    assert "departed the Russian consulate after six hours" in text
    assert "(With inputs from agencies.)" in text
    assert "New Era: Alexander Darchiev as Russian Ambassador to the U.S." in text

    for path in ("/tags", "/tags/diplomacy", "/sources", "/search?q=istanbul", "/feeds/all"):
        page = look(profile, service.base_url + path)
        assert page.xpath("count(//h1)") == 1, path
        assert page.xpath("//main"), path
        assert page.xpath("//html/@lang"), path


def test_the_pages_have_pixels(make_service: Callable[..., Service], tmp_path: Path) -> None:
    service = make_service().start()
    service.wait_for_text("/feeds/all.atom", TITLE)
    picture = tmp_path / "home.png"
    chromium(
        tmp_path / "profile",
        f"--screenshot={picture}",
        "--window-size=1000,1400",
        service.base_url + "/",
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000


HOSTILE = """
[poll]
allow_private = ["{address}"]
[[sources]]
location = "seeds"
"""
# what a picture, a sound and a player that the vectors name are asked for
HARMLESS = {"Image", "Media"}
PLAYER = ("Document", "www.youtube-nocookie.com")


def foreign(seen: Seen, own: str) -> list[tuple[str, str]]:
    """Requests to other hosts, but for what pages may show."""
    found = [(kind, url) for kind, url in seen.requests if url[:5] != "data:"]
    hosts = [(kind, urlsplit(url).netloc, url) for kind, url in found if kind not in HARMLESS]
    return [(kind, url) for kind, host, url in hosts if host != own and (kind, host) != PLAYER]


def test_no_vector_runs_on_any_page(
    make_service: Callable[..., Service], feed_server: FeedServer, tmp_path: Path
) -> None:
    service = make_service(seeds=False)
    service.seeds.mkdir()
    config = HOSTILE.format(address=feed_server.address)
    for number, vector in enumerate(VECTORS):
        for name, body in documents(number, vector):
            (service.seeds / name).write_bytes(body)
        for kind, write in (("rss", rss), ("atom", atom), ("json", jsonfeed)):
            media_type = "application/feed+json" if kind == "json" else "application/xml"
            feed_server.serve(
                f"/{number}.{kind}", write(number, vector), headers={"Content-Type": media_type}
            )
            location = feed_server.url(f"/{number}.{kind}")
            config += f'[[sources]]\nlocation = "{location}"\n'
    service.config(config)
    service.command("poll", "--once", "--all")
    service.start()
    paths = ["/", "/tags", "/sources", "/search?q=alert", "/feeds/all?limit=500"]
    cursor: str | None = "/feeds/all.json?limit=500&dupes=keep"
    count = 0
    while cursor:
        feed = json.loads(service.get(cursor).body)
        count += len(feed["items"])
        paths += [f"/entries/{entry_key(item['id'])}" for item in feed["items"]]
        cursor = (feed.get("next_url") or "").removeprefix(service.base_url)
    assert count == 8 * len(VECTORS)

    async def look() -> Seen:
        async with Browser(tmp_path / "profile") as browser:
            return await browser.visit(service.base_url + path for path in paths)

    seen = asyncio.run(look())
    assert seen.loaded == len(paths)
    assert seen.dialogs == []
    security = [m for m in seen.messages if m.startswith(("security", "script", "javascript"))]
    assert security == []
    assert foreign(seen, urlsplit(service.base_url).netloc) == []


def test_the_browser_tells_what_runs(feed_server: FeedServer, tmp_path: Path) -> None:
    """The vectors as they are; Expect dialogs without a policy, complaints under one."""
    page = (
        b"<!doctype html><title>x</title><body>"
        + "\n".join(VECTORS[:40]).encode()
        + b"<script>alert(7)</script>"
    )
    html_type = {"Content-Type": "text/html"}
    feed_server.serve("/bare", page, headers=html_type)
    policy = {"Content-Security-Policy": "default-src 'none'"}
    feed_server.serve("/strict", page, headers=html_type | policy)

    async def look() -> tuple[Seen, Seen]:
        async with Browser(tmp_path / "profile") as browser:
            return (
                await browser.visit([feed_server.url("/bare")]),
                await browser.visit([feed_server.url("/strict")]),
            )

    bare, strict = asyncio.run(look())
    assert bare.dialogs
    assert not strict.dialogs
    assert any(message.startswith("security") for message in strict.messages)
