"""Elements of other vocabularies that have a form: counts, durations, addresses, media types.

What a vocabulary says has to be a number goes out as one or not at all, and an element without what
it is about goes as a whole. Most need no look.
"""

import re
from collections.abc import Callable

import msgspec

from ..vocabulary import Extension, seconds

Form = Callable[[str], bool]


def _form(pattern: str) -> Form:
    compiled = re.compile(pattern, re.ASCII | re.IGNORECASE)
    return lambda text: compiled.fullmatch(text) is not None


_COUNT = _form(r"\d{1,18}")
_NUMBER = _form(r"\d{1,18}(?:\.\d{1,9})?")
_TYPE = _form(r"[\w.+-]+/[\w.+*-]+(?:\s*;.*)?")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\[\]]+")
_EXPLICIT = _form(r"yes|no|true|false|clean|explicit")


def _iri(text: str) -> bool:
    return _IRI.fullmatch(text) is not None


_TEXTS: dict[str, Form] = {
    "itunes:duration": lambda text: _COUNT(text) or seconds(text) is not None,
    "itunes:episode": _COUNT,
    "itunes:explicit": _EXPLICIT,
    "itunes:order": _COUNT,
    "itunes:season": _COUNT,
    "podcast:episode": _NUMBER,
    "podcast:season": _COUNT,
    "slash:comments": _COUNT,
    "thr:total": _COUNT,
}
_MEDIA: dict[str, Form] = {
    "bitrate": _NUMBER,
    "channels": _NUMBER,
    "duration": _NUMBER,
    "fileSize": _COUNT,
    "framerate": _NUMBER,
    "height": _COUNT,
    "samplingrate": _NUMBER,
    "type": _TYPE,
    "width": _COUNT,
}
_SIZE = {"height": _COUNT, "width": _COUNT}
_VALUES: dict[str, dict[str, Form]] = {
    "media:content": _MEDIA,
    "media:player": _SIZE,
    "media:thumbnail": _SIZE,
    "podcast:chapters": {"type": _TYPE},
    "podcast:transcript": {"type": _TYPE},
    "thr:in-reply-to": {"href": _iri, "ref": _iri, "source": _iri, "type": _TYPE},
}
# what an element is about; one of these it must have
_NEEDED = {
    "media:player": ("url",),
    "media:thumbnail": ("url",),
    "podcast:chapters": ("url",),
    "podcast:transcript": ("url",),
    "thr:in-reply-to": ("ref", "href"),
}


def in_form(one: Extension) -> Extension | None:
    """An element without what has not the form it should have; None if nothing is left of it."""
    if one.text and (is_sound := _TEXTS.get(one.name)) and not is_sound(one.text.strip()):
        one = msgspec.structs.replace(one, text=None)
    if rules := _VALUES.get(one.name):
        kept = tuple(
            (name, value)
            for name, value in one.attributes
            if name not in rules or rules[name](value.strip())
        )
        if len(kept) < len(one.attributes):
            one = msgspec.structs.replace(one, attributes=kept)
    needed = _NEEDED.get(one.name)
    if needed and not any(one.get(name) for name in needed):
        return None
    if one.name == "media:content" and not (one.get("url") or one.children):
        return None
    return one if one.text or one.attributes or one.children else None
