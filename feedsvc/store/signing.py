"""Signatures of entries as rows, and the postings that find them. What terms are, `relate` says."""

from collections.abc import Collection, Mapping, Sequence
from struct import pack, unpack

from sqlalchemy import Connection, bindparam, case, delete, func, select, update

from .engine import chunks, insert_all
from .indexing import Indexing
from .linkable import Signed
from .links import CONTENT
from .related_schema import postings, signatures
from .schema import duplicates, related

HOUR = 3_600_000_000  # microseconds
# what entries wait for that are signed: links, then their story
UNLINKED, APART = 1, 2
_POSTED = 13  # of the terms of an entry, those it is found by
_mine, _theirs = duplicates.alias(), duplicates.alias()
_AGAIN = update(signatures).where(signatures.c.entry_pk == bindparam("of")).values(pending=UNLINKED)
_UNPOST = delete(postings).where(
    postings.c.term == bindparam("of"),
    postings.c.hour == bindparam("at"),
    postings.c.entry_pk == bindparam("in"),
)


def packed(terms: Sequence[int]) -> bytes:
    """Terms as their column keeps them."""
    return pack(f"<{len(terms)}I", *terms)


def unpacked(terms: bytes) -> tuple[int, ...]:
    """What `packed` made bytes of."""
    return unpack(f"<{len(terms) // 4}I", terms)


class Signing(Indexing):
    """What entries are about."""

    def put_signatures(
        self, connection: Connection, signed: Mapping[int, tuple[int, Signed]]
    ) -> None:
        """Writes signatures by pk, each with the hour of its entry; links are to be looked for.

        Where a text is about something else than before, what links to it is linked anew as well.
        """
        columns = signatures.c
        had = {}
        for some in chunks(list(signed), self.tuning.batch):
            wanted = select(columns.entry_pk, columns.hour, columns.terms, columns.weights)
            for pk, *rest in connection.execute(wanted.where(columns.entry_pk.in_(some))):
                had[pk] = tuple(rest)
        has = {pk: (hour, packed(s.terms), s.weights) for pk, (hour, s) in signed.items()}
        moved = [pk for pk in has if pk in had and had[pk] != has[pk]]
        self.drop_signatures(connection, moved)
        self.look_again(connection, self.likening(connection, moved))
        self.look_again(connection, [pk for pk in has if had.get(pk) == has[pk]])
        new = [pk for pk in has if had.get(pk) != has[pk]]
        insert_all(
            connection,
            signatures,
            [
                {
                    "entry_pk": pk,
                    "hour": has[pk][0],
                    "pending": UNLINKED,
                    "terms": has[pk][1],
                    "weights": has[pk][2],
                }
                for pk in new
            ],
        )
        insert_all(
            connection,
            postings,
            # in the order of the index, so that its pages fill up
            [
                {"term": term, "hour": hour, "entry_pk": pk}
                for term, hour, pk in sorted(
                    (term, signed[pk][0], pk)
                    for pk in new
                    for term in signed[pk][1].terms[:_POSTED]
                )
            ],
        )

    def drop_signatures(self, connection: Connection, pks: Sequence[int]) -> None:
        """Makes entries unfindable by what they are about."""
        columns = signatures.c
        for some in chunks(pks, self.tuning.batch):
            mine = columns.entry_pk.in_(some)
            wanted = select(columns.entry_pk, columns.hour, columns.terms).where(mine)
            rows = [
                {"of": term, "at": hour, "in": pk}
                for pk, hour, terms in connection.execute(wanted)
                for term in unpacked(terms)[:_POSTED]
            ]
            if rows:
                connection.execute(_UNPOST, rows)
            connection.execute(delete(signatures).where(mine))

    def look_again(self, connection: Connection, pks: Sequence[int]) -> None:
        """Has links by content of these entries looked for anew."""
        if pks:
            connection.execute(_AGAIN, [{"of": pk} for pk in pks])

    def relink_copies(self, connection: Connection, leads: Collection[int]) -> None:
        """Has links looked for anew that lead to a copy, or two copies of one, in these groups."""
        of_own = func.max(case((_mine.c.lead == _theirs.c.lead, 1), else_=0))
        wanted = (
            select(related.c.entry_pk)
            .join_from(related, _theirs, _theirs.c.entry_pk == related.c.target_pk)
            .outerjoin(_mine, _mine.c.entry_pk == related.c.entry_pk)
            .where(related.c.kind == CONTENT)
            .group_by(related.c.entry_pk, _theirs.c.lead)
            .having((func.count() > 1) | (of_own == 1))
        )
        for some in chunks(sorted(leads), self.tuning.batch):
            pks = connection.scalars(wanted.where(_theirs.c.lead.in_(some))).all()
            self.look_again(connection, sorted(set(pks)))

    def likening(self, connection: Connection, pks: Sequence[int]) -> list[int]:
        """The entries that link to any of these by content."""
        found: set[int] = set()
        for some in chunks(pks, self.tuning.batch):
            linking = related.c.target_pk.in_(some) & (related.c.kind == CONTENT)
            found.update(connection.scalars(select(related.c.entry_pk).where(linking)))
        return sorted(found)
