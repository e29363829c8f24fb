"""Markdown and its front matter, in YAML and TOML, good and bad."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.errors import ParseError
from feedsvc.model import Link, ParsedEntry, Person
from feedsvc.sources.documents.base import Contents, Document
from feedsvc.sources.documents.frontmatter import read_front_matter
from feedsvc.sources.documents.markdown import read_markdown


def contents(text: str, path: str = "notes/2025-04-10-a-note.md") -> Contents:
    return read_markdown(Document(path=path, body=text.encode()))


def read(text: str) -> ParsedEntry:
    found = contents(text)
    assert found.problems == ()
    (entry,) = found.entries
    return entry


def html(text: str) -> str:
    entry = read(text)
    return entry.content.value if entry.content else ""


def title(text: str) -> str:
    entry = read(text)
    return entry.title.value if entry.title else ""


YAML = """---
title: "Talks: a beginning"
date: 2025-04-10T14:05:00+03:00
updated: 2025-04-11
author: Jane Doe <jane@example.org>
tags: [Diplomacy, United States, 2024, on]
summary: What happened.
link: https://example.org/talks
id: talks-1
related:
  - New Era: Somebody as Ambassador
  - https://example.org/other
lang: no
---
# Talks

They *met*.
"""
TOML = """+++
title = "Talks: a beginning"
date = 2025-04-10T14:05:00+03:00
updated = 2025-04-11
author = {name = "Jane Doe", email = "jane@example.org"}
tags = ["Diplomacy", "United States", 2024, "on"]
summary = "What happened."
link = "https://example.org/talks"
id = "talks-1"
related = ["New Era: Somebody as Ambassador", "https://example.org/other"]
lang = "no"
+++
# Talks

