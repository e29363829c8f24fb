"""A saved web page: its title, dates, author and tags from all the places pages put them, and its
main text without what stands round it.

The page's JSON-LD article goes before OpenGraph, that before the other meta elements, those before
what the text shows. The main text is the element marked as such (`itemprop=articleBody`,
`<article>`, `<main>`), else the one with most paragraphs, else the article in the JSON-LD.
"""

import mimetypes
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

from lxml import html as lxml_html

from ...errors import ParseError
from ...model import Link, ParsedEntry, Person, Text
from ...vocabulary import Extension
from .base import Contents, Document, one, one_line, short_title, title_of, unique
from .dates import parse_date
from .decode import decode_document
from .jsonld import LinkedArticle, find_article
from .markup import drop, drop_hidden, inner, parse, words
from .text import paragraphs

_TITLES = ("og:title", "twitter:title", "dc.title", "dcterms.title")
_DESCRIPTIONS = ("og:description", "description", "twitter:description", "dc.description")
_PUBLISHED = (
    *("article:published_time", "og:article:published_time", "date", "pubdate", "publishdate"),
    *("publish_date", "dc.date", "dc.date.issued", "dcterms.created", "dcterms.date"),
    *("dcterms.issued", "parsely-pub-date", "sailthru.date", "datepublished"),
)
_UPDATED = ("article:modified_time", "og:updated_time", "dcterms.modified", "datemodified")
_AUTHORS = ("author", "article:author", "dc.creator", "dcterms.creator", "parsely-author")
_KEYWORDS = ("keywords", "news_keywords")
_TAGS = ("article:tag", "article:section", "og:article:tag")
_SURROUNDINGS = (
    *("nav", "aside", "header", "footer", "form", "button", "dialog", "svg", "select", "input"),
    "textarea",
)
_ROLES = frozenset({"navigation", "complementary", "banner", "contentinfo", "search", "menu"})
_BLOCKS = frozenset({"p", "pre", "blockquote", "ul", "ol", "dl", "table", "figure"})
_MOST_TAGS = 30

Meta = dict[str, list[str]]


def read_html(document: Document) -> Contents:
    """Reads a `.html` document. Raises `ParseError` when there is nothing in it."""
    root = parse(decode_document(document.body, markup=True))
    if root is None:
        raise ParseError("has no text in it")
    meta = _meta(root)
    scripts = root.xpath("//script[@type='application/ld+json']")
    article = find_article([script.text or "" for script in scripts])
    link = _canonical(root, meta, article)
    base = _base(root, link)
    title = _title(root, meta, article)
    dates = _dates(root, meta, article)
    authors = article.authors or _authors(root, meta)
    image = _first(meta, "og:image:secure_url", "og:image", "twitter:image") or article.image
    kind = _first(meta, "og:image:type")
    tags = _tags(root, meta, article)
    references = [
        e.get("title") or e.get("href") or "" for e in root.xpath("//link[@rel='related']")
    ]
    lang = root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang")
    lang = lang or article.lang or _first(meta, "content-language", "og:locale")
    content = _content(root, article, title)
    if not title and not content:
        raise ParseError("has no text in it")
    summary = one_line(article.description or _first(meta, *_DESCRIPTIONS))
    links = [Link(href=link, type="text/html")] if link else []
    published, wording, updated = dates
    return one(
        ParsedEntry(
            title=Text(value=title or title_of(document.path)),
            links=tuple(links),
            extensions=_picture(image, kind, base, content),
            summary=Text(value=summary) if summary else None,
            content=Text(value=content, type="html") if content else None,
            authors=tuple(authors),
            tags=tuple((tag, "front-matter") for tag in tags),
            references=unique(references),
            published=parse_date(published),
            updated=parse_date(updated),
            published_text=wording or None,
            lang=lang or None,
            base=base,
        )
    )


def _meta(root: lxml_html.HtmlElement) -> Meta:
    """All meta elements by name, property, itemprop or http-equiv in lower case."""
    found: Meta = {}
    for element in root.iter("meta"):
        content = (element.get("content") or "").strip()
        for attribute in ("property", "name", "itemprop", "http-equiv"):
            name = (element.get(attribute) or "").strip().lower()
            if name and content:
                found.setdefault(name, []).append(content)
    return found


def _first(meta: Meta, *names: str) -> str:
    return next((meta[name][0] for name in names if name in meta), "")


def _title(root: lxml_html.HtmlElement, meta: Meta, article: LinkedArticle) -> str:
    for said in (article.headline, one_line(_first(meta, *_TITLES))):
        if said:
            return said
    # a title inside `svg` names a picture
    for element in root.xpath("//head/title | //body/title | //h1"):
        if text := words(element):
            return short_title(text)
    return ""


