"""How values are written: what is taken, what is refused, and that what is written reads back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.config import duration, values
from feedsvc.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("12h", 43_200),
        ("1d", 86_400),
        ("2w", 1_209_600),
        ("0d", 0),
        (" 5 M ", 300),
    ],
)
def test_durations(text: str, seconds: int) -> None:
    assert values.read_duration(text) == timedelta(seconds=seconds)
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (30, 'as in "30s" or "30m"'),
        ("30", 'as in "30s" or "30m"'),
        ("", '"90s", "30m"'),
        ("-5m", "not a duration"),
        ("1.5h", "not a duration"),
        ("1y", "not a duration"),
        ("1h30m", "not a duration"),
        (True, "true is not a duration"),
        ("999999999w", "hundred years"),
        ("٣m", "not a duration"),
    ],
)
def test_what_is_no_duration(value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        values.read_duration(value)


def test_a_duration_that_somebody_typed_is_their_error() -> None:
    with pytest.raises(ConfigError, match='"5" is not a duration'):
        duration("5")


@given(st.integers(min_value=0, max_value=3_000_000_000))
def test_durations_read_back(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert values.read_duration(values.write_duration(span)) == span


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16MiB", 16 * 2**20),
        ("1 GiB", 2**30),
        ("64kib", 65_536),
        ("500kB", 500_000),
        ("2MB", 2_000_000),
        ("4096B", 4096),
        ("4096", 4096),
        (4096, 4096),
    ],
)
def test_sizes(text: Any, size: int) -> None:
    assert values.read_size(text) == size


@pytest.mark.parametrize("value", ["", "0", "MiB", "1.5MiB", "16M", "-1B", "1TiB", True, None, 1.5])
def test_what_is_no_size(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        values.read_size(value)


@given(st.integers(min_value=1, max_value=10**15 - 1))
def test_sizes_read_back(size: int) -> None:
    assert values.read_size(values.write_size(size)) == size


def test_durations_and_sizes_are_written_with_the_largest_unit() -> None:
    written = [values.write_duration(timedelta(seconds=s)) for s in (0, 90, 120, 7200, 172_800)]
    assert written == ["0d", "90s", "2m", "2h", "2d"]
    assert [values.write_size(n) for n in (2**20, 3 * 2**30, 1024, 1000)] == [
        "1MiB",
        "3GiB",
        "1KiB",
        "1000B",
    ]


TAKEN: list[tuple[Callable[[str], str], str, str]] = [
    (values.base_url, "https://Example.org/news/", "https://Example.org/news"),
    (values.base_url, "http://[::1]:8080", "http://[::1]:8080"),
    (values.base_url, " http://a/ ", "http://a"),
    (values.http_url, "https://example.org/i.png?x=1", "https://example.org/i.png?x=1"),
    (values.authority, "localhost,2026", "localhost,2026"),
    (values.authority, "News@Example.org,2026-11-23", "news@example.org,2026-11-23"),
    (values.authority, "example.org,2026-02", "example.org,2026-02"),
    (values.language, "pt-BR", "pt-BR"),
    (values.store_url, "sqlite:///data/x.db", "sqlite:///data/x.db"),
    (values.store_url, "sqlite:////var/x.db", "sqlite:////var/x.db"),
    (
        values.store_url,
        "postgresql+psycopg://u@/db?host=/run",
        "postgresql+psycopg://u@/db?host=/run",
    ),
    (values.host, "0.0.0.0", "0.0.0.0"),
    (values.host, "::", "::"),
    (values.host, "news_1.lan", "news_1.lan"),
    (values.address, "127.0.0.1:8081", "127.0.0.1:8081"),
    (values.address, "10.1.0.0/16", "10.1.0.0/16"),
    (values.address, "fd00::/8", "fd00::/8"),
    (values.address, "NAS.lan", "nas.lan"),
    (values.address, "news_feeds:80", "news_feeds:80"),
    (values.address, "::1", "::1"),
    (values.address, "[::1]", "[::1]"),
    (values.address, "[::1]:8081", "[::1]:8081"),
    (values.address, "192.168.1.5", "192.168.1.5"),
    (values.user_agent, "x/{version} (+{base_url})", "x/{version} (+{base_url})"),
    (values.header_name, "X-Api-Key", "X-Api-Key"),
    (values.header_value, " a b ", "a b"),
    (values.credentials, "user:pass:wörd", "user:pass:wörd"),
    (values.credentials, "Bearer abc.def", "Bearer abc.def"),
    (values.token, "", ""),
    (values.token, "a-long+token/=", "a-long+token/="),
    (values.slug, "example-org", "example-org"),
    (values.feed_name, "diplomacy", "diplomacy"),
    (values.query, "tag:a -b", "tag:a -b"),
    (values.query, "", ""),
    (values.regex, r"\bG20\b", r"\bG20\b"),
    (values.tag, " United States ", "United States"),
    (values.location, " seeds ", "seeds"),
    (values.location, "/srv/news", "/srv/news"),
    (values.location, "./odd:name", "./odd:name"),
    (values.location, "C:/news", "C:/news"),
    (values.location, "HTTPS://example.org/feed", "HTTPS://example.org/feed"),
]

REFUSED: list[tuple[Callable[[str], str], str, str]] = [
    (values.base_url, "example.org", "not the URL of a site"),
    (values.base_url, "ftp://example.org", "not the URL of a site"),
    (values.base_url, "https://", "not the URL of a site"),
    (values.base_url, "https://a/?x", "not the URL of a site"),
    (values.base_url, "https://a/#x", "not the URL of a site"),
    (values.base_url, "https://u@a/", "not the URL of a site"),
    (values.base_url, "https://a:99999/", "not the URL of a site"),
    (values.base_url, "https://[::1/", "not the URL of a site"),
    (values.base_url, "https://a b/", "not the URL of a site"),
    (values.http_url, "/icon.png", "not an absolute URL"),
    (values.authority, "localhost", "RFC 4151"),
    (values.authority, "localhost,26", "RFC 4151"),
    (values.authority, "localhost,2026-13", "RFC 4151"),
    (values.authority, "localhost,2026-02-30", "RFC 4151"),
    (values.authority, "-a.org,2026", "RFC 4151"),
    (values.authority, "a b,2026", "RFC 4151"),
    (values.language, "english!", "language tag"),
    (values.store_url, "data.db", "not the URL of a database"),
    (values.store_url, "sqlite://data/x.db", 'write "sqlite:///data/x.db"'),
    (values.store_url, "sqlite:///", "too few slashes"),
    (values.store_url, "mysql://h/db", 'no store for "mysql:": write "sqlite:///data'),
    (values.store_url, "u:hidden@h://db", "not the URL of a database"),
    (values.host, "http://a", "not an address to listen on"),
    (values.host, "1.2.3", "not an address to listen on"),
    (values.host, "", "not an address to listen on"),
    (values.address, "300.1.1.1", "not an exact exception"),
    (values.address, "10.0.0.1/8", "has host bits set"),
    (values.address, "http://a/", "not an exact exception"),
    (values.address, "a:0", "not an exact exception"),
    (values.address, "a:65536", "not an exact exception"),
    (values.address, "*.lan", "not an exact exception"),
    (values.address, "", "not an exact exception"),
    (values.address, "[nas]:", "not an exact exception"),
    (values.user_agent, "x {name}", "names {name}"),
    (values.user_agent, "x {", "brace without its partner"),
    (values.user_agent, "x {}", r"names \{\}"),
    (values.user_agent, "x\r\nHost: y", "visible ASCII"),
    (values.header_name, "X Y", "not a header's name"),
    (values.header_value, "a\nb", "visible ASCII"),
    (values.header_value, " ", "visible ASCII"),
    (values.credentials, "token", 'write "user:password"'),
    (values.credentials, "a:b\n", 'write "user:password"'),
    (values.token, "a b", "without blanks"),
    (values.some_token, "", "let everyone in"),
    (values.slug, "", "not a name for URLs"),
    (values.slug, "Big News", 'write "big-news"'),
    (values.slug, "…", "not a name for URLs"),
    (values.feed_name, "all", "always there"),
    (values.query, "(a", r"never closed\n\(a\n\^"),
    (values.regex, "(", "not a regular expression"),
    (values.tag, "…", "not a tag"),
    (values.location, " ", "needs the path"),
    (values.location, "file:///srv/news", 'write the path itself, "/srv/news"'),
    (values.location, "file://localhost/srv/news", 'write the path itself, "/srv/news"'),
    (values.location, "file:news", 'write the path itself, "news"'),
    (values.location, "ftp://example.org/", "not ftp:"),
    (values.location, "https:///feed", "not a URL"),
    (values.location, "https://u:p@example.org/", 'auth = "user:password"'),
]


@pytest.mark.parametrize(("read", "text", "value"), TAKEN)
def test_takes(read: Callable[[str], str], text: str, value: str) -> None:
    assert read(text) == value


@pytest.mark.parametrize(("read", "text", "says"), REFUSED)
def test_refuses(read: Callable[[str], str], text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read(text)


def test_a_long_value_is_cut_in_an_error() -> None:
    with pytest.raises(ValueError, match="is not a duration") as caught:
        values.read_duration("x" * 1000)
    assert len(str(caught.value)) < 200
