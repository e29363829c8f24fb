"""The decision itself: the poll state after a poll, with the moment of the next one and why.

Rules that lengthen a wait are applied one after another, each with a reason of its own; the last
one that did lengthen it is the reason given.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec.structs import replace as with_fields

from ..errors import Fault
from ..model import PollState, Source
from ..polls import Demand, Hints, PollOutcome, PollRecord
from ..remedies import remedy
from .moving import sighted
from .rhythm import busy_hours, merge, rhythm
from .skipping import never_open, next_open
from .starting import phase
from .words import often, span, times

HISTORY = 20
_JITTER = 0.1
_LONGEST_JITTER = timedelta(minutes=15)
# what is beyond this is how static files are served, not a wish to be left alone
_LONGEST_WISH = timedelta(days=7)
_OPENING = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The `[poll]` intervals of the configuration."""

    interval: timedelta
    min_interval: timedelta
    max_interval: timedelta
    directory_interval: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one poll ended, as far as the next one depends on it.

    `ok`: the source answered, changed or not. `failed`: it did not, or not with a feed. `gone`: it
    said that it never will again. `demands` count from now. `hints` and `posted` (when its dated
    entries were published) are what a document said, None if none was read; `new` and `updated`
    count entries, `moved_to` is where permanent redirects alone led.
    """

    kind: Literal["ok", "failed", "gone"]
    status: int | None = None
    error: str | None = None
    fault: Fault | None = None
    demands: tuple[Demand, ...] = ()
    hints: Hints | None = None
    posted: tuple[datetime, ...] | None = None
    new: int = 0
    updated: int = 0
    moved_to: str | None = None
    bytes: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _Wait:
    """A wait in the making: from `now` until `at`, for the reason that decided it."""

    now: datetime
    at: datetime = field(init=False)
    why: str = ""

    def __post_init__(self) -> None:
        self.at = self.now

    def lengthen(self, wait: timedelta, why: str) -> None:
        """Takes the longer of the two waits, and its reason."""
        self.until(self.now + wait, why)

    def until(self, at: datetime, why: str) -> None:
        """Waits until a moment, if that is later."""
        if at > self.at:
            self.at, self.why = at, why


def usual_interval(source: Source, bounds: Bounds) -> timedelta:
    """How long a source rests when all is well and nothing is known of its rhythm."""
    if source.kind == "directory":
        return source.interval or bounds.directory_interval
    return _within(source.interval or bounds.interval, bounds)


def next_state(
    state: PollState, outcome: Outcome, *, source: Source, bounds: Bounds, now: datetime
) -> PollState:
    """The poll state after a poll: when to come again and why, how often it failed, its history.

    Validators, digest and cursor are the caller's to set: they belong to a body, not to a moment.
    """
    asked = [demand.wait for demand in outcome.demands if demand.by == "Retry-After"]
    if outcome.status == 429 and not asked:
        # so much is too often for this host: its other feeds leave it alone for a moment, too
        asked = [bounds.min_interval]
    retry_after = now + max(asked) if asked else None
    kept = with_fields(
        state,
        last_at=now,
        status=outcome.status,
        retry_after=retry_after,
        hints=outcome.hints or state.hints,
        history=_history(state, outcome, source, now),
    )
    if outcome.kind == "ok":
        return _after_success(state, kept, outcome, source, bounds, now)
    return _after_failure(kept, outcome, source, bounds, now)


def _after_success(
    before: PollState,
    kept: PollState,
    outcome: Outcome,
    source: Source,
    bounds: Bounds,
    now: datetime,
) -> PollState:
    kept = with_fields(
        kept,
        last_ok_at=now,
        error=None,
        fault=None,
        problems=(),
        failures=0,
        quiet=0 if outcome.new else min(before.quiet + 1, 1_000_000),
    )
    wait = _Wait(now)
    usual = usual_interval(source, bounds)
    if source.kind == "directory":
        wait.lengthen(usual, f"every {span(usual)}: a directory")
        return with_fields(kept, next_at=wait.at, why=wait.why)
    posted = list(outcome.posted or ())
    if outcome.new and not posted and before.last_ok_at is not None:
        posted.append(now)  # its entries bear no dates: they were posted since the last poll
    kept = with_fields(
        kept,
        posts=merge(before.posts, posted, now) if posted else before.posts,
        move=sighted(before.move, source, outcome.moved_to, now),
    )
    chosen, why = _chosen(kept, source, bounds, now)
    late = before.next_at is not None and now - before.next_at > usual / 2
    if before.last_at is None or late:
        # many first polls, or many after a rest, come together: part their ways once and for all
        extra = min(chosen, bounds.interval) * phase(source.id)
    else:
        extra = _jitter(source, chosen, now)
    wait.lengthen(min(chosen + extra, bounds.max_interval), why)
    _heed(wait, outcome.demands, kept.hints or Hints(), source, bounds)
    return with_fields(kept, next_at=wait.at, why=wait.why)


def _chosen(
    state: PollState, source: Source, bounds: Bounds, now: datetime
) -> tuple[timedelta, str]:
    """What we would choose ourselves, and why."""
    if source.interval is not None:
        usual = usual_interval(source, bounds)
        cut = "" if usual == source.interval else ", within the bounds of `poll`"
        return usual, f"every {span(usual)}: as set for this source{cut}"
    known = rhythm(state.posts, now, bounds.interval)
    wish = known.wait(now, quiet=state.quiet, longest=bounds.max_interval)
    chosen = _within(wish, bounds)
    if state.posts:
        because = f"posts {times(known.per_day)}"
        if known.hours is not None and (hours := busy_hours(known.hours)):
            because += f", mostly {hours}"
    elif state.quiet > 1:
        because = f"nothing new in the last {state.quiet:,} polls"
    else:
        because = "the first guess (`poll.interval`)"
    return chosen, f"every {span(chosen)}: {because}"


def _after_failure(
    kept: PollState, outcome: Outcome, source: Source, bounds: Bounds, now: datetime
) -> PollState:
    kept = with_fields(kept, error=outcome.error, fault=outcome.fault, failures=kept.failures + 1)
    wait = _Wait(now)
    if outcome.kind == "gone":
        wait.lengthen(bounds.max_interval, "disabled: its server says that it is gone for good")
        return with_fields(kept, next_at=wait.at, why=wait.why)
    if source.kind == "directory":
        usual = usual_interval(source, bounds)
        wait.lengthen(usual, f"failed {often(kept.failures)}: next look in {span(usual)}")
        return with_fields(kept, next_at=wait.at, why=wait.why)
    backoff = _backoff(kept.failures, outcome, source, bounds)
    # below the longest interval there is room for the jitter of the longest back-off too
    chosen = min(backoff, bounds.max_interval * (1 - _JITTER))
    chosen = max(chosen, bounds.min_interval) * (1 + _JITTER * phase(_moment(source, now)))
    chosen = min(chosen, bounds.max_interval)
    why = f"failed {often(kept.failures)}: next try in {span(chosen)}"
    if outcome.status in (401, 403) and (cure := remedy(source, kept)):
        why = f"{why}. {cure}"
    wait.lengthen(chosen, why)
    # an error that may be kept for a week is a slip: what has passed must be noticed in a day
    refused = outcome.status is not None and outcome.status >= 400
    freshest = bounds.max_interval if refused else None
    _heed(wait, outcome.demands, kept.hints or Hints(), source, bounds, freshest=freshest)
    return with_fields(kept, next_at=wait.at, why=wait.why)


def _backoff(failures: int, outcome: Outcome, source: Source, bounds: Bounds) -> timedelta:
    """How long to wait after so many failures in a row: twice as long each time.

    What may pass by itself is looked at again soon, what somebody has to change after a usual rest.
    """
    status = outcome.status
    passing = outcome.fault not in ("private", "credentials", "not a feed") and (
        status is None or status >= 500 or status in (408, 425)
    )
    first = bounds.min_interval if passing else usual_interval(source, bounds)
    growth: int = 2 ** min(failures - 1, 20)
    return first * growth * (2 if status == 429 else 1)


def _heed(
    wait: _Wait,
    demands: Iterable[Demand],
    hints: Hints,
    source: Source,
    bounds: Bounds,
    *,
    freshest: timedelta | None = None,
) -> None:
    """Lengthens a wait to what the server demands and the feed wishes.

    What is said of an answer's freshness is cut to `freshest`, or to where all wishes are.
    """
    longest = max(_LONGEST_WISH, bounds.max_interval)
    for wish, name in ((hints.ttl, "ttl"), (hints.update, "sy:updatePeriod")):
        if wish is not None:
            cut = "" if wish <= longest else f", cut to {span(longest)}"
            wait.lengthen(min(wish, longest), f"feed asks for {span(wish)} ({name}){cut}")
    for demand in demands:
        reason, heeded = f"server asks for {span(demand.wait)} ({demand.by})", demand.wait
        if demand.by != "Retry-After":
            heeded = min(heeded, freshest or longest)
            reason += "" if heeded == demand.wait else f", cut to {span(heeded)}"
        wait.lengthen(heeded, reason)
    if never_open(hints):
        wait.why += "; it skips every hour of the week, which is not heeded"
        return
    opened = next_open(wait.at, hints)
    if opened > wait.at:
        name = "skipDays" if wait.at.astimezone(UTC).weekday() in hints.skip_days else "skipHours"
        day = "" if opened - wait.now < timedelta(days=1) else f"{opened:%A} "
        why = f"{name}: not before {day}{opened:%H:%M} GMT"
        # not all of a publisher's readers at the stroke of the hour
        wait.until(opened + _OPENING * phase(source.id), why)


def _history(
    state: PollState, outcome: Outcome, source: Source, now: datetime
) -> tuple[PollRecord, ...]:
    ended: PollOutcome = "unchanged"
    if outcome.kind != "ok":
        ended = outcome.kind
    elif outcome.new or outcome.updated:
        ended = "new" if outcome.new else "updated"
    record = PollRecord(
        at=now,
        outcome=ended,
        status=outcome.status,
        new=outcome.new,
        milliseconds=round(outcome.seconds * 1000),
        bytes=outcome.bytes,
    )
    earlier = state.history
    if source.kind == "directory" and earlier and earlier[-1].outcome == ended == "unchanged":
        earlier = earlier[:-1]  # looked at every other second: what happened would soon be gone
    return (*earlier, record)[-HISTORY:]


def _within(wait: timedelta, bounds: Bounds) -> timedelta:
    return min(max(wait, bounds.min_interval), bounds.max_interval)


def _jitter(source: Source, wait: timedelta, now: datetime) -> timedelta:
    return min(wait * _JITTER, _LONGEST_JITTER) * phase(_moment(source, now))


def _moment(source: Source, now: datetime) -> str:
    return f"{source.id} {now.timestamp():.0f}"
