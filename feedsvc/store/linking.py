"""What linking asks and writes: the outbox, titles and waiting headlines by shared words, links."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from heapq import nlargest
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    delete,
    func,
    select,
    union_all,
)

from ..model import RelatedKind, key_number, key_text, parse_key
from ..query.text import tokens as tokens_of
from .base import Reference, RelatedLink, Task, Titled
from .codec import micros, moment, names_of, storable
from .engine import chunks, insert_all
from .indexing import Indexing, Naming, Target
from .links import EXPLICIT, KINDS, links_of
from .schema import entries, outbox, ref_terms, related, sources, title_terms
from .words import term

_LIVE = entries.c.withdrawn_at.is_(None)


class Linking(Indexing):
    """Links between entries."""

    # -- outbox ----------------------------------------------------------------------------

    def tasks(self, consumer: str, limit: int) -> tuple[Task, ...]:
        """The oldest waiting outbox rows of a consumer."""
        columns = outbox.c
        wanted = select(columns.seq, columns.key, columns.change).where(
            columns.consumer == consumer
        )
        with self.reading() as connection:
            return tuple(
                Task(seq=seq, key=key_text(key), change=change)
                for seq, key, change in connection.execute(
                    wanted.order_by(columns.seq).limit(limit)
                )
            )

    def done(self, consumer: str, seqs: Sequence[int]) -> None:
        """Takes finished rows out of the outbox."""
        mine = delete(outbox).where(outbox.c.consumer == consumer)
        with self.writing(durable=False, ordered=False) as connection:
            for some in chunks(seqs, self.tuning.batch):
                connection.execute(mine.where(outbox.c.seq.in_(some)))

    def requeue(self, consumer: str, after: str | None, limit: int) -> str | None:
        """Queues a batch of live entries again, by key; returns where to go on, None at the end."""
        wanted = select(entries.c.key).where(_LIVE).order_by(entries.c.key).limit(limit)
        if after is not None:
            wanted = wanted.where(entries.c.key > (parse_key(after) or 0))
        with self.writing(durable=False, ordered=False) as connection:
            keys = connection.scalars(wanted).all()
            at = micros(datetime.now(UTC))
            insert_all(
                connection,
                outbox,
                [{"consumer": consumer, "key": key, "change": "updated", "at": at} for key in keys],
            )
        return key_text(keys[-1]) if len(keys) == limit else None

    # -- candidates ------------------------------------------------------------------------

    def titled(self, tokens: Sequence[str], limit: int) -> tuple[Titled, ...]:
        """Live entries whose titles share tokens, those sharing most first, then newest."""
        columns = title_terms.c
        newest = (columns.published.desc(), columns.entry_pk.desc())
        with self.reading() as connection:
            places = self._sharing(connection, tokens, (columns.entry_pk,), newest, limit)
            rows = self._titles(connection, [pk for (pk,) in places])
        return tuple(
            Titled(
                key=key_text(row.key),
                id=row.id,
                source_id=row.source_id,
                title=row.title,
                link=row.link,
                published=moment(row.published),
            )
            for row in _most_alike(rows, tokens, attrgetter("title"))[:limit]
        )

    def waiting(self, tokens: Sequence[str], limit: int) -> tuple[Reference, ...]:
        """Unresolved references that share tokens with a title, those sharing most first."""
        columns = ref_terms.c
        newest = (columns.entry_pk.desc(), columns.position)
        place = (columns.entry_pk, columns.position)
        with self.reading() as connection:
            places = self._sharing(connection, tokens, place, newest, limit)
            rows = {row.pk: row for row in self._titles(connection, [pk for pk, _ in places])}
        named = [
            (rows[pk], position, names_of(rows[pk].names)[position])
            for pk, position in sorted(places)
        ]
        return tuple(
            Reference(
                key=key_text(row.key), source_id=row.source_id, position=position, title=title
            )
            for row, position, title in _most_alike(named, tokens, itemgetter(2), itemgetter(0))
        )[:limit]

    def _sharing(
        self,
        connection: Connection,
        tokens: Sequence[str],
        columns: Sequence[Column[Any]],
        newest: Sequence[ColumnElement[Any]],
        limit: int,
    ) -> list[tuple[int, ...]]:
        """The rows of an index of terms that may share most of these tokens.

        Rare tokens are looked up in full, of common ones the newest rows only, and none once enough
        rows have been found: what is alike shares rare tokens too.
        """
        column = columns[0].table.c.term
        asked = sorted({term(token) for token in tokens})
        most = self.tuning.postings * limit
        sizes = [
            select(func.count())
            .select_from(select(column).where(column == number).limit(most).subquery())
            .scalar_subquery()
            for number in asked
        ]
        if not sizes:
            return []
        counted = connection.execute(select(*sizes)).one()
        left, lists = most, []
        for size, number in sorted(zip(counted, asked, strict=True)):
            if size and left > 0:
                rows = select(*columns).where(column == number).order_by(*newest).limit(most)
                lists.append(select(rows.subquery()))
                left -= size
        if not lists:
            return []
        shared = Counter(tuple(row) for row in connection.execute(union_all(*lists)))
        return nlargest(2 * limit, shared, key=lambda place: (shared[place], place))

    def _titles(self, connection: Connection, pks: Iterable[int]) -> list[Row[*tuple[Any, ...]]]:
        columns = entries.c
        wanted = select(
            columns.pk,
            columns.key,
            columns.id,
            columns.title,
            columns.link,
            columns.published,
            columns.names,
            sources.c.id.label("source_id"),
        ).join_from(entries, sources, sources.c.pk == columns.source_pk)
        return [
            row
            for some in chunks(sorted(set(pks)), self.tuning.batch)
            for row in connection.execute(wanted.where(columns.pk.in_(some)))
        ]

    def lookup(self, name: str) -> str | None:
        """The key of the live entry whose key, id or alternate link is exactly `name`."""
        columns, name = entries.c, storable(name)
        by_key = columns.key == parse_key(name)
        by_id = (columns.key == key_number(name)) & (columns.id == name)
        by_link = (columns.link_hash == key_number(name)) & (columns.link == name)
        newest = (columns.published.desc(), columns.key.desc())
        with self.reading() as connection:
            for named in (by_key, by_id, by_link):
                found = select(columns.key).where(_LIVE, named).order_by(*newest).limit(1)
                key = connection.scalar(found)
                if key is not None:
                    return key_text(key)
        return None

    # -- links -----------------------------------------------------------------------------

    def references(self, key: str) -> tuple[Reference, ...]:
        """The headlines an entry names, in its order, resolved or not; none if it is gone."""
        with self.reading() as connection:
            row = self._entry(connection, key)
            links = links_of(connection, [row.pk]) if row else {}
        if row is None:
            return ()
        targets = {
            link.position: link.shown.key
            for link in links.get(row.pk, ())
            if link.shown.kind == "explicit"
        }
        return tuple(
            Reference(
                key=key,
                source_id=row.source_id,
                position=position,
                title=title,
                target=targets.get(position),
            )
            for position, title in enumerate(names_of(row.names))
        )

    def referring(self, key: str) -> tuple[Reference, ...]:
        """The references of live entries that are resolved to this entry."""
        number = parse_key(key)
        target = select(entries.c.pk).where(entries.c.key == number).scalar_subquery()
        named = (related.c.target_pk == target) & (related.c.kind == EXPLICIT)
        wanted = (
            select(
                entries.c.key,
                entries.c.names,
                sources.c.id.label("source_id"),
                related.c.position,
            )
            .join_from(related, entries, entries.c.pk == related.c.entry_pk)
            .join(sources, sources.c.pk == entries.c.source_pk)
            .where(named, _LIVE)
            .order_by(entries.c.published.desc(), entries.c.key.desc(), related.c.position)
        )
        with self.reading() as connection:
            return tuple(
                Reference(
                    key=key_text(row.key),
                    source_id=row.source_id,
                    position=row.position,
                    title=names_of(row.names)[row.position],
                    target=key,
                )
                for row in connection.execute(wanted)
            )

    def put_related(
        self, key: str, links: Sequence[RelatedLink], *, kind: RelatedKind, now: datetime
    ) -> bool:
        """Replaces an entry's links of one kind; True if changed. Never moves `updated`.

        A link to an entry that is gone, to itself, or from a headline it does not name is left out.
        """
        with self.reading() as connection:
            if self._new_links(connection, key, links, kind) is None:
                return False
        with self.writing(durable=False) as connection:
            new = self._new_links(connection, key, links, kind)
            if new is None:
                return False
            row, targets = new
            if kind == "explicit":
                names = names_of(row.names)
                self.put_names(
                    connection, [Naming(pk=row.pk, before=names, names=names, targets=targets)]
                )
            else:
                mine = (related.c.entry_pk == row.pk) & (related.c.kind == KINDS[kind])
                connection.execute(delete(related).where(mine))
                self.put_links(connection, KINDS[kind], {row.pk: targets})
            flagged = self.refresh(connection, [row.pk], now)
            self.bump(connection, membership=now if flagged else None)
        return True

    def _new_links(
        self,
        connection: Connection,
        key: str,
        links: Sequence[RelatedLink],
        kind: RelatedKind,
    ) -> tuple[Row[*tuple[Any, ...]], dict[int, Target]] | None:
        """The entry and the links it is to have, by position; None if it has them already."""
        row = self._entry(connection, key)
        if row is None:
            return None
        keys = {link.target: parse_key(link.target) for link in links}
        live = select(entries.c.key, entries.c.pk).where(
            _LIVE, entries.c.key.in_(set(keys.values()) - {None, row.key})
        )
        pks: dict[int | None, int] = dict(connection.execute(live).all())
        named = len(names_of(row.names))
        targets = {
            link.position: Target(pk=pks[keys[link.target]], score=link.score, reason=link.reason)
            for link in links
            if keys[link.target] in pks and (kind == "content" or 0 <= link.position < named)
        }
        has = self.targets_of(connection, [row.pk], KINDS[kind]).get(row.pk, {})
        return None if targets == has else (row, targets)

    def _entry(self, connection: Connection, key: str) -> Row[*tuple[Any, ...]] | None:
        """The live entry with this key."""
        wanted = (
            select(
                entries.c.pk,
                entries.c.key,
                entries.c.names,
                entries.c.tags,
                entries.c.published,
                sources.c.id.label("source_id"),
            )
            .join_from(entries, sources, sources.c.pk == entries.c.source_pk)
            .where(_LIVE, entries.c.key == parse_key(key))
        )
        return connection.execute(wanted).one_or_none()


def _most_alike(
    rows: Sequence[Any],
    tokens: Sequence[str],
    title: Callable[[Any], str],
    entry: Callable[[Any], Row[*tuple[Any, ...]]] = lambda row: row,
) -> list[Any]:
    """Rows by how many of the tokens their titles have, then newest first."""
    asked = set(tokens)

    def rank(row: Any) -> tuple[int, int, int]:
        own = entry(row)
        return -len(asked & set(tokens_of(title(row)))), -own.published, -own.key

    return sorted(rows, key=rank)
