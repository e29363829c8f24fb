"""Who may read: feed tokens, when the configuration has any.

A token is accepted as `?token=`, as a bearer token (RFC 6750 §2.1) or as the password of HTTP Basic
(RFC 7617), which is what feed readers can send. It never leaves this module.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

from .message import Ask

#: What a 401 asks for; a browser opens its password prompt on Basic.
CHALLENGES = ('Basic realm="feedsvc", charset="UTF-8"', 'Bearer realm="feedsvc"')


class FeedAccess:
    """Decides whether a request may read feeds and pages."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._digests = tuple(_digest(token) for token in tokens if token)

    @property
    def restricted(self) -> bool:
        """Whether reading needs a token at all."""
        return bool(self._digests)

    def allows(self, ask: Ask) -> bool:
        """Whether the request carries a valid token, or needs none.

        Every token is compared with every offer, in a time that does not depend on either.
        """
        if not self._digests:
            return True
        allowed = False
        for offer in _offers(ask):
            digest = _digest(offer)
            for known in self._digests:
                allowed |= hmac.compare_digest(digest, known)
        return allowed


def _offers(ask: Ask) -> list[str]:
    offers = [ask.arguments["token"]] if "token" in ask.arguments else []
    scheme, _, credentials = (ask.header("authorization") or "").partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "bearer":
        offers.append(credentials)
    elif scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(credentials, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return offers
        offers.append(decoded.partition(":")[2])
    return offers


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
