"""What entity tags say of a page: never less than what was on it, in few characters."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from feedsvc.compose.sketch import MOST_PRINTS, read, write

SALT = hashlib.sha256(b"a feed").hexdigest()[:32]
PRINTS = st.lists(st.text(max_size=40), min_size=1, max_size=MOST_PRINTS)


def prints(number: int, of: str = "entry") -> list[str]:
    return [f"{of} {at}" for at in range(number)]


@given(PRINTS)
def test_everything_that_was_there_is_known(given: list[str]) -> None:
    sketch = read(SALT, write(SALT, given))
    assert sketch is not None
    assert all(print in sketch for print in given)


@given(PRINTS)
def test_order_and_machine_make_no_difference(given: list[str]) -> None:
    assert write(SALT, given) == write(SALT, given[::-1])


def test_what_was_not_there_is_not_known() -> None:
    for number in (1, 10, 50, MOST_PRINTS):
        sketch = read(SALT, write(SALT, prints(number)))
        assert sketch is not None
        # one in sixteen million would be at the least
        assert not [each for each in prints(20_000, "other") if each in sketch]


def test_another_feed_or_version_knows_nothing_of_it() -> None:
    sketch = read("other", write(SALT, prints(50)))
    assert sketch is None or not [each for each in prints(50) if each in sketch]


def test_a_usual_page_leaves_an_entity_tag_below_255_characters() -> None:
    for number in range(1, 51):
        for each in range(10):
            told = write(f"{each}", prints(number))
            assert len(f'"{"0" * 32}.{told}-zst"') <= 255, number
    assert len(write(SALT, prints(MOST_PRINTS))) < 800


def test_of_nothing_and_of_too_much_nothing_is_said() -> None:
    assert write(SALT, []) == write(SALT, prints(MOST_PRINTS + 1)) == ""
    assert read(SALT, "") is None


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    # one entry takes seven octets
    assert read(SALT, text) is None or len(text) > 9


@given(st.binary(min_size=20, max_size=60), st.integers(0, 19))
def test_a_tag_that_was_cut_off_is_refused(content: bytes, kept: int) -> None:
    whole = write(SALT, [content.hex(), *prints(5)])
    assert read(SALT, whole[:kept]) is None
