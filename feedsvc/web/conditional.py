"""Conditional requests (RFC 9110 §13) as pure decisions on header values: is it a 304?

Entity tags come in and go out with their quotes, as they stand in headers.
"""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from werkzeug.http import parse_date

_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_STRONG_TAG = re.compile(r'(?<!W/)("[\x21\x23-\x7e\x80-\xff]*")')


def not_modified(
    *,
    etag: str,
    last_modified: datetime | None,
    if_none_match: str | None,
    if_modified_since: str | None,
) -> bool:
    """Whether a GET or HEAD may be answered 304, in the order of RFC 9110 §13.2.2.

    `If-Modified-Since` counts only where there is no `If-None-Match` at all; a date that does not
    parse is ignored.
    """
    if if_none_match is not None:
        return matches(if_none_match, etag)
    if if_modified_since is None or last_modified is None:
        return False
    since = parse_date(if_modified_since)
    return since is not None and last_modified.replace(microsecond=0) <= since


def failed(
    *, etag: str, last_modified: datetime | None, if_match: str | None, unmodified_since: str | None
) -> bool:
    """Whether `If-Match`, or without it `If-Unmodified-Since`, forbids an answer: then it is a 412.

    `If-Match` compares strongly (RFC 9110 §13.1.1): a weak tag never matches.
    """
    if if_match is not None:
        return if_match.strip() != "*" and etag not in _STRONG_TAG.findall(if_match)
    if unmodified_since is None or last_modified is None:
        return False
    since = parse_date(unmodified_since)
    return since is not None and last_modified.replace(microsecond=0) > since


def matches(if_none_match: str, etag: str) -> bool:
    """Compares weakly (RFC 9110 §8.8.3.2) with each tag of the list; `*` matches anything."""
    if if_none_match.strip() == "*":
        return True
    return etag.removeprefix("W/") in _ENTITY_TAG.findall(if_none_match)


def entity_tags(if_none_match: str, suffixes: Collection[str]) -> dict[str, str]:
    """The tags of a list by what they are without the suffix that names a coding of the content."""
    tags: dict[str, str] = {}
    for tag in _ENTITY_TAG.findall(if_none_match):
        stem, hyphen, suffix = tag[:-1].rpartition("-")
        tags.setdefault(f'{stem}"' if hyphen and suffix in suffixes else tag, tag)
    return tags


def with_suffix(etag: str, suffix: str) -> str:
    """Names another coding of the same content: `"abc"` becomes `"abc-gz"`."""
    return f'{etag[:-1]}-{suffix}"' if suffix else etag


def settles(moment: datetime | None, now: datetime) -> datetime | None:
    """When `Last-Modified` will be another one than now though nothing changes; None for never."""
    second = now.replace(microsecond=0)
    return None if moment is None or moment < second else second + timedelta(seconds=1)


def last_modified_value(moment: datetime, now: datetime) -> str:
    """Writes `Last-Modified` (RFC 9110 §8.8.2): never a second that may still see another change.

    Whatever lies in the current second or later becomes the second before, so that no later
    change of that second can hide behind it.
    """
    latest = now.replace(microsecond=0) - timedelta(seconds=1)
    return http_date(min(moment.replace(microsecond=0), latest))


def http_date(moment: datetime) -> str:
    """Writes a time as an IMF-fixdate (RFC 9110 §5.6.7), whole seconds of UTC."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
