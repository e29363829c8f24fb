"""Documents made to do harm: nothing outside is read, nothing expands, nothing takes forever.

No clock is looked at: a document that took quadratic time would not come to its end within the
patience of anyone who runs the suite.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from feedsvc.errors import ParseError
from feedsvc.model import Source
from feedsvc.sources.base import Fetched, Reading
from feedsvc.sources.webfeed import Body, FeedReader, parse_feed

ATTACKS = Path(__file__).parent.parent / "data" / "xml-attacks"
HEAD = b"<rss version='2.0'><channel><title>x</title>"
TAIL = b"</channel></rss>"
MANY = 300_000


def feed_with(doctype: bytes, text: bytes) -> bytes:
    return doctype + HEAD + b"<item><title>" + text + b"</title></item>" + TAIL


def attempt(body: bytes) -> Reading | ParseError:
    try:
        return parse_feed(body, url="https://example.org/")
    except ParseError as error:
        return error


def titles(body: bytes) -> str:
    return " ".join(one.title.value for one in parse_feed(body).entries if one.title)


@pytest.mark.parametrize("path", sorted(ATTACKS.glob("*.xml")), ids=lambda path: path.name)
def test_attacks_are_refused(path: Path) -> None:
    with pytest.raises(ParseError):
        parse_feed(path.read_bytes())


def test_external_entities_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    for trick in (b"", b"<!-- <x> -->"):  # a start tag in a comment hides the rest of the prolog
        for declaration in (
            f'<!DOCTYPE rss [<!ENTITY e SYSTEM "{secret.as_uri()}">]>',
            f'<!DOCTYPE rss [\n<!ENTITY % p SYSTEM "{secret.as_uri()}">\n%p;\n]>',
            f'<!DOCTYPE rss SYSTEM "{secret.as_uri()}">',
        ):
            found = titles(feed_with(trick + declaration.encode(), b"a &e; b"))
            assert "secret" not in found
            assert found.startswith("a")


@pytest.mark.parametrize("trick", [b"", b"<!-- <x> -->"], ids=["plain", "hidden"])
def test_entities_within_entities_do_not_expand(trick: bytes) -> None:
    levels = b"".join(
        b'<!ENTITY e%d "%s">\n' % (level, b"&e%d;" % (level - 1) * 10) for level in range(1, 10)
    )
    doctype = trick + b'<!DOCTYPE rss [\n<!ENTITY e0 "lol">\n' + levels + b"]>"
    assert len(titles(feed_with(doctype, b"&e9;"))) < 10_000


def test_a_long_entity_many_times_over_is_refused() -> None:
    doctype = b'<!DOCTYPE rss [\n<!ENTITY e "' + b"x" * 100_000 + b'">\n]>\n'
    with pytest.raises(ParseError, match="would expand to many times its size"):
        parse_feed(feed_with(doctype, b"&e;" * 10_000))
    assert len(titles(feed_with(doctype, b"&e;"))) == 100_000


def test_small_entities_of_old_feeds_still_work() -> None:
    doctype = b'<!DOCTYPE rss [\n<!ENTITY nbsp "&#160;">\n<!ENTITY me "Ann">\n]>\n'
    assert titles(feed_with(doctype, b"by&nbsp;&me;")) == "by\xa0Ann"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\n" * MANY + HEAD + TAIL, id="blank lines"),
        pytest.param(b"<!DOCTYPE x [" + b"\n" * MANY + b"]>" + HEAD + TAIL, id="blank doctype"),
        pytest.param(b"<!DOCTYPE x [" + b"] " * MANY, id="brackets"),
        pytest.param(b"<" * MANY, id="openers"),
        pytest.param(HEAD + b"<item><title>" + b"</" * MANY, id="closers"),
        pytest.param(HEAD + b"<item><title>" + b"<a " * (MANY // 5), id="half tags"),
        pytest.param(b"<!--" * MANY, id="comments"),
        pytest.param(b"<?" * MANY, id="instructions"),
        pytest.param(HEAD + b"<item><title>" + b"<![CDATA[" * MANY, id="cdata"),
        pytest.param(HEAD + b"<item>" + b"<a>" * (MANY // 10), id="nested"),
        pytest.param(feed_with(b"", b"&x;" * MANY), id="references"),
        pytest.param(
            HEAD + b"<item " + b" ".join(b"a%d='1'" % n for n in range(50_000)) + b"/>" + TAIL,
            id="attributes",
        ),
        pytest.param(
            HEAD
            + b"<item>"
            + b"".join(b"<category>%d</category>" % n for n in range(20_000))
            + b"</item>"
            + TAIL,
            id="categories",
        ),
        pytest.param(
            HEAD
            + b"<item><author>"
            + b"a" * MANY
            + b"@"
            + b"a." * MANY
            + b"</author></item>"
            + TAIL,
            id="author",
        ),
        pytest.param(
            HEAD + b"<item><pubDate>" + b"1 " * MANY + b"</pubDate></item>" + TAIL, id="date"
        ),
        pytest.param(b"<html>" + b"<link rel=alternate href=/x>" * (MANY // 10), id="links"),
        pytest.param(b"[" * MANY, id="json lists"),
        pytest.param(b'{"a":' * MANY, id="json objects"),
    ],
)
def test_nothing_takes_forever(body: bytes) -> None:
    outcome = attempt(body)
    assert len(outcome.entries) <= 1 if isinstance(outcome, Reading) else len(str(outcome)) < 500


def test_an_element_made_of_attributes_is_refused() -> None:
    attributes = b" ".join(b"a%d='1'" % number for number in range(1001))
    with pytest.raises(ParseError, match="an element has 1,001 attributes"):
        parse_feed(HEAD + b"<item " + attributes + b"/>" + TAIL)


@pytest.mark.parametrize("close", [b"", b"</a>"], ids=["open", "closed"])
def test_elements_nested_beyond_all_reason_are_refused(close: bytes) -> None:
    """Each names a base relative to that of the one around it, which would grow with the square."""
    count = MANY // 3
    body = HEAD + b"<item>" + b"<a xml:base='x/'>" * count + close * count + b"</item>" + TAIL
    with pytest.raises(ParseError, match="elements are nested more than 1,000 deep"):
        parse_feed(body)
    deep = b"<p>" * 900 + b"</p>" * 900
    assert parse_feed(HEAD + b"<item><title>T</title>" + deep + b"</item>" + TAIL).entries


def test_elements_that_are_never_closed_are_no_nesting() -> None:
    """As in feeds that have HTML where XML should be."""
    items = b"".join(
        b"<item><title>T%d</title><guid>%d</guid><x><br><br><br><img></x></item>" % (n, n)
        for n in range(1000)
    )
    assert len(parse_feed(HEAD + items + TAIL).entries) == 1000


@pytest.mark.parametrize("encoding", ["punycode", "idna", "undefined", "unicode_escape", "zlib"])
def test_encodings_that_are_none(encoding: str) -> None:
    prolog = f"<?xml version='1.0' encoding='{encoding}'?>".encode()
    if encoding == "zlib":  # not of text: unknown like any other nonsense
        assert titles(feed_with(prolog, b"a")) == "a"
        return
    with pytest.raises(ParseError, match=f"its encoding '{encoding}' is not one for documents"):
        parse_feed(feed_with(prolog, b"a"))
    headers = {"content-type": f"text/xml; charset={encoding}"}
    with pytest.raises(ParseError, match="is not one for documents"):
        parse_feed(feed_with(b"", b"a"), headers=headers)


@pytest.mark.parametrize("declared", ["", " encoding='utf-8'", " encoding='iso-8859-1'"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_encodings_that_show_in_the_first_bytes_whatever_is_declared(
    encoding: str, declared: str
) -> None:
    text = f"<?xml version='1.0'{declared}?>" + feed_with(b"", b"x").decode().replace("x", "你")
    headers = {"content-type": "text/xml; charset=utf-8"} if declared else {}
    (entry,) = parse_feed(text.encode(encoding), headers=headers).entries
    assert entry.title is not None
    assert entry.title.value == "你"


def test_a_feed_of_more_entries_than_can_be_written_at_once_is_cut() -> None:
    items = ",".join(
        f'{{"id":"{n}","date_published":"2025-01-{n % 28 + 1:02}T00:00:00Z"}}'
        for n in range(21_000)
    )
    body = f'{{"version":"https://jsonfeed.org/version/1.1","items":[{items}]}}'.encode()
    source = Source(id="a", kind="feed", location="https://example.org/")
    fetched = Fetched(payload=Body(body=body, url=source.location, headers={}))
    reading = FeedReader().parse(source, fetched)
    assert len(reading.entries) == 20_000
    assert reading.problems[0].message == "it has 21,000 entries; the newest 20,000 are taken"
    days = {entry.published.day for entry in reading.entries if entry.published}
    assert 28 in days
    assert 1 not in days
    # one that was told to take fewer has no problem
    few = FeedReader().parse(replace(source, max_entries=7), fetched)
    assert (len(few.entries), few.problems) == (7, ())


@pytest.mark.parametrize("name", ["../../x", "x" * 300, "🙂", "", "'"])
def test_encodings_with_impossible_names(name: str) -> None:
    headers = {"content-type": f"text/xml; charset={name}"}
    assert parse_feed(feed_with(b"", b"a"), headers=headers).entries


def test_an_encoding_with_a_nul_in_its_name() -> None:
    with pytest.raises(ParseError, match="its encoding cannot be made out"):
        parse_feed(feed_with(b"<?xml version='1.0' encoding='a\0b'?>", b"a"))


@pytest.mark.parametrize(
    "odd",
    [
        "<psc:chapter title='x'/>",
        "<psc:chapters><psc:chapter/></psc:chapters>",
        "<media:title><media:player/></media:title></media:player>",
        "<image><width/></image>",
        "<cc:license/>",
    ],
)
def test_an_element_in_an_odd_place_costs_itself_only(odd: str) -> None:
    body = (
        '<rss xmlns:psc="http://podlove.org/simple-chapters" '
        'xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:cc="http://backend.userland.com/creativeCommonsRssModule">'
        f"<channel><title>C</title>{odd}<item><title>One</title>{odd}</item>"
        "<item><title>Two</title></item></channel></rss>"
    ).encode()
    entries = parse_feed(body).entries
    assert [entry.title.value for entry in entries if entry.title] == ["One", "Two"]


def test_a_namespace_with_blanks_in_its_name() -> None:
    space = b"a&#160;b&#160;c&#160;d"
    body = b'<rss xmlns:x="%s"><channel><item><x:y/><title>T</title></item></channel></rss>' % space
    reading = parse_feed(body)
    assert len(reading.entries) == 1
    assert "a blank in it" in reading.problems[0].message
