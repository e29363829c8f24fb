"""What to do about a source that fails: one remedy for each kind of trouble.

Pure: from what the last poll left behind to a sentence for the one who runs the service.
"""

from collections.abc import Mapping

from .errors import Fault
from .model import PollState, Source

_STATUS: Mapping[int, str] = {
    401: "The publisher wants a password: set `auth` of this source.",
    402: "The publisher wants to be paid for this.",
    403: "The publisher refuses us: see whether the feed opens in a browser, and whether it needs "
    "`auth` or `headers`.",
    404: "There is nothing at this address any more: look for the feed's new address.",
    406: "The publisher has nothing it would send us: check the address.",
    410: "The publisher says the feed is gone for good: remove the source or give its new address. "
    "If that was a mistake, `feedsvc source poll` asks once more.",
    429: "We ask too often for this publisher's taste: set a longer `interval`.",
}
_REFUSED = "The publisher does not accept our request: check the address, `auth` and `headers`."
_TROUBLE = "The publisher's server has trouble; nothing to do here, we try again by ourselves."

_FAULTS: Mapping[Fault, str] = {
    "private": "The address is on a private network: name it in `poll.allow_private`, exactly, if "
    "it is to be polled.",
    "timeout": "The publisher's server is too slow: if that lasts, raise `poll.timeout`.",
    "too large": "The document is larger than we read: raise `poll.max_bytes`, or look for a "
    "smaller feed of this publisher.",
    "tls": "The connection cannot be trusted: see whether the address opens in a browser, and "
    "whether this machine's clock and certificates are right.",
    "name": "The host name leads nowhere: check the address, and this machine's DNS.",
    "connection": "The publisher's server cannot be reached; if that lasts, check the address and "
    "this machine's network.",
    "protocol": "The publisher's server answers in a way we cannot read: see whether the address "
    "opens in a browser.",
    "redirect": "The address leads in circles or nowhere: look for the feed's new address.",
    "credentials": "Correct `auth` of this source.",
    "not a feed": "What is at this address is no feed we can read: open it in a browser, and give "
    "the address of the feed itself.",
}


def remedy(source: Source, state: PollState) -> str | None:
    """What to do about a source's last error; None if there was none, or nothing is known of it."""
    if not state.error or source.kind == "directory":
        return None
    if state.status is not None and state.status in _STATUS:
        return _STATUS[state.status]
    if state.fault is not None:
        return _FAULTS[state.fault]
    if state.status is not None and state.status >= 400:
        return _TROUBLE if state.status >= 500 else _REFUSED
    return None
