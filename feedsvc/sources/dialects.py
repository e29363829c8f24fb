"""Dates as feeds write them, beyond the two dialects that their formats allow.

Zones by name, months and weekdays in twenty languages, weeks and ordinal days, epochs, hour 24 and
leap seconds. A date without a zone is UTC; what could be two dates (03/04/2025) is none.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_LONGEST = 100
# what both RFC 822 and RFC 3339 readers agree on, which is nearly every date there is; a day that
# not every month has is looked at again
SOUND = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(?:0?[1-9]|1\d|2[0-8]) [A-Z][a-z]{2} \d{4}"
    r" (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d (?:[+-](?:0\d|1[0-4])[0-5]\d|GMT|UTC|Z|[ECMP][SD]T)"
    r"|\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
    r"T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)"
)
# a year, or a month of it
PARTIAL = re.compile(r"\d{4}(?:-?\d\d)?")
_EPOCH = re.compile(r"(\d{9,10})(?:\.\d+)?|(\d{13})|(\d{16})")
_CLOCK = r"(?P<hour>\d\d?)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
_ISO_ZONE = r"(?P<zone>z|utc|gmt|[+-]\d\d(?::?\d\d)?)"
_ISO = re.compile(
    r"(?P<year>\d{4})(?:-?w(?P<week>\d\d)(?:-?(?P<weekday>[1-7]))?"
    r"|-?(?P<ordinal>\d{3})"
    r"|-(?P<month>\d\d?)-(?P<day>\d\d?)|(?P<month2>\d\d)(?P<day2>\d\d))"
    rf"(?:(?:\s*t\s*|\s+|(?<=\d{{8}})){_CLOCK}\s*{_ISO_ZONE}?"
    r"(?:\[(?P<place>[a-z_]+(?:/[a-z_]+)*)\])?)?"
)
_TIME = re.compile(
    r"(?:(?P<before>오전|오후|上午|下午)\s*)?(?<![\d.])(?P<hour>\d\d?)(?::(?=\d\d?\b)|[h.](?=\d\d))(?P<minute>\d\d?)"
    r"(?:[:.](?P<second>\d\d?)(?:[.,](?P<fraction>\d+))?)?(?![\d.]*\d)"
    r"(?:\s*uhr\b)?\s*(?P<half>[ap]\.?\s?m\b\.?|[πμ]\.?μ\b\.?)?"
)
_OFFSET = re.compile(
    r"\s*(?:gmt|utc?|z)?\s*(?P<sign>[+\-\u2212])(?P<hours>\d\d?)(?::?(?P<minutes>\d\d))?(?!\d)"
)
_NAMED = re.compile(r"\s*\(?([a-z_]+(?:/[a-z_]+)*)\)?")
_SUMMER = re.compile(r"\s+dst\b")
_COMMENT = re.compile(r"\([^()]*\)")
_KOREAN = re.compile("년|오전|오후")
_EASTERN = re.compile(r"(\d{4})\s*[年년]\s*(\d\d?)\s*[月월]\s*(\d\d?)\s*[日일]?")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,4})\s?([./-])\s?(\d\d?)\s?\2\s?(\d{1,4})(?!\d)")
_TOKENS = re.compile(r"[^\W\d_]+|\d+")

_ZONES = {
    name: timedelta(minutes=round(hours * 60))
    for hours, names in (
        (-10, "hst"), (-9, "akst"), (-8, "pst pt akdt"), (-7, "mst mt pdt"), (-6, "cst ct mdt"),
        (-5, "est et cdt pet cot"), (-4, "ast at edt clt bot"), (-3.5, "nst"),
        (-3, "adt brt art clst uyt"), (-2.5, "ndt"), (-1, "azot"),
        (0, "ut utc gmt z wet azost"), (1, "bst west cet met mez wat"),
        (2, "cest mest mesz eet cat sast"), (3, "eest msk eat trt"), (3.5, "irst"),
        (4, "msd gst samt"), (4.5, "aft"), (5, "pkt uzt yekt"), (5.5, "ist"), (5.75, "npt"),
        (6, "omst bdt almt"), (6.5, "mmt"), (7, "wib ict krat novt"),
        (8, "hkt sgt awst pht wita myt irkt"), (9, "jst kst wit yakt"), (9.5, "acst"),
        (10, "aest vlat chst"), (10.5, "acdt"), (11, "aedt magt"), (12, "nzst pett fjt"),
        (13, "nzdt"),
    )
    for name in names.split()
}  # fmt: skip
# the first of two languages that give one beginning to different months has it
_MONTHS = """
january february march april may june july august september october november december
januar februar maerz april mai juni juli august september oktober november dezember
jaenner feber marz april mai juni juli august september oktober november dezember
janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
januari februari maart april mei juni juli augustus september oktober november december
styczen luty marzec kwiecien maj czerwiec lipiec sierpien wrzesien pazdziernik listopad grudzien
stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь
січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня
януари февруари март април май юни юли август септември октомври ноември декември
ιανουαριου φεβρουαριου μαρτιου απριλιου μαιου ιουνιου ιουλιου αυγουστου σεπτεμβριου οκτωβριου νοεμβριου δεκεμβριου
januar februar marcius aprilis majus junius julius augusztus szeptember oktober november december
ledna unora brezna dubna kvetna cervna cervence srpna zari rijna listopadu prosince
januari februari mars april maj juni juli augusti september oktober november december
januar februar marts april maj juni juli august september oktober november desember
ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie
ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik
tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesakuuta heinakuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta
"""  # noqa: E501
_SHORT = {"sept": 9, "fev": 2, "ene": 1, "dic": 12, "set": 9, "out": 10, "mrt": 3, "mrz": 3}


def _beginnings() -> dict[str, int]:
    found: dict[str, int] = {}
    for line in _MONTHS.strip().splitlines():
        own: dict[str, int] = {}
        for number, name in enumerate(line.split(), 1):
            name = _folded(name)
            for length in range(3, len(name) + 1):
                start = name[:length]
                # what begins two months of a language is neither
                own[start] = number if own.get(start, number) == number else 0
        for start, number in own.items():
            if number:
                found.setdefault(start, number)
    return found | _SHORT


def _folded(text: str) -> str:
    """Lower case without accents, the same for table and text."""
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(c for c in text if not unicodedata.combining(c))
    # Hangul was taken apart as well
    return unicodedata.normalize("NFC", text).replace("ł", "l").replace("ı", "i")


_STARTS = _beginnings()


@lru_cache(maxsize=1024)
def read_date(text: str) -> datetime | None:
    """Reads a date in any dialect, as aware UTC; None if it is not certainly one."""
    if len(text) > _LONGEST:
        return None
    folded = " ".join(_folded(text).replace("\u2212", "-").split())
    try:
        return _epoch(folded) or _iso(folded) or _written(folded)
    except (ValueError, OverflowError):
        return None


def _epoch(text: str) -> datetime | None:
    """Seconds, milliseconds or microseconds since 1970."""
    if not (match := _EPOCH.fullmatch(text)):
        return None
    seconds, milliseconds, microseconds = match.groups()
    since = int(seconds or 0) or int(milliseconds or microseconds) / (1e3 if milliseconds else 1e6)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(since))


def _iso(text: str) -> datetime | None:
    """ISO 8601: calendar dates, weeks and ordinal days, with hour 24 and leap seconds."""
    if not (match := _ISO.fullmatch(text)):
        return None
    part = match.groupdict()
    year = int(part["year"])
    if part["week"]:
        day = date.fromisocalendar(year, int(part["week"]), int(part["weekday"] or 1))
    elif part["ordinal"]:
        day = date(year, 1, 1) + timedelta(days=int(part["ordinal"]) - 1)
        if day.year != year or part["ordinal"] == "000":
            return None
    else:
        month, number = part["month"] or part["month2"], part["day"] or part["day2"]
        day = date(year, int(month), int(number))
    zone, _ = _zone(part["zone"] or "")
    if zone is None and part["place"]:
        zone = _place(part["place"])
    return _at(day, part["hour"], part["minute"], part["second"], zone)


def _written(text: str) -> datetime | None:
    """A date in words or numbers, and before or after it a time with its zone."""
    time = _TIME.search(text)
    hour = minute = second = None
    zone: tzinfo | None = None
    rest = text
    if time and not (_inside_date(text, time) and _day(_without(text, time)) is None):
        hour, minute, second = time["hour"], time["minute"], time["second"]
        half = (time["half"] or time["before"] or "").replace(".", "")
        if half:
            late = half[0] == "p" or half in ("μμ", "오후", "下午")
            hour = str(int(hour) % 12 + 12 * late) if int(hour) <= 12 else hour
        zone, after = _zone(text[time.end() :])
        rest = f"{text[: time.start()]} {after}"
        if zone is None and _KOREAN.search(text):
            zone = timezone(timedelta(hours=9))  # those who write so have one zone
    day = _day(_COMMENT.sub(" ", rest))
    return _at(day, hour, minute, second, zone) if day else None


def _without(text: str, time: re.Match[str]) -> str:
    return f"{text[: time.start()]} {text[time.end() :]}"


def _inside_date(text: str, time: re.Match[str]) -> bool:
    """Whether what looks like a time is part of a date with full stops (10.04.2025)."""
    return "." in time[0] and ":" not in time[0] and bool(_NUMERIC.search(text, time.start()))


def _zone(text: str) -> tuple[tzinfo | None, str]:
    """The zone that a text begins with, None for none or one nobody knows, and what follows."""
    if match := _OFFSET.match(text):
        offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
        return timezone(-offset if match["sign"] == "-" else offset), text[match.end() :]
    match = _NAMED.match(text)
    if match and match[1] in _ZONES:
        after = text[match.end() :]
        summer = _SUMMER.match(after)
        offset = _ZONES[match[1]] + timedelta(hours=1 if summer else 0)
        return timezone(offset), after[summer.end() if summer else 0 :]
    if match and "/" in match[1]:
        return _place(match[1]), text[match.end() :]
    return None, text


def _place(name: str) -> tzinfo | None:
    """The zone of `america/new_york`, if the machine knows it."""
    try:
        parts = ["_".join(x.capitalize() for x in p.split("_")) for p in name.split("/")]
        return ZoneInfo("/".join(parts))
    except (ValueError, OSError, LookupError):
        return None


def _day(text: str) -> date | None:
    if match := _EASTERN.search(text):
        year, month, day = map(int, match.groups())
        return date(year, month, day)
    if match := _NUMERIC.search(text):
        return _numeric(match[1], match[2], match[3], match[4])
    tokens = _TOKENS.findall(text)
    months = [_STARTS[token] for token in tokens if token in _STARTS]
    numbers = [token for token in tokens if token.isdecimal()]
    if not months or len(numbers) != 2:
        return None
    # a weekday may begin as a month does, and comes before it
    day, year = numbers
    if len(day) == 4 or int(day) > 31:
        day, year = year, day
    if len(year) not in (2, 4) or len(day) > 2:
        return None
    return date(_full(year), months[-1], int(day))


def _numeric(first: str, sign: str, second: str, third: str) -> date | None:
    if len(first) == 4:
        return date(int(first), int(second), int(third))
    if len(first) > 2 or len(third) not in (2, 4):
        return None
    day, month, year = int(first), int(second), _full(third)
    if sign == "." or day > 12:
        return date(year, month, day)
    if month > 12:
        return date(year, day, month)
    return date(year, month, day) if day == month else None


def _full(year: str) -> int:
    """A year of two digits as RFC 5322 §4.3 reads it."""
    return int(year) + (0 if len(year) == 4 else 2000 if int(year) < 50 else 1900)


def _at(
    day: date, hour: str | None, minute: str | None, second: str | None, zone: tzinfo | None
) -> datetime:
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    if hours > 24 or minutes > 59 or seconds > 60 or (hours == 24 and minutes + seconds):
        raise ValueError(hour)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone or UTC)
    return (midnight + timedelta(hours=hours, minutes=minutes, seconds=seconds)).astimezone(UTC)
