"""Where each key of a TOML document stands, which `tomllib` does not tell.

The document is known to be valid: this only has to follow it, not to judge it.
"""

import json
import re
from bisect import bisect_right

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|\'[^\']*\'', re.DOTALL
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every key, table and array element of a valid TOML document."""
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.sizes: dict[Path, int] = {}
        self.starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def document(self) -> dict[Path, int]:
        table: Path = ()
        while self.blank():
            if self.peek("[["):
                self.at += 2
                table = self.inside(self.key())
                self.sizes[table] = self.sizes.get(table, -1) + 1
                table = (*table, self.sizes[table])
                self.mark(table)
                self.at += 2
            elif self.peek("["):
                self.at += 1
                table = self.inside(self.key())
                self.mark(table)
                self.at += 1
            else:
                self.pair(table)
        return self.lines

    def pair(self, table: Path) -> None:
        path = (*table, *self.key())
        for end in range(len(table) + 1, len(path) + 1):
            self.mark(path[:end])
        self.at += 1  # the equals sign
        self.value(path)

    def value(self, path: Path) -> None:
        self.blank()
        if self.peek("["):
            self.many(path, "]")
        elif self.peek("{"):
            self.many(path, "}")
        else:
            found = _STRING.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
            self.at = found.end() if found else self.at + 1

    def many(self, path: Path, closing: str) -> None:
        """An array or an inline table."""
        self.at += 1
        count = 0
        while self.blank() and not self.peek(closing):
            if self.peek(","):
                self.at += 1
                count += 1
            elif closing == "}":
                self.pair(path)
            else:
                self.mark((*path, count))
                self.value((*path, count))
        self.at += 1

    def key(self) -> Path:
        """A dotted key, up to but without what follows it."""
        parts: list[str] = []
        while True:
            self.blank()
            quoted = _STRING.match(self.text, self.at)
            found = quoted or _BARE.match(self.text, self.at)
            if found is None:
                return tuple(parts)
            parts.append(_unquote(found[0]) if quoted else found[0])
            self.at = found.end()
            self.blank()
            if not self.peek("."):
                return tuple(parts)
            self.at += 1

    def inside(self, path: Path) -> Path:
        """The path of a table header, with the number of the array element it is in."""
        full: Path = ()
        for position, part in enumerate(path):
            full = (*full, part)
            if full in self.sizes and position < len(path) - 1:
                full = (*full, self.sizes[full])
        return full

    def mark(self, path: Path) -> None:
        self.lines.setdefault(path, bisect_right(self.starts, self.at))

    def blank(self) -> bool:
        """Skips white space and comments; whether anything is left."""
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at < len(self.text)

    def peek(self, text: str) -> bool:
        return self.text.startswith(text, self.at)


def _unquote(text: str) -> str:
    if text.startswith("'"):
        return text[1:-1]
    try:
        return str(json.loads(text))
    except ValueError:
        return text[1:-1]
