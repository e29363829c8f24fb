"""Hostile vectors in every field of every kind of document, and a judge of what comes out.

The judge knows nothing of the sanitiser: it tokenises with Python's own parser and holds every
element, attribute and URL against lists of its own.
"""

import json
import re
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

_XSS = Path(__file__).parent / "data" / "xss"


def payloads() -> list[str]:
    found = [
        case["payload"]
        for name in ("bleach.json", "owasp.json")
        for case in json.loads((_XSS / name).read_text("utf-8"))
    ]
    assert len(found) == 61
    return found


# Made for this policy: namespaces, raw-text elements, renamed elements, late-loaded addresses
OWN = [
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src onerror=x&gt;">',
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<iframe title="</iframe><img src=x onerror=alert(1)>"></iframe>',
    "<iframe><img src=x onerror=alert(1)></iframe>",
    '<iframe srcdoc="<script>alert(1)</script>" src="https://www.youtube.com/embed/x"></iframe>',
    '<iframe src="https://www.youtube.com/embed/x&quot; onload=&quot;alert(1)"></iframe>',
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe src=https://www.youtube.com@evil.example/></iframe>",
    "<feedsvc-frame src=javascript:alert(1)>x</feedsvc-frame>",
    "<feedsvc-frame onload=alert(1)><script>alert(1)</script></feedsvc-frame>",
    '<img src="data:image/svg+xml;base64,PHN2Zy8+" data-src="javascript:alert(1)">',
    '<img data-src="data:text/html,<script>alert(1)</script>" src=x>',
    "<img data-src='x\" onerror=\"alert(1)' alt=1>",
    "<img data-srcset='javascript:alert(1) 1x, x\" onerror=alert(1) 2x'>",
    '<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>',
    '<a href="jav&#x0A;ascript:alert(1)">x</a><a href="\x01javascript:alert(1)">y</a>',
    '<a href="vbscript:msgbox(1)">x</a><a href="view-source:javascript:1">y</a>',
    "<video poster=javascript:alert(1) src=javascript:alert(1) onerror=alert(1) autoplay></video>",
    "<object data=javascript:alert(1)></object><embed src=javascript:alert(1)>",
    "<math href=javascript:alert(1)><mi xlink:href=javascript:alert(1)>x</mi></math>",
    "<base href=javascript:/a/><a href=//evil.example>x</a>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'><link rel=stylesheet href=x>",
    '<div style="background:url(javascript:alert(1))" onclick=alert(1) id=x class=y>x</div>',
    "<template><script>alert(1)</script></template><xmp><script>alert(1)</script></xmp>",
    "<textarea><script>alert(1)</script></textarea><title><script>alert(1)</script></title>",
    "<plaintext><script>alert(1)</script>",
    "<!--><script>alert(1)</script>--><![CDATA[<script>alert(1)</script>]]>",
    "<ifr<iframe>ame src=javascript:alert(1)>",
    "<scr<noscript></noscript>ipt>alert(1)</script>",
]

URLS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)//http://a.example/",
    " \tjava\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:image/svg+xml,<svg onload=alert(1)>",
    "https://a.example/\"onmouseover='alert(1)'<script>alert(1)</script>",
    "view-source:javascript:alert(1)",
    "feed:javascript:alert(1)",
]
VECTORS = [*payloads(), *OWN, *URLS]


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _x(text: str) -> str:
    return escape(_NOT_XML.sub("", text))


def _a(text: str) -> str:
    return quoteattr(_NOT_XML.sub("", text))


def rss(number: int, v: str) -> bytes:
    """A feed with the vector in every field, as RSS 2.0."""
    return f"""<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"><channel>
<title>rss {number} {_x(v)}</title><link>{_x(v)}</link><description>{_x(v)}</description>
<copyright>{_x(v)}</copyright><managingEditor>{_x(v)}</managingEditor><language>{_x(v)}</language>
<image><url>{_x(v)}</url><title>{_x(v)}</title><link>{_x(v)}</link></image>
<item><guid isPermaLink="false">urn:rss:{number}</guid><title>T {_x(v)}</title><link>{_x(v)}</link>
<description>S {_x(v)}</description><content:encoded>C {_x(v)}</content:encoded>
<author>{_x(v)}</author><dc:creator>{_x(v)}</dc:creator>
<category domain={_a(v)}>{_x(v)}</category>
<comments>{_x(v)}</comments><enclosure url={_a(v)} type={_a(v)} length="1"/>
<media:content url={_a(v)} type="image/png" medium="image"/>
<media:description>{_x(v)}</media:description>
<dc:rights>{_x(v)}</dc:rights><pubDate>{_x(v)}</pubDate></item></channel></rss>""".encode()


