"""What rules and aliases of tags the entries that are stored suggest to who runs the service."""

from .model import Entry
from .query.ast import EntryQuery
from .runtime import Runtime
from .tagging.proposals import AliasProposal, RuleProposal, alias_proposals, rule_proposals

_PAGE, _MOST_TAGS = 500, 20_000


def proposals(
    runtime: Runtime, query: EntryQuery, *, newest: int, most: int, fewest: int
) -> tuple[tuple[RuleProposal, ...], tuple[AliasProposal, ...]]:
    """Tag rules that the newest entries of a query suggest, and aliases that all tags do."""
    entries: list[Entry] = []
    before: str | None = None
    while len(entries) < newest:
        page = runtime.store.find(
            query,
            limit=min(_PAGE, newest - len(entries)),
            now=runtime.clock(),
            before=before,
            collapse=True,
        )
        entries += [stored.entry for stored in page.entries]
        before = page.next
        if before is None:
            break
    counts = {tag.slug: tag.count for tag in runtime.store.tags(limit=_MOST_TAGS)}
    return (
        rule_proposals(entries, most=most, fewest=fewest),
        alias_proposals(counts, most=most),
    )
