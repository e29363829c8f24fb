"""Proactive negotiation of media types (RFC 9110 §12.5.1): what one `Accept` value asks for."""

from collections.abc import Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header


@dataclass(frozen=True, slots=True)
class Offer:
    """Something we can serve: its media type, and other names it is asked for by."""

    name: str
    media_type: str
    aliases: tuple[str, ...] = ()


#: What an error serves.
ERROR_OFFERS = (
    Offer("json", "application/problem+json", ("application/json", "application/feed+json")),
    Offer("html", "text/html", ("application/xhtml+xml",)),
)


def choose(accept: str | None, offers: Sequence[Offer]) -> str:
    """Names the offer of highest quality.

    Among equals the one named most exactly wins, then the first. Where nothing offered is wanted,
    or nothing is said, it is the first as well (RFC 9110 §12.4.1 leaves that to us): a reader with
    an odd `Accept` is served rather than refused.
    """
    if not accept or not accept.strip():
        return offers[0].name
    ranges = parse_accept_header(accept, MIMEAccept)
    best, best_rank = offers[0].name, (0.0, 0)
    for offer in offers:
        rank = max(_rank(ranges, offer.media_type, exact=False), _rank_aliases(ranges, offer))
        if rank[0] > 0 and rank > best_rank:
            best, best_rank = offer.name, rank
    return best


def manipulation(a_im: str | None, name: str) -> bool:
    """Whether `A-IM` names an instance manipulation as acceptable (RFC 3229 §10.5.3)."""
    return any(
        value.lower() == name and quality > 0 for value, quality in parse_accept_header(a_im or "")
    )


def _rank_aliases(ranges: MIMEAccept, offer: Offer) -> tuple[float, int]:
    return max((_rank(ranges, alias, exact=True) for alias in offer.aliases), default=(0.0, 0))


def _rank(ranges: MIMEAccept, media_type: str, *, exact: bool) -> tuple[float, int]:
    """The quality and exactness (2 type, 1 subtype wildcard, 0 any) of the range that applies."""
    main = media_type.partition("/")[0]
    names = ((media_type, 2),) if exact else ((media_type, 2), (f"{main}/*", 1), ("*/*", 0))
    asked = {value.partition(";")[0].strip().lower(): q for value, q in reversed(list(ranges))}
    for name, exactness in names:
        if name in asked:
            return (asked[name], exactness)
    return (0.0, 0)
