"""Loads the configuration: merges the layers, validates, and says where a mistake stands."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ..errors import ConfigError
from .checks import clashes
from .keys import KEYS, beside, nearest, write
from .layers import Layer
from .lines import Path as KeyPath
from .reading import (
    CONFIG_VARIABLE,
    SECRETS_VARIABLE,
    environment_layer,
    file_layer,
    flags_layer,
    secrets_layer,
)
from .schema import Config
from .values import shorten

DEFAULT_PATH = Path("config/feedsvc.toml")

# pydantic's kinds of errors in our words, where its own say less
_EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a table",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "model_type": "a table",
    "string_too_short": "text that is not empty",
    "string_type": "text in quotation marks",
    "tuple_type": 'a list, as in ["one", "two"]',
}


def load(
    path: Path | str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Loads the configuration: flags before environment, secret files, file and defaults.

    `path` None means `FEEDSVC_CONFIG` or `config/feedsvc.toml`; only the latter may be missing.
    `environ` None means that of the process. `overrides` are flags under dotted names
    (`{"web.port": 9000}`). Raises `ConfigError` with one line for each mistake: where it stands
    (file and line, variable, secret file), the key, and what is expected.
    """
    environ = os.environ if environ is None else environ
    layers = [flags_layer(overrides or {}), environment_layer(environ)]
    if environ.get(SECRETS_VARIABLE):
        layers.append(secrets_layer(Path(environ[SECRETS_VARIABLE])))
    named = path or environ.get(CONFIG_VARIABLE)
    if named or DEFAULT_PATH.exists():
        layers.append(file_layer(Path(named or DEFAULT_PATH)))
    return _build(tuple(layers))


def follow(config: Config, port: int) -> Config:
    """The configuration of a server that really listens on `port`.

    Unless `site.base_url` was set, it becomes the URL of that server.
    """
    site = config.site
    if "base_url" not in site.model_fields_set and port:
        site = site.model_copy(update={"base_url": _own_url(config.web.host, port)})
    web = config.web.model_copy(update={"port": port})
    return config.model_copy(update={"site": site, "web": web})


def _own_url(host: str, port: int) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _build(layers: tuple[Layer, ...]) -> Config:
    given: dict[str, Any] = {"layers": layers}
    try:
        config = Config(**given)
    except ValidationError as error:
        raise _error(list(_mistakes(error.errors(), layers))) from error
    found = [(path, message, _place(path, layers)) for path, message in clashes(config)]
    if found:
        raise _error(found)
    config._layers = layers
    return follow(config, config.web.port)


# The path of a key, what is wrong with it, and where it stands.
Mistake = tuple[KeyPath, str, str]


def _mistakes(details: Sequence[ErrorDetails], layers: Sequence[Layer]) -> Iterator[Mistake]:
    """What pydantic found, in our words."""
    for detail in details:
        # a key of a table is checked too; it is told by its own path
        path = tuple(part for part in detail["loc"] if part != "[key]")
        yield path, _message(path, detail), _place(path, layers)


def _message(path: KeyPath, detail: ErrorDetails) -> str:
    kind = detail["type"]
    name = ".".join(part for part in path if isinstance(part, str))
    if kind == "extra_forbidden":
        near = nearest(name)
        known = f"the keys here are {', '.join(beside(name))}"
        return f"there is no such key: {f'did you mean {near}?' if near else known}"
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    key = KEYS.get(name)
    secret = key is not None and key.secret
    shown = "this value" if secret else shorten(write(detail["input"]))
    if kind in _EXPECTED:
        return f"{shown} is wrong: write {_EXPECTED[kind]}"
    return f"{shown} is wrong: {detail['msg'].replace('Input should be', 'it should be')}"


def _place(path: KeyPath, layers: Sequence[Layer]) -> str:
    """Where a key is written, or, if it is nowhere, the table it belongs to."""
    for end in range(len(path), 0, -1):
        for layer in layers:
            if layer.holds(path[:end]):
                return layer.place(path[:end])
    return ""


def _error(mistakes: Sequence[Mistake]) -> ConfigError:
    lines = [
        ": ".join(filter(None, (place, dotted(path), message))) for path, message, place in mistakes
    ]
    return ConfigError("\n".join(lines), key=dotted(mistakes[0][0]))


def dotted(path: KeyPath) -> str:
    """A path as people read it: `poll.interval`, `sources[1].location` (the first is 1)."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")
