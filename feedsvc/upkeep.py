"""What keeps an existing store right: pruning by age, re-tagging, re-linking.

Each goes in batches, may be stopped anywhere and goes on where it was; none moves `updated`.
"""

from collections.abc import Callable
from datetime import timedelta

from . import linking, relating
from .errors import NotFound
from .runtime import Runtime
from .tagging import reader_labels

_BATCH = 500


def prune(runtime: Runtime, *, retention: timedelta | None = None) -> int:
    """Forgets entries older than the retention, all but their names; 0 keeps everything."""
    keep = runtime.config.store.retention if retention is None else retention
    if keep <= timedelta(0):
        return 0
    now = runtime.clock()
    return runtime.store.prune(before=now - keep, now=now)


def relate_rebuild(runtime: Runtime, progress: Callable[[int], None] = lambda done: None) -> int:
    """Links every entry afresh; returns how many were looked at.

    The work waits in the store's outbox, so that a run cut short is finished by the next one, or by
    a running poller.
    """
    for consumer in (linking.CONSUMER, relating.CONSUMER):
        after: str | None = None
        while (after := runtime.store.requeue(consumer, after, _BATCH)) is not None:
            pass
    return relate(runtime, progress)


def relate(runtime: Runtime, progress: Callable[[int], None] = lambda done: None) -> int:
    """Links all entries that wait for it, by headlines first; how many were linked by content."""
    named = runtime.linker.drain()
    return max(named, runtime.relater.drain(progress))


def retag(runtime: Runtime, progress: Callable[[int], None] = lambda done: None) -> tuple[int, int]:
    """Applies today's tag rules to every entry; returns how many were looked at and changed.

    Tags of its folder and front matter are kept; those of its source, its feed's categories, rules
    and the automatic tagger are made anew.
    """
    store, tagger = runtime.store, runtime.tagger
    sources = {status.source.id: status.source for status in store.sources()}
    seen = changed = 0
    after: str | None = None
    while True:
        keys, after = store.keys(after, _BATCH)
        for key in keys:
            try:
                entry = store.entry(key).entry
            except NotFound:
                continue
            source = sources.get(entry.source_id)
            if source is not None:
                tags = tagger.tag(entry, reader_labels(entry.tags), source)
                changed += store.put_tags(key, tags, runtime.clock())
        seen += len(keys)
        progress(len(keys))
        if after is None:
            return seen, changed
