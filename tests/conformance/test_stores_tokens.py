"""Every store: feed tokens, of which it keeps digests only."""

import pytest

from feedsvc.errors import NotFound, StoreError
from feedsvc.keys import token_digest
from feedsvc.store import SqlStore
from tests.storekit import HOUR, NOW


def test_tokens_come_and_go(any_store: SqlStore) -> None:
    before = any_store.change()
    assert (any_store.tokens(), list(any_store.token_digests())) == ((), [])
    any_store.add_token("tablet", token_digest("one"), NOW)
    any_store.add_token("phone", token_digest("two"), NOW + HOUR)
    assert [(one.name, one.added) for one in any_store.tokens()] == [
        ("phone", NOW + HOUR),
        ("tablet", NOW),
    ]
    assert set(any_store.token_digests()) == {token_digest("one"), token_digest("two")}
    # whoever follows changes of the store has to look who may read
    added = any_store.change()
    assert added > before
    any_store.remove_token("tablet")
    assert any_store.change() > added
    assert list(any_store.token_digests()) == [token_digest("two")]


def test_a_name_is_given_once(any_store: SqlStore) -> None:
    any_store.add_token("phone", token_digest("one"), NOW)
    with pytest.raises(StoreError, match="“phone” already"):
        any_store.add_token("phone", token_digest("two"), NOW)
    assert list(any_store.token_digests()) == [token_digest("one")]
    with pytest.raises(NotFound, match="“tablet”"):
        any_store.remove_token("tablet")


def test_the_last_token_is_removed_on_purpose_only(any_store: SqlStore) -> None:
    any_store.add_token("phone", token_digest("one"), NOW)
    before = any_store.change()
    with pytest.raises(StoreError, match="everyone may read"):
        any_store.remove_token("phone")
    assert [one.name for one in any_store.tokens()] == ["phone"]
    assert any_store.change() == before
    any_store.remove_token("phone", last=True)
    assert any_store.tokens() == ()
