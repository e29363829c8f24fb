"""The news layout: the seed article, each variant, their combinations, and nothing ever lost."""

import re
from datetime import UTC, datetime, timedelta, timezone
from html import unescape
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedsvc.errors import ParseError
from feedsvc.model import ParsedEntry
from feedsvc.sources.documents.base import Document
from feedsvc.sources.documents.decode import tidy
from feedsvc.sources.documents.news import is_news
from feedsvc.sources.documents.text import read_text

DATA = Path(__file__).parent.parent / "data" / "documents"
SEED = "000_b0149e1d855999ec.txt"
HEADLINES = (
    "Trump's Insight on Russia's Intentions in Ukraine Conflict",
    "Black Sea Ceasefire: US Brokers Historic Truce Between Ukraine and Russia",
    "Historic Maritime Truce: U.S. Secures Ukraine-Russia Agreements",
    "New Era: Alexander Darchiev as Russian Ambassador to the U.S.",
    "U.S. Brokers Collaborative Maritime Truce Between Ukraine and Russia",
)


def read(text: str | bytes, path: str = "a.txt") -> ParsedEntry:
    body = text if isinstance(text, bytes) else text.encode()
    contents = read_text(Document(path=path, body=body))
    assert not contents.many
    (entry,) = contents.entries
    return entry


def title(entry: ParsedEntry) -> str:
    return entry.title.value if entry.title else ""


def summary(entry: ParsedEntry) -> str:
    return entry.summary.value if entry.summary else ""


def body(entry: ParsedEntry) -> list[str]:
    html = entry.content.value if entry.content else ""
    return [unescape(text) for text in re.findall(r"<p>(.*?)</p>", html, re.DOTALL)]


def tags(entry: ParsedEntry) -> list[str]:
    assert {origin for _, origin in entry.tags} <= {"front-matter"}
    return [label for label, _ in entry.tags]


def test_the_seed_article_is_read_whole() -> None:
    entry = read((DATA / SEED).read_bytes(), SEED)
    assert title(entry) == (
        "Istanbul Diplomacy: U.S. and Russia Seek to Normalize Embassy Operations"
    )
    assert entry.published == datetime(2025, 4, 10, tzinfo=UTC)
    assert entry.published_text == "2025-04-10"
    assert summary(entry).startswith("U.S. and Russian delegations met in Istanbul")
    assert entry.summary is not None
    assert entry.summary.type == "text"
    assert [text.split()[0] for text in body(entry)] == ["On", "The", "Efforts"]
    assert entry.content is not None
    assert entry.content.type == "html"
    assert entry.credit == "(With inputs from agencies.)"
    assert entry.references == HEADLINES
    assert entry.tags == ()


NEWS = "date 2025-04-10 Headline\nSummary of it.\nFirst paragraph.\nSecond paragraph.\n"


@pytest.mark.parametrize(
    "text",
    [
        NEWS,
        f"\n\n  {NEWS}",
        f"\ufeff {NEWS}",
        f" \ufeff{NEWS}",
        NEWS.replace("\n", "\r\n"),
        NEWS.replace("\n", "\r"),
        NEWS.replace("\n", "\n\n"),
        NEWS.replace("\n", "  \n\t"),
        NEWS.replace("date ", "Date: "),
        NEWS.replace("2025-04-10 ", "2025-04-10: "),
        NEWS.replace("2025-04-10 ", "2025-04-10 - "),
        NEWS.replace("2025-04-10 ", "2025-04-10\n"),
    ],
)
def test_blanks_marks_and_line_ends_make_no_difference(text: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        entry = read(text.encode(encoding))
        assert title(entry) == "Headline"
        assert summary(entry) == "Summary of it."
        assert body(entry) == ["First paragraph.", "Second paragraph."]
        assert entry.published == datetime(2025, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        ("2025-04-10", datetime(2025, 4, 10, tzinfo=UTC)),
        ("2025-04-10T14:05:00+03:00", datetime(2025, 4, 10, 11, 5, tzinfo=UTC)),
        ("2025-04-10T14:05Z", datetime(2025, 4, 10, 14, 5, tzinfo=UTC)),
        ("2025-04-10 14:05 +0300", datetime(2025, 4, 10, 11, 5, tzinfo=UTC)),
        ("2025-04-10 14:05", datetime(2025, 4, 10, 14, 5, tzinfo=UTC)),
        ("2025-04-10 14:05:09 UTC", datetime(2025, 4, 10, 14, 5, 9, tzinfo=UTC)),
        ("2025-04-10T14:05-03", datetime(2025, 4, 10, 17, 5, tzinfo=UTC)),
        ("2025-02-30", None),
    ],
)
def test_a_date_may_carry_time_and_offset(stamp: str, moment: datetime | None) -> None:
    entry = read(f" date {stamp} Headline\nSummary.")
    assert entry.published == moment
    assert entry.published_text == stamp
    assert title(entry) == "Headline"


