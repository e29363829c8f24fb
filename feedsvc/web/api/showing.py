"""A source as the JSON API tells it, in the words of its page."""

import hashlib

import msgspec

from ...config import write_duration
from ...model import Source
from ...store.base import SourceStatus
from .. import views
from ..site import Site
from . import models


class Showing:
    """Makes records of sources below one base URL."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def source(self, status: SourceStatus) -> models.Source:
        """Everything of a source but its secrets."""
        source, view = status.source, views.source(status)
        return models.Source(
            id=source.id,
            title=view.title,
            kind=source.kind,
            location=view.location,
            origin=source.origin,
            enabled=source.enabled,
            tags=source.tags,
            interval=write_duration(source.interval) if source.interval else None,
            fulltext=source.fulltext,
            max_entries=source.max_entries,
            keep=source.keep,
            drop=source.drop,
            added=status.added,
            entries=status.entries,
            url=self._site.absolute(f"/sources/{source.id}"),
            feed=self._site.absolute(f"/feeds/sources/{source.id}.atom"),
            state=view.state,
            state_label=view.state_label,
            status=view.status,
            failures=view.failures,
            error=view.error,
            advice=view.advice,
            moved=view.moved,
            notes=view.notes,
            problems=tuple(models.Trouble(one.name, one.message) for one in view.problems),
            last_at=view.last_at,
            last_ok_at=view.last_ok_at,
            next_at=view.next_at,
            why=view.why if view.next_at else None,
        )

    def history(self, status: SourceStatus) -> models.History:
        """How the last polls of a source ended."""
        return models.History(
            source=status.source.id,
            polls=tuple(
                models.Poll(
                    at=record.at,
                    outcome=record.outcome,
                    status=record.status,
                    new=record.new,
                    seconds=record.milliseconds / 1000,
                    bytes=record.bytes,
                )
                for record in reversed(status.state.history)
            ),
        )


def version(source: Source) -> str:
    """Stands for the settings of a source: another one as soon as any of them changes."""
    return hashlib.sha256(msgspec.json.encode(source)).hexdigest()[:16]
