"""Tags that a query may have meant."""

from pathlib import Path

from feedsvc.query import parse
from feedsvc.store import open_store
from feedsvc.suggest import suggestions
from tests.storekit import entry, poll


def test_a_tag_that_nothing_carries_has_neighbours(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    store.migrate()
    poll(store, entry("one", tags=["russia", "united-states", "diplomacy"]))
    found = suggestions(store, parse("tag:rusia -tag:diplomcy OR title:x sort:updated"))
    assert [(one.slug, one.near, one.query) for one in found] == [
        ("diplomcy", "diplomacy", "title:x OR tag:rusia -tag:diplomacy sort:updated"),
        ("rusia", "russia", "title:x OR tag:russia -tag:diplomcy sort:updated"),
    ]
    assert suggestions(store, parse("tag:russia -(tag:zzzz)")) == ()
    assert suggestions(store, parse("")) == ()
    store.close()
