"""Entries written once and kept, so that a feed is joined rather than made."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

_SIZE = 32 * 2**20


class Shelf:
    """Fragments by what they depend on, within `size` bytes; the longest unused go first.

    Nothing has to be invalidated: a key names everything its fragment is made from. Thread-safe.
    """

    def __init__(self, size: int = _SIZE) -> None:
        self._size = size
        self._used = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> bytes | None:
        """A fragment, if it is here."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, fragment: bytes) -> None:
        """Keeps a fragment; one larger than the whole shelf is not kept."""
        with self._lock:
            self._used += len(fragment) - len(self._kept.pop(key, b""))
            self._kept[key] = fragment
            while self._used > self._size:
                _, dropped = self._kept.popitem(last=False)
                self._used -= len(dropped)
