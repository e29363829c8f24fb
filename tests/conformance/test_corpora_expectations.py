"""feedparser's own test documents: what each expects, of the entries that our pipeline makes of it.

Every `Expect:` line is taken apart, and each part is either met, or is a difference that stands in
`DIFFERENCES` with its reason. A reason that no document needs any more fails.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from feedparser.datetimes import _parse_date

from feedsvc.normalise.html import clean, plain, to_text
from feedsvc.normalise.people import one_line
from feedsvc.normalise.text import clean_text, language
from feedsvc.normalise.urls import SCHEMES, clean_url

from .corpora_view import ADDRESS, DATA, Check, Other, Result, checks, documents, read, told, view

CORPUS = "feedparser-tests"
CASES = [path for path in documents(CORPUS) if path.parent.name != CORPUS]
_SHOWN = re.compile(r"<(?:audio|iframe|img|math|video)\b")
_DATES = frozenset({"created", "issued", "modified", "published", "updated"})
_HEAD_END = re.compile(rb"</(?:channel|feed|rdf:RDF)\s*>", re.IGNORECASE)
_ENTRY = re.compile(rb"<(?:item|entry)(?:\s[^>]*)?>")
_MISSING = object()


@dataclass(frozen=True)
class Case:
    """A document with its result, ours in feedparser's words, and its header fields."""

    name: str
    body: bytes
    headers: Mapping[str, str]
    result: Result
    view: dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """Something we do differently on purpose, and where that is what makes the difference."""

    reason: str
    applies: Callable[[Case, Check], bool]


def case(path: Path) -> tuple[Case, list[Check]]:
    body = path.read_bytes()
    expression, headers = told(body)
    name = str(path.relative_to(DATA))
    # the address that the document says it has stands for the one it was fetched from (RFC 9110
    # took Content-Location's say in this away)
    place = urljoin(ADDRESS + name, headers.get("content-location", ""))
    place = place if place.startswith("http") else ADDRESS + name
    result = read(body, place.removeprefix(ADDRESS), headers, url=place)
    if result.error and "no entry could be read" in str(result.error):
        # an ill-formed document without entries is an error; with one its head can be looked at
        found = _HEAD_END.search(body)
        added = b"<item><title>An entry</title></item>"
        if found and found[0].startswith(b"</feed"):
            added = b"<entry><title>An entry</title></entry>"
        if found:
            filled = body[: found.start()] + added + body[found.start() :]
            result = read(filled, name, headers, url=place)
    elif result.reading and any(
        "nothing to show" in one.message for one in result.reading.problems
    ):
        # nor is an entry one that says nothing to people; with a title its rest can be looked at
        filled = _ENTRY.sub(rb"\g<0><title>An entry</title>", body)
        result = read(filled, name, headers, url=place)
    return Case(name, body, headers, result, view(result)), list(checks(expression))


# -- what is expected, held against what came --------------------------------------------


def value(case: Case, check: Check) -> object:
    found: Any = case.view
    for part in check.path:
        if part == "len()":
            found = len(found) if found is not _MISSING else 0
        elif part == "ord()":
            found = ord(found)
        else:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return _MISSING
    return found


def met(case: Case, check: Check) -> bool:
    """Whether an expectation is met, the two sides written in the same way first."""
    if check.path == ("bozo",):
        said = case.result.reading.problems if case.result.reading else ()
        ill = case.result.error is not None or any("ill-formed" in one.message for one in said)
        return ill == (check.op == "true")
    if (
        check.op == "=="
        and {"links", "enclosures"} & {*check.path[:-1]}
        and "len()" not in check.path
    ):
        return any(_alike(case, found, check.value) for found in _linked(case, check))
    found = value(case, check)
    if isinstance(check.value, Other):
        return found is not _MISSING and found == value(case, Check(check.value.path, "==", None))
    match check.op:
        case "==":
            if check.value in (None, "", {}):
                return found is _MISSING or found is None
            return _alike(case, found, check.value) or _same_moment(case, check)
        case "!=":
            return not _alike(case, found, check.value)
        case "true":
            return found is not _MISSING and bool(found)
        case "false":
            return found is _MISSING or not found
        case "startswith":
            return isinstance(found, str) and found.startswith(str(check.value))
        case "in":
            return isinstance(found, str) and str(check.value) in found
        case "not in":
            return found is _MISSING or str(check.value) not in str(found)
    raise AssertionError(f"unheard-of comparison: {check.op}")


