"""Who may read: feed tokens, when there are any in the configuration or in the store.

A token is accepted as `?token=`, as a bearer token (RFC 6750 §2.1) or as the password of HTTP Basic
(RFC 7617), which is what feed readers can send. It never leaves this module.
"""

import base64
import hmac
from collections.abc import Callable, Iterable

from ..keys import token_digest
from .message import Ask

#: What a 401 asks for; a browser opens its password prompt on Basic.
CHALLENGES = ('Basic realm="feedsvc", charset="UTF-8"', 'Bearer realm="feedsvc"')


class FeedAccess:
    """Decides whether a request may read feeds and pages.

    `tokens` are those of the configuration, `stored` reads the digests of the others, which is done
    once for every `generation` of the store's content that is asked about.
    """

    def __init__(
        self, tokens: Iterable[str], stored: Callable[[], Iterable[bytes]] = lambda: ()
    ) -> None:
        self._configured = tuple(token_digest(token) for token in tokens if token)
        self._stored = stored
        self._digests = self._configured
        self._generation: int | None = None

    @property
    def restricted(self) -> bool:
        """Whether reading needs a token at all."""
        return bool(self._digests)

    def follow(self, generation: int) -> None:
        """Makes sure that the tokens are those of this generation. Raises `StoreError`."""
        if generation != self._generation:
            self._digests = (*self._configured, *self._stored())
            self._generation = generation

    def allows(self, ask: Ask) -> bool:
        """Whether the request carries a valid token, or needs none."""
        return self.admits(ask.token, ask.header("authorization"))

    def admits(self, token: str | None, authorization: str | None) -> bool:
        """The same by a token from the query and the value of `Authorization`.

        Every token is compared with every offer, in a time that does not depend on either.
        """
        if not self._digests:
            return True
        allowed = False
        for offer in _offers(token, authorization):
            digest = token_digest(offer)
            for known in self._digests:
                allowed |= hmac.compare_digest(digest, known)
        return allowed


def _offers(token: str | None, authorization: str | None) -> list[str]:
    offers = [] if token is None else [token]
    scheme, _, credentials = (authorization or "").partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "bearer":
        offers.append(credentials)
    elif scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(credentials, validate=True).decode("utf-8")
        except ValueError:
            # not Base64, or not UTF-8 in it
            return offers
        offers.append(decoded.partition(":")[2])
    return offers
