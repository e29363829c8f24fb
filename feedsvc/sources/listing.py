"""What lies in a directory: finding its documents, and reading one without being led astray.

Links are followed only to what lies in the directory itself; a link to a document that is found
anyway is that document and not another. What is hidden or temporary (`.name`, `name~`, `~$name`)
or has a suffix that nobody reads is passed over in silence. Nothing here knows what was there
before, or what the documents say.
"""

import errno
import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ..errors import FetchError
from ..model import Problem

MAX_BYTES = 16 * 2**20
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]")
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStat:
    """A document's place and state: `name` is its printable path in the directory, `path` where
    to open it. Times are in nanoseconds, sizes in bytes.
    """

    name: str
    path: str
    size: int
    mtime_ns: int
    inode: int
    device: int


@dataclass(slots=True, kw_only=True)
class Listing:
    """A directory's documents by name.

    `identity` tells this directory from another mounted in its place. `blind` are the names of
    what could not be looked at (ending in `/` for folders): nothing is known of it.
    """

    root: str
    identity: str
    files: dict[str, FileStat] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)

    def sees(self, name: str) -> bool:
        """Whether this listing would show a document of this name if it were there."""
        return not any(name == x or (x.endswith("/") and name.startswith(x)) for x in self.blind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A file's content, its state when it was opened, and whether it stayed as it was meanwhile."""

    content: bytes
    stat: FileStat
    settled: bool


class Vanished(Exception):
    """The file is no longer there, or another one is in its place."""


def scan(location: str, suffixes: Collection[str]) -> Listing:
    """Lists the documents in a directory and all below it.

    Raises `FetchError` when the directory itself is missing or cannot be read; anything in it that
    cannot be is a problem of the listing.
    """
    root = os.path.realpath(Path(location).expanduser())
    try:
        status = Path(root).stat()
        walk = _Walk(root, f"{status.st_dev}:{status.st_ino}", suffixes)
        walk.folder("", root)
    except FileNotFoundError as error:
        raise FetchError(
            f"there is no directory {location}; create it or correct the source's location"
        ) from error
    except NotADirectoryError as error:
        raise FetchError(f"{location} is no directory; a source is a directory or a URL") from error
    except OSError as error:
        raise FetchError(f"the directory {location} cannot be read: {reason(error)}") from error
    walk.links()
    return walk.listing


def read(file: FileStat) -> Body:
    """Reads a listed file, never waiting for a writer and never following a link.

    Raises `Vanished` when another file has taken its place since, `OSError` when it cannot be read.
    """
    try:
        descriptor = os.open(file.path, _OPEN)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            raise Vanished from error
        raise
    with os.fdopen(descriptor, "rb") as stream:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or _id(before) != (file.device, file.inode):
            raise Vanished
        content = stream.read(MAX_BYTES + 1)
        after = os.fstat(descriptor)
    state = FileStat(
        name=file.name,
        path=file.path,
        size=before.st_size,
        mtime_ns=before.st_mtime_ns,
        inode=before.st_ino,
        device=before.st_dev,
    )
    settled = len(content) == before.st_size == after.st_size
    return Body(
        content=content, stat=state, settled=settled and before.st_mtime_ns == after.st_mtime_ns
    )


def readable(file: FileStat) -> bool:
    """Whether a file that could not be read may be by now."""
    try:
        os.close(os.open(file.path, _OPEN))
    except OSError:
        return False
    return True


def reason(error: OSError) -> str:
    """What the system says, in its words and without the path."""
    return (error.strerror or type(error).__name__).lower()


def printable(name: str) -> str:
    """A file's name for people and ids: control characters and stray bytes as `\\xNN`."""
    return _UNPRINTABLE.sub(_escaped, name)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00  # a byte that is not UTF-8 (PEP 383)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _id(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or name.endswith("~")


class _Walk:
    """One walk through a directory: folders first, then the links met on the way."""

    def __init__(self, root: str, identity: str, suffixes: Collection[str]) -> None:
        self.listing = Listing(root=root, identity=identity)
        self._suffixes = suffixes
        self._links: list[tuple[str, str]] = []
        self._folders: set[tuple[int, int]] = set()
        self._paths: set[str] = set()

    def folder(self, name: str, path: str) -> None:
        """Walks a folder and all below; raises `OSError` only if the first cannot be listed."""
        waiting = [(name, path)]
        first = True
        while waiting:
            name, path = waiting.pop()
            try:
                identity = _id(Path(path).stat())
                entries = sorted(os.scandir(path), key=lambda entry: entry.name)
                # a folder that may be listed and not entered is one problem, not one for each file
                if entries and not os.access(path, os.X_OK, effective_ids=True):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            except OSError as error:
                if first:
                    raise
                self._blind(f"{name}/", error)
                continue
            first = False
            if identity not in self._folders:
                self._folders.add(identity)
                prefix = f"{name}/" if name else ""
                waiting += reversed(list(self._entries(prefix, entries)))

    def _entries(self, prefix: str, entries: list[os.DirEntry[str]]) -> Iterator[tuple[str, str]]:
        """Takes a folder's files and links; gives the folders in it."""
        for entry in entries:
            if _hidden(entry.name):
                continue
            name = prefix + printable(entry.name)
            try:
                if entry.is_symlink():
                    self._links.append((name, entry.path))
                elif entry.is_dir(follow_symlinks=False):
                    yield name, entry.path
                elif self._wanted(name):
                    self._file(name, entry.path, entry.stat(follow_symlinks=False))
            except FileNotFoundError:
                continue
            except OSError as error:
                self._blind(name, error)

    def links(self) -> None:
        """Follows the links met, and those met behind them, as far as they stay inside."""
        while self._links:
            name, path = self._links.pop(0)
            try:
                self._link(name, path)
            except OSError as error:
                if error.errno == errno.ELOOP:
                    self._problem(name, "is a link that leads round in a circle; remove it")
                elif error.errno == errno.ENOENT:
                    if self._wanted(name) or not PurePosixPath(name).suffix:
                        self._problem(name, "is a link that leads nowhere; remove it")
                else:
                    self._blind(name, error)

    def _link(self, name: str, path: str) -> None:
        target = os.path.realpath(path, strict=True)
        status = Path(target).stat()
        folder = stat.S_ISDIR(status.st_mode)
        if not folder and not self._wanted(name):
            return
        root = self.listing.root.rstrip("/")
        if target != root and not target.startswith(f"{root}/"):
            self._problem(
                name,
                "is a link out of the directory, which is not followed; copy the document here, "
                "or make its directory a source",
            )
        elif not folder:
            if target not in self._paths:
                self._file(name, target, status)
        elif f"{os.path.realpath(path.rpartition('/')[0])}/".startswith(f"{target}/"):
            self._problem(name, "is a link back to a folder it lies in, which is not followed")
        else:
            self.folder(name, target)

    def _file(self, name: str, path: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            self._problem(name, "is not a regular file; remove it or rename it")
            return
        if name in self.listing.files:
            self._problem(name, "is the name of two files that differ in unprintable characters")
            return
        self._paths.add(path)
        self.listing.files[name] = FileStat(
            name=name,
            path=path,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            inode=status.st_ino,
            device=status.st_dev,
        )

    def _wanted(self, name: str) -> bool:
        _, dot, suffix = name.rpartition(".")
        return dot + suffix.lower() in self._suffixes

    def _blind(self, name: str, error: OSError) -> None:
        self.listing.blind.append(name)
        self._problem(name, f"cannot be read: {reason(error)}")

    def _problem(self, name: str, message: str) -> None:
        self.listing.problems.append(Problem(name=name, message=message))
