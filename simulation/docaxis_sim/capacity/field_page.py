"""Field page: the generated part of the reference of scenario files, from the fields themselves.

Markdown only. What stands around it is written by hand, in ``simulation/docs/scenarios.md``.
"""

from collections.abc import Iterator
from typing import Final

from docaxis_sim.capacity.fields import BUILT_IN_PROFILES, SCENARIO
from docaxis_sim.capacity.relations import RELATIONS
from docaxis_sim.capacity.shapes import REQUIRED, Field, Many, Named, Table
from docaxis_sim.capacity.starter import written
from docaxis_sim.capacity.units import DURATION, RATE, SIZE

BEGIN: Final = "<!-- made from the fields: tools/publish_scenarios.py -->"
END: Final = "<!-- end of what is made -->"


def placed(page: str) -> str:
    """A page with the generated part between its two marks as it must be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{generated()}\n{END}{after}"


def generated() -> str:
    """Every table with its fields, the words of relations, the units and the built-in profiles."""
    blocks = ["\n".join(lines) + "\n" for lines in (_units(), _relations(), _profiles(), *_tables())]
    return "\n".join(blocks)


def _units() -> Iterator[str]:
    yield "### Units\n"
    yield "| quantity | units | written |\n|---|---|---|"
    for unit in (RATE, SIZE, DURATION):
        yield f'| {unit.name.removeprefix("a ")} | {", ".join(unit.worth)} | `"{unit.example}"` |'
    yield '| time of day | hours and minutes, to 24:00 | `"08:00"` |'
    yield '| moment | on the first day, or on another | `"08:00"`, `"day 2 08:00"` |'
    yield '| share | from 0 to 1, or in per cent | `0.05`, `"5 %"` |'


def _relations() -> Iterator[str]:
    yield "### Whom a traffic goes to\n"
    yield "| `to` | means |\n|---|---|"
    yield from (f"| `{word}` | {meaning} |" for word, meaning in RELATIONS.items())


def _profiles() -> Iterator[str]:
    yield "### Built-in profiles\n"
    yield from (
        f"`{name}`: {' '.join(f'{time} {height:g},' for time, height in points).rstrip(',')}\n"
        for name, points in BUILT_IN_PROFILES.items()
    )


def _tables() -> Iterator[list[str]]:
    yield ["### At the top of the file\n", *_rows(_single(SCENARIO))]
    for field in SCENARIO.fields:
        yield from _sections(field, field.key)


def _single(table: Table) -> list[Field]:
    return [field for field in table.fields if not isinstance(field.shape, Table | Many | Named)]


def _sections(field: Field, address: str) -> Iterator[list[str]]:
    shape = field.shape
    if not isinstance(shape, Table | Many):
        return
    table = shape.table if isinstance(shape, Many) else shape
    title = f"### `[[{address}]]`\n" if isinstance(shape, Many) else f"### `[{address}]`\n"
    yield [title, f"{table.explain}\n", *_rows(_single(table))]
    for inner in table.fields:
        yield from _sections(inner, f"{address}.{inner.key}")


def _rows(fields: list[Field]) -> Iterator[str]:
    if fields:
        yield "| key | value | if not stated | meaning |\n|---|---|---|---|"
    for field in fields:
        yield f"| `{field.key}` | {field.shape.kind} | {_default(field)} | {field.explain} |"


def _default(field: Field) -> str:
    if field.default is REQUIRED:
        return "must be stated"
    return "–" if field.default in (None, "", [], {}) else f"`{written(field.default)}`"
