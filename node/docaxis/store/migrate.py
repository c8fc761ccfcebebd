"""Migrations: numbered steps that only go forward, and the refusal of a database that is too new for this program.

Nothing here knows what a table means. A step is a file ``schema/NNNN_name.sql``; its line in `STEPS` says what it
changed and from which program on a database of that version can be used.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from docaxis.core.errors import OurFault

APPLICATION_ID: Final = 0x64784158
"""Stands in the file's header and says that it is a database of a node ("dxAX")."""


class Step(NamedTuple):
    """One version of the schema. `compatible_from`: the oldest version whose program may still open such a database."""

    file: str
    compatible_from: int
    what: str


STEPS: Final = (Step("0001_first.sql", 1, "everything of the first axis: objects, records, queue, content, feed"),)
"""The running list: the version after a step is its place in the list, counted from 1."""

SCHEMA: Final = Path(__file__).parent / "schema"


def upgrade(connection: sqlite3.Connection, steps: tuple[Step, ...] = STEPS, folder: Path = SCHEMA) -> int:
    """Brings a database to this program's version, each step in a transaction of its own; the version it had.

    Raises `OurFault` ``store.too-new`` for a database that needs a newer program, ``node.store`` for one that is not
    of a node.
    """
    found = version(connection)
    if found == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise OurFault("node.store", "the file is a database, but not one of a node")
    if found > len(steps):
        needed = connection.execute("SELECT value FROM meta WHERE name = 'compatible_from'").fetchone()[0]
        if needed > len(steps):
            raise OurFault("store.too-new", f"version {found}, usable from {needed} on; this program has {len(steps)}")
    for number, step in enumerate(steps[found:], found + 1):
        _take(connection, number, step, (folder / step.file).read_text(encoding="utf-8"))
    return found


def version(connection: sqlite3.Connection) -> int:
    """The schema's version, 0 for an empty database; raises `OurFault` ``node.store`` for somebody else's."""
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    if owner != (APPLICATION_ID if number else 0):
        raise OurFault("node.store", "the file is a database, but not one of a node")
    return number


def _take(connection: sqlite3.Connection, number: int, step: Step, script: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements(script):
            connection.execute(statement)
        connection.execute("REPLACE INTO meta (name, value) VALUES ('compatible_from', ?)", (step.compatible_from,))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would commit behind our back."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    assert not statement.strip(), f"a statement without its end: {statement[:80]!r}"
