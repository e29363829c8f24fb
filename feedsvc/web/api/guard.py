"""Who may use the API, and how much of what costs: tokens, and so many requests a client.

Reading needs what feeds need, or the admin token; writing needs the admin token, as a bearer token
alone: a browser sends that for nobody else's page, as it would a password it remembers.
"""

import hashlib
import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from ...config import WebConfig
from ..access import FeedAccess
from ..errors import HttpError, Unauthorized
from ..message import Ask
from .endpoint import Endpoint

_CLIENTS = 10_000
_MINUTE = 60.0


class Bucket:
    """So many requests a minute for each client, all of them at once if it likes.

    Thread-safe, and bounded: of very many clients those that have been quiet longest are forgotten.
    """

    def __init__(
        self, a_minute: int, *, clients: int = _CLIENTS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = float(a_minute)
        self._clients = clients
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str) -> float:
        """Takes one request out; 0.0 if there was one, else the seconds until there is."""
        if not self._most:
            return 0.0
        with self._lock:
            now = self._clock()
            left, at = self._left.pop(client, (self._most, now))
            left = min(self._most, left + (now - at) * self._most / _MINUTE)
            taken = left >= 1
            self._left[client] = (left - 1 if taken else left, now)
            while len(self._left) > self._clients:
                self._left.popitem(last=False)
        return 0.0 if taken else (1 - left) * _MINUTE / self._most


class Guard:
    """Lets requests in."""

    def __init__(self, config: WebConfig, feeds: FeedAccess) -> None:
        self._feeds = feeds
        self._admin = _digest(config.admin_token) if config.admin_token else None
        self._bucket = Bucket(config.rate_limit)

    @property
    def restricted(self) -> bool:
        """Whether reading needs a token at all."""
        return self._feeds.restricted

    @property
    def writable(self) -> bool:
        """Whether anything can be written over HTTP."""
        return self._admin is not None

    def admit(self, ask: Ask, endpoint: Endpoint) -> None:
        """Raises `HttpError`: 401, 403, or 429 for who tries many tokens."""
        offered = _bearer(ask)
        admin = self._admin is not None and hmac.compare_digest(_digest(offered), self._admin)
        if endpoint.admin and self._admin is None:
            raise HttpError(
                403,
                "Writing over HTTP is off. Set web.admin_token (FEEDSVC_WEB__ADMIN_TOKEN) to a "
                "long random text, start the service again, and send it as a bearer token.",
            )
        if admin or (not endpoint.admin and self._feeds.allows(ask)):
            return
        # whoever guesses is slowed down
        self.charge(ask)
        if endpoint.admin:
            raise HttpError(
                401,
                "This needs the admin token (web.admin_token): send it as "
                "`Authorization: Bearer TOKEN`.",
                headers=(("WWW-Authenticate", 'Bearer realm="feedsvc admin"'),),
            )
        raise Unauthorized

    def charge(self, ask: Ask) -> None:
        """Counts a costly request. Raises `HttpError` (429) with when to come back."""
        wait = self._bucket.take(client_of(ask.client))
        if wait:
            seconds = max(1, round(wait + 0.5))
            raise HttpError(
                429,
                f"Too many costly requests from your address; the next one in {seconds} s. "
                "How many are let in says web.rate_limit.",
                headers=(("Retry-After", str(seconds)),),
            )


def client_of(address: str) -> str:
    """Who is asking: an address, or the network that one customer is given (RFC 6177)."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    if isinstance(read, IPv6Address):
        return str(read.ipv4_mapped or read.packed[:8].hex())
    return str(read)


def _bearer(ask: Ask) -> str:
    scheme, _, token = (ask.header("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
