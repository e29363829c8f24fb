"""Dates as documents and file names write them: ISO 8601, RFC 5322, and English month names.

A date without a time is midnight, a time without a zone is UTC. What is not certainly a date is
none: nothing is filled in from today.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONE = r"(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
_ISO = re.compile(
    rf"(?P<year>\d{{4}})([-/.])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}})"
    rf"(?:(?:\s*T|,?\s+)\s*{_TIME}\s*{_ZONE}?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
    rf"(?:T(?P<hour>\d\d):?(?P<minute>\d\d):?(?P<second>\d\d)?{_ZONE}?)?",
    re.IGNORECASE,
)
_MONTH = rf"(?P<name>{'|'.join(_MONTHS)})[a-z]*\.?"
_WRITTEN = re.compile(
    rf"(?:[a-z]+,?\s+)?(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+{_MONTH}"
    rf"|{_MONTH.replace('name', 'name2')}\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?),?"
    rf"\s+(?P<year>\d{{4}})(?:(?:,|\s+at)?\s+{_TIME}\s*{_ZONE}?)?",
    re.IGNORECASE,
)
_DAY = r"\d{4}([-/.])\d{1,2}\1\d{1,2}"
_CLOCK = r"(?:T|,?\s+)\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?"
# a number of two digits after a blank is as likely the headline's as a zone
_LEADING = (
    re.compile(
        rf"{_DAY}{_CLOCK}(?:[+-]\d\d|\s*(?:Z|UTC|GMT|[+-]\d\d:?\d\d))(?![\w:])", re.IGNORECASE
    ),
    re.compile(rf"{_DAY}{_CLOCK}(?![\w:]|-[^\W\d])", re.IGNORECASE),
    re.compile(rf"{_DAY}(?!\d)"),
)
_LONGEST = 200
_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)(?!\d)")


def parse_date(text: str) -> datetime | None:
    """Reads one date, with or without time and zone; None if it is not one."""
    text = " ".join(text[:_LONGEST].split())
    for pattern in (_ISO, _COMPACT, _WRITTEN):
        match = pattern.fullmatch(text)
        if match:
            return _moment(match.groupdict())
    if not re.search(r"\d:\d\d", text):
        return None
    try:
        return _aware(parsedate_to_datetime(text))
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def leading_date(text: str) -> tuple[datetime | None, str, str] | None:
    """Takes an ISO date off the beginning of a line: the moment, its wording, and the rest.

    None if no date stands there; the moment is None where it does not exist (2025-02-30). What
    follows the date and is no time or zone belongs to the rest.
    """
    for pattern in _LEADING:
        match = pattern.match(text)
        moment = parse_date(match[0]) if match else None
        if match and (moment or pattern is _LEADING[-1]):
            return moment, match[0], text[match.end() :].strip()
    return None


def name_date(path: str) -> datetime | None:
    """The date a file's name holds: `2025-04-10`, `2025_04_10`, `2025.04.10` or `20250410`."""
    for match in _IN_NAME.finditer(PurePosixPath(path).name):
        found = _moment({"year": match[1], "month": match[3], "day": match[4]})
        if found:
            return found
    return None


def _moment(parts: dict[str, str | None]) -> datetime | None:
    month = parts.get("month")
    name = parts.get("name") or parts.get("name2")
    number = int(month) if month else _MONTHS.index((name or "")[:3].lower()) + 1
    try:
        return datetime(
            int(parts["year"] or 0),
            number,
            int(parts.get("day") or parts.get("day2") or 0),
            int(parts.get("hour") or 0),
            int(parts.get("minute") or 0),
            int(parts.get("second") or 0),
            int(((parts.get("fraction") or "") + "000000")[:6]),
            tzinfo=_zone(parts.get("zone")),
        )
    except ValueError:
        return None


def _zone(text: str | None) -> timezone:
    """The zone of an ISO time. Raises `ValueError` beyond 24 hours."""
    if not text or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-offset if text[0] == "-" else offset)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
