"""What a response says about time: how long it stays fresh, and when a refused client may return.

Pure functions of header values and the clock; what is done about it is decided by pacing.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from ..errors import Freshness
from ..polls import Demand

_MAX_AGE = re.compile(r'(?:^|[\s,;])max-age\s*=\s*"?(\d+)', re.IGNORECASE)
# `no-cache="field"` is about that field alone (RFC 9111 §5.2.2.4)
_NO_STORE = re.compile(r"(?:^|[\s,;])(?:no-cache|no-store)(?:[\s,;]|$)", re.IGNORECASE)
_LONGEST = timedelta(days=3650)  # keeps dates within the calendar; nobody polls that rarely


def demands(headers: Mapping[str, str], now: datetime) -> tuple[Demand, ...]:
    """How long from `now` the server wants us to leave it alone, by each field that says so.

    The remaining freshness (`Cache-Control: max-age`, else `Expires`, less `Age`; RFC 9111 §4.2)
    and `Retry-After` (RFC 9110 §10.2.3). Field names in lower case; nothing for no wait at all.
    """
    told = [Demand(wait=fresh[1], by=fresh[0])] if (fresh := freshness(headers, now)) else []
    if wait := retry_after(headers, now):
        told.append(Demand(wait=wait, by="Retry-After"))
    return tuple(told)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long `Retry-After` asks us to wait, in seconds or until a date; None if it does not.

    A date is one of the server's clock, as far as its `Date` tells that.
    """
    value = (headers.get("retry-after") or "").strip()
    if value.isdecimal() and value.isascii():
        return _seconds(value)
    when = http_date(value)
    if when is None:
        return None
    dated = http_date(headers.get("date"))
    there = now if dated is None else dated + _age(headers)
    return min(max(when - there, timedelta(0)), _LONGEST)


def http_date(value: str | None) -> datetime | None:
    """Reads an HTTP date in any of its three forms (RFC 9110 §5.6.7), as aware UTC."""
    if not value:
        return None
    try:
        when = parsedate_to_datetime(value)
        return when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def freshness(headers: Mapping[str, str], now: datetime) -> tuple[Freshness, timedelta] | None:
    """How long from `now` an answer stays fresh and by which field, None if it is not at all."""
    control = headers.get("cache-control") or ""
    if _NO_STORE.search(control):
        return None
    by: Freshness
    if found := _MAX_AGE.search(control):
        by, lifetime = "Cache-Control", _seconds(found[1])
    else:
        until = http_date(headers.get("expires"))
        if until is None:  # "0" and other invalid dates mean: already expired (§5.3)
            return None
        by, lifetime = "Expires", until - (http_date(headers.get("date")) or now)
    lifetime -= _age(headers)
    return (by, min(lifetime, _LONGEST)) if lifetime > timedelta(0) else None


def _age(headers: Mapping[str, str]) -> timedelta:
    """How long the answer lay in a cache on its way (RFC 9111 §5.1)."""
    age = (headers.get("age") or "").strip()
    return _seconds(age) if age.isdecimal() and age.isascii() else timedelta(0)


def _seconds(digits: str) -> timedelta:
    # twelve digits are 30,000 years already: longer ones need not be counted
    return min(timedelta(seconds=int(digits[:12])), _LONGEST) if len(digits) < 13 else _LONGEST
