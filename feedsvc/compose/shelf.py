"""Entries written once and kept, so that a feed is joined rather than made."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
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
        (found,) = self.get_all([key])
        return found

    def get_all(self, keys: Sequence[Hashable]) -> list[bytes | None]:
        """Fragments in the order of their keys, None for what is not here."""
        with self._lock:
            found = list(map(self._kept.get, keys))
            for key, fragment in zip(keys, found, strict=True):
                if fragment is not None:
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
