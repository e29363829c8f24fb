"""The keys by their dotted names (`poll.interval`), for errors, variables and documentation.

All of it is read off `schema`, so that a key is described in one place only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .schema import Config
from .values import read_size, write_duration, write_size

# What people write for a key that has another name.
_MEANT = {
    "feeds.id": "feeds.name",
    "feeds.query": "feeds.q",
    "sources.name": "sources.id",
    "sources.path": "sources.location",
    "sources.url": "sources.location",
    "sources.feed": "sources.location",
    "store.path": "store.url",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `type` is in words, `default` as TOML writes it, None for none.

    `required` keys have to be given, a `secret` one is masked wherever it is shown.
    """

    name: str
    type: str
    default: str | None
    description: str
    required: bool
    secret: bool


def write(value: Any, *, size: bool = False) -> str:
    """Writes a value as TOML has it, durations with their unit, and so bytes if `size`."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case timedelta():
            return f'"{write_duration(value)}"'
        case int() if size:
            return f'"{write_size(value)}"'
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case Mapping():
            return "{" + ", ".join(f"{write(k)} = {write(v)}" for k, v in value.items()) + "}"
        case tuple() | list():
            return f"[{', '.join(write(part) for part in value)}]"
        case _:
            return str(value)


def nearest(name: str) -> str | None:
    """The key or section most like the dotted `name`: in its own section, then anywhere.

    Tables of a list (`[[sources]]`) know no elsewhere.
    """
    if name in _MEANT:
        return _MEANT[name]
    section, _, last = name.rpartition(".")
    own = {other.rpartition(".")[2]: other for other in _inside(section)}
    attempts: list[tuple[str, Mapping[str, str]]] = [(last, own)]
    if not name.startswith(TABLES):
        whole = [other for other in _NAMES if not other.startswith(TABLES)]
        attempts.append((last, {other.rpartition(".")[2]: other for other in reversed(whole)}))
        attempts.append((name, {other: other for other in whole}))
    for word, choices in attempts:
        found = get_close_matches(word, choices, n=1, cutoff=0.7)
        if found:
            return choices[found[0]]
    return None


def beside(name: str) -> tuple[str, ...]:
    """The last parts of the keys in the section of the dotted `name`."""
    return tuple(other.rpartition(".")[2] for other in _inside(name.rpartition(".")[0]))


def _inside(section: str) -> list[str]:
    return [other for other in _NAMES if other.rpartition(".")[0] == section]


def table_of(annotation: Any) -> type[BaseModel] | None:
    """The model of a section, or of the tables in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return table_of(get_args(annotation)[0]) if get_origin(annotation) is tuple else None


def _walk(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, info in model.model_fields.items():
        inner = table_of(info.annotation)
        if inner is None or get_origin(info.annotation) is tuple:
            yield f"{prefix}{name}", info
        if inner is not None:
            yield from _walk(inner, f"{prefix}{name}.")


def _type(info: FieldInfo) -> str:
    if any(getattr(part, "func", None) is read_size for part in info.metadata):
        return "size"
    if table_of(info.annotation) is not None:
        return "tables"
    for kind, words in _TYPES.items():
        if kind in _parts(info.annotation):
            return words
    return "text"


# The first that occurs anywhere in an annotation names the type.
_TYPES: Mapping[Any, str] = {
    tuple: "list",
    dict: "table",
    bool: "true or false",
    timedelta: "duration",
    int: "number",
}


def _parts(annotation: Any) -> list[Any]:
    inner = [part for each in get_args(annotation) for part in _parts(each)]
    return [get_origin(annotation), annotation, *inner]


def _key(name: str, info: FieldInfo) -> Key:
    kind = _type(info)
    required = info.is_required()
    default = None if required or info.default is None else write(info.default, size=kind == "size")
    return Key(name, kind, default, info.description or "", required, not info.repr)


KEYS: Mapping[str, Key] = {name: _key(name, info) for name, info in _walk(Config)}

_NAMES = (*(name for name in Config.model_fields if name not in KEYS), *KEYS)
# What the keys of tables in lists begin with: single ones have no variable of their own.
TABLES = tuple(f"{name}." for name, key in KEYS.items() if key.type == "tables")