def _linked(case: Case, check: Check) -> Iterator[object]:
    """The values in place of `links[3]['rel']`: order is none of a link's meaning."""
    at = next(i for i, part in enumerate(check.path) if part in ("links", "enclosures"))
    links = value(case, Check(check.path[: at + 1], "==", None))
    for link in links if isinstance(links, list) else ():
        rest = check.path[at + 2 :]
        yield link.get(rest[0], _MISSING) if rest else link


def _alike(case: Case, found: object, expected: object) -> bool:
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            _alike(case, found.get(key, _MISSING), one) for key, one in expected.items()
        )
    if isinstance(expected, tuple) and isinstance(found, tuple):
        return found[:6] == expected[:6]
    if not isinstance(expected, str):
        return found == expected
    if found is _MISSING:  # what shows nothing is not there
        return not _shows(expected)
    if not isinstance(found, str):
        return False
    base = case.result.source.location
    return found in {
        expected,
        clean_text(expected),
        one_line(expected),
        plain(expected),
        clean(expected, base=base),
        language(expected) or expected,
    } or found == clean_url(expected, base, schemes=SCHEMES)


def _shows(html: str) -> bool:
    safe = clean(html)
    return bool(to_text(safe).strip() or _SHOWN.search(safe))


def _same_moment(case: Case, check: Check) -> bool:
    """Whether a date of the same meaning came, where the wording of it is not kept."""
    if check.path[-1] not in _DATES or not isinstance(check.value, str):
        return False
    path = (*check.path[:-1], f"{check.path[-1]}_parsed")
    found, wanted = value(case, Check(path, "==", None)), _parse_date(check.value)
    return isinstance(found, tuple) and wanted is not None and found[:6] == wanted[:6]


# -- what we do differently --------------------------------------------------------------


def _keys(*names: str) -> Callable[[Case, Check], bool]:
    """Applies to values of these names, with whatever is in them."""
    return lambda case, check: any(
        check.key == name or check.key.startswith(f"{name}.") for name in names
    )


def _last(*names: str) -> Callable[[Case, Check], bool]:
    return lambda case, check: check.path[-1] in names


_HEAD_ONLY = ("feed", "source")
_TEXTS = frozenset(
    {"copyright", "description", "info", "rights", "subtitle", "tagline", "title", "value"}
)


def _in_head(*names: str) -> Callable[[Case, Check], bool]:
    """Applies to values of a feed's head, or of an `atom:source`."""
    return lambda case, check: any(
        f".{head}.{name}." in f".{check.key}." for head in _HEAD_ONLY for name in names
    )


def _is_text(check: Check) -> bool:
    """Whether a value is one that we keep as a text without markup."""
    return (
        check.path[-1] in _TEXTS
        and not {"content", "summary"} & {*check.path[:-1]}
        and ("description" not in check.path or check.path[0] == "feed")
    )


def _shown_as_text(case: Case, check: Check) -> bool:
    text = to_text(clean(str(check.value))).strip()
    return _is_text(check) and not text and value(case, check) in (_MISSING, "Untitled")


def _said(*parts: str) -> Callable[[Case, Check], bool]:
    """Applies where the document itself holds one of these."""
    return lambda case, check: any(part.encode() in case.body for part in parts)


def _all(*tests: Callable[[Case, Check], bool]) -> Callable[[Case, Check], bool]:
    return lambda case, check: all(test(case, check) for test in tests)


