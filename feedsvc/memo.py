"""What a function has said of the strings of other texts, remembered: language repeats itself.

For pure functions of short strings that are asked thousands of times a text, where a call of its
own for each would cost more than all else.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")

_MOST = 16_384
_LONGEST = 24


class Memo(dict[str, Answer], Generic[Answer]):
    """Answers `memo[string]` by a function of the string; forgets what has long not been asked.

    Of a string longer than 24 characters nothing is remembered, so that no text fills the memory.
    """

    _before: dict[str, Answer]

    def __init__(self, function: Callable[[str], Answer], most: int = _MOST) -> None:
        super().__init__()
        self._function = function
        self._most = most
        self._before = {}

    def __missing__(self, string: str) -> Answer:
        before = self._before
        answer = before[string] if string in before else self._function(string)
        if len(string) <= _LONGEST:
            if len(self) >= self._most:
                # common words are soon asked again, and come back from there
                self._before = dict(self)
                self.clear()
            self[string] = answer
        return answer
