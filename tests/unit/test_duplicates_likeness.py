"""Copies at other addresses: found however they were changed, and nothing else with them."""

import random
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.copies import Corpus, Score, feedsvc
from bench.copykinds import KINDS
from bench.linking import read
from feedsvc.duplicates import Copy, alike, marks, own_words, site_of
from feedsvc.model import Text
from feedsvc.query.text import tokens

DATA = Path(__file__).parent.parent / "data" / "linking"
ARTICLE = (
    "The harbour of the old town was closed on Monday after a freighter with 1,200 containers ran"
    " aground at its mouth. Tugs from three neighbouring ports tried in vain to pull the ship free"
    " before the tide turned, the harbour master said. Ferries go from the northern pier until"
    " further notice, and the fish market has been moved to the railway station, where it will"
    " stay for at least 5 days. Fishermen complain that nobody asked them."
)
OTHER = (
    "A choir of four hundred voices opened the festival with a mass that had not been heard since"
    " the war. The conductor had found the score in a cupboard of the parish, where mice had eaten"
    " the last page; a pupil of hers has written the missing bars anew. Tickets for the concerts of"
    " next week are sold out, but all of them can be heard on the radio."
)
FOOTER = (
    " Subscribe to our newsletter and never miss a story. Follow us wherever you are. All"
    " rights reserved; nothing here may be copied without written permission of the publisher."
    " Our journalism is paid for by readers: support us from three pounds a month. Write to us"
    " if you have found a mistake, and read our guidelines for comments before you write one."
)
TITLE = "Freighter closes the harbour"


def copy(text: str, title: str = TITLE, site: str | None = "a.example") -> Copy:
    return Copy(site, title, text, site)


def elsewhere(text: str, title: str = TITLE) -> Copy:
    return copy(text, title, "b.example")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus(read(DATA / "ecbplus.jsonl"))


def test_copies_of_all_kinds_are_found_and_nothing_else_is(corpus: Corpus) -> None:
    total = Score(0, 0, 0)
    for seed in range(1, 4):
        for kind in KINDS:
            score = corpus.score(feedsvc(corpus, corpus.made(kind, seed)))
            assert score.wrong == 0, (kind, seed)
            assert score.f1 >= 0.97, (kind, seed)
            total += score
    assert total.f1 >= 0.995


def test_copies_follow_from_their_seed(corpus: Corpus) -> None:
    for kind in KINDS:
        texts = [[each.text for each in corpus.made(kind, seed)] for seed in (1, 1, 2)]
        assert texts[0] == texts[1]
        assert (texts[0] == texts[2]) == (kind in ("half", "lead"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (copy(ARTICLE), elsewhere(ARTICLE)),
        (copy(ARTICLE), elsewhere(ARTICLE, "Ship aground, port shut")),
        (copy(ARTICLE), elsewhere(ARTICLE[:190])),
        (copy(ARTICLE), elsewhere("By our own reporters. " + ARTICLE + FOOTER)),
        (copy(ARTICLE + FOOTER), elsewhere(ARTICLE + " Read more in the Courier.")),
        (copy(ARTICLE), elsewhere(ARTICLE.replace("Fishermen", "Anglers").replace("pier", "quay"))),
        (copy(ARTICLE), copy(ARTICLE.replace("Fishermen", "Anglers"))),
        (copy(ARTICLE, site=None), copy(ARTICLE, site=None)),
    ],
)
def test_one_article_is_found_again(one: Copy, other: Copy) -> None:
    assert alike(one, other)
    assert alike(other, one)
    assert len(set(marks(one.words)) & set(marks(other.words))) >= 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (copy(ARTICLE), elsewhere(OTHER)),
        (copy(ARTICLE), elsewhere(ARTICLE.replace("1,200", "900").replace("5 days", "7 days"))),
        # too few words
        (copy("Tugs tried in vain."), elsewhere("Tugs tried in vain.")),
        (copy(ARTICLE[:190]), elsewhere(ARTICLE[:190], "Tugs in vain")),
        # one site
        (copy(ARTICLE), copy(ARTICLE, "Ship aground, port shut")),
        # what stands on every page of a site
        (copy(ARTICLE + FOOTER), copy(OTHER + FOOTER, "Lost mass opens festival")),
        (copy(ARTICLE + 3 * FOOTER), copy(OTHER + 3 * FOOTER, "Lost mass opens festival")),
        (copy(ARTICLE + 3 * FOOTER), elsewhere(OTHER + 3 * FOOTER, "Lost mass opens festival")),
        (copy(ARTICLE + FOOTER, "Morning briefing"), copy(OTHER + FOOTER, "Morning briefing")),
        (copy(ARTICLE + FOOTER, "Morning briefing"), elsewhere(OTHER + FOOTER, "Morning briefing")),
        # one quotes the other
        (copy(ARTICLE), elsewhere(OTHER + ARTICLE[100:300], "What I read today")),
        (copy(ARTICLE + OTHER), elsewhere(FOOTER + ARTICLE, "What I read today")),
        # one names something else
        (
            copy(ARTICLE.replace("old town", "Nordhafen"), "Freighter closes Nordhafen"),
            elsewhere(ARTICLE.replace("old town", "Suderport"), "Freighter closes Suderport"),
        ),
    ],
)
def test_another_article_is_none(one: Copy, other: Copy) -> None:
    assert not alike(one, other)
    assert not alike(other, one)


