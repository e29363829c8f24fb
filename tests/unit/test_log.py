"""Logs: both forms, levels, libraries and warnings, and what must never come out."""

import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from feedsvc.log import MASK, get_logger, mask, setup


class Terminal(StringIO):
    """A standard error that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    """Puts logging back as it was."""
    root, ours = logging.getLogger(), logging.getLogger("feedsvc")
    before = (root.level, root.handlers[:], ours.level)
    yield
    logging.captureWarnings(False)
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    ours.setLevel(before[2])


Captured = pytest.CaptureFixture[str]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_one_json_object_a_line_where_nobody_watches(capsys: Captured) -> None:
    setup()
    get_logger("feedsvc.poll").info("polled", source="bbc", new=3, title="Übersicht\nZeile")
    text = capsys.readouterr().err
    (line,) = lines(text)
    assert list(line)[:4] == ["timestamp", "level", "logger", "event"]
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["logger"], line["event"]) == ("info", "feedsvc.poll", "polled")
    assert (line["source"], line["new"], line["title"]) == ("bbc", 3, "Übersicht\nZeile")
    assert "Übersicht" in text


def test_readable_lines_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    setup()
    get_logger("feedsvc.poll").warning("poll failed", source="bbc")
    assert "\x1b[" in stream.getvalue()
    assert not stream.getvalue().startswith("{")

    stream.truncate(0)
    setup(json=True)
    get_logger("feedsvc.poll").warning("poll failed", source="bbc")
    assert json.loads(stream.getvalue().lstrip("\0"))["source"] == "bbc"


def test_plain_lines_have_no_colours_in_a_file(capsys: Captured) -> None:
    setup(json=False)
    get_logger("feedsvc.poll").warning("poll failed", source="bbc", reason="no answer")
    text = capsys.readouterr().err
    for part in ("poll failed", "source=bbc", "reason='no answer'"):
        assert part in text
    assert "\x1b" not in text


def test_levels(capsys: Captured) -> None:
    setup()
    get_logger("feedsvc.x").debug("ours, a detail")
    get_logger("feedsvc.x").info("ours")
    logging.getLogger("library").info("theirs")
    logging.getLogger("library").warning("theirs, %s", "a warning")
    assert [line["event"] for line in lines(capsys.readouterr().err)] == [
        "ours",
        "theirs, a warning",
    ]

    setup(verbose=True)
    get_logger("feedsvc.x").debug("ours, a detail")
    logging.getLogger("library").info("theirs")
    logging.getLogger("library").debug("theirs, a detail")
    logging.getLogger("apscheduler.executors").info("a chatty one")
    assert [line["event"] for line in lines(capsys.readouterr().err)] == [
        "ours, a detail",
        "theirs",
    ]


def test_setting_up_twice_does_not_write_twice(capsys: Captured) -> None:
    setup()
    setup()
    get_logger("feedsvc.x").info("once")
    assert len(lines(capsys.readouterr().err)) == 1


def test_logs_follow_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    first, later = StringIO(), StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    setup()
    first.close()
    monkeypatch.setattr(sys, "stderr", later)
    get_logger("feedsvc.x").info("here")
    assert lines(later.getvalue())[0]["event"] == "here"


def test_warnings_are_logged(capsys: Captured) -> None:
    setup()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("that was careless", stacklevel=1)
    (line,) = lines(capsys.readouterr().err)
    assert line["logger"] == "py.warnings"
    assert "that was careless" in line["event"]


@pytest.mark.parametrize("as_json", [True, False])
def test_exceptions_come_with_their_traceback(capsys: Captured, as_json: bool) -> None:
    setup(json=as_json)
    try:
        raise ValueError("bad \x1b[31m title at https://u:hunter2@example.org/")
    except ValueError as error:
        get_logger("feedsvc.x").exception("broke", source="bbc")
        get_logger("feedsvc.x").error("request failed", exc_info=error)
    text = capsys.readouterr().err
    assert text.count("Traceback (most recent call last)") == 2
    assert "hunter2" not in text
    assert "\x1b" not in text
    assert len(text.splitlines()) == 2 or not as_json


@pytest.mark.parametrize("as_json", [True, False])
def test_text_from_outside_cannot_forge_a_line(capsys: Captured, as_json: bool) -> None:
    setup(json=as_json)
    evil = "a\r\n2025-01-01 [error] forged\x1b[2J\x9b31m\u202e\u2028end"
    get_logger("feedsvc.x").info("read", title=evil, titles=[evil])
    logging.getLogger("library").warning(evil)
    text = capsys.readouterr().err
    assert len(text.splitlines()) == 2
    for control in "\r\x1b\x9b\u202e\u2028":
        assert control not in text


def test_endless_values_are_cut(capsys: Captured) -> None:
    setup()
    get_logger("feedsvc.x").info("read", body="x" * 1_000_000)
    text = capsys.readouterr().err
    assert len(text) < 11_000
    assert "1,000,000 characters" in text


SECRETS = [
    ("https://user:hunter2@example.org/feed", f"https://user:{MASK}@example.org/feed"),
    ("postgresql://u:hunter2@host/db failed", f"postgresql://u:{MASK}@host/db failed"),
    ("GET /feeds/all.atom?token=hunter2&limit=5", f"GET /feeds/all.atom?token={MASK}&limit=5"),
    ("?access_token=hunter2", f"?access_token={MASK}"),
    ("hub.secret=hunter2&hub.mode=x", f"hub.secret={MASK}&hub.mode=x"),
    ("/feed?key=hunter2", f"/feed?key={MASK}"),
    ("Authorization: Bearer hunter2", f"Authorization: Bearer {MASK}"),
    ("authorization: hunter2", f"authorization: {MASK}"),
    ("{'Authorization': 'Basic aHVudGVyMg=='}", f"{{'Authorization': 'Basic {MASK}'}}"),
    ('{"password": "hunter2"}', f'{{"password": "{MASK}"}}'),
    ("sent bearer 0123456789abcdef.xyz", f"sent bearer {MASK}"),
]
HARMLESS = [
    "https://example.org:8080/feed?a=b@c",
    "user@example.org",
    "12:30 talks @ noon",
    "the bearer of bad news, a basic instruction",
    "no token was given: set one",
    "Authorization is missing",
    "passwords: 3",
]


@pytest.mark.parametrize(("text", "masked"), SECRETS)
def test_masks(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert mask(masked) == masked


@pytest.mark.parametrize("text", HARMLESS)
def test_leaves_the_rest_alone(text: str) -> None:
    assert mask(text) == text


def test_masking_hostile_text_takes_linear_time() -> None:
    for piece in ("a-", "://", "token", "authorization", "bearer ", ":'", "&key"):
        assert mask(piece * 50_000)


@pytest.mark.parametrize("as_json", [True, False])
def test_secrets_never_come_out(capsys: Captured, as_json: bool) -> None:
    setup(json=as_json)
    log = get_logger("feedsvc.x").bind(feed_tokens=["hunter2"])
    log.info(
        "https://u:hunter2@example.org/",
        auth="hunter2",
        admin_token="hunter2",
        headers={"Authorization": "hunter2", "Cookie": "hunter2", "Accept": "text/xml"},
        urls=("https://example.org/?token=hunter2",),
        error=ValueError("password=hunter2"),
        authenticated=True,
        token=None,
    )
    logging.getLogger("library").warning("connecting to %s", "redis://:hunter2@host")
    text = capsys.readouterr().err
    assert "hunter2" not in text
    assert "text/xml" in text
    assert "authenticated" in text


def test_silent_before_it_is_set_up() -> None:
    # in a process of its own: another test of this one may have set logging up
    work = 'from feedsvc.log import get_logger; get_logger("feedsvc.x").warning("nobody asked")'
    run = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")
