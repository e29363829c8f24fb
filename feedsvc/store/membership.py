"""Stories as their members come, go and change; nothing is decided here."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, select, update

from .codec import micros
from .engine import chunks
from .schema import entries
from .story_schema import storied, stories

LEAST = 2  # members of a story
_BATCH = 500
_COUNTED = update(stories).where(stories.c.key == bindparam("of"))


def leave_stories(
    connection: Connection, pks: Sequence[int], now: datetime, *, told: bool = True
) -> None:
    """Takes entries that go out of their stories; one with too few members left goes as well.

    `told`: that is news, which moves `updated` of the story, or leaves a tombstone.
    """
    left: set[int] = set()
    for some in chunks(pks, _BATCH):
        gone = delete(storied).where(storied.c.entry_pk.in_(some))
        left.update(connection.scalars(gone.returning(storied.c.story)))
    recount(connection, left, now, told=told)


def recount(
    connection: Connection, keys: Collection[int], now: datetime, *, told: bool = True
) -> None:
    """Brings stories up to date that members have left."""
    at = micros(now)
    rows, ended = [], []
    for some in chunks(sorted(keys), _BATCH):
        members: dict[int, list[tuple[int, int, int]]] = {key: [] for key in some}
        wanted = select(storied.c.story, entries.c.published, entries.c.key, entries.c.pk)
        wanted = wanted.join_from(storied, entries, entries.c.pk == storied.c.entry_pk)
        for story, *member in connection.execute(wanted.where(storied.c.story.in_(some))):
            members[story].append((member[0], member[1], member[2]))
        leads = select(stories.c.key, stories.c.lead).where(stories.c.key.in_(some))
        for key, lead in connection.execute(leads):
            has = sorted(members[key])
            if len(has) < LEAST:
                ended.append(key)
            else:
                lead = lead if any(pk == lead for _, _, pk in has) else has[0][2]
                rows.append({"of": key, "lead_pk": lead, "number": len(has)})
    if rows:
        news = {"updated": _later(at)} if told else {}
        counted = _COUNTED.values(
            lead=bindparam("lead_pk"), size=bindparam("number"), changed=at, **news
        )
        connection.execute(counted, rows)
    if told:
        end_stories(connection, ended, now)
    else:
        for some in chunks(ended, _BATCH):
            connection.execute(delete(storied).where(storied.c.story.in_(some)))
            connection.execute(delete(stories).where(stories.c.key.in_(some)))


def end_stories(connection: Connection, keys: Iterable[int], now: datetime) -> None:
    """Takes away stories that have fallen apart."""
    at = micros(now)
    for some in chunks(sorted(keys), _BATCH):
        connection.execute(delete(storied).where(storied.c.story.in_(some)))
        mine = update(stories).where(stories.c.key.in_(some))
        connection.execute(mine.values(gone=at, changed=at, size=0, part_of=None))


def retell_stories(connection: Connection, pks: Sequence[int], now: datetime) -> None:
    """Tells of stories that these members' content is another."""
    at = micros(now)
    for some in chunks(pks, _BATCH):
        theirs = select(storied.c.story).where(storied.c.entry_pk.in_(some))
        mine = update(stories).where(stories.c.key.in_(theirs))
        connection.execute(mine.values(updated=_later(at), changed=at))


def _later(at: int) -> ColumnElement[int]:
    return case((stories.c.updated < at, at), else_=stories.c.updated)