WEATHER = (
    "{town} will be {sky} on {day} with a high of {high} degrees and a low of {low} degrees. Winds"
    " will be light from the west at {wind} kilometres an hour. The chance of rain in {town} is"
    " {rain} percent. The forecast for {town} comes from the national weather service and is made"
    " anew every morning; look again before you go out."
)
MARKETS = (
    "Stocks on Wall Street closed {sky} on {day} as investors weighed the latest data from the"
    " central bank. The Dow Jones industrial average moved {high}.{rain} points, or {low}.{wind}"
    " percent, to 1{high},{rain}. Volume was {low}.{high} billion shares on all exchanges, and the"
    " index of fear that traders look at stood at {wind}.{low}."
)
SCORES = (
    "The {town} Lions beat the {sky} Tigers {rain}-{high} on {day} night in front of a crowd of"
    " {wind},000. Their captain scored {low} points and had {high} rebounds for the Lions, who have"
    " won four of their last ten games. The Lions play at home again next week, and the Tigers"
    " travel to the coast for the last game of the season."
)
LOTTERY = (
    "The winning numbers in the drawing of the state lottery on {day} evening were {high}, {low},"
    " {wind} and {rain}. For more results and for past drawings see the pages of the lottery, where"
    " the rules of the game and the odds of each prize are explained as well."
)


def template(pattern: str, title: str, chance: random.Random) -> Copy:
    said = {
        "town": chance.choice(["Paris", "London", "Berlin", "Madrid", "Rome", "Oslo"]),
        "sky": chance.choice(["sunny", "cloudy", "rainy", "windy"]),
        "day": chance.choice(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]),
        "high": chance.randint(20, 39),
        "low": chance.randint(2, 19),
        "wind": chance.randint(40, 59),
        "rain": chance.randint(60, 99),
    }
    return elsewhere(pattern.format(**said), title.format(**said))


@pytest.mark.parametrize(
    ("pattern", "title"),
    [
        (WEATHER, "Weather in {town}: {sky} on {day}"),
        (WEATHER, "The weather today"),
        (MARKETS, "Stocks close {sky}"),
        (SCORES, "Lions beat Tigers {rain}-{high}"),
        (SCORES, "Lions beat Tigers again"),
        (LOTTERY, "Winning numbers drawn in the pick four game"),
    ],
)
def test_stories_of_one_template_are_never_one(pattern: str, title: str) -> None:
    chance = random.Random(4)
    told = {
        (each.title, each.text): each
        for each in (template(pattern, title, chance) for _ in range(30))
    }
    assert len(told) > 25
    for one, other in combinations(told.values(), 2):
        assert not alike(one, copy(other.text, other.title)), (one.text, other.text)


