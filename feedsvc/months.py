"""Months of UTC as numbers that count on: what archives go by (RFC 5005 §4)."""

import re
from datetime import UTC, datetime

_WRITTEN = re.compile(r"([0-9]{4})-([0-9]{2})")


def month_of(when: datetime) -> int:
    """The month of a time: months since the year 0."""
    when = when.astimezone(UTC)
    return when.year * 12 + when.month - 1


def start_of(month: int) -> datetime:
    """When a month begins; that of the following one is when it ends."""
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def month_text(month: int) -> str:
    """A month as addresses have it: `2025-04`."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


def read_month(text: str) -> int | None:
    """Reads `2025-04`; None for what is no month."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    year, month = map(int, found.groups())
    return year * 12 + month - 1 if 1 <= year < 9999 and 1 <= month <= 12 else None
