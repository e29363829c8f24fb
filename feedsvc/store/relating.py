"""Links by content: which entries wait for them, what is like an entry, and the links themselves.

All of it goes by the batch. What an entry is about, and what is like it, is `relate`'s to say.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, delete, select, update

from ..keys import key_text, parse_key
from ..query.text import plain
from .base import Likened, Likeness, Relinked, Signed, Unsigned
from .codec import micros, moment, payload_of
from .engine import chunks
from .indexing import RELATE, Target
from .linking import Linking
from .links import CONTENT
from .named import LIVE
from .related_schema import signatures
from .schema import contents, duplicates, entries, related
from .signing import APART, HOUR, UNLINKED, Signing, unpacked

LIKENED = (
    select(
        signatures.c.entry_pk,
        signatures.c.terms,
        signatures.c.weights,
        signatures.c.pending,
        entries.c.title,
        entries.c.published,
        duplicates.c.lead,
    )
    .join_from(signatures, entries, entries.c.pk == signatures.c.entry_pk)
    .outerjoin(duplicates, duplicates.c.entry_pk == signatures.c.entry_pk)
    .where(LIVE)
)
_SETTLED = update(signatures).where(signatures.c.entry_pk == bindparam("of"))


class Relating(Linking, Signing):
    """Links to entries on the same matter."""

    def unsigned(self, keys: Iterable[str]) -> dict[str, Unsigned]:
        """Those of these entries that are live, as plain texts, by key."""
        numbers = [number for key in dict.fromkeys(keys) if (number := parse_key(key)) is not None]
        wanted = select(entries.c.key, entries.c.title, contents.c.payload).join_from(
            entries, contents, contents.c.entry_pk == entries.c.pk
        )
        found: dict[str, Unsigned] = {}
        with self.reading() as connection:
            for some in chunks(numbers, self.tuning.batch):
                for row in connection.execute(wanted.where(LIVE, entries.c.key.in_(some))):
                    payload = payload_of(row.payload)
                    key = key_text(row.key)
                    found[key] = Unsigned(
                        key=key,
                        title=row.title,
                        summary=plain(payload.summary),
                        body=plain(payload.content),
                    )
        return found

    def sign(self, seqs: Sequence[int], signed: Mapping[str, Signed]) -> None:
        """Writes what entries are about and takes outbox rows out, in one transaction."""
        numbers = {parse_key(key): each for key, each in signed.items()}
        wanted = select(entries.c.key, entries.c.pk, entries.c.published).where(LIVE)
        with self.writing(durable=False, ordered=bool(signed)) as connection:
            found = {
                pk: (published // HOUR, numbers[key])
                for some in chunks(list(numbers), self.tuning.batch)
                for key, pk, published in connection.execute(wanted.where(entries.c.key.in_(some)))
            }
            self.put_signatures(connection, found)
            self._take_out(connection, RELATE, seqs)

    def unrelated(self, limit: int) -> tuple[Likened, ...]:
        """The newest entries that are signed and wait for links by content."""
        newest = LIKENED.where(signatures.c.pending == UNLINKED).order_by(
            signatures.c.hour.desc(), signatures.c.entry_pk.desc()
        )
        with self.reading() as connection:
            return likened_rows(connection, newest.limit(limit))

    def sharing_terms(
        self, asked: Sequence[tuple[Sequence[int], datetime]], rows: int
    ) -> tuple[tuple[Sequence[int], ...], ...]:
        """For each list of terms, by term, the newest entries that are found by it, as pks.

        At most so many a term, none published after the time that is given.
        """
        lists = [(term, micros(until) // HOUR) for terms, until in asked for term in terms]
        with self.reading() as connection:
            found = iter(list(self._posted(connection, lists, rows)))
        return tuple(tuple(next(found) for _ in terms) for terms, _ in asked)

    def likened(self, pks: Iterable[int]) -> dict[int, Likened]:
        """Those of these entries that are live and signed, by pk."""
        with self.reading() as connection:
            return {
                each.pk: each
                for some in chunks(sorted(pks), self.tuning.batch)
                for each in likened_rows(connection, LIKENED.where(signatures.c.entry_pk.in_(some)))
            }

    def likenesses(self, pks: Iterable[int]) -> dict[int, tuple[Likeness, ...]]:
        """The links by content of these entries, in their order."""
        with self.reading() as connection:
            found = self.targets_of(connection, sorted(pks), CONTENT)
        return {pk: _in_order(targets) for pk, targets in found.items()}

    def words(self, pks: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Of entries the title as it is written, and all words of title and text, folded."""
        wanted = select(entries.c.pk, entries.c.title)
        numbers = sorted(pks)
        with self.reading() as connection:
            texts = self._texts(connection, numbers)
            return {
                pk: (title, f"{text.title}{text.summary}{text.body}")
                for some in chunks(numbers, self.tuning.batch)
                for pk, title in connection.execute(wanted.where(entries.c.pk.in_(some)))
                if (text := texts.get(pk)) is not None
            }

    def finish_related(
        self,
        looked: Sequence[Likened],
        relinked: Mapping[int, Relinked],
        now: datetime,
        *,
        gather: bool = False,
    ) -> None:
        """Writes links by content, and that these entries wait for them no longer.

        With `gather` they wait for their story from now on.
        Of an entry that changed meanwhile nothing is written: it still waits. One whose links are
        not as they were read waits again. A link to an entry that has gone is left out.
        """
        with self.writing(durable=False) as connection:
            rows = self._signed(connection, [each.pk for each in looked])
            same = {each.pk for each in looked if rows.get(each.pk) == each.signed}
            mine = {each.pk for each in looked}
            wanted = {pk: r for pk, r in relinked.items() if pk not in mine or pk in same}
            targets = {link.pk for each in wanted.values() for link in each.after}
            live = self._live_pks(connection, targets | wanted.keys())
            has = self.targets_of(connection, sorted(wanted), CONTENT)
            again, changed = [], {}
            for pk, each in wanted.items():
                if pk not in live:
                    continue
                if _in_order(has.get(pk, {})) != each.before:
                    again.append(pk)
                    continue
                links = [link for link in each.after if link.pk in live and link.pk != pk]
                if tuple(links) != each.before:
                    changed[pk] = {
                        at: Target(pk=link.pk, score=link.score, reason=link.reason)
                        for at, link in enumerate(links)
                    }
            for some in chunks(sorted(changed), self.tuning.batch):
                gone = related.c.entry_pk.in_(some) & (related.c.kind == CONTENT)
                connection.execute(delete(related).where(gone))
            self.put_links(connection, CONTENT, changed)
            # what a copy of what is may have been found since these were read
            self.relink_copies(connection, self._leads(connection, changed))
            if same:
                settled = _SETTLED.values(pending=APART if gather else 0)
                connection.execute(settled, [{"of": pk} for pk in sorted(same)])
            self.look_again(connection, again)
            if changed:
                flagged = self.refresh(connection, changed, now)
                self.bump(connection, membership=now if flagged else None)

    def _signed(self, connection: Connection, pks: Sequence[int]) -> dict[int, Signed]:
        columns = signatures.c
        wanted = select(columns.entry_pk, columns.terms, columns.weights)
        return {
            pk: Signed(unpacked(terms), weights)
            for some in chunks(pks, self.tuning.batch)
            for pk, terms, weights in connection.execute(wanted.where(columns.entry_pk.in_(some)))
        }

    def _leads(self, connection: Connection, links: Mapping[int, Mapping[int, Target]]) -> set[int]:
        """The groups of copies that entries with these links, by pk and position, lead to."""
        targets = sorted({link.pk for each in links.values() for link in each.values()})
        wanted = select(duplicates.c.lead)
        return {
            lead
            for some in chunks(targets, self.tuning.batch)
            for lead in connection.scalars(wanted.where(duplicates.c.entry_pk.in_(some)))
        }

    def _live_pks(self, connection: Connection, pks: Iterable[int]) -> set[int]:
        wanted = select(entries.c.pk).where(LIVE)
        return {
            pk
            for some in chunks(sorted(pks), self.tuning.batch)
            for pk in connection.scalars(wanted.where(entries.c.pk.in_(some)))
        }


def likened_rows(connection: Connection, wanted: Select[tuple[object, ...]]) -> tuple[Likened, ...]:
    """Entries as links by content see them, by a statement that begins with `LIKENED`."""
    return tuple(
        Likened(
            pk=row.entry_pk,
            title=row.title,
            published=moment(row.published),
            pending=row.pending == UNLINKED,
            lead=row.lead,
            signed=Signed(unpacked(row.terms), row.weights),
        )
        for row in connection.execute(wanted)
    )


def _in_order(targets: Mapping[int, Target]) -> tuple[Likeness, ...]:
    return tuple(
        Likeness(target.pk, target.score, target.reason) for _, target in sorted(targets.items())
    )
