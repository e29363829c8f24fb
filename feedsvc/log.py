"""Structured logs on standard error: key=value for people at a terminal, one JSON object a line
otherwise.

Everything goes through the standard library's logging, so that libraries and warnings come out the
same way. Whatever looks like a secret is masked on its way out, and no text from outside can break
a line or move a terminal's cursor.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "********"

# Libraries that tell more than anyone wants to know; `--verbose` does not open them.
_CHATTY = ("aiohttp.access", "apscheduler", "asyncio", "trafilatura", "urllib3")

_SECRET_KEY = re.compile(r"authorization|cookie|password|passwd|secret|token|^auth$", re.IGNORECASE)
_IN_URL = re.compile(r"(?<=://)([^\s/:@\"'<>]*):[^\s/@\"'<>]+@")
_ASSIGNED = re.compile(
    r"(?i)\b([\w.-]*(?:token|password|passwd|secret|api_?key|signature))(=|\"?: ?\"|'?: ?')"
    r"[^\s&;,\"'<>]+"
)
_HEADER = re.compile(
    r"(?i)\b(authorization\b[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token|digest)\s+)?|bearer\s+|basic\s+(?=[a-z0-9+/]{8}))"
    r"[^\s,\"'<>]+"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def mask(text: str) -> str:
    """Hides what looks like a secret: passwords in URLs, `token=…`, Authorization headers."""
    text = _IN_URL.sub(rf"\1:{MASK}@", text)
    text = _HEADER.sub(rf"\1{MASK}", text)
    return _ASSIGNED.sub(rf"\1\2{MASK}", text)


def get_logger(name: str) -> BoundLogger:
    """A logger whose methods take an event in a few words and its facts as keyword arguments."""
    return structlog.stdlib.get_logger(name)


def setup(verbose: bool = False, *, json: bool | None = None) -> None:
    """Sends the logs of this process to standard error.

    `json` None means: JSON unless standard error is a terminal. `verbose` adds what is only
    interesting when something is wrong. May be called again; the last call holds.
    """
    if json is None:
        json = not sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(json))
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old.formatter, ProcessorFormatter):
            root.removeHandler(old)
            old.close()
    root.addHandler(handler)
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("feedsvc").setLevel(logging.DEBUG if verbose else logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


def _formatter(json: bool) -> ProcessorFormatter:
    last: list[Processor]
    if json:
        last = [structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    else:
        last = [
            _one_line,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=structlog.dev.plain_traceback,
                event_key="event",
            ),
        ]
    return ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _mask_event,
            *last,
        ],
    )


def _mask_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: _masked(key, value) for key, value in event.items()}


def _masked(key: str, value: Any) -> Any:
    if _SECRET_KEY.search(key) and value is not None and not isinstance(value, bool):
        return MASK
    match value:
        case str():
            return mask(value)
        case Mapping():
            return {inner: _masked(str(inner), part) for inner, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked("", part) for part in value]
        case None | bool() | int() | float():
            return value
        case _:
            return mask(str(value))


def _one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keeps text from outside from breaking a line or driving the terminal (JSON escapes it)."""
    return {
        key: _CONTROL.sub(lambda char: repr(char[0])[1:-1], value)
        if isinstance(value, str) and key not in ("exception", "stack")
        else value
        for key, value in event.items()
    }


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_SHARED,
        ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=BoundLogger,
    cache_logger_on_first_use=True,
)
# Used as a library, before `setup`, feedsvc keeps silent (logging's own advice).
logging.getLogger("feedsvc").addHandler(logging.NullHandler())
