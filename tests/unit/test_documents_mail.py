"""E-mail messages: headers of all kinds, parts of all kinds, and none of the text lost."""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.errors import ParseError
from feedsvc.model import Link, ParsedEntry, Person
from feedsvc.sources.documents.base import Contents, Document
from feedsvc.sources.documents.mail import read_mail


def contents(body: bytes | str) -> Contents:
    body = body.encode() if isinstance(body, str) else body
    return read_mail(Document(path="mail/letter.eml", body=body))


def read(body: bytes | str) -> ParsedEntry:
    (entry,) = contents(body).entries
    return entry


def html(body: bytes | str) -> str:
    entry = read(body)
    return entry.content.value if entry.content else ""


HEAD = "From: Ada <ada@example.org>\nSubject: News\nDate: Thu, 10 Apr 2025 14:05:00 +0300 (MSK)\n"


def newsletter() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Žofie Nováková, Ben <ben@example.org>"
    message["Subject"] = "Über die Brücke – eine Nachricht"
    message["Date"] = datetime(2025, 4, 10, 11, 5, tzinfo=UTC)
    message["Message-ID"] = "<a+b%1@example.org>"
    message["List-Id"] = '"Bridge News" <bridge.example.org>'
    message["List-Archive"] = "<https://lists.example.org/bridge/>"
    message["List-Post"] = "NO (announcements only)"
    message["Archived-At"] = "<https://lists.example.org/bridge/17>"
    message["Keywords"] = "bridges, traffic"
    message.set_content("Nur Text.\n")
    message.add_alternative(
        "<html><head><style>p{}</style></head><body><p style='display:none'>Preheader</p>"
        "<p>Die Brücke <img src='cid:logo' alt='(Bild)'> ist offen.</p></body></html>",
        subtype="html",
    )
    payload = message.get_payload()
    assert isinstance(payload, list)
    part = payload[1]
    assert isinstance(part, EmailMessage)
    part.add_related(b"\x89PNG", "image", "png", cid="<logo>")
    message.add_attachment(b"secret", "application", "pdf", filename="a.pdf")
    message.add_attachment("notes\n", filename="notes.txt")
    message["Content-Language"] = "de, en"
    return message


@pytest.mark.parametrize("crlf", [False, True])
def test_a_newsletter_is_read_whole(crlf: bool) -> None:
    message = newsletter()
    entry = read(message.as_bytes(policy=SMTP) if crlf else message.as_bytes())
    assert entry.title is not None
    assert entry.title.value == "Über die Brücke – eine Nachricht"
    assert entry.uid == "mid:a+b%251@example.org"
    assert entry.published == datetime(2025, 4, 10, 11, 5, tzinfo=UTC)
    assert Person(name="Ben", email="ben@example.org") in entry.authors
    assert entry.links == (
        Link(href="https://lists.example.org/bridge/17"),
        Link(href="https://lists.example.org/bridge/", rel="archives"),
    )
    assert entry.tags == (
        ("Bridge News", "front-matter"),
        ("bridges", "front-matter"),
        ("traffic", "front-matter"),
    )
    assert entry.lang == "de"
    assert entry.content is not None
    assert entry.content.value == "<p>Die Brücke (Bild) ist offen.</p>"


def test_plain_text_becomes_paragraphs() -> None:
    entry = read(f"{HEAD}\nHello & welcome.\n\nBye.\n")
    assert entry.content is not None
    assert entry.content.value == "<p>Hello &amp; welcome.</p>\n<p>Bye.</p>"
    assert entry.published == datetime(2025, 4, 10, 11, 5, tzinfo=UTC)
    assert entry.authors == (Person(name="Ada", email="ada@example.org"),)
    assert (entry.uid, entry.links, entry.tags) == (None, (), ())


def test_flowed_text_is_joined() -> None:
    kind = "Content-Type: text/plain; format=flowed\n"
    text = "This goes \non here.\n> quoted \n> more\n\n stuffed\n"
    assert html(f"{HEAD}{kind}\n{text}") == (
        "<p>This goes on here.<br>\n&gt; quoted<br>\n&gt; more</p>\n<p>stuffed</p>"
    )
    assert html(f"{HEAD}{kind[:-1]}; delsp=yes\n\nver \ny long\n") == "<p>very long</p>"


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        ("=?utf-8?q?Caf=C3=A9?= =?utf-8?q?_au_lait?=", "Café au lait"),
        ("=?utf-8?b?Q2Fmw6?= =?utf-8?b?kh?=", None),
        ("Re: =?iso-8859-1?Q?Caf=E9?= (open)", "Re: Café (open)"),
        ("=?x-unknown?q?Caf=C3=A9?=", "Café"),
        ("=?utf-8?b?!!!?= plain", None),
        ("Café as it is", "Café as it is"),
        ("folded\n  subject", "folded subject"),
        ("a \\u0041 b", "a \\u0041 b"),
    ],
)
def test_subjects(raw: str, subject: str | None) -> None:
    entry = read(f"Subject: {raw}\nFrom: a@example.org\n\nText.")
    assert entry.title is not None
    assert entry.title.value
    assert subject is None or entry.title.value == subject