DIFFERENCES = [
    Difference(
        "what feedparser tells of its own work, not of the feed: format, encoding, exceptions",
        lambda case, check: check.path[0] not in ("feed", "entries", "bozo"),
    ),
    Difference(
        "an encoding other than the declared one is no problem where the text can be read",
        lambda case, check: check.key == "bozo" and check.op == "true",
    ),
    Difference(
        "an ill-formed document without any entry is an error, and nothing of it is kept",
        lambda case, check: "no entry could be read" in str(case.result.error),
    ),
    Difference(
        "a text field is text: one that is merely a picture shows nothing",
        _shown_as_text,
    ),
    Difference(
        "of a feed's head that is kept which `atom:source` says of it, and the hub; what it says "
        "of its software, its editors, its podcast directory or its search form is not",
        _in_head(
            "cloud",
            "contributors",
            "created",
            "created_parsed",
            "docs",
            "generator",
            "generator_detail",
            "info",
            "info_detail",
            "itunes_block",
            "itunes_explicit",
            "newlocation",
            "publisher",
            "publisher_detail",
            "textinput",
            "thr_in-reply-to",
            "ttl",
            "validity_end",
            "validity_end_parsed",
            "validity_start",
            "validity_start_parsed",
        ),
    ),
    Difference(
        "of a feed's picture the address is kept",
        _in_head("image"),
    ),
    Difference(
        "of a feed's links those to its page, itself and its hub are kept, as addresses",
        _in_head("links"),
    ),
    Difference(
        "of the link to an entry's own page the address is kept",
        lambda case, check: (
            check.path[2:3] == ("links",)
            and any(entry.get("link") for entry in case.view["entries"])
        ),
    ),
    Difference(
        "a link to where an entry itself can be fetched is not kept",
        lambda case, check: "links" in check.path and check.value == "self",
    ),
    Difference(
        "content that lies elsewhere is a link",
        lambda case, check: (
            check.path[-1] == "src"
            and any(link["href"] == check.value for link in case.view["entries"][0]["links"])
        ),
    ),
    Difference(
        "URLs are made absolute at once, and what they were relative to is not kept",
        _last("base"),
    ),
    Difference(
        "an id is a name: it is never resolved against a base",
        lambda case, check: check.path[-1] == "id" and str(value(case, check)).startswith("/"),
    ),
    Difference(
        "a title, like a feed's texts, is in the language of its entry or feed",
        lambda case, check: (
            check.path[-1] == "language" and str(check.path[-2]).endswith("_detail")
        ),
    ),
    Difference(
        "an empty `xml:lang` does not undo the language of the feed",
        lambda case, check: check.path[-1] == "language" and check.value is None,
    ),
    Difference(
        "XHTML has become HTML",
        lambda case, check: check.value == "application/xhtml+xml",
    ),
    Difference(
        "what is neither text nor HTML, such as `application/octet-stream`, is not shown",
        _said('type="application/octet-stream"'),
    ),
    Difference(
        "a frame of a stranger becomes a link; one that is never closed holds all that follows",
        _said("<iframe", "&lt;iframe", "<embed", "&lt;embed"),
    ),
    Difference(
        "HTML is read as browsers read it (html5ever), with its bogus comments and broken scripts",
        _said(
            "<!'",
            "<!DOCTYPE ~",
            "&lt;!DOCTYPE",
            "&lt;!'",
            "Can Your Regex Parse This",
            "CDATA[&lt;![CDATA[",
            "CDATA[<![CDATA[",
        ),
    ),
    Difference(
        "bytes that are no text in the encoding they are said to be in may be read otherwise",
        lambda case, check: "linenoise" in case.name,
    ),
    Difference(
        "that a guid is a permalink shows in the entry's link being the same",
        _keys("entries.guidislink"),
    ),
    Difference(
        "elements of unheard-of names are not kept",
        _keys("entries.madeup_element", "entries.abcdefg"),
    ),
    Difference(
        "what stands in an element of another vocabulary is kept as it is, blanks around it aside",
        lambda case, check: check.path[-1] in ("itunes_block", "itunes_explicit"),
    ),
    Difference(
        "coordinates are kept as they are written: what they mean is for their reference system",
        lambda case, check: check.path[2:3] == ("where",),
    ),
    Difference(
        "an entry's date of expiry is not kept",
        _keys("entries.expired", "entries.expired_parsed"),
    ),
]


def test_expectations_of_feedparser_are_met(record_property: Callable[[str, object], None]) -> None:
    cases = made = 0
    unmet: list[str] = []
    used: Counter[str] = Counter()
    for path in CASES:
        one, expected = case(path)
        cases += 1
        for check in expected:
            made += 1
            if met(one, check):
                continue
            reasons = [each.reason for each in DIFFERENCES if each.applies(one, check)]
            used.update(reasons[:1])
            if not reasons:
                unmet.append(f"{one.name}: {check} but {value(one, check)!r} {one.result.error}")
    assert not unmet, f"{len(unmet)} unmet:\n" + "\n".join(unmet)
    assert [one.reason for one in DIFFERENCES if not used[one.reason]] == []
    record_property(
        "figures",
        f"feedparser's expectations: {cases} cases, {made} checks, {len(DIFFERENCES)} listed "
        f"differences met {sum(used.values())} times",
    )


def test_an_unmet_expectation_is_seen() -> None:
    one, (bozo, title) = case(DATA / CORPUS / "wellformed/rss/item_title.xml")
    assert met(one, bozo)
    assert met(one, title)
    assert not met(one, Check(title.path, "==", "Another title"))
    assert not met(one, Check(("entries", 0, "link"), "==", "http://example.com/"))
    assert not met(one, Check(("entries", 0, "published_parsed"), "==", (2004, 1, 1, 0, 0, 0)))
    assert not any(each.applies(one, title) for each in DIFFERENCES)
