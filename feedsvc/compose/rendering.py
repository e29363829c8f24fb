"""A feed as it is sent: whole, or what changed of it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A feed's bytes with the validators of exactly these bytes."""

    body: bytes
    etag: str
    last_modified: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What changed since the instance under the entity tag `base`."""

    base: str
    rendering: Rendering
