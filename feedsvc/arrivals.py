"""What of a document is new, changed, or the same as ever, given all that is known of its source.

A document is read as if all of it were new (`digest`); here its entries are told apart, recognised
and held against what is stored, and what that teaches of the source is noted. Pure but for what it
looks up; it runs where the store is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .commits import Lookup
from .config import Config
from .digest import Digest
from .keys import content_digest
from .log import get_logger
from .model import Entry, PollState, Source
from .normalise.entry import is_content_of, reconcile
from .normalise.fulltext import kept
from .normalise.html import to_text
from .normalise.identity import distinct
from .normalise.learning import learn_ids, overtaken, weigh
from .normalise.recognise import Recognised, another, by_link, likeness_of, recognise, spellings
from .polls import Churn, Ids
from .sources.cutting import name_of
from .store.base import Known, Mark, Store
from .store.codec import place_of

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What is to be written of a document.

    `renamed` are uids of known entries, as they were and as they are. `new` of the `entries` were
    unknown. `pages` are uids of those whose pages are to be read. `held`: changes were not taken,
    so that the document must be read again.
    """

    entries: tuple[Entry, ...]
    new: int
    renamed: tuple[tuple[str, str], ...] = ()
    pages: tuple[str, ...] = ()
    ids: Ids | None = None
    churn: Churn | None = None
    behind: datetime | None = None
    held: bool = False


@dataclass(slots=True)
class _Seen:
    """Which of its bad habits a feed showed."""

    reused: bool = False
    renamed: list[tuple[str, str]] = field(default_factory=list)


def named(found: Digest, source: Source, state: PollState, authority: str) -> Sequence[Entry]:
    """The entries of a document under the names they are to be looked up by."""
    if source.kind == "feed" and state.ids is not None and state.ids.by_link is not None:
        return by_link(found.entries, authority)
    return found.entries


def marks(entries: Sequence[Entry], source: Source, again: bool) -> Mapping[str, Mark]:
    """What else these entries may be found by, if their names are unknown.

    `again`: the source has been read before, so that some of it may have been forgotten.
    """
    if source.kind != "feed":
        return {}
    return {
        entry.uid: Mark(
            links=spellings(entry.link),
            published=entry.published if entry.dated else None,
            place=place_of(entry.link, entry.title) if again else None,
        )
        for entry in entries
    }


def sort_out(
    found: Digest,
    entries: Sequence[Entry],
    lookup: Lookup,
    *,
    source: Source,
    state: PollState,
    store: Store,
    config: Config,
    now: datetime,
) -> Arrivals:
    """Decides what to write of a document whose `entries` are `named`."""
    seen = _Seen()
    authority = config.site.authority
    feed = source.kind == "feed"

    def other(entry: Entry, known: Known) -> bool:
        if not feed:
            return False
        if known.pruned:
            # no more than its date is known: only where ids were used again before
            reused = state.ids is not None and state.ids.reused_at is not None
            return reused and entry.dated and entry.published != known.published
        found = another(entry, known, lambda: _likeness(store, entry, known))
        seen.reused |= found
        return found

    told, before = distinct(entries, lookup, authority=authority, other=other)
    if feed:
        polled = state.last_ok_at is not None
        told, before = _recognised(found, told, before, lookup, source, store, seen, polled=polled)
        told = _remembered(found, told, before, lookup)
    oldest = now - config.store.retention if config.store.retention > timedelta(0) else None
    changed = [
        (entry, written)
        for entry in told
        # what would be pruned at once never comes
        if not (oldest and entry.uid not in before and entry.dated and entry.published < oldest)
        and (written := _reconciled(entry, before.get(entry.uid), source, store, now)) is not None
    ]
    ids, churn, behind = state.ids, state.churn, state.behind
    taken = meant = True
    if feed:
        newer = [pair for pair in changed if not _is_older(pair[0], before.get(pair[0].uid))]
        behind, meant = overtaken(state.behind, now, older=len(newer) < len(changed))
        changed = changed if meant else newer
        uids = [entry.uid for entry in entries]
        pairs = zip(uids, (entry.uid for entry in found.entries), strict=True)
        ids = learn_ids(
            state.ids,
            now,
            renamed=bool(seen.renamed),
            reused=seen.reused,
            shared=len(set(uids)) < len({(e.uid, e.link, e.title) for e in entries}),
            pairs=pairs,
        )
        churn, taken = weigh(
            state.churn,
            now,
            known=len(found.standing) + sum(entry.uid in before for entry in told),
            changed=[entry.digest for entry, _ in changed if _rewritten(entry, before)],
            after=config.poll.churn_after,
            interval=config.poll.churn_interval,
        )
        _tell(source, state, ids, churn)
    fresh = tuple(written for entry, written in changed if taken or not _rewritten(entry, before))
    pages: tuple[str, ...] = ()
    if feed and source.fulltext:
        # once when it is new, and once more when the feed has edited it
        asked = (e for e in fresh if e.uid not in before or _rewritten(e, before))
        pages = tuple(entry.uid for entry in asked)
    return Arrivals(
        entries=fresh,
        new=sum(entry.uid not in before for entry in fresh),
        renamed=tuple(seen.renamed),
        pages=pages,
        ids=ids,
        churn=churn,
        behind=behind,
        held=not (taken and meant),
    )


def _is_flood(found: Digest, told: Sequence[Entry], unknown: int) -> bool:
    """Whether so many of a document's entries are unknown as when all of its ids change."""
    return 2 * unknown >= len(told) + len(set(found.standing))