def test_the_offset_of_a_date_is_kept() -> None:
    entry = read("date 2025-04-10T14:05:00+05:30 Headline")
    assert entry.published is not None
    assert entry.published.tzinfo == timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("line", "headline"),
    [
        ("date 2025-04-10 14:05 -20 Degrees in Moscow", "-20 Degrees in Moscow"),
        ("date 2025-04-10 10:30-Uhr-Regel", "10:30-Uhr-Regel"),
        ("date 2025-04-10 25:99 Is No Time", "25:99 Is No Time"),
        ("date 2025-04-10 3 Dead in Storm", "3 Dead in Storm"),
        ("date  Headline Without a Date", "Headline Without a Date"),
        ("date None Headline Without a Date", "Headline Without a Date"),
    ],
)
def test_what_is_no_date_belongs_to_the_headline(line: str, headline: str) -> None:
    assert title(read(f"{line}\nSummary.\n")) == headline


@pytest.mark.parametrize(
    "text",
    [
        "date 2025-04-10 Headline",
        "Headline\nSummary\nALSO READ\nOther headline",
        "Headline\nSummary\nRelated:\nOther headline",
        "Headline\nSummary\nREAD MORE ON: Russia",
        "Headline\nSummary\n(With inputs from agencies.)",
        "Headline\nSummary\n(This story has not been edited by the newsroom.)",
    ],
)
def test_what_the_layout_is(text: str) -> None:
    assert is_news(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A headline\nand text",
        "Date palms of Iraq\nThey grow.",
        "dated 2025-04-10\ntext",
        "A poem\nof two lines\n(1923)",
        "Title\nrelated\nwords",
        "Title\nCountry: France\nis a line of a form",
    ],
)
def test_what_the_layout_is_not(text: str) -> None:
    assert not is_news(text)


def test_a_missing_date_leaves_it_to_the_file() -> None:
    entry = read("Headline\nSummary.\nText.\nALSO READ\nOther")
    assert (title(entry), summary(entry), body(entry)) == ("Headline", "Summary.", ["Text."])
    assert entry.published is None
    assert entry.references == ("Other",)


@pytest.mark.parametrize(
    "credit",
    [
        "(With inputs from agencies.)",
        "(This story has not been edited by our staff and is from a syndicated feed.)",
        "(Reuters)",
        "(With inputs from agencies (AP, AFP).)",
        "(With inputs from agencies).",
    ],
)
@pytest.mark.parametrize("end", ["", "\nALSO READ\nOther", "\nREAD MORE ON: Russia", "\n\n"])
def test_a_closing_parenthesis_is_the_credit(credit: str, end: str) -> None:
    entry = read(NEWS + credit + end)
    assert entry.credit == credit
    assert body(entry) == ["First paragraph.", "Second paragraph."]


def test_credits_after_the_list_count_too() -> None:
    entry = read(f"{NEWS}(One.)\nALSO READ\nOther\n(With inputs from agencies.)")
    assert entry.credit == "(One.) (With inputs from agencies.)"
    assert entry.references == ("Other",)


def test_a_parenthesis_in_the_middle_is_text() -> None:
    entry = read("date 2025-04-10 Headline\nSummary.\n(An aside.)\nThe end.")
    assert entry.credit is None
    assert body(entry) == ["(An aside.)", "The end."]


def test_two_parentheses_with_text_between_are_text() -> None:
    entry = read("date 2025-04-10 Headline\nSummary.\n(a) one and (b)")
    assert entry.credit is None
    assert body(entry) == ["(a) one and (b)"]


@pytest.mark.parametrize("words", ["ALSO READ", "Read Also", "RELATED", "see also", "Also read"])
@pytest.mark.parametrize("mark", ["", ":", " :", " -"])
@pytest.mark.parametrize("bullet", ["", "- ", "* ", "• ", "{}. ", "{}) "])
def test_related_headlines(words: str, mark: str, bullet: str) -> None:
    listed = "\n".join(bullet.format(n) + h for n, h in enumerate(HEADLINES, 1))
    entry = read(f"{NEWS}{words}{mark}\n{listed}")
    assert entry.references == HEADLINES
    assert body(entry) == ["First paragraph.", "Second paragraph."]


