"""Metrics: one place, one text, and one sum over all processes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from feedsvc import __version__, metrics
from feedsvc.metrics import METRICS, MULTIPROC_DIR, expose, forget_process


def samples(body: bytes) -> dict[str, float]:
    """Every sample of an exposition by its name with labels."""
    found = {}
    for line in body.decode("utf-8").splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def families(body: bytes) -> set[str]:
    return set(re.findall(r"^# HELP (feedsvc_\w+)", body.decode("utf-8"), re.MULTILINE))


def test_every_metric_is_exposed_with_its_help() -> None:
    body, media_type = expose()
    assert media_type.startswith("text/plain")
    assert families(body) == set(METRICS)
    for name, help in METRICS.items():
        assert f"# HELP {name} {help}\n" in body.decode("utf-8")
    assert samples(body)[f'feedsvc_build_info{{version="{__version__}"}}'] == 1
    assert "process_resident_memory_bytes" in samples(body)


def test_counts() -> None:
    name = 'feedsvc_entries_total{change="withdrawn"}'
    before = samples(expose()[0]).get(name, 0)
    metrics.ENTRIES.labels(change="withdrawn").inc(2)
    assert samples(expose()[0])[name] == before + 2


def test_buckets_span_what_is_measured() -> None:
    metrics.HTTP_SECONDS.labels(route="feed").observe(0.0003)
    metrics.POLL_SECONDS.observe(19)
    found = samples(expose()[0])
    assert found['feedsvc_http_seconds_bucket{le="0.0005",route="feed"}'] >= 1
    assert found['feedsvc_poll_seconds_bucket{le="10.0"}'] < found["feedsvc_poll_seconds_count"]
    assert found['feedsvc_poll_seconds_bucket{le="20.0"}'] == found["feedsvc_poll_seconds_count"]


WORKER = """
import os, sys
from feedsvc import metrics
for step in sys.stdin.read().splitlines():
    eval(step, vars(metrics))
os.write(1, str(os.getpid()).encode())
"""


def run(directory: Path, *steps: str) -> int:
    """Runs steps in a process of its own that has ended since; returns its pid."""
    done = subprocess.run(
        [sys.executable, "-c", WORKER],
        env={**os.environ, MULTIPROC_DIR: str(directory)},
        input="\n".join(steps),
        text=True,
        capture_output=True,
        check=True,
    )
    return int(done.stdout)


def test_processes_are_added_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = "POLLS.labels(outcome='new').inc(%d)"
    timed = "HTTP_SECONDS.labels(route='feed').observe(%f)"
    first = run(tmp_path, counted % 2, timed % 0.1, "STORE_ENTRIES.set(10)", "POLLS_RUNNING.set(4)")
    run(tmp_path, counted % 3, timed % 0.2, "STORE_ENTRIES.set(7)", "POLLS_RUNNING.set(5)")
    monkeypatch.setenv(MULTIPROC_DIR, str(tmp_path))

    found = samples(expose()[0])
    assert found['feedsvc_polls_total{outcome="new"}'] == 5
    assert found['feedsvc_http_seconds_count{route="feed"}'] == 2
    # what is true of the whole service is what was said last, not a sum
    assert found["feedsvc_store_entries"] == 7
    assert found[f'feedsvc_build_info{{version="{__version__}"}}'] == 1
    assert found["feedsvc_polls_running"] == 9

    forget_process(first)
    found = samples(expose()[0])
    assert found["feedsvc_polls_running"] == 5
    assert found['feedsvc_polls_total{outcome="new"}'] == 5
    assert found["feedsvc_store_entries"] == 7


def test_forgetting_without_a_directory_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MULTIPROC_DIR, raising=False)
    forget_process(os.getpid())
