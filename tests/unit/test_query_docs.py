"""docs/query.md: every example parses, every canonical form and every error is as it says."""

import re
from pathlib import Path

import pytest

from feedsvc.errors import QueryError
from feedsvc.query import canonical, parse
from feedsvc.query.values import FIELDS

TEXT = (Path(__file__).parents[2] / "docs" / "query.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \| (.*) \|$", TEXT, re.MULTILINE)
FORMS = [(text, form[1:-1]) for text, form in ROWS if re.fullmatch("`[^`]+`", form)]
ERRORS = re.findall(r"^```\n(.+)\n( *\^)\n(.+)\n```$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("text", [text for text, _ in ROWS])
def test_every_example_parses(text: str) -> None:
    assert parse(canonical(parse(text))) == parse(text)


@pytest.mark.parametrize(("text", "form"), FORMS)
def test_canonical_forms_are_as_documented(text: str, form: str) -> None:
    assert canonical(parse(text)) == form


@pytest.mark.parametrize(("text", "same"), re.findall(r"`([^`]+)` \| the same as `([^`]+)`", TEXT))
def test_what_is_the_same_is_the_same(text: str, same: str) -> None:
    assert parse(text) == parse(same)


@pytest.mark.parametrize(("text", "caret", "message"), ERRORS)
def test_errors_are_as_documented(text: str, caret: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert caught.value.pointer() == f"{text}\n{caret}"
    assert str(caught.value) == message


def test_the_examples_were_found() -> None:
    assert len(ROWS) > 30
    assert len(FORMS) == 10
    assert len(ERRORS) == TEXT.count("```\n```") + 1 == 10


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_documented(field: str) -> None:
    assert f"`{field}:" in TEXT
