"""Which HTML may stay: elements, attributes, and what goes with all that is in it.

Tables for the sanitiser in `html.py`, no code. What is not named here goes, its text stays.
"""

from ..tracking import words
from .media import FRAME, LAZY_SETS, LAZY_SOURCES, NOSCRIPT, SPARE_SOURCES

_MATHML = words(
    """maction math menclose merror mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom
    mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder
    munderover none semantics"""
)
TAGS = (
    words(
        """a abbr acronym address article aside audio b bdi bdo big blockquote br caption center
        cite code col colgroup dd del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4
        h5 h6 header hr i img ins kbd li mark menu nav ol p picture pre q rb rp rt rtc ruby s samp
        section small source strike strong sub summary sup table tbody td tfoot th thead time tr
        track tt u ul var video wbr"""
    )
    | _MATHML
    | {FRAME, NOSCRIPT}
)
# Their content is no text for people, or text only of a form or a picture
CONTENT_DROPPED = words(
    """annotation annotation-xml applet button datalist frameset head noembed noframes script
    select style svg template textarea title"""
)
_LAZY = frozenset(LAZY_SOURCES + SPARE_SOURCES + LAZY_SETS)
_CODE = frozenset({"class"})
_CELL = words("align colspan rowspan")
_STRETCH = words("accent accentunder")
ATTRIBUTES: dict[str, frozenset[str]] = {
    "*": words("dir lang title"),
    "a": words("href hreflang type"),
    "audio": words("src") | _LAZY,
    "blockquote": words("cite"),
    "code": _CODE,
    "col": words("span"),
    "colgroup": words("span"),
    "del": words("cite datetime"),
    "details": words("open"),
    "div": _CODE,
    "img": words("alt height hidden sizes src srcset style width") | _LAZY,
    "ins": words("cite datetime"),
    "li": words("value"),
    "ol": words("reversed start type"),
    "pre": _CODE,
    "q": words("cite"),
    "source": words("height media sizes src srcset type width") | _LAZY,
    "td": _CELL,
    "th": _CELL | words("abbr scope"),
    "time": words("datetime"),
    "track": words("default kind label src srclang"),
    "video": words("data-poster height poster src width") | _LAZY,
    "math": words("alttext display displaystyle"),
    "menclose": words("notation"),
    "mfenced": words("close open separators"),
    "mfrac": words("bevelled linethickness"),
    "mi": words("mathvariant"),
    "mn": words("mathvariant"),
    "mo": words(
        """accent fence form largeop lspace mathvariant maxsize minsize movablelimits rspace
        separator stretchy symmetric"""
    ),
    "mover": _STRETCH,
    "mpadded": words("depth height lspace voffset width"),
    "ms": words("lquote rquote"),
    "mspace": words("depth height width"),
    "mstyle": words("displaystyle mathvariant scriptlevel"),
    "mtable": words("columnalign columnlines frame rowlines rowspacing"),
    "mtd": words("columnalign columnspan rowspan"),
    "mtext": words("mathvariant"),
    "munder": _STRETCH,
    "munderover": _STRETCH,
    FRAME: words("height hidden src style width") | _LAZY,
}
