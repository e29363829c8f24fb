"""The pages of entries whose source wants their full text: asked for, claimed, and what was read.

A page is asked for in the transaction that writes its entry, so that none is forgotten and none is
asked for twice. It is claimed like a source, and its text is written in one transaction with the
end of the claim. What hosts say in robots.txt is kept here too, so that a restart asks nobody anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, text, update

from ..pacing import host_of
from ..pacing.pages import next_reading
from ..polls import PageTroubles
from .claims import PageClaim, PageResult
from .codec import entry_of, maybe_moment, micros, moment, prepare, storable
from .engine import chunks
from .entry_rows import BEFORE, EntryRows, Written
from .hosts import HostLimits, admit, put_hosts, rest, resting, running
from .page_schema import pages, robots
from .schema import contents, entries, poll_state, sources
from .source_codec import source_of

_LOOK = 4
_DAY = timedelta(days=1)
_ASK = text(
    "INSERT INTO pages (entry_pk, source_pk, host, due_at, epoch, tries, reads)"
    " VALUES (:entry_pk, :source_pk, :host, :due_at, 0, 0, 0) ON CONFLICT (entry_pk) DO UPDATE"
    " SET host = excluded.host, due_at = excluded.due_at, tries = 0"
)
_PUT_ROBOTS = text(
    "INSERT INTO robots (host, at, body) VALUES (:host, :at, :body)"
    " ON CONFLICT (host) DO UPDATE SET at = excluded.at, body = excluded.body"
)
_CLAIMED = (
    select(
        entries,
        contents.c.payload,
        sources.c.id.label("source_id"),
        *(
            column.label(f"source_{column.name}")
            for column in sources.c
            if column.name not in ("id", "pk")
        ),
        pages.c.host,
        pages.c.epoch,
        pages.c.tries,
    )
    .join_from(pages, entries, entries.c.pk == pages.c.entry_pk)
    .join(contents, contents.c.entry_pk == entries.c.pk)
    .join(sources, sources.c.pk == entries.c.source_pk)
)


class Pages(EntryRows):
    """Reading pages."""

    def ask_for_pages(
        self, connection: Connection, asked: Sequence[tuple[int, Written]], now: datetime
    ) -> None:
        """Has the pages of these entries read, each given with the pk of its source."""
        asked = [(source_pk, w) for source_pk, w in asked if w.entry.row["link"]]
        if not asked:
            return
        read: dict[int, tuple[datetime | None, int]] = {}
        columns = (pages.c.entry_pk, pages.c.read_at, pages.c.reads)
        for some in chunks([w.pk for _, w in asked], self.tuning.batch):
            for row in connection.execute(select(*columns).where(pages.c.entry_pk.in_(some))):
                read[row.entry_pk] = maybe_moment(row.read_at), row.reads
        hosts = {w.pk: host_of(w.entry.row["link"]) for _, w in asked}
        put_hosts(connection, set(hosts.values()))
        connection.execute(
            _ASK,
            [
                {
                    "entry_pk": w.pk,
                    "source_pk": source_pk,
                    "host": hosts[w.pk],
                    "due_at": micros(next_reading(now, *read.get(w.pk, (None, 0)))),
                }
                for source_pk, w in asked
            ],
        )

    def claim_pages(
        self,
        *,
        now: datetime,
        owner: str,
        lease: timedelta,
        limit: int,
        per_host: int | None = None,
        host_delay: timedelta = timedelta(0),
    ) -> tuple[PageClaim, ...]:
        """Claims pages that are due and free, the longest due first.

        They take their turns at hosts with the polls of feeds, which go first.
        """
        at = micros(now)
        due = and_(pages.c.due_at <= at, (pages.c.until.is_(None)) | (pages.c.until <= at))
        limits = HostLimits(per_host=per_host, delay=host_delay)
        with self.reading() as connection:
            candidates = self._page_candidates(connection, due, at, limit, limits)
        if not candidates:
            return ()
        until = now + lease
        with self.writing(durable=False, ordered=False) as connection:
            turns = admit(connection, candidates, at=at, limits=limits)
            picked = select(pages.c.entry_pk).where(pages.c.entry_pk.in_(list(turns)), due)
            locked = picked.with_for_update(skip_locked=True).cte("picked")
            claimed = (
                update(pages)
                .where(pages.c.entry_pk.in_(select(locked.c.entry_pk)), due)
                .values(
                    owner=owner,
                    until=micros(until),
                    epoch=pages.c.epoch + 1,
                    tries=pages.c.tries + 1,
                )
                .returning(pages.c.entry_pk)
            )
            pks = connection.scalars(claimed).all()
            rows = connection.execute(_CLAIMED.where(pages.c.entry_pk.in_(pks))).mappings().all()
        return tuple(
            PageClaim(
                pk=row["pk"],
                entry=entry_of(row),
                source=source_of(_source_columns(row)),
                host=row["host"],
                owner=owner,
                epoch=row["epoch"],
                tries=row["tries"],
                until=until,
                not_before=maybe_moment(turns[row["pk"]]),
            )
            for row in rows
        )

    def _page_candidates(
        self,
        connection: Connection,
        due: ColumnElement[bool],
        at: int,
        limit: int,
        limits: HostLimits,
    ) -> list[tuple[int, str | None]]:
        """Pages to claim, none of a host that is not to be asked, or that feeds wait for."""
        if connection.scalar(select(pages.c.entry_pk).where(due).limit(1)) is None:
            return []
        held = {row.host: row.claims for row in connection.execute(running(at))}
        most = limits.per_host
        closed = set(connection.scalars(resting(at)))
        closed |= {host for host, count in held.items() if most is not None and count >= most}
        state = poll_state.c
        waiting = select(state.host).where(
            state.active == 1,
            state.next_at <= at,
            state.host.is_not(None),
            state.retry_after.is_(None) | (state.retry_after <= at),
            state.claim_until.is_(None) | (state.claim_until <= at),
        )
        closed |= set(connection.scalars(waiting.distinct()))
        asked = select(pages.c.entry_pk, pages.c.host).where(due)
        if closed:
            asked = asked.where(pages.c.host.is_(None) | pages.c.host.not_in(sorted(closed)))
        picked: list[tuple[int, str | None]] = []
        page = asked.order_by(pages.c.due_at, pages.c.entry_pk).limit(_LOOK * limit)
        for pk, host in connection.execute(page):
            if len(picked) == limit:
                break
            if host is not None and most is not None:
                if held.get(host, 0) >= most:
                    continue
                held[host] = held.get(host, 0) + 1
            picked.append((pk, host))
        return picked

    def finish_page(self, claim: PageClaim, result: PageResult, now: datetime) -> bool:
        """Ends a claim with what came of it; whether the entry has its text now.

        An entry that was edited or withdrawn meanwhile stays as it is; an edit has asked anew.
        """
        with self._wrapped():
            ready = prepare(result.entry) if result.entry is not None else None
        with self.writing() as connection:
            if result.host is not None and result.resting is not None:
                rest(
                    connection,
                    storable(result.host),
                    until=micros(result.resting),
                    now=micros(now),
                )
            held = and_(pages.c.entry_pk == claim.pk, pages.c.epoch == claim.epoch)
            row = connection.execute(select(pages.c.owner).where(held).with_for_update()).first()
            if row is None or row.owner != claim.owner:
                return False
            before = self._page_entry(connection, claim.pk)
            if before.digest != claim.entry.digest or before.link != claim.entry.link:
                # it was edited since, and is due again
                connection.execute(update(pages).where(held).values(owner=None, until=None))
                return False
            live = before.withdrawn_at is None
            values: dict[str, Any] = {"owner": None, "until": None, "read_at": micros(now)}
            due = micros(result.due) if result.due is not None and live else None
            error = result.error and storable(result.error)
            values |= {"due_at": due, "error": error, "reads": pages.c.reads + int(due is None)}
            connection.execute(update(pages).where(held).values(**values))
            if ready is None or not live:
                return False
            (written,) = self.update_entries(connection, [(ready, before)], now)
            touched = self.touch(connection, {claim.pk: ready.marks})
            self.regroup(connection, [before.page_hash], now, touched)
            self.post(connection, "updated", [written.key], now)
            self.bump(connection, membership=now)
        return True

    def _page_entry(self, connection: Connection, pk: int) -> Row[*tuple[Any, ...]]:
        columns = [entries.c[name] for name in BEFORE]
        return connection.execute(select(*columns).where(entries.c.pk == pk)).one()

    def release_pages(self, claims: Sequence[PageClaim]) -> None:
        """Gives claims back unread (shutdown); the pages stay due."""
        with self.writing(durable=False, ordered=False) as connection:
            for claim in sorted(claims, key=lambda one: one.pk):
                held = and_(
                    pages.c.entry_pk == claim.pk,
                    pages.c.epoch == claim.epoch,
                    pages.c.owner == claim.owner,
                )
                freed = {"owner": None, "until": None, "tries": claim.tries - 1}
                connection.execute(update(pages).where(held).values(**freed))

    def page_troubles(self, ids: Iterable[str] | None = None) -> Mapping[str, PageTroubles]:
        """Of each source, or each of some, what could not be read of its entries' pages."""
        failed = (
            select(
                pages.c.source_pk,
                func.count().label("failed"),
                func.max(pages.c.read_at).label("at"),
            )
            .where(pages.c.error.is_not(None))
            .group_by(pages.c.source_pk)
            .subquery()
        )
        listed = (
            select(sources.c.id, failed.c.failed, failed.c.at, entries.c.link, pages.c.error)
            .join_from(failed, sources, sources.c.pk == failed.c.source_pk)
            .join(
                pages,
                and_(
                    pages.c.source_pk == failed.c.source_pk,
                    pages.c.read_at == failed.c.at,
                    pages.c.error.is_not(None),
                ),
            )
            .join(entries, entries.c.pk == pages.c.entry_pk)
            .order_by(pages.c.entry_pk)
        )
        if ids is not None:
            listed = listed.where(sources.c.id.in_(list(map(storable, ids))))
        with self.reading() as connection:
            return {
                row.id: PageTroubles(
                    failed=row.failed, link=row.link or "", error=row.error, at=moment(row.at)
                )
                for row in connection.execute(listed)
            }

    def robots(self, host: str, *, since: datetime) -> str | None:
        """What a host said in its robots.txt, unless that was before a moment."""
        # what a clock that was ahead has dated must not count for good
        told = robots.c.at.between(micros(since), micros(since + 2 * _DAY))
        fresh = and_(robots.c.host == storable(host), told)
        with self.reading() as connection:
            found: str | None = connection.scalar(select(robots.c.body).where(fresh))
            return found

    def put_robots(self, host: str, body: str, now: datetime) -> None:
        """Keeps what a host said in its robots.txt; nothing where it has none."""
        with self.writing(durable=False, ordered=False) as connection:
            said = {"host": storable(host), "at": micros(now), "body": storable(body)}
            connection.execute(_PUT_ROBOTS, said)


def _source_columns(row: Any) -> Any:
    """The columns of a source's row, which stand beside those of an entry."""
    prefix = "source_"
    return {name.removeprefix(prefix): row[name] for name in row if name.startswith(prefix)}
