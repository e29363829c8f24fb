"""A loopback server of generated feeds: realistic bodies, validators, a way to change some."""

import hashlib
import random
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

WORDS = [
    *("embassy", "talks", "restore", "delegation", "consulate", "diplomats", "property", "mission"),
    *("sea", "truce", "agreement", "ministers", "parliament", "budget", "market", "oil", "price"),
    *("river", "flood", "hospital", "school", "election", "court", "ruling", "satellite", "launch"),
    *("harvest", "railway", "port", "strike", "museum", "festival", "season", "coach", "final"),
]
_START = datetime(2025, 4, 10, tzinfo=UTC)


class Corpus:
    """`feeds` RSS feeds of `entries` entries each, served with ETag and 304 on a loopback port."""

    def __init__(self, feeds: int, entries: int = 30, words: int = 350) -> None:
        self.feeds, self._entries, self._words = feeds, entries, words
        self._extra = [0] * feeds
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def urls(self) -> list[str]:
        return [f"http://{self.address}/{number}.xml" for number in range(self.feeds)]

    def change(self, share: float) -> None:
        """Gives a share of the feeds one new entry each."""
        for number in range(0, self.feeds, max(1, round(1 / share))):
            self._extra[number] += 1

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def body(self, feed: int) -> bytes:
        newest = self._entries + self._extra[feed]
        items = "".join(self._item(feed, n) for n in range(newest, newest - self._entries, -1))
        return (
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" '
            'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
            f"<title>Feed {feed}</title><link>https://{feed}.example/</link>"
            f"<description>Generated</description>{items}</channel></rss>"
        ).encode()

    def _item(self, feed: int, number: int) -> str:
        chance = random.Random(feed * 100_003 + number)
        words = chance.choices(WORDS, k=self._words)
        paragraphs = "".join(
            f'<p>{" ".join(words[i : i + 50]).capitalize()} <a href="/more/{i}">more</a>.</p>'
            for i in range(0, len(words), 50)
        )
        url = f"https://{feed}.example/{number}"
        return (
            f"<item><title>{' '.join(words[:8]).title()}</title><link>{url}</link>"
            f'<guid isPermaLink="true">{url}</guid><category>{words[3]}</category>'
            f"<pubDate>{format_datetime(_START + timedelta(minutes=number))}</pubDate>"
            f"<description>{' '.join(words[:30])}</description>"
            f"<content:encoded><![CDATA[{paragraphs}]]></content:encoded></item>"
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        corpus = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                feed = int(self.path.strip("/").removesuffix(".xml"))
                tag = hashlib.sha256(f"{feed}.{corpus._extra[feed]}".encode()).hexdigest()[:16]
                etag = f'"{tag}"'
                known = self.headers.get("If-None-Match") == etag
                body = b"" if known else corpus.body(feed)
                self.send_response(304 if known else 200)
                self.send_header("ETag", etag)
                self.send_header("Content-Type", "application/rss+xml")
                if not known:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing: the log would be what is measured."""

        return Handler
