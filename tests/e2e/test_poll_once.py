"""`feedsvc poll --once` as one meets it at a terminal, and through a pipe."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable

from tests.feedserver import FeedServer
from tests.service import PATIENCE, Service

RSS = b"<rss version='2.0'><channel><title>T</title><item><guid>%d</guid></item></channel></rss>"


def at_a_terminal(service: Service, *arguments: str) -> tuple[int, str, str]:
    """Runs a verb with a terminal as its standard error: exit code, output, and what it showed."""
    terminal, end = pty.openpty()
    environment = {**service._environment(), "TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "feedsvc", *arguments],
        cwd=service.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=end,
        text=True,
    )
    os.close(end)
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # how a terminal says that nobody writes to it any more
            break
        if not piece:
            break
        shown += piece
    os.close(terminal)
    output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, output, shown.decode("utf-8", "replace")


def test_progress_is_for_terminals_and_the_summary_for_all(
    make_service: Callable[..., Service], feed_server: FeedServer
) -> None:
    service = make_service(seeds=False)
    paths = [f"/{number}.xml" for number in range(8)]
    tables = [
        f'[[sources]]\nid = "feed{number}"\nlocation = "{feed_server.url(path)}"\n'
        for number, path in enumerate(paths)
    ]
    service.config(f'[poll]\nallow_private = ["{feed_server.address}"]\n' + "\n".join(tables))
    for number, path in enumerate(paths[:6]):
        feed_server.serve(path, RSS % number)
    feed_server.serve(paths[6], status=500)
    code, output, shown = at_a_terminal(service, "poll", "--once")
    assert code == 1
    assert re.fullmatch(
        r"polled 8 sources in \d+\.\d s: 6 new, 0 updated, 0 withdrawn, 0 unchanged, 2 failed\n",
        output,
    )
    counts = [tuple(map(int, found)) for found in re.findall(r"(\d+)/(\d+)", shown)]
    assert counts[-1] == (8, 8)
    assert counts == sorted(counts)
    assert re.search(r"failed feed6: \S+ answered 500", shown)
    assert re.search(r"failed feed7: \S+ answered 404", shown)

    piped = service.command("poll", "--once", "--all", "--json")
    told = json.loads(piped.stdout)
    assert (told["polled"], told["unchanged"], len(told["failed"])) == (8, 6, 2)
    assert told["seconds"] > 0
    assert "polling" not in piped.stderr
    assert "\x1b" not in piped.stderr
