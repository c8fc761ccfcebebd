"""Every value of a TOML text has a line, however it is written; tomllib decides what the values are."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis_sim.capacity.toml_lines import Place, lines

TEXT = '''\
# a comment with [brackets] and "quotes"
name = "x # no comment"   # a comment
"quoted.key".inner = 1
long = """
[not.a.table]
key = "no" \\
""""
raw = \'\'\'a = 1
'' b\'\'\'
[table]   # [[no]]
list = [ 1, # one, [two]
  [2, 3],
  { a = "}", b = [4] },
]
[table.below."deep one"]
date = 1979-05-27T07:32:00Z
[[many]]
a = 1
[[many.inner]]
b = 'c\\'
[many.below]
c = 2
[[many]]
[[many.inner]]
b = 1
[[many.inner]]
b = "\\u0041\\""
x."\\u00e9" = 1
'''


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """The place of everything inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield (*place, key)
        yield from places(each, (*place, key))


def test_every_place_of_a_hard_text_has_its_line() -> None:
    """Comments, all four kinds of strings, arrays over lines, inline tables, dotted and quoted keys, arrays of tables
    in arrays of tables."""
    found = lines(TEXT)
    assert set(found) == set(places(tomllib.loads(TEXT)))
    text = TEXT.splitlines()
    assert text[found["name",] - 1].startswith("name")
    assert found["long",] == 4
    assert found["raw",] == 8
    assert found["table", "list", 2, "b", 0] == 13
    assert text[found["many", 1, "inner", 1, "b"] - 1] == 'b = "\\u0041\\""'
    assert found["many", 0, "below", "c"] == 22


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_last_line_may_end_as_it_likes(end: str) -> None:
    """Editors differ."""
    assert lines(f"a = 1{end}") == {("a",): 1}
    assert lines(f"a = 1\r\nb = [1,\r\n2]{end}") == {("a",): 1, ("b",): 2, ("b", 0): 2, ("b", 1): 3}


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
VALUES = st.recursive(
    st.booleans() | st.integers(-9, 10**6) | st.text(st.characters(codec="ascii"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def written(value: Any) -> str:
    """Any value on one line."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {written(each)}" for key, each in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\\u007f", "\\u007F").replace("\x7f", "\\u007F")


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=3))
def test_every_place_of_any_tables_has_the_line_it_was_written_to(tables: dict[str, dict[str, Any]]) -> None:
    """Whatever keys and values there are: the scan and tomllib see the same places."""
    text = ""
    wanted: dict[Place, int] = {}
    for key, table in tables.items():
        text += f"[{json.dumps(key, ensure_ascii=False)}]\n"
        wanted[(key,)] = text.count("\n")
        for inner, value in table.items():
            text += f"{json.dumps(inner, ensure_ascii=False)} = {written(value)}\n"
            wanted[key, inner] = text.count("\n")
            wanted |= {(key, inner, *place): text.count("\n") for place in places(value)}
    assert tomllib.loads(text) == tables
    assert lines(text) == wanted
