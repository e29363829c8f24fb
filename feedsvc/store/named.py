"""Entries as they name others and are named: what linking asks of a store.

All of it goes by the batch, in as many statements for hundreds of entries as for one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from ..keys import key_number, key_text, parse_key
from ..query.text import tokens
from .base import Linkable, Reference, Sought, Titled
from .codec import moment, names_of, storable
from .engine import chunks
from .indexing import Target
from .links import EXPLICIT
from .schema import entries, ref_terms, related, sources
from .sharing import HEADLINES, TITLES, WHOLE, Place, Sharing, TermIndex

_Row = Row[*tuple[Any, ...]]

LIVE = entries.c.withdrawn_at.is_(None)
LINKABLE = select(
    entries.c.pk,
    entries.c.key,
    entries.c.id,
    entries.c.title,
    entries.c.link,
    entries.c.published,
    entries.c.names,
    sources.c.id.label("source_id"),
).join_from(entries, sources, sources.c.pk == entries.c.source_pk)


class Named(Sharing):
    """Entries by the headlines they name."""

    def linkable(self, keys: Iterable[str]) -> dict[str, Linkable]:
        """Those of these entries that are live, with the headlines they name, by key."""
        numbers = [number for key in dict.fromkeys(keys) if (number := parse_key(key)) is not None]
        found: dict[str, Linkable] = {}
        if not numbers:
            return found
        with self.reading() as connection:
            for some in chunks(numbers, self.tuning.batch):
                rows = connection.execute(LINKABLE.where(LIVE, entries.c.key.in_(some))).all()
                targets = self.targets_by_key(connection, [row.pk for row in rows if row.names])
                for row in rows:
                    made = linkable_of(row, targets.get(row.pk, {}))
                    found[made.key] = made
        return found

    def titled(self, sought: Sequence[Sought], limit: int) -> tuple[tuple[Titled, ...], ...]:
        """For each, at most `limit` live entries whose titles are or resemble what is sought."""
        rows, shared = self._sharing(TITLES, sought, limit)
        alike = _most_alike(sought, shared, rows, lambda row, _: str(row.title), limit)
        made = {pk: _titled(rows[pk]) for pk in {pk for places in alike for pk, *_ in places}}
        return tuple(tuple(made[pk] for pk, *_ in places) for places in alike)

    def waits(self) -> bool:
        """Whether any headline waits for its entry."""
        with self.reading() as connection:
            return connection.scalar(select(ref_terms.c.term).limit(1)) is not None

    def waiting(self, sought: Sequence[Sought], limit: int) -> tuple[tuple[Reference, ...], ...]:
        """For each, at most `limit` unresolved references that are or resemble what is sought."""
        rows, shared = self._sharing(HEADLINES, sought, limit)
        names = {pk: names_of(row.names) for pk, row in rows.items()}
        alike = _most_alike(sought, shared, rows, lambda _, at: names[at[0]][at[1]], limit)
        keys = {pk: key_text(rows[pk].key) for places in alike for pk, _ in places}
        return tuple(
            tuple(
                _reference(rows[pk], keys[pk], position, names[pk][position])
                for pk, position in places
            )
            for places in alike
        )

    def _sharing(
        self, index: TermIndex, sought: Sequence[Sought], limit: int
    ) -> tuple[dict[int, _Row], list[dict[Place, int]]]:
        with self.reading() as connection:
            shared = self.sharing(connection, index, sought, 2 * limit)
            pks = sorted({place[0] for places in shared for place in places})
            rows = {
                row.pk: row
                for some in chunks(pks, self.tuning.batch)
                for row in connection.execute(LINKABLE.where(entries.c.pk.in_(some)))
            }
        return rows, shared

    def lookup(self, name: str) -> str | None:
        """The key of the live entry whose key, id or alternate link is exactly `name`."""
        return self.lookups([name]).get(name)

    def lookups(self, names: Iterable[str]) -> dict[str, str]:
        """`lookup` of many names at once; those that find nothing are missing from the answer."""
        columns, asked = entries.c, {name: storable(name) for name in names}
        keys = {name: parse_key(name) for name in asked.values()}
        hashes = {name: key_number(name) for name in asked.values()}
        ids: dict[int, tuple[str, str]] = {}
        links: dict[str, str] = {}
        by_key = select(columns.key, columns.id).where(LIVE)
        # the newest comes last and stays
        by_link = select(columns.key, columns.link).where(LIVE, columns.link.is_not(None))
        by_link = by_link.order_by(columns.published, columns.key)
        with self.reading() as connection:
            for some in chunks(
                sorted({*filter(None, keys.values()), *hashes.values()}), self.tuning.batch
            ):
                for number, id in connection.execute(by_key.where(columns.key.in_(some))):
                    ids[number] = (key_text(number), id)
            for some in chunks(sorted(hashes.values()), self.tuning.batch):
                for number, link in connection.execute(by_link.where(columns.link_hash.in_(some))):
                    links[link] = key_text(number)
        found: dict[str, str | None] = {}
        for name, text in asked.items():
            number = keys[text]
            own = ids.get(hashes[text])
            if number is not None and number in ids:
                found[name] = ids[number][0]
            elif own is not None and own[1] == text:
                found[name] = own[0]
            else:
                found[name] = links.get(text)
        return {name: key for name, key in found.items() if key is not None}

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
            .where(named, LIVE)
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

    def targets_by_key(
        self, connection: Connection, pks: Sequence[int]
    ) -> dict[int, dict[int, tuple[str, Target]]]:
        """What the headlines of entries resolved to, by pk and position: its key, and the link."""
        columns = related.c
        wanted = select(
            columns.entry_pk,
            columns.position,
            columns.target_pk,
            columns.score,
            columns.reason,
            entries.c.key,
        ).join_from(related, entries, entries.c.pk == columns.target_pk)
        found: dict[int, dict[int, tuple[str, Target]]] = {}
        for some in chunks(pks, self.tuning.batch):
            these = columns.entry_pk.in_(some) & (columns.kind == EXPLICIT)
            for row in connection.execute(wanted.where(these)):
                target = Target(pk=row.target_pk, score=row.score, reason=row.reason)
                found.setdefault(row.entry_pk, {})[row.position] = (key_text(row.key), target)
        return found


def _titled(row: _Row) -> Titled:
    return Titled(
        key=key_text(row.key),
        id=row.id,
        source_id=row.source_id,
        title=row.title,
        link=row.link,
        published=moment(row.published),
    )


def linkable_of(row: _Row, targets: Mapping[int, tuple[str, Target]]) -> Linkable:
    key = key_text(row.key)
    return Linkable(
        key=key,
        id=row.id,
        source_id=row.source_id,
        title=row.title,
        link=row.link,
        published=moment(row.published),
        references=tuple(
            _reference(row, key, position, name, *targets.get(position, ()))
            for position, name in enumerate(names_of(row.names))
        ),
    )


def _reference(
    row: _Row,
    key: str,
    position: int,
    name: str,
    to: str | None = None,
    target: Target | None = None,
) -> Reference:
    return Reference(
        key=key,
        source_id=row.source_id,
        position=position,
        title=name,
        target=to,
        score=target.score if target else 0.0,
        reason=target.reason if target else "",
    )


def _most_alike(
    sought: Sequence[Sought],
    shared: Sequence[Mapping[Place, int]],
    rows: Mapping[int, _Row],
    text: Callable[[_Row, Place], str],
    limit: int,
) -> list[list[Place]]:
    """For each, the places of texts that are alike, most alike first.

    What is no more than half made of the same words as the other is not alike.
    """
    held: dict[Place, frozenset[str]] = {}
    found: list[list[Place]] = []
    for one, places in zip(sought, shared, strict=True):
        words = frozenset(tokens(one.text)) if places else frozenset()
        ranked: list[tuple[bool, int, bool, int, int, Place]] = []
        for place, score in places.items():
            row = rows[place[0]]
            if place not in held:
                held[place] = frozenset(tokens(text(row, place)))
            common = len(words & held[place])
            if score >= WHOLE or 2 * common >= min(len(words), len(held[place])):
                other = row.source_id != one.source_id
                ranked.append((score < WHOLE, -common, other, -row.published, -row.key, place))
        found.append([place for *_, place in sorted(ranked)[:limit]])
    return found
