"""Structured logs on standard error: for people at a terminal, one JSON object a line otherwise.

Everything goes through the standard library's logging, so that libraries and warnings come out the
same way. Whatever looks like a secret is masked on its way out, and no text from outside can break
a line or move a terminal's cursor.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "********"

# Libraries that tell each step of theirs; `verbose` is about ours.
_CHATTY = ("aiohttp.access", "alembic", "apscheduler", "asyncio", "trafilatura")

_LONGEST = 10_000
_SECRET_NAME = re.compile(
    r"authorization|cookie|password|passwd|secret|token|api_?key|^auth$", re.IGNORECASE
)
_IN_URL = re.compile(r"(?<=://)([^\s/:@\"'<>]{0,100}):[^\s/@\"'<>]+@")
_AUTHORIZATION = re.compile(
    r"(authorization['\"]?\s?[:=]\s?['\"]?(?:(?:basic|bearer|digest|token)\s)?)[^\s,'\"<>]+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(\bbearer\s)[\w.~+/-]{12,}=*", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"((?:token|password|passwd|secret|api_?key|signature|[?&](?:key|auth|sig))"
    r"(?:=['\"]?|['\"]?:\s?['\"]))[^\s&;,'\"<>]+",
    re.IGNORECASE,
)
_MASKED = rf"\1{MASK}"

# Controls that a terminal may obey and that JSON leaves as they are, and those that JSON escapes.
_CONTROLS = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LINE_CONTROLS = re.compile("[\x00-\x1f]")
_TRACE_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f]")


def mask(text: str) -> str:
    """Hides what looks like a secret: passwords in URLs, `token=…`, Authorization headers."""
    text = _IN_URL.sub(rf"\1:{MASK}@", text)
    for pattern in (_AUTHORIZATION, _BEARER, _ASSIGNED):
        text = pattern.sub(_MASKED, text)
    return text


def get_logger(name: str) -> BoundLogger:
    """A logger whose methods take an event in a few words and its facts as keyword arguments."""
    return structlog.stdlib.get_logger(name)


def setup(verbose: bool = False, *, json: bool | None = None, summary: bool = False) -> None:
    """Sends the logs of this process to standard error.

    `json` None means: JSON unless standard error is a terminal. `verbose` adds what only matters
    when something is wrong; unless it is set, polls do not log what goes wrong with a source where
    a `summary` will tell it. May be called again; the last call holds.
    """
    terminal = sys.stderr.isatty()
    handler = _StandardError()
    handler.setFormatter(_formatter(json=not terminal if json is None else json, colors=terminal))
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _StandardError)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("feedsvc").setLevel(logging.DEBUG if verbose else logging.INFO)
    told = summary and not verbose
    logging.getLogger("feedsvc.poll").setLevel(logging.ERROR if told else logging.NOTSET)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # a job that is still busy when its time comes again is left out by design
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.captureWarnings(True)


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is now, not to what it was when logging was set up."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def _formatter(*, json: bool, colors: bool) -> ProcessorFormatter:
    last: list[Processor] = (
        [structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
        if json
        else [_one_line, structlog.dev.ConsoleRenderer(colors=colors)]
    )
    return ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _clean,
            *last,
        ],
    )


def _clean(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Masks secrets, cuts endless values, and puts what every line has first."""
    head = [key for key in ("timestamp", "level", "logger", "event") if key in event]
    order = head + [key for key in event if key not in head]
    return {key: _cleaned(key, event[key]) for key in order}


def _cleaned(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name) and not isinstance(value, bool | None):
        return MASK
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {str(key): _cleaned(str(key), part) for key, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_cleaned("", part) for part in value]
        case _:
            text = str(value)
            if len(text) > _LONGEST:
                text = f"{text[:_LONGEST]}… ({len(text):,} characters)"
            return _escape(_CONTROLS, mask(text.rstrip("\n")))


def _one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escapes what would break a line; a traceback keeps its lines."""
    return {
        key: _escape(_TRACE_CONTROLS if key in ("exception", "stack") else _LINE_CONTROLS, value)
        if isinstance(value, str)
        else value
        for key, value in event.items()
    }


def _escape(controls: re.Pattern[str], text: str) -> str:
    return controls.sub(lambda found: repr(found[0])[1:-1], text)


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
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
