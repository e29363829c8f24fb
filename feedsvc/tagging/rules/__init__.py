"""The kinds of conditions a tag rule may have: one file each, one line here."""

from ..rule import RuleKind
from .all import AllPhrases
from .any import AnyPhrase
from .author import FromAuthor
from .regex import Regex
from .source import FromSource

RULES: dict[str, RuleKind] = {
    kind.name: kind for kind in (AnyPhrase(), AllPhrases(), Regex(), FromSource(), FromAuthor())
}

__all__ = ["RULES"]
