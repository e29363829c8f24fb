"""From a request line and a body to what an endpoint takes, or a clear word on which field is not.

The first field that is wrong is named, with what it must be; names that are nearly right are told.
"""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from werkzeug.exceptions import HTTPException

from ..errors import HttpError
from ..message import Ask
from .endpoint import Endpoint

# a feed token is looked at before, wherever it is given
_EVERYWHERE = ("token",)
_MAX_FIELDS = 100
_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>.+)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`$", re.DOTALL)


def invalid(field: str, detail: str, members: Mapping[str, object] | None = None) -> HttpError:
    """The problem that one field is (400), with more members if there are any."""
    told = {"errors": [{"field": field, "detail": detail}], **(members or {})}
    return HttpError(400, f"{field}: {detail}", members=told)


def read_query(ask: Ask, endpoint: Endpoint) -> Any:
    """The parameters of an address. Raises `HttpError` (400)."""
    pairs = parse_qsl(ask.query, keep_blank_values=True, max_num_fields=None)
    given: dict[str, str] = {}
    for name, value in pairs[:_MAX_FIELDS]:
        if name in given:
            raise invalid(name, "it is given twice; give it once")
        if name not in _EVERYWHERE:
            given[name] = value
    return _convert(
        lambda: msgspec.convert(given, endpoint.query, strict=False), endpoint.query, "parameter"
    )


def read_body(ask: Ask, endpoint: Endpoint, read: Callable[[], bytes]) -> Any:
    """The body of a request, None where none is taken. Raises `HttpError` (400, 413, 415)."""
    taken = endpoint.body
    if taken is None:
        return None
    allowed = taken if isinstance(taken, tuple) else ("application/json",)
    said = (ask.header("content-type") or "").partition(";")[0].strip().lower()
    if said not in allowed:
        raise HttpError(
            415,
            f"This takes {' or '.join(allowed)}; send it with that as its Content-Type.",
            headers=(("Accept", ", ".join(allowed)),),
        )
    try:
        body = read()
    except HTTPException as error:
        raise HttpError(413, f"A request here has at most {endpoint.most} bytes.") from error
    if isinstance(taken, tuple):
        return body
    return _convert(
        lambda: msgspec.convert(_whole(msgspec.json.decode(body)), type=taken), taken, "field"
    )


def _whole(value: Any) -> Any:
    """Fields with 1.0 as with 1: JSON has but one kind of number."""
    if not isinstance(value, dict):
        return value
    return {
        name: int(one) if isinstance(one, float) and one.is_integer() else one
        for name, one in value.items()
    }


def _convert(make: Callable[[], Any], wanted: type[msgspec.Struct], what: str) -> Any:
    try:
        return make()
    except msgspec.ValidationError as error:
        raise _told(str(error), wanted, what) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpError(400, f"The body cannot be read as JSON: {error}.") from error


def _told(message: str, wanted: type[msgspec.Struct], what: str) -> HttpError:
    known = describe(wanted)
    found = _AT.match(message)
    said, path = (found["what"], found["path"] or "$") if found else (message, "$")
    if unknown := _UNKNOWN.match(said):
        name = unknown["name"]
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        listed = ", ".join(known) or "none"
        return invalid(name, f"there is no such {what}; {hint}There are: {listed}")
    if missing := _MISSING.match(said):
        name = missing["name"]
        return invalid(name, f"it is missing. {known.get(name, '')}".rstrip())
    field = path.removeprefix("$").removeprefix(".") or "body"
    name = re.split(r"[.\[]", field)[0]
    # `Expected …` as msgspec says it
    return invalid(field, f"{said[:1].lower()}{said[1:]}. {known.get(name, '')}".rstrip())


def describe(wanted: type[msgspec.Struct]) -> Mapping[str, str]:
    """The fields of a record, each with what it is."""
    schemas, components = msgspec.json.schema_components((wanted,))
    schema = components[schemas[0]["$ref"].rpartition("/")[2]]
    fields: Mapping[str, Mapping[str, Any]] = schema["properties"]
    return {name: _description(one) for name, one in fields.items()}


def _description(schema: Mapping[str, Any]) -> str:
    told = (schema, *schema.get("anyOf", ()), schema.get("items", {}))
    return next((one["description"] for one in told if "description" in one), "")
