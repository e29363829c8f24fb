"""Plain text that is no news, the bytes it comes in, and the dates that names and texts hold."""

import re
from datetime import UTC, datetime, timedelta, timezone
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.model import ParsedEntry
from feedsvc.sources.documents.base import Document, title_of
from feedsvc.sources.documents.dates import leading_date, name_date, parse_date
from feedsvc.sources.documents.decode import decode, decode_markup, tidy
from feedsvc.sources.documents.text import paragraphs, read_text

ENCODINGS = Path(__file__).parent.parent / "data" / "encodings"


def read(text: str) -> ParsedEntry:
    (entry,) = read_text(Document(path="note.txt", body=text.encode())).entries
    return entry


def test_first_line_is_the_title_and_the_rest_the_body() -> None:
    entry = read("\n  A note\n\nFirst <paragraph>.\n\nSecond.\n")
    assert entry.title is not None
    assert entry.title.value == "A note"
    assert entry.content is not None
    assert entry.content.value == "<p>First &lt;paragraph&gt;.</p>\n<p>Second.</p>"
    assert (entry.summary, entry.published, entry.references) == (None, None, ())


def test_a_title_line_alone_and_an_underlined_one() -> None:
    assert read("A note").content is None
    entry = read("A note\n======\nText.")
    assert entry.content is not None
    assert entry.content.value == "<p>Text.</p>"


def test_a_paragraph_as_first_line_stays_whole_in_the_body() -> None:
    entry = read("word " * 100 + "\nmore")
    assert entry.title is not None
    assert entry.title.value.endswith("word…")
    assert entry.content is not None
    assert entry.content.value.count("word") == 100


def test_wrapped_lines_are_joined_and_short_ones_stay() -> None:
    wrapped = (
        "This line is as long as lines of mail and of old files are,\nand goes on\nhere.\n\nEnd."
    )
    assert paragraphs(wrapped).endswith("files are, and goes on here.</p>\n<p>End.</p>")
    assert paragraphs("Roses are red\nViolets are blue\n\nEnd.") == (
        "<p>Roses are red<br>\nViolets are blue</p>\n<p>End.</p>"
    )
    thing = "another thing, and one much longer than fifty characters"
    assert paragraphs(f"- one thing\n- {thing}\n\nx").startswith(
        f"<p>- one thing<br>\n- {thing}</p>"
    )


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_unicode_is_read_with_and_without_a_mark(encoding: str) -> None:
    text = "Élysée and “quotes”, then plain words\nПривет"
    assert decode(text.encode(encoding)) == text


def test_one_stray_byte_spoils_one_character() -> None:
    assert decode("Élysée ".encode() + b"caf\xe9 \x93x\x94") == "Élysée café “x”"
    assert decode("naïve façade, “à la carte”".encode("cp1252")) == "naïve façade, “à la carte”"


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("koi8-r", "koi8-r"),
        ("cp1251", "windows-1251"),
        ("gb18030", "gb2312"),
        ("shift_jis", "sjis"),
    ],
)
def test_a_declared_charset_is_believed(encoding: str, declared: str) -> None:
    text = (
        "Привет, мир"
        if encoding in {"koi8-r", "cp1251"}
        else "中文新聞"
        if declared[0] == "g"
        else "日本語"
    )
    assert decode(text.encode(encoding), declared) == text
    page = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}"><p>{text}'
    assert text in decode_markup(page.encode(encoding))
    xml = f'<?xml version="1.0" encoding="{declared}"?><p>{text}</p>'
    assert text in decode_markup(xml.encode(encoding))


@pytest.mark.parametrize(
    "declared", ["nonsense", "base64", "rot13", "utf-16", "idna", "ascii", "\0"]
)
def test_a_charset_that_is_none_or_wrong_loses_nothing(declared: str) -> None:
    assert "héllo wörld" in decode_markup(f'<meta charset="{declared}"> héllo wörld'.encode())
    assert decode("héllo".encode(), None if declared == "utf-16" else declared) == "héllo"
    assert decode(b"h\xe9llo", None if declared == "utf-16" else declared) == "héllo"


def test_control_characters_go_and_line_ends_are_one() -> None:
    assert tidy("a\0b\x07c\r\nd\re\x0bf\u2028g\ufeffh\ud800i") == "abc\nd\ne\nf\nghi"


