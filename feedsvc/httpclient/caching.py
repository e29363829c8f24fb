"""What a response says about time: how long it stays fresh, and when a refused client may return.

Pure functions of header values and the clock; what is done about it is decided by pacing.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_MAX_AGE = re.compile(r'(?:^|[\s,;])max-age\s*=\s*"?(\d+)', re.IGNORECASE)
_NO_STORE = re.compile(r"(?:^|[\s,;])(?:no-cache|no-store)(?:[\s,;=]|$)", re.IGNORECASE)
_LONGEST = timedelta(days=3650)  # keeps dates within the calendar; nobody polls that rarely


def cache_lifetime(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long from `now` the server wants us to leave it alone; None when it does not say.

    The longer of the remaining freshness (`Cache-Control: max-age`, else `Expires`, less `Age`;
    RFC 9111 §4.2) and `Retry-After` (RFC 9110 §10.2.3), never negative. Field names in lower case.
    """
    fresh = _freshness(headers, now)
    wait = retry_after(headers, now)
    if fresh is None or wait is None:
        return fresh if wait is None else wait
    return max(fresh, wait)


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


def _freshness(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    control = headers.get("cache-control") or ""
    if _NO_STORE.search(control):
        return timedelta(0)
    expires = headers.get("expires")
    if found := _MAX_AGE.search(control):
        lifetime = _seconds(found[1])
    elif expires is not None:
        until = http_date(expires)
        if until is None:  # "0" and other invalid dates mean: already expired (§5.3)
            return timedelta(0)
        lifetime = until - (http_date(headers.get("date")) or now)
    else:
        return None
    age = (headers.get("age") or "").strip()
    if age.isdecimal() and age.isascii():
        lifetime -= _seconds(age)
    return min(max(lifetime, timedelta(0)), _LONGEST)


def _seconds(digits: str) -> timedelta:
    # twelve digits are 30,000 years already: longer ones need not be counted
    return min(timedelta(seconds=int(digits[:12])), _LONGEST) if len(digits) < 13 else _LONGEST
