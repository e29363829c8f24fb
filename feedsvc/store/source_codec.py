"""How sources and their poll states become rows and rows sources again."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import RowMapping

from ..model import PollState, Problem, Source, SourceMeta
from ..polls import Churn, Hints, Ids, Move, PollRecord
from .codec import digest_of, encode, maybe_micros, maybe_moment, micros, moment, pack, storable


class Settings(msgspec.Struct, frozen=True, omit_defaults=True):
    """The parts of a source that only a poller needs."""

    tags: tuple[str, ...] = ()
    interval: timedelta | None = None
    headers: tuple[tuple[str, str], ...] = ()
    auth: str | None = None
    fulltext: bool = False
    max_entries: int | None = None
    keep: str | None = None
    drop: str | None = None


class Memory(msgspec.Struct, frozen=True, omit_defaults=True):
    """The parts of a poll state that no query asks for; `all of it is read at every poll."""

    posts: tuple[datetime, ...] = ()
    quiet: int = 0
    hints: Hints | None = None
    move: Move | None = None
    history: tuple[PollRecord, ...] = ()
    ids: Ids | None = None
    churn: Churn | None = None
    behind: datetime | None = None


_LONG_CURSOR = 2000

_memory = msgspec.msgpack.Decoder(Memory)
_settings = msgspec.json.Decoder(Settings)
_meta = msgspec.json.Decoder(SourceMeta)
_source = msgspec.json.Decoder(Source)
_problems = msgspec.json.Decoder(tuple[Problem, ...])


def source_row(source: Source) -> dict[str, Any]:
    """The columns of `sources` that the source itself decides."""
    return {
        "id": storable(source.id),
        "kind": source.kind,
        "location": storable(source.location),
        "title": source.title and storable(source.title),
        "origin": source.origin,
        "enabled": source.enabled,
        "settings": encode(
            Settings(
                tags=source.tags,
                interval=source.interval,
                headers=source.headers,
                auth=source.auth,
                fulltext=source.fulltext,
                max_entries=source.max_entries,
                keep=source.keep,
                drop=source.drop,
            )
        ),
    }


def source_of(row: RowMapping) -> Source:
    """The source of a row of `sources`."""
    settings = _settings.decode(row["settings"])
    return Source(
        id=row["id"],
        kind=row["kind"],
        location=row["location"],
        title=row["title"],
        tags=settings.tags,
        interval=settings.interval,
        enabled=row["enabled"],
        origin=row["origin"],
        headers=settings.headers,
        auth=settings.auth,
        fulltext=settings.fulltext,
        max_entries=settings.max_entries,
        keep=settings.keep,
        drop=settings.drop,
    )


def declared_of(text: str | None) -> Source | None:
    """The source as the configuration last declared it."""
    return None if text is None else _source.decode(text)


def meta_of(text: str | None) -> SourceMeta | None:
    """What a feed said of itself."""
    return None if text is None else _meta.decode(text)


def shown_meta(meta: SourceMeta | None) -> SourceMeta:
    """What an entry shows of its source.

    When the feed was updated is not shown: it would change every entry with every new one.
    """
    return SourceMeta() if meta is None else replace(meta, updated=None)


def shown_title(id: str, title: str | None, meta: SourceMeta | None) -> str:
    """What a source is called: as we named it, as it names itself, or its id."""
    return title or (meta.title if meta is not None else None) or id


def shown(id: str, title: str | None, meta: SourceMeta | None) -> str:
    """Stands for everything that an entry shows of its source."""
    return digest_of(id, shown_title(id, title, meta), encode(shown_meta(meta)))


def state_row(state: PollState, now: datetime) -> dict[str, Any]:
    """The columns of `poll_state` but for the claim; without a next time it is due now.

    A cursor that is `long_cursor` stands in a table of its own.
    """
    return {
        "next_at": micros(state.next_at or now),
        "retry_after": maybe_micros(state.retry_after),
        "etag": state.etag and storable(state.etag),
        "last_modified": state.last_modified and storable(state.last_modified),
        "digest": state.digest,
        "cursor": (state.cursor and not long_cursor(state) and storable(state.cursor)) or None,
        "last_at": maybe_micros(state.last_at),
        "last_ok_at": maybe_micros(state.last_ok_at),
        "status": state.status,
        "error": state.error and storable(state.error),
        "problems": encode(state.problems) if state.problems else None,
        "failures": state.failures,
        "why": state.why and storable(state.why),
        "fault": state.fault,
        "memory": pack(
            Memory(
                posts=state.posts,
                quiet=state.quiet,
                hints=state.hints,
                move=state.move,
                history=state.history,
                ids=state.ids,
                churn=state.churn,
                behind=state.behind,
            )
        ),
    }


def long_cursor(state: PollState) -> str | None:
    """The cursor where it is too long to be written again at every claim, else None."""
    return state.cursor if state.cursor and len(state.cursor) > _LONG_CURSOR else None


def state_of(row: RowMapping) -> PollState:
    """The poll state of a row."""
    memory = _memory.decode(row["memory"])
    return PollState(
        etag=row["etag"],
        last_modified=row["last_modified"],
        digest=row["digest"],
        cursor=row["cursor"] or row.get("long_cursor"),
        next_at=moment(row["next_at"]),
        last_at=maybe_moment(row["last_at"]),
        last_ok_at=maybe_moment(row["last_ok_at"]),
        status=row["status"],
        error=row["error"],
        problems=() if row["problems"] is None else _problems.decode(row["problems"]),
        failures=row["failures"],
        retry_after=maybe_moment(row["retry_after"]),
        why=row["why"],
        fault=row["fault"],
        posts=memory.posts,
        quiet=memory.quiet,
        hints=memory.hints,
        move=memory.move,
        history=memory.history,
        ids=memory.ids,
        churn=memory.churn,
        behind=memory.behind,
    )
