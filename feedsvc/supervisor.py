"""`feedsvc run`: poller and web server as two child processes under one parent.

Separate processes, so that parsing never stalls a reader. A child that dies is started again; a
parent that dies takes its children with it; a signal to the parent drains both.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from .log import get_logger
from .metrics import MULTIPROC_DIR, forget_process

PARENT_FD = "_FEEDSVC_PARENT_FD"
_FOLDER = "feedsvc-metrics-"
_LOCK = "lock"
_GRACE = 9.0
# a child that cannot start is tried again often enough for the service to be back in seconds
_LONGEST_PAUSE = 5.0
_STEADY = 10.0

log = get_logger(__name__)


class _Child:
    """One supervised process and how patient we are with it."""

    def __init__(self, name: str, command: Sequence[str], parent_fd: int, lock_fd: int) -> None:
        self.name = name
        self._command = command
        self._parent_fd = parent_fd
        self._lock_fd = lock_fd
        self._pause = 0.5
        self._started = 0.0
        self._due = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**os.environ, PARENT_FD: str(self._parent_fd)}
        # its own group, so that Ctrl-C reaches it through us alone, once and in order
        self.process = subprocess.Popen(  # noqa: S603
            self._command,
            env=environment,
            pass_fds=(self._parent_fd, self._lock_fd),
            start_new_session=True,
        )
        self._started = time.monotonic()

    def look_after(self) -> None:
        """Notices a death and starts the child again, ever more patiently."""
        now = time.monotonic()
        if self.process is None:
            if now >= self._due:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        forget_process(self.process.pid)
        self.process = None
        self._pause = 0.5 if now - self._started > _STEADY else min(2 * self._pause, _LONGEST_PAUSE)
        self._due = now + self._pause
        log.error("process died", name=self.name, code=code, restart_in=self._pause)

    def terminate(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, until: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("process did not end in time", name=self.name)
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def supervise(arguments: Sequence[str], *, port: int) -> None:
    """Runs `feedsvc ARGUMENTS poll` and `… serve` until SIGTERM or SIGINT, then ends both.

    Both are told the port, so that a free one chosen now is the same to both.
    """
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    alive, parent_end = os.pipe()
    with counters_folder() as (folder, lock):
        os.environ.setdefault(MULTIPROC_DIR, str(folder))
        os.environ["FEEDSVC_WEB__PORT"] = str(port)
        program = [sys.executable, "-m", "feedsvc", *arguments]
        children = [_Child(verb, [*program, verb], alive, lock) for verb in ("poll", "serve")]
        try:
            while not stopping.is_set():
                for child in children:
                    child.look_after()
                stopping.wait(0.2)
        finally:
            for child in children:
                child.terminate()
            until = time.monotonic() + _GRACE
            for child in children:
                child.wait(until)
            os.close(parent_end)
            os.close(alive)


@contextmanager
def counters_folder() -> Iterator[tuple[Path, int]]:
    """A temporary folder for what the processes of one service count, removed at the end.

    Yields it and a file descriptor that holds its lock: a child that is given that keeps the
    folder too. Folders that nobody keeps, since their service was killed, are removed first.
    """
    _remove_left_behind(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_FOLDER) as name:
        folder = Path(name)
        new = folder / f"{_LOCK}.new"
        with new.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # only now others see a lock, and never one that is not held
            new.rename(folder / _LOCK)
            yield folder, lock.fileno()


def _remove_left_behind(place: Path) -> None:
    for folder in place.glob(f"{_FOLDER}*"):
        # what cannot be looked at or removed belongs to somebody else
        with suppress(OSError):
            if folder.lstat().st_uid != os.getuid() or folder.is_symlink():
                continue
            with (folder / _LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)


def follow_parent() -> None:
    """In a child: ends this process when the supervisor is gone, however it went."""
    fd = os.environ.pop(PARENT_FD, None)
    if fd is None:
        return

    def watch() -> None:
        # the write end lives in the supervisor alone: reading ends when it does
        with suppress(OSError):
            os.read(int(fd), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()
