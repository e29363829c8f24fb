"""A memo answers like its function, and keeps what is asked again."""

from collections import Counter

from feedsvc.memo import Memo


def test_common_strings_outlive_many_rare_ones() -> None:
    asked: Counter[str] = Counter()

    def upper(text: str) -> str:
        asked[text] += 1
        return text.upper()

    memo = Memo(upper)
    for number in range(100_000):
        assert memo["the"] == "THE"
        assert memo[f"word{number}"] == f"WORD{number}"
    assert asked["the"] == 1
    assert len(memo) < 20_000


def test_long_strings_are_not_kept() -> None:
    memo = Memo(len)
    assert memo["x" * 1_000] == 1_000
    assert not memo
