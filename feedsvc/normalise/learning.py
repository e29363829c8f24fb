"""What is learned of a feed's habits: what its ids are worth, and whether it rewrites itself.

Pure: what was known and what a poll showed go in, what is known now comes out.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from ..polls import Churn, Ids

STRIKES = 3
CALM = 5
_SAMPLE = 30
_MEANT = timedelta(days=1)


def learn_ids(
    ids: Ids | None,
    now: datetime,
    *,
    renamed: bool,
    reused: bool,
    shared: bool,
    pairs: Iterable[tuple[str, str]] = (),
) -> Ids | None:
    """What a feed's ids are worth after one more poll that read entries; None: they are sound.

    `renamed`: known entries came under other ids; `reused`: others came under known ids; `shared`:
    several entries had one id. Three polls in a row of the first, and entries are told by link.
    While they are, `pairs` are entries' names by link and the ids they came with: five polls in a
    row in which these stay the same, and ids are trusted again.
    """
    after = before = ids or Ids()
    if shared:
        after = replace(after, shared_at=now)
    if reused:
        after = replace(after, reused_at=now)
    if before.by_link is not None:
        seen = {_short(link): _short(id) for link, id in list(pairs)[:_SAMPLE]}
        moved = _moved(dict(before.sample), seen)
        calm = 0 if moved else before.calm + 1
        if calm >= CALM:
            return replace(after, by_link=None, changing=0, calm=0, sample=())
        sample = tuple({**seen, **{k: v for k, v in before.sample if k not in seen}}.items())
        after = replace(after, calm=calm, sample=sample[:_SAMPLE])
        return replace(after, changed_at=now) if moved else after
    if renamed:
        strikes = before.changing + 1
        since = now if strikes >= STRIKES else None
        after = replace(after, changing=strikes, changed_at=now, by_link=since)
    else:
        after = replace(after, changing=0)
    return None if after == Ids() else after


def _moved(before: Mapping[bytes, bytes], seen: Mapping[bytes, bytes]) -> bool:
    return any(before[link] != id for link, id in seen.items() if link in before)


def _short(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6).digest()


def weigh(
    churn: Churn | None,
    now: datetime,
    *,
    known: int,
    changed: Sequence[str],
    after: int,
    interval: timedelta,
) -> tuple[Churn | None, bool]:
    """Whether to take what a poll changes of known entries, and what is known of the feed then.

    `known` entries are in the feed, and these digests are new among them. `after` polls in a row
    that changed two thirds of them or more, and the feed is churning: changes are taken once in an
    `interval`, or when it says the same twice. Three polls in a row that are calm end that.
    """
    before = churn or Churn()
    rewriting = bool(changed) and 3 * len(changed) >= 2 * known
    if before.since is None:
        if not rewriting:
            return None, True
        streak = before.streak + 1
        since = now if streak >= after else None
        return Churn(streak=streak, since=since, taken=now), True
    mark = hashlib.blake2b("\n".join(sorted(changed)).encode(), digest_size=6).digest()
    if not rewriting or mark == before.mark:
        return _calmer(replace(before, mark=mark, taken=now if changed else before.taken)), True
    if before.taken is None or now - before.taken >= interval:
        return replace(before, calm=0, taken=now, mark=b""), True
    return replace(before, calm=0, mark=mark), False


def overtaken(
    behind: datetime | None, now: datetime, *, older: bool
) -> tuple[datetime | None, bool]:
    """Since when a feed has been `behind`, and whether its older versions are taken all the same.

    `older`: it shows versions of entries that it itself says are older than those it showed before,
    as a cache on the way does. When it has done so for a day, its publisher means it.
    """
    since = behind or now
    if not older or now - since >= _MEANT:
        return None, True
    return since, False


def rested(churn: Churn | None) -> Churn | None:
    """What is known of a feed's rewriting after a poll that found it as it was."""
    if churn is None or churn.since is None:
        return None
    # what was not taken was withdrawn: saying it again is not saying it twice
    return _calmer(replace(churn, mark=b""))


def _calmer(churn: Churn) -> Churn | None:
    calm = churn.calm + 1
    return None if calm >= STRIKES else replace(churn, calm=calm)
