"""Draws the lifecycle of a document from the table that the node itself uses.

States and transitions come from `docaxis.core.lifecycle`; only places on the page are decided here. A state without a
place is an error, so that nothing can be in the table and missing in the drawing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

from docaxis.core.lifecycle import BY_SENDER, CODE_VIETNAMESE, FINAL, TABLE, VIETNAMESE, Code, State

TARGET: Final = Path(__file__).resolve().parent.parent / "node/docs/lifecycle.svg"

# The page: a column of states that a document passes, ends to the left of it, jumps in lanes to the right.
MAIN: Final = (
    State.SENT, State.HELD, State.ARRIVED, State.RECEIVED, State.ASSIGNED, State.PROCESSING, State.COMPLETED,
)  # fmt: skip
SIDE_ROWS: Final = {State.EXPIRED: 0.5, State.REFUSED: 2.0, State.RECOVERED: 5.0}
RECALL_ROW: Final = 4.0
BOX_WIDTH, BOX_HEIGHT, ROW_HEIGHT, TOP = 200, 48, 92, 76
MAIN_X, SIDE_X, LANE_X, LANE_WIDTH = 400, 40, 632, 40
WIDTH: Final = 900
HEIGHT: Final = TOP + ROW_HEIGHT * len(MAIN) + 190

STYLE: Final = """
text { font: 14px "DejaVu Sans", "Noto Sans", Arial, sans-serif; fill: #1b2733; }
.title { font-size: 18px; font-weight: bold; } .small { font-size: 12px; fill: #4a5a68; } .mid { text-anchor: middle; }
.state { fill: #eef4fb; stroke: #2a5d8f; stroke-width: 1.5; } .end { fill: #f6eeee; stroke: #8f2a2a; }
.waits { fill: #fff8e5; stroke: #8a6d1b; stroke-dasharray: 5 4; }
.edge { fill: none; stroke: #2a5d8f; stroke-width: 1.4; } .sender { stroke: #8a6d1b; } .refusal { stroke: #8f2a2a; }
.label { fill: #ffffff; } .code { font-size: 13px; font-weight: bold; text-anchor: middle; }
"""

TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0,0 L10,5 L0,10 z" fill="#1b2733"/></marker></defs>'
)


class Edge(NamedTuple):
    """One transition; a code that leaves the state as it is makes no edge."""

    before: State
    code: Code
    after: State


class Box(NamedTuple):
    """A rectangle on the page."""

    x: int
    y: int

    @property
    def middle(self) -> int:
        """Its vertical middle."""
        return self.y + BOX_HEIGHT // 2


def edges() -> list[Edge]:
    """Every transition that leads to another state, and the agreed recall, in the order of the table."""
    return [
        Edge(before, code, after) for before, row in TABLE.items() for code, after in row.items() if before is not after
    ]


def recallable() -> list[State]:
    """The states in which the sender may state a recall."""
    return [state for state, row in TABLE.items() if Code.RECALL in row]


# --- text formats -------------------------------------------------------------------------------------------------


def mermaid() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {state.name}: {state.name.lower()} ({VIETNAMESE[state]})" for state in State]
    lines += [f"    [*] --> {State.SENT.name}"]
    lines += [f"    {edge.before.name} --> {edge.after.name}: {code_name(edge.code)}" for edge in edges()]
    lines += [f"    {state.name} --> {State.RECOVERED.name}: {_recall_words()}" for state in recallable()]
    lines += [f"    {state.name} --> [*]" for state in State if state in FINAL]
    return "\n".join(lines) + "\n"


def dot() -> str:
    """The table in the language of Graphviz."""
    lines = ["digraph lifecycle {", '    node [shape=box, style=rounded, fontname="sans-serif"];']
    for state in State:
        ends = ", peripheries=2" if state in FINAL else ""
        lines.append(f'    {state.name} [label="{state.name.lower()}\\n{VIETNAMESE[state]}"{ends}];')
    lines += [f'    {edge.before.name} -> {edge.after.name} [label="{edge.code.value}"];' for edge in edges()]
    lines += [
        f'    {state.name} -> {State.RECOVERED.name} [label="{Code.RECALL.value}, {Code.AGREE.value}", style=dashed];'
        for state in recallable()
    ]
    return "\n".join([*lines, "}"]) + "\n"


def code_name(code: Code) -> str:
    """Two digits and a word."""
    return f"{code.value} {code.name.lower()}"


def _recall_words() -> str:
    return f"{code_name(Code.RECALL)} then {code_name(Code.AGREE)}"


# --- SVG ----------------------------------------------------------------------------------------------------------


def svg() -> str:
    """The table as a picture that needs no other program."""
    places = {state: _place(state) for state in State}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f"<style>{STYLE}</style>",
        TIP,
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(SIDE_X, 36, "Lifecycle of one document at one recipient", "title"),
        *(part for edge, lane in _lanes() for part in _jump(places, edge, lane)),
        *(part for edge in edges() if _is_step(edge) for part in _step(places, edge)),
        *(part for edge in edges() if edge.after not in MAIN for part in _side(places, edge)),
        *(part for state in State for part in _state(state, places[state])),
        *_recall(places),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _place(state: State) -> Box:
    if state in MAIN:
        return Box(MAIN_X, TOP + MAIN.index(state) * ROW_HEIGHT)
    return Box(SIDE_X, TOP + int(SIDE_ROWS[state] * ROW_HEIGHT))


def _is_step(edge: Edge) -> bool:
    return edge.after in MAIN and MAIN.index(edge.after) - MAIN.index(edge.before) == 1


def _lanes() -> Iterator[tuple[Edge, int]]:
    """Jumps along the column, each in the first lane that is free over its rows; short jumps stay near the column."""
    jumps = [edge for edge in edges() if edge.after in MAIN and not _is_step(edge)]
    jumps.sort(key=lambda edge: (MAIN.index(edge.after) - MAIN.index(edge.before), edge.before))
    taken: list[list[range]] = []
    for edge in jumps:
        rows = range(MAIN.index(edge.before), MAIN.index(edge.after))
        lane = next((n for n, used in enumerate(taken) if not any(set(rows) & set(each) for each in used)), len(taken))
        taken += [[]] if lane == len(taken) else []
        taken[lane].append(rows)
        yield edge, lane


def _state(state: State, box: Box) -> Iterator[str]:
    style = "state end" if state in FINAL else "state"
    yield f'<rect class="{style}" x="{box.x}" y="{box.y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>'
    yield _text(box.x + BOX_WIDTH // 2, box.y + 20, state.name.lower(), "mid")
    yield _text(box.x + BOX_WIDTH // 2, box.y + 38, VIETNAMESE[state], "mid small")
    if state in recallable():
        yield _text(box.x + BOX_WIDTH - 34, box.y + 15, f"↺ {Code.RECALL.value}", "small")


def _step(places: dict[State, Box], edge: Edge) -> Iterator[str]:
    x = MAIN_X + BOX_WIDTH // 2
    start, end = places[edge.before].y + BOX_HEIGHT, places[edge.after].y
    yield _line(f"M{x},{start} V{end}", "edge")
    yield from _code(x, (start + end) // 2, edge.code)


def _jump(places: dict[State, Box], edge: Edge, lane: int) -> Iterator[str]:
    x, right = LANE_X + lane * LANE_WIDTH, MAIN_X + BOX_WIDTH
    start, end = places[edge.before].middle + 6 + 4 * lane, places[edge.after].middle - 6 - 4 * lane
    yield _line(
        f"M{right},{start} H{x - 8} Q{x},{start} {x},{start + 8} V{end - 8} Q{x},{end} {x - 8},{end} H{right}", "edge"
    )
    yield from _code(x, (start + end) // 2, edge.code)


def _side(places: dict[State, Box], edge: Edge) -> Iterator[str]:
    start, end = places[edge.before].middle, places[edge.after].middle
    from_x, to_x = MAIN_X, SIDE_X + BOX_WIDTH
    style = "edge sender" if edge.code in BY_SENDER else "edge refusal"
    yield _line(f"M{from_x},{start} L{to_x},{end}", style)
    part = 0.25 if edge.code in BY_SENDER else 0.6  # where lines of both kinds are apart
    yield from _code(from_x - int((from_x - to_x) * part), start + int((end - start) * part), edge.code)


def _recall(places: dict[State, Box]) -> Iterator[str]:
    """The waiting recall: not a state of the table, but a question that must be answered."""
    y, middle = TOP + int(RECALL_ROW * ROW_HEIGHT), SIDE_X + BOX_WIDTH // 2
    yield f'<rect class="waits" x="{SIDE_X}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>'
    yield _text(middle, y + 20, f"{Code.RECALL.value} recall waits", "mid")
    yield _text(middle, y + 38, "chờ trả lời", "mid small")
    yield _line(f"M{middle},{y + BOX_HEIGHT} V{places[State.RECOVERED].y}", "edge")
    yield from _code(middle, (y + BOX_HEIGHT + places[State.RECOVERED].y) // 2, Code.AGREE)
    yield _line(f"M{SIDE_X + BOX_WIDTH},{y + 24} H{MAIN_X - 70}", "edge")
    yield from _code(SIDE_X + BOX_WIDTH + 34, y + 24, Code.DECLINE)
    yield _text(MAIN_X - 66, y + 22, "the state", "small")
    yield _text(MAIN_X - 66, y + 37, "before", "small")
    yield _text(SIDE_X, y - 10, f"from every state marked ↺ {Code.RECALL.value}", "small")


def _legend() -> Iterator[str]:
    y = TOP + len(MAIN) * ROW_HEIGHT + 16
    yield _text(SIDE_X, y, "Codes (mã):", "")
    for number, code in enumerate(Code):
        who = "sender" if code in BY_SENDER else "recipient"
        x, down = SIDE_X + 285 * (number // 4), 24 + 22 * (number % 4)
        yield _text(x, y + down, f"{code_name(code)} · {CODE_VIETNAMESE[code]} ({who})", "small")
    yield _text(
        SIDE_X,
        y + 128,
        "Ranks only rise: a late or repeated code is kept in the history and moves nothing back.",
        "small",
    )


def _code(x: int, y: int, code: Code) -> Iterator[str]:
    yield f'<rect class="label" x="{x - 12}" y="{y - 9}" width="24" height="18"/>'
    yield _text(x, y + 5, code.value, "code")


def _line(path: str, style: str) -> str:
    return f'<path class="{style}" d="{path}" marker-end="url(#tip)"/>'


def _text(x: int, y: int, words: str, style: str) -> str:
    named = f' class="{style}"' if style else ""
    return f'<text{named} x="{x}" y="{y}">{escape(words)}</text>'


def main(arguments: list[str]) -> int:
    """Prints a drawing, or writes the one that is kept beside the documents."""
    parser = argparse.ArgumentParser(prog="tools/draw", description="Draw the lifecycle from its own table.")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--svg", action="store_const", dest="draw", const=svg, help="print a picture")
    form.add_argument("--dot", action="store_const", dest="draw", const=dot, help="print it for Graphviz")
    form.add_argument(
        "--mermaid", action="store_const", dest="draw", const=mermaid, help="print it for Mermaid (default)"
    )
    form.add_argument("--write", action="store_true", help=f"renew {TARGET.name}")
    options = parser.parse_args(arguments)
    if options.write:
        TARGET.write_text(svg(), encoding="utf-8")
    else:
        sys.stdout.write((options.draw or mermaid)())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
