"""Fetches one URL politely and safely; the only home of aiohttp.

`client` makes the request, `private` refuses addresses that are not on the public Internet,
`resolver` looks names up, `coding` undoes content codings within bounds, and `caching` reads what a
response says about time. Schedules, retries and what a body means live elsewhere.
"""

from .caching import demands, retry_after
from .client import HttpClient, Response
from .message import Headers
from .private import is_global

__all__ = ["Headers", "HttpClient", "Response", "demands", "is_global", "retry_after"]
