"""Dates of feeds in every dialect that is known: one table, and the way through a feed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.sources.dialects import SOUND, read_date
from feedsvc.sources.jsonfeed import moment
from feedsvc.sources.webfeed import parse_feed

DATES = {
    # 2025-04-10 11:00 UTC in many ways
    "2025-04-10 11:00:00": """
Thu, 10 Apr 2025 11:00:00 GMT
Thu, 10 Apr 2025 11:00:00 Z
Thu, 10 Apr 2025 11:00:00 UT
Thu, 10 Apr 2025 13:00:00 +0200
Thu, 10 Apr 2025 13:00:00 +02:00
Thu, 10 Apr 2025 13:00:00 +2
Thu, 10 Apr 2025 13:00:00 CEST
Thu, 10 Apr 2025 13:00:00 CET DST
Thu, 10 Apr 2025 11.00.00 GMT
2025-04-10T13:00:00[Europe/Berlin]
2025-04-10T13:00:00+02:00[Europe/Berlin]
Thu, 10 Apr 2025 13:00:00 MESZ
Thu, 10 Apr 2025 12:00:00 BST
Thu, 10 Apr 2025 20:00:00 JST
Thu, 10 Apr 2025 20:00:00 KST
Thu, 10 Apr 2025 14:00:00 MSK
Thu, 10 Apr 2025 16:30:00 IST
Thu, 10 Apr 2025 21:00:00 AEST
Thu, 10 Apr 2025 08:30:00 NDT
Thu, 10 Apr 2025 07:00:00 EDT
Thu, 10 Apr 2025 06:00:00 CDT
Thu, 10 Apr 2025 05:00:00 MDT
Thu, 10 Apr 2025 04:00:00 PDT
Thu, 10 Apr 2025 13:00:00 GMT+2
Thu, 10 Apr 2025 13:00:00 GMT+0200
Thu, 10 Apr 2025 13:00:00 UTC+02:00
Thu, 10 Apr 2025 13:00:00 +0200 (CEST)
Thu, 10 Apr 2025 11:00:00 +0000 GMT
Thu, 10 Apr 2025 07:00:00 America/New_York
Thu, 10 Apr 2025 11:00:00 XYZ
Thu, 10 Apr 2025 11:00:00
Thu, 10 Apr 25 11:00:00 GMT
Thu,10 Apr 2025 11:00:00 GMT
Thu, 10-Apr-2025 11:00:00 GMT
10 Apr 2025 11:00:00 GMT
10 Apr 2025 11:00 GMT
Thu, 10 April 2025 11:00:00 GMT
Thursday, 10 April 2025 11:00:00 GMT
Thursday, April 10, 2025 11:00 AM
April 10th, 2025 at 11:00 a.m.
April 10, 2025 11:00:00 AM
Thu, 10 Apr 2025 4:00 AM PDT
Thu Apr 10 11:00:00 2025
Thu Apr 10 11:00:00 UTC 2025
Thu Apr 10 13:00:00 +0200 2025
Thu, 2025/04/10 07:00:00 EDT
2025-04-10T11:00:00Z
2025-04-10t11:00:00z
2025-04-10T11:00:00.123Z
2025-04-10T13:00:00,5+02:00
2025-04-10T13:00+02
2025-04-10 11:00:00
2025-04-10 11:0:0
2025-04-10 11:00:00 +0000
2025-04-10 13:00:00 +0200
2025-04-10 07:00:00 EDT
2025-04-10T11:00Z
2025-04-10T11:00:00 Z
20250410T110000Z
20250410T130000+0200
20250410110000
2025-W15-4T11:00:00Z
2025W154T110000Z
2025-100T11:00:00Z
2025100T110000Z
2025/04/10 11:00:00
2025.04.10 11:00
10.04.2025 11:00
10.4.2025, 11.00
1744282800
1744282800.5
1744282800123
1744282800123456
jeu., 10 avr. 2025 13:00:00 +0200
jeu, 10 avril 2025 11:00:00 GMT
Jeudi 10 avril 2025 à 13h00 CEST
Do, 10 Apr 2025 13:00:00 +0200
Donnerstag, 10. April 2025, 13:00 Uhr +0200
jue, 10 abr 2025 11:00:00 GMT
10 de abril de 2025 11:00
qui, 10 abr 2025 11:00:00 GMT
gio, 10 apr 2025 13:00:00 +0200
giovedì 10 aprile 2025 - 11:00
do, 10 apr. 2025 13:00:00 +0200
czw, 10 kwi 2025 13:00:00 +0200
10 kwietnia 2025 11:00
Чт, 10 апр 2025 14:00:00 +0300
10 апреля 2025 11:00
10 апреля 2025 г. 14:00 MSK
10 квітня 2025 14:00 EEST
Πέμ, 10 Απρ 2025 14:00:00 EEST
10 Απριλίου 2025 11:00
2025-április-10T13:00+02:00
2025. április 10. 11:00
10. dubna 2025 11:00
10 Nisan 2025 11:00
tors, 10 apr 2025 13:00:00 +0200
2025년 04월 10일 20:00:00
2025-04-10 오후 8:00:00
2025-04-10 20:00:00 KST
2025年4月10日 20:00 JST
""",
    "2025-05-10 00:00:00": """
