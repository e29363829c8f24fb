"""Where feeds and entries are, and what feeds are called: the URLs and ids we mint for output."""

from collections.abc import Iterable
from urllib.parse import quote, urlencode

Params = Iterable[tuple[str, str]]


class Addresses:
    """URLs below `base_url` and ids below `authority`; paths are given without percent-encoding."""

    def __init__(self, base_url: str, authority: str) -> None:
        self._base = base_url.rstrip("/")
        self._authority = authority

    def home(self) -> str:
        """The service's front page."""
        return f"{self._base}/"

    def entry(self, key: str) -> str:
        """An entry's own page."""
        return f"{self._base}/entries/{key}"

    def story(self, key: str) -> str:
        """A story's own page."""
        return f"{self._base}/stories/{key}"

    def story_id(self, key: str) -> str:
        """The id of a story, wherever it moves (RFC 4151)."""
        return self.feed_id(f"stories/{key}")

    def tag_scheme(self) -> str:
        """The scheme of our tags: with a slug behind it, the tag's page (RFC 4287 §4.2.2.2)."""
        return f"{self._base}/tags/"

    def feed(self, path: str, params: Params = (), suffix: str | None = None) -> str:
        """A feed in a format, or without a suffix the web page with the same entries."""
        return f"{self._base}/{_encoded(path, params, f'.{suffix}' if suffix else '')}"

    def feed_id(self, path: str, params: Params = ()) -> str:
        """The id of a feed: one for all its pages and formats, wherever it moves (RFC 4151)."""
        return f"tag:{self._authority}:{_encoded(path, params)}"


def _encoded(path: str, params: Params, ending: str = "") -> str:
    query = urlencode(list(params), quote_via=quote, safe=":,", errors="replace")
    return quote(path, safe="/,", errors="replace") + ending + (f"?{query}" if query else "")
