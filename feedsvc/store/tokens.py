"""Feed tokens that are kept in the store: what a store does with them, and what is known of one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedToken:
    """A token that opens feeds and pages; of the token itself only a digest is kept."""

    name: str
    added: datetime


class TokenStore(Protocol):
    """Keeps tokens. What changes them is a change that any feed may show."""

    def add_token(self, name: str, digest: bytes, now: datetime) -> None:
        """Lets a token in. Raises `StoreError` if there is one of that name."""
        ...

    def remove_token(self, name: str, *, last: bool = False) -> None:
        """Revokes a token. Raises `NotFound`.

        Raises `StoreError` if no other is left, unless it may be the `last`: without any token
        everyone may read.
        """
        ...

    def tokens(self) -> tuple[FeedToken, ...]:
        """All tokens by name."""
        ...

    def token_digests(self) -> Iterable[bytes]:
        """The digest of each token (`keys.token_digest`)."""
        ...
