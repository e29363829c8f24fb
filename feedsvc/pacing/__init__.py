"""When a source is polled next: pure decisions from what we know and how the poll ended.

No I/O and no clock of its own, so that every rule can be tested by table. `decision` puts the
rules together, `rhythm` tells how often a feed posts, `skipping` minds the hours it wants to be
left alone in, `moving` follows permanent redirects, `starting` spreads first polls and mends what a
wrong clock did. How a poll is made lives in `poll`, what HTTP said about waiting in `httpclient`.
"""

from .decision import Bounds, Outcome, next_state, usual_interval
from .moving import account, settle
from .starting import clock_lead, first_poll, host_of, upcoming

__all__ = [
    "Bounds",
    "Outcome",
    "account",
    "clock_lead",
    "first_poll",
    "host_of",
    "next_state",
    "settle",
    "upcoming",
    "usual_interval",
]
