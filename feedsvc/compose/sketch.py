"""What a page of a feed held, in so few characters that its entity tag can carry it.

A feed asked for with `A-IM: feed` (RFC 3229) is answered with what is new or changed since the
instance that the client's entity tag names. Any replica must know that instance, before and after
a restart, and nothing may depend on when it was made: so the tag itself says which entries were in
it, each by some bits of a hash, written as a Golomb-coded set. The set never lacks what was in it;
of what was not, it holds one in `2**bits` to be known, 16 million for the usual 50 entries.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence

# entity tags beyond 255 characters are cut off by some who keep them
_BUDGET = 1_288
_LEAST, _MOST = 24, 40
#: Of more than these nothing is said: with proxies, headers have to stay below 4 kB in all.
MOST_PRINTS = 160
_COUNT = 8


class Sketch:
    """The entries of an instance, as far as its entity tag tells."""

    def __init__(self, salt: str, number: int, hashes: frozenset[int]) -> None:
        self._hash = _hashing(salt, number)
        self._hashes = hashes

    def __contains__(self, print: str) -> bool:
        return self._hash(print) in self._hashes


def write(salt: str, prints: Sequence[str]) -> str:
    """Writes what an instance held; empty if that is nothing or too much.

    `prints` stand for entries as they were; what the `salt` names is known to be the same.
    """
    number = len(prints)
    if not 0 < number <= MOST_PRINTS:
        return ""
    bits = _bits(number)
    written, last = [f"{number:0{_COUNT}b}"], 0
    for value in sorted(map(_hashing(salt, number), prints)):
        quotient, rest = divmod(value - last, 1 << bits)
        written.append("1" * quotient + "0" + f"{rest:0{bits}b}")
        last = value
    stream = "".join(written)
    stream += "0" * (-len(stream) % 8)
    packed = int(stream, 2).to_bytes(len(stream) // 8)
    return base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def read(salt: str, text: str) -> Sketch | None:
    """Reads what `write` wrote; None for anything else."""
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    stream = f"{int.from_bytes(packed):0{len(packed) * 8}b}" if packed else ""
    number = int(stream[:_COUNT] or "0", 2)
    if not 0 < number <= MOST_PRINTS:
        return None
    bits, at, last = _bits(number), _COUNT, 0
    hashes = set()
    for _ in range(number):
        end = stream.find("0", at)
        rest = stream[end + 1 : end + 1 + bits]
        if end < 0 or len(rest) < bits:
            return None
        last += (end - at << bits) + int(rest, 2)
        hashes.add(last)
        at = end + 1 + bits
    return Sketch(salt, number, frozenset(hashes))


def _bits(number: int) -> int:
    """How many bits each entry gets, beside some two that tell them apart."""
    return min(_MOST, max(_LEAST, _BUDGET // number - 2))


def _hashing(salt: str, number: int) -> Callable[[str], int]:
    """Makes numbers below `number << bits`, evenly spread."""
    begun = hashlib.blake2b(digest_size=8, key=salt.encode())
    below = number << _bits(number)

    def hashed(print: str) -> int:
        whole = begun.copy()
        whole.update(print.encode())
        return int.from_bytes(whole.digest()) * below >> 64

    return hashed