@given(
    st.binary(max_size=200), st.sampled_from([None, "utf-8", "latin-1", "utf-16", "cp1252", "big5"])
)
def test_decoding_never_fails(body: bytes, declared: str | None) -> None:
    decode(body, declared).encode("utf-8")
    decode_markup(body).encode("utf-8")


WESTERN = (
    "àâçéèêëîïôùûüÿ",
    "äöüßÄÖÜ",
    "áéíñóúü¿¡«»",
    "áâãàçéêíóôõú",
    "åäöÅÄÖ",
    "æøåÆØÅ",
    "þðáéíóúýæö",
)


@given(st.sampled_from(WESTERN).flatmap(lambda letters: st.text(letters, max_size=60)))
def test_windows_1252_loses_no_letter(text: str) -> None:
    # a lone Latin-1 letter between ASCII ones cannot be mistaken for UTF-8
    spaced = "x".join(text)
    assert decode(spaced.encode("cp1252")) == spaced


# the first article of the Universal Declaration of Human Rights
RIGHTS = {
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "uk": "Всі люди народжуються вільними і рівними у своїй гідності та правах.",
    "bg": "Всички хора се раждат свободни и равни по достойнство и права.",
    "ja": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "zh": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
    "tw": "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心，並應以兄弟關係的精神相對待。",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "pl": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni "
    "obdarzeni rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa. Żaden "
    "człowiek nie będzie trzymany w niewoli.",
    "cs": "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni "
    "rozumem a svědomím a mají spolu jednat v duchu bratrství.",
    "hu": "Minden emberi lény szabadon születik és egyenlő méltósága és joga van. Az emberek, "
    "ésszel és lelkiismerettel bírván, egymással szemben testvéri szellemben kell hogy "
    "viseltessenek. A törvény előtt mindenki egyenlő, és őt az megilleti.",
    "hr": "Sva ljudska bića rađaju se slobodna i jednaka u dostojanstvu i pravima. Ona su obdarena "
    "razumom i sviješću i trebaju jedna prema drugima postupati u duhu bratstva. Nitko ne smije "
    "biti držan u ropstvu, što već znači mnogo.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits, « là-bas » où "
    "l’été n’est pas l’hiver — ça va de soi.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren; Größe, Öl, Übermut.",
    "is": "Hver maður er borinn frjáls og jafn öðrum að virðingu og réttindum.",
}
LEGACY = [
    *(("ru", "cp1251"), ("ru", "koi8-r"), ("uk", "cp1251"), ("bg", "cp1251"), ("ja", "shift_jis")),
    *(("ja", "euc-jp"), ("ja", "iso-2022-jp"), ("zh", "gb18030"), ("zh", "gb2312"), ("tw", "big5")),
    *(("ko", "euc-kr"), ("pl", "cp1250"), ("pl", "iso8859-2"), ("cs", "cp1250")),
    *(("cs", "iso8859-2"), ("hu", "cp1250"), ("hu", "iso8859-2"), ("hr", "cp1250")),
    *(("hr", "iso8859-2"), ("fr", "cp1252"), ("de", "cp1252"), ("is", "cp1252")),
]


@pytest.mark.parametrize(("language", "encoding"), LEGACY)
def test_an_undeclared_charset_is_guessed(language: str, encoding: str) -> None:
    text = RIGHTS[language]
    for times in (1, 400):
        whole = "\n".join([text] * times)
        assert decode(whole.encode(encoding)) == whole
    page = f"<!doctype html><title>In ASCII</title><div class='x'><p>{text}</p><p>More</p></div>"
    assert decode_markup(page.encode(encoding)) == page
    document = Document(path="a.txt", body=f"{text[:40]}\n\n{text}\n".encode(encoding))
    (entry,) = read_text(document).entries
    assert entry.title is not None
    assert entry.content is not None
    assert entry.title.value == text[:40].strip()
    # the long one is wrapped in a paragraph of its own
    assert text in unescape(entry.content.value)


@pytest.mark.parametrize(("language", "encoding"), LEGACY)
def test_a_declaration_goes_before_a_guess(language: str, encoding: str) -> None:
    text = RIGHTS[language]
    assert decode(text.encode(encoding), encoding) == text
    page = f'<meta charset="{encoding}"><p>{text}</p>'
    assert decode_markup(page.encode(encoding)) == page
    # a declaration of UTF-8 that most bytes belie is none; ISO-2022 is ASCII to look at
    if encoding != "iso-2022-jp":
        assert decode(text.encode(encoding), "utf-8") == text


