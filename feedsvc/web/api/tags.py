"""Tags over the JSON API: which there are, what may be meant, how one stands in time."""

from difflib import SequenceMatcher

from ...model import slugify
from ...months import month_text
from ...runtime import Runtime
from ...store.base import TagCount
from ..respond import Representation
from . import models, replies
from .endpoint import Call, Endpoint
from .questions import ListTags, SuggestTags

# so many of the most used are looked through for one that is nearly what was written
_LOOKED_THROUGH = 5000
_ALIKE = 0.7


class Tags:
    """The endpoints below `/tags`."""

    def __init__(self, runtime: Runtime) -> None:
        self._store = runtime.store
        self._composer = runtime.composer
        self._clock = runtime.clock

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What can be asked."""
        return (
            Endpoint(
                name="listTags",
                method="GET",
                path="/tags",
                about="tags",
                handler=self.list,
                query=ListTags,
                answers={200: models.Tags},
                conditional=True,
            ),
            Endpoint(
                name="suggestTags",
                method="GET",
                path="/tags/suggestions",
                about="tags",
                handler=self.suggest,
                query=SuggestTags,
                answers={200: models.Suggestions},
                conditional=True,
                costly=lambda query: True,
            ),
            Endpoint(
                name="getTagStats",
                method="GET",
                path="/tags/{tag}/stats",
                about="tags",
                handler=self.stats,
                answers={200: models.TagStats},
                problems=(404,),
                conditional=True,
                costly=lambda query: True,
            ),
        )

    def list(self, call: Call) -> Representation:
        """Lists tags, the most used first; with `prefix` those that begin with it."""
        asked: ListTags = call.query
        prefix = asked.prefix and (slugify(asked.prefix) or asked.prefix)
        found = self._store.tags(prefix=prefix, limit=asked.limit)
        return replies.reading(lambda: models.Tags(tuple(map(self._tag, found))))

    def suggest(self, call: Call) -> Representation:
        """Suggests tags for what somebody wrote: those that begin with it, then those alike.

        Looks through the 5,000 tags most used. Counts against the rate limit.
        """
        asked: SuggestTags = call.query
        found = suggestions(asked.q, self._store.tags(limit=_LOOKED_THROUGH), asked.limit)
        record = models.Suggestions(asked.q, tuple(map(self._tag, found)))
        return replies.reading(lambda: record)

    def stats(self, call: Call) -> Representation:
        """Tells how many entries have a tag, in which months, and which tags stand beside it.

        Counts against the rate limit.
        """
        # as in the addresses of feeds, whatever its case or alias
        slug = self._composer.tags([call.values["tag"]]).path.rpartition("/")[2]
        found = self._store.tag(slug, self._clock())
        record = models.TagStats(
            tag=found.tag.slug,
            label=found.tag.label,
            entries=found.tag.count,
            months=tuple(models.TagMonth(month_text(m), count) for m, count in found.months),
            beside=tuple(models.TagBeside(one.slug, one.label, n) for one, n in found.beside),
        )
        return replies.reading(lambda: record)

    def _tag(self, tag: TagCount) -> models.TagEntry:
        request = self._composer.tags([tag.slug])
        return models.TagEntry(
            tag=tag.slug,
            label=tag.label,
            entries=tag.count,
            url=self._composer.url(request),
            feed=self._composer.url(request, "atom"),
        )


def suggestions(written: str, known: tuple[TagCount, ...], limit: int) -> tuple[TagCount, ...]:
    """Tags that `written` may mean: itself, what begins with it, what is spelt nearly so.

    `known` has the most used first, and that order stands among equals.
    """
    slug = slugify(written)
    if not slug:
        return ()
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(slug)
    ranked: list[tuple[float, TagCount]] = []
    for tag in known:
        if tag.slug == slug:
            rank = 3.0
        elif tag.slug.startswith(slug):
            rank = 2.0
        else:
            matcher.set_seq1(tag.slug)
            # each is an upper bound of the next, and much cheaper
            alike = min(matcher.real_quick_ratio(), matcher.quick_ratio())
            rank = matcher.ratio() if alike >= _ALIKE else 0.0
        if rank >= _ALIKE:
            ranked.append((rank, tag))
    ranked.sort(key=lambda one: -one[0])
    return tuple(tag for _, tag in ranked[:limit])
