"""Polling: feedsvc beside the usual script (urllib and feedparser, one feed after the other).

The script only fetches and parses; feedsvc also cleans, tags, links and stores. Both keep
validators and send conditional requests. `FEEDS=500 make bench` takes another number of feeds.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .corpus import Corpus

_SCRIPT = """
import json, sys, urllib.error, urllib.request, feedparser
memory, urls = sys.argv[1], sys.argv[2:]
try:
    tags = json.load(open(memory))
except FileNotFoundError:
    tags = {}
for url in urls:
    request = urllib.request.Request(url, headers={"If-None-Match": tags.get(url, "")})
    try:
        with urllib.request.urlopen(request) as response:
            tags[url] = response.headers["ETag"]
            assert feedparser.parse(response.read()).entries
    except urllib.error.HTTPError as error:
        assert error.code == 304
json.dump(tags, open(memory, "w"))
"""


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command and all its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu


def main() -> None:
    """Prints wall and CPU time of feedsvc and of the script, and their ratio."""
    feeds = int(os.environ.get("FEEDS", "200"))
    with Corpus(feeds) as corpus, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config").mkdir()
        sources = "".join(f'[[sources]]\nlocation = "{url}"\n' for url in corpus.urls)
        (folder / "config" / "feedsvc.toml").write_text(sources)
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parent.parent),
            "FEEDSVC_POLL__ALLOW_PRIVATE": f'["{corpus.address}"]',
            "FEEDSVC_POLL__PER_HOST": "32",
        }
        ours = [sys.executable, "-m", "feedsvc", "poll", "--once", "--all"]
        script = [sys.executable, "-c", _SCRIPT, "memory.json", *corpus.urls]
        print(f"ingest: {feeds} feeds of 30 entries")
        print(f"{'':24}{'feedsvc wall/CPU s':>22}{'script wall/CPU s':>22}{'ratio wall/CPU':>18}")
        for phase, share in (("first", 0.0), ("nothing new", 0.0), ("1 % changed", 0.01)):
            if share:
                corpus.change(share)
            a = _run(ours, folder, environment)
            b = _run(script, folder, environment)
            print(
                f"{phase:24}{a[0]:>13.2f} /{a[1]:>7.2f}{b[0]:>13.2f} /{b[1]:>7.2f}"
                f"{b[0] / a[0]:>10.2f} /{b[1] / a[1]:>6.2f}"
            )