def test_mostly_utf_8_is_utf_8_for_all_its_stray_bytes() -> None:
    text = f"{RIGHTS['ru']} {RIGHTS['fr']}".encode() + b" caf\xe9 " * 5
    assert decode(text).startswith(RIGHTS["ru"])


def test_a_guess_that_does_not_hold_loses_nothing() -> None:
    # Shift_JIS to begin with, then what is none
    body = RIGHTS["ja"].encode("shift_jis") * 50 + b"\xa0\xfd\xff\x80 " * 2000 + b"the end"
    assert decode(body).endswith("the end")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("encoding_WINDOWS-1251.xml", "Новый цитатник Рунета"),
        ("koi8r.xml", "Пример RSS ленты"),
        ("encoding_ISO-8859-1.xml", "wünschen"),
        ("iso-8859-1-meta-after-1024.html", "édéric"),
    ],
)
def test_files_are_read_with_and_without_their_declaration(name: str, said: str) -> None:
    body = (ENCODINGS / name).read_bytes()
    declared = decode_markup(body)
    assert said in declared
    bare = re.sub(rb"(encoding|charset)=(\"[^\"]*\"|'[^']*'|[\w-]+)", b"", body)
    assert decode_markup(bare) == re.sub(
        r"(encoding|charset)=(\"[^\"]*\"|'[^']*'|[\w-]+)", "", declared
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-04-10", datetime(2025, 4, 10, tzinfo=UTC)),
        ("2025/4/1", datetime(2025, 4, 1, tzinfo=UTC)),
        ("20250410", datetime(2025, 4, 10, tzinfo=UTC)),
        ("20250410T140500Z", datetime(2025, 4, 10, 14, 5, tzinfo=UTC)),
        ("2025-04-10T14:05:00.25+03:00", datetime(2025, 4, 10, 11, 5, 0, 250000, tzinfo=UTC)),
        ("2025-04-10 14:05", datetime(2025, 4, 10, 14, 5, tzinfo=UTC)),
        ("Thu, 10 Apr 2025 14:05:00 -0400", datetime(2025, 4, 10, 18, 5, tzinfo=UTC)),
        ("10 April 2025", datetime(2025, 4, 10, tzinfo=UTC)),
        ("April 10th, 2025", datetime(2025, 4, 10, tzinfo=UTC)),
        ("Thursday, Apr. 10, 2025 at 14:05 UTC", datetime(2025, 4, 10, 14, 5, tzinfo=UTC)),
        ("2025-02-30", None),
        ("2025-04-10T14:05+99:00", None),
        ("April", None),
        ("Thursday", None),
        ("10", None),
        ("2025", None),
        ("14:05", None),
        ("next week 10:00", None),
        ("", None),
    ],
)
def test_dates(text: str, moment: datetime | None) -> None:
    assert parse_date(text) == moment


def test_an_offset_is_kept() -> None:
    found = parse_date("2025-04-10T14:05:00-03:30")
    assert found is not None
    assert found.tzinfo == timezone(-timedelta(hours=3, minutes=30))


@given(st.text(max_size=40) | st.from_regex(r"\A\d{1,4}-\d{1,2}-\d{1,2}[T ]\d\d:\d\d.{0,9}\Z"))
def test_no_text_breaks_the_date_readers(text: str) -> None:
    found = parse_date(text)
    assert found is None or found.tzinfo is not None
    lead = leading_date(text)
    assert lead is None or "".join((lead[1] + lead[2]).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("2025-04-10-talks.txt", 10),
        ("talks_20250410.txt", 10),
        ("a/b/2025_04_10.md", 10),
        ("2025.04.10 talks.txt", 10),
        ("20251310 20250410.txt", 10),
        ("2025-04-10/talks.txt", None),
        ("000_b0149e1d855999ec.txt", None),
        ("1234567890123.txt", None),
        ("2025-0410.txt", None),
    ],
)
def test_dates_in_names(path: str, day: int | None) -> None:
    assert name_date(path) == (datetime(2025, 4, day, tzinfo=UTC) if day else None)


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("x/2025-04-10-embassy_talks.md", "embassy talks"),
        ("20250410.md", "20250410"),
        ("two  words.html", "two words"),
    ],
)
def test_titles_of_names(path: str, title: str) -> None:
    assert title_of(path) == title