def atom(number: int, v: str) -> bytes:
    """A feed with the vector in every field, as Atom 1.0."""
    return f"""<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:atom:feed:{number}</id>
<title type="html">atom {number} {_x(v)}</title><subtitle type="html">{_x(v)}</subtitle>
<link href={_a(v)}/><rights>{_x(v)}</rights><icon>{_x(v)}</icon><logo>{_x(v)}</logo>
<author><name>{_x(v)}</name><uri>{_x(v)}</uri><email>{_x(v)}</email></author>
<entry xml:lang={_a(v)}><id>urn:atom:{number}</id><title type="html">T {_x(v)}</title>
<link href={_a(v)} title={_a(v)} type={_a(v)}/><link rel="enclosure" href={_a(v)} title={_a(v)}/>
<link rel="related" href={_a(v)} title={_a(v)}/><summary type="text">S {_x(v)}</summary>
<content type="html">C {_x(v)}</content><author><name>{_x(v)}</name><uri>{_x(v)}</uri></author>
<category term={_a(v)} label={_a(v)} scheme={_a(v)}/><rights type="html">{_x(v)}</rights>
<source><id>urn:s:{number}</id><title>{_x(v)}</title><link href={_a(v)}/></source>
<updated>2025-01-01T00:00:00Z</updated></entry>
<entry><id>urn:atom:text:{number}</id><title type="text">T {_x(v)}</title>
<content type="text">C {_x(v)}</content><updated>2025-01-01T00:00:00Z</updated></entry></feed>
""".encode()


def jsonfeed(number: int, v: str) -> bytes:
    """A feed with the vector in every field, as JSON Feed 1.1."""
    item = {
        "id": f"urn:json:{number}",
        **dict.fromkeys(("url", "external_url", "image", "banner_image", "language"), v),
        "title": f"T {v}",
        "summary": f"S {v}",
        "content_html": f"C {v}",
        "content_text": f"C {v}",
        "authors": [{"name": v, "url": v, "avatar": v}],
        "tags": [v],
        "attachments": [{"url": v, "mime_type": v, "title": v}],
    }
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        **dict.fromkeys(("home_page_url", "feed_url", "icon", "favicon", "description"), v),
        "title": f"json {number} {v}",
        "authors": [{"name": v, "url": v}],
        "items": [item],
    }
    return json.dumps(feed).encode("utf-8", "replace")


def documents(number: int, v: str) -> Iterator[tuple[str, bytes]]:
    """Files of a directory source with the vector in them: name and bytes."""
    flat = " ".join(v.split())
    quoted = json.dumps(flat[:8000])
    plain = v.encode("utf-8", "replace")
    yield f"{number}.txt", f"T {flat}\n\nC {number} ".encode("utf-8", "replace") + plain
    matter = "".join(f"{k}: {quoted}\n" for k in ("title", "summary", "author", "link", "lang"))
    matter += (
        f"id: {json.dumps(f'{flat[:8000]} {number}')}\ntags: [{quoted}]\nrelated: [{quoted}]\n"
    )
    head = f"---\n{matter}---\nC {number}\n\n[l]({flat}) ![i]({flat})\n\n"
    yield f"{number}.md", head.encode("utf-8", "replace") + plain
    page = f"""<html lang={_a(v)}><head><title>T {_x(v)}</title><meta name="author" content={_a(v)}>
<meta name="description" content={_a(v)}><meta name="keywords" content={_a(v)}>
<link rel="canonical" href={_a(v)}><meta property="og:image" content={_a(v)}></head>
<body><article><p>C {number}</p>"""
    yield f"{number}.html", page.encode("utf-8", "replace") + plain
    mail = EmailMessage()
    mail["Subject"] = f"T {_x(flat)}"[:500]
    mail["From"] = "a@example.org"
    mail.set_content(f"C {number} {_x(v)}")
    mail.add_alternative(f"<p>C {number}</p>{_NOT_XML.sub('', v)}", subtype="html")
    yield f"{number}.eml", mail.as_bytes()


