"""Which entries are one article again: entries of other sources with one text.

Those that lead to one page are held to less than those at different addresses. Pure: addresses and
texts in, decisions out. Who keeps and shows them is the store's and the feeds' business.
"""

from .likeness import alike
from .marks import marks
from .pages import page_of, site_of
from .texts import MOST, Copy, groups, joined, own_words, same

__all__ = [
    "MOST",
    "Copy",
    "alike",
    "groups",
    "joined",
    "marks",
    "own_words",
    "page_of",
    "same",
    "site_of",
]