def _remembered(
    found: Digest, told: Sequence[Entry], before: Mapping[str, Known], lookup: Lookup
) -> tuple[Entry, ...]:
    """Leaves out what was pruned and comes under another name: the same title at the same page.

    One of another date may be news that always stands there; many at once are old posts again.
    """
    if not lookup.forgotten:
        return tuple(told)
    there = {place_of(known.link, known.title) for known in lookup.alike}
    unknown = {entry.uid: entry for entry in told if entry.uid not in before}
    gone: dict[str, tuple[str, bool]] = {}
    for uid, entry in unknown.items():
        place = place_of(entry.link, entry.title)
        if place and place in lookup.forgotten and place not in there:
            same = entry.dated and entry.published == lookup.forgotten[place].published
            gone[uid] = place, same
    flood = _is_flood(found, told, len(unknown))
    many = flood and len({place for place, _ in gone.values()}) > 1
    return tuple(e for e in told if e.uid not in gone or not (many or gone[e.uid][1]))


def _recognised(
    found: Digest,
    told: Sequence[Entry],
    before: Mapping[str, Known],
    lookup: Lookup,
    source: Source,
    store: Store,
    seen: _Seen,
    *,
    polled: bool,
) -> tuple[tuple[Entry, ...], Mapping[str, Known]]:
    """Finds known entries among those of unknown names, and leaves out what is there twice."""
    unknown = [entry for entry in told if entry.uid not in before]
    if not unknown:
        return tuple(told), before
    here = {entry.uid for entry in told}
    standing = frozenset(found.standing)

    def present(uid: str) -> bool:
        return uid in here or name_of(uid) in standing

    def likeness(entry: Entry, one: Known) -> float:
        return _likeness(store, entry, one)

    flood = _is_flood(found, told, len(unknown))
    result: Recognised[Known] = recognise(
        unknown,
        lookup.resembling(set(marks(unknown, source, polled).values())),
        present=present,
        flood=flood,
        likeness=likeness,
    )
    done = result.known.keys() | result.repeated
    left = [entry for entry in unknown if entry.uid not in done]
    if polled and any(not (entry.dated and entry.link) for entry in left):
        newest = store.newest(source.id, 2 * (len(told) + len(standing)) + 50)
        more = recognise(
            left,
            [one for one in newest if one.uid not in {k.uid for k in result.known.values()}],
            present=present,
            flood=flood,
            likeness=likeness,
        )
        result = Recognised({**result.known, **more.known}, result.repeated | more.repeated)
    seen.renamed = [(known.uid, uid) for uid, known in result.known.items()]
    kept = tuple(entry for entry in told if entry.uid not in result.repeated)
    return kept, {**before, **result.known}


def _reconciled(
    entry: Entry, known: Known | None, source: Source, store: Store, now: datetime
) -> Entry | None:
    """What to write of an entry, with the text that was read of its page."""
    written = reconcile(known, entry, now)
    if written is None or known is None:
        return written
    if source.fulltext:
        # whatever the page gave, tags included, is no difference to what the feed says
        written = reconcile(known, kept(store.entry(known.key).entry, entry), now)
    edited = content_digest(known.digest) != content_digest(entry.digest)
    if written is not None and edited and _is_known(entry, known, store):
        return replace(written, updated=known.updated)
    return written


def _is_known(entry: Entry, known: Known, store: Store) -> bool:
    """Whether a version of an entry is none that is news, though its digest is another.

    It is what is stored, by a digest of an earlier release; or it has come and gone before, and so
    has what is stored: caches or servers that show now this one, now that.
    """
    if is_content_of(entry.digest, store.entry(known.key).entry):
        return True
    past = [one.entry for one in store.revisions(known.key) if one.whole]
    return all(
        any(is_content_of(digest, one) for one in past) for digest in (entry.digest, known.digest)
    )


def _rewritten(entry: Entry, before: Mapping[str, Known]) -> bool:
    known = before.get(entry.uid)
    return known is not None and not known.pruned and known.digest != entry.digest


def _is_older(entry: Entry, known: Known | None) -> bool:
    """Whether this is an older version of a known entry, by what its source says of both."""
    if known is None or known.withdrawn or known.modified is None or entry.modified is None:
        return False
    return entry.modified < known.modified and known.digest != entry.digest


def _likeness(store: Store, entry: Entry, known: Known) -> float:
    """How much the texts of two entries are alike, or their titles where one has no text."""
    one, other = _text(entry), _text(store.entry(known.key).entry)
    return likeness_of(one, other) if one and other else likeness_of(entry.title, known.title)


def _text(entry: Entry) -> str:
    # of a text that was read of the page the feed knows nothing
    texts = filter(None, (entry.summary, None if entry.fulltext else entry.content))
    return " ".join(to_text(t.value) if t.type == "html" else t.value for t in texts)


def _tell(source: Source, state: PollState, ids: Ids | None, churn: Churn | None) -> None:
    """Logs when a source ceases, or begins again, to be taken at its word."""
    was, now = state.ids and state.ids.by_link, ids and ids.by_link
    if bool(was) != bool(now):
        log.warning("ids change: told by link" if now else "ids hold again", source=source.id)
    churned, churns = state.churn and state.churn.since, churn and churn.since
    if bool(churned) != bool(churns):
        log.warning("churning" if churns else "no longer churning", source=source.id)
