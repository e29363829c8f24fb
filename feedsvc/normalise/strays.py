"""What looks like a tag in HTML and is text: `x<y`, `List<String>`, `<ann@example.org>`.

Many a feed holds text where HTML belongs. A parser takes it for elements that nobody knows and
loses it; here its brackets become characters before the parser sees them.
"""

import re
from collections.abc import Set

from ..tracking import words
from .policy import CONTENT_DROPPED, TAGS

_OTHERS = words(
    """altglyph animate animatemotion animatetransform area base basefont bgsound blink body button
    canvas circle clippath command data defs desc dialog dir ellipse embed feblend fecolormatrix
    fecomposite fegaussianblur femerge feoffset fieldset filter font foreignobject form g glyph head
    hgroup html iframe image input keygen label legend line lineargradient link listing main map
    marker marquee mask meta metadata meter mpath nobr noscript object optgroup option output param
    path pattern plaintext polygon polyline progress radialgradient rect search set slot spacer
    stop strike switch symbol tbody text textpath tref tspan use view xmp"""
)
_KNOWN = TAGS | CONTENT_DROPPED | _OTHERS
#: Names of tags, of beginning and ending ones, that are no text.
TAG_NAMES = _KNOWN | {f"/{name}" for name in _KNOWN}
_TAG_LIKE = re.compile(
    r"""<([A-Za-z][^\s/<>]*)((?:[^<>"']|"[^"<>]*"|'[^'<>]*')*+)(>?)(?=(.?))""", re.DOTALL
)


def as_text(html: str, names: Set[str]) -> str:
    """HTML with `&lt;` for each `<` that begins no tag; `names` are those of all its tags."""
    lower = {name.lower() for name in names}

    def written(match: re.Match[str]) -> str:
        begun = match.start() and html[match.start() - 1].isalnum()
        name, rest, end, after = match.groups()
        known = name.lower() in _KNOWN
        if not end:
            stray = _unclosed(rest, known=known, last=not after, begun=bool(begun))
        elif name.endswith(":") or "@" in name:
            stray = True
        else:
            closed = f"/{name.lower()}" in lower
            stray = not (known or closed or "=" in rest or rest.endswith("/"))
        return f"&lt;{match[0][1:]}" if stray else match[0]

    return _TAG_LIKE.sub(written, html)


def _unclosed(rest: str, *, known: bool, last: bool, begun: bool) -> bool:
    """Whether a `<` without its `>` is text, and not a tag that was cut off or forgotten.

    `begun`: it follows a letter or digit, as in `x<y`.
    """
    if "=" in rest:
        return False
    if last:
        return begun or len(rest.split()) > 1
    return bool(rest.strip()) or not known
