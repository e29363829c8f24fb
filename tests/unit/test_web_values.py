"""Requests as plain values, links below a base URL, feed tokens."""

import base64

import pytest

from feedsvc.web.access import FeedAccess
from feedsvc.web.message import Answer, Ask, plausible_host
from feedsvc.web.site import Site


def test_arguments_are_decoded_and_the_first_counts() -> None:
    ask = Ask("GET", "/", "q=caf%C3%A9+x&limit=5&limit=6&empty=&flag")
    assert dict(ask.arguments) == {"q": "café x", "limit": "5", "empty": "", "flag": ""}


def test_broken_escapes_and_too_many_fields_do_no_harm() -> None:
    assert Ask("GET", "/", "q=%ff%zz").arguments["q"] == "\ufffd%zz"
    many = Ask("GET", "/", "&".join(f"a{n}=1" for n in range(500))).arguments
    assert len(many) == 100


def test_headers_of_an_answer_are_found_whatever_their_case() -> None:
    answer = Answer(200, (("ETag", '"a"'),))
    assert answer.header("etag") == '"a"'
    assert answer.header("vary") is None


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("http://127.0.0.1:8080", "/tags/%E6%97%A5%E6%9C%AC"),
        ("https://example.org/", "/tags/%E6%97%A5%E6%9C%AC"),
        ("https://example.org/my/news", "/my/news/tags/%E6%97%A5%E6%9C%AC"),
    ],
)
def test_links_stay_below_the_base_url(base: str, expected: str) -> None:
    site = Site(base)
    assert site.link("/tags/日本") == expected
    assert site.absolute("/tags/日本") == "/".join(base.split("/")[:3]) + expected
    assert site.address(site.absolute("/tags/日本")) == expected


def test_links_escape_what_would_end_them() -> None:
    link = Site("https://example.org").link("/search", q='"a b" & <c>?#+%', before=None)
    assert link == "/search?q=%22a%20b%22%20%26%20%3Cc%3E%3F%23%2B%25"
    assert Ask("GET", "/search", link.partition("?")[2]).arguments["q"] == '"a b" & <c>?#+%'


def basic(user: str, password: str) -> dict[str, str]:
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"authorization": f"Basic {token}"}


ACCESS = FeedAccess(("first-token", "zweites Tökén"))


@pytest.mark.parametrize(
    "ask",
    [
        Ask("GET", "/feeds/all", "token=first-token"),
        Ask("GET", "/feeds/all", "limit=3&token=zweites%20T%C3%B6k%C3%A9n"),
        Ask("GET", "/", "", {"authorization": "Bearer first-token"}),
        Ask("GET", "/", "", {"authorization": "bearer  first-token "}),
        Ask("GET", "/", "", basic("anyone", "first-token")),
        Ask("GET", "/", "", basic("", "zweites Tökén")),
        Ask("GET", "/", "token=wrong", basic("", "first-token")),
    ],
)
def test_a_token_opens(ask: Ask) -> None:
    assert ACCESS.allows(ask)


@pytest.mark.parametrize(
    "ask",
    [
        Ask("GET", "/feeds/all"),
        Ask("GET", "/feeds/all", "token="),
        Ask("GET", "/feeds/all", "token=first-toke"),
        Ask("GET", "/feeds/all", "token=First-Token"),
        Ask("GET", "/", "", {"authorization": "first-token"}),
        Ask("GET", "/", "", {"authorization": "Digest first-token"}),
        Ask("GET", "/", "", {"authorization": "Basic first-token"}),
        Ask("GET", "/", "", {"authorization": "Basic %%%"}),
        Ask("GET", "/", "", {"authorization": "Basic //79/Q=="}),
        Ask("GET", "/", "", basic("first-token", "")),
    ],
)
def test_anything_else_does_not(ask: Ask) -> None:
    assert not ACCESS.allows(ask)


@pytest.mark.parametrize(
    ("query", "rest", "token"),
    [
        ("", "", None),
        ("limit=3&q=a%20b", "limit=3&q=a%20b", None),
        ("token=x", "", "x"),
        ("limit=3&token=a+b%2Bc&q=%ff&x", "limit=3&q=%ff&x", "a b+c"),
        ("tok%65n=x&token=y&a=1", "a=1", "x"),
        ("token=&a=1", "a=1", ""),
        ("token&a", "a", ""),
        ("xtoken=1&q=token=2", "xtoken=1&q=token=2", None),
    ],
)
def test_a_token_is_taken_out_of_the_query(query: str, rest: str, token: str | None) -> None:
    ask = Ask("GET", "/feeds/all", query)
    assert (ask.query, ask.token) == (rest, token)
    assert "token" not in ask.arguments or not token


@pytest.mark.parametrize(
    "host",
    ["feeds.example.org", "127.0.0.1:8080", "[::1]:8080", "xn--caf-dma.example:"],
)
def test_a_host_is_a_host(host: str) -> None:
    assert plausible_host(host, "HTTP/1.1")


@pytest.mark.parametrize("host", [None, ""])
def test_only_old_protocols_do_without_a_host(host: str | None) -> None:
    assert plausible_host(host, "HTTP/1.0")
    assert not plausible_host(host, "HTTP/1.1")


@pytest.mark.parametrize("host", ["a,b", "a b", "a/b", "user@a", "é", "a" * 300, "a:b", "[::1"])
def test_anything_else_is_none(host: str) -> None:
    assert not plausible_host(host, "HTTP/1.1")


def test_without_tokens_everyone_may_read() -> None:
    open_access = FeedAccess(())
    assert not open_access.restricted
    assert open_access.allows(Ask("GET", "/"))
    assert not FeedAccess(("",)).restricted
