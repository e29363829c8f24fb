"""What is kept of an entry's past: how much, and a version of it as it is read again."""

from dataclasses import dataclass
from datetime import datetime

from ..model import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How much of its past an entry keeps: so many versions, each of at most so many bytes.

    Of a version that is larger only title and link are kept. With 0 nothing is.
    """

    versions: int = 10
    bytes: int = 256 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A version of an entry that was replaced by the next one, when we saw that (`at`).

    `entry` is as it was in all that its publisher says; tags are those of today. `whole` is False
    where only title and link of it were kept.
    """

    entry: Entry
    at: datetime
    whole: bool = True
