"""The subscription lists that `opml` names: opened, read, and told by file and line where wrong.

Apart from the other modules of the configuration, since only what polls or checks needs the reader.
"""

from collections.abc import Iterator
from pathlib import Path

from ..errors import ConfigError, ParseError
from ..opml import Outlines, read
from .schema import Config
from .show import written


def subscription_lists(config: Config) -> Iterator[tuple[str, Outlines]]:
    """Yields each file that `opml` names with what it holds, bad outlines included.

    Raises `ConfigError` when one cannot be read or is no subscription list; its message says where
    the file is named and what to do.
    """
    for number, name in enumerate(config.opml):
        yield name, _read(config, number)


def check_lists(config: Config) -> int:
    """Reads every list and returns how many subscriptions they hold.

    Raises `ConfigError` with a line for each list and each outline that cannot be taken: polling
    goes on without a bad outline, but whoever checks wants to know of it.
    """
    mistakes: list[str] = []
    count = 0
    for number in range(len(config.opml)):
        try:
            outlines = _read(config, number)
        except ConfigError as error:
            mistakes.append(str(error))
            continue
        count += len(outlines.subscriptions)
        for bad in outlines.bad:
            label = f"{bad.name}: " if bad.name else ""
            mistakes.append(_told(config, number, f":{bad.line}: {label}{bad.message}"))
    if mistakes:
        raise ConfigError("\n".join(mistakes), key="opml")
    return count


def _read(config: Config, number: int) -> Outlines:
    try:
        return read(Path(config.opml[number]).read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f": {reason}: correct the path, which starts at the working directory"
        raise ConfigError(_told(config, number, message), key="opml") from error
    except ParseError as error:
        line = f":{error.line}" if error.line else ""
        raise ConfigError(_told(config, number, f"{line}: {error}"), key="opml") from error


def _told(config: Config, number: int, message: str) -> str:
    return f"{written(config, ('opml', number))}: opml: {config.opml[number]}{message}"
