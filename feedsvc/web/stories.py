"""The pages of stories: all of them, and one with the entries that report it."""

from dataclasses import replace
from datetime import timedelta

from ..compose import FeedRequest
from ..model import Story
from ..runtime import Runtime
from ..store.base import Store
from .errors import Gone, Moved
from .message import Ask
from .respond import HTML_TYPE, Representation, whole
from .security import PAGE_POLICY
from .site import Site
from .templating import Templates

_LASTS = timedelta(seconds=10)
_LISTED = 5  # members of each story in a list of them


class Stories:
    """Describes the pages of stories."""

    def __init__(self, runtime: Runtime, templates: Templates, site: Site, cache: str) -> None:
        self._store = runtime.store
        self._composer = runtime.composer
        self._templates = templates
        self._site = site
        self._cache = cache

    def list(self, ask: Ask) -> Representation:
        """All stories, the last updated first."""
        return self._list(self._composer.stories(self._composer.options(ask.arguments)), "/stories")

    def feed(self, request: FeedRequest) -> Representation:
        """The same at the address of the feed."""
        return replace(self._list(request, f"/{request.path}"), vary=("Accept",))

    def one(self, id: str, ask: Ask) -> Representation:
        """One story, or the one that it has become part of.

        Raises `NotFound`, and `Gone` if it fell apart; `Moved` leads to that other one.
        """
        self._composer.gathers()
        story = live(self._store, id)
        # one who came with a token is not sent where it would be missing
        if story.key != id and ask.token is None:
            raise Moved(self._site.link(f"/stories/{story.key}"))
        context = {
            "here": "/stories",
            "story": story,
            "canonical": self._composer.story_url(story.key),
        }
        return self._page("story.html", context)

    def _list(self, request: FeedRequest, path: str) -> Representation:
        composer = self._composer
        page = composer.story_page(request)
        older = composer.turned(request, page.next) if page.next else None
        first = composer.turned(request, None)
        address, mark, query = self._site.address(composer.url(first)).partition("?")
        context: dict[str, object] = {
            "here": "/stories",
            "stories": page.stories,
            "listed": _LISTED,
            "path": address,
            "query": mark + query,
            "canonical": composer.url(request),
            "older": self._site.link(path, **dict(older.params)) if older else None,
            "newest": (
                self._site.link(path, **dict(first.params)) if request.options.before else None
            ),
        }
        return self._page("stories.html", context)

    def _page(self, template: str, context: dict[str, object]) -> Representation:
        return Representation(
            media_type=HTML_TYPE,
            render=lambda: whole(self._templates.render(template, **context)),
            cache=self._cache,
            headers=(("Content-Security-Policy", PAGE_POLICY),),
            lasts=_LASTS,
        )


def live(store: Store, id: str) -> Story:
    """A story that there is, maybe the one that another has become part of.

    Raises `NotFound`, and `Gone` if it fell apart.
    """
    story = store.story(id)
    if story.into is not None:
        story = store.story(story.into)
    if story.gone is not None or not story.members:
        raise Gone("This story is none any more: too few entries were left that report one event.")
    return story
