"""What every format does to addresses."""

from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from feedsvc.formats import fit
from feedsvc.formats.plain import clean


@given(st.from_regex(fit._PLAIN, fullmatch=True))
def test_a_plain_address_is_as_it_should_be(url: str) -> None:
    assert clean(url).strip().replace("\n", "").replace("\t", "") == url
    assert not fit._NOT_IN_IRI.search(url)
    assert urlsplit(url).hostname
    assert fit.address(url) == url


def test_what_is_not_plain_is_looked_at() -> None:
    assert fit.address("https://a.example/x y") == "https://a.example/x%20y"
    assert fit.address("https://a.example/{x}") == "https://a.example/%7Bx%7D"
    assert fit.address("https://") is None
    assert fit.address("https://[::1]/x") == "https://[::1]/x"
    assert fit.address("https://[") is None
    assert fit.address("javascript:alert(1)") is None
    assert fit.address("https://a.example/x\n") == "https://a.example/x"
