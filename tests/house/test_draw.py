"""The drawing of the lifecycle: the one that is kept is the one that the table gives now, and it leaves nothing out."""

from collections import Counter
from xml.etree import ElementTree

import pytest

from docaxis.core.lifecycle import CODE_VIETNAMESE, TABLE, VIETNAMESE, Code, State
from tools import draw


def test_the_kept_drawing_is_the_one_that_the_table_gives() -> None:
    """Whoever changes the table renews the drawing: `tools/draw --write`."""
    assert draw.TARGET.read_text(encoding="utf-8") == draw.svg()


def test_the_drawing_is_well_formed_and_names_every_state_and_code() -> None:
    """What is in the table is on the page, in both languages."""
    words = [
        element.text or "" for element in ElementTree.fromstring(draw.svg()).iter() if element.tag.endswith("text")
    ]
    for state in State:
        assert {state.name.lower(), VIETNAMESE[state]} <= set(words)
    for code in Code:
        assert any(word.startswith(f"{draw.code_name(code)} · {CODE_VIETNAMESE[code]}") for word in words)


def test_the_drawing_has_an_arrow_for_every_transition() -> None:
    """Each code as often as the table moves by it; the two answers to a recall once each."""
    words = Counter(
        element.text for element in ElementTree.fromstring(draw.svg()).iter() if element.tag.endswith("text")
    )
    moves = Counter(code.value for row in TABLE.items() for code, after in row[1].items() if after is not row[0])
    moves.update(["15", "16"])
    assert {code: words[code] for code in moves} == dict(moves)


@pytest.mark.parametrize("text", [draw.mermaid(), draw.dot()])
def test_the_text_formats_hold_every_transition(text: str) -> None:
    """One line for each, and one for the agreed recall of each state that can be recalled."""
    arrows = [line for line in text.splitlines() if "->" in line.replace("-->", "->") and "[*]" not in line]
    assert len(arrows) == len(draw.edges()) + len(draw.recallable())


def test_the_tool_prints_what_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Mermaid unless told otherwise."""
    for option, drawn in (("--svg", draw.svg()), ("--dot", draw.dot()), ("--mermaid", draw.mermaid())):
        assert draw.main([option]) == 0
        assert capsys.readouterr().out == drawn
    assert draw.main([]) == 0
    assert capsys.readouterr().out == draw.mermaid()
