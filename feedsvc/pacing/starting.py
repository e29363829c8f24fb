"""Where schedules begin: first polls of many sources spread out, and a clock that went wrong."""

import hashlib
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ..model import PollState, Source

AT_ONCE = 50
_EACH = timedelta(seconds=1)
_SKEW = timedelta(minutes=10)
_PORTS = {"http": 80, "https": 443}


def phase(text: str) -> float:
    """A number from 0 up to 1 that is always the same for one text, and even over many."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:6]) / 2**48


def first_poll(source: Source, now: datetime, *, among: int, interval: timedelta) -> datetime:
    """When a new source is polled first: at once, unless it is one `among` many.

    Many are spread by a hash of their ids, a second for each, but over one `interval` at most.
    Directories ask nobody and are read at once.
    """
    if source.kind == "directory" or among <= AT_ONCE:
        return now
    return now + phase(source.id) * min(interval, among * _EACH)


def clock_lead(newest: datetime | None, now: datetime) -> timedelta:
    """How far the clock was ahead when the last poll ended, if it is right now; else zero.

    `newest` is when the last poll of all ended. Pollers whose clocks differ by minutes are borne.
    """
    if newest is None or newest - now <= _SKEW:
        return timedelta(0)
    return newest - now


def host_of(location: str) -> str | None:
    """The host and port that a source's requests go to (`example.org:443`); None for a path.

    It is what politeness is counted by: a server is one whatever feeds it has, and two servers may
    share a name.
    """
    try:
        parts = urlsplit(location)
        port = parts.port or _PORTS[parts.scheme.lower()]
        host = parts.hostname
    except (ValueError, KeyError):
        return None
    if not host:
        return None
    if "xn--" in host:
        try:
            host = host.encode("ascii").decode("idna")
        except UnicodeError:
            pass  # not a name that anything answers to, but still a key
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def upcoming(state: PollState, resting: datetime | None) -> tuple[datetime | None, str | None]:
    """When a source is polled next and why then, seeing that its host may rest until later."""
    if resting is not None and state.next_at is not None and resting > state.next_at:
        return resting, "its host asked to be left alone until then"
    return state.next_at, state.why
