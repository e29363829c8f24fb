"""One name for all the addresses of one page, and other names for other pages."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedsvc.duplicates import page_of

PAGE = "https://example.org/news/story?id=7"


@pytest.mark.parametrize(
    "link",
    [
        "http://example.org/news/story?id=7",
        "HTTP://Example.ORG:80/news/story?id=7",
        "https://example.org:443/news/story/?id=7",
        "https://example.org./news/story?id=7#comments",
        "https://www.example.org/news/story?id=7",
        "https://m.example.org/news/story?id=7",
        "https://mobile.example.org/news/story?id=7",
        "https://amp.example.org/news/story?id=7",
        "https://example.org/news/story/amp/?id=7",
        "https://example.org/news/story?id=7&amp=1",
        "https://example.org/news/story?amp&id=7",
        "https://www.google.com/amp/s/www.example.org/news/story?id=7",
        "https://example-org.cdn.ampproject.org/c/s/example.org/news/story?id=7",
        "https://example.org/news/story?utm_source=rss&id=7&fbclid=x",
        "https://example.org/news/story?id=7&source=rss",
        "https://example.org/news/story?amp;utm_medium=feed&amp;id=7",
        "https://example.org/news/story?&id=7&",
        "https://example.org/news/story;jsessionid=0A1B?id=7",
        "https://example.org/news/story?PHPSESSID=9&id=7",
        "https://example.org/./x/../news/%73tory/index.html?id=7",
        "https://user:secret@example.org/news/story?id=7",
        "  https://example.org/news/story?id=7\n",
    ],
)
def test_spellings_of_one_address_have_one_name(link: str) -> None:
    assert page_of(link) == PAGE


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://e.example/a?b=2&a=1&b=1", "https://e.example/a?a=1&b=2&b=1"),
        ("https://e.example/?p=1", "https://e.example/?p=1"),
        ("https://e.example/index.php?p=1", "https://e.example/?p=1"),
        ("https://e.example/#!/post/1", "https://e.example/#!/post/1"),
        ("https://e.example/caf\u00e9 au lait", "https://e.example/caf%C3%A9%20au%20lait"),
        ("https://e.example/caf%c3%a9%20au%20lait", "https://e.example/caf%C3%A9%20au%20lait"),
        ("https://b\u00fccher.example/a", "https://xn--bcher-kva.example/a"),
        ("https://en.m.wikipedia.org/wiki/Feed", "https://en.wikipedia.org/wiki/Feed"),
        ("https://[::1]:443/a/", "https://[::1]/a"),
        ("https://e.example/a?q=x%20y", "https://e.example/a?q=x+y"),
        ("https://e.example/100%", "https://e.example/100%25"),
    ],
)
def test_an_address_is_written_in_one_way(link: str, expected: str) -> None:
    assert page_of(link) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.example/a", "https://e.example/A"),
        ("https://e.example/a?id=1", "https://e.example/a?id=2"),
        ("https://e.example/a?id=1", "https://e.example/a"),
        ("https://e.example/a?b=1&b=2", "https://e.example/a?b=2&b=1"),
        ("https://e.example/a?ref=1", "https://e.example/a?ref=2"),
        ("https://e.example/a#!b", "https://e.example/a#!c"),
        ("http://e.example:8080/a", "http://e.example:8081/a"),
        ("http://e.example:8080/a", "https://e.example:8080/a"),
        ("https://blog.e.example/a", "https://e.example/a"),
        ("https://m.co.uk/a", "https://co.uk/a"),
        ("https://e.example/a%2Fb", "https://e.example/a/b"),
        ("https://e.example/a/index.xml", "https://e.example/a"),
        ("https://e.example/a//b", "https://e.example/a/b"),
        ("https://e.example/amp", "https://e.example/b"),
    ],
)
def test_other_pages_have_other_names(one: str, other: str) -> None:
    assert page_of(one) != page_of(other)
    assert page_of(one) is not None


@pytest.mark.parametrize(
    "link",
    [
        None,
        "",
        "https://e.example",
        "https://www.e.example/",
        "http://e.example/index.html",
        "https://e.example/?utm_source=rss",
        "https://e.example/#top",
        "https://e.example/#!/",
        "mailto:a@e.example",
        "magnet:?xt=urn:btih:1",
        "/relative",
        "https:///path",
        "https://./path",
        "https://[::1/a",
        "https://e.example:port/a",
        "https://e.example/" + "a" * 9000,
    ],
)
def test_what_names_no_page_has_no_name(link: str | None) -> None:
    assert page_of(link) is None


PIECES = st.lists(
    st.sampled_from(
        [
            *("/", "//", ".", "..", "amp", "index.html", "index.php", ";jsessionid=1", "?", "&"),
            *("=", "#", "!", "%", "%2", "%41", "%2e", "%2f", "%C3", "\u00e9", "+", " ", "a", "B"),
            *("amp;", "utm_source=1", "id=1", "source=rss", "amp=1", "[", "]", "\u6771", "\ud800"),
        ]
    ),
    max_size=12,
).map("".join)
HOSTS = st.sampled_from(
    [
        *("e.example", "www.e.example", "m.www.amp.e.example", "M.CO.UK", "e.example:80", "m."),
        *(
            "e.example:443",
            "www.google.com",
            "x.cdn.ampproject.org",
            "[::1]",
            "1.2.3.4",
            "b\u00fc.d",
        ),
        *("en.m.wikipedia.org", "m.m.wikipedia.org", "www.", "a@e.example", "e..example"),
    ]
)


@given(st.sampled_from(["http", "https", "HTTPS"]), HOSTS, PIECES)
@example("https", "www.google.com", "/amp/s/www.google.com/amp/s/e.example/a")
@example("https", "e.example", "/\ud800")
@example("https", "x.cdn.ampproject.org", "/c/s/m.e.example/index.html/amp")
def test_a_name_is_its_own_name(scheme: str, host: str, rest: str) -> None:
    named = page_of(f"{scheme}://{host}{rest}")
    if named is not None:
        assert named.isascii()
        assert page_of(named) == named


@given(st.text())
def test_any_text_may_be_asked(text: str) -> None:
    for link in (text, f"https://{text}", f"https://e.example/{text}"):
        named = page_of(link)
        assert named is None or page_of(named) == named
