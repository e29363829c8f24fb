"""The pages in headless Chromium: what a user sees, not what the template meant."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import html

from tests.service import Service

pytestmark = pytest.mark.browser
TITLE = "Istanbul Diplomacy: U.S. and Russia Seek to Normalize Embassy Operations"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
)


def chromium(folder: Path, *arguments: str) -> str:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium is not installed: apt-get install chromium"
    done = subprocess.run(
        [program, *FLAGS, f"--user-data-dir={folder}", *arguments],
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
