"""Full text in the real service, killed between fetching a page and storing it."""

import os
import signal
from collections.abc import Callable

from tests.feedserver import Answer, FeedServer
from tests.service import Service

CONFIG = """
[poll]
allow_private = ["{address}"]
timeout = "2m"
[[sources]]
location = "{feed}"
fulltext = true
"""
FEED = (
    "<rss version='2.0'><channel><title>T</title><link>https://t.example/</link>{}</channel></rss>"
)
ITEM = (
    "<item><title>{0}</title><guid>urn:{0}</guid><link>{1}</link>"
    "<description>Short.</description></item>"
)


def kill(service: Service) -> None:
    """Ends the service as a power cut would: all its processes at once, unwarned."""
    assert service.process is not None
    for pid in [*service.children().values(), service.process.pid]:
        os.kill(pid, signal.SIGKILL)
    service.process.wait()
    service.process = None
    service.wait(lambda: not service.listens(), "the port to be free")


def page(word: str) -> Answer:
    text = f"<p>{word} has much more to tell than its feed does. </p>" * 9
    body = f"<html><body><article>{text}</article></body></html>".encode()
    return Answer(body=body, headers={"Content-Type": "text/html"})


def test_a_kill_between_fetch_and_commit_loses_no_text_and_repeats_little(
    make_service: Callable[..., Service], feed_server: FeedServer
) -> None:
    links = {word: feed_server.url(f"/{word}") for word in ("quick", "slow")}
    items = "".join(ITEM.format(word, link) for word, link in links.items())
    feed_server.serve("/feed", FEED.format(items).encode(), headers={"ETag": '"v1"'})
    feed_server.script("/quick", page("quick"))
    # the first time it takes longer than the service has to live
    slow = page("slow")
    feed_server.script("/slow", Answer(body=slow.body, headers=slow.headers, delay=60), slow)
    service = make_service()
    service.config(CONFIG.format(address=feed_server.address, feed=feed_server.url("/feed")))
    service.start()
    service.wait_for_text("/feeds/all.atom", "quick has much more to tell")
    service.wait(lambda: feed_server.requests("/slow"), "the slow page to be asked for")
    before = service.get("/feeds/all.atom").body
    assert b"slow has much more" not in before
    assert b"urn:slow" in before
    kill(service)
    service.start()
    service.wait_for_text("/feeds/all.atom", "slow has much more to tell")
    asked = [
        len(feed_server.requests(path)) for path in ("/quick", "/slow", "/robots.txt", "/feed")
    ]
    assert asked == [1, 2, 1, 1]
