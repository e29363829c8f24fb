"""Every metric feedsvc publishes, with its help text, and how they are exposed to Prometheus.

A service of several processes sets the variable `MULTIPROC_DIR` to an empty directory before it
starts them; `expose` then adds up what all of them counted, those that have ended included. A gauge
that describes the whole service holds what was written last; one that describes what a process is
doing is summed over the living.
"""

import os
from collections.abc import Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from . import __version__

MULTIPROC_DIR = "PROMETHEUS_MULTIPROC_DIR"

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0)

METRICS: Mapping[str, str] = {
    "feedsvc_build_info": "Version of the program; always 1.",
    "feedsvc_polls_total": "Polls of sources that have ended, by outcome.",
    "feedsvc_poll_seconds": "How long polls took, from the request to the commit.",
    "feedsvc_fetched_bytes_total": "Bytes of bodies fetched from sources, after decompression.",
    "feedsvc_entries_total": "Entries written to the store, by change (new, updated, withdrawn).",
    "feedsvc_pages_total": "Pages of entries read for their full text, by outcome.",
    "feedsvc_problems_total": "Documents and entries that could not be read.",
    "feedsvc_poll_lag_seconds": "How overdue the most overdue source is.",
    "feedsvc_polls_running": "Polls that are running now.",
    "feedsvc_sources": "Sources that are polled.",
    "feedsvc_store_entries": "Live entries in the store.",
    "feedsvc_link_queue": "Entries waiting to be linked with others.",
    "feedsvc_http_requests_total": "HTTP requests answered, by route and status.",
    "feedsvc_http_kept_total": "HTTP requests answered from memory; they are among all requests.",
    "feedsvc_http_seconds": "How long HTTP requests took, by route; none from memory.",
}

# A second series beside each counter and histogram, of no use to anyone but OpenMetrics.
disable_created_metrics()  # type: ignore[no-untyped-call]
# One process: a registry of our own. Several: the client library keeps files instead, and `expose`
# reads those of all processes.
_registry = CollectorRegistry()
ProcessCollector(registry=_registry)


def _counter(name: str, *labels: str) -> Counter:
    return Counter(name, METRICS[name], labels, registry=_registry)


def _histogram(name: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(name, METRICS[name], labels, buckets=buckets, registry=_registry)


def _state(name: str) -> Gauge:
    """A gauge about the whole service: whoever wrote last is right, alive or not."""
    return Gauge(name, METRICS[name], registry=_registry, multiprocess_mode="mostrecent")


def _activity(name: str) -> Gauge:
    """A gauge about one process: the living are summed."""
    return Gauge(name, METRICS[name], registry=_registry, multiprocess_mode="livesum")


POLLS = _counter("feedsvc_polls_total", "outcome")
POLL_SECONDS = _histogram("feedsvc_poll_seconds", _SLOW)
FETCHED_BYTES = _counter("feedsvc_fetched_bytes_total")
ENTRIES = _counter("feedsvc_entries_total", "change")
PAGES = _counter("feedsvc_pages_total", "outcome")
PROBLEMS = _counter("feedsvc_problems_total")
POLL_LAG = _state("feedsvc_poll_lag_seconds")
POLLS_RUNNING = _activity("feedsvc_polls_running")
SOURCES = _state("feedsvc_sources")
STORE_ENTRIES = _state("feedsvc_store_entries")
LINK_QUEUE = _state("feedsvc_link_queue")
HTTP_REQUESTS = _counter("feedsvc_http_requests_total", "route", "status")
HTTP_KEPT = _counter("feedsvc_http_kept_total")
HTTP_SECONDS = _histogram("feedsvc_http_seconds", _FAST, "route")

_BUILD = Gauge(
    "feedsvc_build_info",
    METRICS["feedsvc_build_info"],
    ["version"],
    registry=_registry,
    multiprocess_mode="max",
)
_BUILD.labels(version=__version__).set(1)


def expose() -> tuple[bytes, str]:
    """Writes all metrics in Prometheus' text format; returns the body and its media type."""
    registry = _registry
    if os.environ.get(MULTIPROC_DIR):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST


def forget_process(pid: int) -> None:
    """Takes an ended process out of the gauges that sum the living; its counts stay."""
    if os.environ.get(MULTIPROC_DIR):
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
