"""What keeps a store right: new tags for old entries, pruning, counting, and looking for damage."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, SelectBase, and_, exists, func, or_, select, update

from ..keys import parse_key
from ..model import Tag
from .base import Stats
from .codec import encode_tags, labels, maybe_moment, micros
from .indexing import LINK, RELATE
from .life import Life, newest_revision
from .mark_schema import marked, marks
from .reading import TOMBSTONES
from .related_schema import postings, signatures
from .schema import (
    contents,
    duplicates,
    entries,
    entry_tags,
    meta,
    outbox,
    poll_state,
    pruned,
    ref_terms,
    related,
    revisions,
    sources,
    tags,
    title_terms,
)
from .signing import APART
from .story_schema import storied, stories
from .withdrawing import Withdrawing

_APART = signatures.c.pending == APART
_FOLDING = select(meta.c.value).where(meta.c.key == "folding").scalar_subquery()


class Upkeep(Withdrawing, Life):
    """Work on what is there already."""

    backend: str

    def put_tags(self, key: str, tags: Sequence[Tag], now: datetime) -> bool:
        """Replaces an entry's tags; True if that changed anything. Never moves `updated`."""
        columns = entries.c
        wanted = select(
            columns.pk, columns.key, columns.published, columns.tags, columns.withdrawn_at
        ).where(columns.key == parse_key(key))
        text = encode_tags(tags)
        with self.reading() as connection:
            row = connection.execute(wanted).one_or_none()
            if row is None or row.tags == text:
                return False
        with self.writing() as connection:
            row = connection.execute(wanted).one_or_none()
            if row is None or row.tags == text:
                return False
            deltas = self.drop_entry_tags(connection, [row.pk])
            live = int(row.withdrawn_at is None)
            pks = self.tag_pks(connection, labels(tags))
            for pk in pks.values():
                deltas[pk] = deltas.get(pk, 0) + live
            self.put_entry_tags(
                connection,
                [(pk, live, row.published, row.key, row.pk) for pk in pks.values()],
            )
            self.count_tags(connection, deltas)
            connection.execute(update(entries).where(columns.pk == row.pk).values(tags=text))
            self.refile(connection, [row.pk], now, copies=True)
            self.refresh(connection, [row.pk], now)
            self.bump(connection, membership=now)
        return True

    def prune(self, *, before: datetime, now: datetime) -> int:
        """Forgets entries published before a time, all but their names; returns how many.

        Goes in batches, each a transaction of its own. Tombstones stay for as long as they show.
        """
        columns = entries.c
        shown = columns.withdrawn_at > micros(now - TOMBSTONES)
        old = (
            select(columns.pk)
            .where(columns.published < micros(before), or_(columns.withdrawn_at.is_(None), ~shown))
            .order_by(columns.published, columns.key)
            .limit(self.tuning.batch)
        )
        total = 0
        while True:
            with self.reading() as connection:
                if connection.scalar(old.limit(1)) is None:
                    return total
            with self.writing() as connection:
                pks = connection.scalars(old).all()
                self.forget(connection, pks, now)
                self.bump(connection, membership=now)
            total += len(pks)

    def stats(self) -> Stats:
        """Counts everything."""
        columns = entries.c
        live, waiting = columns.withdrawn_at.is_(None), ref_terms.c
        with self.reading() as connection:
            headlines = select(waiting.entry_pk, waiting.position).distinct().subquery()
            first, last = connection.execute(
                select(func.min(columns.published), func.max(columns.published)).where(live)
            ).one()
            return Stats(
                entries=_count(connection, select(columns.pk).where(live)),
                withdrawn=_count(connection, select(columns.pk).where(~live)),
                pruned=_count(connection, select(pruned.c.source_pk).where(pruned.c.id != "")),
                sources=_count(
                    connection, select(sources.c.pk).where(sources.c.removed_at.is_(None))
                ),
                tags=_count(connection, select(tags.c.pk).where(tags.c.count > 0)),
                related=_count(connection, select(related.c.position)),
                unresolved=_count(connection, select(headlines)),
                waiting=_count(connection, select(outbox.c.seq).where(outbox.c.consumer == LINK)),
                unlinked=_count(connection, select(outbox.c.seq).where(outbox.c.consumer == RELATE))
                + _count(connection, select(signatures.c.hour).where(signatures.c.pending == 1)),
                apart=_count(connection, select(signatures.c.hour).where(_APART)),
                unindexed=_count(connection, select(columns.pk).where(columns.pk <= _FOLDING)),
                revisions=_count(connection, select(revisions.c.slot)),
                bytes=self._size(connection),
                schema=newest_revision(),
                backend=self.backend,
                oldest=maybe_moment(first),
                newest=maybe_moment(last),
                details=self._details(connection),
            )

    def check(self) -> tuple[str, ...]:
        """Looks for damage (integrity, counts, dangling rows); returns what it found."""
        self.require_current()
        with self.reading() as connection:
            self._lift_limits(connection)
            if found := self._damage(connection):
                # nothing that is read from a damaged file means anything
                return tuple(found)
            for problem, rows in (*_PROBLEMS, *self._unsearchable()):
                if number := _count(connection, rows):
                    found.append(f"{number:,} {problem}")
            if stale := self._stale(connection):
                found.append(f"{stale:,} entries with a fingerprint that is not theirs")
        return (*found, *self._index_damage())

    def _unsearchable(self) -> Iterator[tuple[str, SelectBase]]:
        # set against set: PostgreSQL would go through one of them for each row of a large other
        indexed, there = self._indexed(), select(entries.c.pk)
        yield "entries missing from the search index", there.except_(indexed)
        yield "rows of the search index without an entry", indexed.except_(there)
        yield "entries that the search index has at another time", self._misdated()

    def _stale(self, connection: Connection) -> int:
        stale, last = 0, 0
        pks = select(entries.c.pk).order_by(entries.c.pk).limit(self.tuning.batch)
        while some := connection.scalars(pks.where(entries.c.pk > last)).all():
            stale += len(self.outdated(connection, some))
            last = some[-1]
        return stale


