"""The time as the search index knows it: spans, and windows of them."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from feedsvc.store.dates import Window, Windows, date_tokens

HOUR = 3_600_000_000
times = st.integers(-(10**15), 3 * 10**15)


def test_a_time_is_in_its_hour_and_in_ever_longer_spans() -> None:
    assert date_tokens(0) == " a0 b0 c0 d0 e0 "
    assert date_tokens(64 * HOUR - 1) == " a63 b7 c0 d0 e0 "
    assert date_tokens(-5) == date_tokens(0)


@given(
    start=st.none() | times,
    end=times,
    span=st.integers(0, 10**15),
    newest=st.booleans(),
    growths=st.lists(st.floats(0.01, 8.0), min_size=40, max_size=40),
    at=times,
)
def test_windows_are_all_of_the_time_in_order_and_never_overlap(
    start: int | None, end: int, span: int, newest: bool, growths: list[float], at: int
) -> None:
    first, last = (start, end) if newest else (end, None)
    windows = Windows(first, last, span, newest=newest)
    found: list[Window] = []
    while window := windows.next(growths[len(found)] if len(found) < 40 else 8.0):
        found.append(window)
    ordered = found[::-1] if newest else found
    assert (ordered[0].start, ordered[-1].end) == (first, last)
    assert all(one.end == other.start for one, other in pairwise(ordered))
    holding = [
        each
        for each in found
        if (each.start is None or each.start <= at) and (each.end is None or at < each.end)
    ]
    inside = (first is None or first <= at) and (last is None or at < last)
    assert len(holding) == (inside if first is None or last is None or first < last else 0)
    for each in holding:
        assert len(each.tokens) <= 10
        assert not each.tokens or set(each.tokens) & set(date_tokens(at).split())
