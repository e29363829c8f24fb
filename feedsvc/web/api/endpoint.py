"""One thing the API can be asked: its address, what it takes and answers, and who may ask.

The routes, the checks on what comes in, and the description in OpenAPI are all made of these.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from ..message import Answer, Ask
from ..respond import Representation
from .questions import NoParameters

Method = Literal["GET", "POST", "PATCH", "DELETE"]

#: Where all of it is.
ROOT = "/api/v1"

MAX_BODY = 2**20


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in and understood: `query` and `body` are as the endpoint says."""

    ask: Ask
    values: Mapping[str, str]
    query: Any
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An operation. `path` is below `ROOT`, with variables in braces.

    `answers` are the records it answers with by status, `problems` the statuses it may refuse
    with beside those that any may. `body` is a record for JSON, or media types for bytes.
    `costly` says whether a request counts against the rate limit.
    """

    name: str
    method: Method
    path: str
    about: str
    handler: Callable[[Call], Representation | Answer]
    answers: Mapping[int, type[msgspec.Struct] | None]
    query: type[msgspec.Struct] = NoParameters
    body: type[msgspec.Struct] | tuple[str, ...] | None = None
    problems: tuple[int, ...] = ()
    admin: bool = False
    costly: Callable[[Any], bool] = field(default=lambda query: False)
    conditional: bool = False
    most: int = MAX_BODY