def _dates(root: lxml_html.HtmlElement, meta: Meta, article: LinkedArticle) -> tuple[str, str, str]:
    """When published, in what words, and when updated; empty where the page does not say."""
    times = root.xpath(
        "//*[@itemprop='datePublished' and (@datetime or @content)]"
        " | //time[@pubdate and @datetime] | //article//time[@datetime] | //main//time[@datetime]"
    )
    shown = [element.get("datetime") or element.get("content") or "" for element in times]
    said = [article.published, *(meta[name][0] for name in _PUBLISHED if name in meta), *shown]
    published = next((text for text in said if parse_date(text)), "")
    wording = published or next(filter(None, said), "")
    changes = root.xpath("//*[@itemprop='dateModified' and (@datetime or @content)]")
    later = [element.get("datetime") or element.get("content") or "" for element in changes]
    updated = [article.updated, *(meta[name][0] for name in _UPDATED if name in meta), *later]
    return published, wording, next((text for text in updated if parse_date(text)), "")


def _authors(root: lxml_html.HtmlElement, meta: Meta) -> list[Person]:
    for name in _AUTHORS:
        said = [one_line(text) for text in meta.get(name, ()) if "://" not in text]
        if said:
            return [Person(name=text) for text in unique(said)]
    marked = root.xpath("//a[@rel='author'] | //*[@itemprop='author']")
    found = {words(element): element.get("href") for element in marked}
    return [Person(name=name, uri=uri) for name, uri in found.items() if 0 < len(name) <= 100]


def _tags(root: lxml_html.HtmlElement, meta: Meta, article: LinkedArticle) -> Sequence[str]:
    found = [word for name in _KEYWORDS for text in meta.get(name, ()) for word in text.split(",")]
    found += [text for name in _TAGS for text in meta.get(name, ())]
    found += [words(element) for element in root.xpath("//a[contains(@rel, 'tag')]")]
    return unique([*article.tags, *found])[:_MOST_TAGS]


def _canonical(root: lxml_html.HtmlElement, meta: Meta, article: LinkedArticle) -> str | None:
    said = [element.get("href") or "" for element in root.xpath("//link[@rel='canonical']")]
    for url in (*said, _first(meta, "og:url"), article.url):
        if _is_web(url.strip()):
            return url.strip()
    return None


def _base(root: lxml_html.HtmlElement, link: str | None) -> str | None:
    for element in root.iter("base"):
        url = _joined(link, (element.get("href") or "").strip())
        return url if url and _is_web(url) else link
    return link


def _joined(base: str | None, url: str) -> str | None:
    try:
        return urljoin(base or "", url)
    except ValueError:
        return None


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme.lower() in {"http", "https"} and bool(parts.netloc)


def _picture(image: str, kind: str, base: str | None, content: str) -> tuple[Extension, ...]:
    """The page's own picture, unless the text shows it anyway or nobody knows what it is."""
    url = _joined(base, image.strip()) if image else None
    if not url or not _is_web(url):
        return ()
    path = urlsplit(url).path
    kind = kind or mimetypes.guess_type(path)[0] or ""
    if not kind.startswith("image/") or path.rpartition("/")[2] in content:
        return ()
    return (Extension(name="media:thumbnail", attributes=(("url", url),)),)


def _content(root: lxml_html.HtmlElement, article: LinkedArticle, title: str) -> str:
    """The main text as HTML; changes the tree."""
    bodies = root.xpath("//body")
    body = bodies[0] if bodies else root
    drop_hidden(body)
    total = len(words(body))
    shown = inner(body)
    drop([e for e in body.iter(*_SURROUNDINGS) if e is not body])
    drop([e for e in body.iter() if e is not body and e.get("role") in _ROLES])
    drop([e for e in body.iter("noscript") if e.find(".//img") is None])
    main = _main(body)
    for heading in main.xpath("(.//h1 | .//h2)[position() <= 3]"):
        if words(heading) == title:
            drop([heading])
            break
    length = len(words(main))
    # a page that shows little of the article: a script was to write the rest
    if len(article.body) > 2 * length:
        is_html = "</p>" in article.body
        return article.body if is_html else paragraphs(article.body)
    if length or main.xpath(".//img | .//video | .//audio"):
        return inner(main)
    return shown if total else ""


def _main(body: lxml_html.HtmlElement) -> lxml_html.HtmlElement:
    """The element that holds the article."""
    total = len(words(body))
    for path, share in (
        (".//*[contains(@itemprop, 'articleBody')]", 0.0),
        # a page may show many articles, all of them but teasers of others
        (".//article", 0.25),
        (".//main | .//*[@role='main']", 0.0),
    ):
        found = [(len(words(element)), element) for element in body.xpath(path)]
        length, longest = max(found, key=lambda pair: pair[0], default=(0, body))
        if length > share * total:
            return longest
    return _densest(body)


def _densest(body: lxml_html.HtmlElement) -> lxml_html.HtmlElement:
    """The element with most text in paragraphs of its own, if that is most of the page's text."""
    best, most = body, 0
    for element in body.iter("div", "section", "td"):
        own = sum(len(words(child)) for child in element if child.tag in _BLOCKS)
        if own > most:
            best, most = element, own
    return best if most * 2 > len(words(body)) else body
