"""Permanent redirects (301, 308): when a source's new location is believed and stored.

A mistake of a moment or a network that answers for others must not move a source for good, so
that a move has to be seen by several successful polls in a row, over a day at least.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from msgspec.structs import replace as with_fields

from ..model import PollState, Source
from ..polls import Move
from .words import often

SIGHTINGS = 3
LASTING = timedelta(days=1)


def sighted(move: Move | None, source: Source, target: str | None, now: datetime) -> Move | None:
    """What is known of a move after a poll that permanent redirects led to `target`, or to none."""
    if target is None or target == source.location:
        # a move that was made stays to be told of
        return move if move is not None and move.done_at else None
    if move is None or (move.old, move.new) != (source.location, target) or move.done_at:
        return Move(old=source.location, new=target, first_at=now)
    return replace(move, polls=move.polls + 1, first_at=min(move.first_at, now))


def settle(
    state: PollState, source: Source, holder: Callable[[str], str | None], now: datetime
) -> tuple[PollState, str | None]:
    """Decides on a move that was seen often enough: the state, and the location to store if any.

    `holder` tells which source has a location already. What stands in the way is noted.
    """
    move = state.move
    if (
        move is None
        or move.done_at is not None
        or move.polls < SIGHTINGS
        or now - move.first_at < LASTING
    ):
        return state, None
    obstacle = _secret(source, move.new)
    if obstacle is None and (other := holder(move.new)) not in (None, source.id):
        obstacle = f"source “{other}” has that location already: remove one of the two"
    if obstacle is not None:
        return with_fields(state, move=replace(move, obstacle=obstacle)), None
    return with_fields(state, move=replace(move, obstacle=None, done_at=now)), move.new


def _secret(source: Source, target: str) -> str | None:
    """Why credentials forbid a move: they would go to, or be missing at, the new location."""
    old, new = urlsplit(source.location), urlsplit(target)
    if old.username is not None:
        return "the password in its location would be lost: change the location yourself"
    elsewhere = (old.scheme, old.netloc.lower()) != (new.scheme, new.netloc.lower())
    if elsewhere and (source.auth or source.headers):
        return "its auth or headers would go to another server: change the location yourself"
    return None


def account(move: Move) -> str:
    """What is to be told of a move: where to, how often it was seen, and what came of it."""
    seen = f"seen {often(move.polls)} since {move.first_at:%Y-%m-%d}"
    if move.done_at is not None:
        return f"moved for good from {move.old} on {move.done_at:%Y-%m-%d} ({seen})"
    told = f"its server says that it moved for good to {move.new} ({seen})"
    if move.obstacle is not None:
        return f"{told}, but {move.obstacle}"
    return f"{told}; believed after {SIGHTINGS} polls in a row over a day"
