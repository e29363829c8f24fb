"""The name of a process, told apart from every other one, and whether the named one still lives.

A name is `host:pid:mark`. The mark holds the kernel's boot, the process namespace and the start of
the process, so that neither a second host of the same name, nor a container, nor a process that
was given the same number later is mistaken for it.
"""

import os
import socket
from pathlib import Path

_PROC = Path("/proc")
_GONE = ("Z", "X")


def own_name() -> str:
    """The name of this process; without a mark where the system has no `/proc`."""
    return ":".join(filter(None, (socket.gethostname(), str(os.getpid()), _mark(os.getpid()))))


def spoken(name: str) -> str:
    """A process's name as people need it: `host:pid`."""
    return ":".join(name.split(":")[:2])


def is_dead(name: str) -> bool:
    """Whether the named process certainly runs no more.

    False of one on another host or in another container, and of one that cannot be told apart.
    """
    host, pid, mark = ([*name.split(":"), "", ""])[:3]
    place = mark.rpartition("-")[0]
    if host != socket.gethostname() or not pid.isdecimal() or not place or place != _place():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it lives, under another user
    return _mark(int(pid)) not in (mark, "")


def _mark(pid: int) -> str:
    """What tells a living process from others of its number; empty if that cannot be found out.

    Of one that has ended and waits for its parent to notice, `ended`.
    """
    try:
        # the name in parentheses may hold anything; the state is field 3, the start field 22
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2]
        state, start = fields.split()[0], fields.split()[19]
    except (OSError, IndexError):
        return ""
    place = _place()
    return f"{place}-{'ended' if state in _GONE else start}" if place else ""


def _place() -> str:
    """The running kernel and the namespace in which it counts our processes."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot.replace('-', '')[:12]}-{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""
