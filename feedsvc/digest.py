"""What happens to a fetched document inside a parser process: parse, normalise, tag.

Pure but for the files of a directory, so that a process may be killed with the document it hangs
on. Starting, feeding and killing those processes is `poll`'s.
"""

import gc
import resource
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import compress

import msgspec

from .errors import FeedsvcError, ParseError
from .filters import wanted
from .model import Entry, ParsedEntry, Problem, Source, SourceMeta, Tag, TagOrigin
from .normalise.entry import normalise
from .normalise.identity import uid_of
from .normalise.people import source_meta
from .polls import Hints
from .sources import KINDS
from .sources.base import Fetched, Reading
from .tagging import Tagger

_MEMORY = 2 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a parser process hands back: entries ready for the store, as if all were new.

    `standing` are the names (`cutting.name_of`) of those that stand in the document as before.
    """

    entries: tuple[Entry, ...]
    removed: tuple[str, ...]
    problems: tuple[Problem, ...]
    meta: SourceMeta | None
    cursor: str | None
    hints: Hints | None
    standing: tuple[bytes, ...] = ()


# what tells the moments of entries apart that come without any, in the order of their document
_APART = timedelta(milliseconds=1)

_tagger: Tagger
_authority: str


def start(tagger: Tagger, authority: str) -> None:
    """Prepares a parser process: its rules, and a limit on the memory one document can take."""
    global _tagger, _authority
    _tagger, _authority = tagger, authority
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    # the rules stay for good, and a document leaves few circles behind: looking for them after
    # every 700 objects costs a twentieth of the time
    gc.freeze()
    gc.set_threshold(20_000)


_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(Digest)


def packed(
    source: Source, meta: SourceMeta | None, fetched: Fetched, now: datetime
) -> bytes | Digest:
    """A `digest` as it travels between processes, at a fifth of the cost of pickling it."""
    found = digest(source, meta, fetched, now)
    try:
        return _packer.encode(found)
    except UnicodeEncodeError:
        # the name of a file need not be Unicode
        return found


def unpacked(answer: bytes | Digest) -> Digest:
    """The digest that was `packed`."""
    return _unpacker.decode(answer) if isinstance(answer, bytes) else answer


def digest(source: Source, meta: SourceMeta | None, fetched: Fetched, now: datetime) -> Digest:
    """Parses, normalises and tags what a fetch brought. Raises `ParseError` if it is unreadable."""
    try:
        reading = KINDS[source.kind].parse(source, fetched)
    except MemoryError as error:
        raise ParseError("the document needs more memory than a parser may take") from error
    found = _prepared(reading, source, meta, now)
    uids = [entry.uid for entry in found.entries]
    if reading.outline and reading.outline.clashes([*uids, *found.removed]):
        # two entries of one uid are told apart side by side, as are an entry and its tombstone
        return digest(source, meta, replace(fetched, memory=None), now)
    takes = wanted(source, now)
    taken = [takes is None or takes(entry) for entry in found.entries]
    found = replace(found, entries=tuple(compress(found.entries, taken)))
    outline = reading.outline
    if outline is None:
        return found
    # where nothing can be remembered, what is remembered stays true
    cursor = None
    if len(taken) == len(outline.marks):
        # what is not taken is looked at again, lest the query or the time says otherwise
        outline = replace(outline, marks=tuple(compress(outline.marks, taken)))
        cursor = outline.memory([entry.uid for entry in found.entries])
    return replace(found, cursor=cursor, standing=tuple(outline.cut.values()))


def _prepared(reading: Reading, source: Source, meta: SourceMeta | None, now: datetime) -> Digest:
    """Normalises and tags what was read, entry by entry."""
    entries: list[Entry] = []
    problems = list(reading.problems)
    said = source_meta(reading.meta, base=source.location) if reading.meta else None
    for parsed in reading.entries:
        if _is_shell(parsed):
            problems.append(
                Problem(name="an entry", message="it has no id, title, link or text; left out")
            )
            continue
        try:
            entry = normalise(
                parsed, source=source, meta=said or meta, authority=_authority, now=now
            )
            if not entry.dated:
                # what stands first is taken for the newest
                seen = entry.published - len(entries) * _APART
                entry = replace(entry, published=seen, updated=seen)
            entries.append(replace(entry, tags=_tagger.tag(entry, parsed.tags, source)))
        except (ValueError, FeedsvcError) as error:
            problems.append(Problem(name=parsed.uid or "an entry without id", message=str(error)))
    return Digest(
        entries=tuple(entries),
        removed=tuple(map(uid_of, reading.removed)),
        problems=tuple(problems),
        meta=said,
        cursor=reading.cursor,
        hints=reading.hints,
    )


def tagged(
    entry: Entry, labels: Sequence[tuple[str, TagOrigin]], source: Source
) -> tuple[Tag, ...]:
    """An entry's tags by the rules of this process; `labels` are what its reader found."""
    return _tagger.tag(entry, labels, source)


def joined(parts: Sequence[Digest]) -> Digest:
    """Several digests of one poll, each of what the one before left, as one."""
    last = parts[-1]
    return replace(
        last,
        entries=tuple(entry for part in parts for entry in part.entries),
        removed=tuple(uid for part in parts for uid in part.removed),
        problems=tuple(dict.fromkeys(problem for part in parts for problem in part.problems)),
    )


def _is_shell(parsed: ParsedEntry) -> bool:
    return not (parsed.uid or parsed.title or parsed.links or parsed.summary or parsed.content)
