"""What each term asks of an entry."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from feedsvc.model import Entry, Link, Person, Tag, Text
from feedsvc.query import matches, moment, parse, searchable
from feedsvc.query.text import _chunk, lasting_tokens, plain, tokens

NOW = datetime(2025, 4, 12, 8, 0, 42, tzinfo=UTC)

ENTRY = Entry(
    id="tag:localhost,2026:istanbul",
    fallback_id="tag:localhost,2026:istanbul-2",
    key="aaaaaaaaaaaab",
    source_id="seeds",
    uid="istanbul.txt",
    title="Istanbul Diplomacy: U.S. and Russia Seek to Normalize Embassy Operations",
    published=datetime(2025, 4, 10, tzinfo=UTC),
    updated=datetime(2025, 4, 11, tzinfo=UTC),
    dated=True,
    digest="",
    link="https://example.org/istanbul",
    links=(Link(href="https://example.org/a.mp3", rel="enclosure", type="audio/mpeg"),),
    summary=Text(value="Delegations met in Istanbul & talked: 1 < 2."),
    content=Text(
        value='<p>On <em>Thurs</em>day, the <a href="https://example.org/?q=hidden" '
        'title="a > b">Russian consulate</a></p><p>reopened.</p><ul><li>one</li><li>two</li></ul>'
        "<!-- secret --><p>Caf&eacute; Fr&#252;h</p>",
        type="html",
    ),
    credit="(With inputs from agencies.)",
    authors=(Person(name="Jane Smith", email="jane@example.org"), Person(name="Łukasz Nowak")),
    tags=(
        Tag(slug="russia", label="Russia", origin="auto"),
        Tag(slug="united-states", label="United States", origin="folder"),
    ),
    lang="en-US",
)


def asks(text: str, entry: Entry = ENTRY, *, related: bool = False) -> bool:
    return matches(
        parse(text), entry, source_kind="directory", related=related, now=NOW, story="ab2c"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "istanbul",
        "ISTANBUL",
        '"embassy operations"',
        '"diplomacy U.S. and"',
        "thursday",
        "cafe",
        "früh",
        '"russian consulate"',
        '"1 2"',
        "title:normalize",
        'title:"seek to normalize"',
        "author:smith",
        'author:"jane smith"',
        "tag:russia",
        'tag:"United States"',
        "source:seeds",
        "lang:en",
        "lang:en-us",
        "kind:directory",
        "story:ab2c",
        "has:enclosure has:link has:author has:credit",
        "since:2025-04-10",
        "since:2025-04 until:2025-05",
        "until:2025-04-10T00:01Z",
        "since:56h",
        "until:2880m",
        "-tag:sports",
        "tag:sports OR tag:russia",
        "tag:russia -(tag:sports OR tag:weather)",
    ],
)
def test_holds(text: str) -> None:
    assert asks(text)
    assert not text or not asks(f"-({text})")


@pytest.mark.parametrize(
    "text",
    [
        "agencies",
        "hidden",
        "secret",
        "thurs",
        "onetwo",
        '"consulate reopened two"',
        '"operations delegations"',
        '"operations embassy"',
        "jane",
        "title:delegations",
        "author:istanbul",
        "author:example",
        "tag:united",
        "source:bbc",
        "lang:e",
        "lang:de",
        "lang:en-us-x",
        "kind:feed",
        "story:zz",
        "has:related",
        "since:2025-04-10T00:00:00.000001Z",
        "until:2025-04-10",
        "since:55h",
        "until:57h",
    ],
)
def test_does_not_hold(text: str) -> None:
    assert not asks(text)
    assert asks(f"-{text}")


def test_has_asks_for_at_least_one() -> None:
    bare = replace(ENTRY, link=None, links=(Link(href="https://example.org/"),), credit="")
    bare = replace(bare, authors=(), lang=None, summary=None, content=None)
    for what in ("enclosure", "link", "author", "credit", "related"):
        assert not asks(f"has:{what}", bare)
    assert asks("has:related", bare, related=True)
    assert not asks("lang:en", bare)
    assert not asks("consulate", bare)


def test_spans_count_from_the_whole_minute() -> None:
    minute = datetime(2025, 4, 12, 8, 0, tzinfo=UTC)
    assert moment(timedelta(hours=1), NOW) == minute - timedelta(hours=1)
    assert moment(NOW, NOW) == NOW
    entry = replace(ENTRY, published=minute - timedelta(minutes=5))
    assert asks("since:5m", entry)
    assert not asks("until:5m", entry)


def test_what_is_searched_is_told_once() -> None:
    found = searchable(ENTRY)
    assert " ".join(found.summary) == "delegations met in istanbul talked 1 2"
    assert " ".join(found.body) == "on thursday the russian consulate reopened one two cafe fruh"
    assert found.author == ("jane", "smith", "lukasz", "nowak")


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("a<br>b", "a b"),
        ("<b>I</b>stanbul", "Istanbul"),
        ("<B>I</B>stanbul", "Istanbul"),
        ("x<td>1</td><td>2</td>", "x 1 2"),
        ("1 &lt; 2 &amp;amp; 3", "1 < 2 &amp; 3"),
        ('<img alt="a > b" src="x">c', "c"),
        ("<!-- <p>no</p> -->yes", "yes"),
    ],
)
def test_markup_parts_words_only_between_blocks(html: str, words: str) -> None:
    assert plain(Text(value=html, type="html")).split() == words.split()


def test_plain_text_is_left_alone() -> None:
    assert plain(Text(value="1 <b> 2 &amp;")) == "1 <b> 2 &amp;"
    assert plain(None) == ""


def test_typographic_signs_part_words_as_in_other_text() -> None:
    chance = Random(0)
    signs = "\xa0‘’“”–—…"
    for _ in range(2000):
        text = "".join(chance.choices(f"{signs}aZé9_ \u0301™ß中-.'", k=chance.randint(1, 30)))
        # as if each chunk was folded and searched by itself
        assert tokens(text) == [found for chunk in text.split() for found in _chunk(chunk)]


def test_what_is_forgotten_keeps_the_tokens_it_was_known_by() -> None:
    text = "Łódź Straße co\u00adop हिन्दी 東京x ภาษา U.S. Élysée"
    known = "łodz strasse co op ह नद 東 京 x ภ า ษ า u s elysee"
    assert " ".join(lasting_tokens(text)) == known
    assert lasting_tokens("U.S. 2025") == ["u", "s", "2025"]


def test_ascii_text_has_the_tokens_it_has_among_other_letters() -> None:
    chance = Random(1)
    letters = [*map(chr, range(128)), "a" * 99, "b" * 101, " "]
    for _ in range(2_000):
        text = "".join(chance.choices(letters, k=30))
        assert tokens(text) == tokens(f"{text} é")[:-1]
    assert tokens("x" * 130) == ["x" * 100]
    assert tokens("Snake_case, U.S.\x1fA\tB") == ["snake", "case", "u", "s", "a", "b"]


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Łódź Đorđe Ørsted", "lodz dorde orsted"),
        ("KIRIKKALE Kırıkkale İzmir", "kirikkale kirikkale izmir"),
        ("Ægir œuvre ĲSSEL straße ẞ ﬁn", "aegir oeuvre ijssel strasse ss fin"),
        ("Þórður Guðni Ħal ŋ ĸ ſ", "thordur gudni hal n q s"),
        ("Ɓ ƕ Ǥ ɛ ɔ ɖ ᴛᴇᴀ ꜳ Ⱥ", "b hv g e o d tea aa a"),
        ("inter\xadna\u200btio\u2060nal \ufeffbegin \u200e12\u200f", "international begin 12"),
        ("می\u200cخواهم क\u200dष", "میخواهم कष"),
        ("e\u034f\u0301te a\ufe0fb 1\ufe0f\u20e3", "ete ab 1"),
        ("Hawaiʻi Qurʾan п\u02bcять", "hawai i qur an п ять"),
        ("हिन्दी தமிழ் বাংলা", "हिनदी தமிழ বাংলা"),
        ("مـحـمـد مُحَمَّد", "محمد محمد"),
        ("ที่", "ท ี"),
        # letters of their own, and not accents
        ("ə ʃ ʒ ѓ ґ 東", "ə ʃ ʒ г ґ 東"),
    ],
)
def test_words_are_told_by_their_letters(written: str, folded: str) -> None:
    assert " ".join(tokens(written)) == folded


def test_latin_letters_with_marks_are_those_of_the_standard_lists() -> None:
    # of the letters that CLDR's Latin-ASCII and Lucene's ASCIIFoldingFilter both list, those that
    # no decomposition covers
    listed = (
        "æae ðd øo þth đd ħh ıi ĸq łl ŋn œoe ŧt ƀb ƃb ƈc ƌd ƒf ƕhv ƙk ƚl ƞn ƥp ƫt ƭt ƴy ƶz ǥg ȡd"
        " ȥz ȴl ȵn ȶt ȷj ȸdb ȹqp ȼc ȿs ɀz ɇe ɉj ɍr ɏy ɓb ɕc ɖd ɗd ɛe ɟj ɠg ɡg ɢg ɦh ɨi ɪi ɫl ɬl ɭl"
        " ɱm ɲn ɳn ɴn ɶoe ɼr ɽr ɾr ʀr ʂs ʈt ʉu ʋv ʏy ʐz ʑz ʙb ʛg ʜh ʝj ʟl ʠq ʣdz ʥdz ʦts ʪls ʫlz"
        " ᴀa ᴁae ᴃb ᴄc ᴅd ᴆd ᴇe ᴊj ᴋk ᴌl ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ᵬb ᵭd ᵮf ᵯm ᵰn ᵱp ᵲr ᵳr ᵴs ᵵt ᵶz"
        " ᵽp ᶀb ᶁd ᶂf ᶃg ᶄk ᶅl ᶆm ᶇn ᶈp ᶉr ᶊs ᶌv ᶍx ᶎz ᶏa ᶑd ᶒe ᶓe ᶖi ᶙu ẜs ẝs ỻll ỽv ỿy ⱡl ⱥa ⱦt"
        " ⱨh ⱪk ⱬz ⱱv ⱳw ⱴv ⱸe ⱺo ꜰf ꜱs ꜳaa ꜵao ꜷau ꜹav ꜻav ꜽay ꝁk ꝃk ꝅk ꝉl ꝋo ꝍo ꝏoo ꝑp ꝓp ꝕp ꝗq"
        " ꝙq ꝟv ꝡvy ꝥth ꝧth ꝺd ꝼf"
    )
    for pair in listed.split():
        for letter in (pair[0], pair[0].upper()):
            assert tokens(letter) == [pair[1:]]