JAPANESE = (
    "旧市街の港は月曜日、千二百個のコンテナを積んだ貨物船が入り口で座礁したため閉鎖された。近隣の三つの"
    "港から来た曳船が潮が変わる前に船を引き出そうとしたが、うまくいかなかったと港長は述べた。フェリーは"
    "当分の間、北の桟橋から出る。魚市場は駅に移され、少なくとも五日間はそこで開かれる。"
)
CHINESE = (
    "老城区的港口周一关闭，一艘载有一千二百个集装箱的货轮在港口入口处搁浅。来自邻近三个港口的拖船试图在"
    "潮水转向之前把船拖出来，但没有成功，港务长说。渡轮将从北码头出发，直至另行通知。鱼市已经搬到火车站，"
    "至少要在那里停留五天。渔民们抱怨没有人问过他们的意见。"
)
ARABIC = (
    "أغلق ميناء المدينة القديمة يوم الاثنين بعد أن جنحت سفينة شحن تحمل ألفا ومئتي"
    " حاوية عند مدخله. وحاولت قاطرات من ثلاثة موانئ مجاورة عبثا سحب السفينة قبل"
    " أن يتغير المد، كما قال مدير الميناء. وتنطلق العبارات من الرصيف الشمالي حتى"
    " إشعار آخر، ونقل سوق السمك إلى محطة القطار حيث سيبقى خمسة أيام على الأقل."
    " ويشتكي الصيادون من أن أحدا لم يسألهم عن رأيهم في هذا الأمر."
)


@pytest.mark.parametrize("text", [JAPANESE, CHINESE, ARABIC], ids=["ja", "zh", "ar"])
def test_every_script_is_read(text: str) -> None:
    title = text[:14]
    for other in (text, text[: len(text) * 2 // 3], text[10:] + "。" + text[:4]):
        assert alike(copy(text, title), elsewhere(other, title))
        assert len(set(marks(tokens(text))) & set(marks(tokens(other)))) >= 2
    for other in (JAPANESE, CHINESE, ARABIC, ARTICLE):
        if other != text:
            assert not alike(copy(text, title), elsewhere(other, title))
            assert set(marks(tokens(text))).isdisjoint(marks(tokens(other)))


def test_what_a_post_quotes_is_not_its_own() -> None:
    quoting = f"<p>{OTHER}</p><blockquote cite='https://a.example/'><p>{ARTICLE}</p></blockquote>"
    assert own_words(None, Text(value=quoting, type="html")) == tokens(OTHER)
    plain = Text(value=f"{OTHER}\n> {ARTICLE[:50]}\n  > {ARTICLE[50:]}\n")
    assert own_words(plain, None) == tokens(OTHER)
    assert own_words(None, Text(value="1 > 0, as ever")) == ["1", "0", "as", "ever"]


@given(st.text(), st.text(), st.sampled_from(["text", "html"]))
def test_the_longer_text_is_an_entrys_own(summary: str, content: str, type: str) -> None:
    said = [Text(value=value.replace("<", ""), type=type) for value in (summary, content)]
    known = [" ".join(own_words(each, None)) for each in said]
    found = own_words(*said)
    assert " ".join(found) == max(reversed(known), key=len)
    padded = tuple(f" {each} " if each else "" for each in known)
    assert own_words(*said, (padded[0], padded[1])) == found


@given(st.lists(st.text(max_size=4), max_size=200))
def test_marks_are_few_and_small(words: list[str]) -> None:
    found = marks(words)
    assert list(found) == sorted(set(found))
    assert len(found) < 70
    assert bool(found) == (len(words) >= 5)
    assert all(0 <= mark < 1 << 31 for mark in found)
    assert marks(words) == found


def test_marks_are_the_same_on_every_machine() -> None:
    assert marks(tokens(ARTICLE))[:3] == (7907037, 23676803, 32538000)


@pytest.mark.parametrize(
    ("link", "site"),
    [
        ("https://www.a.example/1", "a.example"),
        ("http://m.A.example:8080", "a.example"),
        ("https://a.example./", "a.example"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("mailto:a@b.example", None),
        ("https://[::1/", None),
        ("", None),
        (None, None),
    ],
)
def test_a_site_is_a_host_whichever_device_it_is_for(link: str | None, site: str | None) -> None:
    assert site_of(link) == site


WORDS = ["a", "b", "c", "d", "1", "2", "monday", "harbour", "東", "京"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)


@given(st.builds(copy, TEXTS, TEXTS), st.builds(elsewhere, TEXTS, TEXTS))
def test_it_does_not_matter_which_is_asked(one: Copy, other: Copy) -> None:
    assert alike(one, other) == alike(other, one)
