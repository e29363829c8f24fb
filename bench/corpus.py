"""Feeds as the Web has them, generated into a folder and served on a loopback port.

Three quarters are what a blog program writes (full posts with links, pictures, lists and quotes),
the rest Atom with posts in HTML and short news with a summary. The server is a process of its
own, so that what it costs is nobody's; it knows validators and answers 304.
"""

import hashlib
import random
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Self

from aiohttp import web

_TEXT = """
embassy talks restore delegation consulate diplomats property mission sea truce agreement
ministers parliament budget market oil price river flood hospital school election court ruling
satellite launch harvest railway port strike museum festival season coach final the of and to
in that for on with as was by at from has it its said after before under new old which would
could their people government city report week country first last year company energy water
road police union health research students coast mountain winter summer plan
"""
WORDS = _TEXT.split()
_TAGS = ("Politics", "World", "Economy", "Science", "Health", "Sports", "Culture", "Energy")
_FORGETFUL = "forgetful"
_START = datetime(2026, 1, 1, tzinfo=UTC)


class Corpus:
    """`feeds` feeds of `entries` entries each, served with ETag and 304 on a loopback port."""

    def __init__(self, feeds: int, entries: int = 30) -> None:
        self.feeds, self._entries = feeds, entries
        self._newest = [entries] * feeds
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name)
        for feed in range(feeds):
            self._write(feed)

    @property
    def urls(self) -> list[str]:
        """The address of every feed."""
        return [f"http://{self.address}/{number}.xml" for number in range(self.feeds)]

    def change(self, share: float) -> int:
        """Gives a share of the feeds one new entry each; returns how many feeds that is."""
        changed = range(0, self.feeds, max(1, round(1 / share)))
        for number in changed:
            self._newest[number] += 1
            self._write(number)
        return len(changed)

    @contextmanager
    def forgetful(self) -> Iterator[None]:
        """Has the server send whole bodies whatever is asked, as many servers do."""
        mark = self._path / _FORGETFUL
        mark.touch()
        yield
        mark.unlink()

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__, str(self._path)]
        root = Path(__file__).parent.parent
        self._server = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        assert self._server.stdout is not None
        self.address = self._server.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait()
        self._folder.cleanup()

    def body(self, feed: int) -> bytes:
        """A feed as it is now."""
        newest = self._newest[feed]
        write = _FORMATS[feed % len(_FORMATS)]
        return write(feed, range(newest, newest - self._entries, -1)).encode()

    def _write(self, feed: int) -> None:
        body = self.body(feed)
        new = self._path / "new"
        new.write_bytes(f'"{hashlib.sha256(body).hexdigest()[:16]}"\n'.encode() + body)
        new.rename(self._path / f"{feed}.xml")


def _date(number: int) -> str:
    return format_datetime(_START + timedelta(hours=number))


def _sentence(chance: random.Random, low: int, high: int) -> str:
    words = chance.choices(WORDS, k=chance.randint(low, high))
    return f"{' '.join(words).capitalize()}."


def _paragraph(chance: random.Random, url: str) -> str:
    parts = [_sentence(chance, 8, 22) for _ in range(chance.randint(2, 4))]
    place = chance.randrange(len(parts))
    parts[place] = f'<a href="{url}/{chance.randrange(99)}?utm_source=rss">{parts[place]}</a>'
    parts.append(
        f"<strong>{_sentence(chance, 2, 4)}</strong> It&#8217;s &#8220;so&#8221;&nbsp;&#8211;"
    )
    parts.append(f"<em>{_sentence(chance, 3, 6)}</em>")
    return f"<p>{' '.join(parts)}</p>\n"


def _post(chance: random.Random, url: str) -> str:
    """A blog post of about 3 KB."""
    picture = (
        f'<figure class="wp-block-image size-large"><a href="{url}/photo"><img loading="lazy" '
        f'decoding="async" width="1024" height="683" src="{url}/photo-1024x683.jpg" alt="A photo" '
        f'class="wp-image-{chance.randrange(9999)}" srcset="{url}/photo-1024x683.jpg 1024w, '
        f'{url}/photo-300x200.jpg 300w" sizes="(max-width: 1024px) 100vw, 1024px" /></a>'
        f"<figcaption>{_sentence(chance, 4, 9)}</figcaption></figure>\n"
    )
    points = "".join(f"<li>{_sentence(chance, 4, 9)}</li>" for _ in range(4))
    return (
        picture
        + "".join(_paragraph(chance, url) for _ in range(3))
        + f'<h2 class="wp-block-heading">{_sentence(chance, 3, 6)}</h2>\n<ul>{points}</ul>\n'
        + f"<blockquote><p>{_sentence(chance, 10, 20)}</p><cite>{_sentence(chance, 2, 3)}</cite>"
        + "</blockquote>\n"
        + "".join(_paragraph(chance, url) for _ in range(2))
        + f'<p>The post <a rel="nofollow" href="{url}">Title</a> appeared first on '
        f'<a rel="nofollow" href="{url}/..">Site</a>.</p>'
    )


