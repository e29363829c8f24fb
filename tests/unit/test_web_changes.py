"""What changed between versions, line by line and word by word."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from feedsvc.model import Link, Person, Text
from feedsvc.store.base import Revision
from feedsvc.web.changes import Line, changes, difference
from tests.storekit import NOW, entry

PLAIN = entry("one", content=Text(value="<p>One.</p><p>Two.</p>", type="html"))


def marked(lines: tuple[Line, ...]) -> list[str]:
    signs = {"same": "{}", "gone": "[-{}]", "new": "[+{}]"}
    return [
        "…" if line.cut else "".join(signs[p.mark].format(p.text) for p in line.pieces)
        for line in lines
    ]


def test_words_are_marked_within_their_line() -> None:
    old = ["First line.", "The minister arrived on Monday.", "Last line."]
    new = ["First line.", "The minister arrived on Tuesday.", "Last line."]
    assert marked(difference(old, new)) == [
        "First line.",
        "The minister arrived on [-Monday][+Tuesday].",
        "Last line.",
    ]


def test_what_stayed_is_left_out_but_for_the_lines_beside() -> None:
    old = [f"line {number}" for number in range(9)]
    assert marked(difference(old, [*old[:4], "NEW and other", *old[5:]])) == [
        "…",
        "line 3",
        "[-line 4]",
        "[+NEW and other]",
        "line 5",
        "…",
    ]


def test_lines_come_and_go() -> None:
    assert marked(difference(["a"], ["a", "b"])) == ["a", "[+b]"]
    assert marked(difference(["a", "b"], ["b"])) == ["[-a]", "b"]
    assert marked(difference([], ["b"])) == ["[+b]"]


def test_long_texts_are_compared_in_time() -> None:
    old = [f"{number} old" for number in range(5000)]
    new = ["0 old", *(f"{number} changed" for number in range(4999))]
    lines = difference(old, new)
    assert lines[0].pieces[0].text == "0 old"
    assert len(lines) > 5000
    words = " ".join(map(str, range(9000)))
    assert marked(difference([words], [words[::-1]])) == [f"[-{words}]", f"[+{words[::-1]}]"]


def test_every_part_that_changed_is_named() -> None:
    before = replace(
        PLAIN,
        link="https://a.example/1",
        links=(Link(href="https://a.example/1.mp3", rel="enclosure", length=1000),),
        authors=(Person(name="Ann"),),
    )
    after = replace(
        PLAIN,
        title="Other",
        content=Text(value="<p>One.</p><p>Two!</p>", type="html"),
        summary=Text(value="Short."),
    )
    (change,) = changes(after, [Revision(entry=before, at=NOW)])
    assert [field.name for field in change.fields] == [
        "Title",
        "Link",
        "Summary",
        "Text",
        "Files and links",
        "Authors",
    ]
    by_name = {field.name: marked(field.lines) for field in change.fields}
    assert by_name["Text"] == ["One.", "Two[-.][+!]"]
    assert by_name["Files and links"] == ["[-enclosure: https://a.example/1.mp3 (1,000 bytes)]"]


def test_an_address_in_the_text_is_part_of_it() -> None:
    before = replace(PLAIN, content=Text(value='<p><a href="/1">x</a></p>', type="html"))
    after = replace(PLAIN, content=Text(value='<p><a href="/2">x</a></p>', type="html"))
    (change,) = changes(after, [Revision(entry=before, at=NOW)])
    assert [field.name for field in change.fields] == ["Links and pictures in the text"]


def test_a_version_without_its_text_is_not_compared_by_it() -> None:
    bare = replace(PLAIN, content=None, title="Was")
    past = [Revision(entry=PLAIN, at=NOW), Revision(entry=bare, at=NOW, whole=False)]
    newer, older = changes(replace(PLAIN, content=Text(value="New.")), past)
    assert newer.whole
    assert not older.whole
    assert [field.name for field in older.fields] == ["Title"]


@given(st.lists(st.text(max_size=20), max_size=12), st.lists(st.text(max_size=20), max_size=12))
def test_both_versions_can_be_read_off(old: list[str], new: list[str]) -> None:
    lines = [line for line in difference(old, new) if not line.cut]
    before = "".join(p.text for line in lines for p in line.pieces if p.mark != "new")
    after = "".join(p.text for line in lines for p in line.pieces if p.mark != "gone")
    if len(old) + len(new) and not any(line.cut for line in difference(old, new)):
        assert (before, after) == ("".join(old), "".join(new))
    assert set(before) <= set("".join(old))
    assert set(after) <= set("".join(new))
