"""The links between entries as rows and as what is shown of them; only reads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from ..keys import key_text
from ..model import Related, RelatedKind
from .codec import moment
from .schema import entries, related
from .statement import rows_of

EXPLICIT, CONTENT = 0, 1
KINDS: dict[RelatedKind, int] = {"explicit": EXPLICIT, "content": CONTENT}
_LINKS = (
    select(
        related.c.entry_pk,
        related.c.kind,
        related.c.position,
        related.c.score,
        related.c.reason,
        entries.c.key,
        entries.c.id,
        entries.c.title,
        entries.c.link,
        entries.c.published,
    )
    .join_from(related, entries, entries.c.pk == related.c.target_pk)
    .order_by(related.c.entry_pk, related.c.kind, related.c.position)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """One stored link with what is shown of its target; `reference` is not filled in yet."""

    position: int
    shown: Related


def links_of(connection: Connection, pks: Sequence[int]) -> dict[int, list[LinkRow]]:
    """The links of entries by pk, explicit ones first, each kind in its order."""
    found: dict[int, list[LinkRow]] = {}
    for row in rows_of(connection, _LINKS, related.c.entry_pk, pks):
        link = Related(
            key=key_text(row["key"]),
            id=row["id"],
            title=row["title"],
            link=row["link"],
            published=moment(row["published"]),
            kind="explicit" if row["kind"] == EXPLICIT else "content",
            score=row["score"],
            reason=row["reason"],
        )
        found.setdefault(row["entry_pk"], []).append(LinkRow(position=row["position"], shown=link))
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
