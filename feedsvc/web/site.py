"""Where things are: links below the base URL, whether it has a path of its own or not."""

from urllib.parse import quote, urlencode, urlsplit

# what RFC 3986 §3.3 lets stand in a path, percent signs excepted
_PATH_SAFE = "/,:;@!$&'()*+=~"
_QUERY_SAFE = "/:,@!$'()*;~"


class Site:
    """Makes links for a base URL such as `https://example.org/news`; `prefix` is then `/news`."""

    def __init__(self, base_url: str) -> None:
        base = base_url.rstrip("/")
        self.prefix = quote(urlsplit(base).path, safe=_PATH_SAFE + "%")
        self.root = base

    def link(self, path: str, /, **arguments: str | None) -> str:
        """An absolute path with a query: `/tags` → `/news/tags`. Arguments of None are left out."""
        return self.prefix + self._below(path, arguments)

    def absolute(self, path: str, /, **arguments: str | None) -> str:
        """The same as an absolute URL."""
        return self.root + self._below(path, arguments)

    def address(self, url: str) -> str:
        """An absolute URL of ours as an absolute path, for links within our own pages."""
        return self.prefix + url.removeprefix(self.root)

    def _below(self, path: str, arguments: dict[str, str | None]) -> str:
        pairs = [(name, value) for name, value in arguments.items() if value is not None]
        query = urlencode(pairs, safe=_QUERY_SAFE, quote_via=quote)
        return quote(path, safe=_PATH_SAFE) + (f"?{query}" if query else "")
