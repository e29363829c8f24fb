"""The description of the API for people: what its page shows, made of the OpenAPI document.

Our pages run no scripts and load nothing from elsewhere, which the usual viewers of OpenAPI want.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_Schema = Mapping[str, Any]
_MANY = 3  # so deep are records shown within records


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a record."""

    name: str
    place: str
    type: str
    required: bool
    told: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation may answer; `record` names what it answers with."""

    status: str
    told: str
    record: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked."""

    id: str
    method: str
    path: str
    summary: str
    told: str
    admin: bool
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    media_types: tuple[str, ...]
    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """The operations of one kind, and the records they speak of."""

    name: str
    told: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A record with its fields."""

    name: str
    told: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Manual:
    """All of it."""

    chapters: tuple[Chapter, ...]
    records: tuple[Record, ...]


def manual(document: _Schema) -> Manual:
    """What the page shows of an OpenAPI document."""
    schemas: Mapping[str, _Schema] = document["components"]["schemas"]
    found = [
        _operation(method.upper(), path, one, schemas)
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    ]
    about = {
        one["operationId"]: one["tags"][0]
        for methods in document["paths"].values()
        for one in methods.values()
    }
    asked = {
        _name(content["schema"])
        for methods in document["paths"].values()
        for one in methods.values()
        for content in one.get("requestBody", {}).get("content", {}).values()
    }
    return Manual(
        chapters=tuple(
            Chapter(
                tag["name"],
                tag["description"],
                tuple(one for one in found if about[one.id] == tag["name"]),
            )
            for tag in document["tags"]
        ),
        records=tuple(
            Record(name, schema.get("description", ""), tuple(_fields(schema)))
            for name, schema in sorted(schemas.items())
            if name not in asked and not _is_query(name, document)
        ),
    )


def _is_query(name: str, document: _Schema) -> bool:
    """Whether a record only stands for the parameters of an address."""
    return f'"#/components/schemas/{name}"' not in json.dumps(document)


def _operation(method: str, path: str, one: _Schema, schemas: Mapping[str, _Schema]) -> Operation:
    content = one.get("requestBody", {}).get("content", {})
    body = next((schemas.get(_name(each["schema"]) or "") for each in content.values()), None)
    return Operation(
        id=one["operationId"],
        method=method,
        path=path,
        summary=one["summary"],
        told=one.get("description", ""),
        admin=one.get("security") == [{"admin": []}],
        parameters=tuple(
            Field(
                parameter["name"],
                parameter["in"],
                _type(parameter["schema"]),
                parameter.get("required", False),
                parameter.get("description") or _told(parameter["schema"]),
            )
            for parameter in one["parameters"]
        ),
        body=tuple(_fields(body)) if body else (),
        media_types=tuple(content),
        replies=tuple(
            Reply(
                status,
                answer["description"],
                next((_name(each["schema"]) for each in answer.get("content", {}).values()), None),
            )
            for status, answer in sorted(one["responses"].items())
        ),
    )


def _fields(schema: _Schema) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        yield Field(name, "body", _type(one), name in required, _told(one))


def _name(schema: _Schema) -> str | None:
    """The record that a schema refers to."""
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2] or None


def _told(schema: _Schema) -> str:
    places = (schema, *schema.get("anyOf", ()), schema.get("items", {}))
    return next((one["description"] for one in places if "description" in one), "")


def _type(schema: _Schema, depth: int = 0) -> str:
    """A type in words: `integer, 1 to 500`, `list of Entry`, `string or null`."""
    if name := _name(schema):
        return name
    if "anyOf" in schema and depth < _MANY:
        return " or ".join(dict.fromkeys(_type(one, depth + 1) for one in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"“{one}”" for one in schema["enum"])
    if schema.get("type") == "array" and depth < _MANY:
        return f"list of {_type(schema.get('items', {}), depth + 1)}"
    words = str(schema.get("format") if schema.get("format") == "date-time" else schema.get("type"))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None:
        words += f", {low} to {high}" if high is not None else f", {low} or more"
    return words
