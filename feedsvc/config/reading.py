"""Reads each place where values may be written into a `Layer`.

The names found there are checked; an unknown one is refused together with the nearest known one.
What the values may be is checked later, all layers together.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .keys import KEYS, TABLES, nearest
from .layers import Layer
from .lines import Path as KeyPath
from .lines import key_lines

PREFIX = "FEEDSVC_"
CONFIG_VARIABLE = "FEEDSVC_CONFIG"
SECRETS_VARIABLE = "FEEDSVC_SECRETS_DIR"

VARIABLES: Mapping[str, str] = {
    PREFIX + name.upper().replace(".", "__"): name for name in KEYS if not name.startswith(TABLES)
}

# What Kubernetes and Docker put into the environment for a service that is itself called feedsvc.
_SERVICE_LINK = re.compile(
    r"FEEDSVC(_[A-Z0-9]+)*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_\w+)?)"
)
_SERVICE_URL = re.compile(r"(tcp|udp|sctp)://")


def file_layer(path: Path) -> Layer:
    """Reads a TOML file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file; it is named by --config or {CONFIG_VARIABLE}"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax(path, text, str(error))) from error
    places: dict[KeyPath, str] = {(): str(path)}
    places.update((key, f"{path}:{line}") for key, line in key_lines(text).items())
    return Layer(values, places)


def _syntax(path: Path, text: str, message: str) -> str:
    found = re.fullmatch(r"(.*) \(at line ([0-9]+), column [0-9]+\)", message, re.DOTALL)
    line = int(found[2]) if found else text.rstrip("\n").count("\n") + 1
    reason = found[1] if found else message.replace("(at end of document)", "at the end")
    return f"{path}:{line}: not valid TOML: {reason}"


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """Reads the variables that begin with `FEEDSVC_`; an empty one counts as not set."""
    found: dict[str, tuple[str, str, str]] = {}
    for name, value in sorted(environ.items()):
        variable = name.upper()
        if not variable.startswith(PREFIX) or variable in (CONFIG_VARIABLE, SECRETS_VARIABLE):
            continue
        if variable in VARIABLES:
            if value:
                found[variable] = (VARIABLES[variable], f"environment {name}", value)
        elif not _SERVICE_LINK.fullmatch(variable) and not _SERVICE_URL.match(value):
            near = nearest(_dotted(variable))
            within = sorted(each for each in VARIABLES if each.startswith(f"{variable}__"))
            meant = within[0] if within else near and _variable(near)
            hint = f": did you mean {meant}?" if meant else ""
            raise ConfigError(
                f"environment {name}: there is no such key{hint}", key=_dotted(variable)
            )
    return _text_layer(found.values())


def secrets_layer(directory: Path) -> Layer:
    """Reads a directory of files, each named after a key and holding its value.

    `FEEDSVC_WEB__ADMIN_TOKEN` and `web__admin_token` name the same key. Hidden files and
    directories are passed over, line ends at the end of a file dropped.
    """
    try:
        paths = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise ConfigError(f"{SECRETS_VARIABLE}={directory}: {error.strerror}") from error
    found: dict[str, tuple[str, str, str]] = {}
    for path in paths:
        if path.is_dir():
            continue
        variable = PREFIX + path.name.upper().removeprefix(PREFIX)
        key = VARIABLES.get(variable)
        if key is None:
            near = nearest(_dotted(variable))
            hint = f": did you mean {_variable(near).removeprefix(PREFIX).lower()}?" if near else ""
            raise ConfigError(
                f"secret file {path}: there is no such key{hint}", key=_dotted(variable)
            )
        if variable in found:
            raise ConfigError(f"secret file {path}: {key} has another file too", key=key)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"secret file {path}: cannot be read: {error}", key=key) from error
        found[variable] = (key, f"secret file {path}", text.rstrip("\r\n"))
    return _text_layer(found.values())


def flags_layer(overrides: Mapping[str, Any]) -> Layer:
    """Takes what the command line says: dotted names or nested tables; None is not said."""
    values: dict[str, Any] = {}
    for name, value in overrides.items():
        if value is not None:
            _put(values, name.split("."), value)
    return Layer(values, {(): "command line"})


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    *sections, last = path
    for section in sections:
        values = values.setdefault(section, {})
    if isinstance(value, Mapping) and isinstance(values.get(last), dict):
        values[last].update(value)
    else:
        values[last] = value


def _text_layer(found: Iterable[tuple[str, str, str]]) -> Layer:
    """A layer of values that are text: each with its key and its place."""
    values: dict[str, Any] = {}
    places: dict[KeyPath, str] = {}
    for name, place, text in found:
        path = name.split(".")
        _put(values, path, _structured(name, place, text))
        places[tuple(path)] = place
    return Layer(values, places)


def _structured(name: str, place: str, text: str) -> Any:
    """A list is JSON or separated by commas, a table is JSON, all else is as it stands."""
    kind = KEYS[name].type
    if kind == "list" and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind not in ("list", "table", "tables"):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{place}: {name}: write it as JSON: {error}", key=name) from error


def _dotted(variable: str) -> str:
    return variable.removeprefix(PREFIX).lower().replace("__", ".")


def _variable(name: str) -> str:
    return PREFIX + name.upper().replace(".", "__")
