"""The links between entries as rows and as what is shown of them; only reads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from ..model import Related, RelatedKind, key_text
from .codec import moment
from .engine import chunks
from .schema import entries, related

EXPLICIT, CONTENT = 0, 1
KINDS: dict[RelatedKind, int] = {"explicit": EXPLICIT, "content": CONTENT}
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """One stored link with what is shown of its target; `reference` is not filled in yet."""

    position: int
    shown: Related


def links_of(connection: Connection, pks: Sequence[int]) -> dict[int, list[LinkRow]]:
    """The links of entries by pk, explicit ones first, each kind in its order."""
    columns = related.c
    wanted = select(
        columns.entry_pk,
        columns.kind,
        columns.position,
        columns.score,
        columns.reason,
        entries.c.key,
        entries.c.id,
        entries.c.title,
        entries.c.link,
        entries.c.published,
    ).join_from(related, entries, entries.c.pk == columns.target_pk)
    order = (columns.entry_pk, columns.kind, columns.position)
    found: dict[int, list[LinkRow]] = {}
    for some in chunks(pks, _BATCH):
        for row in connection.execute(wanted.where(columns.entry_pk.in_(some)).order_by(*order)):
            link = Related(
                key=key_text(row.key),
                id=row.id,
                title=row.title,
                link=row.link,
                published=moment(row.published),
                kind="explicit" if row.kind == EXPLICIT else "content",
                score=row.score,
                reason=row.reason,
            )
            found.setdefault(row.entry_pk, []).append(LinkRow(position=row.position, shown=link))
    return found


def show(
    names: Sequence[str], links: Sequence[LinkRow]
) -> tuple[tuple[Related, ...], tuple[str, ...]]:
    """What an entry shows of its links, and which of the headlines it names are unresolved.

    An entry that it names is not shown again as one like it.
    """
    resolved = {link.position for link in links if link.shown.kind == "explicit"}
    named = {link.shown.key for link in links if link.shown.kind == "explicit"}
    shown = tuple(
        replace(link.shown, reference=names[link.position])
        if link.shown.kind == "explicit"
        else link.shown
        for link in links
        if link.shown.kind == "explicit" or link.shown.key not in named
    )
    return shown, tuple(name for at, name in enumerate(names) if at not in resolved)
