"""Stories over the JSON API: which there are, and who reports one."""

from ...compose import FeedRequest
from ...model import Story, StoryMember
from ...runtime import Runtime
from ..respond import Representation
from ..site import Site
from ..stories import live
from . import models, replies
from .endpoint import ROOT, Call, Endpoint
from .questions import ListStories


class Stories:
    """The endpoints below `/stories`."""

    def __init__(self, runtime: Runtime, site: Site) -> None:
        self._store = runtime.store
        self._composer = runtime.composer
        self._site = site

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What can be asked."""
        return (
            Endpoint(
                name="listStories",
                method="GET",
                path="/stories",
                about="stories",
                handler=self.list,
                query=ListStories,
                answers={200: models.StoryPage},
                problems=(404,),
                conditional=True,
            ),
            Endpoint(
                name="getStory",
                method="GET",
                path="/stories/{story}",
                about="stories",
                handler=self.one,
                answers={200: models.Story},
                problems=(404, 410),
                conditional=True,
            ),
        )

    def list(self, call: Call) -> Representation:
        """Lists stories, the last updated first; 404 where entries are not gathered into any.

        Goes on with `before=` the `next` of the page before.
        """
        asked: ListStories = call.query
        given = {"limit": str(asked.limit) if asked.limit else "", "before": asked.before or ""}
        request = self._composer.stories(self._composer.options(given))
        page = replies.paged(lambda: self._composer.story_page(request))
        older = self._composer.turned(request, page.next) if page.next else None
        return replies.reading(
            lambda: models.StoryPage(
                stories=tuple(map(self._story, page.stories)),
                next=page.next,
                next_url=self._address(older) if older else None,
            )
        )

    def one(self, call: Call) -> Representation:
        """Tells of one story, or of the one that it has become part of; 410 if it fell apart."""
        self._composer.gathers()
        story = live(self._store, call.values["story"])
        return replies.reading(lambda: self._story(story))

    def _address(self, request: FeedRequest) -> str:
        return self._site.absolute(f"{ROOT}/stories", **dict(request.params))

    def _story(self, story: Story) -> models.Story:
        return models.Story(
            story=story.key,
            id=self._composer.story_id(story.key),
            url=self._composer.story_url(story.key),
            title=(story.lead or story.members[0]).title,
            published=story.published,
            updated=story.updated,
            entries=tuple(map(self._member, story.members)),
        )

    def _member(self, one: StoryMember) -> models.StoryEntry:
        return models.StoryEntry(
            key=one.key,
            id=one.id,
            url=self._composer.entry_url(one.key),
            link=one.link,
            title=one.title,
            published=one.published,
            source=models.Origin(one.source_id, one.source_title),
        )
