"""Tags of entries: from sources, folders and publishers, by rules, and found in the text.

Pure and picklable, so that it runs in parser processes. `Tagger` merges all of them; `RULES` are
the kinds of conditions a rule may have. Storing tags and asking for them is not done here.
"""

from .rule import TagRule
from .rules import RULES
from .tagger import Tagger, reader_labels

__all__ = ["RULES", "TagRule", "Tagger", "reader_labels"]
