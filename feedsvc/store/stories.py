"""Reading stories: a page of them, one, that of an entry."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, tuple_

from ..errors import NotFound
from ..keys import key_text, parse_key
from ..model import Story, StoryMember
from .answers import StoryPage
from .codec import digest_of, micros, moment, tags_of
from .cursor import Cursor, read_cursor
from .engine import Database, chunks
from .reading import TOMBSTONES
from .schema import duplicates, entries, meta, sources
from .source_codec import meta_of, shown_title
from .story_schema import storied, stories

_MEMBERS = (
    select(
        storied.c.story,
        entries.c.pk,
        entries.c.key,
        entries.c.id,
        entries.c.title,
        entries.c.link,
        entries.c.published,
        entries.c.tags,
        entries.c.lang,
        sources.c.id.label("source_id"),
        sources.c.title.label("source_title"),
        sources.c.meta,
        duplicates.c.lead,
    )
    .join_from(storied, entries, entries.c.pk == storied.c.entry_pk)
    .join(sources, sources.c.pk == entries.c.source_pk)
    .outerjoin(duplicates, duplicates.c.entry_pk == entries.c.pk)
    .order_by(entries.c.published.desc(), entries.c.key.desc())
)
# a story changes with what its members show as well
_CHANGED = select(func.max(stories.c.changed)).union_all(
    select(meta.c.value).where(meta.c.key == "membership")
)
_Row = Row[*tuple[Any, ...]]


class Stories(Database):
    """Stories as they are shown."""

    def stories(self, *, limit: int, now: datetime, before: str | None = None) -> StoryPage:
        """The first `limit` stories, those after cursor `before`."""
        columns = stories.c
        wanted = select(stories).where(columns.gone.is_(None))
        wanted = wanted.order_by(columns.updated.desc(), columns.key.desc()).limit(limit + 1)
        if before is not None:
            cursor = read_cursor(before, "updated")
            place = tuple_(columns.updated, columns.key)
            wanted = wanted.where(place < (cursor.at, cursor.key))
        since = micros(now - TOMBSTONES)
        ended = select(columns.key, columns.gone).where(columns.gone > since)
        ended = ended.order_by(columns.gone.desc(), columns.key).limit(limit)
        with self.reading() as connection:
            rows = connection.execute(wanted).all()
            gone = connection.execute(ended).all() if before is None else []
            moments = connection.scalars(_CHANGED).all()
            page = rows[:limit]
            return StoryPage(
                stories=self._whole(connection, page),
                gone=tuple((key_text(key), moment(at)) for key, at in gone),
                changed=max((moment(at) for at in moments if at is not None), default=None),
                next=(
                    Cursor("updated", page[-1].updated, page[-1].key).text()
                    if len(rows) > limit
                    else None
                ),
            )

    def story(self, key: str) -> Story:
        """One story, whatever became of it. Raises `NotFound`."""
        number = parse_key(key)
        if number is not None:
            with self.reading() as connection:
                wanted = select(stories).where(stories.c.key == number)
                found = self._whole(connection, connection.execute(wanted).all())
                if found:
                    return found[0]
        raise NotFound(f"there is no story “{key}”")

    def story_of(self, entry: str) -> Story | None:
        """The story that an entry is in, by the entry's key."""
        wanted = (
            select(stories)
            .join_from(stories, storied, storied.c.story == stories.c.key)
            .join(entries, entries.c.pk == storied.c.entry_pk)
            .where(entries.c.key == parse_key(entry))
        )
        with self.reading() as connection:
            found = self._whole(connection, connection.execute(wanted).all())
            return found[0] if found else None

    def _whole(self, connection: Connection, rows: Sequence[_Row]) -> tuple[Story, ...]:
        """Stories with their members."""
        members: dict[int, list[tuple[int, StoryMember]]] = {row.key: [] for row in rows}
        titles: dict[str, str] = {}
        for some in chunks(list(members), self.tuning.batch):
            for row in connection.execute(_MEMBERS.where(storied.c.story.in_(some))):
                if row.source_id not in titles:
                    told = meta_of(row.meta)
                    titles[row.source_id] = shown_title(row.source_id, row.source_title, told)
                members[row.story].append((row.pk, _member(row, titles[row.source_id])))
        return tuple(_story(row, members[row.key]) for row in rows)


def _story(row: _Row, members: Sequence[tuple[int, StoryMember]]) -> Story:
    listed = tuple(member for _, member in members)
    first = {one.lead: one.key for one in listed if one.lead is not None}
    lead = next((member for pk, member in members if pk == row.lead), None)
    return Story(
        key=key_text(row.key),
        published=moment(row.published),
        updated=moment(row.updated),
        members=listed,
        articles=tuple(one for one in listed if one.lead is None or first[one.lead] == one.key),
        lead=lead,
        gone=None if row.gone is None else moment(row.gone),
        into=None if row.part_of is None else key_text(row.part_of),
        fingerprint=digest_of("story", row.key, row.updated, row.published, lead, listed),
    )


def _member(row: _Row, source_title: str) -> StoryMember:
    return StoryMember(
        key=key_text(row.key),
        id=row.id,
        title=row.title,
        link=row.link,
        published=moment(row.published),
        source_id=row.source_id,
        source_title=source_title,
        tags=tags_of(row.tags),
        lang=row.lang,
        lead=row.lead,
    )
