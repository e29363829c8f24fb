"""Whatever a feed does with its ids, in whatever order: each post is one entry, and is its own.

Documents go through parsing, normalising, sorting out and a real store; only the fetch is left out.
"""

import itertools
import shutil
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from feedsvc import digest as digesting
from feedsvc.arrivals import named, sort_out
from feedsvc.commits import Lookup
from feedsvc.config import Config
from feedsvc.config.schema import PollConfig
from feedsvc.model import PollState, Source
from feedsvc.query import parse
from feedsvc.runtime import tagger
from feedsvc.sources.base import Fetched
from feedsvc.sources.cutting import Memory
from feedsvc.sources.webfeed import Body
from feedsvc.store import SqlStore, open_store
from feedsvc.store.base import PollResult
from tests.badfeeds import FEED, START, Item, post
from tests.storekit import claim

SOURCE = Source(id="one", kind="feed", location="https://a.example/feed.xml")
# edits are not held back here, however many there are
CONFIG = Config(poll=PollConfig(churn_interval=timedelta(0)))


@cache
def empty() -> bytes:
    """A file that has feedsvc's schema and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/empty.db")
        store.migrate()
        store.close()
        return Path(folder, "empty.db").read_bytes()


def fresh() -> SqlStore:
    """A store in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="feedsvc-machine-"))
    (folder / "store.db").write_bytes(empty())
    return open_store(f"sqlite:///{folder}/store.db")


def poll(store: SqlStore, body: str, now: datetime) -> None:
    """One poll as the poller makes it, from the body on."""
    digesting._tagger, digesting._authority = tagger(CONFIG), CONFIG.site.authority
    taken = claim(store, "one", now=now)
    memory = Memory.read(taken.state.cursor)
    payload = Body(body=body.encode(), url=SOURCE.location, headers={})
    found = digesting.digest(SOURCE, None, Fetched(payload=payload, memory=memory), now)
    nothing: frozenset[str] = frozenset()
    lookup = Lookup(store, "one", nothing, {}, frozenset(), (), {})
    came = sort_out(
        found,
        named(found, SOURCE, taken.state, CONFIG.site.authority),
        lookup,
        source=SOURCE,
        state=taken.state,
        store=store,
        config=CONFIG,
        now=now,
    )
    state = PollState(
        next_at=now, last_ok_at=now, cursor=found.cursor, ids=came.ids, churn=came.churn
    )
    if came.held or found.cursor is None:
        state = PollState(
            next_at=now, last_ok_at=now, cursor=taken.state.cursor, ids=came.ids, churn=came.churn
        )
    store.finish_poll(
        taken, PollResult(state=state, entries=came.entries, renamed=came.renamed), now
    )


class Publisher(RuleBasedStateMachine):
    """A publisher who may do anything to ids, and one more thing at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.store = fresh()
        self.numbers = itertools.count()
        self.fresh_ids = itertools.count()
        self.now = START
        self.posts: dict[int, Item] = {}
        self.shown: list[int] = []
        self.ids: dict[int, str] = {}
        self.shape: dict[str, object] = {}

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(Path(str(self.store.url.database)).parent, ignore_errors=True)

    @initialize(shape=st.sampled_from([{}, {"date": None}, {"guid": None}]))
    def begin(self, shape: dict[str, object]) -> None:
        self.shape = shape
        for _ in range(3):
            self.add()
        self.publish()

    def add(self, **changes: object) -> None:
        number = next(self.numbers)
        made = post(number, **{**self.shape, **changes})
        self.posts[number] = replace(made, text=f"{made.text} mark{number}x")
        self.shown = [number, *self.shown][:6]

    def publish(self) -> None:
        """Shows the feed as it is, and polls it."""
        self.now += timedelta(hours=1)
        items = (self.posts[number].xml() for number in self.shown)
        poll(self.store, FEED.format("".join(items)), self.now)

    @rule()
    def publish_another(self) -> None:
        self.add()
        self.publish()

    @rule(data=st.data(), what=st.sampled_from(["title", "text", "link"]))
    def edit(self, data: st.DataObject, what: str) -> None:
        number = data.draw(st.sampled_from(self.shown))
        item = self.posts[number]
        if what == "title":
            item = replace(item, title=f"{item.title} again")
        elif what == "text":
            item = replace(item, text=f"{item.text} more")
        elif item.guid is not None or item.date is not None:
            item = replace(item, link=f"{item.link}-b")
        self.posts[number] = item
        self.publish()

    @precondition(lambda self: self.shape != {"guid": None})
    @rule(every=st.booleans(), data=st.data())
    def give_other_ids(self, every: bool, data: st.DataObject) -> None:
        given = self.shown if every else [data.draw(st.sampled_from(self.shown))]
        for number in given:
            guid = f"urn:new:{next(self.fresh_ids)}"
            self.posts[number] = replace(self.posts[number], guid=guid)
        self.publish()

    @rule(
        scheme=st.sampled_from(["http", "https"]),
        www=st.sampled_from(["", "www."]),
        slash=st.sampled_from(["", "/"]),
    )
    def flip(self, scheme: str, www: str, slash: str) -> None:
        for number in self.shown:
            item = self.posts[number]
            assert item.link is not None
            path = item.link.split("a.example", 1)[1].rstrip("/")
            link = f"{scheme}://{www}a.example{path}{slash}"
            guid = link if item.guid and item.guid.startswith("http") else item.guid
            self.posts[number] = replace(item, link=link, guid=guid)
        self.publish()

    @precondition(lambda self: self.shape == {})
    @rule(data=st.data())
    def use_an_id_again(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.posts)))
        self.add(guid=self.posts[number].guid)
        self.publish()

    @precondition(lambda self: len(self.shown) > 1)
    @rule(data=st.data())
    def take_away(self, data: st.DataObject) -> None:
        self.shown.remove(data.draw(st.sampled_from(self.shown)))
        self.publish()

    @precondition(lambda self: len(self.shown) < len(self.posts))
    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        gone = sorted(self.posts.keys() - self.shown)
        self.shown.append(data.draw(st.sampled_from(gone)))
        self.publish()

    @rule()
    def shuffle(self) -> None:
        self.shown.reverse()
        self.publish()

    @invariant()
    def each_post_is_one_entry(self) -> None:
        found = self.store.find(parse(""), limit=500, now=self.now).entries
        assert len({stored.entry.id for stored in found}) == len(found)
        by_number: dict[int, Item] = {}
        for stored in found:
            text = stored.entry.content or stored.entry.summary
            assert text is not None
            number = int(text.value.partition(" mark")[2].partition("x")[0])
            assert number not in by_number, f"post {number} is there twice"
            by_number[number] = self.posts[number]
            # an id once given stays with its post
            assert self.ids.setdefault(number, stored.entry.id) == stored.entry.id
            if number in self.shown:
                assert stored.entry.title == self.posts[number].title
        assert by_number.keys() == self.posts.keys()


TestPublisher = Publisher.TestCase
TestPublisher.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
