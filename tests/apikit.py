"""A newswire to try the API on, with an admin token and a server on loopback to add feeds from."""

from pathlib import Path

from feedsvc.web.api import ROOT
from tests.feedserver import FeedServer
from tests.weblib import World, fill, open_world

TOKEN = "sesame-open-sesame"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
FEED = b"""<rss version="2.0"><channel><title>Loopback</title><link>http://loop.example/</link>
<item><guid>urn:one</guid><title>The first</title></item></channel></rss>"""
PAGE = b"""<html><head><title>A page</title>
<link rel="alternate" type="application/rss+xml" href="/feed.xml"></head><body></body></html>"""
PAIR = b"""<html><head><title>Two feeds</title>
<link rel="alternate" type="application/rss+xml" href="/feed.xml" title="One">
<link rel="alternate" type="application/rss+xml" href="/other.xml" title="Other"></head></html>"""


def publish(server: FeedServer) -> None:
    """A feed, a page that leads to it, and a page that leads to two."""
    server.serve("/feed.xml", FEED, headers={"Content-Type": "application/rss+xml"})
    server.serve("/page", PAGE, headers={"Content-Type": "text/html"})
    server.serve("/pair", PAIR, headers={"Content-Type": "text/html"})


def open_api_world(folder: Path, server: FeedServer, *, web: str = "rate_limit = 0") -> World:
    """The newswire of `weblib` with the admin token set, free to poll a server on loopback."""
    publish(server)
    world = open_world(
        folder,
        web=f'admin_token = "{TOKEN}"\n{web}\n'
        f'[poll]\nworkers = 1\nallow_private = ["{server.address}", "127.0.0.1:9"]',
    )
    return fill(world)


def path(rest: str) -> str:
    """An address of the API."""
    return ROOT + rest