def test_headers_in_bytes_that_are_not_utf_8() -> None:
    entry = read(b"Subject: Caf\xe9\nFrom: Jos\xe9 <jose@example.org>\n\nCaf\xe9 \x93ouvert\x94")
    assert entry.title is not None
    assert entry.title.value == "Café"
    assert entry.authors == (Person(name="José", email="jose@example.org"),)
    assert entry.content is not None
    assert entry.content.value == "<p>Café “ouvert”</p>"


DOE = Person(name="Doe, Jane", email="j@example.org")


@pytest.mark.parametrize(
    ("field", "people"),
    [
        ('"Doe, Jane" <j@example.org>', [DOE]),
        ("=?utf-8?q?Doe=2C_Jane?= <j@example.org>", [DOE]),
        ("j@example.org", [Person(name="j@example.org", email="j@example.org")]),
        ("A <a@b.org>, D", [Person(name="A", email="a@b.org"), Person(name="D")]),
        ("", []),
    ],
)
def test_authors(field: str, people: list[Person]) -> None:
    assert read(f"Subject: x\nFrom: {field}\n\nText.").authors == tuple(people)


@pytest.mark.parametrize(
    "field", ["<<a>", "undisclosed:;", "(comment", ",,,", "a b c <", "\x00", "(" * 9000], ids=len
)
def test_an_odd_sender_harms_nothing(field: str) -> None:
    assert html(f"Subject: x\nFrom: {field}\n\nText.") == "<p>Text.</p>"


def part(kind: str, text: str, *headers: str) -> str:
    return "\n".join([f"Content-Type: {kind}", *headers, "", text, ""])


def multipart(kind: str, *parts: str, boundary: str = "b") -> str:
    body = "".join(f"--{boundary}\n{each}" for each in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{body}--{boundary}--\n'


PLAIN, HTML = part("text/plain", "One"), part("text/html", "<p>H</p>")
ATTACHED = part("text/plain", "x", "Content-Disposition: attachment")
FORWARDED = part("message/rfc822", "Subject: A & B\n\nInner")
WITH_PICTURE = multipart("related", HTML, part("image/png", "x"), boundary="c")
QUOTED = ("text/plain", "Caf=C3=A9=\n!", "Content-Transfer-Encoding: quoted-printable")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (multipart("mixed", PLAIN, part("text/plain", "Foot")), "<p>One</p>\n<p>Foot</p>"),
        (multipart("alternative", PLAIN, HTML), "<p>H</p>"),
        (multipart("alternative", HTML, PLAIN), "<p>H</p>"),
        (multipart("alternative", PLAIN, part("text/html", " ")), "<p>One</p>"),
        (multipart("alternative", PLAIN, part("text/calendar", "BEGIN")), "<p>One</p>"),
        (multipart("alternative", PLAIN, WITH_PICTURE), "<p>H</p>"),
        (multipart("mixed", PLAIN, ATTACHED), "<p>One</p>"),
        (
            multipart("mixed", PLAIN, FORWARDED),
            "<p>One</p>\n<blockquote><p><strong>A &amp; B</strong></p>\n<p>Inner</p></blockquote>",
        ),
        (multipart("mixed"), ""),
        ("Content-Type: multipart/mixed\n\nno boundary", ""),
        (part("image/png", "x"), ""),
        (part("text/html; charset=koi8-r", "<p>x</p>"), "<p>x</p>"),
        (part("text/html", "<meta charset=cp1251><p>x</p>"), "<p>x</p>"),
        (part("text/plain; charset=nonsense", "é"), "<p>é</p>"),
        (part("text/plain", "Q2Fmw6k=", "Content-Transfer-Encoding: base64"), "<p>Café</p>"),
        (part(*QUOTED), "<p>Café!</p>"),
        (part("text/plain; " + "- " * 100_000, "One"), "<p>One</p>"),
    ],
)
def test_parts(body: str, text: str) -> None:
    assert html(f"{HEAD}MIME-Version: 1.0\n{body}") == text


def test_a_date_that_is_none_is_a_problem_and_no_more() -> None:
    found = contents("Subject: x\nDate: soon\n\nText.")
    assert found.problems == ("its Date is not one: soon",)
    assert found.entries[0].published is None
    assert found.entries[0].published_text == "soon"


def test_what_is_no_message() -> None:
    with pytest.raises(ParseError, match="neither Subject"):
        contents("just some text\nin a file")


def test_messages_nested_beyond_reason() -> None:
    body = "Text."
    for depth in range(60):
        body = multipart(
            "mixed", body if depth else part("text/plain", body), boundary=f"b{depth}x"
        )
    read(f"{HEAD}MIME-Version: 1.0\n{body}")


PIECES = [
    *("From: ", "Subject: ", "Date: ", "=?utf-8?q?", "?=", "<", ">", ":", ";", "\n", "\n\n", "--b"),
    *("Content-Type: ", "multipart/mixed", "text/html", "; boundary=b", "; charset=", " ", "é"),
    *("message/rfc822", "Content-Transfer-Encoding: base64", '"', "("),
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=30).map("".join))
def test_no_message_breaks_the_reader(text: str) -> None:
    body = f"Subject: x\n{text}".encode("utf-8", "replace")
    assert contents(body).entries[0].title is not None
