"""Keys of entries as text."""

import base64
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from feedsvc.keys import entry_key, key_number, key_text, parse_key


def test_keys_are_the_base_32_of_their_number() -> None:
    chance = Random(1)
    for number in (0, 1, 2**63 - 1, *(chance.getrandbits(63) for _ in range(1_000))):
        text = key_text(number)
        assert text == base64.b32encode(number.to_bytes(8)).decode().rstrip("=").lower()
        assert parse_key(text) == number


@given(st.text())
def test_a_key_is_made_from_the_id(id: str) -> None:
    assert entry_key(id) == key_text(key_number(id))
    assert parse_key(entry_key(id)) == key_number(id)