def _blog(feed: int, numbers: range) -> str:
    items = []
    for number in numbers:
        chance = random.Random(feed * 100_003 + number)
        url = f"https://blog{feed}.example/2026/{number}"
        tags = chance.sample(_TAGS, 3)
        items.append(
            f"<item>\n<title>{_sentence(chance, 6, 11)[:-1]}</title>\n<link>{url}/</link>\n"
            f"<comments>{url}/#comments</comments>\n<dc:creator><![CDATA[Author {feed}]]>"
            f"</dc:creator>\n<pubDate>{_date(number)}</pubDate>\n"
            + "".join(f"<category><![CDATA[{tag}]]></category>\n" for tag in tags)
            + f'<guid isPermaLink="false">https://blog{feed}.example/?p={number}</guid>\n'
            f"<description><![CDATA[<p>{_sentence(chance, 25, 40)} [&#8230;]</p>]]></description>\n"
            f"<content:encoded><![CDATA[{_post(chance, url)}]]></content:encoded>\n"
            f"<wfw:commentRss>{url}/feed/</wfw:commentRss>\n<slash:comments>0</slash:comments>\n"
            "</item>\n"
        )
    site = f"https://blog{feed}.example"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"\n'
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"\n'
        'xmlns:wfw="http://wellformedweb.org/CommentAPI/"\n'
        'xmlns:dc="http://purl.org/dc/elements/1.1/"\nxmlns:atom="http://www.w3.org/2005/Atom"\n'
        'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"\n'
        'xmlns:slash="http://purl.org/rss/1.0/modules/slash/">\n<channel>\n'
        f"<title>Blog {feed}</title>\n"
        f'<atom:link href="{site}/feed/" rel="self" type="application/rss+xml" />\n'
        f"<link>{site}</link>\n<description>Posts of blog {feed}</description>\n"
        f"<lastBuildDate>{_date(numbers[0])}</lastBuildDate>\n"
        "<language>en-US</language>\n<generator>https://wordpress.org/?v=6.5</generator>\n"
        f"{''.join(items)}</channel>\n</rss>\n"
    )


def _atom(feed: int, numbers: range) -> str:
    entries = []
    for number in numbers:
        chance = random.Random(feed * 100_003 + number)
        url = f"https://site{feed}.example/{number}"
        at = (_START + timedelta(hours=number)).isoformat()
        entries.append(
            f"<entry>\n<id>tag:site{feed}.example,2026:{number}</id>\n"
            f"<published>{at}</published>\n<updated>{at}</updated>\n"
            f'<category term="{chance.choice(_TAGS)}"/>\n'
            f'<title type="text">{_sentence(chance, 6, 11)[:-1]}</title>\n'
            f'<content type="html">{escape(_post(chance, url))}</content>\n'
            f'<link rel="alternate" type="text/html" href="{url}"/>\n'
            f"<author><name>Author {feed}</name></author>\n</entry>\n"
        )
    at = (_START + timedelta(hours=numbers[0])).isoformat()
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<id>tag:site{feed}.example,2026:feed</id>\n<title>Site {feed}</title>\n"
        f'<updated>{at}</updated>\n<link href="https://site{feed}.example/"/>\n'
        f"{''.join(entries)}</feed>\n"
    )


def _news(feed: int, numbers: range) -> str:
    items = []
    for number in numbers:
        chance = random.Random(feed * 100_003 + number)
        url = f"https://news{feed}.example/story/{number}"
        items.append(
            f"<item><title>{_sentence(chance, 7, 12)[:-1]}</title><link>{url}</link>"
            f'<guid isPermaLink="true">{url}</guid><category>{chance.choice(_TAGS)}</category>'
            f"<pubDate>{_date(number)}</pubDate>"
            f"<description>{_sentence(chance, 25, 45)}</description>"
            f'<media:thumbnail width="240" height="135" url="{url}.jpg"/></item>\n'
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>\n'
        f"<title>News {feed}</title><link>https://news{feed}.example/</link>\n"
        f"<description>News</description><ttl>15</ttl>\n{''.join(items)}</channel></rss>\n"
    )


_FORMATS: tuple[Callable[[int, range], str], ...] = (
    _blog,
    _blog,
    _blog,
    _atom,
    _blog,
    _blog,
    _blog,
    _news,
)


def _serve(folder: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        with (folder / request.match_info["name"]).open("rb") as file:
            etag = file.readline().decode().strip()
            if request.headers.get("If-None-Match") == etag and not (folder / _FORGETFUL).exists():
                return web.Response(status=304, headers={"ETag": etag})
            headers = {"ETag": etag, "Content-Type": "application/xml"}
            return web.Response(body=file.read(), headers=headers)

    application = web.Application()
    application.router.add_get(r"/{name:\d+\.xml}", answer)

    async def ready(_: web.Application) -> None:
        print(f"127.0.0.1:{listener.getsockname()[1]}", flush=True)

    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    application.on_startup.append(ready)
    web.run_app(application, sock=listener, print=None, access_log=None)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