def test_a_list_in_the_middle_ends_where_paragraphs_go_on() -> None:
    long = "The talks went on for " + "many " * 50 + "hours."
    entry = read(f"date 2025-04-10 H\nS.\nALSO READ\nOne\nTwo\n{long}\nThe end of it.")
    assert entry.references == ("One", "Two")
    assert body(entry) == [long, "The end of it."]
    bulleted = read("date 2025-04-10 H\nS.\nALSO READ\n- One\n- Two\nA paragraph.")
    assert bulleted.references == ("One", "Two")
    assert body(bulleted) == ["A paragraph."]


@pytest.mark.parametrize(
    ("line", "text", "reference"),
    [
        ("Also Read: Other Headline", [], "Other Headline"),
        ("ALSO READ | Other Headline", [], "Other Headline"),
        ("Also Read - Other Headline", [], "Other Headline"),
        ("**Also Read:** Other Headline", [], "Other Headline"),
        ("(Also Read: Other Headline)", [], "Other Headline"),
        ("Talks ended. Also Read: Other Headline", ["Talks ended."], "Other Headline"),
        ("Talks [Also Read: Other Headline] ended.", ["Talks ended."], "Other Headline"),
        ("Talks ended (Also Read: Other Headline).", ["Talks ended."], "Other Headline"),
        (
            "Talks ended. Also Read: U.S. Visit Nears. They will go on.",
            ["Talks ended. They will go on."],
            "U.S. Visit Nears",
        ),
        ("Talks ended. Also Read: Why Now?", ["Talks ended."], "Why Now?"),
    ],
)
def test_inline_references_leave_the_text(line: str, text: list[str], reference: str) -> None:
    entry = read(f"date 2025-04-10 H\nSummary.\n{line}\n(With inputs.)")
    assert entry.references == (reference,)
    assert body(entry) == text
    assert entry.credit == "(With inputs.)"


def test_the_text_goes_on_after_an_inline_reference() -> None:
    entry = read("date 2025-04-10 H\nSummary.\nAlso Read: Other\nA short line")
    assert entry.references == ("Other",)
    assert body(entry) == ["A short line"]


def test_two_inline_references_in_one_line() -> None:
    entry = read("date 2025-04-10 H\nS.\nEnd. Also Read: What Is It? Also Read: Two")
    assert entry.references == ("What Is It?", "Two")


@pytest.mark.parametrize(
    ("block", "labels"),
    [
        ("READ MORE ON: Russia, United States, NATO", ["Russia", "United States", "NATO"]),
        ("Read more on: Russia | NATO", ["Russia", "NATO"]),
        ("READ MORE ON:\nRussia\nUnited States", ["Russia", "United States"]),
        ("READ MORE ON\n- Russia\n- Washington, D.C.", ["Russia", "Washington", "D.C."]),
        ("Country: Russia, Bosnia and Herzegovina.", ["Russia", "Bosnia and Herzegovina"]),
        ("Country:\nRussia\nTürkiye", ["Russia", "Türkiye"]),
        ("Countries: Russia; Türkiye", ["Russia", "Türkiye"]),
        ("Country: U.S.", ["U.S."]),
    ],
)
@pytest.mark.parametrize("end", ["", "\n(With inputs.)", "\nALSO READ\nOther", "\n\nA paragraph."])
def test_lists_of_tags(block: str, labels: list[str], end: str) -> None:
    entry = read(f"{NEWS}{block}{end}")
    assert tags(entry) == labels
    assert body(entry)[:2] == ["First paragraph.", "Second paragraph."]
    assert body(entry)[2:] == (["A paragraph."] if "paragraph" in end else [])


def test_a_sentence_after_country_is_text() -> None:
    line = "Country: the ambassador said that no country had ever asked for such a thing before."
    entry = read(f"{NEWS}{line}")
    assert tags(entry) == []
    assert body(entry)[-1] == line


@pytest.mark.parametrize(
    "word", ["Advertisement", "ADVERTISEMENT", "[Advertisement]", "— Advertisement —"]
)
def test_a_lone_advertisement_is_dropped(word: str) -> None:
    entry = read(f"date 2025-04-10 H\n{word}\nSummary.\nText.\n{word}\nALSO READ\n{word}\nOther")
    assert (summary(entry), body(entry)) == ("Summary.", ["Text."])
    assert entry.references == ("Other",)
    kept = read("date 2025-04-10 H\nS.\nAn advertisement ran in the paper.")
    assert body(kept) == ["An advertisement ran in the paper."]


