"""Restarts of the real service, gentle and not: no server is asked early or unconditionally."""

import os
import signal
from collections.abc import Callable

from tests.feedserver import FeedServer
from tests.service import Service

CONFIG = """
[poll]
min_interval = "1s"
allow_private = ["{address}"]
[[sources]]
location = "seeds"
[[sources]]
location = "{rare}"
interval = "12h"
[[sources]]
location = "{often}"
interval = "1s"
"""


def rss(title: str) -> bytes:
    item = f"<item><title>{title}</title><guid>urn:{title}</guid></item>"
    return f"<rss version='2.0'><channel><title>T</title>{item}</channel></rss>".encode()


def kill(service: Service) -> None:
    """Ends the service as a power cut would: all its processes at once, unwarned."""
    assert service.process is not None
    pids = [*service.children().values(), service.process.pid]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    service.process.wait()
    service.process = None
    # the web server's workers notice that they are alone, and go
    service.wait(lambda: not service.listens(), "the port to be free")


def wait_for_polls(service: Service, server: FeedServer, count: int) -> None:
    service.wait(lambda: len(server.requests("/often")) >= count, f"poll number {count}")


def test_restarts_ask_nobody_early_or_unconditionally(
    make_service: Callable[..., Service], feed_server: FeedServer
) -> None:
    for name in ("rare", "often"):
        headers = {"ETag": f'"{name}"', "Last-Modified": "Thu, 10 Apr 2025 08:00:00 GMT"}
        feed_server.serve(f"/{name}", rss(name), headers=headers)
    service = make_service()
    urls = {name: feed_server.url(f"/{name}") for name in ("rare", "often")}
    service.config(CONFIG.format(address=feed_server.address, **urls))
    service.start()
    for name in urls:
        service.wait_for_text("/feeds/all.atom", f"urn:{name}")
    for number in range(4):
        if number % 2:
            kill(service)
        else:
            assert service.stop() == 0
        before = len(feed_server.requests("/often"))
        service.start()
        # the poller is at work again when it has polled what is due and seen a new document
        (service.seeds / f"new{number}.md").write_text(f"# New {number}\n\nText.\n", "utf-8")
        service.wait_for_text("/feeds/all.atom", f"New {number}")
        wait_for_polls(service, feed_server, before + 2)
        assert len(feed_server.requests("/rare")) == 1
    first, *later = feed_server.requests("/often")
    assert first.headers["If-None-Match"] is None
    assert {request.headers["If-None-Match"] for request in later} == {'"often"'}
    assert len({request.headers["User-Agent"] for request in feed_server.requests()}) == 1
