"""A process with all its descendants: what it costs in CPU time and memory (Linux)."""

import os
import threading
from pathlib import Path
from typing import Self

_TICK = os.sysconf("SC_CLK_TCK")
_SAMPLE = 0.1


def _descendants(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu(pid: int) -> float:
    """CPU seconds of a process, its descendants, and those of them that have ended."""
    stats = [_stat(one) for one in _descendants(pid)]
    return sum(int(number) for fields in stats for number in fields[11:15]) / _TICK


def _memory(pid: int) -> int:
    """Bytes of a process and its descendants; what they share counts once."""
    total = 0
    for one in _descendants(pid):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024


class Peak:
    """Watches the memory of a process tree: `bytes` is the most that was seen."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.wait(_SAMPLE):
            self.bytes = max(self.bytes, _memory(self._pid))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
