"""The style sheet keeps its colours readable (WCAG 2.2 §1.4.3, level AA) in both schemes."""

import re
from pathlib import Path

import pytest

import feedsvc.web

SHEET = (Path(feedsvc.web.__file__).parent / "static" / "style.css").read_text("utf-8")
BLOCKS = [
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
]


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", BLOCKS, ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ground", "inks"),
    [
        ("ground", ("ink", "quiet", "link", "visited", "bad", "good")),
        ("panel", ("ink", "quiet", "link")),
        ("bad-ground", ("ink",)),
    ],
)
def test_text_stands_out(scheme: dict[str, str], ground: str, inks: tuple[str, ...]) -> None:
    for ink in inks:
        assert contrast(scheme[ink], scheme[ground]) >= 4.5, (ink, ground)


@pytest.mark.parametrize("scheme", BLOCKS, ids=["light", "dark"])
def test_focus_and_fields_can_be_seen(scheme: dict[str, str]) -> None:
    for edge in ("focus", "quiet"):
        assert contrast(scheme[edge], scheme["ground"]) >= 3


def test_both_schemes_name_the_same_colours() -> None:
    assert len(BLOCKS) == 2
    assert BLOCKS[0].keys() == BLOCKS[1].keys()


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert "url(" not in SHEET
    assert "@import" not in SHEET
