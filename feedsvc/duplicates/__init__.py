"""Which entries are one article again: entries of other sources at the same page with one text.

Pure: addresses and texts in, decisions out. Who keeps and shows them is the store's and the feeds'
business.
"""

from .pages import page_of
from .texts import MOST, Copy, groups, same

__all__ = ["MOST", "Copy", "groups", "page_of", "same"]