10. Mai 2025
10 mai 2025
10 мая 2025
10 mayo 2025
10 de maio de 2025
10 maggio 2025
10 mei 2025
Σαβ, 10 Μάι 2025
2025. május 10.
10 May 2025
May 10, 2025
May 10th 2025
2025-W19-6
2025-130
2025/5/10
Fri, 09 May 2025 24:00:00 GMT
2025-05-09T24:00:00Z
""",
    # weekdays that begin as months do
    "2025-04-08 00:00:00": "mar., 8 avr. 2025\nmar 8 apr 2025\nmar, 08 abr 2025",
    "2025-07-14 00:00:00": "14 juil. 2025\n14 juillet 2025\n14 luglio 2025\n14 июля 2025",
    "2025-06-14 00:00:00": "14 juin 2025\n14 giugno 2025\n14 июн 2025\n14/06/2025\n06/14/2025",
    "2025-12-24 00:00:00": "24 déc. 2025\n24 dic 2025\n24. Dezember 2025\n24 дек. 2025\n24/12/25",
    "2025-03-01 00:00:00": "1er mars 2025\n1. März 2025\n1 marzo 2025\n1 марта 2025",
    "2017-01-01 00:00:00": "Sat, 31 Dec 2016 23:59:60 GMT\n2016-12-31T23:59:60Z",
    "1999-12-31 00:00:00": "31 Dec 99\n31 Dec 1999",
    "2049-12-31 00:00:00": "31 Dec 49",
}
NO_DATES = """
yesterday
now
10/04/2025
04/10/2025 11:00 AM
Thu, 32 Apr 2025 11:00:00 GMT
2025-02-30
2025-02-30T10:00:00Z
Sun, 30 Feb 2025 10:00:00 GMT
2025-W60-1
2025-366
2025-000
2025-13-01T00:00:00Z
2025-04-10T25:00:00Z
2025-04-10T24:00:01Z
2025-04-10T11:61:00Z
10 Apr
April 2025
10 11 12
12345
Thu, 10 Apr 20255 11:00:00
Thu, 10 Apr 2025 11:00:00 +9900
0000-00-00 00:00:00
%a, %d %b %Y
"""
TABLE = [
    (wording, when) for when, wordings in DATES.items() for wording in wordings.strip().splitlines()
]


@pytest.mark.parametrize(("wording", "when"), TABLE)
def test_a_date_in_any_dialect(wording: str, when: str) -> None:
    expected = datetime.fromisoformat(when).replace(tzinfo=UTC)
    found = read_date(wording)
    assert found is not None
    assert found.replace(microsecond=0) == expected


@pytest.mark.parametrize(("wording", "when"), TABLE)
def test_feeds_of_every_format_are_dated_by_it(wording: str, when: str) -> None:
    expected = datetime.fromisoformat(when).replace(tzinfo=UTC)
    rss = f"<rss><channel><item><title>T</title><pubDate>{wording}</pubDate></item></channel></rss>"
    (item,) = parse_feed(rss.encode()).entries
    assert item.published == expected
    assert item.published_text == wording
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>T</title>'
        f"<updated>{wording}</updated></entry></feed>"
    )
    (entry,) = parse_feed(atom.encode()).entries
    assert entry.updated == expected
    found = moment(wording)
    assert found is not None
    assert found.replace(microsecond=0) == expected


@pytest.mark.parametrize(
    ("wording", "month"), [("10 Dez 2024 11:00:00 GMT", 12), ("Mon, 10 Mai 2024 13:00:00 +0200", 5)]
)
def test_a_month_of_three_letters_need_not_be_english(wording: str, month: int) -> None:
    rss = f"<rss><channel><item><title>T</title><pubDate>{wording}</pubDate></item></channel></rss>"
    expected = datetime(2024, month, 10, 11, tzinfo=UTC)
    assert parse_feed(rss.encode()).entries[0].published == expected


@pytest.mark.parametrize("wording", NO_DATES.strip().splitlines())
def test_what_is_not_certainly_a_date_is_none(wording: str) -> None:
    assert read_date(wording) is None
    rss = f"<rss><channel><item><title>T</title><pubDate>{wording}</pubDate></item></channel></rss>"
    assert parse_feed(rss.encode()).entries[0].published is None


@given(st.text(max_size=120) | st.from_regex(r"[A-Za-z]{3}, [0-9 .:/+-]{5,40}[A-Z]{0,5}"))
def test_no_text_is_too_odd(text: str) -> None:
    found = read_date(text)
    assert found is None or found.tzinfo is UTC


@given(st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1)))  # noqa: DTZ001
def test_plain_dates_are_read_as_they_are(when: datetime) -> None:
    when = when.replace(microsecond=0, tzinfo=UTC)
    for wording in (
        when.strftime("%d %b %Y %H:%M:%S GMT"),
        when.isoformat(),
        when.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ):
        assert SOUND.fullmatch(wording) or when.day > 28
        assert read_date(wording) == when
    year, week, day = when.isocalendar()
    assert read_date(f"{year}-W{week:02}-{day}T{when:%H:%M:%S}Z") == when
    assert read_date(f"{when:%Y-%jT%H:%M:%S}Z") == when
    assert read_date(str(int(when.timestamp() * 1000)).rjust(13, "0")) == when
