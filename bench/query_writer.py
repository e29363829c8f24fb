"""Writes entries as fast as the store takes them, so that others can see what that does to them."""

import sys
import time
from dataclasses import replace
from datetime import timedelta

from feedsvc.keys import entry_key
from feedsvc.model import PollState
from feedsvc.store import open_store
from feedsvc.store.base import PollResult

from .query_store import NOW
from .store import article

_POLLS, _ENTRIES = 20, 30
_HOUR = timedelta(hours=1)


def write(url: str, seconds: float) -> None:
    """Commits polls of new entries until the time is over."""
    store = open_store(url)
    ends, number = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        at = NOW + number * _HOUR
        number += 1
        claims = store.claim_due(
            now=at, owner="bench", lease=_HOUR, limit=_POLLS, ignore_schedule=True
        )
        polls = []
        for claim in claims:
            entries = []
            for place in range(_ENTRIES):
                uid = f"{claim.source.id}/new/{number}/{place}"
                made = article(number, place)
                entries.append(
                    replace(made, id=uid, uid=uid, key=entry_key(uid), source_id=claim.source.id)
                )
            state = PollState(next_at=at + _HOUR)
            polls.append((claim, PollResult(state=state, entries=tuple(entries))))
        store.finish_polls(polls, at)
    store.close()


if __name__ == "__main__":
    write(sys.argv[1], float(sys.argv[2]))
