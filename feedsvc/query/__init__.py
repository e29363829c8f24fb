"""The query language: text to tree (`parse`), tree to its one normal text (`canonical`), and the
question asked of one entry in memory (`matches`). Stores turn the same tree into SQL.
"""

from .ast import EntryQuery, Node
from .canonical import canonical, normalise
from .matches import Searchable, matches, moment, searchable
from .parser import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, parse

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_TERMS",
    "EntryQuery",
    "Node",
    "Searchable",
    "canonical",
    "matches",
    "moment",
    "normalise",
    "parse",
    "searchable",
]
