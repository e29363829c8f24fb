"""What a response says about time: how long it stays fresh, and when a refused client may return.

Pure functions of header values and the clock; what is done about it is decided by pacing.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

from ..polls import Demand

_MAX_AGE = re.compile(r'(?:^|[\s,;])max-age\s*=\s*"?(\d+)', re.IGNORECASE)
_NO_STORE = re.compile(r"(?:^|[\s,;])(?:no-cache|no-store)(?:[\s,;=]|$)", re.IGNORECASE)
_LONGEST = timedelta(days=3650)  # keeps dates within the calendar; nobody polls that rarely


def demands(headers: Mapping[str, str], now: datetime) -> tuple[Demand, ...]:
    """How long from `now` the server wants us to leave it alone, by each field that says so.

    The remaining freshness (`Cache-Control: max-age`, else `Expires`, less `Age`; RFC 9111 §4.2)
    and `Retry-After` (RFC 9110 §10.2.3). Field names in lower case; nothing for no wait at all.
    """
    told = [_freshness(headers, now)]
    if wait := retry_after(headers, now):
        told.append(Demand(wait=wait, by="Retry-After"))
    return tuple(demand for demand in told if demand is not None)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long `Retry-After` asks us to wait, in seconds or until a date; None if it does not."""
    value = (headers.get("retry-after") or "").strip()
    if value.isdecimal() and value.isascii():
        return _seconds(value)
    when = http_date(value)
    return None if when is None else min(max(when - now, timedelta(0)), _LONGEST)


def http_date(value: str | None) -> datetime | None:
    """Reads an HTTP date in any of its three forms (RFC 9110 §5.6.7), as aware UTC."""
    if not value:
        return None
    try:
        when = parsedate_to_datetime(value)
        return when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _freshness(headers: Mapping[str, str], now: datetime) -> Demand | None:
    control = headers.get("cache-control") or ""
    if _NO_STORE.search(control):
        return None
    by: Literal["Cache-Control", "Expires"]
    if found := _MAX_AGE.search(control):
        by, lifetime = "Cache-Control", _seconds(found[1])
    else:
        until = http_date(headers.get("expires"))
        if until is None:  # "0" and other invalid dates mean: already expired (§5.3)
            return None
        by, lifetime = "Expires", until - (http_date(headers.get("date")) or now)
    age = (headers.get("age") or "").strip()
    if age.isdecimal() and age.isascii():
        lifetime -= _seconds(age)
    return Demand(wait=min(lifetime, _LONGEST), by=by) if lifetime > timedelta(0) else None


def _seconds(digits: str) -> timedelta:
    # twelve digits are 30,000 years already: longer ones need not be counted
    return min(timedelta(seconds=int(digits[:12])), _LONGEST) if len(digits) < 13 else _LONGEST
