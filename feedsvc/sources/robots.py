"""What a host asks of robots (RFC 9309): which pages may be read, and how far apart.

Pure, and run in a parser process: a robots.txt is a document of strangers like any other.
"""

from dataclasses import dataclass

from protego import Protego

MAX_BYTES = 500 * 2**10  # as much as must be read of one (§2.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Whether a page may be read, and how many seconds are to pass between two of its host."""

    allowed: bool = True
    delay: float = 0.0


def ruling(said: str, url: str, agent: str) -> Ruling:
    """What a robots.txt says of a page to the robot with the product token `agent`."""
    rules = Protego.parse(said.removeprefix("\ufeff"))
    return Ruling(
        allowed=bool(rules.can_fetch(url, agent)), delay=float(rules.crawl_delay(agent) or 0)
    )
