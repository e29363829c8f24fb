"""The service over the JSON API: how much there is, and subscription lists."""

from ... import __version__, subscribe
from ...errors import ParseError
from ...runtime import Runtime
from ..errors import HttpError
from ..message import Answer
from ..respond import Representation
from . import models, replies
from .endpoint import Call, Endpoint

OPML_TYPES = ("text/x-opml", "application/xml", "text/xml")

_MOST = 32 * 2**20


class Service:
    """The endpoints that concern all of it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What can be asked."""
        return (
            Endpoint(
                name="importOpml",
                method="POST",
                path="/opml",
                about="service",
                handler=self.import_opml,
                body=OPML_TYPES,
                answers={200: models.ImportedList},
                problems=(422,),
                admin=True,
                costly=lambda query: True,
                most=_MOST,
            ),
            Endpoint(
                name="getStats",
                method="GET",
                path="/stats",
                about="service",
                handler=self.stats,
                answers={200: models.Counts},
                conditional=True,
                costly=lambda query: True,
            ),
        )

    def import_opml(self, call: Call) -> Answer:
        """Adds every subscription of an OPML document; folders become tags.

        An outline that cannot be taken is told with its line, and the rest is added. Nothing is
        fetched yet: first polls are spread over `poll.interval`. Counts against the rate limit.
        """
        try:
            found = subscribe.import_opml(self._runtime, call.body)
        except ParseError as error:
            raise HttpError(422, str(error), members={"line": error.line}) from error
        skipped = tuple(models.BadOutline(one.line, one.name, one.message) for one in found.bad)
        record = models.ImportedList(
            added=found.added, known=found.known, repeated=found.repeated, skipped=skipped
        )
        return replies.written(200, record)

    def stats(self, call: Call) -> Representation:
        """Counts everything. Counts against the rate limit."""
        stats, sources = self._runtime.store.stats(), self._runtime.store.source_counts()
        return replies.reading(
            lambda: models.Counts(
                version=__version__,
                entries=stats.entries,
                withdrawn=stats.withdrawn,
                pruned=stats.pruned,
                sources=stats.sources,
                troubled=sources.troubled,
                tags=stats.tags,
                related=stats.related,
                unresolved=stats.unresolved,
                waiting=stats.waiting,
                unlinked=stats.unlinked,
                revisions=stats.revisions,
                oldest=stats.oldest,
                newest=stats.newest,
            )
        )
