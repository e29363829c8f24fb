"""Whatever a client sends, the answer is a clear one: no request makes the door fail."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedsvc.web.door import Door
from feedsvc.web.message import Ask
from tests.weblib import fill, open_world

CLEAR = {200, 301, 304, 400, 404, 410, 414}
SNIPPETS = st.sampled_from(
    ["all", "tags", "sources", "query", "bbc", "diplomacy", "world,usa", ".atom", ".rss", ".json",
     "/", ".", ",", "..", "//", "stories", "archive/2025-04"]
)  # fmt: skip
PATHS = st.lists(SNIPPETS | st.text(max_size=5), max_size=5).map(lambda parts: "".join(parts))
ARGUMENTS = [
    "tag:world",
    "-(a OR b)",
    "1",
    "00000000050",
    "000000001" + "0" * 5000,
    "since:9999999d",
]
ARGUMENTS += [
    "until:0001-01-01",
    "keep",
    "none",
    "%",
    "%00",
    "%ff",
    "%F0%9F%98%80",
    '"open',
    "tag:",
]
FIELDS = st.lists(
    st.tuples(
        st.sampled_from(["q", "limit", "before", "dupes", "content", "token", "x"]),
        st.sampled_from(ARGUMENTS) | st.text(max_size=12),
    ),
    max_size=4,
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
VALUES = st.text(max_size=20) | st.sampled_from(
    ['"x"', "*", 'W/"', "gzip;q=", "text/html", "*/*;q=0", "Thu, 01 Jan 1970 00:00:00 GMT", ";;"]
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["accept", "accept-encoding", "if-none-match", "if-modified-since", "authorization", "a-im"]
    ),
    VALUES,
    max_size=4,
)
SETTINGS = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    world = open_world(tmp_path_factory.mktemp("fuzz"))
    with world.runtime:
        yield Door(fill(world).runtime)


@SETTINGS
@given(path=PATHS, query=FIELDS, headers=HEADERS)
def test_feeds(door: Door, path: str, query: str, headers: dict[str, str]) -> None:
    answer = door.feed(Ask("GET", f"/feeds/{path}", query, headers))
    assert answer.status in CLEAR, answer.body
    assert all("\n" not in value and "\r" not in value for _, value in answer.headers)
    if answer.status == 200:
        assert answer.header("ETag")


@SETTINGS
@given(value=st.text(max_size=40), query=FIELDS, headers=HEADERS)
def test_pages(door: Door, value: str, query: str, headers: dict[str, str]) -> None:
    for path, view in (
        ("/", lambda ask: door.pages.home(ask)),
        (f"/tags/{value}", lambda ask: door.pages.tag(value, ask)),
        (f"/entries/{value}", lambda ask: door.pages.entry(value)),
        ("/search", lambda ask: door.pages.search(ask)),
    ):
        ask = Ask("GET", path, query, headers)
        answer = door.answer(ask, lambda view=view, ask=ask: view(ask))  # type: ignore[misc]
        assert answer.status in CLEAR, (path, answer.body)