def _count(connection: Connection, rows: SelectBase) -> int:
    return connection.scalar(select(func.count()).select_from(rows.subquery())) or 0


def _problems() -> Iterator[tuple[str, Select[Any]]]:
    """What must not be, as what to call it and the rows that are it."""
    live = entries.c.withdrawn_at.is_(None)
    carried = (
        select(func.count())
        .where(entry_tags.c.tag_pk == tags.c.pk, entry_tags.c.live == 1)
        .scalar_subquery()
    )
    yield "tags with a wrong count", select(tags.c.pk).where(tags.c.count != carried)
    same = and_(
        entries.c.pk == entry_tags.c.entry_pk,
        entries.c.published == entry_tags.c.published,
        entries.c.key == entry_tags.c.key,
        live == (entry_tags.c.live == 1),
    )
    yield (
        "tags on entries that are not as they say",
        select(entry_tags.c.tag_pk).where(~exists().where(same)),
    )
    filled = exists().where(contents.c.entry_pk == entries.c.pk)
    yield "entries without their content", select(entries.c.pk).where(~filled)
    target = exists().where(entries.c.pk == related.c.target_pk, live)
    yield "links to entries that are gone", select(related.c.position).where(~target)
    titled = exists().where(
        entries.c.pk == title_terms.c.entry_pk,
        entries.c.published == title_terms.c.published,
        live,
    )
    yield "words of titles that are gone", select(title_terms.c.term).where(~titled)
    signed = exists().where(entries.c.pk == signatures.c.entry_pk, live)
    yield "signatures of entries that are gone", select(signatures.c.hour).where(~signed)
    posted = exists().where(
        signatures.c.entry_pk == postings.c.entry_pk, signatures.c.hour == postings.c.hour
    )
    yield "postings without a signature", select(postings.c.term).where(~posted)
    marking = exists().where(entries.c.pk == marked.c.entry_pk, live)
    yield "marks of entries that are gone", select(marked.c.entry_pk).where(~marking)
    known = exists().where(marked.c.entry_pk == marks.c.entry_pk)
    yield "marks without a text", select(marks.c.mark).where(~known)
    has = (
        select(marks.c.entry_pk, func.count().label("marks")).group_by(marks.c.entry_pk).subquery()
    )
    yield (
        "texts with other marks than they are found by",
        select(marked.c.entry_pk)
        .outerjoin(has, has.c.entry_pk == marked.c.entry_pk)
        .where(4 * func.coalesce(has.c.marks, 0) != func.length(marked.c.marks)),
    )
    told = exists().where(stories.c.key == storied.c.story, stories.c.gone.is_(None))
    yield "members of stories that are gone", select(storied.c.entry_pk).where(~told)
    member = exists().where(entries.c.pk == storied.c.entry_pk, live)
    yield "members of stories that are withdrawn", select(storied.c.entry_pk).where(~member)
    members = select(func.count()).where(storied.c.story == stories.c.key).scalar_subquery()
    yield (
        "stories with another number of members than they say",
        select(stories.c.key).where(stories.c.size != members),
    )
    names = exists().where(entries.c.pk == ref_terms.c.entry_pk, live, entries.c.names.is_not(None))
    yield "waiting headlines of entries that are gone", select(ref_terms.c.term).where(~names)
    mine, other = duplicates.c, duplicates.alias().c
    shown = and_(
        entries.c.pk == mine.entry_pk,
        entries.c.published == mine.published,
        entries.c.key == mine.key,
        entries.c.source_pk == mine.source_pk,
        live,
    )
    yield (
        "copies of entries that are not as they say",
        select(mine.entry_pk).where(~exists().where(shown)),
    )
    others = exists().where(other.lead == mine.lead, other.entry_pk != mine.entry_pk)
    yield "copies of nothing", select(mine.entry_pk).where(~others)
    polled = exists().where(poll_state.c.source_pk == sources.c.pk)
    yield "sources without a poll state", select(sources.c.pk).where(~polled)


_PROBLEMS = tuple(_problems())
