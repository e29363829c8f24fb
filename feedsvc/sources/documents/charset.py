"""Which charset undeclared bytes are written in that are no UTF-8: a guess, or none.

Text in which bytes beyond ASCII follow one another is Cyrillic or East Asian, which
charset-normalizer tells apart. Where they stand alone among ASCII letters it is Latin, and the
letters themselves tell Central from Western European: those of a text are the letters of one
language. Nothing here decodes for good; that is `decode.py`.
"""

import re

_HIGH = re.compile(rb"[\x80-\xff]+")
_SPOKEN = re.compile(rb"[^<>\r\n]*[\x80-\xff][^<>\r\n]*")
_ENOUGH = 20_000
_FEW = 6
_IN_RUNS = 0.4

_WIDE = ("cp1251", "koi8_r", "cp932", "euc_jp", "gb18030", "big5", "cp949", "cp1253", "cp1255")
_EAST_ASIAN = frozenset({"gb18030", "big5", "cp949", "cp932"})
_KANA = re.compile("[\u3041-\u30ff]")

# what stands beyond ASCII in the alphabets of languages
_WESTERN = (
    *("àâæçéèêëîïôœùûüÿ", "äöüß", "áéíñóúü", "áâãàçéêíóôõúü", "àèéìíîòóùú", "åäöéšž", "æøåéòó"),
    *("áéíóúýðþæö", "éëïèöüáóú", "àçéèíïóòúü·", "äöõüšž"),
)
_CENTRAL = (*("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîşţ"),)
_NEUTRAL = frozenset("“”‘’‚„‹›«»–—…•·§°©®™€£¥¡¿´¨¸˝¦\xa0\xad")


def guess(body: bytes) -> str | None:
    """The name of the codec that undeclared bytes are most likely in; None where nothing tells.

    `body` is neither UTF-8 nor UTF-16. None means Windows-1252 or too little to go by.
    """
    runs = [len(run) for run in _HIGH.findall(body, 0, _ENOUGH * 10)]
    high = sum(runs)
    if high < _FEW:
        return None
    if sum(run for run in runs if run > 1) > high * _IN_RUNS:
        return _wide(_sample(body))
    return _latin(_sample(body))


def _sample(body: bytes) -> bytes:
    """Lines and pieces between tags that have something beyond ASCII, up to some 20 KB."""
    pieces: list[bytes] = []
    size = 0
    for match in _SPOKEN.finditer(body):
        pieces.append(match[0])
        size += len(match[0])
        if size > _ENOUGH:
            break
    sample = b"\n".join(pieces)
    if len(sample) > 2 * _ENOUGH:
        # never in the middle of a character: no byte of one is as low as a blank
        cut = max(sample.rfind(c, 0, 2 * _ENOUGH) for c in (b" ", b"\n", b",", b"."))
        sample = sample[:cut] if cut > 0 else sample
    return sample


def _wide(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes  # takes its time, and few documents need it

    found = from_bytes(
        sample, cp_isolation=list(_WIDE), enable_fallback=False, preemptive_behaviour=False
    ).best()
    if found is None:
        return None
    name = str(found.encoding)
    if name in _EAST_ASIAN and _is_euc_jp(sample):
        return "euc_jp"
    if name in {"cp1251", "koi8_r"}:
        # each reads the small letters of the other as capitals
        return max(("cp1251", "koi8_r"), key=lambda codec: _small(sample, codec))
    return name


def _is_euc_jp(sample: bytes) -> bool:
    """Japanese is the only one of its neighbours with syllables in it, all through."""
    try:
        text = sample.decode("euc_jp")
    except UnicodeDecodeError:
        return False
    return len(_KANA.findall(text)) > sum(not c.isascii() for c in text) * 0.2


def _small(sample: bytes, codec: str) -> int:
    return sum(not c.isascii() and c.islower() for c in sample.decode(codec, "replace"))


def _latin(sample: bytes) -> str | None:
    best = max(("cp1250", "iso8859_2"), key=lambda codec: _fit(sample, codec, _CENTRAL))
    central, western = _fit(sample, best, _CENTRAL), _fit(sample, "cp1252", _WESTERN)
    return best if central > 0.95 and central > western + 0.04 else None


def _fit(sample: bytes, codec: str, alphabets: tuple[str, ...]) -> float:
    """How much of what is beyond ASCII belongs to the one language it fits best, 0 to 1."""
    text = [c for c in sample.decode(codec, "replace").lower() if not c.isascii()]
    letters = [c for c in text if c not in _NEUTRAL]
    if len(letters) < _FEW or len(set(letters)) < 3:
        return 0.0
    return max(sum(c in alphabet for c in letters) for alphabet in alphabets) / len(letters)
