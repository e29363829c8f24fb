"""When entries were published, as words of the search index, so that it can be asked for a time.

A search index gives what it finds in no useful order, and a common word stands in half of all
entries. Every entry is therefore indexed under the hour it was published in as well, and under ever
longer spans around it: the newest entries with a word are found by looking through the newest span
first, however common or rare the word is.
"""

from dataclasses import dataclass

_HOUR = 3_600_000_000
_GROWTH = 8
_SHORTEST = _HOUR // _GROWTH
_HOURS = {name: _GROWTH**level for level, name in enumerate("abcde")}
#: The spans by the name that their tokens begin with: how many microseconds they last.
WIDTHS = {name: _HOUR * hours for name, hours in _HOURS.items()}
_SPANS = f" {' '.join(f'{name}%d' for name in _HOURS)} "


def date_tokens(published: int) -> str:
    """The spans that a time, in microseconds since 1970, is in; all before 1970 is one."""
    hour = max(published, 0) // _HOUR
    return _SPANS % tuple(hour // hours for hours in _HOURS.values())


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, from `start` (None: from the beginning) to before `end` (None: for ever).

    Whatever was published in it is indexed under one of the `tokens`; without any, it is too long
    for that.
    """

    start: int | None
    end: int | None
    tokens: tuple[str, ...] = ()


ALWAYS = Window(None, None)


class Windows:
    """Cuts the time from `start` to before `end` into windows: the latest first, or the earliest.

    The first is about `span` microseconds long. None of them overlap, and together they are all of
    the time: where it has no end on the other side, the last window has none.
    """

    def __init__(
        self, start: int | None, end: int | None, span: int, *, newest: bool = True
    ) -> None:
        self._start, self._end, self._newest = start, end, newest
        self._span = span
        self._over = False

    def next(self, growth: float) -> Window | None:
        """The next window, so many times as long as the last; None when the time is over."""
        if self._over:
            return None
        self._span = max(int(self._span * growth), _SHORTEST)
        fitting = (width for width in WIDTHS.values() if self._span <= width * _GROWTH)
        width = next(fitting, None)
        # what is left, if it is no longer than that or nobody knows where it ends
        window, self._over = Window(self._start, self._end), True
        if width is not None and self._newest and self._end is not None:
            # windows begin where spans do, so that none is looked at twice
            begin = (self._end - self._span) // width * width
            if begin > max(self._start or 0, 0):
                window, self._over = Window(begin, self._end), False
                self._end = begin
        elif width is not None and not self._newest and self._start is not None:
            end = -((-self._start - self._span) // width) * width
            if end > 0 and (self._end is None or end < self._end):
                window, self._over = Window(self._start, end), False
                self._start = end
        return _indexed(window)


def _indexed(window: Window) -> Window:
    """A window with the tokens it is indexed under, if they are few enough."""
    if window.start is None or window.end is None:
        return window
    for name, width in WIDTHS.items():
        first, last = max(window.start, 0) // width, max(window.end - 1, 0) // width
        if last - first <= _GROWTH:
            tokens = tuple(f"{name}{at}" for at in range(first, last + 1))
            return Window(window.start, window.end, tokens)
    return window
