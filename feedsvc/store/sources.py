"""The sources that are polled: declared by the configuration, or added and kept in the store.

A removed source keeps its row, so that its entries stay what they are and a source that comes back,
even under another id, goes on where it was.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import Connection, RowMapping, case, delete, select, update

from ..errors import NotFound, StoreError
from ..model import PollState, Source
from ..pacing import first_poll, host_of
from .codec import encode, micros, storable
from .engine import chunks, insert_all
from .hosts import put_host, put_hosts
from .listing import Listing
from .schema import entries, long_cursors, poll_state, sources
from .source_codec import declared_of, meta_of, shown, source_of, source_row, state_row

FirstPoll = Callable[[Source, datetime], datetime]

_JOINED = select(sources, poll_state).join_from(sources, poll_state)


class Sources(Listing):
    """Keeping the list of sources."""

    def declare_sources(
        self, declared: Sequence[Source], now: datetime, *, spread: timedelta = timedelta(0)
    ) -> None:
        """Keeps the declared sources in step with the configuration."""
        wanted = {source.id: replace(source, origin="config") for source in declared}
        with self.reading() as connection:
            if self._undeclared(connection, wanted) == ([], []):
                return
        with self.writing() as connection:
            written, vanished = self._undeclared(connection, wanted)
            # first those that went: one that comes under a new id goes on with its old row
            for pk in vanished:
                self._remove(connection, pk, now)
            first = partial(first_poll, among=len(written), interval=spread)
            fresh, others = self._fresh(connection, written)
            self._insert(connection, fresh, now, first)
            for source in others:
                self._declare(connection, source, now, first)
            self.bump(connection, membership=now)

    def _undeclared(
        self, connection: Connection, wanted: Mapping[str, Source]
    ) -> tuple[list[Source], list[int]]:
        """What is not as declared: sources to write, and pks of vanished ones."""
        listed = select(sources.c.pk, sources.c.id, sources.c.declared)
        current = sources.c.removed_at.is_(None) & (sources.c.origin == "config")
        written, vanished = dict(wanted), []
        for pk, id, declared in connection.execute(listed.where(current)):
            if id not in wanted:
                vanished.append(pk)
            elif declared == encode(wanted[id]):
                del written[id]
        return list(written.values()), vanished

    def _declare(
        self, connection: Connection, source: Source, now: datetime, first: FirstPoll
    ) -> None:
        row = self._row(connection, source, now)
        if row is None:
            self._insert(connection, [source], now, first)
            return
        before = declared_of(row["declared"]) or source_of(row)
        values = {**source_row(source), "declared": encode(source)}
        if before.location == source.location:
            # where a permanent redirect led is kept until the declared location changes
            values["location"] = row["location"]
        self._update(connection, row, values, now)
        self._refilter(connection, row["pk"], before, source)

    def _refilter(self, connection: Connection, pk: int, before: Source, after: Source) -> None:
        if (before.keep, before.drop) != (after.keep, after.drop):
            # what was not taken before stands in documents that need not have changed
            again = update(poll_state).where(poll_state.c.source_pk == pk)
            connection.execute(again.values(etag=None, last_modified=None, digest=None))

    def add_source(self, source: Source, now: datetime, *, state: PollState | None = None) -> None:
        """Adds or revives a source; due at once, or with the poll state it is to begin with.

        Raises `StoreError` if its id is taken or its location polled already.
        """
        with self.writing() as connection:
            polled = self._polled(connection)
            if source.id in polled.values():
                raise StoreError(f"there is a source “{source.id}” already: choose another id")
            if source.location in polled:
                raise StoreError(
                    f"{source.location} is polled already, as source “{polled[source.location]}”"
                )
            self._add(connection, source, now)
            if state is not None:
                own = select(sources.c.pk).where(sources.c.id == storable(source.id))
                begun = update(poll_state).where(poll_state.c.source_pk == own.scalar_subquery())
                connection.execute(begun.values(**state_row(state, now)))
            self.bump(connection, membership=now)

    def add_sources(
        self, added: Iterable[Source], now: datetime, *, spread: timedelta = timedelta(0)
    ) -> int:
        """Adds many in one transaction, leaving those whose location is known; returns how many.

        An id that is taken gets a number (`news-2`): in a subscription list ids are only made up.
        """
        listed, new = list(added), list[Source]()
        first = partial(first_poll, among=len(listed), interval=spread)
        with self.writing() as connection:
            polled = self._polled(connection)
            ids = set(polled.values())
            for source in listed:
                if source.location in polled:
                    continue
                id = next(
                    id
                    for number in count(1)
                    if (id := source.id if number == 1 else f"{source.id}-{number}") not in ids
                )
                polled[source.location] = id
                ids.add(id)
                new.append(replace(source, id=id))
            fresh, others = self._fresh(connection, new)
            self._insert(connection, fresh, now, first)
            for source in others:
                self._add(connection, source, now, first)
            if new:
                self.bump(connection, membership=now)
        return len(new)

    def change_source(self, before: Source, after: Source, now: datetime) -> bool:
        """Gives a source of the store other settings, if they still are as they were read.

        False, and nothing is written, where they are not. `id`, `kind`, `location` and `origin`
        stay. Raises `NotFound`.
        """
        wanted = _JOINED.where(sources.c.id == storable(before.id), sources.c.removed_at.is_(None))
        with self.writing() as connection:
            row = connection.execute(wanted).mappings().first()
            if row is None:
                raise NotFound(f"there is no source “{before.id}”")
            if source_of(row) != before or before.origin != "store":
                return False
            stays = {"id": row["id"], "location": row["location"], "origin": row["origin"]}
            self._update(connection, row, source_row(after) | stays, now)
            self._refilter(connection, row["pk"], before, after)
            self.bump(connection, membership=now)
        return True

    def hasten(self, id: str, now: datetime) -> None:
        """Makes a source due now; what its server asked for (Retry-After) holds all the same."""
        mine = (sources.c.id == storable(id)) & sources.c.removed_at.is_(None)
        own = select(sources.c.pk).where(mine).scalar_subquery()
        at, state = micros(now), poll_state.c
        soon = {"next_at": case((state.next_at < at, state.next_at), else_=at), "why": None}
        with self.writing() as connection:
            connection.execute(update(poll_state).where(state.source_pk == own).values(**soon))

    def remove_source(self, id: str, *, purge: bool, now: datetime) -> None:
        """Stops polling a source; with `purge` its entries are withdrawn too. Raises `NotFound`."""
        with self.writing() as connection:
            pk = connection.scalar(
                select(sources.c.pk).where(
                    sources.c.id == storable(id), sources.c.removed_at.is_(None)
                )
            )
            if pk is None:
                raise NotFound(f"there is no source “{id}”")
            self._remove(connection, pk, now)
            if purge:
                self._lift_limits(connection)
                live = select(entries.c.pk).where(
                    entries.c.source_pk == pk, entries.c.withdrawn_at.is_(None)
                )
                for some in chunks(connection.scalars(live).all(), self.tuning.batch):
                    self.withdraw(connection, some, now)
                # what has gone comes back with the source only if all of it is read again
                unread = {"etag": None, "last_modified": None, "digest": None, "cursor": None}
                state = poll_state.c.source_pk == pk
                connection.execute(update(poll_state).where(state).values(**unread))
                connection.execute(delete(long_cursors).where(long_cursors.c.source_pk == pk))
            self.bump(connection, membership=now)

    def reenable(self, id: str) -> bool:
        """Enables a source whose server said it was gone (410); whether it was such a one."""
        mine = (sources.c.id == storable(id)) & sources.c.removed_at.is_(None)
        asked = select(sources.c.pk, sources.c.declared).join_from(sources, poll_state)
        gone = (poll_state.c.status == 410) & sources.c.enabled.is_(False)
        with self.writing() as connection:
            row = connection.execute(asked.where(mine, gone)).first()
            declared = row and declared_of(row.declared)
            if row is None or (declared and not declared.enabled):
                return False
            state = poll_state.c.source_pk == row.pk
            connection.execute(update(sources).where(sources.c.pk == row.pk).values(enabled=True))
            connection.execute(update(poll_state).where(state).values(active=1))
            self.bump(connection)
        return True

    # -- rows ------------------------------------------------------------------------------

    def _polled(self, connection: Connection) -> dict[str, str]:
        """The ids of all sources that are not removed, by location."""
        listed = select(sources.c.location, sources.c.id).where(sources.c.removed_at.is_(None))
        return dict(connection.execute(listed).all())

    def _row(self, connection: Connection, source: Source, now: datetime) -> RowMapping | None:
        """The row to write a source to: its own, or that of a removed one of its location.

        A removed source of another location that has its id makes way.
        """
        by_id = _JOINED.where(sources.c.id == storable(source.id))
        by_location = _JOINED.where(
            sources.c.location == storable(source.location),
            sources.c.kind == source.kind,
            sources.c.removed_at.is_not(None),
        ).order_by(sources.c.removed_at.desc(), sources.c.id)
        holder = connection.execute(by_id).mappings().first()
        if holder is not None and holder["removed_at"] is None:
            return holder
        found = connection.execute(by_location.limit(1)).mappings().first()
        if holder is not None and (found is None or found["pk"] != holder["pk"]):
            aside = f"{holder['id']}~{holder['pk']}"
            self.keep_looks(connection, [holder["pk"]])
            connection.execute(
                update(sources)
                .where(sources.c.pk == holder["pk"])
                .values(id=aside, shown=shown(aside, holder["title"], meta_of(holder["meta"])))
            )
            self.retell(connection, [holder["pk"]], now)
        return found

    def _add(
        self,
        connection: Connection,
        source: Source,
        now: datetime,
        first: FirstPoll = lambda source, now: now,
    ) -> None:
        row = self._row(connection, source, now)
        if row is None:
            self._insert(connection, [source], now, first)
        else:
            self._update(connection, row, {**source_row(source), "declared": None}, now)

    def _fresh(
        self, connection: Connection, wanted: Sequence[Source]
    ) -> tuple[list[Source], list[Source]]:
        """The sources that no row has to do with, not even that of a removed one; and the rest."""
        if len(wanted) == 1:
            return [], list(wanted)
        columns = sources.c
        listed = select(columns.id, columns.kind, columns.location, columns.removed_at)
        ids: set[str] = set()
        left: set[tuple[str, str]] = set()
        for id, kind, location, removed_at in connection.execute(listed):
            ids.add(id)
            if removed_at is not None:
                left.add((kind, location))
        fresh: list[Source] = []
        others: list[Source] = []
        for source in wanted:
            known = storable(source.id) in ids or (source.kind, storable(source.location)) in left
            (others if known else fresh).append(source)
        return fresh, others

    def _insert(
        self, connection: Connection, added: Sequence[Source], now: datetime, first: FirstPoll
    ) -> None:
        at = micros(now)
        rows = [
            {
                **source_row(source),
                "declared": encode(source) if source.origin == "config" else None,
                "shown": shown(source.id, source.title, None),
                "added_at": at,
            }
            for source in added
        ]
        insert_all(connection, sources, rows)
        pks: dict[str, int] = {}
        for some in chunks([row["id"] for row in rows], self.tuning.batch):
            named = select(sources.c.id, sources.c.pk).where(sources.c.id.in_(some))
            pks |= dict(connection.execute(named).all())
        states = [
            {
                "source_pk": pks[storable(source.id)],
                "active": int(source.enabled),
                "claim_epoch": 0,
                "host": host_of(source.location),
                **state_row(PollState(), first(source, now)),
            }
            for source in added
        ]
        insert_all(connection, poll_state, states)
        put_hosts(connection, {state["host"] for state in states})

    def _update(
        self, connection: Connection, row: RowMapping, values: dict[str, Any], now: datetime
    ) -> None:
        values["shown"] = shown(values["id"], values["title"], meta_of(row["meta"]))
        state: dict[str, Any] = {"active": int(values["enabled"])}
        if row["removed_at"] is not None:
            values |= {"removed_at": None, "added_at": micros(now)}
            state |= {"next_at": micros(now), "failures": 0, "error": None, "fault": None}
            state |= {"why": None}
        if values["location"] != row["location"]:
            host = host_of(values["location"])
            put_host(connection, host)
            state |= state_row(PollState(), now) | {"host": host}
            left = long_cursors.c.source_pk == row["pk"]
            connection.execute(delete(long_cursors).where(left))
            self._end_claim(connection, row["pk"])
        of = row["pk"]
        self.keep_looks(connection, [of])
        connection.execute(update(sources).where(sources.c.pk == of).values(**values))
        connection.execute(update(poll_state).where(poll_state.c.source_pk == of).values(**state))
        if values["shown"] != row["shown"]:
            self.retell(connection, [of], now)

    def _remove(self, connection: Connection, pk: int, now: datetime) -> None:
        connection.execute(update(sources).where(sources.c.pk == pk).values(removed_at=micros(now)))
        connection.execute(update(poll_state).where(poll_state.c.source_pk == pk).values(active=0))
        self._end_claim(connection, pk)

    def _end_claim(self, connection: Connection, pk: int) -> None:
        """Takes a source away from whoever is polling it: what they bring is not wanted."""
        state = poll_state.c
        connection.execute(
            update(poll_state)
            .where(state.source_pk == pk)
            .values(claim_owner=None, claim_until=None, claim_epoch=state.claim_epoch + 1)
        )