def test_everything_at_once() -> None:
    entry = read(
        "\ufeff  date 2025-04-10 09:30 +0300 Headline\r\n\r\n"
        "Summary.\r\nAdvertisement\r\nOne. Also Read: Inline Headline\r\nTwo <b> & three.\r\n"
        "READ MORE ON: Russia, Embassies\r\nCountry:\r\n- Türkiye\r\n"
        "(With inputs from agencies.)\r\nREAD ALSO:\r\n1. First\r\n2. Second\r\n"
    )
    assert title(entry) == "Headline"
    assert entry.published == datetime(2025, 4, 10, 6, 30, tzinfo=UTC)
    assert summary(entry) == "Summary."
    assert body(entry) == ["One.", "Two <b> & three."]
    assert "Two &lt;b&gt; &amp; three." in (entry.content.value if entry.content else "")
    assert entry.credit == "(With inputs from agencies.)"
    assert entry.references == ("Inline Headline", "First", "Second")
    assert tags(entry) == ["Russia", "Embassies", "Türkiye"]


def test_headline_alone_and_date_alone() -> None:
    alone = read("date 2025-04-10 Headline\n")
    assert (title(alone), alone.summary, alone.content) == ("Headline", None, None)
    unnamed = read("date 2025-04-10", "world/2025-04-10-embassy_talks.txt")
    assert title(unnamed) == "embassy talks"


def test_a_paragraph_as_headline_stays_whole() -> None:
    long = "word " * 100
    entry = read(f"date 2025-04-10 {long}\nNext.")
    assert len(title(entry)) < 130
    assert body(entry) == [long.strip(), "Next."]


def test_blanks_alone_are_an_error() -> None:
    with pytest.raises(ParseError, match="no text"):
        read(" \n\t\r\n\ufeff")


WORDS = (
    *("ALSO READ", "See also:", "RELATED", "READ MORE ON:", "Country:", "Countries: "),
    *("Advertisement", "Also Read: ", "Also Read | ", "[READ ALSO: ", "(With inputs from AP.)"),
    *("date 2025-04-10 ", "- ", "1. ", "(", ")", "]", ". ", ", ", "\n", "\n\n", "\r\n"),
)
LINES = st.lists(
    st.one_of(
        st.sampled_from(WORDS),
        st.text(st.characters(codec="utf-8"), max_size=30),
        st.text("ab c.,:;|()-*\n", max_size=60),
    ),
    max_size=25,
).map("".join)
DROPPED = re.compile(
    r"also|read|see|related|stories|articles|news|more|on|country|countries|date|none|null|nan|n|a"
    r"|unknown|advertisements?|\d+"
)


def runs(text: str) -> set[str]:
    """The words of a text, but for those of headings, dates and list numbers."""
    words = re.findall(r"[^\W_]+", tidy(text).casefold())
    return {word for word in words if not DROPPED.fullmatch(word)}


@given(LINES)
@example("date 2025-04-10 H\nS\n(a) b\n(c)\nALSO READ\n(d)")
@example("x\nREAD MORE ON: a, b\nCountry:\nc, d\ne f g h i j k\n")
@example("x. Also Read: a. B also read: c")
@example("\x1f\x1f\x1e\x19\x06")
@example("date 2025-04-10 (x\n(Also Read: a)b)\nSEE ALSO\n- \n1. \n>")
def test_no_word_is_lost_and_nothing_raises(text: str) -> None:
    for variant in (text, f"date 2025-04-10 headline\n{text}"):
        said = tidy(variant)
        if (
            len(re.findall(r"[\x00-\x08\x0e-\x1f\x7f]", variant)) > 4
            or len(variant) - len(said) > 4
        ):
            continue  # mostly control characters: no text
        try:
            entry = read(variant)
        except ParseError:
            assert not said.strip()
            continue
        html = entry.content.value if entry.content else ""
        kept = [title(entry), summary(entry), unescape(re.sub(r"</?p>|<br>", " ", html))]
        kept += [entry.credit or "", *entry.references, *tags(entry), entry.published_text or ""]
        assert runs(variant) == runs(" ".join(kept))


@pytest.mark.parametrize(
    "line",
    [
        *("[also read: " + "a" * 300_000, "[also read: " * 20_000, "Also Read: x. " * 20_000),
        *(" " * 300_000, "- " * 100_000, "(" * 300_000, ". " * 150_000, "*" * 300_000),
        "Country: " + "a," * 100_000,
    ],
    ids=lambda line: line[:12],
)
def test_long_lines_take_no_more_than_their_share(line: str) -> None:
    # each would take minutes if a pattern went back over the line from every place in it
    assert title(read(f"date 2025-04-10 Headline\nSummary.\n{line}x\nEnd.")) == "Headline"
    assert title(read(f"Headline\n\n{line}x\n")) == "Headline"