They *met*.
"""


@pytest.mark.parametrize("text", [YAML, TOML, "\ufeff" + YAML, YAML.replace("\n", "\r\n")])
def test_front_matter_says_it_all(text: str) -> None:
    entry = read(text)
    assert entry.title is not None
    assert entry.title.value == "Talks: a beginning"
    assert entry.published == datetime(2025, 4, 10, 11, 5, tzinfo=UTC)
    assert entry.updated == datetime(2025, 4, 11, tzinfo=UTC)
    assert entry.authors == (Person(name="Jane Doe", email="jane@example.org"),)
    assert entry.tags == tuple(
        (tag, "front-matter") for tag in ("Diplomacy", "United States", "2024", "on")
    )
    assert entry.summary is not None
    assert entry.summary.value == "What happened."
    assert entry.links == (Link(href="https://example.org/talks"),)
    assert entry.uid == "talks-1"
    assert entry.references == ("New Era: Somebody as Ambassador", "https://example.org/other")
    assert entry.lang == "no"
    assert entry.content is not None
    assert entry.content.value == "<h1>Talks</h1>\n<p>They <em>met</em>.</p>"


@pytest.mark.parametrize(
    ("author", "people"),
    [
        ("Jane Doe", [Person(name="Jane Doe")]),
        ("Jane Doe <https://example.org/jane>", [Person(name="Jane Doe", uri="https://example.org/jane")]),
        ("<jane@example.org>", [Person(name="jane@example.org", email="jane@example.org")]),
        ("[Jane, John]", [Person(name="Jane"), Person(name="John")]),
        ("{name: Jane, url: https://example.org}", [Person(name="Jane", uri="https://example.org")]),
        ("[{name: Jane, email: j@example.org}, John]",
         [Person(name="Jane", email="j@example.org"), Person(name="John")]),
        ("~", []),
        ("{role: editor}", []),
    ],
)  # fmt: skip
def test_authors(author: str, people: list[Person]) -> None:
    assert read(f"---\nauthor: {author}\n---\nText.").authors == tuple(people)


@pytest.mark.parametrize(
    ("tags", "labels"),
    [
        ("Russia, United States", ["Russia", "United States"]),
        ("United States", ["United States"]),
        ('["Washington, D.C.", b]', ["Washington, D.C.", "b"]),
        ("\n  - a\n  - '#b'\n  - a", ["a", "b"]),
        ("[]", []),
        ("", []),
        ("[[a, b], c]", ["c"]),
    ],
)
def test_tags(tags: str, labels: list[str]) -> None:
    found = read(f"---\ntags: {tags}\n---\nText.").tags
    assert found == tuple((label, "front-matter") for label in labels)


@pytest.mark.parametrize("word", ["keywords", "categories", "Category"])
def test_names_of_other_tools_are_understood(word: str) -> None:
    entry = read(f"---\n{word}: a\ndescription: d\nlastmod: 2025-04-11\n---\nText.")
    assert entry.tags == (("a", "front-matter"),)
    assert entry.summary is not None
    assert entry.summary.value == "d"
    assert entry.updated == datetime(2025, 4, 11, tzinfo=UTC)
    both = read(f"---\n{word}: a\ntags: b\n---\nText.")
    assert both.tags == (("b", "front-matter"),)


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("---\ntitle: Talks: a beginning\n---\nText.", "quotes", 2),
        ("---\ntitle: x\ntags: [a, b\n---\nText.", "YAML", 4),
        ("---\ntitle: x\n\tbad: y\n---\nText.", "YAML", 3),
        ("---\ntitle: x\nText without an end", "never closed", 1),
        ("+++\ntitle = \"x\"\ntags = [\n+++\n", "TOML", 3),
        ("+++\ntitle = x\n+++\nText", "TOML", 2),
        ("---\nbase: &a [*a]\n---\n", "YAML", 2),
        ("---\n" + "[" * 5000 + "\n---\n", "YAML", 1),
        ("---\nx: " + "y" * 70000 + "\n---\n", "longer", 1),
    ],
)  # fmt: skip
def test_bad_front_matter_is_an_error_with_its_line(text: str, said: str, line: int) -> None:
    with pytest.raises(ParseError, match=said) as caught:
        contents(text)
    assert caught.value.line is not None
    assert caught.value.line >= line
    assert caught.value.line <= line or said == "YAML"


def test_a_bad_value_costs_only_itself() -> None:
    found = contents("---\ntitle: Talks\ndate: soon\nlang: [a]\n---\nText.")
    (entry,) = found.entries
    assert entry.title is not None
    assert entry.title.value == "Talks"
    assert (entry.published, entry.published_text, entry.lang) == (None, None, None)
    assert len(found.problems) == 2
    assert "`date` is not a date: soon" in found.problems[0]


def test_thematic_breaks_are_no_front_matter() -> None:
    assert html("---\n\nText.\n\n---\n") == "<hr />\n<p>Text.</p>\n<hr />"
    assert html("---\nText only") == "<hr />\n<p>Text only</p>"


def test_aliases_do_not_blow_up() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    assert title(f"---\n{bomb}tags: *a11\ntitle: T\n---\nText.") == "T"


def test_the_title_is_the_first_heading_else_the_name() -> None:
    assert title("# Hello *World* & `code`\n\nText.") == "Hello World & code"
    assert html("# Hello\n\nText.") == "<p>Text.</p>"
    assert title("Hello\n=====\n\nText.") == "Hello"
    assert html("Intro.\n\n## Part\n\nText.") == "<p>Intro.</p>\n<p>Text.</p>"
    assert title("Only text.") == "a note"
    assert html("---\ntitle: Hello\n---\n# Hello\n\nText.") == "<p>Text.</p>"
    assert html("---\ntitle: Hello\n---\nText.\n\n# Hello") == "<p>Text.</p>\n<h1>Hello</h1>"
    assert title("> # Quoted\n\nText.") == "a note"
    assert title("#\n\n# Real") == "Real"


def test_markdown_itself() -> None:
    assert html("|a|b|\n|-|-|\n|1|2|").startswith("<table>")
    assert html("~~gone~~") == "<p><s>gone</s></p>"
    assert html("a <b>b</b>\n\n<div>c</div>") == "<p>a <b>b</b></p>\n<div>c</div>"
    assert html("![alt](img/a.png)") == '<p><img src="img/a.png" alt="alt" /></p>'


def test_nothing_is_an_error_and_a_title_is_enough() -> None:
    with pytest.raises(ParseError, match="no text"):
        contents("\n\n")
    assert read("---\ntitle: Hello\n---\n").content is None


PIECES = [*"---+:[]{}&*#|>!%@`'\"\n\t ,", "a", "title: ", "date", "\n", "é"]


@given(st.lists(st.sampled_from(PIECES)).map("".join), st.sampled_from(["---", "+++"]))
def test_no_front_matter_breaks_the_reader(head: str, fence: str) -> None:
    with suppress(ParseError):
        read_front_matter(f"{fence}\n{head}\n{fence}\ntext")


@pytest.mark.parametrize("text", ["[" * 60_000, "word " * 500_000])
def test_too_much_markdown_is_an_error(text: str) -> None:
    with pytest.raises(ParseError, match="split it"):
        contents(text)


def test_what_is_relative_is_relative_to_the_link() -> None:
    assert read("---\nlink: https://example.org/a/b\n---\n[x](y)").base == "https://example.org/a/b"
    assert read("[x](y)").base is None
