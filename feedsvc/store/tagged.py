"""Tags as such: which there are, how they stand in time, and beside which others."""

import math
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ..errors import NotFound
from ..months import month_of, start_of
from .base import TagCompany, TagCount
from .codec import micros, storable
from .engine import Database
from .schema import entry_tags, tags

_MONTHS = 24
_NEWEST = 1_000  # entries that are looked at for what stands beside their tag
_BESIDE = 10
_FEWEST = 2
_DAY = timedelta(days=1) // timedelta(microseconds=1)
_CARRIED = tags.c.count.label("carried")
_LISTED = select(tags.c.slug, tags.c.label, _CARRIED)
_TAG = select(tags.c.pk, tags.c.slug, tags.c.label, _CARRIED)


class Tagged(Database):
    """Telling of tags."""

    def tags(self, *, prefix: str = "", limit: int | None = None) -> tuple[TagCount, ...]:
        """Tags of live entries by falling count, then slug."""
        wanted = _LISTED.where(tags.c.count > 0)
        if prefix:
            # as text, not as LIKE sees it: slugs sort by code point
            first, last = storable(prefix), storable(prefix) + chr(sys.maxunicode)
            wanted = wanted.where(tags.c.slug >= first, tags.c.slug < last)
        with self.reading() as connection:
            found = connection.execute(
                wanted.order_by(tags.c.count.desc(), tags.c.slug).limit(limit)
            )
            return tuple(TagCount(slug=row[0], label=row[1], count=row[2]) for row in found)

    def tag(self, slug: str, now: datetime) -> TagCompany:
        """One tag in time and company. Raises `NotFound` where no entry carries it."""
        with self.reading() as connection:
            row = self._tag(connection, slug)
            if row is None:
                raise NotFound(f"there is no tag “{slug}”")
            return TagCompany(
                tag=TagCount(slug=row.slug, label=row.label, count=row.carried),
                months=self._months(connection, row.pk, now),
                beside=self._beside(connection, row.pk, row.carried),
            )

    def beside(self, slug: str) -> tuple[TagCount, ...]:
        """The tags that stand beside one; none where no entry carries it."""
        with self.reading() as connection:
            row = self._tag(connection, slug)
            if row is None:
                return ()
            return tuple(one for one, _ in self._beside(connection, row.pk, row.carried))

    def _tag(self, connection: Connection, slug: str) -> Row[*tuple[Any, ...]] | None:
        wanted = _TAG.where(tags.c.slug == storable(slug), tags.c.count > 0)
        return connection.execute(wanted).first()

    def _months(
        self, connection: Connection, pk: int, now: datetime
    ) -> tuple[tuple[int, int], ...]:
        last = month_of(now)
        first = micros(start_of(last - _MONTHS + 1))
        day = entry_tags.c.published // _DAY
        counted = connection.execute(
            select(day, func.count())
            .where(
                entry_tags.c.tag_pk == pk, entry_tags.c.live == 1, entry_tags.c.published >= first
            )
            .group_by(day)
        )
        months: Counter[int] = Counter()
        for number, count in counted:
            months[month_of(datetime.fromtimestamp(number * 86_400, UTC))] += count
        # what is dated a little ahead of this clock counts as well
        span = range(min(months, default=last + 1), max(last, *months, last) + 1)
        return tuple((month, months[month]) for month in reversed(span))

    def _beside(
        self, connection: Connection, pk: int, count: int
    ) -> tuple[tuple[TagCount, int], ...]:
        newest = (
            select(entry_tags.c.entry_pk)
            .where(entry_tags.c.tag_pk == pk, entry_tags.c.live == 1)
            .order_by(entry_tags.c.published.desc(), entry_tags.c.key.desc())
            .limit(_NEWEST)
            .subquery()
        )
        together = func.count().label("together")
        joined = newest.join(entry_tags, entry_tags.c.entry_pk == newest.c.entry_pk)
        rows = connection.execute(
            select(tags.c.slug, tags.c.label, _CARRIED, together)
            .select_from(joined.join(tags, tags.c.pk == entry_tags.c.tag_pk))
            .where(entry_tags.c.tag_pk != pk)
            .group_by(tags.c.slug, tags.c.label, tags.c.count)
            .having(together >= min(_FEWEST, count))
        ).all()
        # common tags stand beside all others: what counts is how much of each is shared
        rows = sorted(rows, key=lambda row: (-row.together / math.sqrt(row.carried), row.slug))
        return tuple(
            (TagCount(slug=row.slug, label=row.label, count=row.carried), row.together)
            for row in rows[:_BESIDE]
        )
