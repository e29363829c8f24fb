"""Records in the words of a page: summaries, files, states of sources, what to do about errors."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from feedsvc.model import Link, PollState, Source, Text
from feedsvc.polls import PollRecord
from feedsvc.store.base import SourceStatus
from feedsvc.web import views
from tests.weblib import entry, trouble

NOW = datetime(2025, 5, 1, tzinfo=UTC)


def status(*, enabled: bool = True, kind: Any = "feed", **state: Any) -> SourceStatus:
    source = Source(
        id="s", kind=kind, location="https://u:pw@example.org/feed?token=abc", enabled=enabled
    )
    return SourceStatus(source=source, state=PollState(**state), meta=None, entries=0, added=NOW)


@pytest.mark.parametrize(
    ("summary", "content", "shown"),
    [
        (None, "Body", False),
        ("A summary", None, True),
        ("A summary", "Quite another text", True),
        ("Once upon a time …", "Once upon a time there was", False),
        ("Once upon a time…", "<p>Once <b>upon</b> a time there was</p>", False),
    ],
)
def test_a_summary_is_shown_where_it_says_something_new(
    summary: str | None, content: str | None, shown: bool
) -> None:
    made = entry(
        "s",
        "1",
        "T",
        summary=Text(value=summary) if summary else None,
        content=Text(value=content, type="html") if content else None,
    )
    assert (views.lead(made) is not None) is shown


def test_plain_text_becomes_escaped_paragraphs() -> None:
    assert views.body(Text(value="a < b\n\nc & d")) == "<p>a &lt; b</p><p>c &amp; d</p>"
    assert views.body(Text(value="one <i>")) == "<p>one &lt;i&gt;</p>"
    assert views.body(Text(value="<i>x</i>", type="html")) == "<i>x</i>"
    assert views.body(Text(value=" \n ")) is None
    assert views.body(None) is None


@pytest.mark.parametrize(
    ("link", "name", "note", "player"),
    [
        (
            Link(href="https://e.org/a/b.mp3?x=1", type="audio/mpeg", length=999),
            "b.mp3",
            "audio/mpeg, 999 bytes",
            "audio",
        ),
        (Link(href="https://e.org/", type="video/mp4"), "e.org", "video/mp4", "video"),
        (
            Link(href="https://e.org/a.pdf", title="The paper", length=12_345),
            "The paper",
            "12 kB",
            "",
        ),
        (Link(href="https://e.org/a.iso", length=5_400_000_000_000), "a.iso", "5400.0 GB", ""),
        (Link(href="https://e.org/a.bin", length=-1), "a.bin", "", ""),
    ],
)
def test_enclosures(link: Link, name: str, note: str, player: str) -> None:
    made = entry("s", "1", "T", links=(dataclasses.replace(link, rel="enclosure"), link))
    (found,) = views.enclosures(made)
    assert (found.name, found.note, found.player) == (name, note, player)


@pytest.mark.parametrize(
    ("given", "state", "label"),
    [
        (status(), "off", "not polled yet"),
        (status(last_at=NOW), "ok", "fine"),
        (status(last_at=NOW, error="x"), "trouble", "failing"),
        (status(last_at=NOW, problems=trouble("a")), "trouble", "partly unreadable"),
        (status(enabled=False, last_at=NOW), "off", "disabled"),
        (status(enabled=False, error="gone", status=410), "trouble", "disabled after an error"),
    ],
)
def test_states_of_sources(given: SourceStatus, state: str, label: str) -> None:
    seen = views.source(given)
    assert (seen.state, seen.state_label) == (state, label)
    assert "pw" not in repr(seen)
    assert "abc" not in repr(seen)
    assert seen.href is None


@pytest.mark.parametrize(
    ("code", "words"),
    [(401, "auth"), (403, "refuses"), (404, "new address"), (410, "remove"), (503, "by ourselves")],
)
def test_errors_come_with_what_to_do(code: int, words: str) -> None:
    advice = views.source(status(error="failed", status=code)).advice
    assert advice is not None
    assert words in advice


def test_no_advice_where_there_is_nothing_to_say() -> None:
    assert views.source(status(status=200)).advice is None
    assert views.source(status(error="does not resolve; check the host name")).advice is None
    folder = status(kind="directory", error="no such directory", status=404)
    assert views.source(folder).advice is None


def test_history_is_told_newest_first() -> None:
    at = datetime(2025, 4, 10, 12, tzinfo=UTC)
    lines = (
        PollRecord(at=at, outcome="new", status=200, new=1, milliseconds=1234, bytes=2048),
        PollRecord(at=at, outcome="unchanged", status=304),
        PollRecord(at=at, outcome="failed"),
    )
    seen = views.source(status(history=lines)).history
    assert [(one.result, one.status, one.took, one.size) for one in seen] == [
        ("failed", None, "0.0 s", ""),
        ("nothing new", 304, "0.0 s", ""),
        ("1 new entry", 200, "1.2 s", "2 kB"),
    ]
