"""Stories as they are made: what waits for its story, what stands around it, what comes of it.

Which entries belong together, and which story goes on, is `relate`'s to say.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, update

from ..keys import key_number, key_text
from .codec import micros
from .engine import chunks, insert_all
from .linkable import Around, Gathered, Likened, Regrouping
from .links import CONTENT
from .membership import end_stories
from .related_schema import signatures
from .relating import LIKENED, Relating, likened_rows
from .schema import entries, related
from .signing import APART
from .story_schema import storied, stories

_GATHERED = (
    update(signatures)
    .where(signatures.c.entry_pk == bindparam("of"), signatures.c.pending == APART)
    .values(pending=0)
)
_STORY = update(stories).where(stories.c.key == bindparam("of"))
_GROWN = _STORY.values(
    lead=bindparam("lead_pk"), size=bindparam("number"), updated=bindparam("told")
)
_MERGED = (
    update(stories)
    .where((stories.c.key == bindparam("of")) | (stories.c.part_of == bindparam("of")))
    .values(size=0, part_of=bindparam("whole"))
)
_Dates = tuple[int, int, int, int]


class Gathering(Relating):
    """Stories."""

    def apart(self, limit: int) -> tuple[Likened, ...]:
        """The oldest entries whose links by content are there, and whose story is to be found."""
        oldest = LIKENED.where(signatures.c.pending == APART).order_by(
            signatures.c.hour, signatures.c.entry_pk
        )
        with self.reading() as connection:
            return likened_rows(connection, oldest.limit(limit))

    def around(self, pks: Sequence[int]) -> Around:
        """What is linked to entries by content, either way, and the stories of all of these."""
        near: dict[int, set[int]] = {pk: set() for pk in pks}
        links = select(related.c.entry_pk, related.c.target_pk).where(related.c.kind == CONTENT)
        with self.reading() as connection:
            for some in chunks(pks, self.tuning.batch):
                for one, other in connection.execute(links.where(related.c.entry_pk.in_(some))):
                    near[one].add(other)
                for other, one in connection.execute(links.where(related.c.target_pk.in_(some))):
                    near[one].add(other)
            mine = self._stories_of(
                connection, {*near, *(to for tos in near.values() for to in tos)}
            )
            return Around(near, self._by_story(connection, set(mine.values())))

    def finish_gathered(
        self, looked: Sequence[Likened], changes: Sequence[Regrouping], now: datetime
    ) -> None:
        """Writes stories, and that these entries wait for theirs no longer.

        Of stories that are not as they were read nothing is written: those entries still wait.
        """
        with self.writing(durable=False) as connection:
            sound = self._sound(connection, changes)
            self._regroup(connection, sound, now)
            late = {pk for each in changes if each not in sound for pk in each.looked}
            done = [{"of": each.pk} for each in looked if each.pk not in late]
            if done:
                connection.execute(_GATHERED, done)
            if sound:
                self.bump(connection)

    # -- what is there ---------------------------------------------------------------------

    def _stories_of(self, connection: Connection, pks: Collection[int]) -> dict[int, int]:
        wanted = select(storied.c.entry_pk, storied.c.story)
        return {
            pk: story
            for some in chunks(sorted(pks), self.tuning.batch)
            for pk, story in connection.execute(wanted.where(storied.c.entry_pk.in_(some)))
        }

    def _by_story(
        self, connection: Connection, keys: Collection[int]
    ) -> dict[int, tuple[int, ...]]:
        """The members of stories, the newest first; the stories that began first come first."""
        born: list[tuple[int, int]] = []
        found: dict[int, list[int]] = {}
        ages = select(stories.c.born, stories.c.key)
        wanted = (
            select(storied.c.story, storied.c.entry_pk)
            .join_from(storied, entries, entries.c.pk == storied.c.entry_pk)
            .order_by(entries.c.published.desc(), entries.c.pk.desc())
        )
        for some in chunks(sorted(keys), self.tuning.batch):
            rows = connection.execute(ages.where(stories.c.key.in_(some)))
            born += [(at, key) for at, key in rows]
            for story, pk in connection.execute(wanted.where(storied.c.story.in_(some))):
                found.setdefault(story, []).append(pk)
        return {key: tuple(found.get(key, ())) for _, key in sorted(born)}

    def _sound(self, connection: Connection, changes: Sequence[Regrouping]) -> list[Regrouping]:
        """Those where stories have the members that they were read with, and these are live."""
        after = {pk for change in changes for each in change.after for pk in each.members}
        keys = {key for change in changes for key in change.before}
        members = self._by_story(connection, keys)
        of = self._stories_of(connection, after)
        live = self._live_pks(connection, after)

        def holds(change: Regrouping) -> bool:
            had = {pk: key for key, pks in change.before.items() for pk in pks}
            pks = [pk for each in change.after for pk in each.members]
            return all(set(members.get(key, ())) == had for key, had in change.before.items()) and (
                all(pk in live and of.get(pk) == had.get(pk) for pk in pks)
            )

        return [change for change in changes if holds(change)]

    # -- what comes of it ------------------------------------------------------------------

    def _regroup(
        self, connection: Connection, changes: Sequence[Regrouping], now: datetime
    ) -> None:
        at = micros(now)
        had = {pk: key for each in changes for key, pks in each.before.items() for pk in pks}
        groups = [(change, each) for change in changes for each in change.after]
        dates = self._dates(connection, [pk for _, each in groups for pk in each.members])
        new = [each for _, each in groups if each.story is None]
        keys = self._found(connection, new, dates, at)
        self._go_on(
            connection,
            {
                each.story: (each, change.looked)
                for change, each in groups
                if each.story is not None and change.before[each.story] != set(each.members)
            },
            dates,
            at,
        )
        has: dict[int, int] = {}
        merged = []
        for _, each in groups:
            key = keys[each] if each.story is None else each.story
            has.update(dict.fromkeys(each.members, key))
            merged += [{"of": gone, "whole": key} for gone in each.merged]
        if merged:
            connection.execute(_MERGED.values(gone=at, changed=at), merged)
        end_stories(connection, [key for each in changes for key in each.ended], now)
        moved = sorted(pk for pk in had.keys() | has.keys() if had.get(pk) != has.get(pk))
        for some in chunks(moved, self.tuning.batch):
            connection.execute(delete(storied).where(storied.c.entry_pk.in_(some)))
        rows = [{"entry_pk": pk, "story": has[pk]} for pk in moved if pk in has]
        insert_all(connection, storied, rows)

    def _dates(self, connection: Connection, pks: Sequence[int]) -> dict[int, _Dates]:
        """When entries were published, their keys, when they were last updated and came, by pk."""
        columns = entries.c
        wanted = select(
            columns.pk, columns.published, columns.key, columns.updated, columns.first_seen
        )
        return {
            pk: (published, key, max(published, updated), seen)
            for some in chunks(pks, self.tuning.batch)
            for pk, published, key, updated, seen in connection.execute(
                wanted.where(columns.pk.in_(some))
            )
        }

    def _found(
        self,
        connection: Connection,
        new: Sequence[Gathered],
        dates: Mapping[int, _Dates],
        at: int,
    ) -> dict[Gathered, int]:
        """Makes stories. The key of each is that of its earliest member that gave none its name."""
        names: dict[Gathered, list[int]] = {}
        for each in new:
            keys = [key for _, key, *_ in sorted(dates[pk] for pk in each.members)]
            names[each] = [*keys, key_number(f"{key_text(keys[0])} {at}")]
        wanted = select(stories.c.key, stories.c.gone, stories.c.part_of)
        asked = [key for keys in names.values() for key in keys]
        # a story that fell apart may come back; one that is part of another leads there for good
        taken = {
            key: gone is not None and part_of is None
            for some in chunks(asked, self.tuning.batch)
            for key, gone, part_of in connection.execute(wanted.where(stories.c.key.in_(some)))
        }
        made = {
            each: next(key for key in keys if taken.get(key, True)) for each, keys in names.items()
        }
        back = [key for key in made.values() if key in taken]
        for some in chunks(back, self.tuning.batch):
            connection.execute(delete(stories).where(stories.c.key.in_(some)))
        insert_all(
            connection,
            stories,
            [
                {
                    "key": key,
                    "lead": each.lead,
                    "size": len(each.members),
                    "born": at,
                    "published": min(dates[pk][0] for pk in each.members),
                    # whoever saw it go has to see it come back
                    "updated": at if key in taken else max(dates[pk][2] for pk in each.members),
                    "changed": at,
                    "gone": None,
                    "part_of": None,
                }
                for each, key in made.items()
            ],
        )
        return made

    def _go_on(
        self,
        connection: Connection,
        going: Mapping[int, tuple[Gathered, Collection[int]]],
        dates: Mapping[int, _Dates],
        at: int,
    ) -> None:
        """Writes that stories have other members.

        That is news of when what was looked at is dated or came, whenever it is looked at.
        """
        wanted = select(stories.c.key, stories.c.updated)
        before = {
            key: updated
            for some in chunks(sorted(going), self.tuning.batch)
            for key, updated in connection.execute(wanted.where(stories.c.key.in_(some)))
        }
        rows = []
        for key, (each, looked) in sorted(going.items()):
            seen = [dates[pk] for pk in looked if pk in dates]
            newest = max((updated for _, _, updated, _ in seen), default=0)
            if newest <= before[key]:
                newest = max((came for *_, came in seen), default=0)
            rows.append(
                {
                    "of": key,
                    "lead_pk": each.lead,
                    "number": len(each.members),
                    "told": max(before[key], newest),
                }
            )
        if rows:
            connection.execute(_GROWN.values(changed=at), rows)
