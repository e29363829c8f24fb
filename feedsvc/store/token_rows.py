"""Feed tokens as rows."""

from datetime import datetime

from sqlalchemy import delete, func, insert, select

from ..errors import NotFound, StoreError
from .codec import micros, moment, storable
from .engine import Database
from .schema import feed_tokens
from .tokens import FeedToken


class TokenRows(Database):
    """Adding, revoking and listing tokens."""

    def add_token(self, name: str, digest: bytes, now: datetime) -> None:
        """Lets a token in. Raises `StoreError` if there is one of that name."""
        columns = feed_tokens.c
        with self.writing() as connection:
            named = select(columns.name).where(columns.name == storable(name))
            if connection.scalar(named) is not None:
                raise StoreError(
                    f"there is a token “{name}” already: choose another name, or remove it first"
                )
            row = {"name": storable(name), "digest": digest, "added": micros(now)}
            connection.execute(insert(feed_tokens), [row])
            self.bump(connection)

    def remove_token(self, name: str, *, last: bool = False) -> None:
        """Revokes a token. Raises `NotFound`, and `StoreError` if it must not be the last."""
        with self.writing() as connection:
            wanted = feed_tokens.c.name == storable(name)
            if not connection.execute(delete(feed_tokens).where(wanted)).rowcount:
                raise NotFound(f"there is no token “{name}”")
            left = connection.scalar(select(func.count()).select_from(feed_tokens))
            if not left and not last:
                raise StoreError(
                    f"“{name}” is the last token, and without any everyone may read: add another "
                    "first, or say that feeds shall be public"
                )
            self.bump(connection)

    def tokens(self) -> tuple[FeedToken, ...]:
        """All tokens by name."""
        columns = feed_tokens.c
        with self.reading() as connection:
            rows = connection.execute(select(columns.name, columns.added).order_by(columns.name))
            return tuple(FeedToken(name=row.name, added=moment(row.added)) for row in rows)

    def token_digests(self) -> tuple[bytes, ...]:
        """The digest of each token."""
        with self.reading() as connection:
            return tuple(map(bytes, connection.scalars(select(feed_tokens.c.digest))))
