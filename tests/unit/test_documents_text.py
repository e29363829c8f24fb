"""Plain text that is no news, the bytes it comes in, and the dates that names and texts hold."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.model import ParsedEntry
from feedsvc.sources.documents.base import Document, title_of
from feedsvc.sources.documents.dates import leading_date, name_date, parse_date
from feedsvc.sources.documents.decode import decode, decode_markup, tidy
from feedsvc.sources.documents.text import paragraphs, read_text


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


@given(st.text(st.characters(min_codepoint=0xA0, max_codepoint=0xFF), max_size=50))
def test_windows_1252_loses_no_letter(text: str) -> None:
    # a lone Latin-1 letter between ASCII ones cannot be mistaken for UTF-8
    spaced = "x".join(text)
    assert decode(spaced.encode("cp1252")) == spaced


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
