"""Keeps what is derived from entries in step with them: tags and counts, terms, fingerprints.

Every method works on a batch within the caller's transaction, with a bounded number of statements.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from .codec import Flag, better_label, fingerprint, micros, names_of
from .duplicates import duplicates_of
from .engine import chunks, insert_all, insert_tuples
from .filing import Filing
from .links import EXPLICIT, links_of, show
from .schema import entries, entry_tags, outbox, ref_terms, related, tags, title_terms
from .words import terms

# who is told of changed entries; each takes its own rows out of the outbox
LINK, RELATE = "link", "relate"
CONSUMERS = (LINK, RELATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What one headline resolved to."""

    pk: int
    score: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """The headlines of one entry: those it named, those it names, and what they resolve to.

    `targets` goes by position in `names`. A withdrawn entry's headlines do not wait.
    """

    pk: int
    before: Sequence[str] = ()
    names: Sequence[str] = ()
    targets: Mapping[int, Target] = field(default_factory=dict)
    waits: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Retargeted:
    """What the headlines of one live entry resolved to, and what they resolve to now."""

    pk: int
    names: Sequence[str]
    before: Mapping[int, Target]
    after: Mapping[int, Target]


class Indexing(Filing):
    """What hangs on entries."""

    def tag_pks(self, connection: Connection, labels: Mapping[str, str]) -> dict[str, int]:
        """The pk of every slug, made where it is new; the better label is kept."""
        pks: dict[str, int] = {}
        better: list[dict[str, Any]] = []
        slugs = sorted(labels)
        for some in chunks(slugs, self.tuning.batch):
            wanted = select(tags.c.slug, tags.c.pk, tags.c.label).where(tags.c.slug.in_(some))
            for slug, pk, label in connection.execute(wanted):
                pks[slug] = pk
                best = better_label(label, labels[slug])
                if best != label:
                    better.append({"at": pk, "best": best})
        if missing := [slug for slug in slugs if slug not in pks]:
            rows = [{"slug": slug, "label": labels[slug], "count": 0} for slug in missing]
            made = insert(tags).returning(tags.c.slug, tags.c.pk)
            pks.update((slug, pk) for slug, pk in connection.execute(made, rows))
        if better:
            relabel = update(tags).where(tags.c.pk == bindparam("at"))
            connection.execute(relabel.values(label=bindparam("best")), better)
        return pks

    def count_tags(self, connection: Connection, deltas: Mapping[int, int]) -> None:
        """Adds to the counts of tags by pk."""
        rows = [{"at": pk, "by": by} for pk, by in sorted(deltas.items()) if by]
        if rows:
            counted = update(tags).where(tags.c.pk == bindparam("at"))
            connection.execute(counted.values(count=tags.c.count + bindparam("by")), rows)

    def put_entry_tags(
        self, connection: Connection, rows: Sequence[tuple[int, int, int, int, int]]
    ) -> None:
        """Writes which entries carry which tags: rows of `entry_tags`, column by column."""
        insert_tuples(connection, entry_tags, rows)

    def drop_entry_tags(self, connection: Connection, pks: Sequence[int]) -> dict[int, int]:
        """Takes all tags off entries; returns by how much that lowers the counts of live ones."""
        deltas: dict[int, int] = {}
        for some in chunks(pks, self.tuning.batch):
            gone = delete(entry_tags).where(entry_tags.c.entry_pk.in_(some))
            for tag_pk, live in connection.execute(
                gone.returning(entry_tags.c.tag_pk, entry_tags.c.live)
            ):
                deltas[tag_pk] = deltas.get(tag_pk, 0) - live
        return deltas

    def put_title_terms(
        self, connection: Connection, titles: Iterable[tuple[int, int, Iterable[int]]]
    ) -> None:
        """Makes titles findable: pk, publication time and terms of each."""
        rows = [(term, published, pk) for pk, published, found in titles for term in found]
        insert_tuples(connection, title_terms, rows)

    def drop_title_terms(
        self, connection: Connection, titles: Iterable[tuple[int, int, str]]
    ) -> None:
        """Makes titles unfindable: pk, publication time and wording of each."""
        columns = title_terms.c
        rows = [
            {"of": term, "at": published, "in": pk}
            for pk, published, title in titles
            for term in terms(title)
        ]
        if rows:
            gone = delete(title_terms).where(
                columns.term == bindparam("of"),
                columns.published == bindparam("at"),
                columns.entry_pk == bindparam("in"),
            )
            connection.execute(gone, rows)

    def put_names(self, connection: Connection, namings: Sequence[Naming]) -> None:
        """Writes what the headlines of entries resolve to; those without a target wait."""
        before = [naming for naming in namings if naming.before]
        for some in chunks([naming.pk for naming in before], self.tuning.batch):
            explicit = related.c.entry_pk.in_(some) & (related.c.kind == EXPLICIT)
            connection.execute(delete(related).where(explicit))
        self._drop_waiting(
            connection,
            [(each.pk, at, name) for each in before for at, name in enumerate(each.before)],
        )
        self.put_links(connection, EXPLICIT, {n.pk: n.targets for n in namings})
        self._put_waiting(
            connection,
            [
                (naming.pk, position, name)
                for naming in namings
                if naming.waits
                for position, name in enumerate(naming.names)
                if position not in naming.targets
            ],
        )

    def retarget(self, connection: Connection, changes: Sequence[Retargeted]) -> None:
        """Writes what the headlines of live entries resolve to instead of what they did."""
        left = [
            {"of": each.pk, "at": position}
            for each in changes
            for position, target in each.before.items()
            if each.after.get(position) != target
        ]
        if left:
            gone = delete(related).where(
                related.c.entry_pk == bindparam("of"),
                related.c.kind == EXPLICIT,
                related.c.position == bindparam("at"),
            )
            connection.execute(gone, left)
        taken = {
            each.pk: {at: to for at, to in each.after.items() if each.before.get(at) != to}
            for each in changes
        }
        self.put_links(connection, EXPLICIT, taken)
        both = [(each.pk, each.names, each.before.keys(), each.after.keys()) for each in changes]
        self._drop_waiting(
            connection, [(pk, at, names[at]) for pk, names, had, has in both for at in has - had]
        )
        self._put_waiting(
            connection, [(pk, at, names[at]) for pk, names, had, has in both for at in had - has]
        )

    def _put_waiting(
        self, connection: Connection, headlines: Iterable[tuple[int, int, str]]
    ) -> None:
        """Makes headlines findable: the pk of the entry that names each, its position, wording."""
        rows = [
            {"term": term, "entry_pk": pk, "position": position}
            for pk, position, name in headlines
            for term in terms(name)
        ]
        insert_all(connection, ref_terms, rows)

    def _drop_waiting(
        self, connection: Connection, headlines: Iterable[tuple[int, int, str]]
    ) -> None:
        """Makes headlines unfindable, whether they were or not."""
        columns = ref_terms.c
        rows = [
            {"of": term, "in": pk, "at": position}
            for pk, position, name in headlines
            for term in terms(name)
        ]
        if rows:
            gone = delete(ref_terms).where(
                columns.term == bindparam("of"),
                columns.entry_pk == bindparam("in"),
                columns.position == bindparam("at"),
            )
            connection.execute(gone, rows)

    def put_links(
        self, connection: Connection, kind: int, links: Mapping[int, Mapping[int, Target]]
    ) -> None:
        """Writes links of one kind by pk and position."""
        rows = [
            {
                "entry_pk": pk,
                "kind": kind,
                "position": position,
                "target_pk": target.pk,
                "score": target.score,
                "reason": target.reason,
            }
            for pk, targets in links.items()
            for position, target in targets.items()
        ]
        insert_all(connection, related, rows)

    def targets_of(
        self, connection: Connection, pks: Sequence[int], kind: int = EXPLICIT
    ) -> dict[int, dict[int, Target]]:
        """The links of one kind that entries have, by pk and position."""
        found: dict[int, dict[int, Target]] = {}
        for some in chunks(pks, self.tuning.batch):
            these = related.c.entry_pk.in_(some) & (related.c.kind == kind)
            for row in connection.execute(select(related).where(these)):
                target = Target(pk=row.target_pk, score=row.score, reason=row.reason)
                found.setdefault(row.entry_pk, {})[row.position] = target
        return found

    def owners(self, connection: Connection, pks: Sequence[int]) -> set[int]:
        """The entries that link to any of these."""
        found: set[int] = set()
        for some in chunks(pks, self.tuning.batch):
            linking = select(related.c.entry_pk).where(related.c.target_pk.in_(some))
            found.update(connection.scalars(linking))
        return found

    def refresh(self, connection: Connection, pks: Iterable[int], now: datetime) -> bool:
        """Brings fingerprints up to date; returns whether any entry got or lost its last link."""
        rows = self.outdated(connection, pks)
        if rows:
            written = update(entries).where(entries.c.pk == bindparam("of"))
            written = written.values(fingerprint=bindparam("print"), flags=bindparam("bits"))
            connection.execute(written.values(changed=micros(now)), rows)
        return any(row["flagged"] for row in rows)

    def outdated(self, connection: Connection, pks: Iterable[int]) -> list[dict[str, Any]]:
        """Fingerprints and flags of those of these entries that have others."""
        columns = entries.c
        wanted = select(
            columns.pk,
            columns.id,
            columns.own_print,
            columns.tags,
            columns.names,
            columns.flags,
            columns.fingerprint,
        )
        rows: list[dict[str, Any]] = []
        for some in chunks(sorted(pks), self.tuning.batch):
            links, copies = links_of(connection, some), duplicates_of(connection, some)
            for row in connection.execute(wanted.where(columns.pk.in_(some))):
                shown, unresolved = show(names_of(row.names), links.get(row.pk, ()))
                bits = int(row.flags & ~Flag.RELATED | (Flag.RELATED if shown else 0))
                also = copies.get(row.pk, ())
                print = fingerprint(row.own_print, row.id, row.tags, shown, unresolved, also)
                if (print, bits) != (row.fingerprint, row.flags):
                    flagged = bits != row.flags
                    rows.append({"of": row.pk, "print": print, "bits": bits, "flagged": flagged})
        return rows

    def post(
        self,
        connection: Connection,
        change: str,
        keys: Iterable[int],
        now: datetime,
        *,
        consumers: Sequence[str] = CONSUMERS,
    ) -> None:
        """Tells consumers of the outbox that entries are new, updated or withdrawn."""
        rows = [
            {"consumer": consumer, "key": key, "change": change, "at": micros(now)}
            for consumer in consumers
            for key in keys
        ]
        insert_all(connection, outbox, rows)
