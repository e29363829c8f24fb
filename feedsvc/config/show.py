"""Shows every key with its value and where that was written; secrets are masked."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from ..log import MASK, mask
from .keys import KEYS, write
from .lines import Path
from .load import dotted
from .schema import Config

_SECRET_HEADER = re.compile(r"auth|token|secret|password|cookie|key|signature", re.IGNORECASE)


class Row(NamedTuple):
    """One key, its value as TOML writes it, and where it comes from."""

    key: str
    value: str
    origin: str


def show(config: Config) -> tuple[Row, ...]:
    """Every key in the order of the documentation.

    `origin` is such as `config/feedsvc.toml:12`, `environment FEEDSVC_WEB__PORT`, `command line` or
    `default`. Of tables in lists (`sources[1].location`) only the keys that are written appear; a
    key without a value has an empty one.
    """
    return tuple(
        Row(dotted(path), _written(path, value), written(config, path))
        for path, value in _values(config, ())
    )


def _values(model: BaseModel, path: Path) -> Iterator[tuple[Path, Any]]:
    in_list = bool(path) and isinstance(path[-1], int)
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _values(value, (*path, name))
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for number, part in enumerate(value):
                yield from _values(part, (*path, name, number))
        elif not in_list or name in model.model_fields_set:
            yield (*path, name), value


def _written(path: Path, value: Any) -> str:
    key = KEYS[".".join(part for part in path if isinstance(part, str))]
    if key.secret:
        value = _masked(key.name, value)
    return mask(write(value, size=key.type == "size"))


def _masked(name: str, value: Any) -> Any:
    match value:
        case str() if value and name != "store.url":
            return MASK
        case tuple():
            return tuple(MASK for _ in value)
        case Mapping():
            return {
                header: MASK if _SECRET_HEADER.search(header) else text
                for header, text in value.items()
            }
        case _:
            return value


def written(config: Config, path: Path) -> str:
    """Where the value at a path of keys was written (`config/feedsvc.toml:3`), or `default`."""
    for layer in config._layers:
        if layer.holds(path):
            return layer.place(path)
    return "default"
