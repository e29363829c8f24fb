"""From a story to an entry of the feed of stories: its members become links and a list."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..model import (
    Category,
    DeletedEntry,
    FeedEntry,
    Link,
    Person,
    Story,
    StoryMember,
    Text,
)
from ..store.base import Head, StoryPage
from .addresses import Addresses
from .request import Options

_LISTED = 50  # members that are shown in a feed


class StoryComposer:
    """Writes stories as entries; `author` is whoever gathers them."""

    def __init__(self, at: Addresses, *, author: str, settings: str) -> None:
        self._at = at
        self._author = (Person(name=author),)
        self._settings = settings

    def head(self, page: StoryPage) -> Head:
        """All that validators of a page of stories need."""
        return Head(
            marks=tuple((one.key, one.fingerprint) for one in page.stories),
            deleted=tuple(
                DeletedEntry(id=self._at.story_id(key), key=key, when=at) for key, at in page.gone
            ),
            newest=max((one.updated for one in page.stories), default=None),
            changed=page.changed,
            next=page.next,
            both_ways=False,
        )

    def compose(self, story: Story, options: Options) -> FeedEntry:
        """A story as a feed with these options shows it: the latest members, at most 50."""
        members = shown(story, options)
        listed = members[:_LISTED]
        lead = story.lead or members[0]
        content = summary = None
        if options.content != "none":
            summary = Text(value=_told(members))
        if options.content == "full":
            content = Text(value=self._list(listed), type="html")
        return FeedEntry(
            id=self._at.story_id(story.key),
            title=lead.title,
            url=self._at.story(story.key),
            links=tuple(
                Link(href=self._link(one), rel="related", type="text/html", title=one.title)
                for one in listed
            ),
            published=story.published,
            updated=story.updated,
            authors=self._author,
            summary=summary,
            content=content,
            categories=self._categories(members),
            lang=lead.lang,
            members=tuple(replace(one, link=self._link(one)) for one in listed),
            fingerprint="/".join(
                (story.fingerprint, options.content, options.dupes, self._settings)
            ),
        )

    def _link(self, member: StoryMember) -> str:
        return member.link or self._at.entry(member.key)

    def _categories(self, members: Iterable[StoryMember]) -> tuple[Category, ...]:
        """The tags that all members have, in the order of the first."""
        first, *others = members
        common = {tag.slug for tag in first.tags}
        for one in others:
            common &= {tag.slug for tag in one.tags}
        scheme = self._at.tag_scheme()
        return tuple(
            Category(term=tag.slug, scheme=scheme, label=tag.label)
            for tag in first.tags
            if tag.slug in common
        )

    def _list(self, members: Iterable[StoryMember]) -> str:
        items = "".join(
            f'<li><a href="{html.escape(self._link(one))}">'
            f"{html.escape(one.title, quote=False)}</a>"
            f" ({html.escape(one.source_title, quote=False)})</li>"
            for one in members
        )
        return f'<ul class="feedsvc-story">{items}</ul>'


def shown(story: Story, options: Options) -> tuple[StoryMember, ...]:
    """The members of a story that are shown: each article once, or with `dupes=keep` all."""
    return story.members if options.dupes == "keep" else story.articles


def _told(members: Sequence[StoryMember]) -> str:
    """How many reports there are, and who has them."""
    names = list(dict.fromkeys(one.source_title for one in members))
    number = len(members)
    return f"{number} {'report' if number == 1 else 'reports'}: {', '.join(names)}"
