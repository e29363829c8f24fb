"""Durations and rates as people say them."""

from datetime import timedelta

_UNITS = ((1.0, "day"), (7.0, "week"), (30.0, "month"))


def span(wait: timedelta) -> str:
    """A duration in the largest unit that says it well: `4 min`, `1 h`, `2.5 h`, `3 days`."""
    seconds = max(wait.total_seconds(), 0)
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 7170 and not _whole(seconds, 3600):
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * 86400:
        return f"{_short(seconds / 3600)} h"
    return f"{_short(seconds / 86400)} days"


def times(per_day: float) -> str:
    """A rate: `about 12 times a day`, `about once a week`."""
    if per_day >= 36:
        return f"about {per_day / 24:.0f} times an hour"
    for days, unit in _UNITS:
        count = per_day * days
        if count >= 1.5:
            return f"about {count:.0f} times a {unit}"
        if count >= 0.75:
            return f"about once a {unit}"
    return "less than once a month"


def often(count: int) -> str:
    """How many times: `once`, `3 times`."""
    return "once" if count == 1 else f"{count:,} times"


def _whole(seconds: float, unit: int) -> bool:
    return abs(seconds - round(seconds / unit) * unit) < 30


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
