"""Where keys stand: on every construct of TOML, and in step with the parser that reads it."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from feedsvc.config.lines import Path, key_lines

DOCUMENT = '''# comment = 1
a = 1
"b.c" = "x = 'y' # no" # d = 4
e.f."g h" = """
i = 1
\\"""
[not.a.table]
""" # the end
[ table . inner ]
'lit' = \'\'\'
k = 2
\'\'\'
l = [ # m = 1
  1, [2, "]"],
  { n = 1, o = [ 3 ] }, # p
]
[[many]]
q = 2025-04-01T12:00:00Z
[[many]]
r = {}
[many.sub]
s = -1.5e3
[[many.deep]]
t = ""
[[many.deep]]
t = \'\'
'''


def paths(value: Any, at: Path = ()) -> set[Path]:
    """Every path of a document as `tomllib` reads it."""
    found = {at} if at else set()
    if isinstance(value, dict):
        return found.union(*(paths(part, (*at, key)) for key, part in value.items()))
    if isinstance(value, list):
        return found.union(*(paths(part, (*at, number)) for number, part in enumerate(value)))
    return found


def test_finds_every_construct() -> None:
    lines = key_lines(DOCUMENT)
    assert lines[("a",)] == 2
    assert lines[("b.c",)] == 3
    assert lines[("e", "f", "g h")] == 4
    assert lines[("table", "inner")] == 9
    assert lines[("table", "inner", "lit")] == 10
    assert lines[("table", "inner", "l", 1, 1)] == 14
    assert lines[("table", "inner", "l", 2, "o", 0)] == 15
    assert lines[("many", 0, "q")] == 18
    assert lines[("many", 1)] == 19
    assert lines[("many", 1, "sub", "s")] == 22
    assert lines[("many", 1, "deep", 0, "t")] == 24
    assert lines[("many", 1, "deep", 1, "t")] == 26


def test_finds_exactly_what_the_parser_finds() -> None:
    known = paths(tomllib.loads(DOCUMENT))
    found = set(key_lines(DOCUMENT))
    assert found <= known
    # the lists and tables that headers only imply stand nowhere themselves
    assert known - found == {("table",), ("many",), ("many", 1, "deep")}


keys = st.sampled_from(["a", "b", "c-d", '"e.f"', "'g'", '"\\u00e9"'])
scalars = st.sampled_from(
    ["1", '"x"', "'y = 2'", "true", "2025-04-01", '""', '"""\n[a]\nb = 1"""', '"\\\\"', "[]", "{}"]
)


@given(
    st.lists(st.tuples(keys, scalars), max_size=6, unique_by=lambda pair: pair[0]), st.booleans()
)
def test_follows_any_table(pairs: list[tuple[str, str]], inline: bool) -> None:
    if inline:
        body = ", ".join(f"{key} = {value}" for key, value in pairs if "\n" not in value)
        text = f"\nt = [{{{body}}}, {{{body}}}]\n"
    else:
        text = "\n[[t]] # one\n" + "".join(f"\n{key} = {value} # x\n" for key, value in pairs)
    lines = key_lines(text)
    assert set(lines) | {("t",)} == paths(tomllib.loads(text))
    for path, line in lines.items():
        name = path[-1]
        if isinstance(name, str) and name.isascii():
            assert name in text.split("\n")[line - 1]