# -- the judge ---------------------------------------------------------------------------
TAGS = words(
    """
    a abbr acronym address article aside audio b bdi bdo big blockquote br caption center cite
    code col colgroup dd del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5
    h6 header hr i iframe img ins kbd li mark math menu nav ol p picture pre q rb rp rt rtc
    ruby s samp section small source span strike strong sub summary sup table tbody td tfoot
    th thead time tr track tt u ul var video wbr
    """
)
PAGE_TAGS = words(
    """
    body button dt fieldset form head html input label legend link main meta option select
    title
    """
)
MATHML = words(
    """
    maction menclose merror mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom
    mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr
    munder munderover none semantics
    """
)
_URL_ATTRIBUTES = words(
    """
    action background cite data formaction href longdesc manifest ping poster src usemap
    """
)
_SCHEMES = words(
    """
    acct bitcoin dat ftp ftps gemini geo gopher http https ipfs irc ircs magnet mailto matrix
    mid mumble news nntp sip sips sms tag tel urn webcal xmpp
    """
)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp|avif);base64,[A-Za-z0-9+/=\s]*\Z")
_BLANK = re.compile("[\x00-\x20\x7f-\xa0\u200b\u2028\u2029\ufeff]+")
_FRAMES = words(
    """
    www.youtube-nocookie.com player.vimeo.com open.spotify.com bandcamp.com archive.org
    """
)


def bad_url(url: str, *, picture: bool = False, relative: bool = False) -> str | None:
    """Why a URL may run something, read as tolerantly as the worst client; None if it cannot."""
    squeezed = _BLANK.sub("", url).lower()
    if squeezed.startswith("data:"):
        return None if picture and _PICTURE.match(url) else f"data: {url[:80]!r}"
    scheme = re.match(r"([a-z][a-z0-9+.-]*):", squeezed)
    if scheme is None:
        return None if relative else f"relative: {url[:80]!r}"
    return None if scheme[1] in _SCHEMES else f"scheme: {url[:80]!r}"


class _Judge(HTMLParser):
    def __init__(self, page: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = tag in TAGS or tag in MATHML
        if not known and not (self.page and tag in PAGE_TAGS):
            self.faults.append(f"element {tag}")
        said = {name: value or "" for name, value in attrs}
        if len(said) < len(attrs):
            self.faults.append(f"repeated attribute in {tag}: {attrs}")
        for name, value in said.items():
            if name.startswith("on") or name in {"style", "srcdoc", "xmlns", "is"} or ":" in name:
                self.faults.append(f"attribute {name} of {tag}")
            elif name in _URL_ATTRIBUTES:
                why = bad_url(value, picture=tag == "img", relative=self.page)
                if why:
                    self.faults.append(f"{tag} {name}: {why}")
            elif name == "srcset":
                for candidate in value.split(", "):
                    if bad_url(candidate.split(" ")[0]):
                        self.faults.append(f"srcset {candidate[:80]!r}")
            elif not re.fullmatch(r"[a-z][a-z0-9-]*", name):
                self.faults.append(f"attribute {name!r} of {tag}")
        if tag == "iframe" and (
            urlsplit(said.get("src", "")).hostname not in _FRAMES or "sandbox" not in said
        ):
            self.faults.append(f"frame {said}")
        if tag == "meta" and "http-equiv" in said:
            self.faults.append(f"meta {said}")

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"comment {data[:40]!r}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"processing instruction {data[:40]!r}")

    def unknown_decl(self, data: str) -> None:
        self.faults.append(f"declaration {data[:40]!r}")


def faults(markup: str, *, page: bool = False) -> list[str]:
    """What could run or break out in a piece of HTML, or in a whole page of ours."""
    judge = _Judge(page)
    judge.feed(markup)
    judge.close()
    if re.search(r"<[A-Za-z/!?][^>]*\Z", markup):
        judge.faults.append(f"unfinished: {markup[-40:]!r}")
    return judge.faults
